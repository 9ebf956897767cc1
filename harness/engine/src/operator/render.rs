//! What a release's `config/default` renders to.

use semver::Version;
use serde_json::{Value, json};

use super::error::OperatorError;
use super::model::{FINGERPRINT, InstallOptions};
use super::objects::{MANAGED_BY, MANAGER};
use super::source::{Manifests, Renderers};

/// The objects of a release, ready to be applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// CRDs by name, as YAML text.
    pub crds: Vec<(String, String)>,
    /// Everything else, in the order to apply.
    pub objects: Vec<Value>,
    /// Namespace of the operator's Deployment.
    pub namespace: String,
    /// Name of the operator's Deployment.
    pub deployment: String,
}

impl Rendered {
    /// Renders manifests; see [`Manifests::render`].
    ///
    /// # Errors
    /// When rendering fails, or what is rendered holds no Deployment.
    pub async fn of(
        manifests: &Manifests,
        renderers: &Renderers,
        namespace: &str,
    ) -> Result<Self, OperatorError> {
        let text = manifests.render(renderers, namespace).await?;
        Self::parse(&text, &manifests.origin())
    }

    /// The release of the operator that its Deployment runs; see [`release_of`].
    pub fn release(&self) -> Option<Version> {
        release_of(&self.image()?)
    }

    /// The image of the operator.
    pub fn image(&self) -> Option<String> {
        let deployment = self
            .objects
            .iter()
            .find(|object| object["kind"] == "Deployment")?;
        let image = deployment["spec"]["template"]["spec"]["containers"][0]["image"].as_str()?;
        Some(image.to_owned())
    }

    /// Puts everything that has a namespace into this one.
    pub fn move_to(&mut self, namespace: &str) {
        self.objects.retain(|object| object["kind"] != "Namespace");
        for object in &mut self.objects {
            if object["metadata"]["namespace"].is_string() || object["kind"] == "Deployment" {
                object["metadata"]["namespace"] = json!(namespace);
            }
            // By index an absent field would be made, and the API server refuses a ServiceAccount
            // with `subjects`.
            let subjects = object.get_mut("subjects").and_then(Value::as_array_mut);
            for subject in subjects.into_iter().flatten() {
                if subject["kind"] == "ServiceAccount" {
                    subject["namespace"] = json!(namespace);
                }
            }
        }
        namespace.clone_into(&mut self.namespace);
        let object =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        self.objects.insert(0, object);
    }

    /// Reads what kustomize wrote. CRDs stay text: they are large, and the API server reads YAML
    /// itself.
    ///
    /// # Errors
    /// When the text is not a list of objects with a Deployment among them.
    pub fn parse(text: &str, origin: &str) -> Result<Self, OperatorError> {
        let malformed = |message: String| OperatorError::Malformed {
            origin: origin.into(),
            message,
        };
        let (mut crds, mut objects) = (Vec::new(), Vec::new());
        for document in text
            .split("\n---\n")
            .map(|document| document.trim_start_matches("---\n"))
        {
            if document.trim().is_empty() {
                continue;
            }
            if document
                .lines()
                .any(|line| line == "kind: CustomResourceDefinition")
            {
                let name = top_level_name(document)
                    .ok_or_else(|| malformed("a CRD has no name".into()))?;
                crds.push((name, document.to_owned()));
            } else {
                let object: Value = serde_saphyr::from_str(document)
                    .map_err(|error| malformed(error.to_string()))?;
                // Of a template that made nothing, Helm leaves a comment.
                if !object.is_null() {
                    objects.push(object);
                }
            }
        }
        let deployment = objects
            .iter()
            .find(|object| object["kind"] == "Deployment")
            .ok_or_else(|| malformed("no Deployment among the objects".into()))?;
        let text_at = |value: &Value| value.as_str().unwrap_or("default").to_owned();
        let namespace = text_at(&deployment["metadata"]["namespace"]);
        let deployment = text_at(&deployment["metadata"]["name"]);
        let has_namespace = objects.iter().any(|object| {
            object["kind"] == "Namespace" && object["metadata"]["name"] == namespace.as_str()
        });
        if namespace != "default" && !has_namespace {
            objects.push(
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
            );
        }
        // Namespaces first: all else lives in them. The Deployment last: it needs its account and
        // roles.
        objects.sort_by_key(|object| match object["kind"].as_str() {
            Some("Namespace") => 0,
            Some("Deployment") => 2,
            _ => 1,
        });
        Ok(Self {
            crds,
            objects,
            namespace,
            deployment,
        })
    }

    /// Sets the image of the operator, where one is given, and what the options ask for; everything
    /// else stays as rendered.
    pub fn customise(&mut self, image: Option<&str>, options: &InstallOptions, fingerprint: &str) {
        for object in &mut self.objects {
            let namespace_of_ours = object["kind"] == "Namespace";
            if object["kind"] != "Deployment" && !namespace_of_ours {
                continue;
            }
            object["metadata"]["labels"][MANAGED_BY] = json!(MANAGER);
            if namespace_of_ours {
                continue;
            }
            object["metadata"]["annotations"][FINGERPRINT] = json!(fingerprint);
            let Some(containers) = object["spec"]["template"]["spec"]["containers"].as_array_mut()
            else {
                continue;
            };
            for container in containers.iter_mut().take(1) {
                if let Some(image) = image {
                    container["image"] = json!(image);
                    container["imagePullPolicy"] = json!("IfNotPresent");
                }
                for (name, value) in &options.env {
                    set_env(container, name, value);
                }
            }
        }
    }
}

/// The release that an image's tag names, such as `v1.6.2` or `1.6.2-rc.0`; none of a digest or of
/// `nightly`.
pub fn release_of(image: &str) -> Option<Version> {
    let name = image.split('@').next()?;
    let (_, tag) = name.rsplit_once(':')?;
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

fn set_env(container: &mut Value, name: &str, value: &str) {
    if !container["env"].is_array() {
        container["env"] = json!([]);
    }
    if let Some(env) = container["env"].as_array_mut() {
        env.retain(|entry| entry["name"] != name);
        env.push(json!({"name": name, "value": value}));
    }
}

/// `metadata.name` of a document as kustomize writes it: keys sorted, two spaces of indentation.
pub(super) fn top_level_name(document: &str) -> Option<String> {
    document
        .lines()
        .skip_while(|line| *line != "metadata:")
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .find_map(|line| line.strip_prefix("  name: "))
        .map(|name| name.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use assertables::assert_starts_with;

    use super::{InstallOptions, Rendered};

    const TEXT: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    controller-gen.kubebuilder.io/version: v0.16
  name: rayclusters.ray.io
spec:
  names:
    kind: RayCluster
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: kuberay-operator
  namespace: ray-system
spec:
  template:
    spec:
      containers:
      - image: kuberay/operator:v1.1.0
        name: kuberay-operator
        env:
        - name: A
          value: old
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: kuberay-operator
  namespace: ray-system
";

    #[test]
    fn crds_stay_text_and_the_deployment_comes_last() {
        let rendered = Rendered::parse(TEXT, "test").expect("rendered");
        assert_eq!(rendered.crds[0].0, "rayclusters.ray.io");
        assert_starts_with!(rendered.crds[0].1, "apiVersion: apiextensions");
        let kinds: Vec<_> = rendered
            .objects
            .iter()
            .filter_map(|object| object["kind"].as_str())
            .collect();
        assert_eq!(kinds, ["Namespace", "ServiceAccount", "Deployment"]);
        assert_eq!(rendered.namespace.as_str(), "ray-system");
        assert_eq!(rendered.deployment.as_str(), "kuberay-operator");
    }

    #[test]
    fn only_image_environment_and_marks_are_set() {
        let mut rendered = Rendered::parse(TEXT, "test").expect("rendered");
        let options = InstallOptions {
            env: BTreeMap::from([("A".into(), "new".into()), ("B".into(), "2".into())]),
            ..InstallOptions::default()
        };
        rendered.customise(Some("quay.io/kuberay/operator:v1.1.1"), &options, "abc");
        let container = &rendered.objects[2]["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], "quay.io/kuberay/operator:v1.1.1");
        assert_eq!(container["imagePullPolicy"], "IfNotPresent");
        let env = serde_json::json!([{"name": "A", "value": "new"}, {"name": "B", "value": "2"}]);
        assert_eq!(container["env"], env);
    }

    #[test]
    fn an_image_of_custom_manifests_stays() {
        let mut rendered = Rendered::parse(TEXT, "test").expect("rendered");
        rendered.customise(None, &InstallOptions::default(), "abc");
        let container = &rendered.objects[2]["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], "kuberay/operator:v1.1.0");
        assert!(container["imagePullPolicy"].is_null());
        assert_eq!(rendered.release(), Some(semver::Version::new(1, 1, 0)));
    }

    #[test]
    fn everything_moves_to_another_namespace() {
        let binding = "---
kind: ClusterRoleBinding
metadata: {name: kuberay-operator}
subjects: [{kind: ServiceAccount, name: kuberay-operator, namespace: ray-system}, {kind: Group, name: g}]
";
        let mut rendered = Rendered::parse(&format!("{TEXT}{binding}"), "test").expect("rendered");
        rendered.move_to("own");
        assert_eq!(rendered.namespace, "own");
        let all = serde_json::Value::from(rendered.objects.clone()).to_string();
        assert!(!all.contains("ray-system"), "{all}");
        assert_eq!(
            rendered.objects[0]["metadata"]["name"], "own",
            "its namespace comes first"
        );
        assert_eq!(
            rendered.objects.last().expect("objects")["kind"],
            "Deployment"
        );
        let binding = rendered
            .objects
            .iter()
            .find(|object| object["kind"] == "ClusterRoleBinding");
        let binding = binding.expect("a binding");
        assert!(
            binding["metadata"]["namespace"].is_null(),
            "it belongs to no namespace"
        );
        assert!(binding["subjects"][1]["namespace"].is_null());
        let with_subjects = rendered
            .objects
            .iter()
            .filter(|object| object.get("subjects").is_some());
        assert_eq!(with_subjects.count(), 1, "no other object gets any");
    }

    #[rstest::rstest]
    #[case("quay.io/kuberay/operator:v1.6.2", Some("1.6.2"))]
    #[case(
        "registry.example:5000/kuberay/operator:1.7.0-rc.0@sha256:00",
        Some("1.7.0-rc.0")
    )]
    #[case("registry.example:5000/kuberay/operator", None)]
    #[case("quay.io/kuberay/operator:nightly", None)]
    #[case("quay.io/kuberay/operator@sha256:00", None)]
    fn a_tag_tells_the_release(#[case] image: &str, #[case] release: Option<&str>) {
        assert_eq!(
            super::release_of(image)
                .map(|release| release.to_string())
                .as_deref(),
            release
        );
    }

    #[test]
    fn text_without_a_deployment_is_refused() {
        let error = Rendered::parse("kind: Service\n", "some/folder").expect_err("no Deployment");
        assert_eq!(
            error.to_string(),
            "some/folder does not render to an operator: no Deployment among the objects"
        );
    }
}
