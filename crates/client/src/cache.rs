//! An informer's cache.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use api::meta;
use api::object::typed;
use api::request::WatchKind;
use api::{Kinded, Object};

use crate::Change;

/// The objects of one kind as the watch last told of them, by `namespace/name`, with optional indices.
#[derive(Clone)]
pub struct Cache<T> {
    objects: BTreeMap<Box<str>, Arc<T>>,
    indices: Vec<Index<T>>,
}

/// The values under which an object is found in an index.
pub type IndexFunction<T> = fn(&T) -> Vec<String>;

#[derive(Clone)]
struct Index<T> {
    values_of: IndexFunction<T>,
    keys: BTreeMap<Box<str>, BTreeMap<Box<str>, Arc<T>>>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Cache { objects: BTreeMap::new(), indices: Vec::new() }
    }
}

impl<T: Kinded + Object> Cache<T> {
    /// A cache with an index for each function; they are asked for by their position.
    pub fn with_indices(functions: &[IndexFunction<T>]) -> Cache<T> {
        let indices = functions.iter().map(|&values_of| Index { values_of, keys: BTreeMap::new() }).collect();
        Cache { objects: BTreeMap::new(), indices }
    }

    /// Takes a change in and returns the object as it was before and as it is now.
    pub fn apply(&mut self, change: &Change) -> (Option<Arc<T>>, Option<Arc<T>>) {
        let Some(object) = typed::<T>(&change.object) else { return (None, None) };
        let key = meta::key(object.metadata());
        if change.kind == WatchKind::Deleted {
            (self.remove(&key), None)
        } else {
            (self.insert(key, object.clone()), Some(object))
        }
    }

    /// Puts in an object that a write has returned, before the watch brings it.
    pub fn insert(&mut self, key: String, object: Arc<T>) -> Option<Arc<T>> {
        let key = key.into_boxed_str();
        let old = match self.objects.get_mut(&key) {
            Some(known) => Some(std::mem::replace(known, object.clone())),
            None => self.objects.insert(key.clone(), object.clone()),
        };
        for index in &mut self.indices {
            let values = (index.values_of)(&object);
            if let Some(old) = &old {
                if (index.values_of)(old) == values {
                    index.replace(&key, &values, &object);
                    continue;
                }
                index.remove(&key, old);
            }
            for value in values {
                index.keys.entry(value.into()).or_default().insert(key.clone(), object.clone());
            }
        }
        old
    }

    pub fn remove(&mut self, key: &str) -> Option<Arc<T>> {
        let old = self.objects.remove(key)?;
        for index in &mut self.indices {
            index.remove(key, &old);
        }
        Some(old)
    }

    pub fn get(&self, key: &str) -> Option<&Arc<T>> {
        self.objects.get(key)
    }

    pub fn find(&self, namespace: &str, name: &str) -> Option<&Arc<T>> {
        self.objects.get(meta::key_of(namespace, name).as_str())
    }

    /// All objects in order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.objects.values()
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.objects.keys().map(|key| &**key)
    }

    /// The objects of one namespace in order of their names.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &Arc<T>> {
        let start: Box<str> = [namespace, "/"].concat().into();
        let prefix = start.clone();
        self.objects
            .range::<str, _>((Bound::Included(&*start), Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(&*prefix))
            .map(|(_, object)| object)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The objects that index number `index` files under `value`.
    pub fn indexed<'a>(&'a self, index: usize, value: &str) -> impl Iterator<Item = &'a Arc<T>> + use<'a, T> {
        self.indices[index].keys.get(value).into_iter().flat_map(BTreeMap::values)
    }

    pub fn len(&self) -> usize {
        self.objects.len()
    }

    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

impl<T> Index<T> {
    /// Most updates leave an object where it is filed.
    fn replace(&mut self, key: &str, values: &[String], object: &Arc<T>) {
        for value in values {
            if let Some(filed) = self.keys.get_mut(value.as_str()).and_then(|keys| keys.get_mut(key)) {
                *filed = object.clone();
            }
        }
    }

    fn remove(&mut self, key: &str, old: &T) {
        for value in (self.values_of)(old) {
            if let Some(keys) = self.keys.get_mut(value.as_str()) {
                keys.remove(key);
                if keys.is_empty() {
                    self.keys.remove(value.as_str());
                }
            }
        }
    }
}
