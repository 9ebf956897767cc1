//! Names and ids that the operator generates, found where they come from and masked where they are
//! used.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde_json::Value;

use super::Observation;

/// What stands in a snapshot in place of a random ending.
const MASK: &str = "-<generated>";

/// Kinds that give the objects which they create a name with a random ending.
const NAMERS: [&str; 3] = ["RayJob", "RayService", "RayCronJob"];

/// The random endings of the names and ids of one case, such as `-x7b2c`.
///
/// An ending is known from the object that holds it: a `RayCluster` or a `RayJob` whose owner gave
/// it a name (`ownerReferences`), and the status of a `RayJob`, in which the operator writes the id
/// that it submits the job with. A text that only looks like a generated name is not masked.
/// Source: `GenerateRayClusterName` and `GenerateRayJobId` in
/// ray-operator/controllers/ray/utils/util.go, 1.0.0 to 1.7.0.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Generated(BTreeSet<String>);

impl Generated {
    /// Finds the endings in the objects of a case.
    pub(super) fn of(observation: &Observation) -> Self {
        let objects = observation.ray_clusters.iter().chain(&observation.ray_jobs);
        let names = objects
            .filter(|object| is_named_by_owner(object))
            .filter_map(|object| object["metadata"]["name"].as_str());
        let ids = observation
            .ray_jobs
            .iter()
            .filter(|job| chosen_id(job).is_none())
            .filter_map(job_id);
        let endings = names
            .chain(ids)
            .filter_map(|name| name.rfind('-').map(|at| &name[at..]));
        // An ending without characters would be found in every text.
        let endings = endings.filter(|ending| ending.len() > 1);
        Self(endings.map(str::to_owned).collect())
    }

    /// Replaces the endings in every text of a value.
    pub(super) fn mask(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                for ending in &self.0 {
                    *text = masked(text, ending);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask(item)),
            Value::Object(entries) => entries.values_mut().for_each(|item| self.mask(item)),
            _ => {}
        }
    }
}

/// Replaces an ending where the name ends: before a character that no name continues with, or
/// before a dash.
fn masked(text: &str, ending: &str) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ending) {
        let (before, after) = (&rest[..at], &rest[at + ending.len()..]);
        done.push_str(before);
        let goes_on = after.starts_with(|c: char| c.is_ascii_alphanumeric());
        done.push_str(if goes_on { ending } else { MASK });
        rest = after;
    }
    done.push_str(rest);
    done
}

fn is_named_by_owner(object: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|owner| {
        let kind = owner["kind"].as_str().unwrap_or_default();
        NAMERS.contains(&kind)
    })
}

fn chosen_id(job: &Value) -> Option<&str> {
    job["spec"]["jobId"].as_str().filter(|id| !id.is_empty())
}

fn job_id(job: &Value) -> Option<&str> {
    job["status"]["jobId"].as_str().filter(|id| !id.is_empty())
}

/// Returns what has not been seen yet of the objects that generated names in a Pod come from. The
/// watches of different kinds do not run in step, so a Pod may be seen before its `RayCluster`.
pub(super) fn unseen_origin(
    owners: Option<&[OwnerReference]>,
    observation: &Observation,
) -> Option<String> {
    let has = |objects: &[Value], uid: &str| {
        let mut uids = objects.iter().map(|object| &object["metadata"]["uid"]);
        uids.any(|known| known == uid)
    };
    let own = owners.into_iter().flatten().find_map(|owner| {
        let objects = match owner.kind.as_str() {
            "RayCluster" => &observation.ray_clusters,
            "RayJob" => &observation.ray_jobs,
            _ => return None,
        };
        (!has(objects, &owner.uid)).then(|| format!("the {} {}", owner.kind, owner.name))
    });
    let of_job = || {
        observation.ray_jobs.iter().find_map(|job| {
            let name = job["metadata"]["name"].as_str().unwrap_or_default();
            if job_id(job).is_none() {
                return Some(format!("the job id in the status of the RayJob {name}"));
            }
            let cluster = job["status"]["rayClusterName"].as_str()?;
            let mut names = observation
                .ray_clusters
                .iter()
                .map(|cluster| &cluster["metadata"]["name"]);
            let selects = job["spec"]["clusterSelector"]
                .as_object()
                .is_some_and(|labels| !labels.is_empty());
            (!selects && !names.any(|known| known == cluster))
                .then(|| format!("the RayCluster {cluster}"))
        })
    };
    own.or_else(of_job)
}

#[cfg(test)]
mod tests {
    use assertables::assert_contains;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn owned(kind: &str, name: &str, owner: &str) -> Value {
        json!({"kind": kind, "metadata": {"name": name, "uid": name,
            "ownerReferences": [{"kind": owner, "name": "x", "uid": "x"}]}})
    }

    fn job(name: &str, chosen: &str, id: &str) -> Value {
        json!({"metadata": {"name": name, "uid": name}, "spec": {"jobId": chosen}, "status": {"jobId": id}})
    }

    fn masks(clusters: Vec<Value>, jobs: Vec<Value>, text: &str) -> String {
        let all = Observation {
            ray_clusters: clusters,
            ray_jobs: jobs,
            ..Observation::default()
        };
        let mut value = json!([{"value": text}]);
        Generated::of(&all).mask(&mut value);
        value[0]["value"].as_str().unwrap().to_owned()
    }

    #[rstest]
    #[case(
        "RayJob",
        "http://a-bcdfg-head-svc.ns.svc:8265",
        "http://a-<generated>-head-svc.ns.svc:8265"
    )]
    #[case("RayService", "a-bcdfg", "a-<generated>")]
    // A long name is cut at its beginning.
    #[case("RayService", "r-bcdfg-head-svc", "r-<generated>-head-svc")]
    // Another name only begins alike, or looks alike.
    #[case("RayJob", "a-bcdfgh-head-svc", "a-bcdfgh-head-svc")]
    #[case("RayJob", "a-ghjkl-head-svc", "a-ghjkl-head-svc")]
    // A name that nobody generated.
    #[case("Deployment", "a-bcdfg-head-svc", "a-bcdfg-head-svc")]
    fn names_of_owned_clusters(#[case] owner: &str, #[case] text: &str, #[case] expected: &str) {
        assert_eq!(
            masks(vec![owned("RayCluster", "a-bcdfg", owner)], vec![], text),
            expected
        );
    }

    #[rstest]
    #[case(
        "",
        "job-x7b2c",
        "--submission-id job-x7b2c --",
        "--submission-id job-<generated> --"
    )]
    #[case("job-x7b2c", "job-x7b2c", "job-x7b2c", "job-x7b2c")]
    #[case("", "", "a-", "a-")]
    // An ending without characters.
    #[case("", "job-", "a-b c-d", "a-b c-d")]
    fn ids_of_jobs(
        #[case] chosen: &str,
        #[case] id: &str,
        #[case] text: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(masks(vec![], vec![job("job", chosen, id)], text), expected);
    }

    #[test]
    fn a_pod_waits_for_what_its_names_come_from() {
        let owner = |kind: &str| OwnerReference {
            kind: kind.into(),
            name: "a".into(),
            uid: "a".into(),
            ..OwnerReference::default()
        };
        let mut all = Observation::default();
        let unseen = |kind: &str, all: &Observation| unseen_origin(Some(&[owner(kind)]), all);
        assert_eq!(unseen("RayCluster", &all).unwrap(), "the RayCluster a");
        assert_eq!(unseen("RayJob", &all).unwrap(), "the RayJob a");
        assert_eq!(unseen("ReplicaSet", &all), None);
        all.ray_jobs = vec![job("a", "", "")];
        assert_contains!(unseen("RayJob", &all).unwrap(), "job id");
        all.ray_jobs = vec![job("a", "", "a-x7b2c")];
        all.ray_jobs[0]["status"]["rayClusterName"] = json!("a-bcdfg");
        assert_eq!(unseen("RayJob", &all).unwrap(), "the RayCluster a-bcdfg");
        // One that the RayJob selects is not named by it.
        all.ray_jobs[0]["spec"]["clusterSelector"] = json!({"ray.io/cluster": "a-bcdfg"});
        assert_eq!(unseen("RayJob", &all), None);
        all.ray_jobs[0]["spec"]["clusterSelector"] = json!({});
        assert_eq!(unseen("RayJob", &all).unwrap(), "the RayCluster a-bcdfg");
        all.ray_clusters = vec![owned("RayCluster", "a-bcdfg", "RayJob")];
        assert_eq!(unseen("RayJob", &all), None);
    }
}
