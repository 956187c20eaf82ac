//! The kinds of custom resources, as the watch of their definitions tells. Upstream's controllers ask discovery.

use std::collections::BTreeMap;

use api::object::Tree;
use api::request::WatchKind;
use api::{Kind, custom, kinds};

use crate::controller::Event;

/// By the names of their definitions.
#[derive(Clone, Default)]
pub(crate) struct CustomKinds(BTreeMap<String, Vec<&'static Kind>>);

impl CustomKinds {
    /// Takes in a definition's change; others are none of its business.
    pub fn observe(&mut self, event: &Event) {
        let object = &event.change.object;
        let row = kinds::row(object.kind_id());
        let Some(definition) = object.downcast_ref::<Tree>().filter(|_| row.kind == "CustomResourceDefinition") else {
            return;
        };
        match event.change.kind {
            WatchKind::Deleted => self.0.remove(object.name()),
            _ => self.0.insert(object.name().to_owned(), custom::served(definition)),
        };
    }

    /// One kind of each resource.
    pub fn resources(&self) -> impl Iterator<Item = &'static Kind> {
        self.0.values().filter_map(|versions| versions.first().copied())
    }

    /// The kind that an owner reference names.
    pub fn by_kind(&self, api_version: &str, name: &str) -> Option<&'static Kind> {
        let of = |kind: &&'static Kind| kind.kind == name && kind.api_version() == api_version;
        kinds::by_kind(api_version, name).or_else(|| self.0.values().flatten().copied().find(|kind| of(kind)))
    }
}
