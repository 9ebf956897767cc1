use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;

use super::*;
use crate::report::Outcome;

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Progress for Lines {
    fn update(&self, _task: &str, _message: &str) {}
    fn finish(&self, _task: &str, _outcome: Outcome, _message: &str) {}
    fn line(&self, text: &str) {
        self.0.lock().unwrap().push(text.into());
    }
}

#[tokio::test]
async fn what_a_killed_process_left_goes_and_what_is_used_stays() {
    let state = tempfile::tempdir().unwrap();
    let lines = Lines::default();
    let used = Folder::make(state.path(), &lines).await.unwrap();
    assert_eq!(used.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let left = state.path().join("control-planes/1-0");
    std::fs::create_dir_all(left.join("etcd")).unwrap();
    std::fs::write(left.join(OWNER), "").unwrap();
    let second = Folder::make(state.path(), &lines).await.unwrap();
    assert!(used.path().exists() && second.path().exists() && !left.exists());
    let told = lines.0.lock().unwrap().join("\n");
    assert!(told.contains("control-planes/1-0") && told.contains("killed"), "{told}");
    let path = second.path().to_owned();
    drop(second);
    assert!(!path.exists());
}
