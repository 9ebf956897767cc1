//! What lies in a scenario's folder and is none of its files.

use std::os::unix::fs::symlink;

use super::{CLUSTER, GOOD, folder, lines};
use crate::{lint, load_all};

#[test]
fn a_link_to_a_scenario_folder_does_not_make_a_second_scenario() {
    let (root, _folder) = folder(&[("scenario.yaml", GOOD), ("raycluster.yaml", CLUSTER)]);
    symlink("demo", root.path().join("other")).unwrap();
    let error = load_all(root.path()).expect_err("one id would stand for two cells");
    assert_eq!(
        lines(error.diagnostics())[0],
        "other:1:1 the scenario folder is a link (put the folder itself here, or remove the link)"
    );
    assert_eq!(lines(&lint(root.path())), lines(error.diagnostics()));
}
