//! Kubernetes manifests: YAML whose every value keeps its place in the text, and diagnostics that
//! quote it.
//!
//! ```
//! use std::path::Path;
//!
//! use kuberay_manifest::{Source, Cursor, yaml};
//!
//! let text = "kind: Pod\nspec:\n  containers:\n  - name: main\n    tty: yes\n";
//! let source = Source::new(Path::new("pod.yaml"), text);
//! let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
//! let spec = Cursor::root(&documents[0]).get("spec").unwrap();
//! let container = &spec.items("containers")[0];
//! assert_eq!(container.node.to_json(), serde_json::json!({"name": "main", "tty": true}));
//! assert_eq!(container.path(), "spec.containers[0]");
//! assert_eq!(container.node.place.location.line, 4);
//! # Ok::<(), kuberay_manifest::Diagnostics>(())
//! ```

mod cursor;
mod diagnostic;
mod encoding;
mod excerpt;
mod objects;
mod schema;
mod template;
#[cfg(test)]
mod tests;
mod threads;
pub mod visible;
mod walk;
pub mod yaml;

pub use cursor::{Cursor, join};
pub use diagnostic::{
    Diagnostic, DiagnosticResult, Diagnostics, Location, Severity, Source, Span, sort,
};
pub use encoding::decode;
pub use objects::{LAST_APPLIED, each_object, objects, parse_manifest};
pub use schema::schema_of;
pub use template::template_action;
pub use threads::at_once;
pub use walk::{HOLE, Item, Owner, Sought, Unread, Walk, items};
