//! The part of a bundle that belongs to one namespace or one object.

use std::collections::BTreeSet;

use serde_json::Value;

use super::bundle::Bundle;

/// There is no such object.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to find {kind}/{name} in {place}; `kubectl get {kind} --all-namespaces` lists \
     all of them"
)]
pub struct NoObject {
    /// The kind that was given.
    pub kind: String,
    /// The name that was given.
    pub name: String,
    /// Where it was looked for.
    pub place: String,
}

/// Returns the kind that kubectl means by a word, such as `rc` or `rayclusters.ray.io`.
pub fn kind_of(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let word = word.split('.').next().unwrap_or_default();
    Some(match word {
        "raycluster" | "rayclusters" => "RayCluster",
        "rayjob" | "rayjobs" => "RayJob",
        "rayservice" | "rayservices" => "RayService",
        "raycronjob" | "raycronjobs" => "RayCronJob",
        _ => return None,
    })
}

fn uid(object: &Value) -> String {
    let uid = object["metadata"]["uid"].as_str();
    uid.unwrap_or_default().to_owned()
}

fn owners(object: &Value) -> impl Iterator<Item = String> {
    let owners = object["metadata"]["ownerReferences"].as_array();
    let owners = owners.into_iter().flatten();
    owners
        .filter_map(|owner| owner["uid"].as_str().map(str::to_owned))
        .filter(|uid| !uid.is_empty())
}

impl Bundle {
    /// Keeps the objects of a namespace, and what belongs to no namespace.
    pub fn keep_namespace(&mut self, namespace: &str) {
        self.namespace = Some(namespace.into());
        let is_in = |object: &Value| object["metadata"]["namespace"] == namespace;
        self.objects.retain(is_in);
        self.pods.retain(is_in);
        self.jobs.retain(is_in);
    }

    /// Keeps an object, its owners and what it owns.
    ///
    /// # Errors
    /// Fails when the bundle has no such object.
    pub fn keep_object(&mut self, kind: &str, name: &str) -> Result<(), NoObject> {
        self.object = Some(format!("{kind}/{name}"));
        let wanted = kind_of(kind).unwrap_or(kind);
        let mut kept: BTreeSet<String> = self
            .objects
            .iter()
            .filter(|object| object["kind"] == wanted && object["metadata"]["name"] == name)
            .map(uid)
            .collect();
        if kept.is_empty() {
            let place = self.namespace.as_ref();
            return Err(NoObject {
                kind: kind.into(),
                name: name.into(),
                place: place.map_or("all namespaces".into(), |name| format!("namespace {name}")),
            });
        }
        // RayCronJob, RayJob and RayCluster: three steps at most in each direction.
        for _ in 0..3 {
            for object in &self.objects {
                let own = uid(object);
                let above: Vec<String> = owners(object).collect();
                if above.iter().any(|owner| kept.contains(owner)) {
                    kept.insert(own);
                } else if kept.contains(&own) {
                    kept.extend(above);
                }
            }
        }
        self.objects.retain(|object| kept.contains(&uid(object)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(kind: &str, name: &str, owner: &str) -> Value {
        json!({"kind": kind, "metadata": {"name": name, "namespace": "n", "uid": name,
            "ownerReferences": [{"uid": owner}]}})
    }

    #[test]
    fn an_object_comes_with_its_owners_and_what_it_owns() {
        let mut bundle = Bundle::now();
        bundle.objects = vec![
            object("RayCluster", "c", "j"),
            object("RayJob", "j", "cron"),
            object("RayCronJob", "cron", ""),
            object("RayCluster", "other", ""),
        ];
        bundle.keep_object("rayjob", "j").unwrap();
        assert_eq!(bundle.objects.len(), 3);
        let error = bundle.keep_object("raycluster", "other").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("raycluster/other in all namespaces"),
            "{error}"
        );
    }

    #[test]
    fn kinds_are_spelt_as_kubectl_takes_them() {
        for word in ["raycluster", "RayClusters", "rayclusters.ray.io"] {
            assert_eq!(kind_of(word), Some("RayCluster"));
        }
        assert_eq!(kind_of("pod"), None);
    }
}
