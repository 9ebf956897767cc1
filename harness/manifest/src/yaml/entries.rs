//! The entries of a mapping while it is read.

use std::collections::HashMap;

use super::{MappingKey, Node};

/// A mapping with more keys is looked up by hash, so that large ones stay fast.
const MANY_KEYS: usize = 16;

pub(super) struct Entries {
    pub all: Vec<(MappingKey, Node)>,
    /// Where each name stands, for mappings with many.
    names: Option<HashMap<String, usize>>,
    /// Which of them come from `<<`.
    merged: Vec<usize>,
}

impl Entries {
    pub fn new(count: usize) -> Self {
        Self {
            all: Vec::with_capacity(count),
            names: (count > MANY_KEYS).then(HashMap::new),
            merged: Vec::new(),
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        match &self.names {
            Some(names) => names.get(name).copied(),
            None => self.all.iter().position(|(key, _)| key.name == name),
        }
    }

    /// The key of a name that stands in the mapping itself.
    pub fn written(&self, name: &str) -> Option<&MappingKey> {
        let at = self.find(name).filter(|at| !self.merged.contains(at))?;
        Some(&self.all[at].0)
    }

    /// Adds an entry of the mapping itself.
    pub fn write(&mut self, key: MappingKey, value: Node) {
        let at = self.replace(key, value);
        self.merged.retain(|merged| *merged != at);
    }

    /// Adds an entry that comes from `<<`.
    pub fn merge(&mut self, key: MappingKey, value: Node) {
        let at = self.replace(key, value);
        if !self.merged.contains(&at) {
            self.merged.push(at);
        }
    }

    /// Adds an entry, or replaces the one with its name; returns where it stands.
    fn replace(&mut self, key: MappingKey, value: Node) -> usize {
        if let Some(at) = self.find(&key.name) {
            self.all[at] = (key, value);
            return at;
        }
        if let Some(names) = &mut self.names {
            names.insert(key.name.clone(), self.all.len());
        }
        self.all.push((key, value));
        self.all.len() - 1
    }
}
