//! Namespace.

use std::borrow::Cow;

use api::field::{Error, Errors, Path};
use api::types::{Namespace, NamespaceSpec, NamespaceStatus};

use api::validate::qualified_name;

use super::rules::{complain, label_name, list, selectable, text};
use crate::strategy::Strategy;

const STANDARD_FINALIZERS: &[&str] = &["kubernetes", "orphan", "foregroundDeletion"];

impl Strategy for Namespace {
    const FIELDS: &'static [&'static str] = &["status.phase", "name"];

    fn default(&mut self) {
        // Every namespace carries its name as a label, so that selectors can name it.
        if let Some(name) = self.metadata.name.clone().filter(|name| !name.is_empty()) {
            self.metadata.labels.get_or_insert_default().insert("kubernetes.io/metadata.name".into(), name);
        }
        self.spec.get_or_insert_default();
        let status = self.status.get_or_insert_default();
        super::rules::default_text(&mut status.phase, "Active");
    }

    fn prepare_for_create(&mut self) {
        // A generated name is known by now.
        Strategy::default(self);
        let finalizers = self.spec.take().and_then(|spec| spec.finalizers).unwrap_or_default();
        let mut kept = finalizers;
        if !kept.iter().any(|finalizer| finalizer == "kubernetes") {
            kept.push("kubernetes".into());
        }
        self.spec = Some(NamespaceSpec { finalizers: Some(kept) });
        self.status = Some(NamespaceStatus { phase: Some("Active".into()), ..NamespaceStatus::default() });
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        label_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let path = Path::new("spec");
        for finalizer in self.spec.iter().flat_map(|spec| list(&spec.finalizers)) {
            let path = path.child("finalizers");
            complain(&mut errors, &path, finalizer, qualified_name(finalizer));
            if !finalizer.contains('/') && !STANDARD_FINALIZERS.contains(&finalizer.as_str()) {
                let why = "name is neither a standard finalizer name nor is it fully qualified";
                errors.push(Error::invalid(&path, finalizer.as_str(), why));
            }
        }
        errors
    }

    fn validate_update(&self, _old: &Self) -> Errors {
        Errors::new()
    }

    fn validate_status_update(&self, _old: &Self) -> Errors {
        let mut errors = Errors::new();
        let phase = self.status.as_ref().map(|status| text(&status.phase)).unwrap_or_default();
        let (wanted, when) = match &self.metadata.deletion_timestamp {
            None => ("Active", "is empty"),
            Some(_) => ("Terminating", "is not empty"),
        };
        if phase != wanted {
            let why = format!("may only be '{wanted}' if `deletionTimestamp` {when}");
            errors.push(Error::invalid(&Path::new("status").child("Phase"), phase, why));
        }
        errors
    }

    fn field(&self, name: &str) -> Cow<'_, str> {
        match name {
            "status.phase" => self.status.as_ref().map_or("".into(), |status| selectable(&status.phase)),
            "name" => selectable(&self.metadata.name),
            _ => "".into(),
        }
    }
}
