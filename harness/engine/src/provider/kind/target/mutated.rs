//! Notes about a cluster that is up with faults in them: each is read, or as good as none.

use proptest::prelude::*;

use super::*;
use crate::mutated::try_texts;
use crate::scenario::results::example;

#[test]
fn notes_of_clusters() {
    let run = example::run();
    let image = run.environment.images[0].clone();
    let record = OperatorRecord {
        operator: Version::new(1, 6, 2),
        operator_image: image.clone(),
        namespace: "ray-system".into(),
        deployment: "kuberay-operator".into(),
        ray: Version::new(2, 52, 0),
        ray_image: image,
        samples: "/cache/samples".into(),
        environment: run.environment,
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("note.json");
    try_texts(vec![serde_json::to_vec_pretty(&record).unwrap()], |text| {
        std::fs::write(&path, &text).unwrap();
        let read = read(&path);
        prop_assert!(read.is_ok());
        if let Ok(Some(record)) = read {
            write(&path, &record).unwrap();
        }
        Ok(())
    });
}
