//! An operator of our own in a cluster that is not ours: everything that is made is written down
//! first, and only that goes.

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, ListParams};
use kube::runtime::wait::await_condition;
use kube::{Api, Client, ResourceExt};
use semver::Version;
use serde_json::{Value, json};

use super::error::{OperatorError, api_error};
use super::install::{AVAILABLE_WITHIN, until_established};
use super::model::Installed;
use super::objects::{MANAGED_BY, MANAGER, ObjectError, Sender};
use super::render::Rendered;
use super::wait;
use crate::progress::Progress;

/// The namespace of an operator that a run installs in an existing cluster.
pub const OWN_NAMESPACE: &str = "kuberay-conformance-operator";
/// The `ConfigMap` in it that lists what was made.
const INVENTORY: &str = "inventory";
const LIST: &str = "objects.json";
/// The label on everything that the inventory lists, with the inventory's uid. [`MANAGED_BY`] alone
/// is also on what other commands make.
const LISTED_BY: &str = "kuberay-conformance/inventory";
const GONE_WITHIN: std::time::Duration = std::time::Duration::from_mins(2);

/// Installs an operator into [`OWN_NAMESPACE`].
///
/// # Errors
/// When something that it needs is there already and was not made by the harness: then nothing is
/// made. Else when it is refused, or does not become available; what was made by then is in the
/// inventory, so that [`remove_own`] removes it.
pub async fn install_beside_others(
    client: &Client,
    mut rendered: Rendered,
    release: &Version,
    progress: &dyn Progress,
) -> Result<Installed, OperatorError> {
    rendered.move_to(OWN_NAMESPACE);
    for object in &mut rendered.objects {
        object["metadata"]["labels"][MANAGED_BY] = json!(MANAGER);
    }
    let task = "operator";
    let sender = Sender::new(client.clone());
    let refused = |source| OperatorError::Object {
        release: release.clone(),
        source,
    };
    progress.update(task, "looking for existing objects");
    let crds: Vec<Value> = rendered.crds.iter().map(|(name, _)| crd(name)).collect();
    let mut foreign = Vec::new();
    for object in crds.iter().chain(&rendered.objects) {
        // What lies in our namespace is ours when the namespace is.
        if object["metadata"]["namespace"].is_string() {
            continue;
        }
        let there = sender.get(object).await.map_err(refused)?;
        if there.is_some_and(|there| there["metadata"]["labels"][MANAGED_BY] != MANAGER) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            foreign.push(format!(
                "{} {}",
                text(&object["kind"]),
                text(&object["metadata"]["name"])
            ));
        }
    }
    if !foreign.is_empty() {
        return Err(OperatorError::Foreign(foreign));
    }
    progress.update(
        task,
        &format!("applying KubeRay {release} in {OWN_NAMESPACE}"),
    );
    let (namespace, rest): (Vec<Value>, Vec<Value>) = std::mem::take(&mut rendered.objects)
        .into_iter()
        .partition(|object| object["kind"] == "Namespace");
    for object in &namespace {
        sender.apply(object).await.map_err(refused)?;
    }
    let outside = rest
        .iter()
        .filter(|object| !object["metadata"]["namespace"].is_string());
    let mut list: Vec<Value> = crds.iter().chain(outside).map(reference).collect();
    // What an earlier run was to make stays listed until it is removed.
    if let Some(earlier) = sender.get(&inventory(&[])).await.map_err(refused)? {
        let earlier = recorded(&earlier)?;
        list.extend(
            earlier
                .into_iter()
                .filter(|object| !list.contains(object))
                .collect::<Vec<_>>(),
        );
    }
    let inventory = sender.apply(&inventory(&list)).await.map_err(refused)?;
    let uid = inventory["metadata"]["uid"].as_str().unwrap_or_default();
    for (name, yaml) in &rendered.crds {
        sender.apply_crd(name, yaml).await.map_err(refused)?;
        for (label, value) in [(MANAGED_BY, MANAGER), (LISTED_BY, uid)] {
            sender
                .label(&crd(name), label, value)
                .await
                .map_err(refused)?;
        }
    }
    until_established(client, &rendered).await?;
    for mut object in rest {
        object["metadata"]["labels"][LISTED_BY] = json!(uid);
        sender.apply(&object).await.map_err(refused)?;
    }
    progress.update(
        task,
        &format!("waiting for KubeRay {release} to be available"),
    );
    let installed = Installed {
        release: release.clone(),
        namespace: OWN_NAMESPACE.into(),
        deployment: rendered.deployment.clone(),
        reused: false,
    };
    wait::until_working(client, &installed, AVAILABLE_WITHIN).await?;
    Ok(installed)
}

fn crd(name: &str) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}})
}

fn reference(object: &Value) -> Value {
    json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": {"name": object["metadata"]["name"]}})
}

fn inventory(list: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": INVENTORY, "namespace": OWN_NAMESPACE, "labels": {MANAGED_BY: MANAGER}},
        "data": {LIST: Value::from(list).to_string()}})
}

/// Returns what an inventory lists.
fn recorded(inventory: &Value) -> Result<Vec<Value>, OperatorError> {
    let unreadable = |problem: String| OperatorError::Inventory {
        namespace: OWN_NAMESPACE,
        name: INVENTORY,
        problem,
    };
    let text = inventory["data"][LIST]
        .as_str()
        .ok_or_else(|| unreadable(format!("it has no `{LIST}`")))?;
    let list: Vec<Value> =
        serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
    let named = |object: &&Value| {
        ["/apiVersion", "/kind", "/metadata/name"]
            .iter()
            .all(|field| object.pointer(field).is_some_and(Value::is_string))
    };
    match list.iter().find(|object| !named(object)) {
        Some(object) => Err(unreadable(format!("{object} names no object"))),
        None => Ok(list),
    }
}

/// Removes the operator that [`install_beside_others`] has installed, where it did; returns what
/// was removed and what stays, one sentence each. CRDs stay while somebody's objects are of their
/// kind: these would go with them.
///
/// # Errors
/// When the API server refuses, or the namespace does not end.
pub async fn remove_own(client: &Client) -> Result<Vec<String>, OperatorError> {
    let doing = "removing the operator that a run installed";
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let ours = namespaces
        .get_opt(OWN_NAMESPACE)
        .await
        .map_err(api_error(doing))?;
    if ours.is_none_or(|namespace| {
        namespace
            .labels()
            .get(MANAGED_BY)
            .is_none_or(|by| by != MANAGER)
    }) {
        return Ok(Vec::new());
    }
    let sender = Sender::new(client.clone());
    let removal = |source: ObjectError| OperatorError::Removal(source.to_string());
    let inventory = sender.get(&inventory(&[])).await.map_err(removal)?;
    // Where there is none, nothing outside the namespace was made: the inventory is the first
    // object in it.
    let list = inventory.as_ref().map_or(Ok(Vec::new()), recorded)?;
    let uid = inventory
        .map(|mut inventory| inventory["metadata"]["uid"].take())
        .unwrap_or_default();
    let mut told = Vec::new();
    for object in &list {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let kind = object["kind"].as_str().unwrap_or_default();
        let Some(found) = sender.get(object).await.map_err(removal)? else {
            continue;
        };
        let labels = &found["metadata"]["labels"];
        if labels[MANAGED_BY] != MANAGER || labels[LISTED_BY] != uid {
            told.push(format!(
                "{kind} {name} stays: no run created it with this operator"
            ));
            continue;
        }
        if object["kind"] == "CustomResourceDefinition" {
            let left = objects_of(client, &found).await.map_err(api_error(doing))?;
            let why = match left {
                Some(0) => None,
                Some(left) => Some(format!(
                    "{left} of its objects are in the cluster and would be deleted"
                )),
                None => Some("its objects can't be listed".into()),
            };
            if let Some(why) = why {
                told.push(format!("{name} stays: {why}"));
                continue;
            }
        }
        sender.delete_found(&found).await.map_err(removal)?;
        told.push(format!("removed {kind} {name}"));
    }
    namespaces
        .delete(OWN_NAMESPACE, &DeleteParams::background())
        .await
        .map_err(api_error(doing))?;
    let gone = await_condition(namespaces, OWN_NAMESPACE, |found: Option<&Namespace>| {
        found.is_none()
    });
    match tokio::time::timeout(GONE_WITHIN, gone).await {
        Ok(Ok(_)) => told.push(format!("removed the namespace {OWN_NAMESPACE}")),
        Ok(Err(error)) => return Err(OperatorError::Removal(error.to_string())),
        Err(_) => {
            let seconds = GONE_WITHIN.as_secs();
            let why =
                format!("the namespace {OWN_NAMESPACE} is still being deleted after {seconds} s");
            return Err(OperatorError::Removal(why));
        }
    }
    Ok(told)
}

/// How many objects of a CRD there are, in whatever version: each version that is served shows all
/// of them. `None` where none is served.
async fn objects_of(client: &Client, crd: &Value) -> Result<Option<usize>, kube::Error> {
    let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str);
    let versions = crd["spec"]["versions"].as_array().into_iter().flatten();
    let mut served = versions.filter(|version| version["served"] == true);
    let version = served.find_map(|version| version["name"].as_str());
    let (group, plural) = (text("/spec/group"), text("/spec/names/plural"));
    let (Some(version), Some(group), Some(plural)) = (version, group, plural) else {
        return Ok(None);
    };
    let resource = kube::api::ApiResource {
        group: group.into(),
        version: version.into(),
        api_version: format!("{group}/{version}"),
        kind: text("/spec/names/kind").unwrap_or(plural).into(),
        plural: plural.into(),
    };
    let api: Api<kube::api::DynamicObject> = Api::all_with(client.clone(), &resource);
    match api.list_metadata(&ListParams::default()).await {
        Ok(list) => Ok(Some(list.items.len())),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
#[path = "inventory/mutated.rs"]
mod mutated;
