//! Reads `rayVersion` as the operator does.

/// The numbers of a version as `version.ParseGeneric` of apimachinery reads it: two or more,
/// anything may follow.
pub(crate) fn generic(text: &str) -> Option<Vec<u64>> {
    let text = text.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let mut numbers = Vec::new();
    for part in text[..end].split('.') {
        if part.is_empty() {
            break;
        }
        if numbers.is_empty() && part.len() > 1 && part.starts_with('0') {
            return None;
        }
        numbers.push(part.parse().ok()?);
    }
    (numbers.len() >= 2).then_some(numbers)
}

/// Returns whether a version is older than another; missing numbers are 0.
pub(crate) fn older(version: &[u64], than: [u64; 3]) -> bool {
    let number = |index: usize| version.get(index).copied().unwrap_or_default();
    (number(0), number(1), number(2)) < (than[0], than[1], than[2])
}

/// Returns the error of Masterminds/semver for a version that must be 2.6.0 or later.
pub(crate) fn too_old_for_metadata(text: &str) -> Option<String> {
    let unreadable = || {
        Some(format!(
            "failed to parse Ray version: {text}: Invalid Semantic Version"
        ))
    };
    let version = text.strip_prefix('v').unwrap_or(text);
    let (version, _) = version.split_once('+').unwrap_or((version, ""));
    let (numbers, pre) = match version.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (version, None),
    };
    let numbers: Option<Vec<u64>> = numbers
        .split('.')
        .map(|part| {
            part.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| part.parse().ok())?
        })
        .collect();
    let Some(numbers) = numbers.filter(|numbers| numbers.len() <= 3) else {
        return unreadable();
    };
    // A constraint without a pre-release accepts no version that has one.
    (pre.is_some() || older(&numbers, [2, 6, 0]))
        .then(|| "the Ray version must be at least 2.6.0 to use the metadata field".to_owned())
}

#[cfg(test)]
mod tests {
    use assertables::assert_contains;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2.52.0", Some(false))]
    #[case("2.52", Some(false))]
    #[case("v2.53.0rc1", Some(false))]
    #[case("2.51.9", Some(true))]
    #[case("2", None)]
    #[case("latest", None)]
    #[case("02.60", None)]
    fn generic_versions(#[case] text: &str, #[case] expected: Option<bool>) {
        assert_eq!(
            generic(text).map(|version| older(&version, [2, 52, 0])),
            expected
        );
    }

    #[rstest]
    #[case("2.46.0", None)]
    #[case("2.6", None)]
    #[case("v3", None)]
    #[case("2.5.9", Some("at least 2.6.0"))]
    #[case("3.0.0-dev", Some("at least 2.6.0"))]
    #[case("", Some("failed to parse"))]
    #[case("nightly", Some("failed to parse"))]
    #[case("2.46.0rc1", Some("failed to parse"))]
    fn semantic_versions(#[case] text: &str, #[case] expected: Option<&str>) {
        let problem = too_old_for_metadata(text);
        match expected {
            None => assert_eq!(problem, None),
            Some(part) => assert_contains!(problem.unwrap(), part),
        }
    }
}
