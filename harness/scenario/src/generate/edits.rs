//! Edits that make a generated object special: what somebody refuses, what holds an object back,
//! and features that chance would rarely reach.

use kuberay_contract::FieldValidation;
use semver::Version;
use serde_json::{Map, Value};

use super::edit_table::{ENTRIES, Entry};
use super::object_kind::ObjectKind;

/// An edit, with the kind of object that gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit {
    /// Its place in the table.
    index: usize,
    /// The kind of object.
    pub kind: ObjectKind,
}

impl Edit {
    /// Every edit for the kinds of a release: each entry once, then each once more for its second
    /// kind, and so on; with `gated` first those that feature gates change.
    pub(super) fn all(release: &Version, kinds: &[ObjectKind], gated: bool) -> Vec<Self> {
        let kinds_of = |entry: &Entry| {
            let letters = entry.0.chars();
            let own = letters
                .filter_map(|letter| kinds.iter().copied().find(|kind| kind.letter() == letter));
            own.collect::<Vec<_>>()
        };
        let is_for = |entry: &Entry| (release.major, release.minor) >= entry.1;
        let mut all = Vec::new();
        let later = |edit: &Self| gated && !ENTRIES[edit.index].0.contains('g');
        for turn in 0..ObjectKind::ALL.len() {
            for (index, entry) in ENTRIES.iter().enumerate().filter(|(_, one)| is_for(one)) {
                if let Some(kind) = kinds_of(entry).get(turn) {
                    all.push(Self { index, kind: *kind });
                }
            }
        }
        all.sort_by_key(later);
        all
    }

    /// Changes an object of the kind.
    pub(super) fn apply(self, object: &mut Value) {
        let mut edited = object.clone();
        for (path, value) in ENTRIES[self.index].2 {
            let path = path.replacen('$', self.kind.cluster_path(), 1).replacen(
                '^',
                self.kind.job_path(),
                1,
            );
            // The table holds JSON; what is none removes.
            let value = serde_json::from_str(value).ok();
            if !set(&mut edited, &path, value) {
                return;
            }
        }
        *object = edited;
    }

    /// Who checks field names, so that each way is taken.
    pub(super) fn validation(self) -> FieldValidation {
        match (self.index + self.kind as usize) % 3 {
            0 | 1 => FieldValidation::Strict,
            _ => FieldValidation::Warn,
        }
    }
}

/// Sets or removes a value at a path; returns false where a list lacks the element.
fn set(object: &mut Value, path: &str, value: Option<Value>) -> bool {
    let mut parts: Vec<String> = path
        .trim_start_matches('/')
        .split('/')
        .map(|part| part.replace("~1", "/"))
        .collect();
    let Some(last) = parts.pop() else {
        return false;
    };
    let mut at = object;
    for part in parts {
        if let Ok(index) = part.parse::<usize>() {
            let Some(item) = at.get_mut(index) else {
                return false;
            };
            at = item;
        } else {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            at = &mut at[part.as_str()];
        }
    }
    if last == "-" {
        if !at.is_array() {
            *at = Value::Array(Vec::new());
        }
        if let (Some(list), Some(value)) = (at.as_array_mut(), value) {
            list.push(value);
        }
        return true;
    }
    if !at.is_object() {
        *at = Value::Object(Map::new());
    }
    if let Some(fields) = at.as_object_mut() {
        match value {
            Some(value) => drop(fields.insert(last, value)),
            None => drop(fields.remove(&last)),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_value_of_the_table_is_json_and_every_path_is_absolute() {
        for (index, entry) in ENTRIES.iter().enumerate() {
            for (path, value) in entry.2 {
                let read = serde_json::from_str::<Value>(value);
                assert!(value.is_empty() || read.is_ok(), "{index} {value}");
                assert!(path.starts_with(['/', '$', '^']), "{index} {path}");
            }
            assert!(
                entry.0.chars().all(|kind| "CJSXg".contains(kind)),
                "{index}"
            );
        }
    }

    #[test]
    fn paths_set_remove_and_append() {
        let mut object = json!({"a": [{"b": 1}]});
        assert!(set(&mut object, "/a/0/c~1d", Some(json!(2))));
        assert!(set(&mut object, "/a/-", Some(json!(3))));
        assert!(set(&mut object, "/e/f/-", Some(json!(4))));
        assert!(set(&mut object, "/a/0/b", None));
        assert!(!set(&mut object, "/a/7/b", Some(json!(5))));
        assert_eq!(object, json!({"a": [{"c/d": 2}, 3], "e": {"f": [4]}}));
    }
}
