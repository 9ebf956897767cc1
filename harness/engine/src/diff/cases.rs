//! The cases that both operators get: scenarios that need no kubelet, and generated objects of each
//! kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::DiffOptions;
use super::sides::Sides;
use crate::artifact::Pins;
use crate::compare::{Case, DiffGenerator, Kind};
use crate::plan;
use crate::runner::RunError;
use crate::scenario::{
    self, OperatorSettings, Scenario, Steps, apply_changes, later_objects, manifests,
};

/// A case that both operators get.
#[derive(Debug, Clone)]
pub(super) struct SentCase {
    pub case: Case,
    pub scenario: Option<Arc<Scenario>>,
    /// The generated object's kind and number.
    pub generated: Option<(Kind, u64)>,
    pub objects: Vec<Value>,
    pub later: Vec<Value>,
    pub steps: Steps,
    pub settings: OperatorSettings,
}

/// All cases.
pub(super) struct Cases {
    pub cases: Vec<SentCase>,
    pub notes: Vec<String>,
    pub objects: DiffGenerator,
}

impl Cases {
    /// Reads the scenarios and generates the objects.
    pub fn plan(sides: &Sides, options: &DiffOptions) -> Result<Self, RunError> {
        let objects = DiffGenerator::new(options.seed, &sides.base.release, &sides.head.release);
        let (mut cases, mut notes) = (Vec::new(), Vec::new());
        let pins = Pins::embedded();
        let ray = pins.defaults.ray.clone();
        let image = format!("{}:{ray}", pins.ray.image);
        for scenario in scenario::load_all(&options.scenarios)? {
            let spec = &scenario.file.spec;
            let named = options.names.is_empty()
                || options
                    .names
                    .iter()
                    .any(|word| scenario.name().contains(word.as_str()));
            if !named {
                continue;
            }
            let mut steps = spec.steps.clone();
            if spec.needs_kubelet() {
                if !options.records_pods_of(spec) {
                    continue;
                }
                steps.mark_ready = true;
            }
            let covers = |release| plan::includes(&scenario.operator, release);
            // What only one of the two promises is compared all the same: that is what a change to
            // the operator changes.
            let covered = [&sides.base.release, &sides.head.release].map(covers);
            if covered == [false, false] {
                continue;
            }
            // An operator ends at a setting that it does not know.
            if covered != [true, true] && !spec.operator_settings.is_default() {
                notes.push(format!(
                    "{} was not compared: only one of the two operators supports its settings",
                    scenario.name()
                ));
                continue;
            }
            let objects = manifests(&scenario, Some(&sides.base.samples));
            let (mut objects, mut later) = match (objects, later_objects(&scenario)) {
                (Ok(objects), Ok(later)) => (objects, later),
                (Err(problem), _) | (_, Err(problem)) => {
                    notes.push(format!("{} was not compared: {problem}", scenario.name()));
                    continue;
                }
            };
            let (changes, version) = (&spec.changes, ray.to_string());
            apply_changes(&mut objects, changes, "", &image, &version);
            apply_changes(&mut later, changes, "", &image, &version);
            cases.push(SentCase {
                case: Case {
                    generated: false,
                    size: size(&objects),
                    name: scenario.name().into(),
                },
                steps,
                settings: spec.operator_settings.clone(),
                scenario: Some(Arc::clone(&scenario)),
                generated: None,
                objects,
                later,
            });
        }
        let generated = Kind::ALL.into_iter();
        let generated = generated.flat_map(|kind| (0..options.objects).map(move |n| (kind, n)));
        for (kind, number) in generated {
            let manifest = objects.object(kind, number).plan().manifest("c", "");
            cases.push(SentCase::generated(kind, number, manifest));
        }
        if cases.is_empty() {
            return Err(RunError::NoCases(Vec::new()));
        }
        Ok(Self {
            cases,
            notes,
            objects,
        })
    }

    /// The case of a name.
    pub fn named(&self, case: &Case) -> Option<&SentCase> {
        self.cases.iter().find(|asked| asked.case == *case)
    }

    /// Scenarios and generated objects.
    pub fn counts(&self) -> (usize, usize) {
        let generated = self
            .cases
            .iter()
            .filter(|asked| asked.case.generated)
            .count();
        (self.cases.len() - generated, generated)
    }

    /// Cases by the settings that their operators need. The few that need other settings come
    /// first: an operator that starts looks at every object that is there.
    pub fn by_settings(cases: &[SentCase]) -> Vec<(OperatorSettings, Vec<&SentCase>)> {
        let mut by: BTreeMap<OperatorSettings, Vec<&SentCase>> = BTreeMap::new();
        for asked in cases {
            by.entry(asked.settings.clone()).or_default().push(asked);
        }
        let mut list: Vec<_> = by.into_iter().collect();
        list.sort_by_key(|(settings, _)| settings.is_default());
        list
    }
}

impl SentCase {
    /// The case of a generated object.
    pub fn generated(kind: Kind, number: u64, manifest: Value) -> Self {
        Self {
            case: Case {
                generated: true,
                size: size(std::slice::from_ref(&manifest)),
                name: format!("generated {} {number}", kind.word()),
            },
            scenario: None,
            generated: Some((kind, number)),
            objects: vec![manifest],
            later: Vec::new(),
            steps: Steps {
                // Only then the operator makes a submitter.
                mark_ready: kind == Kind::RayJob,
                ..Steps::default()
            },
            settings: OperatorSettings::default(),
        }
    }

    /// Whether an object has the overwrite annotation, on itself or on a template.
    pub fn is_annotated(&self) -> bool {
        fn has(value: &Value) -> bool {
            match value {
                Value::Object(map) => {
                    map.contains_key("ray.io/overwrite-container-cmd") || map.values().any(has)
                }
                Value::Array(items) => items.iter().any(has),
                _ => false,
            }
        }
        self.objects.iter().chain(&self.later).any(has)
    }
}

fn size(objects: &[Value]) -> usize {
    objects.iter().map(|object| object.to_string().len()).sum()
}
