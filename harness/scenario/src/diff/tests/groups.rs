//! Entries of many cases and containers.

use super::*;

#[test]
fn many_cases_make_one_entry() {
    let base = observed(json!([container(BASE)]));
    let head = observed(json!([container(&BASE.replace("65536", "${N:-65536}"))]));
    let mut groups = Groups::default();
    for number in 0..5 {
        let case = Case {
            generated: number > 1,
            size: 100 - number,
            name: format!("case-{number}"),
        };
        let changes = changes(&base, &head, false);
        groups.add(&CaseComparison {
            case,
            base: &base,
            changes: &changes,
        });
    }
    let smallest = groups.smallest();
    assert_eq!(
        smallest[0].smallest.name, "case-1",
        "a scenario comes first"
    );
    assert_eq!(
        groups
            .smallest_generated(&ChangeSubject::Ulimit)
            .unwrap()
            .name,
        "case-4"
    );
    let entries = groups.entries(&version("1.6.2"), &version("1.7.0"), &BTreeMap::default());
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!(
        entry.title,
        "`ulimit -n 65536` → `ulimit -n ${N:-65536}` in every Ray container"
    );
    assert_eq!(entry.cases, 5);
    assert_eq!(entry.containers, 5);
    assert_eq!(entry.id.as_str(), "D01");
    let skeleton = skeleton(&version("1.8.0"), &entries).text();
    assert!(skeleton.contains("C11, (1, 8, 0)..now"), "{skeleton}");
    groups.remove(&ChangeSubject::Ulimit);
    assert!(groups.is_empty());
}

#[test]
fn one_variable_of_several_containers_is_one_entry() {
    let side = |value: &str, of_other: &str| {
        let env = |value: &str| json!([{"name": "RAY_AUTH_MODE", "value": value}]);
        let mut ray = container(BASE);
        ray["env"] = env(value);
        let scaler = json!({"name": "autoscaler", "image": "ray", "env": env(value)});
        let other = json!({"name": "other", "image": "ray", "env": env(of_other)});
        observed(json!([ray, scaler, other]))
    };
    let (base, head) = (side("a", "c"), side("b", "d"));
    let mut groups = Groups::default();
    let case = Case {
        generated: false,
        size: 1,
        name: "one".into(),
    };
    let changes = changes(&base, &head, false);
    groups.add(&CaseComparison {
        case,
        base: &base,
        changes: &changes,
    });
    groups.join_containers();
    let release = version("1.6.2");
    let entries = groups.entries(&release, &release, &BTreeMap::default());
    let found: Vec<_> = entries
        .iter()
        .map(|one| (one.rule.as_deref(), one.containers, one.title.as_str()))
        .collect();
    let title = "`RAY_AUTH_MODE=a` → `RAY_AUTH_MODE=b` in one Ray container, \
                 one autoscaler container";
    let other = "`RAY_AUTH_MODE=c` → `RAY_AUTH_MODE=d` in one other container";
    assert_eq!(found, [(Some("C27"), 2, title), (Some("C27"), 1, other)]);
}
