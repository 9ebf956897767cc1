//! The dictionary that `print(ray.cluster_resources())` prints, against what is expected of it.

use std::collections::BTreeMap;

use kuberay_contract::Quantity;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::line::POD_IP;

/// What a resource in Ray's dictionary must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ResourceExpectation {
    /// This number.
    Number(f64),
    /// `present` (any number above zero), or a Kubernetes quantity such as `2Gi`.
    #[schemars(extend(
        "pattern" = "^(present|[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?)$",
        "patternErrorMessage" = "a resource is a number, `present`, or a Kubernetes quantity such as `2Gi`"
    ))]
    Text(String),
}

/// Reads a line that is a Python dictionary literal of texts and numbers, and nothing else.
pub(super) fn parse(line: &str) -> Option<BTreeMap<String, f64>> {
    let mut rest = line.trim().strip_prefix('{')?.trim_start();
    let mut resources = BTreeMap::new();
    loop {
        if let Some(end) = rest.strip_prefix('}') {
            return end.is_empty().then_some(resources);
        }
        let (key, after) = string(rest)?;
        let after = after.trim_start().strip_prefix(':')?.trim_start();
        let end = after.find([',', '}'])?;
        resources.insert(key, after[..end].trim().parse().ok()?);
        rest = after[end..]
            .strip_prefix(',')
            .unwrap_or(&after[end..])
            .trim_start();
    }
}

/// Reads a quoted text and gives what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' => value.push(chars.next()?.1),
            _ if c == quote => return Some((value, &text[index + 1..])),
            _ => value.push(c),
        }
    }
    None
}

/// Keys that are not as expected, as pairs of what is expected and what was found.
pub(super) fn differences(
    expected: &BTreeMap<String, ResourceExpectation>,
    found: &BTreeMap<String, f64>,
    pod_ip: Option<&str>,
) -> Vec<(String, String)> {
    expected
        .iter()
        .filter_map(|(key, expected)| {
            let key = pod_ip.map_or_else(|| key.clone(), |ip| key.replace(POD_IP, ip));
            let (wanted, holds) = judge(expected, found.get(&key).copied());
            let seen = found
                .get(&key)
                .map_or_else(|| format!("no {key}"), |value| format!("{key}: {value}"));
            (!holds).then(|| (format!("{key}: {wanted}"), seen))
        })
        .collect()
}

/// What is expected, in words, and whether the value is so.
fn judge(expected: &ResourceExpectation, found: Option<f64>) -> (String, bool) {
    let equals =
        |wanted: f64| found.is_some_and(|found| (found - wanted).abs() <= wanted.abs() * 1e-9);
    match expected {
        ResourceExpectation::Number(wanted) => (wanted.to_string(), equals(*wanted)),
        ResourceExpectation::Text(text) if text == "present" => (
            "present, above 0".into(),
            found.is_some_and(|found| found > 0.0),
        ),
        ResourceExpectation::Text(text) => match Quantity::parse(text).map(Quantity::value) {
            Some(wanted) if wanted.to_string() == *text => (text.clone(), equals(wanted)),
            Some(wanted) => (format!("{wanted} ({text})"), equals(wanted)),
            None => (
                format!("{text}, which is neither `present` nor a quantity such as 2Gi"),
                false,
            ),
        },
    }
}

/// What is expected, in one line, for people.
pub(super) fn words(expected: &BTreeMap<String, ResourceExpectation>) -> String {
    let entries: Vec<String> = expected
        .iter()
        .map(|(key, value)| match value {
            ResourceExpectation::Number(number) => format!("{key}: {number}"),
            ResourceExpectation::Text(text) => format!("{key}: {text}"),
        })
        .collect();
    format!("{{{}}}", entries.join(", "))
}

/// A resource's name as the dashboard's answers write it: it changes the keys of every dictionary
/// in them, so that `object_store_memory` becomes `objectStoreMemory` (`to_camel_case` in Ray's
/// dashboard/utils.py).
pub(super) fn google_style(name: &str) -> String {
    let mut parts = name.split('_');
    let mut changed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut after_letter = false;
        for letter in part.chars() {
            if after_letter {
                changed.extend(letter.to_lowercase());
            } else {
                changed.extend(letter.to_uppercase());
            }
            after_letter = letter.is_alphabetic();
        }
    }
    changed
}

/// What was found, in one line, for people.
pub(super) fn numbers(found: &BTreeMap<String, f64>) -> String {
    let entries: Vec<String> = found
        .iter()
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;

    use super::ResourceExpectation::{self, Number, Text};
    use super::{differences, google_style, parse, words};

    const LINE: &str = "{'node:__internal_head__': 1.0, 'node:10.244.0.8': 1.0, 'memory': 5368709120.0, 'CPU': 1.0, \
                        'object_store_memory': 1354522214.0}";

    #[rstest]
    #[case(LINE, Some(5))]
    #[case("{}", Some(0))]
    #[case("  {\"a'b\": 1e3 , 'c\\'d': -2}  ", Some(2))]
    #[case("{'CPU': 1.0", None)]
    #[case("{'CPU': 'one'}", None)]
    #[case("{'CPU': 1.0} and more", None)]
    #[case("{CPU: 1.0}", None)]
    #[case("INFO: Print Ray cluster resources", None)]
    fn reads_python_dictionaries(#[case] line: &str, #[case] keys: Option<usize>) {
        assert_eq!(parse(line).map(|resources| resources.len()), keys);
    }

    /// As Python's `str.title` has it.
    #[rstest]
    #[case("CPU", "CPU")]
    #[case("object_store_memory", "objectStoreMemory")]
    #[case("node:__internal_head__", "node:InternalHead")]
    #[case("my_TPU_v4x2", "myTpuV4X2")]
    fn names_are_those_of_the_dashboard(#[case] name: &str, #[case] changed: &str) {
        assert_eq!(google_style(name), changed);
    }

    #[rstest]
    #[case("CPU", Number(1.0), None)]
    #[case("CPU", Text("1000m".into()), None)]
    #[case("memory", Text("5Gi".into()), None)]
    #[case("node:<pod-ip>", Text("present".into()), None)]
    #[case("CPU", Number(2.0), Some(("CPU: 2", "CPU: 1")))]
    #[case("memory", Text("2Gi".into()), Some(("memory: 2147483648 (2Gi)", "memory: 5368709120")))]
    #[case("GPU", Text("present".into()), Some(("GPU: present, above 0", "no GPU")))]
    #[case("CPU", Text("2".into()), Some(("CPU: 2", "CPU: 1")))]
    #[case("CPU", Text("one".into()), Some(("CPU: one, which is neither `present` nor a quantity such as 2Gi", "CPU: 1")))]
    fn compares(
        #[case] key: &str,
        #[case] expected: ResourceExpectation,
        #[case] difference: Option<(&str, &str)>,
    ) {
        let expected = BTreeMap::from([(key.to_owned(), expected)]);
        let found = differences(&expected, &parse(LINE).unwrap(), Some("10.244.0.8"));
        let wanted: Vec<_> = difference
            .into_iter()
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn nothing_of_a_resource_is_not_present() {
        let expected = BTreeMap::from([("GPU".to_owned(), Text("present".into()))]);
        let none = BTreeMap::from([("GPU".to_owned(), 0.0)]);
        let found = differences(&expected, &none, None);
        assert_eq!(
            found,
            [("GPU: present, above 0".to_owned(), "GPU: 0".to_owned())]
        );
    }

    #[test]
    fn expectations_in_words() {
        let expected = [("CPU", Number(1.5)), ("memory", Text("2Gi".into()))];
        let expected = expected.map(|(key, value)| (key.to_owned(), value)).into();
        assert_eq!(words(&expected), "{CPU: 1.5, memory: 2Gi}");
    }
}
