//! What each kind of check says of itself, without a cluster.

use super::*;

/// A check of each kind, with all that a kind may say.
fn one_of_each_kind() -> Vec<Check> {
    let all = [
        json!({ "pod": { "role": "worker", "group": "g", "snapshot": ["args"], "within": "90s" } }),
        json!({ "flagOrder": { "role": "worker", "group": "g", "pods": 20, "orders": "one", "within": "90s" } }),
        json!({ "flagValues": { "role": "worker", "pods": 40, "flag": "num-gpus", "values": ["1"], "within": "90s" } }),
        json!({ "absent": { "role": "submitter", "for": "8s", "after": { "role": "head" } } }),
        json!({ "ray": { "nodes": 2, "within": "2m" } }),
        json!({ "logs": { "role": "head", "after": ["rayReady"], "lines": [{ "not": "x" }], "within": "90s" } }),
        json!({ "job": { "entrypoint": "python a.py", "status": "SUCCEEDED", "within": "90s" } }),
        json!({ "state": { "role": "head", "container": "beside", "exitCode": 3, "within": "90s" } }),
        json!({ "never": { "for": "10s", "after": "ready", "restarts": { "role": "worker", "group": "g" } } }),
        json!({ "reached": { "first": "rayReady", "then": "ready", "apart": "5s", "within": "90s" } }),
        json!({ "event": { "reason": "Failed", "message": "not found", "within": "90s" } }),
        json!({ "rejected": { "by": "operator", "message": "must be", "within": "90s" } }),
        json!({ "status": { "kind": "RayCluster", "field": "state", "value": "suspended", "within": "90s" } }),
    ];
    all.into_iter().map(check).collect()
}

/// A check as a line of its properties; what is absent is left out.
fn line(check: &Check) -> String {
    let mut said = vec![check.title(), format!("{:?}", check.layer())];
    let flags = [
        (check.needs_kubelet(), "needs a kubelet"),
        (check.needs_dashboard(), "needs the dashboard"),
        (check.holds_to_the_end(), "holds to the end"),
    ];
    said.extend(
        flags
            .into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, name)| name.to_owned()),
    );
    if let Some((role, group)) = check.pod() {
        said.push(format!(
            "waits for {} {}",
            role.word(),
            group.unwrap_or("of any group")
        ));
    }
    let milestones = |list: Vec<Milestone>| {
        let words: Vec<&str> = list.into_iter().map(Milestone::word).collect();
        words.join(", ")
    };
    let awaited = milestones(check.awaited());
    let texts = [
        ("within", check.within().map(str::to_owned)),
        ("awaits", (!awaited.is_empty()).then_some(awaited)),
        (
            "watches after",
            check.watches_after().map(|one| one.word().to_owned()),
        ),
        ("grants", check.grants().map(|one| one.word().to_owned())),
        (
            "unwanted",
            check.unwanted().map(|role| role.word().to_owned()),
        ),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(name, text)| Some(format!("{name} {}", text?)));
    said.extend(texts);
    format!("{}: {}", check.kind(), said.join("; "))
}

#[test]
fn properties_of_each_kind() {
    let found: Vec<String> = one_of_each_kind().iter().map(line).collect();
    let expected = [
        "pod: pod worker g args; Spec; waits for worker g; within 90s",
        "flagOrder: flagOrder worker g; Spec; waits for worker g; within 90s",
        "flagValues: flagValues worker num-gpus; Spec; waits for worker of any group; within 90s",
        "absent: absent submitter for 8s after head; Spec; unwanted submitter",
        "ray: ray 2 nodes; Runtime; needs a kubelet; needs the dashboard; within 2m; grants rayReady",
        "logs: logs head; Runtime; needs a kubelet; holds to the end; waits for head of any group; within 90s; awaits rayReady",
        "job: job SUCCEEDED python a.py; Runtime; needs a kubelet; needs the dashboard; within 90s; grants job",
        "state: state head; Runtime; needs a kubelet; waits for head of any group; within 90s",
        "never: never restarts of worker g for 10s after ready; Runtime; needs a kubelet; awaits ready; watches after ready; unwanted worker",
        "reached: reached rayReady before ready; Runtime; needs a kubelet; within 90s; awaits rayReady, ready",
        "event: event Failed; Runtime; within 90s",
        "rejected: rejected must be; Spec; within 90s",
        "status: status RayCluster state suspended; Spec; within 90s",
    ];
    assert_eq!(found, expected);
}

/// A verdict in one line.
fn said(verdict: Verdict) -> String {
    let (word, finding) = match verdict {
        Verdict::Pass(finding) => ("pass", finding),
        Verdict::New(finding) => ("new", finding),
        Verdict::NotYet(finding) => ("not yet", finding),
        Verdict::Never(finding) => ("never", finding),
        Verdict::Lost(finding) => ("lost", finding),
    };
    let parts = [
        ("expected", finding.expected),
        ("found", finding.found),
        ("diff", finding.diff),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter_map(|(name, text)| Some(format!("{name}: {}", text?.replace('\n', " / "))))
        .collect();
    format!("{word}: {}\n  {}", finding.message, parts.join("; "))
}

fn verdicts(observation: &Observation) -> String {
    let lines: Vec<String> = one_of_each_kind()
        .iter()
        .map(|check| format!("{}: {}", check.kind(), said(judge(check, observation))))
        .collect();
    lines.join("\n")
}

#[test]
fn before_anything_is_there() {
    insta::assert_snapshot!(verdicts(&Observation::default()));
}

#[test]
fn on_a_head_with_a_worker() {
    let mut observation = observe(&OVERWRITE);
    observation.rejections.push(Rejection {
        object: "RayCluster other".into(),
        message: "spec.headGroupSpec: Required value".into(),
    });
    observation.ray_clusters = vec![json!({
        "metadata": {"name": "overwrite"}, "status": {"state": "ready"},
    })];
    pod_event(&mut observation, "Failed", "Error: ErrImagePull", 2);
    pod_event(&mut observation, "Started", "Started container ray-head", 1);
    insta::assert_snapshot!(verdicts(&observation));
}
