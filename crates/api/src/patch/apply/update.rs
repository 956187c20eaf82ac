//! What a write does to the managers of an object. Upstream: `structured-merge-diff/merge`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;

use super::compare::{Comparison, compare, fields_of};
use super::element::Element;
use super::managers::{Manager, Managers, Operation};
use super::merge::{merge, remove};
use super::set::{Set, path_text};
use super::shape::Shape;
use crate::status::{Cause, Details, Reason, Status};

/// Owns what was there before anybody applied.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// What only the server writes, or what names the object.
const STRIPPED: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "metadata.name",
    "metadata.namespace",
    "metadata.creationTimestamp",
    "metadata.selfLink",
    "metadata.uid",
    "metadata.clusterName",
    "metadata.generation",
    "metadata.managedFields",
    "metadata.resourceVersion",
];

/// Who writes, when, and through which version and subresource.
#[derive(Clone, Debug)]
pub struct Writer {
    pub name: String,
    pub api_version: String,
    /// Empty for the object itself.
    pub subresource: String,
    pub now: Time,
}

impl Writer {
    fn manager(&self, operation: Operation, fields: Set) -> Manager {
        Manager {
            // Upstream's name of a client that gives none.
            name: if self.name.is_empty() { "unknown".into() } else { self.name.clone() },
            operation,
            api_version: self.api_version.clone(),
            subresource: self.subresource.clone(),
            time: Some(self.now.clone()),
            fields,
        }
    }
}

/// What an object is like, and which of its fields the endpoint passes over.
pub struct Target<'a> {
    pub shape: Shape<'a>,
    /// Reset by the kind's rules, whatever is sent.
    pub reset: &'a Set,
    /// The object as it is before it exists.
    pub empty: &'a Value,
    /// Whether objects of an `apiVersion` can be read: managers of others are forgotten.
    pub serves: &'a dyn Fn(&str) -> bool,
}

/// Why a configuration was not applied.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Others own fields of it: the managers and the fields' paths.
    Conflicts(Vec<(Manager, Vec<Element>)>),
    Other(String),
}

impl Managers {
    /// Notes a POST, PUT or PATCH that has made `new` out of `live`.
    pub fn update(&mut self, target: &Target, live: &Value, new: &Value, writer: &Writer) {
        let change = compare(target.shape, live, new);
        self.give_up(target, &change.without(target.reset), None);
        let taken = change.modified.union(&change.added).without(target.reset).difference(&Set::of(STRIPPED));
        if !taken.is_empty() {
            let mut manager = writer.manager(Operation::Update, taken);
            if let Some(before) = self.0.get(&manager.identity()) {
                manager.fields.add(&before.fields);
            }
            self.insert(manager);
        }
        self.cap();
    }

    /// Applies a configuration. `None`: the object is what it was.
    pub fn apply(
        &mut self,
        target: &Target,
        live: &Value,
        config: &Value,
        writer: &Writer,
        force: bool,
    ) -> Result<Option<Value>, Refusal> {
        if self.is_empty() {
            let before = Writer { name: BEFORE_FIRST_APPLY.into(), ..writer.clone() };
            self.update(target, target.empty, live, &before);
        }
        let merged = merge(target.shape, live, config)
            .map_err(|why| Refusal::Other(format!("failed to merge config: {why}")))?;
        let fields = fields_of(target.shape, config).without(target.reset);
        let mut manager = writer.manager(Operation::Apply, fields);
        let identity = manager.identity();
        let last = self.0.get(&identity).cloned();
        manager.time = last.as_ref().and_then(|last| last.time.clone());
        let mut managers = self.clone();
        managers.insert(manager);
        let new = managers.prune(target, merged, last.as_ref());
        let change = compare(target.shape, live, &new).without(target.reset);
        let conflicts = managers.conflicts(&change, Some(&identity));
        if !force && !conflicts.is_empty() {
            return Err(Refusal::Conflicts(conflicts));
        }
        managers.give_up(target, &change, Some(&identity));
        let changed = new != *live;
        if let Some(manager) = managers.0.get_mut(&identity) {
            manager.fields = manager.fields.difference(&Set::of(STRIPPED));
            if changed {
                manager.time = Some(writer.now.clone());
            }
        }
        managers.0.retain(|_, manager| !manager.fields.is_empty());
        *self = managers;
        Ok(changed.then_some(new))
    }

    /// The changed fields that others than the writer own.
    fn conflicts(&self, change: &Comparison, writer: Option<&str>) -> Vec<(Manager, Vec<Element>)> {
        let taken = change.modified.union(&change.added);
        let others = self.0.iter().filter(|(identity, _)| Some(identity.as_str()) != writer);
        others
            .flat_map(|(_, manager)| {
                let paths = manager.fields.intersection(&taken).paths();
                paths.into_iter().map(|path| (manager.clone(), path))
            })
            .collect()
    }

    /// Others than the writer lose what was changed or removed.
    fn give_up(&mut self, target: &Target, change: &Comparison, writer: Option<&str>) {
        let lost = change.modified.union(&change.added).union(&change.removed);
        self.0.retain(|identity, manager| {
            if Some(identity.as_str()) == writer {
                return !manager.fields.is_empty();
            }
            manager.fields = manager.fields.difference(&lost);
            (target.serves)(&manager.api_version) && !manager.fields.is_empty()
        });
    }

    /// Takes out what the manager has applied last time, does not apply this time, and nobody else owns.
    fn prune(&self, target: &Target, merged: Value, last: Option<&Manager>) -> Value {
        let shape = target.shape;
        let Some(last) = last.filter(|last| !last.fields.is_empty() && (target.serves)(&last.api_version)) else {
            return merged;
        };
        let last = last.fields.with_named_fields(shape);
        let fields = |value: &Value| fields_of(shape, value).with_named_fields(shape);
        let all = fields(&merged);
        let mut owned = Set::default();
        for manager in self.iter().filter(|manager| (target.serves)(&manager.api_version)) {
            owned.add(&manager.fields);
        }
        let kept = fields(&remove(shape, &merged, &last)).union(&owned.with_named_fields(shape));
        let pruned = fields(&remove(shape, &merged, &all.difference(&kept)));
        // Only what was this manager's goes: what nobody owns stays.
        remove(shape, &merged, &all.difference(&pruned).intersection(&last))
    }
}

/// The fields of a configuration that an object still has as they were applied: what `kubectl apply` without
/// `--server-side` owns.
pub fn still_applied(shape: Shape, config: &Value, live: &Value) -> Set {
    let change = compare(shape, config, live);
    fields_of(shape, config).difference(&change.modified).difference(&change.added).difference(&change.removed)
}

/// The 409: upstream's `NewConflictError`.
pub fn conflict_status(conflicts: &[(Manager, Vec<Element>)]) -> Status {
    let message = match conflicts {
        [(manager, path)] => {
            format!("Apply failed with 1 conflict: conflict with {}: {}", manager.title(), path_text(path))
        }
        many => {
            let mut text = format!("Apply failed with {} conflicts: ", many.len());
            let mut lines = Vec::new();
            let mut last = None;
            for (manager, path) in many {
                if last.replace(manager.identity()).as_deref() != Some(&manager.identity()) {
                    lines.push(format!("conflicts with {}:", manager.title()));
                }
                lines.push(format!("- {}", path_text(path)));
            }
            text += &lines.join("\n");
            text
        }
    };
    let cause = |(manager, path): &(Manager, Vec<Element>)| Cause {
        reason: "FieldManagerConflict".into(),
        message: format!("conflict with {}", manager.title()),
        field: path_text(path),
    };
    let mut status = Status::new(409, Reason::Conflict, message);
    status.details = Some(Details { causes: conflicts.iter().map(cause).collect(), ..Details::default() });
    status
}
