use super::*;
use crate::merge::merge;
use crate::reports::OnlyResults;
use crate::results::RunResult;
use crate::scenario::results::example;

/// Writes the reports of a run with evidence of one case below `folder/name`.
fn run(folder: &Path, name: &str, evidence: &str) -> PathBuf {
    let output = folder.join(name);
    let mut run = example::run();
    run.cases.truncate(1);
    run.cases[0].evidence = Some(evidence.into());
    run.planned = vec![run.cases[0].id.clone()];
    OnlyResults.write(&run, &output).unwrap();
    let pods = output.join(evidence).join("pods");
    fs::create_dir_all(&pods).unwrap();
    fs::write(pods.join("head.yaml"), name).unwrap();
    output
}

fn merged(paths: &[PathBuf], output: &Path) -> Vec<String> {
    let (sources, _) = read_sources(paths).unwrap();
    write_merged(&merge(&sources).unwrap(), output, &OnlyResults).unwrap()
}

#[test]
fn reports_are_written_and_evidence_is_copied_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let one = run(folder.path(), "one", "evidence/kind/a");
    let output = folder.path().join("merged");
    assert_eq!(
        merged(&[one.join("results.json")], &output),
        Vec::<String>::new()
    );
    let copied = fs::read_to_string(output.join("evidence/kind/a/pods/head.yaml")).unwrap();
    assert_eq!(copied, "one");
    for file in OnlyResults.names() {
        assert!(output.join(file).is_file(), "{file}");
    }
    let read: RunResult = read_results(&output.join("results.json")).unwrap();
    assert_eq!(read.cases[0].evidence.as_deref(), Some("evidence/kind/a"));
}

#[test]
fn evidence_that_is_not_there_is_told_and_nothing_outside_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let one = run(folder.path(), "one", "evidence/kind/a");
    fs::remove_dir_all(one.join("evidence")).unwrap();
    let problems = merged(&[one], &folder.path().join("merged"));
    assert!(problems[0].contains("evidence/kind/a"), "{problems:?}");
    assert!(problems[0].contains("could not be copied"), "{problems:?}");

    fs::create_dir_all(folder.path().join("elsewhere")).unwrap();
    let two = run(folder.path(), "two", "../elsewhere");
    let output = folder.path().join("deep/merged");
    let problems = merged(&[two], &output);
    assert!(problems[0].contains("../elsewhere"), "{problems:?}");
    assert!(problems[0].contains("could not be copied"), "{problems:?}");
    assert!(!folder.path().join("deep/elsewhere").exists());
}

/// A link may lead anywhere, on the side that is read and on the side that is written.
#[test]
fn evidence_behind_a_link_is_neither_read_nor_written() {
    let folder = tempfile::tempdir().unwrap();
    let (one, elsewhere) = (
        run(folder.path(), "one", "evidence/kind/a"),
        folder.path().join("elsewhere"),
    );
    fs::create_dir_all(elsewhere.join("kind")).unwrap();
    let output = folder.path().join("merged");
    fs::create_dir(&output).unwrap();
    std::os::unix::fs::symlink(&elsewhere, output.join("evidence")).unwrap();
    let problems = merged(std::slice::from_ref(&one), &output);
    assert!(problems[0].contains("could not be copied"), "{problems:?}");
    assert_eq!(fs::read_dir(elsewhere.join("kind")).unwrap().count(), 0);

    fs::rename(one.join("evidence"), folder.path().join("moved")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("moved"), one.join("evidence")).unwrap();
    let output = folder.path().join("second");
    let problems = merged(&[one], &output);
    assert!(problems[0].contains("could not be copied"), "{problems:?}");
    assert!(!output.join("evidence").exists());
}

#[test]
fn evidence_of_an_earlier_merge_is_replaced_and_a_links_target_stays() {
    let folder = tempfile::tempdir().unwrap();
    let one = run(folder.path(), "one", "evidence/kind/a");
    let (output, target) = (folder.path().join("merged"), folder.path().join("target"));
    let pods = output.join("evidence/kind/a/pods");
    fs::create_dir_all(&pods).unwrap();
    fs::write(pods.join("old.yaml"), "old").unwrap();
    fs::write(&target, "not ours").unwrap();
    std::os::unix::fs::symlink(&target, pods.join("head.yaml")).unwrap();
    assert_eq!(merged(&[one], &output), Vec::<String>::new());
    assert_eq!(fs::read_to_string(&target).unwrap(), "not ours");
    assert_eq!(fs::read_to_string(pods.join("head.yaml")).unwrap(), "one");
    assert!(!pods.join("old.yaml").exists());
}

/// A copy onto itself would leave nothing of it.
#[test]
fn evidence_that_lies_where_it_belongs_stays() {
    let folder = tempfile::tempdir().unwrap();
    let one = run(folder.path(), "one", "evidence/kind/a");
    fs::rename(one.join("results.json"), one.join("part.json")).unwrap();
    assert_eq!(merged(&[one.join("part.json")], &one), Vec::<String>::new());
    let text = fs::read_to_string(one.join("evidence/kind/a/pods/head.yaml")).unwrap();
    assert_eq!(text, "one");
}

#[test]
fn a_folder_without_results_is_told_and_a_file_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let one = run(folder.path(), "one", "evidence/a");
    let killed = folder.path().join("killed");
    fs::create_dir_all(&killed).unwrap();
    let (sources, notes) = read_sources(&[one, killed.clone()]).unwrap();
    assert_eq!(sources.len(), 1);
    assert!(
        notes[0].contains("killed contains no results.json"),
        "{notes:?}"
    );
    let error = read_sources(&[killed.join("results.json")])
        .unwrap_err()
        .to_string();
    assert!(error.contains("killed/results.json failed"), "{error}");
}

#[test]
fn no_result_is_overwritten_by_its_own_merge() {
    let folder = tempfile::tempdir().unwrap();
    let one = run(folder.path(), "one", "evidence/a");
    let (sources, _) = read_sources(std::slice::from_ref(&one)).unwrap();
    refuse_to_overwrite(&sources, folder.path()).unwrap();
    let error = refuse_to_overwrite(&sources, &one.join("../one"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("name another folder with --output"),
        "{error}"
    );
}
