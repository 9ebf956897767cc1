use rstest::rstest;

use super::*;

#[rstest]
#[case::plain("a", true)]
#[case::deep("evidence/kind/1.6.2/2.52.0/a", true)]
#[case::spaces_and_other_letters("a b/ü", true)]
#[case::dots_within("a..b/.hidden/...", true)]
#[case::empty("", false)]
#[case::absolute("/etc/passwd", false)]
#[case::up("..", false)]
#[case::up_within("a/../../b", false)]
#[case::up_and_back("a/../a", false)]
#[case::here("./a", false)]
#[case::empty_part("a//b", false)]
#[case::folder("a/", false)]
#[case::zero("a\0b", false)]
#[case::line_end("a\nb", false)]
fn only_plain_names_below_the_folder_are_paths(#[case] path: &str, #[case] is_plain: bool) {
    let found = below(Path::new("/folder"), path);
    assert_eq!(found.is_ok(), is_plain, "{found:?}");
    if let Ok(found) = found {
        assert_eq!(found, Path::new("/folder").join(path));
    }
}

#[rstest]
#[case("n".repeat(256))]
#[case("d/".repeat(1024) + "f")]
fn paths_that_no_file_system_takes_are_refused(#[case] path: String) {
    assert!(below(Path::new("/folder"), &path).is_err());
}

#[rstest]
#[case::as_it_is("head-abc.1", "head-abc.1")]
#[case::up("x/../../up", "x_.._.._up-")]
#[case::hidden(".a", "a-")]
fn a_name_in_data_becomes_one_plain_name(#[case] name: &str, #[case] expected: &str) {
    let made = file_name(name);
    assert!(made.starts_with(expected), "{made}");
    assert_eq!(parts(&made).unwrap().len(), 1);
}

#[test]
fn different_names_stay_different() {
    let names = [
        "a/b",
        "a_b",
        "a b",
        "",
        ".",
        "..",
        &"n".repeat(300),
        &"n".repeat(301),
    ];
    let made: std::collections::BTreeSet<String> =
        names.iter().map(|name| file_name(name)).collect();
    assert_eq!(made.len(), names.len(), "{made:?}");
    assert!(
        made.iter()
            .all(|name| parts(name).is_ok_and(|parts| parts.len() == 1)),
        "{made:?}"
    );
}
