//! The entries of a mapping while it is read.

use std::collections::HashMap;

use super::{MappingKey, Node};

/// A mapping with more keys is looked up by hash, so that large ones stay fast.
const MANY_KEYS: usize = 16;

pub(super) struct Entries {
    pub all: Vec<(MappingKey, Node)>,
    /// Of each of them, whether it comes from `<<`.
    merged: Vec<bool>,
    /// Index of each name, for mappings with many.
    names: Option<HashMap<String, usize>>,
}

impl Entries {
    pub fn new(count: usize) -> Self {
        Self {
            all: Vec::with_capacity(count),
            merged: Vec::with_capacity(count),
            names: None,
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
        let at = self.find(name).filter(|at| !self.merged[*at])?;
        Some(&self.all[at].0)
    }

    /// Adds an entry of the mapping itself.
    pub fn write(&mut self, key: MappingKey, value: Node) {
        self.replace(key, value, false);
    }

    /// Adds an entry that comes from `<<`.
    pub fn merge(&mut self, key: MappingKey, value: Node) {
        self.replace(key, value, true);
    }

    /// Adds an entry, or replaces the one with its name.
    fn replace(&mut self, key: MappingKey, value: Node, merged: bool) {
        if let Some(at) = self.find(&key.name) {
            self.all[at] = (key, value);
            self.merged[at] = merged;
            return;
        }
        if let Some(names) = &mut self.names {
            names.insert(key.name.clone(), self.all.len());
        }
        self.all.push((key, value));
        self.merged.push(merged);
        if self.names.is_none() && self.all.len() > MANY_KEYS {
            let names = self.all.iter().enumerate();
            let names = names.map(|(at, (key, _))| (key.name.clone(), at));
            self.names = Some(names.collect());
        }
    }
}
