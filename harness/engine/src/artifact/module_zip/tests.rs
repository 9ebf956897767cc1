use assert_matches::assert_matches;
use rstest::rstest;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const NAME: &str = "example.com/m@v1.0.0";

fn archive(files: &[(&str, &str)]) -> tempfile::NamedTempFile {
    let archive = tempfile::NamedTempFile::new().unwrap();
    let mut writer = ZipWriter::new(archive.reopen().unwrap());
    for (name, text) in files {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
    archive
}

fn hash_of(archive: &tempfile::NamedTempFile) -> String {
    hash(
        &mut ZipArchive::new(archive.reopen().unwrap()).unwrap(),
        NAME,
    )
    .unwrap()
}

fn unpack(archive: &tempfile::NamedTempFile) -> (tempfile::TempDir, Result<(), ArtifactError>) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    std::fs::create_dir(&target).unwrap();
    let done = unpack_verified(archive.path(), NAME, &hash_of(archive), &target);
    (folder, done)
}

#[rstest]
#[case::unset(None, DEFAULT_PROXY)]
#[case::none(Some("direct"), DEFAULT_PROXY)]
#[case::first(
    Some("https://one.example/a/,https://two.example|direct"),
    "https://one.example/a"
)]
#[case::after_direct(Some("direct|https://two.example"), "https://two.example")]
fn the_first_address_is_asked(#[case] list: Option<&str>, #[case] expected: &str) {
    assert_eq!(proxy(list), expected);
}

#[test]
fn capital_letters_are_escaped() {
    let module = Module {
        module: "github.com/BurntSushi/toml".into(),
        version: "v1.0.0-RC1".into(),
        sum: String::new(),
        package: ".".into(),
    };
    let expected = "https://p.example/github.com/!burnt!sushi/toml/@v/v1.0.0-!r!c1.zip";
    assert_eq!(url("https://p.example", &module), expected);
}

#[test]
fn the_hash_is_that_of_the_sorted_lines_whatever_the_order_in_the_archive() {
    // What `sha256sum` says of both files, and of the two lines that it prints.
    let one = archive(&[
        ("example.com/m@v1.0.0/b", "b\n"),
        ("example.com/m@v1.0.0/a", "a\n"),
    ]);
    let other = archive(&[
        ("example.com/m@v1.0.0/a", "a\n"),
        ("example.com/m@v1.0.0/b", "b\n"),
    ]);
    assert_eq!(
        hash_of(&one),
        "h1:jF28zfL9yMBobbLL3UQ/w5LcUsqYH4ro7Qu+7zi7Y28="
    );
    assert_eq!(hash_of(&one), hash_of(&other));
    let changed = archive(&[
        ("example.com/m@v1.0.0/a", "a\n"),
        ("example.com/m@v1.0.0/b", "c\n"),
    ]);
    assert_ne!(hash_of(&one), hash_of(&changed));
}

#[test]
fn files_get_their_places_below_the_modules_folder() {
    let (folder, done) = unpack(&archive(&[(
        "example.com/m@v1.0.0/config/crd/a.yaml",
        "kind: A\n",
    )]));
    done.unwrap();
    let text = std::fs::read_to_string(folder.path().join("target/config/crd/a.yaml")).unwrap();
    assert_eq!(text, "kind: A\n");
}

#[test]
fn of_another_archive_nothing_is_written() {
    let (archive, folder) = (
        archive(&[("example.com/m@v1.0.0/a", "a")]),
        tempfile::tempdir().unwrap(),
    );
    let error = unpack_verified(archive.path(), NAME, "h1:other", folder.path()).unwrap_err();
    assert_matches!(&error, ArtifactError::Checksum { found, .. } if found.starts_with("h1:"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[rstest]
#[case::up("example.com/m@v1.0.0/../../out")]
#[case::absolute("/tmp/out")]
#[case::absolute_below("example.com/m@v1.0.0//tmp/out")]
#[case::another_module("example.com/n@v1.0.0/out")]
#[case::longer_version("example.com/m@v1.0.01/out")]
#[case::folder("example.com/m@v1.0.0/out/")]
fn a_file_outside_the_module_is_refused(#[case] entry: &str) {
    let (folder, done) = unpack(&archive(&[(entry, "x")]));
    let error = done.unwrap_err().to_string();
    assert!(error.contains("no file of it"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_no_archive_is_told_with_the_modules_name() {
    let archive = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(archive.path(), "<html>").unwrap();
    let error = unpack_verified(archive.path(), NAME, "h1:", Path::new("/nowhere")).unwrap_err();
    assert!(error.to_string().contains(NAME), "{error}");
}

mod slow {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a module proxy and Go"]
    async fn the_files_are_those_that_the_go_command_unpacks() {
        let (folder, pins) = (
            tempfile::tempdir().unwrap(),
            crate::artifact::Pins::embedded(),
        );
        let store = Store::at(folder.path()).unwrap();
        let pin = pins.operator(&"1.6.2".parse().unwrap()).unwrap();
        let ours = module(&store, &pin, &crate::progress::Silent)
            .await
            .unwrap();
        let theirs = crate::artifact::go::Go::find()
            .await
            .unwrap()
            .module(&pin)
            .await
            .unwrap();
        let mut compare = crate::process::command("diff");
        compare.arg("--recursive").arg(&theirs).arg(&ours);
        let differences = crate::process::output(
            compare,
            "comparing the module's files",
            crate::process::TRANSFER,
        )
        .await;
        assert_eq!(differences.unwrap(), "");
        assert!(ours.join("config/crd/bases").is_dir());
    }
}
