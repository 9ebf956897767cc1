//! What a watch has shown of one kind of object.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::watcher::Event;

/// Objects by their uid, as a watch shows them; those that went are kept apart, for evidence.
#[derive(Debug, Clone)]
pub(super) struct Cache<K> {
    live: BTreeMap<String, K>,
    incoming: BTreeMap<String, K>,
    gone: Vec<K>,
    synced: bool,
}

impl<K> Default for Cache<K> {
    fn default() -> Self {
        Self {
            live: BTreeMap::new(),
            incoming: BTreeMap::new(),
            gone: Vec::new(),
            synced: false,
        }
    }
}

impl<K> Cache<K> {
    /// Without objects; `synced` where that is the whole truth.
    pub(super) fn new(synced: bool) -> Self {
        Self {
            synced,
            ..Self::default()
        }
    }
}

impl<K: ResourceExt + Clone> Cache<K> {
    /// Takes in what the watch says; true when something changed.
    pub(super) fn apply(&mut self, event: Event<K>) -> bool {
        match event {
            Event::Apply(object) => {
                self.live.insert(key(&object), object);
                true
            }
            Event::Delete(object) => {
                self.live.remove(&key(&object));
                self.gone.push(object);
                true
            }
            Event::Init => {
                self.incoming.clear();
                false
            }
            Event::InitApply(object) => {
                self.incoming.insert(key(&object), object);
                false
            }
            Event::InitDone => {
                let before = std::mem::replace(&mut self.live, std::mem::take(&mut self.incoming));
                for (key, object) in before {
                    if !self.live.contains_key(&key) {
                        self.gone.push(object);
                    }
                }
                self.synced = true;
                true
            }
        }
    }

    /// Whether the first list has been read whole.
    pub(super) fn synced(&self) -> bool {
        self.synced
    }

    /// Objects that exist, in order of creation.
    pub(super) fn live(&self) -> Vec<K> {
        let mut objects: Vec<K> = self.live.values().cloned().collect();
        objects.sort_by_key(|object| (created(object), object.name_any()));
        objects
    }

    /// Objects that existed and are gone, as last seen.
    pub(super) fn gone(&self) -> Vec<K> {
        self.gone.clone()
    }

    /// Uids of the objects that exist.
    pub(super) fn uids(&self) -> impl Iterator<Item = &str> {
        self.live.keys().map(String::as_str)
    }

    /// Names of the objects that exist, by uid.
    pub(super) fn names(&self) -> BTreeMap<String, String> {
        let named = self.live.iter();
        named
            .map(|(uid, object)| (uid.clone(), object.name_any()))
            .collect()
    }

    /// Whether the object of this uid exists.
    pub(super) fn is_live(&self, uid: &str) -> bool {
        self.live.contains_key(uid)
    }

    /// Whether this version of the object, or a later one, has been shown. Versions are compared as
    /// numbers, which they are in an API server with etcd. What is gone was shown, whatever its last
    /// version: no other object gets its uid.
    pub(super) fn has_shown(&self, uid: &str, version: &str) -> bool {
        let Some(known) = self.live.get(uid) else {
            return self.gone.iter().any(|object| key(object) == uid);
        };
        let shown = known.resource_version().unwrap_or_default();
        match (shown.parse::<u64>(), version.parse::<u64>()) {
            (Ok(shown), Ok(version)) => shown >= version,
            _ => shown == version,
        }
    }

    /// How many objects exist.
    pub(super) fn len(&self) -> usize {
        self.live.len()
    }

    /// The live object of this name.
    pub(super) fn named(&self, name: &str) -> Option<&K> {
        self.live.values().find(|object| object.name_any() == name)
    }
}

fn key<K: ResourceExt>(object: &K) -> String {
    object.uid().unwrap_or_else(|| object.name_any())
}

fn created<K: ResourceExt>(object: &K) -> Option<Timestamp> {
    object.creation_timestamp().map(|time| time.0)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use kube::runtime::watcher::Event;

    use super::Cache;

    fn pod(name: &str, created: &str) -> Pod {
        serde_json::from_value(serde_json::json!({
            "metadata": {"name": name, "uid": format!("uid-{name}"), "creationTimestamp": created}
        }))
        .expect("a Pod")
    }

    fn names(pods: &[Pod]) -> Vec<&str> {
        pods.iter()
            .filter_map(|pod| pod.metadata.name.as_deref())
            .collect()
    }

    #[test]
    fn a_new_list_replaces_what_was_known_and_keeps_what_went() {
        let mut cache = Cache::default();
        assert!(!cache.apply(Event::Init));
        cache.apply(Event::InitApply(pod("b", "2026-01-01T00:00:01Z")));
        cache.apply(Event::InitApply(pod("a", "2026-01-01T00:00:02Z")));
        assert!(!cache.synced(), "an unfinished list is not shown");
        assert!(cache.len() == 0, "an unfinished list is not shown");
        assert!(cache.apply(Event::InitDone));
        assert_eq!(names(&cache.live()), ["b", "a"], "in order of creation");

        cache.apply(Event::Apply(pod("c", "2026-01-01T00:00:03Z")));
        cache.apply(Event::Delete(pod("b", "2026-01-01T00:00:01Z")));
        assert_eq!(names(&cache.live()), ["a", "c"]);

        cache.apply(Event::Init);
        cache.apply(Event::InitApply(pod("c", "2026-01-01T00:00:03Z")));
        cache.apply(Event::InitDone);
        assert_eq!(names(&cache.live()), ["c"]);
        assert_eq!(names(&cache.gone()), ["b", "a"]);
        assert!(cache.named("c").is_some());
        assert!(cache.named("a").is_none());
    }

    #[test]
    fn a_version_is_shown_by_itself_and_by_later_ones() {
        let of = |name: &str, version: &str| {
            let mut pod = pod(name, "2026-01-01T00:00:01Z");
            pod.metadata.resource_version = Some(version.into());
            pod
        };
        let mut cache = Cache::default();
        cache.apply(Event::Apply(of("a", "99")));
        assert!(cache.has_shown("uid-a", "99"));
        assert!(cache.has_shown("uid-a", "9"), "versions are numbers");
        assert!(!cache.has_shown("uid-a", "100"));
        assert!(!cache.has_shown("uid-b", "1"), "another object");
        // A list without it shows that it is gone, too, but not in which version.
        cache.apply(Event::Init);
        cache.apply(Event::InitDone);
        assert!(cache.has_shown("uid-a", "100"), "what is gone was shown");
    }
}
