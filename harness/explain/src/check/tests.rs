use std::path::Path;

use assertables::assert_contains;
use kuberay_manifest::Severity;
use rstest::rstest;
use serde_json::Value;

use super::*;

fn cluster(name: &str, annotations: &str, args: &str) -> String {
    format!(
        "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata:\n  name: {name}\n  annotations: {{{annotations}}}\nspec:\n  \
         headGroupSpec:\n    rayStartParams: {{}}\n    template:\n      spec:\n        containers:\n        - name: \
         ray-head\n          image: ray\n          args: [{args}]\n          resources: {{limits: {{cpu: 1}}}}\n"
    )
}

const BAD: &str = "'run &'";

fn options(releases: &[&str]) -> Options {
    Options::new(
        releases
            .iter()
            .map(|release| release.parse().unwrap())
            .collect(),
    )
}

fn checked(text: &str, options: &Options) -> (CheckReport, [Source; 1]) {
    let sources = [Source::new(Path::new("f.yaml"), text)];
    (check(&sources, options).unwrap(), sources)
}

fn ids(report: &CheckReport) -> Vec<&str> {
    report
        .findings
        .iter()
        .map(|finding| finding.id.as_str())
        .collect()
}

#[test]
fn a_trap_on_several_releases_and_in_several_containers_is_one_finding() {
    let (report, _) = checked(&cluster("c", "", BAD), &options(&["1.2.2", "1.6.2"]));
    assert_eq!(ids(&report), ["trailing-ampersand"]);
    assert_eq!(report.findings[0].operators.len(), 2);
}

#[rstest]
#[case("'kuberay-conformance.io/ignore': trailing-ampersand", &[], &[])]
#[case("'kuberay-conformance.io/ignore': 'trailing-ampersand, errexit'", &[], &["unused-ignore"])]
#[case("'kuberay-conformance.io/ignore': nonsense", &[], &["trailing-ampersand", "unused-ignore"])]
#[case("", &["trailing-ampersand"], &[])]
#[case("", &["errexit"], &["trailing-ampersand", "unused-ignore"])]
#[case("", &["errexit", "unused-ignore"], &["trailing-ampersand"])]
fn findings_can_be_ignored(
    #[case] annotation: &str,
    #[case] ignore: &[&str],
    #[case] expected: &[&str],
) {
    let mut options = options(&["1.6.2"]);
    options.ignore = ignore
        .iter()
        .map(|id| Ignore {
            id: (*id).into(),
            origin: None,
        })
        .collect();
    let (report, _) = checked(&cluster("c", annotation, BAD), &options);
    assert_eq!(ids(&report), expected);
}

#[test]
fn only_selected_findings_are_reported() {
    let mut options = options(&["1.6.2"]);
    options.select = vec!["errexit".into()];
    let (report, _) = checked(&cluster("c", "", BAD), &options);
    assert_eq!(ids(&report), [""; 0]);
}

#[test]
fn what_can_not_be_read_is_found_and_the_rest_is_checked() {
    let malformed = cluster("c", "", "1").replace("rayStartParams: {}", "rayStartParams: 3");
    let sources = [
        Source::new(Path::new("a.yaml"), "a: [\n"),
        Source::new(Path::new("b.yaml"), "image: {{ .Values.image }}\n"),
        Source::new(Path::new("c.yaml"), &malformed),
        Source::new(Path::new("d.yaml"), &cluster("c", "", BAD)),
        Source::new(
            Path::new("e.yaml"),
            &cluster("c", "", BAD).replace("ray.io/v1", "cluster.ray.io/v1"),
        ),
    ];
    let report = check(&sources, &options(&["1.6.2"])).unwrap();
    assert_eq!(
        ids(&report),
        [
            "unreadable",
            "unreadable",
            "refused-by-api-server",
            "refused-by-api-server",
            "trailing-ampersand",
            "not-kuberay"
        ]
    );
    assert!(report.is_unreadable());
    let help = report.findings[1].help.as_deref().unwrap();
    assert!(
        help.contains("helm template CHART | kuberay-conformance check -"),
        "{help}"
    );
    assert_eq!(report.worst(), Some(Severity::Error));
}

#[test]
fn a_cron_job_is_checked_as_its_job() {
    let text = "apiVersion: ray.io/v1\nkind: RayCronJob\nmetadata: {name: c}\nspec:\n  schedule: '* * * * *'\n  \
                jobTemplate:\n    entrypoint: a; b\n    rayClusterSpec: {headGroupSpec: {rayStartParams: {}, template: \
                {spec: {containers: [{name: ray-head, image: ray, resources: {limits: {cpu: 1}}}]}}}}\n";
    let (report, _) = checked(text, &options(&["1.6.2"]));
    assert_eq!(ids(&report), ["no-pods-yet", "entrypoint-runs-here"]);
    assert_contains!(report.findings[0].message, "gate RayCronJob");
    let finding = &report.findings[1];
    assert_eq!(finding.path, "spec.jobTemplate.entrypoint");
    assert_eq!(finding.object.as_ref().unwrap().kind, "RayCronJob");
    let (report, _) = checked(text, &options(&["1.5.2"]));
    assert_eq!(ids(&report), ["refused-by-client"]);
    assert_contains!(report.findings[0].message, "no matches for kind");
    let mut on = options(&["1.6.2"]);
    on.settings.feature_gates.insert("RayCronJob".into(), true);
    assert_eq!(ids(&checked(text, &on).0), ["entrypoint-runs-here"]);
    // Its own fields are checked as well.
    let wrong = text.replace("* * * * *", "* * * * 7");
    let (report, _) = checked(&wrong, &on);
    let refusal = &report.findings[0];
    assert_eq!(refusal.path, "spec.schedule");
    assert!(
        refusal
            .message
            .contains("end of range (7) above maximum (6): 7"),
        "{}",
        refusal.message
    );
}

#[test]
fn a_job_without_submitter_has_its_cluster() {
    let text = "apiVersion: ray.io/v1\nkind: RayJob\nmetadata: {name: j}\nspec:\n  entrypoint: a\n  rayClusterSpec:\n    \
                headGroupSpec: {rayStartParams: {}, template: {spec: {containers: [{name: ray-head, image: ray, ports: \
                [{containerPort: 8265}], resources: {limits: {cpu: 1}}}]}}}\n";
    let (report, _) = checked(text, &options(&["1.6.2"]));
    let message = &report.findings[0].message;
    assert!(
        message.starts_with("the operator makes no submitter"),
        "{message}"
    );
}

#[test]
fn an_upgrade_lists_the_features_that_change_with_their_impact() {
    let mut options = options(&["1.3.2", "1.4.2"]);
    options.upgrade = true;
    let (report, _) = checked(&cluster("c", "", BAD), &options);
    // The trap is on both releases, so that the upgrade does not bring it.
    assert_eq!(ids(&report), [""; 0]);
    let upgrade = &report.upgrades[0];
    assert_eq!(upgrade.impact, Impact::Review);
    let features: Vec<&str> = upgrade
        .features
        .iter()
        .map(|one| one.feature.as_str())
        .collect();
    assert!(features.contains(&"login-shell"), "{features:?}");
    assert!(features.contains(&"plain-shell"), "{features:?}");
    let mut same = super::Options::new(vec!["1.6.0".parse().unwrap(), "1.6.2".parse().unwrap()]);
    same.upgrade = true;
    let (report, _) = checked(&cluster("c", "", BAD), &same);
    assert_eq!(report.upgrades[0].impact, Impact::None);
    assert_eq!(report.worst(), None);
}

#[test]
fn an_upgrade_that_brings_a_trap_breaks() {
    let mut options = options(&["1.2.2", "1.3.2"]);
    options.upgrade = true;
    let text = "apiVersion: ray.io/v1\nkind: RayJob\nmetadata: {name: j}\nspec:\n  entrypoint: a; b\n  rayClusterSpec: \
                {headGroupSpec: {rayStartParams: {}, template: {spec: {containers: [{name: ray-head, image: ray, \
                resources: {limits: {cpu: 1}}}]}}}}\n";
    let (report, _) = checked(text, &options);
    assert_eq!(ids(&report), ["entrypoint-runs-here"]);
    assert_eq!(report.upgrades[0].impact, Impact::Breaks);
    assert_eq!(report.upgrades[0].traps, ["entrypoint-runs-here"]);
}

#[test]
fn the_json_matches_its_schema() {
    let mut options = options(&["1.3.2", "1.4.2"]);
    for upgrade in [false, true] {
        options.upgrade = upgrade;
        let (report, _) = checked(&cluster("c", "", BAD), &options);
        let value = serde_json::to_value(&report).unwrap();
        let validator = jsonschema::validator_for(&schema()).unwrap();
        assert!(validator.is_valid(&value));
    }
}

#[test]
fn the_schema_is_as_committed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/check.schema.json");
    let text = format!("{:#}\n", schema());
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/schema/check.schema.json is outdated; write it with UPDATE_SCHEMAS=1"
    );
}

/// A file of one line must not be looked through once for each value.
#[test]
fn many_objects_on_one_line_are_checked_in_time() {
    let one: Value = serde_json::json!({
        "apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "c"},
        "spec": {"headGroupSpec": {"rayStartParams": {}, "template": {"spec": {"containers": [
            {"name": "ray-head", "image": "ray", "args": ["run &"], "resources": {"limits": {"cpu": 1}}}
        ]}}}},
    });
    let text = serde_json::json!({"kind": "List", "items": vec![one; 400]}).to_string();
    let started = std::time::Instant::now();
    let (report, _) = checked(&text, &options(&["1.6.2"]));
    assert_eq!(report.findings.len(), 400);
    // Debug builds on a busy machine take a few seconds; looking through it each time takes
    // minutes.
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

#[test]
fn a_field_that_kubectl_refuses_is_told_once() {
    let text = cluster("c", "", "").replace("args: []", "name: ray-head");
    let text = text.replace("          name: ray-head\n", "");
    let text = text.replace(
        "rayStartParams: {}",
        "rayStartParams: {}\n    labels: {a: b}",
    ) + "  enableInTreeAutoscaling: true\n  autoscalerOptions: {command: [a]}\n";
    let mut options = options(&["1.4.2", "1.6.2"]);
    let told = |options: &Options| {
        let (report, _) = checked(&text, options);
        let told = report.findings.into_iter().map(|one| {
            let releases: Vec<String> = one.operators.iter().map(ToString::to_string).collect();
            format!("{} {} {}", one.line, one.id, releases.join(","))
        });
        told.collect::<Vec<_>>()
    };
    let expected = [
        "9 refused-by-client 1.4.2",
        "17 refused-by-client 1.4.2,1.6.2",
    ];
    assert_eq!(told(&options), expected);
    options.validation = FieldValidation::Ignore;
    let ids = told(&options).join("\n");
    assert!(ids.contains("9 group-field-ignored 1.4.2"), "{ids}");
    assert!(
        ids.contains("17 autoscaler-command-ignored 1.4.2,1.6.2"),
        "{ids}"
    );
}

/// To compare a long one with each would take minutes.
#[test]
fn a_long_word_is_no_misspelt_id() {
    let began = std::time::Instant::now();
    assert_eq!(nearest(&"trailing-ampersand".repeat(20_000)), None);
    let took = began.elapsed().as_secs_f64();
    assert!(took < 5.0, "{took:.1} s");
    assert_eq!(nearest("trailing-ampersands"), Some("trailing-ampersand"));
}
