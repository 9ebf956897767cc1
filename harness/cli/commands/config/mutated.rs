//! Settings of a repository with faults in them.

use proptest::prelude::*;

use super::*;
use crate::report::try_texts;

#[test]
fn settings_of_repositories() {
    let original = "operator = \"1.5.0..1.6.2\"\nselect = [\"trailing-ampersand\"]\n\
        ignore = [\"trailing-ampersand\"]\nfail-on = \"error\"\nmirror-ca = \"ca.pem\"\npins = \"pins.yaml\"\n\
        [mirrors]\n\"docker.io\" = \"mirror.example.com/docker\"\n\
        [download-mirrors]\n\"https://github.com\" = \"https://mirror.example.com/github\"\n";
    try_texts(vec![original.into()], |text| {
        let text = String::from_utf8_lossy(&text);
        if let Err(problem) = parse(Path::new("k.toml"), &text) {
            prop_assert!(!problem.message.is_empty());
            prop_assert!(problem.location.line <= text.lines().count() + 1);
        }
        Ok(())
    });
}
