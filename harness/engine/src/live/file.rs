//! A bundle as a file: written in one step for its owner alone, and read with bounds.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::bundle::{Bundle, VERSION};
use crate::process::replace_file;
use crate::scenario::files::{FileError, check_replaceable, read_text};
use crate::visible;

/// The largest file that is read: ten times what a thousand RayClusters take.
const AT_MOST: u64 = 256 << 20;

/// A reason why a bundle can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It can't be written.
    #[error("failed to write the bundle {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It can't be read.
    #[error("failed to read the bundle {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It holds something else.
    #[error("failed to read the bundle {path}: {problem}; `doctor --save-bundle FILE` writes one")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: String,
    },
}

impl Bundle {
    /// Writes the bundle as JSON, for its owner alone; a file of that name is replaced in one step.
    ///
    /// # Errors
    /// Fails when the file can't be written.
    pub fn save(&self, path: &Path) -> Result<(), BundleError> {
        let failed = |source: std::io::Error| BundleError::Write {
            path: path.into(),
            source,
        };
        check_replaceable(path).map_err(|error| failed(error.into()))?;
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        let text = visible::json(&text) + "\n";
        replace_file(path, text.as_bytes(), 0o600).map_err(failed)
    }

    /// Reads a bundle. It is redacted again, so that one that somebody edited leaks nothing more.
    ///
    /// # Errors
    /// Fails when the file can't be read, is too large, or is no bundle of this version.
    pub fn load(path: &Path) -> Result<Self, BundleError> {
        let failed = |source: FileError| BundleError::Read {
            path: path.into(),
            source: source.into(),
        };
        let malformed = |problem: String| BundleError::Malformed {
            path: path.into(),
            problem,
        };
        let text = read_text(path, AT_MOST).map_err(failed)?;
        let mut bundle: Self =
            serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        if bundle.version != VERSION {
            let found = visible::line(&bundle.version.chars().take(80).collect::<String>());
            return Err(malformed(format!(
                "its version is `{found}`, not `{VERSION}`"
            )));
        }
        if let Some(index) = bundle
            .objects
            .iter()
            .position(|object| !is_ray_object(object))
        {
            return Err(malformed(format!("its objects[{index}] is no Ray object")));
        }
        bundle.redact();
        Ok(bundle)
    }
}

/// Whether a value is an object whose Pods `doctor` and `rehearse` know.
fn is_ray_object(value: &Value) -> bool {
    let text = |key: &str| value[key].as_str().unwrap_or_default();
    text("apiVersion").starts_with("ray.io/")
        && ["RayCluster", "RayJob", "RayService", "RayCronJob"].contains(&text("kind"))
}

#[cfg(test)]
mod tests {
    use assert_matches::assert_matches;
    use std::os::unix::fs::PermissionsExt as _;

    use assertables::assert_contains;

    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_ray_object_is_no_bundle_of_ray_objects() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.json");
        for object in [
            json!(1),
            json!({}),
            json!({"apiVersion": "v1", "kind": "ConfigMap"}),
        ] {
            let text = json!({"version": VERSION, "objects": [object]}).to_string();
            std::fs::write(&path, text).unwrap();
            let error = Bundle::load(&path).unwrap_err().to_string();
            assert_contains!(error, "objects[0] is no Ray object");
        }
    }

    #[test]
    fn a_saved_bundle_is_the_same_when_it_is_loaded_and_its_owner_s_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.json");
        let mut bundle = Bundle::now();
        bundle
            .objects
            .push(json!({"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "a\u{202e}b"}}));
        bundle.redact();
        bundle.save(&path).unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_contains!(std::fs::read_to_string(&path).unwrap(), "a\\u202eb");
        assert_eq!(Bundle::load(&path).unwrap(), bundle);
        // A second one takes its place.
        Bundle::now().save(&path).unwrap();
        assert!(Bundle::load(&path).unwrap().objects.is_empty());
    }

    #[test]
    fn what_is_no_bundle_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.json");
        for (text, expected) in [
            ("{", "EOF while parsing"),
            ("{}", "its version is ``"),
            (r#"{"version": "x/v9"}"#, "its version is `x/v9`"),
            (
                r#"{"version": "kuberay-conformance.bundle/v1", "pods": 3}"#,
                "invalid type",
            ),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Bundle::load(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let error = Bundle::load(&folder.path().join("none")).unwrap_err();
        assert_matches!(error, BundleError::Read { .. });
    }

    #[test]
    fn secrets_are_masked_in_objects_and_logs() {
        let canary = "c4n4ry-V4lue-9";
        let mut bundle = Bundle::now();
        bundle
            .objects
            .push(json!({"kind": "RayCluster", "metadata": {"name": "a",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": canary},
            "managedFields": [{"manager": canary}]},
            "spec": {"headGroupSpec": {"rayStartParams": {"redis-password": canary}}}}));
        bundle.pods.push(
            json!({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [
            {"name": "c", "args": [format!("ray start --redis-password={canary} ")],
             "env": [{"name": "DB_PASSWORD", "value": canary}]}]}}),
        );
        bundle.logs.push(super::super::bundle::ContainerLog {
            text: format!("connecting with {canary}\n"),
            ..Default::default()
        });
        bundle.miss("nodes", format!("the proxy says {canary}"));
        bundle.redact();
        let text = serde_json::to_string(&bundle).unwrap();
        assert!(!text.contains(canary), "{text}");
        assert_contains!(text, "[redacted]");
    }
}

#[cfg(test)]
#[path = "file/mutated.rs"]
mod mutated;
