//! An object of the rehearsal: how it is created, and what the API server says when it is applied
//! again.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use super::{AT_ONCE, Stage};
use crate::check::Observation;
use crate::rehearse::document::{LeftOut, RehearsedObject};
use crate::rehearse::prepare::{
    idle, key_of, lost, shown, stand_ins, stripped, unknown_fields, with_one_replica,
};
use crate::rehearse::upgrade_server::Answer;
use crate::rehearse::{ObjectKey, RehearseError, api, compare, is_annotated};

/// An object of the rehearsal.
pub(super) struct StagedObject {
    pub key: ObjectKey,
    /// As it was created.
    pub object: Value,
    /// The reason why no Pods are expected.
    pub idle: Option<&'static str>,
    pub annotated: bool,
    /// Fields that the present definitions do not know.
    pub unknown: Vec<String>,
    /// The messages of its refusals before the upgrade.
    pub refused: Vec<String>,
}

/// The API server's answer to an object that is applied again.
#[derive(Default)]
pub(super) struct Trial {
    /// Fields that it does not know.
    pub unknown: Vec<String>,
    /// The messages of its refusals.
    pub refused: Vec<String>,
}

impl StagedObject {
    /// Returns the changes that the operator made to the object by itself, and the effects of
    /// applying it again. Each pair holds the state before and after the upgrade.
    pub fn at_once(
        &mut self,
        trial: Trial,
        moments: &[Observation; 2],
        held: [Option<&Value>; 2],
    ) -> RehearsedObject {
        let mut report = RehearsedObject {
            kind: self.key.kind.clone(),
            namespace: self.key.namespace.clone(),
            name: self.key.name.clone(),
            ..RehearsedObject::default()
        };
        report.refusals = compare::new_refusals(&self.refused, &trial.refused, "the API server");
        if !self.refused.is_empty() && !trial.refused.is_empty() {
            let why = &self.refused[0];
            report
                .notes
                .push(format!("the API server refuses it today: {why}"));
        }
        let is_new = |field: &&String| !self.unknown.contains(field);
        report.dropped = trial.unknown.iter().filter(is_new).cloned().collect();
        if let [Some(old), Some(new)] = held {
            let mut gone = Vec::new();
            lost(&old["spec"], &new["spec"], "spec", &mut gone);
            gone.retain(|path| !report.dropped.contains(path));
            report.dropped.extend(gone);
        }
        for field in &self.unknown {
            report.notes.push(if trial.unknown.contains(field) {
                format!("{field} is dropped today, and after the upgrade")
            } else {
                format!("{field} is dropped today, and counts once the object is applied again")
            });
        }
        report.notes.extend(self.idle.map(str::to_owned));
        report.at_once = compare::at_once(&moments[0], &moments[1]);
        (self.unknown, self.refused) = (trial.unknown, trial.refused);
        report
    }
}

impl Stage<'_> {
    /// Creates the objects with what they refer to.
    pub(super) async fn create(&mut self) -> Result<(), RehearseError> {
        let fleet = &self.options.fleet;
        self.say("creating the objects");
        let all = fleet.objects.iter().chain(&fleet.others);
        let namespaces: BTreeSet<String> = all.map(|one| key_of(one).namespace).collect();
        for name in namespaces.iter().filter(|name| !name.is_empty()) {
            let namespace: Result<Namespace, _> =
                serde_json::from_value(json!({"metadata": {"name": name}}));
            let Ok(namespace) = namespace else { continue };
            let all: Api<Namespace> = Api::all(self.server.client().clone());
            match all.create(&PostParams::default(), &namespace).await {
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(error) => return Err(api("creating the namespace", name)(error)),
                Ok(_) => {}
            }
        }
        for object in &fleet.others {
            if let Err(error) = self.server.sender.apply(&stripped(object)).await {
                self.left_out.push(LeftOut {
                    object: shown(&key_of(object)),
                    why: error.to_string(),
                });
            }
        }
        let stand_ins = stand_ins(&fleet.objects, &fleet.others);
        for object in &stand_ins {
            self.server.sender.apply(object).await?;
        }
        let (mut resized, mut objects) = (0, Vec::new());
        for object in &fleet.objects {
            let mut created = stripped(object);
            resized += usize::from(with_one_replica(&mut created));
            objects.push(StagedObject {
                key: key_of(object),
                idle: idle(object),
                annotated: is_annotated(object),
                object: created,
                unknown: Vec::new(),
                refused: Vec::new(),
            });
        }
        let server = &self.server;
        let one = |mut staged: StagedObject| async move {
            // First as kubectl does, which names the fields that are not known.
            if let Answer::Refused(message) = server.create(&staged.object, true, true).await? {
                staged.unknown = unknown_fields(&message);
            }
            // What has ended is not started again.
            let is_trial = staged.idle.is_some() && staged.key.kind == "RayJob";
            if let Answer::Refused(message) = server.create(&staged.object, is_trial, false).await?
            {
                staged.refused.push(message);
            }
            Ok::<_, RehearseError>(staged)
        };
        let created: Vec<_> = futures::stream::iter(objects)
            .map(one)
            .buffered(AT_ONCE)
            .collect()
            .await;
        self.objects = created.into_iter().collect::<Result<_, _>>()?;
        self.note_stand_ins(&stand_ins, resized);
        Ok(())
    }

    fn note_stand_ins(&mut self, stand_ins: &[Value], resized: usize) {
        self.notes.push(
            "no container ran: the harness set the status of every Pod to Running and Ready, as a \
             kubelet does"
                .into(),
        );
        if resized > 0 {
            self.notes.push(format!(
                "{resized} objects had their worker groups set to one replica: Pods of a group are \
                 alike"
            ));
        }
        for object in stand_ins {
            self.notes.push(format!(
                "{} was not there; an empty one stood in",
                shown(&key_of(object))
            ));
        }
        self.notes.push(
            "webhooks, quotas, LimitRanges and NetworkPolicies of the cluster did not take part"
                .into(),
        );
    }

    /// Applies each object again as a dry run, and returns the API server's answers.
    pub(super) async fn trials(&self) -> Result<Vec<Trial>, RehearseError> {
        let one = async |staged: &StagedObject| {
            let mut trial = Trial::default();
            if let Answer::Refused(message) = self.server.create(&staged.object, true, true).await?
            {
                trial.unknown = unknown_fields(&message);
                // Without unknown fields it may be taken, as clients other than kubectl send it.
                let again = self.server.create(&staged.object, true, false).await?;
                if let Answer::Refused(message) = again {
                    trial.refused.push(message);
                }
            }
            Ok::<_, RehearseError>(trial)
        };
        let trials = futures::stream::iter(&self.objects)
            .map(one)
            .buffered(AT_ONCE);
        let trials: Vec<Result<Trial, RehearseError>> = trials.collect().await;
        trials.into_iter().collect()
    }
}
