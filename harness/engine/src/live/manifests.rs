//! The objects of a cluster as manifests, each with the operator that works on it.

use std::path::PathBuf;

use kuberay_manifest::{Source, yaml};
use semver::Version;
use serde_json::Value;

use super::bundle::Bundle;
use super::doctor::facts::Facts;
use crate::contract::EffectiveSettings;

/// The annotation in which `kubectl apply` keeps the file that it read: a second copy of the
/// object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The objects that one operator works on.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// `NAMESPACE/NAME` of the operator's Deployment; absent where no Deployment was found.
    pub operator: Option<String>,
    /// Its release, where its image names one.
    pub release: Option<Version>,
    /// Its environment, feature gates and configuration file.
    pub settings: EffectiveSettings,
    /// The objects, as YAML, each in a file of its own that is named after it.
    pub sources: Vec<Source>,
}

/// Groups the objects that users write by the operator that works on them.
///
/// An object that another one of KubeRay's made is left out: what is wrong with it is wrong with
/// its owner. Fields that the API server and the operator write are left out, too.
pub fn of(bundle: &Bundle) -> Vec<Group> {
    let facts: Vec<Facts> = bundle.operators.iter().map(Facts::of).collect();
    let mut groups: Vec<Group> = facts
        .iter()
        .map(|one| Group {
            operator: Some(format!("{}/{}", one.report.namespace, one.report.name)),
            release: one.release.clone(),
            settings: one.settings.clone(),
            sources: Vec::new(),
        })
        .collect();
    groups.push(Group::default());
    for object in bundle.objects.iter().filter(|object| !is_made(object)) {
        let namespace = object["metadata"]["namespace"].as_str();
        let namespace = namespace.unwrap_or_default();
        let watching = |active: bool| {
            let mut facts = facts.iter();
            facts.position(|one| one.watches(namespace) && (!active || !one.is_off))
        };
        let of = watching(true).or_else(|| watching(false));
        let group = of.unwrap_or(groups.len() - 1);
        groups[group].sources.push(source(object, namespace));
    }
    groups.retain(|group| !group.sources.is_empty());
    groups
}

/// Whether another object of KubeRay's made this one.
fn is_made(object: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|owner| {
        let api = owner["apiVersion"].as_str().unwrap_or_default();
        api.starts_with("ray.io/")
    })
}

fn source(object: &Value, namespace: &str) -> Source {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(meta) = object["metadata"].as_object_mut() {
        meta.retain(|name, _| {
            matches!(
                name.as_str(),
                "name" | "namespace" | "labels" | "annotations"
            )
        });
        if let Some(annotations) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
        }
    }
    let kind = object["kind"].as_str().unwrap_or_default().to_lowercase();
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let path = PathBuf::from(format!("{namespace}/{kind}/{name}"));
    let json = serde_json::to_string_pretty(&object).unwrap_or_default();
    let yaml = serde_saphyr::to_string(&object).ok();
    let yaml = yaml.map(|text| Source::new(&path, &text));
    // YAML is what people write; JSON says the same where a value is none that YAML holds as it is.
    let same = |source: &Source| {
        let documents = yaml::parse(source).ok()?;
        Some(documents.first()?.to_json() == object)
    };
    yaml.filter(|source| same(source) == Some(true))
        .unwrap_or_else(|| Source::new(&path, &json))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::live::bundle::OperatorDeployment;

    fn operator(namespace: &str, release: &str, args: &[&str]) -> OperatorDeployment {
        let image = format!("quay.io/kuberay/operator:v{release}");
        OperatorDeployment {
            deployment: json!({"metadata": {"namespace": namespace, "name": "kuberay-operator"},
                "spec": {"template": {"spec": {"containers": [{"image": image, "args": args,
                    "env": [{"name": "ENABLE_LOGIN_SHELL", "value": "true"}]}]}}}}),
            configuration: Some(json!({"kind": "Configuration",
                "defaultPodAnnotations": {"ray.io/overwrite-container-cmd": "true"}})),
            ..OperatorDeployment::default()
        }
    }

    fn cluster(namespace: &str, name: &str, owner: &str) -> Value {
        json!({"apiVersion": "ray.io/v1", "kind": "RayCluster", "status": {"state": "ready"},
            "metadata": {"namespace": namespace, "name": name, "uid": "u",
                "annotations": {LAST_APPLIED: "{}", "mine": "a"},
                "ownerReferences": [{"apiVersion": owner}]},
            "spec": {}})
    }

    #[test]
    fn objects_go_to_the_operator_that_watches_their_namespace() {
        let mut bundle = Bundle::now();
        let gates = "--feature-gates=RayCronJob=true,Other=no";
        bundle.operators = vec![
            operator("a", "1.7.0", &["--watch-namespace=a", gates]),
            operator("b", "1.6.2", &["--watch-namespace", "b,c"]),
        ];
        bundle.objects = vec![
            cluster("a", "one", ""),
            cluster("c", "two", ""),
            cluster("c", "made", "ray.io/v1"),
            cluster("d", "alone", "apps/v1"),
        ];
        let groups = of(&bundle);
        let release = |group: &Group| group.release.as_ref().map(ToString::to_string);
        let releases: Vec<Option<String>> = groups.iter().map(release).collect();
        assert_eq!(releases, [Some("1.7.0".into()), Some("1.6.2".into()), None]);
        let settings = &groups[0].settings;
        assert_eq!(settings.feature_gates, [("RayCronJob".into(), true)].into());
        assert_eq!(settings.env["ENABLE_LOGIN_SHELL"], "true");
        assert_eq!(settings.default_pod_annotations.len(), 1);
        let names = |group: &Group| -> Vec<String> {
            let paths = group.sources.iter();
            paths
                .map(|source| source.path.display().to_string())
                .collect()
        };
        assert_eq!(names(&groups[0]), ["a/raycluster/one"]);
        assert_eq!(names(&groups[1]), ["c/raycluster/two"]);
        assert_eq!(names(&groups[2]), ["d/raycluster/alone"]);
        let text = &groups[0].sources[0].text;
        assert!(text.contains("mine"), "{text}");
        for gone in ["status", "uid", "last-applied", "ownerReferences"] {
            assert!(!text.contains(gone), "{gone} in {text}");
        }
    }
}
