//! Inventories with faults in them: what is removed is named by them.

use proptest::prelude::*;

use super::*;
use crate::mutated::try_texts;

#[test]
fn inventories() {
    let roles = ["a", "b"].map(|name| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}})
    });
    let list = [&roles[..], &[crd("rayclusters.ray.io")]].concat();
    let map = inventory(&list).to_string();
    let text_of = |list: &[Value]| Value::from(list).to_string();
    try_texts(vec![map.into(), text_of(&list).into()], |text| {
        let as_list = String::from_utf8_lossy(&text).into_owned();
        let mut maps = vec![json!({"data": {LIST: as_list}})];
        maps.extend(serde_json::from_slice::<Value>(&text));
        for map in maps {
            match recorded(&map) {
                Ok(listed) => prop_assert!(text_of(&listed).len() <= 2 * map.to_string().len() + 2),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
        Ok(())
    });
}
