use assert_matches::assert_matches;
use rstest::rstest;

use super::*;

fn release(text: &str) -> Option<Version> {
    (!text.is_empty()).then(|| text.parse().unwrap())
}

fn start(name: &str, version: &str) -> InRelease {
    ray_option(RayCommand::Start, name, release(version).as_ref())
}

#[test]
fn the_table_is_whole() {
    let releases = ray_releases();
    assert!(releases.is_sorted(), "{releases:?}");
    assert!(releases.len() > 20, "{releases:?}");
    let text = include_str!("../../data/ray-options.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let rows = TABLE.options.values().map(Vec::len).sum::<usize>();
    assert_eq!(lines.count(), rows + releases.len());
    for ((_, name), rows) in &TABLE.options {
        assert!(name.starts_with('-'), "{name}");
        for row in rows {
            let bounds = std::iter::once(&row.since).chain(row.until.as_ref());
            assert!(
                bounds.clone().all(|bound| releases.contains(bound)),
                "{name}"
            );
            assert!(bounds.is_sorted(), "{name}");
        }
    }
    for wheel in text.lines().filter(|line| line.starts_with("wheel ")) {
        let digest = wheel.rsplit(' ').next().unwrap();
        assert_eq!(digest.len(), 64, "{wheel}");
    }
}

/// Options that the operator adds itself exist in every release.
#[rstest]
fn the_operators_own_options(
    #[values(
        "--head",
        "--block",
        "--address",
        "--dashboard-host",
        "--metrics-export-port",
        "--dashboard-agent-listen-port",
        "--num-cpus",
        "--num-gpus",
        "--memory",
        "--resources",
        "--no-monitor",
        "--labels"
    )]
    name: &str,
) {
    for release in ray_releases() {
        let known = ray_option(RayCommand::Start, name, Some(release));
        assert!(matches!(known, InRelease::Has(_)), "{name} {release}");
    }
}

#[rstest]
#[case("--num-cpu", "2.52.0", false)]
#[case("--num-cpu", "2.52.1", false)]
#[case("--num_cpus", "2.7.0", false)]
fn options_that_a_release_lacks(#[case] name: &str, #[case] version: &str, #[case] has: bool) {
    let expected = if has { None } else { Some(InRelease::Lacks) };
    assert_eq!(Some(start(name, version)), expected);
}

/// Nothing is said about an unknown option of a release that nobody has read.
#[rstest]
fn options_of_releases_that_were_not_read(
    #[values("", "2.6.0", "2.10.0", "2.37.0", "3.0.0")] version: &str,
) {
    assert_eq!(start("--num-cpu", version), InRelease::Unread);
    assert_matches!(start("--num-cpus", version), InRelease::Has(_));
}

#[rstest]
#[case("2.52.0", Some("2.52.0"))]
#[case("2.52", Some("2.52.0"))]
#[case("v2.9.3-py310", Some("2.9.3"))]
#[case("2.52.0.abc-gpu", None)]
#[case("2.53.0rc1", None)]
#[case("nightly", None)]
#[case("2", None)]
#[case("", None)]
#[case("2.99999999999999999999999.0", None)]
fn releases_in_texts(#[case] text: &str, #[case] expected: Option<&str>) {
    assert_eq!(ray_release(text), expected.and_then(release));
}

#[rstest]
#[case("--num-cpu", Some("--num-cpus"))]
#[case("--num_cpus", Some("--num-cpus"))]
#[case("--nothing-of-the-kind", None)]
fn nearest_names(#[case] name: &str, #[case] expected: Option<&str>) {
    let ray = Version::new(2, 52, 0);
    assert_eq!(nearest_ray_option(RayCommand::Start, name, &ray), expected);
}

fn refused(kind: OptionKind, value: &str) -> bool {
    let option = RayOption {
        since: Version::new(2, 7, 0),
        until: None,
        kind,
    };
    option.refuses(value).is_some()
}

#[rstest]
#[case(OptionKind::Integer, &["1", "+1", "-1", " 1 ", "1_000", "007"], &["", "500m", "2Gi", "1.0", "1e3", "1_", "0x1", "--1"])]
#[case(OptionKind::Float, &["1", "0.5", "1e3", ".5", "5.", "inf", "NaN"], &["", "500m", "0x1p3", "half"])]
#[case(OptionKind::Bool, &["true", "False", "1", "off", "Y", ""], &["maybe", "2"])]
#[case(OptionKind::Choice(vec!["auto".into(), "true".into()]), &["auto", "TRUE"], &["", "yes"])]
#[case(OptionKind::Flag, &[], &["", "true"])]
#[case(OptionKind::Object, &["{}", "{\"a\": 1}", " {\"a\": NaN} "], &["", "{a: 1}", "{'a': 1}", "[]", "{\"a\": 1,}"])]
#[case(OptionKind::Json, &["{}", "[]", "1"], &["", "{a}"])]
#[case(OptionKind::LabelsJson, &["{}", "{\"a\": \"b\"}"], &["a=b", "{\"a\": 1}", "[]"])]
#[case(OptionKind::Labels, &["", "a=b", "a=b,c=", "ray.io/zone=eu-1", "\"a=b\"", "a = b"], &["a", "a=b=c", "{\"a\": \"b\"}", "a=-b", "=b", "a=b,"])]
#[case(OptionKind::LabelsOrJson, &["a=b", "{\"a\": \"b\"}", "{}"], &["a", "{\"a\": 1}"])]
#[case(OptionKind::Text, &["", "anything"], &[])]
fn values(#[case] kind: OptionKind, #[case] taken: &[&str], #[case] not: &[&str]) {
    for value in taken {
        assert!(!refused(kind.clone(), value), "{kind:?} takes {value:?}");
    }
    for value in not {
        assert!(refused(kind.clone(), value), "{kind:?} refuses {value:?}");
    }
}
