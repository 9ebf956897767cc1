//! Configuration files of operators with faults in them.

use proptest::prelude::*;

use super::*;
use crate::report::try_texts;

#[test]
fn configurations_of_operators() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    let original = "apiVersion: config.ray.io/v1alpha1\nkind: Configuration\nmetricsAddr: \":8080\"\n\
        defaultContainerEnvs:\n- {name: A, value: b}\ndefaultPodLabels: {a: b}\nbatchScheduler: volcano\n";
    try_texts(vec![original.into()], |text| {
        std::fs::write(&path, &text).unwrap();
        match read(&path) {
            Ok(file) => _ = EffectiveSettings::default().with_configuration(&file),
            Err(error) => prop_assert!(error.to_string().contains("config.yaml"), "{}", error),
        }
        Ok(())
    });
}
