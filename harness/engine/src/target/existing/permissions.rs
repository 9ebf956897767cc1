//! Whether the user of a context may do what a run does, asked before anything is made.

use std::fmt;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, ResourceRule, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
    SelfSubjectRulesReview, SelfSubjectRulesReviewSpec,
};
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use kube::api::PostParams;
use kube::{Api, Client};

use crate::artifact::fixture;

/// The manifest that lists them.
const MANIFEST: &str = "rbac/run.yaml";
/// A namespace that nobody has: what may be done there may be done in every namespace.
const NOWHERE: &str = "kuberay-conformance-asks";

/// One verb on one resource, in every namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// API group; empty for the core.
    pub group: String,
    /// Resource, with its subresource after a slash.
    pub resource: String,
    /// Verb.
    pub verb: String,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if self.group.is_empty() {
            Ok(())
        } else {
            write!(f, ".{}", self.group)
        }
    }
}

/// A reason why a run may not begin.
#[derive(Debug, thiserror::Error)]
pub enum PermissionError {
    /// The API server could not be asked.
    #[error("reviewing the permissions with the API server: {0}")]
    Api(#[from] kube::Error),
    /// Something may not be done.
    #[error(
        "in every namespace, this context may not {}; fixtures/{MANIFEST} grants all that a run needs \
         (docs/guide/existing-clusters.md)", list(.0)
    )]
    Missing(Vec<Permission>),
}

fn list(permissions: &[Permission]) -> String {
    let all: Vec<_> = permissions.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// Everything that a run needs, as its manifest grants it.
pub(super) fn needed() -> Vec<Permission> {
    let text = fixture(MANIFEST).unwrap_or_default();
    let documents = text
        .split("\n---\n")
        .filter(|document| document.contains("kind: ClusterRole\n"));
    let roles =
        documents.filter_map(|document| serde_saphyr::from_str::<ClusterRole>(document).ok());
    let mut all: Vec<Permission> = roles
        .flat_map(|role| role.rules.unwrap_or_default())
        .flat_map(|rule| of_rule(&rule))
        .collect();
    all.sort();
    all
}

fn of_rule(rule: &PolicyRule) -> Vec<Permission> {
    let mut all = Vec::new();
    for group in rule.api_groups.iter().flatten() {
        for resource in rule.resources.iter().flatten() {
            for verb in &rule.verbs {
                let (group, resource, verb) = (group.clone(), resource.clone(), verb.clone());
                all.push(Permission {
                    group,
                    resource,
                    verb,
                });
            }
        }
    }
    all
}

/// Asks whether all of it may be done: with one request, and, where the answer may lack something
/// (an authoriser outside of the cluster does not tell its rules), with one more for each
/// permission that it does not show.
///
/// # Errors
/// When something may not be done, or the API server does not answer.
pub(super) async fn check(client: &Client) -> Result<(), PermissionError> {
    let review = SelfSubjectRulesReview {
        spec: SelfSubjectRulesReviewSpec {
            namespace: Some(NOWHERE.into()),
        },
        ..SelfSubjectRulesReview::default()
    };
    let api: Api<SelfSubjectRulesReview> = Api::all(client.clone());
    let status = api
        .create(&PostParams::default(), &review)
        .await?
        .status
        .unwrap_or_default();
    let mut missing = needed();
    missing.retain(|permission| {
        !status
            .resource_rules
            .iter()
            .any(|rule| grants(rule, permission))
    });
    if status.incomplete {
        let mut denied = Vec::new();
        for permission in missing {
            if !is_allowed(client, &permission).await? {
                denied.push(permission);
            }
        }
        missing = denied;
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(PermissionError::Missing(missing))
    }
}

fn grants(rule: &ResourceRule, permission: &Permission) -> bool {
    let has = |list: Option<&Vec<String>>, wanted: &str| {
        list.is_some_and(|list| list.iter().any(|one| one == "*" || one == wanted))
    };
    let subresource = permission
        .resource
        .split_once('/')
        .map(|(_, sub)| format!("*/{sub}"));
    let resource = has(rule.resources.as_ref(), &permission.resource)
        || subresource.is_some_and(|any| has(rule.resources.as_ref(), &any));
    // Rules for single objects by their names grant nothing for objects that come.
    let for_all = rule.resource_names.as_ref().is_none_or(Vec::is_empty);
    for_all
        && resource
        && has(rule.api_groups.as_ref(), &permission.group)
        && has(Some(&rule.verbs), &permission.verb)
}

async fn is_allowed(client: &Client, permission: &Permission) -> Result<bool, kube::Error> {
    let (resource, subresource) = match permission.resource.split_once('/') {
        Some((resource, sub)) => (resource, Some(sub.to_owned())),
        None => (permission.resource.as_str(), None),
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                group: Some(permission.group.clone()),
                resource: Some(resource.to_owned()),
                subresource,
                verb: Some(permission.verb.clone()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let answer = api.create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

#[cfg(test)]
mod tests {
    use assertables::assert_contains;
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::{Permission, grants, needed};

    fn permission(group: &str, resource: &str, verb: &str) -> Permission {
        Permission {
            group: group.into(),
            resource: resource.into(),
            verb: verb.into(),
        }
    }

    #[test]
    fn the_manifest_is_the_list() {
        let all = needed();
        assert_contains!(all, &permission("", "pods/portforward", "create"));
        assert_contains!(all, &permission("ray.io", "rayclusters", "create"));
        for one in &all {
            for part in [&one.group, &one.resource, &one.verb] {
                assert_ne!(part, "*", "{one}");
            }
        }
        assert_eq!(
            permission("ray.io", "rayjobs", "create").to_string(),
            "create rayjobs.ray.io"
        );
    }

    #[rstest]
    #[case::exact(json!({"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}), true)]
    #[case::everything(json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}), true)]
    #[case::every_log(json!({"apiGroups": [""], "resources": ["*/log"], "verbs": ["get", "list"]}), true)]
    #[case::another_verb(json!({"apiGroups": [""], "resources": ["pods/log"], "verbs": ["list"]}), false)]
    #[case::another_group(json!({"apiGroups": ["apps"], "resources": ["pods/log"], "verbs": ["get"]}), false)]
    #[case::the_resource_alone(json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}), false)]
    #[case::one_pod(json!({"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"], "resourceNames": ["a"]}), false)]
    fn rules_grant(#[case] rule: Value, #[case] expected: bool) {
        let rule = serde_json::from_value(rule).unwrap();
        assert_eq!(grants(&rule, &permission("", "pods/log", "get")), expected);
    }
}
