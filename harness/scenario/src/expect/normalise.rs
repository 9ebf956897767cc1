//! What is replaced in a found value before it is compared: this list and nothing else.

use kuberay_contract::{flags_are_ordered, sorted_args, sorted_command};
use semver::Version;
use serde_json::Value;

use crate::PodField;

/// What a found value depends on besides the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Namespace of the case.
    pub namespace: String,
    /// Release of the operator.
    pub operator: Version,
}

/// One entry of the list.
#[derive(Debug)]
pub struct Normalisation {
    /// Its name.
    pub name: &'static str,
    /// Why what it replaces is not part of the contract.
    pub why: &'static str,
    /// Fields that it looks at.
    pub fields: &'static [PodField],
    apply: fn(&mut Value, PodField, &Context),
}

/// Fields that hold addresses; up to KubeRay 1.2 the submitter's command is one.
const ADDRESSES: &[PodField] = &[
    PodField::Command,
    PodField::Args,
    PodField::Env,
    PodField::InitContainers,
];

/// Every normalisation, in the order in which they are applied.
pub static NORMALISATIONS: [Normalisation; 4] = [
    Normalisation {
        name: "namespace-in-addresses",
        why: "Each case has a namespace of its own, and the DNS name of a service contains it: `.<namespace>.svc.`.",
        fields: ADDRESSES,
        apply: namespace_in_addresses,
    },
    Normalisation {
        name: "names-in-collector",
        why: "The history server's collector gets the case's namespace as the text of RAY_CLUSTER_NAMESPACE.",
        fields: &[PodField::Env],
        apply: namespace_of_collector,
    },
    Normalisation {
        name: "operator-release-in-usage-tags",
        why: "RAY_USAGE_STATS_EXTRA_TAGS holds the operator's release, which differs within a class; only the case's \
              own release is replaced.",
        fields: &[PodField::Env],
        apply: operator_release,
    },
    Normalisation {
        name: "flag-order",
        why: "Before KubeRay 1.3 the flags of the generated `ray start` come in random order (#2425); they are sorted \
              by key there, each with its spaces.",
        fields: &[PodField::Args, PodField::Env],
        apply: flag_order,
    },
];

/// Applies every entry of [`NORMALISATIONS`] that looks at the field.
pub fn normalise(value: &Value, field: PodField, context: &Context) -> Value {
    let mut value = value.clone();
    for entry in NORMALISATIONS
        .iter()
        .filter(|entry| entry.fields.contains(&field))
    {
        (entry.apply)(&mut value, field, context);
    }
    value
}

fn each_string(value: &mut Value, change: &dyn Fn(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_string(item, change)),
        Value::Object(entries) => entries
            .values_mut()
            .for_each(|item| each_string(item, change)),
        _ => {}
    }
}

fn env_value<'a>(env: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut String> {
    let entries = env.as_array_mut().into_iter().flatten();
    entries
        .filter(move |entry| entry["name"] == name)
        .filter_map(|entry| match entry.get_mut("value") {
            Some(Value::String(text)) => Some(text),
            _ => None,
        })
}

fn namespace_in_addresses(value: &mut Value, _: PodField, context: &Context) {
    let address = format!(".{}.svc.", context.namespace);
    each_string(value, &|text| {
        if text.contains(&address) {
            *text = text.replace(&address, ".<namespace>.svc.");
        }
    });
}

fn namespace_of_collector(value: &mut Value, _: PodField, context: &Context) {
    for text in env_value(value, "RAY_CLUSTER_NAMESPACE") {
        if *text == context.namespace {
            "<namespace>".clone_into(text);
        }
    }
}

fn operator_release(value: &mut Value, _: PodField, context: &Context) {
    let tag = format!("kuberay_version=v{};", context.operator);
    for text in env_value(value, "RAY_USAGE_STATS_EXTRA_TAGS") {
        if let Some(rest) = text.strip_prefix(&tag) {
            *text = format!("kuberay_version=v<operator>;{rest}");
        }
    }
}

fn flag_order(value: &mut Value, field: PodField, context: &Context) {
    if flags_are_ordered(&context.operator) {
        return;
    }
    match field {
        PodField::Args => {
            if let Some([Value::String(text)]) = value.as_array_mut().map(Vec::as_mut_slice)
                && let Some(sorted) = sorted_args(text)
            {
                *text = sorted;
            }
        }
        PodField::Env => {
            for text in env_value(value, "KUBERAY_GEN_RAY_START_CMD") {
                if let Some(sorted) = sorted_command(text) {
                    *text = sorted;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn context(operator: &str) -> Context {
        Context {
            namespace: "kc-7f3".into(),
            operator: operator.parse().unwrap(),
        }
    }

    fn args(text: &str) -> Value {
        normalise(&json!([text]), PodField::Args, &context("1.6.2"))
    }

    fn env(name: &str, text: &str, operator: &str) -> Value {
        let env = json!([{"name": name, "value": text}]);
        normalise(&env, PodField::Env, &context(operator))[0]["value"].take()
    }

    #[test]
    fn the_namespace_is_replaced_where_it_is_the_whole_value() {
        let collector = |text: &str| env("RAY_CLUSTER_NAMESPACE", text, "1.7.0");
        assert_eq!(collector("kc-7f3"), "<namespace>");
        assert_eq!(collector("other"), "other");
    }

    #[test]
    fn every_entry_says_why() {
        for entry in &NORMALISATIONS {
            assert!(!entry.name.is_empty());
            assert!(entry.why.ends_with('.'));
        }
    }

    #[test]
    fn nothing_but_addresses_is_replaced_in_the_command() {
        let command = |text: &str| {
            normalise(&json!(["ray", text]), PodField::Command, &context("1.0.0"))[1].take()
        };
        assert_eq!(
            command("http://x-bcdfg-head-svc.kc-7f3.svc.cluster.local:8265"),
            "http://x-bcdfg-head-svc.<namespace>.svc.cluster.local:8265"
        );
        for text in [
            "ulimit -n 65536; ray start  --b  --a ",
            " -lc",
            "kc-7f3",
            "x-bcdfg",
        ] {
            assert_eq!(command(text), text);
        }
    }

    #[test]
    fn the_namespace_in_an_address_is_replaced() {
        let found = "ray start  --address=ray-head-svc.kc-7f3.svc.cluster.local:6379  --block ";
        let expected =
            "ray start  --address=ray-head-svc.<namespace>.svc.cluster.local:6379  --block ";
        assert_eq!(args(found), json!([expected]));
        assert_eq!(env("RAY_ADDRESS", found, "1.6.2"), json!(expected));
        let init = json!([{"name": "wait-gcs-ready", "command": ["bash"], "args": [found]}]);
        let init = normalise(&init, PodField::InitContainers, &context("1.6.2"));
        assert_eq!(init[0]["args"][0], expected);
    }

    #[rstest]
    #[case::another_namespace("ray-head-svc.default.svc.cluster.local")]
    #[case::longer_namespace("ray-head-svc.kc-7f3b.svc.cluster.local")]
    #[case::no_service("kc-7f3.svc.cluster.local")]
    #[case::not_an_address("echo kc-7f3 svc ")]
    #[case::no_domain("ray-head-svc.kc-7f3.svc:6379")]
    fn other_namespaces_and_texts_stay(#[case] text: &str) {
        assert_eq!(args(text), json!([text]));
    }

    #[rstest]
    #[case::another_service("x-svc.kc-7f3.svc.cluster.local", "y-svc.kc-7f3.svc.cluster.local")]
    #[case::another_domain("x-svc.kc-7f3.svc.cluster.local", "x-svc.kc-7f3.svc.other.local")]
    #[case::another_port("x-svc.kc-7f3.svc.cluster.local:1", "x-svc.kc-7f3.svc.cluster.local:2")]
    #[case::a_space("x-svc.kc-7f3.svc.cluster.local ", "x-svc.kc-7f3.svc.cluster.local")]
    #[case::another_namespace("x-svc.kc-7f3.svc.cluster.local", "x-svc.default.svc.cluster.local")]
    #[case::another_base("a-bcdfg-head-svc", "b-bcdfg-head-svc")]
    fn replacing_addresses_hides_no_fault(#[case] right: &str, #[case] wrong: &str) {
        assert_ne!(args(right), args(wrong));
        assert_ne!(
            env("FQ_RAY_IP", right, "1.6.2"),
            env("FQ_RAY_IP", wrong, "1.6.2")
        );
    }

    #[test]
    fn the_cases_own_release_is_replaced_in_usage_tags() {
        let tags = "kuberay_version=v1.6.2;kuberay_crd=RayCluster";
        let expected = "kuberay_version=v<operator>;kuberay_crd=RayCluster";
        assert_eq!(
            env("RAY_USAGE_STATS_EXTRA_TAGS", tags, "1.6.2"),
            json!(expected)
        );
        // An operator that names another release, or another variable, is not hidden.
        assert_eq!(
            env("RAY_USAGE_STATS_EXTRA_TAGS", tags, "1.6.1"),
            json!(tags)
        );
        assert_eq!(env("SOME_TAGS", tags, "1.6.2"), json!(tags));
    }

    #[test]
    fn flags_are_sorted_before_1_3_only() {
        let found =
            json!([" echo 123  456  && ulimit -n 65536; ray start --head  --num-cpus=1  --block "]);
        let sorted =
            json!([" echo 123  456  && ulimit -n 65536; ray start --head  --block  --num-cpus=1 "]);
        assert_eq!(normalise(&found, PodField::Args, &context("1.2.2")), sorted);
        assert_eq!(normalise(&found, PodField::Args, &context("1.3.0")), found);
        let found = "ray start --head  --num-cpus=1  --block ";
        let sorted = "ray start --head  --block  --num-cpus=1 ";
        assert_eq!(
            env("KUBERAY_GEN_RAY_START_CMD", found, "1.1.0"),
            json!(sorted)
        );
        assert_eq!(
            env("KUBERAY_GEN_RAY_START_CMD", found, "1.6.2"),
            json!(found)
        );
        assert_eq!(env("MY_COMMAND", found, "1.1.0"), json!(found));
    }

    #[test]
    fn more_than_one_argument_is_the_users_own_and_stays() {
        let found = json!(["x", "ulimit -n 65536; ray start  --b  --a "]);
        assert_eq!(normalise(&found, PodField::Args, &context("1.0.0")), found);
    }

    #[test]
    fn values_of_an_unexpected_form_stay() {
        for value in [
            json!(null),
            json!("text"),
            json!([1, {"name": "RAY_USAGE_STATS_EXTRA_TAGS"}]),
            json!({"a": 1}),
        ] {
            for field in [PodField::Args, PodField::Env, PodField::InitContainers] {
                assert_eq!(normalise(&value, field, &context("1.0.0")), value);
            }
        }
    }
}
