//! `rehearse`: what an upgrade of the operator does to the Ray objects of a cluster, away from it.

use super::reading::ClusterScope;
use super::{colour, input};
use crate::args::{RehearsalFormat, Rehearse};
use crate::console;
use crate::exit::{CliError, ENVIRONMENT, FAILED, PASSED};
use crate::live::{self, Bundle};
use crate::manifest::{self, Diagnostic};
use crate::rehearse::document::RehearsalReport;
use crate::rehearse::{self, Fleet, RehearseError, RehearseOptions};
use crate::report::{StatusLevel, rehearsal_markdown, rehearsal_text};
use crate::scenario::OperatorSettings;
use crate::visible;

impl From<RehearseError> for CliError {
    fn from(error: RehearseError) -> Self {
        let help = match &error {
            RehearseError::NoObjects => {
                "name a namespace with -n, all of them with -A, or manifests with --objects"
            }
            RehearseError::NoRelease => "such as --from 1.5.2",
            _ if error.is_bad_use() => return Self::bad_use(error),
            _ => return Self::Environment(error.to_string()),
        };
        Self::bad_use(error).with_help(help)
    }
}

pub(super) fn run(options: &Rehearse) -> Result<u8, CliError> {
    let source = options.artifacts.install()?;
    let offline = offline(options)?;
    let report = super::work::block_with(StatusLevel::default(), async |progress, cancel| {
        let mut fleet = if let Some(fleet) = offline {
            fleet
        } else {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(RehearseError::Interrupted.into()),
                bundle = read(options, &*progress) => Fleet::of_bundle(&bundle?, "cluster"),
            }
        };
        if options.from.is_some() {
            fleet.from.clone_from(&options.from);
        }
        let target = target(options, &fleet.settings)?;
        let rehearsal = RehearseOptions {
            fleet,
            to: options.to.clone(),
            target,
            keep_crds: options.keep_crds,
            source,
        };
        Ok(rehearse::rehearse(&rehearsal, progress, cancel).await?)
    })?;
    console::text(&match options.format {
        RehearsalFormat::Text => rehearsal_text(&report, options.verbose, colour()),
        RehearsalFormat::Json => {
            let text = serde_json::to_string_pretty(&report).unwrap_or_default();
            visible::json(&text) + "\n"
        }
        RehearsalFormat::Markdown => rehearsal_markdown(&report),
    });
    Ok(exit_code(&report))
}

/// 1 where something needs review, and 3 where nothing is known to and not everything was read.
fn exit_code(report: &RehearsalReport) -> u8 {
    if report.needs_review() {
        return FAILED;
    }
    match report.unread_ray_objects() {
        None => PASSED,
        Some(unread) => {
            let (what, why) = (&unread.what, visible::line(&unread.why));
            print_problem!("error: no verdict: {what} could not be read: {why}");
            ENVIRONMENT
        }
    }
}

/// The objects of a bundle or of manifests.
fn offline(options: &Rehearse) -> Result<Option<Fleet>, CliError> {
    if let Some(file) = &options.bundle {
        let mut bundle = Bundle::load(file)?;
        if let Some(namespace) = &options.namespace {
            bundle.keep_namespace(namespace);
        }
        return Ok(Some(Fleet::of_bundle(&bundle, "bundle")));
    }
    if options.objects.is_empty() {
        return Ok(None);
    }
    let input = input::read(&options.objects, false)?;
    let (mut objects, mut problems) = (Vec::new(), Vec::<Diagnostic>::new());
    for source in &input.sources {
        match manifest::objects(source) {
            Ok(found) => objects.extend(found),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(CliError::Files(problems));
    }
    Ok(Some(Fleet::of_files(objects)))
}

async fn read(
    options: &Rehearse,
    progress: &dyn crate::report::Progress,
) -> Result<Bundle, CliError> {
    let cluster = ClusterScope {
        context: options.context.as_deref(),
        kubeconfig: options.kubeconfig.as_deref(),
        namespace: options.namespace.as_deref(),
        all_namespaces: options.all_namespaces,
    };
    let (client, scope) = cluster.connect().await?;
    Ok(live::read(&client, &scope, progress).await?)
}

/// The operator's settings after the upgrade, where the options change something.
fn target(
    options: &Rehearse,
    present: &OperatorSettings,
) -> Result<Option<OperatorSettings>, CliError> {
    let mut settings = present.clone();
    settings.env.extend(options.operator_env.iter().cloned());
    settings
        .feature_gates
        .extend(options.feature_gate.iter().cloned());
    if let Some(path) = &options.operator_config {
        settings.configuration = super::settings::read(path)?;
        for key in ["apiVersion", "kind", "metadata"] {
            settings.configuration.remove(key);
        }
    }
    Ok((settings != *present).then_some(settings))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::args::{Command, parsed};
    use crate::exit::BAD_USE;
    use crate::live::bundle::UnreadKind;
    use crate::rehearse::document::LeftOut;

    fn options(line: &str) -> Rehearse {
        match parsed(&format!("rehearse --to 1.7.0 {line}")) {
            Command::Rehearse(options) => *options,
            other => panic!("{other:?}"),
        }
    }

    #[rstest]
    #[case::nothing(&[], &[], false, PASSED)]
    #[case::left_out(&["RayCluster a/b"], &[], false, FAILED)]
    #[case::unsettled(&[], &[], true, FAILED)]
    #[case::unread(&[], &["RayServices"], false, ENVIRONMENT)]
    #[case::unread_beside_a_finding(&["RayCluster a/b"], &["RayJobs"], false, FAILED)]
    #[case::unread_but_not_needed(&[], &["nodes"], false, PASSED)]
    fn what_was_not_rehearsed_is_not_nothing_to_do(
        #[case] left_out: &[&str],
        #[case] unread: &[&str],
        #[case] unsettled: bool,
        #[case] expected: u8,
    ) {
        let report = RehearsalReport {
            left_out: left_out
                .iter()
                .map(|object| LeftOut {
                    object: (*object).into(),
                    why: "no operator watches its namespace".into(),
                })
                .collect(),
            unread: unread
                .iter()
                .map(|what| UnreadKind {
                    what: (*what).into(),
                    why: "forbidden".into(),
                })
                .collect(),
            unsettled,
            ..RehearsalReport::default()
        };
        assert_eq!(exit_code(&report), expected);
    }

    #[test]
    fn settings_after_the_upgrade_are_named_only_where_options_change_them() {
        let mut present = OperatorSettings::default();
        present.env.insert("A".into(), "1".into());
        let same = target(&options("--operator-env A=1"), &present).unwrap();
        assert_eq!(same, None);
        let changed = target(
            &options("--operator-env B=2 --feature-gate RayClusterStatusConditions=true"),
            &present,
        );
        let changed = changed.unwrap().expect("two options change the settings");
        assert_eq!(changed.env["A"], "1");
        assert_eq!(changed.env["B"], "2");
        assert!(changed.feature_gates["RayClusterStatusConditions"]);
    }

    #[test]
    fn without_bundle_and_manifests_the_cluster_is_read() {
        assert!(offline(&options("-A")).unwrap().is_none());
    }

    #[test]
    fn a_bundle_that_is_absent_is_bad_use() {
        let Err(error) = offline(&options("--bundle absent.json")) else {
            panic!("an absent bundle was read")
        };
        assert_eq!(error.exit_code(), BAD_USE);
    }

    #[test]
    fn errors_of_the_arguments_are_bad_use_and_interruptions_are_not() {
        assert_eq!(
            CliError::from(RehearseError::NoObjects).exit_code(),
            BAD_USE
        );
        assert_eq!(
            CliError::from(RehearseError::NoRelease).exit_code(),
            BAD_USE
        );
        let interrupted = CliError::from(RehearseError::Interrupted);
        assert_eq!(interrupted.exit_code(), ENVIRONMENT);
    }
}
