//! Custom resources: `apiextensions-apiserver`, inside the one pipeline.
//!
//! [`definition`] is the strategy of CustomResourceDefinitions, [`settle`] what upstream's controllers do with them: accept
//! names, establish, clean up. [`CustomKinds`] are the kinds that come of it, each with its [`schema`]; [`validate`] and
//! [`rules`] check their objects. All versions of a resource are kept in one form, that of the stored version.

mod conversion;
mod cost;
pub(crate) mod definition;
mod field_path;
mod formats;
mod open_api;
mod rules;
pub(crate) mod schema;
mod settle;
mod structural;
mod validate;

use std::collections::BTreeMap;
use std::sync::Arc;

use api::custom::CustomKind;
use api::decode::{check_metadata, strict_errors, unhandled};
use api::field::{Error, ErrorKind, Errors, Path};
use api::json::Layout;
use api::object::Tree;
use api::{Draft, FieldValidation, Kind, KindId, Object, ObjectRef, Patch, PatchKind, Status};
use serde_json::Value;

use crate::route::{CUSTOM_PATCHES, unsupported};
use conversion::Conversion;
use schema::{Schema, fill_in, prune};

/// The custom kinds that exist, by the numbers under which they are asked for.
#[derive(Clone, Default)]
pub(crate) struct CustomKinds {
    /// Each kind with its place among those that are served.
    served: Arc<BTreeMap<KindId, (usize, Arc<CustomResource>)>>,
}

/// One served version of a custom resource.
#[derive(Debug)]
pub(crate) struct CustomResource {
    pub kind: &'static Kind,
    custom: &'static CustomKind,
    schema: Arc<Schema>,
    /// Those of all versions, by their names.
    versions: Arc<BTreeMap<String, Arc<Schema>>>,
    /// `apiVersion` of stored objects, and their schema.
    stored_version: String,
    stored_schema: Arc<Schema>,
    conversion: Option<Conversion>,
    /// Its definition is being deleted.
    pub terminating: bool,
}

impl CustomKinds {
    pub fn find(&self, id: KindId) -> Option<&Arc<CustomResource>> {
        self.served.get(&id).map(|(_, resource)| resource)
    }

    /// Resources in the form in which they are kept, each with one of its versions.
    pub fn resources(&self) -> BTreeMap<KindId, &Arc<CustomResource>> {
        self.served.values().map(|(_, resource)| (resource.kind.stored().id, resource)).collect()
    }

    /// The versions of one resource, by the number under which it is kept, in their definition's order.
    pub fn versions(&self, stored: KindId) -> Vec<&'static Kind> {
        let mut versions: Vec<&(usize, Arc<CustomResource>)> =
            self.served.values().filter(|(_, resource)| resource.kind.stored().id == stored).collect();
        versions.sort_by_key(|(place, _)| *place);
        versions.into_iter().map(|(_, resource)| resource.kind).collect()
    }

    /// The kind as a manifest names it.
    pub fn by_kind(&self, api_version: &str, kind: &str) -> Option<&'static Kind> {
        self.kinds().find(|row| row.kind == kind && row.api_version() == api_version)
    }

    /// A webhook converts some of them.
    pub fn have_webhooks(&self) -> bool {
        self.served.values().any(|(_, resource)| resource.conversion.is_some())
    }

    pub fn kinds(&self) -> impl Iterator<Item = &'static Kind> {
        self.served.values().map(|(_, resource)| resource.kind)
    }

    /// Reads the definitions anew. Schemas of versions that have not changed are taken over.
    fn read<'a>(&mut self, definitions: impl Iterator<Item = &'a Tree>) {
        let (before, mut now) = (std::mem::take(&mut self.served), BTreeMap::new());
        for definition in definitions {
            let served = api::custom::served(definition);
            let all = definition.at("/spec/versions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let Some(stored) = all.iter().find(|version| version["storage"] == true) else { continue };
            let known = served.first().and_then(|kind| before.get(&kind.id)).map(|(_, known)| known);
            let parse = |version: &Value| {
                let kind = api::custom::kind(definition, version);
                let same =
                    known.filter(|known| known.definition_has(kind)).and_then(|known| known.versions.get(kind.version));
                let schema = kind.custom.and_then(CustomKind::schema).unwrap_or(&Value::Null);
                (kind.version.to_owned(), same.cloned().unwrap_or_else(|| Arc::new(Schema::parse_root(schema))))
            };
            let versions: Arc<BTreeMap<String, Arc<Schema>>> = Arc::new(all.iter().map(parse).collect());
            let stored_kind = api::custom::kind(definition, stored);
            for kind in served {
                let Some(custom) = kind.custom else { continue };
                let resource = CustomResource {
                    kind,
                    custom,
                    schema: versions[kind.version].clone(),
                    versions: versions.clone(),
                    stored_version: stored_kind.api_version(),
                    stored_schema: versions[stored_kind.version].clone(),
                    conversion: Conversion::of(definition),
                    terminating: definition.meta().deletion_timestamp.is_some(),
                };
                now.insert(kind.id, (now.len(), Arc::new(resource)));
            }
        }
        self.served = Arc::new(now);
    }
}

fn tree(object: &dyn Object) -> &Tree {
    object.downcast_ref().expect("custom resources are trees")
}

fn tree_mut(object: &mut dyn Object) -> &mut Tree {
    object.downcast_mut().expect("custom resources are trees")
}

impl CustomResource {
    fn definition_has(&self, kind: &'static Kind) -> bool {
        std::ptr::eq(self.kind, kind)
    }

    pub fn custom(&self) -> &'static CustomKind {
        self.custom
    }

    /// From a client's JSON to an object as the pipeline handles it: pruned, defaulted, in this version.
    pub fn decode(
        &self,
        mut value: Value,
        layout: &Layout,
        validation: FieldValidation,
    ) -> Result<(Draft, Vec<String>), Status> {
        let expected = self.kind.api_version();
        let Some(fields) = value.as_object_mut() else {
            let why = format!(
                "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                api::decode::go_kind(&value)
            );
            return Err(api::decode::unrecognized(self.kind, &value.to_string(), &why));
        };
        for (name, default) in [("apiVersion", expected.as_str()), ("kind", self.kind.kind)] {
            if fields.get(name).is_none_or(|value| value.is_null() || value == "") {
                fields.insert(name.into(), default.into());
            }
        }
        let unknown_metadata = match fields.get_mut("metadata") {
            Some(metadata) => check_metadata(metadata).map_err(|why| unhandled(self.kind, &why))?,
            None => Vec::new(),
        };
        let same_kind = fields["kind"] == self.kind.kind;
        let same_version = fields["apiVersion"] == expected;
        let sent_version = fields["apiVersion"].as_str().unwrap_or_default().to_owned();
        let nothing = Schema::default();
        let mut unknown = prune(if same_version { &self.schema } else { &nothing }, &mut value, true);
        unknown.extend(unknown_metadata);
        let strict = strict_errors(layout, &unknown);
        if validation == FieldValidation::Strict && !strict.is_empty() {
            return Err(unhandled(self.kind, &format!("strict decoding error: {}", strict.join(", "))));
        }
        let warnings = if validation == FieldValidation::Warn { strict } else { Vec::new() };
        if !same_version {
            let mut status = Status::bad_request(format!(
                "the API version in the data ({sent_version}) does not match the expected API version ({expected})"
            ));
            status.warnings = warnings;
            return Err(status);
        }
        if same_kind {
            fill_in(&self.schema, &mut value);
        }
        Ok((Draft::new(Tree::new(self.kind.stored().id, value)), warnings))
    }

    /// Applies a patch to an object of this version. Strategic merge needs a Go type, which there is none of.
    pub fn patched(
        &self,
        current: Value,
        patch: &Patch,
        validation: FieldValidation,
    ) -> Result<(Draft, Vec<String>), Status> {
        let value = match patch.kind {
            PatchKind::Json => api::patch::json(current, &patch.value)?,
            PatchKind::Merge => api::patch::merge(current, api::patch::merge_patch_of(patch)?.clone()),
            PatchKind::StrategicMerge | PatchKind::Apply => {
                return Err(unsupported(CUSTOM_PATCHES));
            }
        };
        let shown = value.to_string();
        self.decode(value, &Layout::default(), validation).map_err(|status| api::patch::refused(&shown, &status))
    }

    /// A stored object as a client of this version sees it.
    pub fn shown(&self, object: &ObjectRef) -> ObjectRef {
        Draft::new(self.converted(tree(&**object)).into_kind(self.kind.id, &self.kind.api_version())).share()
    }

    /// An object of any version in this one, where no webhook converts it.
    fn converted(&self, object: &Tree) -> Tree {
        let version = object.text("/apiVersion");
        let version = version.split_once('/').map_or(version, |(_, version)| version);
        let mut value = object.to_value();
        if let Some(schema) = self.versions.get(version) {
            fill_in(schema, &mut value);
        }
        if version != self.kind.version {
            prune(&self.schema, &mut value, true);
        }
        let mut shown = Tree::new(object.kind_id(), value).into_kind(object.kind_id(), &self.kind.api_version());
        // JSON does not keep what metadata says apart from what it leaves out.
        shown.meta_mut().clone_from(object.meta());
        shown
    }

    /// Brings an object of this version into the form in which it is stored.
    pub fn prepare_for_storage(&self, object: &mut dyn Object) {
        let object = tree_mut(object);
        if object.text("/apiVersion") == self.stored_version {
            return;
        }
        let mut fields = object.fields().clone();
        prune(&self.stored_schema, &mut fields, true);
        object.fields_mut().clone_from(fields.as_object().unwrap_or(&serde_json::Map::new()));
        object.set("apiVersion", Some(self.stored_version.as_str().into()));
    }

    fn has_status(&self) -> bool {
        self.kind.has(api::Subresource::Status)
    }

    pub fn prepare_for_create(&self, object: &mut dyn Object) {
        if self.has_status() {
            tree_mut(object).set("status", None);
        }
    }

    pub fn prepare_for_update(&self, object: &mut dyn Object, old: &dyn Object) {
        if self.has_status() {
            let old = self.converted(tree(old));
            tree_mut(object).set("status", old.get("status").cloned());
        }
    }

    pub fn prepare_for_status_update(&self, object: &mut dyn Object, old: &dyn Object) {
        let old = self.converted(tree(old));
        let managed = object.meta().managed_fields.clone();
        let object = tree_mut(object);
        let status = object.get("status").cloned();
        object.clone_fields_from(&old);
        object.set("status", status);
        object.meta_mut().clone_from(old.meta());
        object.meta_mut().managed_fields = managed;
    }

    pub fn same_generation(&self, object: &dyn Object, old: &dyn Object) -> bool {
        let old = self.converted(tree(old));
        let object = tree(object);
        let all = |object: &Tree| {
            let mut fields = object.fields().clone();
            if let Some(fields) = fields.as_object_mut().filter(|_| self.has_status()) {
                fields.remove("status");
            }
            fields
        };
        all(object) == all(&old)
    }

    pub fn validate(&self, object: &dyn Object, old: Option<&dyn Object>) -> Errors {
        let old = old.map(|old| self.converted(tree(old)).to_value());
        let (object, value) = (tree(object), object.to_value());
        let mut errors = Errors::new();
        let kind = object.text("/kind");
        if kind == self.kind.kind {
            validate::validate(&self.schema, &value, old.as_ref(), "", &mut errors);
            self.validate_scale(&value, &mut errors);
        } else {
            errors.push(Error::invalid(&Path::new("kind"), kind, format!("must be {}", self.kind.kind)));
        }
        validate::validate_embedded(&self.schema, &value, "", &mut errors);
        validate::validate_lists(&self.schema, &value, "", &mut errors);
        if errors.iter().any(validate::is_blocking) {
            let why = "some validation rules were not checked because the object was invalid; correct the existing errors \
                       to complete validation";
            errors.push(Error::invalid(&Path::new("<nil>"), Value::Null, why));
        } else {
            rules::check(&self.schema, &value, old.as_ref(), &mut errors);
        }
        errors
    }

    /// Upstream's `ValidateScaleSpec` and `ValidateScaleStatus`.
    fn validate_scale(&self, value: &Value, errors: &mut Errors) {
        let Some(scale) = &self.custom.scale else { return };
        for path in [scale.spec_replicas, scale.status_replicas] {
            let Some(found) = at(value, path) else { continue };
            let field = format!(".{path}");
            let mut refuse = |value: Value, detail: String| {
                errors.push(Error { kind: ErrorKind::Invalid, field: field.clone(), value, verbatim: false, detail });
            };
            match found.as_i64() {
                Some(count) if count < 0 => refuse(count.into(), "should be a non-negative integer".into()),
                Some(count) if count > i64::from(i32::MAX) => {
                    refuse(count.into(), format!("should be less than or equal to {}", i32::MAX));
                }
                Some(_) => {}
                None => {
                    let (shown, kind) = match found {
                        Value::String(text) => (text.clone(), "string"),
                        Value::Bool(flag) => (flag.to_string(), "bool"),
                        Value::Number(number) => (number.to_string(), "float64"),
                        Value::Array(_) => (found.to_string(), "[]interface {}"),
                        _ => (found.to_string(), "map[string]interface {}"),
                    };
                    refuse(0.into(), format!("{field} accessor error: {shown} is of the type {kind}, expected int64"));
                }
            }
        }
    }

    /// The value of a selectable field.
    pub fn field(&self, object: &dyn Object, name: &str) -> String {
        match at(tree(object).fields(), name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        }
    }

    pub fn fields(&self) -> &[&'static str] {
        &self.custom.selectable
    }

    /// Desired and actual replicas, and the selector, of the scale subresource.
    pub fn scale(&self, object: &dyn Object) -> (Option<i64>, Option<i64>, Option<String>) {
        let Some(scale) = &self.custom.scale else { return (None, None, None) };
        let fields = tree(object).fields();
        let number = |path: &str| at(fields, path).and_then(Value::as_i64);
        let selector = scale.selector.and_then(|path| at(fields, path)).and_then(Value::as_str).map(str::to_owned);
        (number(scale.spec_replicas), number(scale.status_replicas), selector)
    }

    pub fn set_replicas(&self, object: &mut dyn Object, replicas: i64) {
        let Some(scale) = &self.custom.scale else { return };
        let mut names = scale.spec_replicas.split('.').peekable();
        let mut fields = tree_mut(object).fields_mut();
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                fields.insert(name.into(), replicas.into());
                return;
            }
            let inner = fields.entry(name).or_insert_with(|| Value::Object(serde_json::Map::new()));
            let Some(inner) = inner.as_object_mut() else { return };
            fields = inner;
        }
    }
}

/// The value at a path such as `spec.replicas`.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| value.get(name))
}
