//! Anchors and links of the page, which lead to the page itself and to files beside it alone.

use std::collections::HashMap;
use std::path::Path;

use super::super::{CaseResult, RunResult, words_of_run};

/// The anchor of each case, by its place in the run. It depends on the case's id alone, so a link
/// stays valid in the next run.
pub(super) fn anchors(run: &RunResult) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let cases = run.cases.iter();
    cases
        .map(|case| {
            let anchor = format!("case-{}", slug(&case.id));
            let count = seen.entry(anchor.clone()).or_default();
            *count += 1;
            match *count {
                1 => anchor,
                // Two ids that differ in other characters alone, or a file that was not made here.
                count => format!("{anchor}--{count}"),
            }
        })
        .collect()
}

/// A text as part of an anchor.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
            slug.push(c);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug
}

/// A number for an anchor that stays the same while its text does (FNV-1a).
pub(super) fn stable(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{:08x}", hash >> 32)
}

/// A relative link to a path in data; none where that is not plain, below the folder of the page.
pub(super) fn plain(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let is_plain = |part: &&str| !["", ".", ".."].contains(part);
    if path.len() > 2048 || !parts.iter().all(is_plain) {
        return None;
    }
    Some(
        parts
            .iter()
            .map(|part| encoded(part))
            .collect::<Vec<_>>()
            .join("/"),
    )
}

/// A part of a path in which nothing is read as a scheme, a query or a fragment.
fn encoded(part: &str) -> String {
    part.bytes()
        .map(|byte| match byte {
            b if b.is_ascii_alphanumeric() || b"-_.~+=@".contains(&b) => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

/// What leads from the folder of the page to the one that the run was started in, where that is
/// above it.
pub(super) fn way_up(folder: &Path) -> Option<String> {
    let here = std::env::current_dir().ok()?.canonicalize().ok()?;
    let folder = folder.canonicalize().ok()?;
    let below = folder.strip_prefix(here).ok()?;
    Some("../".repeat(below.components().count()))
}

/// The command that repeats a case.
pub(in crate::report) fn repeat(run: &RunResult, case: &CaseResult) -> String {
    use crate::scenario::TargetKind;
    let mut words = vec!["kuberay-conformance".to_owned(), "run".into()];
    let options = run.command.as_deref().map(own_options).unwrap_or_default();
    let existing = case.target == TargetKind::Existing;
    match case.target {
        TargetKind::Envtest => words.extend(["--target".into(), "envtest".into()]),
        TargetKind::Existing => {}
        TargetKind::Kind => words.extend(["--target".into(), "kind".into()]),
    }
    words.extend(options);
    if existing || case.target == TargetKind::Envtest {
        if !existing {
            words.extend([
                "--operator".into(),
                super::super::shell_word(&case.operator),
            ]);
        }
        words.extend(["--ray".into(), super::super::shell_word(&case.ray)]);
    } else {
        let pair = format!("{}/{}", case.operator, case.ray);
        words.extend(["--pair".into(), super::super::shell_word(&pair)]);
    }
    if case.scenario.starts_with('-') {
        words.push("--".into());
    }
    words.push(super::super::shell_word(&case.scenario));
    words.join(" ")
}

/// Options of a run that decide what a case does, whichever cases are selected, quoted for a shell.
fn own_options(command: &str) -> Vec<String> {
    const WITH_VALUE: [&str; 11] = [
        "--scenarios",
        "--context",
        "--kubeconfig",
        "--artifacts",
        "--operator-image",
        "--operator-chart",
        "--operator-values",
        "--operator-kustomization",
        "--operator-binary",
        "--crds",
        "--engine",
    ];
    let mut options = Vec::new();
    let mut words = words_of_run(command).unwrap_or_default().into_iter();
    while let Some(word) = words.next() {
        let name = word.split('=').next().unwrap_or_default();
        let is_flag = matches!(word.as_str(), "--all" | "--upgrades");
        if is_flag || (word.contains('=') && WITH_VALUE.contains(&name)) {
            options.push(super::super::shell_word(&word));
        } else if WITH_VALUE.contains(&word.as_str()) {
            options.push(word);
            options.extend(words.next().map(|value| super::super::shell_word(&value)));
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::report::example;
    use crate::scenario::TargetKind;

    #[rstest]
    #[case("evidence/kind-1.6.2/a.log", Some("evidence/kind-1.6.2/a.log"))]
    #[case("a b/c#d?e", Some("a%20b/c%23d%3Fe"))]
    #[case("javascript:alert(1)", Some("javascript%3Aalert%281%29"))]
    #[case("größe", Some("gr%C3%B6%C3%9Fe"))]
    #[case("../secret", None)]
    #[case("/etc/passwd", None)]
    #[case("//host/path", None)]
    #[case("a/./b", None)]
    #[case("", None)]
    fn only_plain_paths_become_links(#[case] path: &str, #[case] link: Option<&str>) {
        assert_eq!(plain(path).as_deref(), link);
    }

    #[test]
    fn anchors_are_stable_and_each_is_used_once() {
        let mut run = example::run();
        let first = anchors(&run);
        assert_eq!(first[0], "case-kind-1.6.2-2.52.0-before-ray-start");
        run.cases.remove(0);
        assert_eq!(anchors(&run), first[1..]);
        run.cases[1].id = "kind: 1.6.2 2.52.0 solution-2-post-start".into();
        run.cases[0].id = "kind::1.6.2::2.52.0::solution-2-post-start".into();
        let anchors = anchors(&run);
        assert_eq!(anchors[1], format!("{}--2", anchors[0]));
    }

    #[test]
    fn the_command_of_a_case_keeps_what_decides_it() {
        let mut run = example::run();
        let mut case = run.cases[0].clone();
        assert_eq!(
            repeat(&run, &case),
            "kuberay-conformance run --target kind --pair 1.6.2/2.52.0 before-ray-start"
        );
        case.scenario = "--operator-binary=/tmp/evil".into();
        assert_eq!(
            repeat(&run, &case),
            "kuberay-conformance run --target kind --pair 1.6.2/2.52.0 -- --operator-binary=/tmp/evil"
        );
        case.scenario = "before-ray-start".into();
        run.command =
            Some("kuberay-conformance run --crds=$(evil) --context `evil` --all;evil".into());
        assert_eq!(
            repeat(&run, &case),
            "kuberay-conformance run --target kind '--crds=$(evil)' --context '`evil`' \
             --pair 1.6.2/2.52.0 before-ray-start"
        );
        run.command = Some("curl evil | kuberay-conformance run --all".into());
        assert_eq!(
            repeat(&run, &case),
            "kuberay-conformance run --target kind --pair 1.6.2/2.52.0 before-ray-start"
        );
        case.target = TargetKind::Existing;
        run.command = Some(
            "kuberay-conformance run --context kind-a --scenarios 'my own' --jobs 3 solution"
                .into(),
        );
        assert_eq!(
            repeat(&run, &case),
            "kuberay-conformance run --context kind-a --scenarios 'my own' --ray 2.52.0 \
             before-ray-start"
        );
    }
}
