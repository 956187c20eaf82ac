//! The forms in which one resource is served: its versions, and the twin that it has in another group. Upstream:
//! `apimachinery/pkg/runtime/mapper.go` and `apiserver/pkg/admission/conversion.go`.
//!
//! Whoever is asked about a request sees the objects in the form that its own rules name.

use api::json::Layout;
use api::object::Tree;
use api::{Draft, FieldValidation, Kind, Object, Status, Subresource, kinds};
use serde_json::Value;

use super::Attributes;
use crate::custom::CustomKinds;
use crate::parts::PartKind;
use crate::storage::Storage;
use crate::strategy::KindRules;
use crate::{Context, view};

/// The kind that a manifest's `apiVersion` and `kind` name.
pub(crate) fn by_kind(customs: &CustomKinds, api_version: &str, kind: &str) -> Option<&'static Kind> {
    kinds::by_kind(api_version, kind).or_else(|| customs.by_kind(api_version, kind))
}

/// A stored object in one of its resource's forms; `None` if it has that one already.
pub(super) fn converted(
    storage: &Storage,
    customs: &CustomKinds,
    context: &Context,
    form: &'static Kind,
    object: &dyn Object,
) -> Result<Option<Draft>, Status> {
    match customs.find(form.id) {
        Some(custom) => {
            custom.in_this_version(storage, context, object).map_err(|status| Status::internal(status.message))
        }
        None => Ok(view::converted(form, object)),
    }
}

impl Attributes<'_> {
    /// The other forms of what the request names.
    pub fn equivalents(&self) -> Vec<&'static Kind> {
        let mut forms = match self.rules {
            KindRules::Custom(_) => self.customs.versions(self.kind.id),
            KindRules::BuiltIn(_) => kinds::KINDS.iter().filter(|row| row.stored().id == self.kind.id).collect(),
        };
        forms.retain(|form| {
            form.id != self.served.id && (self.is(Subresource::None) || form.has(self.request.subresource))
        });
        forms
    }

    /// What is sent to a subresource is the same in all forms.
    fn has_one_form(&self) -> bool {
        PartKind::of(self.kind, self.request.subresource).differs_from(self.kind)
    }

    /// An object as `write` writes it in one of the forms.
    pub fn seen(
        &self,
        storage: &Storage,
        form: &'static Kind,
        object: &dyn Object,
        write: fn(&dyn Object) -> Value,
    ) -> Result<Value, Status> {
        if self.has_one_form() {
            return Ok(write(object));
        }
        let converted = converted(storage, &self.customs, self.context, form, object)?;
        Ok(converted.as_deref().map_or_else(|| write(object), write))
    }

    /// An object that a mutation has made in one of the forms, as the pipeline handles it.
    pub fn decoded(
        &self,
        storage: &Storage,
        form: &'static Kind,
        value: Value,
        validation: FieldValidation,
    ) -> Result<Draft, Status> {
        if self.has_one_form() {
            return Ok(Draft::new(Tree::new(self.kind.id, value)));
        }
        let Some(custom) = self.customs.find(form.id) else {
            let (object, _) = api::decode::decode(form, value, validation)?;
            let mut object = view::to_stored(form, object)?;
            self.rules.default(&mut *object);
            return Ok(object);
        };
        let (object, _) = custom.decode(value, &Layout::default(), validation)?;
        Ok(converted(storage, &self.customs, self.context, self.served, &*object)?.unwrap_or(object))
    }
}
