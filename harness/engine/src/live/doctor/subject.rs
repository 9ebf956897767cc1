//! The objects that users write, each with the RayClusters, Jobs and Pods that came of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::view::{PodView, text};
use crate::live::bundle::Bundle;

/// A RayCluster with its Pods.
#[derive(Debug, Clone)]
pub(super) struct Cluster<'a> {
    pub value: &'a Value,
    pub pods: Vec<PodView<'a>>,
}

impl<'a> Cluster<'a> {
    /// The Pod templates that a Pod may have been created from: several where worker groups have the
    /// same name.
    pub fn templates(&self, pod: &PodView) -> Vec<&'a Value> {
        let spec = &self.value["spec"];
        if pod.is_head() {
            return vec![&spec["headGroupSpec"]["template"]];
        }
        let groups = spec["workerGroupSpecs"].as_array().into_iter().flatten();
        let of_name = groups.filter(|group| group["groupName"] == pod.group());
        of_name.map(|group| &group["template"]).collect()
    }

    /// Its head that is not being deleted.
    pub fn head(&self) -> Option<&PodView<'a>> {
        let mut heads = self.pods.iter().filter(|pod| pod.is_head());
        heads.find(|pod| !pod.is_going())
    }

    /// The number of workers that it asks for. Groups of one name share their Pods.
    pub fn wanted_workers(&self) -> i64 {
        let groups = self.value["spec"]["workerGroupSpecs"].as_array();
        let groups = groups.into_iter().flatten();
        let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
        for group in groups.filter(|group| group["suspend"] != true) {
            let replicas = group["replicas"].as_i64();
            let replicas = replicas
                .or_else(|| group["minReplicas"].as_i64())
                .unwrap_or(0);
            let pods = replicas.max(0) * group["numOfHosts"].as_i64().unwrap_or(1).max(1);
            let name = wanted.entry(text(&group["groupName"])).or_default();
            *name = pods.max(*name);
        }
        wanted.values().sum()
    }

    /// Whether worker groups have the same name.
    pub fn repeats_a_name(&self) -> bool {
        let groups = self.value["spec"]["workerGroupSpecs"].as_array();
        let groups = groups.map_or(&[][..], Vec::as_slice);
        let names: BTreeSet<&str> = groups
            .iter()
            .map(|group| text(&group["groupName"]))
            .collect();
        names.len() < groups.len()
    }

    /// Whether the operator is to remove its Pods.
    pub fn is_suspended(&self) -> bool {
        self.value["spec"]["suspend"] == true
    }
}

/// An object that a user writes.
#[derive(Debug, Clone)]
pub(super) struct Subject<'a> {
    pub value: &'a Value,
    /// KubeRay's objects that it made, such as the RayJob of a RayCronJob.
    pub made: Vec<&'a Value>,
    pub clusters: Vec<Cluster<'a>>,
    /// Jobs that submit.
    pub jobs: Vec<&'a Value>,
    pub submitters: Vec<PodView<'a>>,
}

impl Subject<'_> {
    pub fn kind(&self) -> &str {
        text(&self.value["kind"])
    }

    pub fn name(&self) -> &str {
        text(&self.value["metadata"]["name"])
    }

    pub fn namespace(&self) -> &str {
        text(&self.value["metadata"]["namespace"])
    }

    /// It and what it made, for events and states.
    pub fn everything(&self) -> impl Iterator<Item = &Value> {
        let clusters = self.clusters.iter().map(|cluster| cluster.value);
        std::iter::once(self.value)
            .chain(self.made.iter().copied())
            .chain(clusters)
            .chain(self.jobs.iter().copied())
    }
}

fn uid(value: &Value) -> &str {
    text(&value["metadata"]["uid"])
}

fn owner(value: &Value) -> impl Iterator<Item = &str> {
    let owners = value["metadata"]["ownerReferences"].as_array();
    owners
        .into_iter()
        .flatten()
        .map(|owner| text(&owner["uid"]))
}

/// Groups what a bundle holds by the objects that users write.
pub(super) fn of(bundle: &Bundle) -> Vec<Subject<'_>> {
    let by_uid: BTreeMap<&str, usize> = bundle
        .objects
        .iter()
        .enumerate()
        .map(|(index, object)| (uid(object), index))
        .filter(|(uid, _)| !uid.is_empty())
        .collect();
    let parent = |object: &Value| owner(object).find_map(|uid| by_uid.get(uid).copied());
    let top = |mut index: usize| {
        // RayCronJob, RayJob, RayCluster: untrusted references end here, too.
        for _ in 0..3 {
            match parent(&bundle.objects[index]) {
                Some(above) if above != index => index = above,
                _ => break,
            }
        }
        index
    };
    let mut pods: BTreeMap<(&str, &str), Vec<PodView>> = BTreeMap::new();
    for pod in &bundle.pods {
        let pod = PodView::new(pod);
        if pod.is_head() || pod.is_worker() {
            pods.entry((pod.namespace(), pod.cluster()))
                .or_default()
                .push(pod);
        }
    }
    let mut subjects: BTreeMap<usize, Subject> = BTreeMap::new();
    for (index, object) in bundle.objects.iter().enumerate() {
        let top = top(index);
        let subject = subjects.entry(top).or_insert_with(|| Subject {
            value: &bundle.objects[top],
            made: Vec::new(),
            clusters: Vec::new(),
            jobs: Vec::new(),
            submitters: Vec::new(),
        });
        if object["kind"] == "RayCluster" {
            let meta = &object["metadata"];
            let key = (text(&meta["namespace"]), text(&meta["name"]));
            subject.clusters.push(Cluster {
                value: object,
                pods: pods.remove(&key).unwrap_or_default(),
            });
        } else if index != top {
            subject.made.push(object);
        }
    }
    for job in &bundle.jobs {
        let Some(index) = parent(job).map(top) else {
            continue;
        };
        let Some(subject) = subjects.get_mut(&index) else {
            continue;
        };
        let of_job = bundle
            .pods
            .iter()
            .filter(|pod| owner(pod).any(|uid| uid == self::uid(job)));
        subject.submitters.extend(of_job.map(PodView::new));
        subject.jobs.push(job);
    }
    subjects.into_values().collect()
}
