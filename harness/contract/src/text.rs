//! Texts whose flags an operator may put in any order.

use std::fmt;

/// A text as an operator makes it: exact, or with flags in an order or with values that it draws at
/// random.
///
/// ```
/// use kuberay_contract::{EffectiveSettings, predict};
///
/// let cluster = serde_json::json!({
///     "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "demo"},
///     "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
///         {"name": "ray-head", "image": "rayproject/ray:2.52.0"},
///     ]}}}},
/// });
/// // Before 1.3, the operator writes the flags of `ray start` in a random order.
/// let pods = predict(&"1.2.2".parse()?, &EffectiveSettings::default(), &cluster)?;
/// let text = &pods[0].containers[0].args[0];
/// assert!(!text.is_exact());
/// assert!(text.matches(&text.to_string()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// The text before the flags; the whole text where there are none.
    pub before: String,
    /// The flags, sorted by name; each with its spaces, in every form that it may have.
    pub flags: Vec<Vec<String>>,
    /// `true` where the operator writes the flags in a random order.
    pub any_order: bool,
    /// The text after the flags.
    pub after: String,
}

impl From<String> for Text {
    fn from(before: String) -> Self {
        Self {
            before,
            ..Self::default()
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// The text with its flags sorted, and of their forms the first.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.before)?;
        for flag in &self.flags {
            f.write_str(flag.first().map_or("", String::as_str))?;
        }
        f.write_str(&self.after)
    }
}

impl Text {
    /// Returns whether exactly one text matches.
    pub fn is_exact(&self) -> bool {
        self.flags.iter().all(|forms| forms.len() == 1) && (!self.any_order || self.flags.len() < 2)
    }

    /// Returns whether an observed text matches: flags as a multiset where their order is random,
    /// all else byte for byte.
    pub fn matches(&self, seen: &str) -> bool {
        let inner = seen
            .strip_prefix(self.before.as_str())
            .and_then(|rest| rest.strip_suffix(self.after.as_str()));
        inner.is_some_and(|inner| self.flags_match(inner, &mut vec![false; self.flags.len()], 0))
    }

    fn flags_match(&self, rest: &str, taken: &mut [bool], done: usize) -> bool {
        if done == self.flags.len() {
            return rest.is_empty();
        }
        let candidates = if self.any_order {
            0..self.flags.len()
        } else {
            done..done + 1
        };
        for index in candidates {
            if taken[index] {
                continue;
            }
            for form in &self.flags[index] {
                if let Some(rest) = rest.strip_prefix(form.as_str()) {
                    taken[index] = true;
                    if self.flags_match(rest, taken, done + 1) {
                        return true;
                    }
                    taken[index] = false;
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn text(any_order: bool) -> Text {
        let flag = |forms: &[&str]| forms.iter().map(|form| (*form).to_owned()).collect();
        Text {
            before: "ray start ".into(),
            flags: vec![
                flag(&[" --a "]),
                flag(&[" --a=1 "]),
                flag(&[" --gpus=1 ", " --gpus=2 "]),
            ],
            any_order,
            after: " && sleep infinity".into(),
        }
    }

    #[rstest]
    #[case::sorted("ray start  --a  --a=1  --gpus=1  && sleep infinity", true, true)]
    #[case::another_form("ray start  --a  --a=1  --gpus=2  && sleep infinity", true, true)]
    #[case::another_order("ray start  --gpus=2  --a=1  --a  && sleep infinity", true, false)]
    #[case::both_forms(
        "ray start  --a  --a=1  --gpus=1  --gpus=2  && sleep infinity",
        false,
        false
    )]
    #[case::one_missing("ray start  --a  --gpus=1  && sleep infinity", false, false)]
    #[case::one_twice("ray start  --a  --a  --gpus=1  && sleep infinity", false, false)]
    #[case::another_value("ray start  --a  --a=2  --gpus=1  && sleep infinity", false, false)]
    #[case::a_space_less("ray start  --a --a=1  --gpus=1  && sleep infinity", false, false)]
    #[case::a_space_more("ray start  --a   --a=1  --gpus=1  && sleep infinity", false, false)]
    #[case::no_end("ray start  --a  --a=1  --gpus=1 ", false, false)]
    #[case::another_start("ray  start  --a  --a=1  --gpus=1  && sleep infinity", false, false)]
    fn flags_are_a_multiset(#[case] seen: &str, #[case] any: bool, #[case] ordered: bool) {
        assert_eq!(text(true).matches(seen), any);
        assert_eq!(text(false).matches(seen), ordered);
    }

    #[test]
    fn an_exact_text_is_compared_byte_for_byte() {
        let exact = Text::from(" echo a ");
        assert!(exact.is_exact());
        assert!(exact.matches(" echo a "));
        assert!(!exact.matches(" echo a"));
        assert!(!text(false).is_exact());
        assert_eq!(
            text(true).to_string(),
            "ray start  --a  --a=1  --gpus=1  && sleep infinity"
        );
    }
}
