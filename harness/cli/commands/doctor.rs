//! `doctor`: what is wrong with the Ray objects of a cluster, or of a bundle that was saved of one.

use super::colour;
use super::reading::{self, ClusterScope};
use crate::args::{Doctor, DoctorFormat};
use crate::console;
use crate::exit::{CliError, ENVIRONMENT, FAILED, PASSED};
use crate::live::{self, Bundle, BundleError, NoObject, ReadError, Scope};
use crate::report::{doctor_junit, doctor_text};
use crate::visible;

impl From<BundleError> for CliError {
    fn from(error: BundleError) -> Self {
        match error {
            BundleError::Write { .. } => Self::Environment(error.to_string()),
            _ => Self::bad_use(error),
        }
    }
}

impl From<ReadError> for CliError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NoObject { .. } => Self::bad_use(error),
            _ => Self::Environment(error.to_string()),
        }
    }
}

impl From<NoObject> for CliError {
    fn from(error: NoObject) -> Self {
        Self::bad_use(error)
    }
}

pub(super) fn run(options: &Doctor) -> Result<u8, CliError> {
    let bundle = match &options.bundle {
        Some(file) => narrowed(Bundle::load(file)?, options)?,
        None => read(options)?,
    };
    if let Some(file) = &options.save_bundle {
        bundle.save(file)?;
        print_problem!(
            "saved {}; read it before you send it: it names namespaces, images and commands",
            file.display()
        );
    }
    let report = live::diagnose(&bundle);
    console::text(&match options.format {
        DoctorFormat::Text => doctor_text(&report, options.verbose, colour()),
        DoctorFormat::Json => {
            let text = serde_json::to_string_pretty(&report).unwrap_or_default();
            visible::json(&text) + "\n"
        }
        DoctorFormat::Junit => doctor_junit(&report)?,
    });
    if report.has_problems() {
        return Ok(FAILED);
    }
    match report.is_verdict() {
        Err(why) => {
            print_problem!("error: no verdict: {why}");
            Ok(ENVIRONMENT)
        }
        Ok(()) => Ok(PASSED),
    }
}

/// The part of a bundle that the arguments ask for.
fn narrowed(mut bundle: Bundle, options: &Doctor) -> Result<Bundle, CliError> {
    if let Some(namespace) = &options.namespace {
        bundle.keep_namespace(namespace);
    }
    if let Some((kind, name)) = &options.object {
        bundle.keep_object(kind, name)?;
    }
    Ok(bundle)
}

fn read(options: &Doctor) -> Result<Bundle, CliError> {
    let cluster = ClusterScope {
        context: options.context.as_deref(),
        kubeconfig: options.kubeconfig.as_deref(),
        namespace: options.namespace.as_deref(),
        all_namespaces: options.all_namespaces,
    };
    reading::read("doctor", "doctor", async |progress| {
        let (client, scope) = cluster.connect().await?;
        let scope = Scope {
            object: options.object.clone(),
            ..scope
        };
        Ok(live::read(&client, &scope, progress).await?)
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rstest::rstest;

    use super::*;
    use crate::args::{Command, parsed};
    use crate::exit::BAD_USE;

    #[test]
    fn a_bundle_that_cannot_be_read_is_bad_use_and_one_that_cannot_be_written_is_not() {
        let path = || PathBuf::from("bundle.json");
        let source = || std::io::Error::other("gone");
        let read = BundleError::Read {
            path: path(),
            source: source(),
        };
        assert_eq!(CliError::from(read).exit_code(), BAD_USE);
        let write = BundleError::Write {
            path: path(),
            source: source(),
        };
        assert_eq!(CliError::from(write).exit_code(), ENVIRONMENT);
    }

    #[rstest]
    #[case::all("", true)]
    #[case::its_namespace("-n team", true)]
    #[case::another_namespace("-n other", false)]
    fn a_bundle_is_narrowed_to_the_namespace(#[case] options: &str, #[case] expected: bool) {
        let mut bundle = Bundle::now();
        bundle.objects = vec![serde_json::json!({
            "apiVersion": "ray.io/v1", "kind": "RayCluster",
            "metadata": {"name": "a", "namespace": "team"},
        })];
        let Command::Doctor(options) = parsed(&format!("doctor {options}")) else {
            panic!("doctor is another command")
        };
        let bundle = narrowed(bundle, &options).unwrap();
        assert_eq!(!bundle.objects.is_empty(), expected);
    }

    #[test]
    fn an_object_that_a_bundle_lacks_is_bad_use() {
        let Command::Doctor(options) = parsed("doctor raycluster/absent") else {
            panic!("doctor is another command")
        };
        let error = narrowed(Bundle::now(), &options).unwrap_err();
        assert_eq!(error.exit_code(), BAD_USE);
    }
}
