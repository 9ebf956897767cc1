//! State files of clusters with faults in them: each is read or refused, and none is thrown away.

use proptest::prelude::*;

use super::*;
use crate::mutated::try_texts;

#[test]
fn states_of_clusters() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::new(folder.path());
    let mut state = ClusterRecord::new("a", EngineKind::Podman);
    state.made = vec![
        CreatedItem::Network { name: "a".into() },
        CreatedItem::Cluster {
            nodes: vec!["a-control-plane".into(), "a-worker".into()],
        },
        CreatedItem::Registry {
            container: "a-registry".into(),
        },
        CreatedItem::Service {
            socket: "/run/a.sock".into(),
        },
        CreatedItem::ModulesFolder,
    ];
    state.registry = Some(RegistryPlace {
        port: 5000,
        data: "/data".into(),
    });
    state.complete = Some(Complete {
        key: "k".into(),
        kubernetes: "1.36.0".into(),
        since: "2026-01-01T00:00:00Z".into(),
    });
    let original = serde_json::to_vec_pretty(&state).unwrap();
    let path = folder.path().join("state.json");
    try_texts(vec![original], |text| {
        std::fs::write(&path, &text).unwrap();
        match file.load() {
            Ok(state) => {
                let state = state.expect("there is a file");
                prop_assert!(state.nodes().len() <= text.len());
            }
            Err(error) => prop_assert!(error.to_string().contains("state.json"), "{}", error),
        }
        prop_assert!(std::fs::read(&path).unwrap() == text);
        Ok(())
    });
}
