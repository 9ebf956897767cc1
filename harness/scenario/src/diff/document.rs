//! What a comparison of two operators found, as a document for programs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the document.
pub const DIFF_VERSION: &str = "kuberay-conformance.diff/v1";

/// What a comparison of two operators found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("$id" = "urn:kuberay-conformance:diff:v1"))]
pub struct Diff {
    /// `kuberay-conformance.diff/v1`.
    pub version: String,
    /// The operator before the change.
    pub base: DiffSide,
    /// The operator after the change.
    pub head: DiffSide,
    /// Whether nothing differs.
    pub equal: bool,
    /// The seed of the generated objects.
    pub seed: u64,
    /// Scenarios that both operators ran.
    pub scenarios: usize,
    /// Generated objects that both operators got.
    pub objects: usize,
    /// Containers that were compared.
    pub containers: usize,
    /// Duration of the comparison in seconds, without the time to start.
    pub seconds: f64,
    /// Each difference once.
    pub entries: Vec<DiffEntry>,
    /// What was not compared, and differences that a second look did not show; one sentence each.
    pub notes: Vec<String>,
}

/// One of the two operators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffSide {
    /// What it is called in reports.
    pub name: String,
    /// The release whose contract it is held against.
    pub release: String,
    /// SHA-256 of its program.
    pub digest: String,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffEntry {
    /// Its number in this document, such as `D01`.
    pub id: String,
    /// The rule of the contract, such as `C11`; absent where the contract says nothing about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Dated features of the contract that only one of the two releases has.
    pub features: Vec<String>,
    /// Dated features of both releases that are about the same thing; the change may end them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touches: Vec<String>,
    /// What differs and where, in one line.
    pub title: String,
    /// What differs.
    pub subject: String,
    /// How it differs: the most frequent ways.
    pub edits: Vec<OperatorDifference>,
    /// How many further ways there are.
    pub more_edits: usize,
    /// Cases that show it.
    pub cases: usize,
    /// Containers that show it; a container with two such differences counts twice.
    pub containers: usize,
    /// The smallest cases that show it.
    pub examples: Vec<String>,
    /// The smallest object that shows it, where one was looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest: Option<Value>,
}

/// One way in which two operators differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperatorDifference {
    /// What the base makes; absent where it makes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What the head makes; absent where it makes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How often it was seen.
    pub count: usize,
}

/// Text that is shown around a difference within a long text, in characters.
const AROUND: usize = 30;
/// Texts up to so many characters are shown whole.
const WHOLE: usize = 120;
/// Characters of a difference at most.
const LONGEST: usize = 400;

impl OperatorDifference {
    /// An edit; of long texts only the part that differs.
    pub fn of(before: Option<&str>, after: Option<&str>, count: usize) -> Self {
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) => {
                let (before, after) = differing(before, after);
                (Some(before), Some(after))
            }
            (before, after) => (before.map(cut), after.map(cut)),
        };
        Self {
            before,
            after,
            count,
        }
    }

    /// Returns the edit in a few words, such as "`a` → `b`".
    pub fn sentence(&self) -> String {
        let line = |text: &String| text.replace('\n', "⏎");
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("`{}` → `{}`", line(before), line(after)),
            (Some(before), None) => format!("`{}` was removed", line(before)),
            (None, Some(after)) => format!("`{}` is new", line(after)),
            (None, None) => String::new(),
        }
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.into();
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start}…")
}

/// The parts of two texts that differ, with a little of what is around them.
fn differing(before: &str, after: &str) -> (String, String) {
    let (old, new): (Vec<char>, Vec<char>) = (before.chars().collect(), after.chars().collect());
    if old.len().max(new.len()) <= WHOLE {
        return (before.into(), after.into());
    }
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - same;
    let end = old.iter().rev().zip(new.iter().rev());
    let end = end.take(rest).take_while(|(a, b)| a == b).count();
    let part = |text: &[char]| {
        let from = same.saturating_sub(AROUND);
        let to = (text.len() - end + AROUND).min(text.len());
        let mut part: String = text[from..to].iter().collect();
        if from > 0 {
            part.insert(0, '…');
        }
        if to < text.len() {
            part.push('…');
        }
        cut(&part)
    };
    (part(&old), part(&new))
}

/// Returns the JSON schema of the document, as committed in `docs/schema/diff.schema.json`.
pub fn diff_schema() -> Value {
    kuberay_manifest::schema_of::<Diff>()
}
