use super::*;

#[test]
fn the_second_is_refused_and_told_who_is_there_until_the_first_ends() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("made/when/absent");
    let first = OutputLock::take(&output, "run").unwrap();
    let error = OutputLock::take(&output, "run").unwrap_err().to_string();
    let expected = format!("is in use by process {} (run, since ", std::process::id());
    assert!(error.contains(&expected), "{error}");
    // What a fork has until it becomes another program.
    let _inherited = first.0.file().try_clone().unwrap();
    drop(first);
    OutputLock::take(&output, "run").unwrap();
}

#[test]
fn a_link_in_the_locks_place_is_not_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let (output, target) = (folder.path().join("output"), folder.path().join("target"));
    std::fs::create_dir(&output).unwrap();
    std::fs::write(&target, "not ours").unwrap();
    for link in [std::fs::hard_link, std::os::unix::fs::symlink] {
        link(&target, output.join(NAME)).unwrap();
        let error = OutputLock::take(&output, "run").unwrap_err().to_string();
        assert!(error.starts_with("locking the output folder"), "{error}");
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "not ours");
        std::fs::remove_file(output.join(NAME)).unwrap();
    }
}
