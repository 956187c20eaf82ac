//! CustomResourceDefinitions: defaults, strategy, validation. Upstream: `apiextensions-apiserver/pkg/apis/apiextensions`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::validate::{dns1035_label, dns1123_subdomain};
use api::{Draft, Kind, SimTime, kinds, time};
use serde_json::{Map, Value, json};

use super::{field_path, structural};
use crate::registry::admission_rules::default_field;
use crate::registry::webhook_configuration::{client_config, review_versions};
use crate::strategy::TreeStrategy;

/// The finalizer that keeps a definition until its objects are gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

static ROW: LazyLock<&'static Kind> = LazyLock::new(|| {
    kinds::by_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition").expect("a kind of the table")
});

pub(crate) fn row() -> &'static Kind {
    *ROW
}

pub(crate) struct CustomResourceDefinition;

impl TreeStrategy for CustomResourceDefinition {
    const GROUP: &'static str = "apiextensions.k8s.io";
    const KIND: &'static str = "CustomResourceDefinition";
    const HAS_GENERATION: bool = true;
    const HAS_STATUS: bool = true;
    const UNCONDITIONAL_UPDATE: bool = false;

    fn default(object: &mut Tree) {
        let Some(spec) = object.fields_mut().get_mut("spec").and_then(Value::as_object_mut) else { return };
        if let Some(names) = spec.get_mut("names").and_then(Value::as_object_mut) {
            let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
            set_if_empty(names, "singular", kind.to_lowercase());
            if !kind.is_empty() {
                set_if_empty(names, "listKind", format!("{kind}List"));
            }
        }
        let conversion = spec.entry("conversion").or_insert(Value::Null);
        if conversion.is_null() {
            *conversion = json!({ "strategy": "None" });
        }
        let service = conversion.pointer_mut("/webhook/clientConfig/service").and_then(Value::as_object_mut);
        if let Some(service) = service {
            default_field(service, "port", json!(443));
        }
    }

    fn prepare_for_create(object: &mut Tree) {
        let stored = stored_version(object).map(|name| vec![name]);
        let names = json!({ "plural": "", "kind": "" });
        let status = json!({ "conditions": null, "acceptedNames": names, "storedVersions": stored });
        object.set("status", Some(status));
    }

    fn prepare_for_update(object: &mut Tree, old: &Tree) {
        object.set("status", old.get("status").cloned());
        let Some(stored) = stored_version(object) else { return };
        let Some(versions) = object.fields_mut()["status"]["storedVersions"].as_array_mut() else { return };
        if !versions.iter().any(|version| *version == stored) {
            versions.push(stored.into());
        }
    }

    fn validate_name(_name: &str, _prefix: bool) -> Vec<String> {
        // The name follows from the specification: `validate` compares.
        Vec::new()
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let name = api::Object::meta(object).name.as_deref().unwrap_or_default();
        let expected = format!("{}.{}", object.text("/spec/names/plural"), object.text("/spec/group"));
        if name != expected {
            let path = Path::new("metadata");
            errors.push(Error::invalid(&path.child("name"), name, "must be spec.names.plural+\".\"+spec.group"));
        }
        let nothing = Value::Null;
        let spec = object.get("spec").unwrap_or(&nothing);
        validate_spec(spec, &mut errors);
        validate_stored_versions(object, spec, &mut errors);
        validate_approval(object, &mut errors);
        if spec["preserveUnknownFields"] == true {
            let why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema \
                       instead";
            errors.push(Error::invalid(&Path::new("spec").child("preserveUnknownFields"), true, why));
        }
        errors
    }

    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = Self::validate(object);
        let immutable = |pointer: &str, path: &str, errors: &mut Errors| {
            if object.at(pointer) != old.at(pointer) {
                errors.push(Error::invalid(&Path::new(path), object.text(pointer), "field is immutable"));
            }
        };
        if api::custom::is_established(old) {
            immutable("/spec/scope", "spec.scope", &mut errors);
            immutable("/spec/names/kind", "spec.names.kind", &mut errors);
        }
        immutable("/spec/group", "spec.group", &mut errors);
        immutable("/spec/names/plural", "spec.names.plural", &mut errors);
        errors
    }
}

fn set_if_empty(fields: &mut Map<String, Value>, name: &str, value: String) {
    if fields.get(name).and_then(Value::as_str).unwrap_or_default().is_empty() {
        fields.insert(name.into(), value.into());
    }
}

fn stored_version(object: &Tree) -> Option<String> {
    let versions = object.at("/spec/versions")?.as_array()?;
    versions.iter().find(|version| version["storage"] == true)?["name"].as_str().map(str::to_owned)
}

/// A moment as conditions have it.
pub(super) fn moment(now: SimTime) -> Value {
    api::wire::value_of(&time::stamp(now))
}

pub(super) fn condition<'a>(status: &'a Value, name: &str) -> Option<&'a Value> {
    status["conditions"].as_array()?.iter().find(|condition| condition["type"] == name)
}

/// Sets a condition's status, reason and message. The time is that of the last change of its status.
pub(super) fn set_condition(status: &mut Value, name: &str, (value, reason, message): (&str, &str, &str), now: &Value) {
    let known = condition(status, name).filter(|known| known["status"] == value);
    let since = known.map_or(now, |known| &known["lastTransitionTime"]).clone();
    let condition = json!({
        "type": name, "status": value, "lastTransitionTime": since, "reason": reason, "message": message,
    });
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    let Some(conditions) = status["conditions"].as_array_mut() else { return };
    match conditions.iter_mut().find(|known| known["type"] == name) {
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
}

/// What DELETE does to a definition: it stays until its objects are gone.
pub(crate) fn begin_termination(object: &mut Draft, now: SimTime) {
    let finalizers = object.meta_mut().finalizers.get_or_insert_default();
    if !finalizers.iter().any(|finalizer| finalizer == CLEANUP) {
        finalizers.push(CLEANUP.into());
    }
    let Some(definition) = object.downcast_mut::<Tree>() else { return };
    let mut status = definition.get("status").cloned().unwrap_or_else(|| json!({}));
    let message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    set_condition(&mut status, "Terminating", ("True", "InstanceDeletionPending", message), &moment(now));
    definition.set("status", Some(status));
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Upstream moves what all versions say alike to the top: then errors name it there.
fn is_hoisted(versions: &[Value], field: &str) -> bool {
    versions.windows(2).all(|pair| pair[0].get(field) == pair[1].get(field))
}

fn validate_spec(spec: &Value, errors: &mut Errors) {
    let path = Path::new("spec");
    let group = text(spec, "group");
    let group_path = path.child("group");
    let bad_group = dns1123_subdomain(group);
    if group.is_empty() {
        errors.push(Error::required(&group_path, ""));
    } else if !bad_group.is_empty() {
        errors.push(Error::invalid(&group_path, group, bad_group.join(",")));
    } else if !group.contains('.') {
        errors.push(Error::invalid(&group_path, group, "should be a domain with at least one dot"));
    }
    match text(spec, "scope") {
        "" => errors.push(Error::required(&path.child("scope"), "")),
        "Cluster" | "Namespaced" => {}
        other => errors.push(Error::not_supported(&path.child("scope"), other, &["Cluster", "Namespaced"])),
    }
    let versions = list(spec, "versions");
    let schema_of = |version: &Value| version.pointer("/schema/openAPIV3Schema").filter(|it| it.is_object()).cloned();
    let versions_path = path.child("versions");
    let hoisted = is_hoisted(versions, "schema");
    for (index, version) in versions.iter().enumerate() {
        if schema_of(version).is_none() {
            let path = versions_path.index(index);
            let path = path.child("schema");
            errors.push(Error::required(&path.child("openAPIV3Schema"), ""));
        }
    }
    let mut names = BTreeSet::new();
    let mut unique = true;
    for (index, version) in versions.iter().enumerate() {
        let path = versions_path.index(index);
        let name = text(version, "name");
        unique &= names.insert(name);
        let bad = dns1035_label(name);
        if !bad.is_empty() {
            errors.push(Error::invalid(&path.child("name"), name, bad.join(",")));
        }
        deprecation(version, &path.child("deprecationWarning"), errors);
        if let Some(schema) = schema_of(version).filter(|_| !hoisted) {
            let path = path.child("schema");
            let has_status = version["subresources"]["status"].is_object();
            validate_schema(&schema, has_status, &path.child("openAPIV3Schema").to_string(), errors);
        }
        validate_version(version, versions, &path, false, errors);
    }
    let mut refuse = |why: &str| {
        let shown = Value::Array(versions.iter().map(|version| internal_version(version, versions)).collect());
        errors.push(Error::invalid_verbatim(&versions_path, ordered_versions(&shown), why));
    };
    if !unique {
        refuse("must contain unique version names");
    }
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        refuse("must have exactly one version marked as storage version");
    }
    validate_names(&spec["names"], errors);
    if let Some(first) = versions.first() {
        if let Some(schema) = schema_of(first).filter(|_| hoisted) {
            let has_status = versions.iter().any(|version| version["subresources"]["status"].is_object());
            validate_schema(&schema, has_status, "spec.validation.openAPIV3Schema", errors);
        }
        validate_version(first, versions, &path, true, errors);
    }
    validate_conversion(&spec["conversion"], errors);
}

/// `validateCustomResourceDefinitionValidation`
fn validate_schema(schema: &Value, has_status: bool, path: &str, errors: &mut Errors) {
    let kind = text(schema, "type");
    if has_status && !matches!(kind, "" | "object") {
        let why =
            "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
        errors.push(Error::invalid(&Path::new(path).child("type"), kind, why));
    }
    if schema["nullable"] == true {
        errors.push(Error::forbidden(&Path::new(path).child("nullable"), "nullable cannot be true at the root"));
    }
    structural::validate(schema, path, errors);
}

/// `validateDeprecationWarning`
fn deprecation(version: &Value, path: &Path, errors: &mut Errors) {
    const LENGTH_MAX: usize = 256;
    let Some(warning) = version["deprecationWarning"].as_str() else { return };
    let mut refuse = |why: String| errors.push(Error::invalid(path, warning, why));
    if version["deprecated"] != true {
        return refuse("can only be set for deprecated versions".into());
    }
    if warning.len() > LENGTH_MAX {
        refuse(format!("must be <= {LENGTH_MAX} characters long"));
    }
    if warning.is_empty() {
        refuse("must not be an empty string".into());
    }
    if let Some((at, _)) = warning.char_indices().find(|(_, letter)| letter.is_control()) {
        refuse(format!("must only contain printable UTF-8 characters; non-printable character found at index {at}"));
    }
}

/// The version as Go's internal struct, for messages.
fn internal_version(version: &Value, versions: &[Value]) -> Value {
    let own = |name: &str| if is_hoisted(versions, name) { Value::Null } else { version[name].clone() };
    json!([
        ["Name", text(version, "name")],
        ["Served", version["served"] == true],
        ["Storage", version["storage"] == true],
        ["Deprecated", version["deprecated"] == true],
        ["DeprecationWarning", version["deprecationWarning"]],
        ["Schema", own("schema")],
        ["Subresources", own("subresources")],
        ["AdditionalPrinterColumns", own("additionalPrinterColumns")],
        ["SelectableFields", own("selectableFields")],
    ])
}

/// JSON with the fields in Go's order: each version is a list of names and values.
fn ordered_versions(versions: &Value) -> String {
    let version = |fields: &Value| {
        let field = |pair: &Value| format!("{}:{}", pair[0], pair[1]);
        let fields: Vec<String> = fields.as_array().into_iter().flatten().map(field).collect();
        format!("{{{}}}", fields.join(","))
    };
    let versions: Vec<String> = versions.as_array().into_iter().flatten().map(version).collect();
    format!("[{}]", versions.join(","))
}

/// Subresources, columns and selectable fields: of the version, or those that all versions share.
fn validate_version(version: &Value, versions: &[Value], path: &Path, shared: bool, errors: &mut Errors) {
    if is_hoisted(versions, "subresources") == shared {
        validate_subresources(&version["subresources"], &path.child("subresources"), errors);
    }
    if is_hoisted(versions, "additionalPrinterColumns") == shared {
        for (index, column) in list(version, "additionalPrinterColumns").iter().enumerate() {
            validate_column(column, &path.child("additionalPrinterColumns").index(index), errors);
        }
    }
    if is_hoisted(versions, "selectableFields") == shared {
        let schema = version.pointer("/schema/openAPIV3Schema").unwrap_or(&Value::Null);
        validate_selectable(list(version, "selectableFields"), schema, &path.child("selectableFields"), errors);
    }
}

/// `ValidateCustomResourceSelectableFields`
fn validate_selectable(fields: &[Value], schema: &Value, path: &Path, errors: &mut Errors) {
    const MAX: usize = 8;
    let mut known: Vec<&str> = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let item = path.index(index);
        let (path, field) = (item.child("jsonPath"), text(field, "jsonPath"));
        if field.is_empty() {
            errors.push(Error::required(&path, ""));
            continue;
        }
        let found = match field_path::find(field, schema, false) {
            Ok(found) => found,
            Err("expected [ or .") => {
                let start = field.split(['.', '[', ']']).next().unwrap_or_default();
                let why = format!("is an invalid path: expected [ or . but got: {start}");
                errors.push(Error::invalid(&path, field, why));
                continue;
            }
            Err(why) => {
                errors.push(Error::invalid(&path, field, format!("is an invalid path: {why}")));
                continue;
            }
        };
        if field == ".metadata" || field.starts_with(".metadata.") {
            errors.push(Error::invalid(&path, field, "must not point to fields in metadata"));
        }
        if !matches!(text(found, "type"), "string" | "integer" | "boolean") {
            let why = "must point to a field of type string, boolean or integer. Enum string fields and strings with \
                       formats are allowed.";
            errors.push(Error::invalid(&path, field, why));
        }
        if known.contains(&field) {
            errors.push(Error::duplicate(&path, field));
        } else {
            known.push(field);
        }
    }
    if known.len() > MAX {
        errors.push(Error::too_many(path, known.len(), MAX));
    }
}

fn validate_column(column: &Value, path: &Path, errors: &mut Errors) {
    const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
    const FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
    if text(column, "name").is_empty() {
        errors.push(Error::required(&path.child("name"), ""));
    }
    let kind = text(column, "type");
    let one_of = |known: &[&str]| format!("must be one of {}", known.join(","));
    if kind.is_empty() {
        errors.push(Error::required(&path.child("type"), one_of(&TYPES)));
    } else if !TYPES.contains(&kind) {
        errors.push(Error::invalid(&path.child("type"), kind, one_of(&TYPES)));
    }
    let format = text(column, "format");
    if !format.is_empty() && !FORMATS.contains(&format) {
        errors.push(Error::invalid(&path.child("format"), format, one_of(&FORMATS)));
    }
    let json_path = text(column, "jsonPath");
    if json_path.is_empty() {
        errors.push(Error::required(&path.child("JSONPath"), ""));
    } else {
        simple_path(json_path, &path.child("JSONPath"), errors);
    }
}

/// Upstream's `validateSimpleJSONPath`.
fn simple_path(text: &str, path: &Path, errors: &mut Errors) -> bool {
    let is_simple = text.starts_with('.');
    if !is_simple {
        errors.push(Error::invalid(path, text, "must be a simple json path starting with ."));
    }
    is_simple
}

fn validate_subresources(subresources: &Value, path: &Path, errors: &mut Errors) {
    let Some(scale) = subresources.get("scale").filter(|scale| scale.is_object()) else { return };
    let path = path.child("scale");
    let mut check = |name: &str, roots: &[&str], why: &str| {
        let (value, path) = (text(scale, name), path.child(name));
        if value.is_empty() {
            if name != "labelSelectorPath" {
                errors.push(Error::required(&path, ""));
            }
            return;
        }
        if simple_path(value, &path, errors) && !roots.iter().any(|root| value.starts_with(root)) {
            errors.push(Error::invalid(&path, value, why));
        }
    };
    check("specReplicasPath", &[".spec."], "should be a json path under .spec");
    check("statusReplicasPath", &[".status."], "should be a json path under .status");
    check("labelSelectorPath", &[".spec.", ".status."], "should be a json path under either .spec or .status");
}

fn validate_names(names: &Value, errors: &mut Errors) {
    let path = Path::new("spec");
    let path = path.child("names");
    for name in ["plural", "singular", "kind", "listKind"] {
        if text(names, name).is_empty() {
            errors.push(Error::required(&path.child(name), ""));
        }
    }
    let mut check = |path: &Path, value: &str, mixed_case: bool| {
        if value.is_empty() {
            return;
        }
        let bad = dns1035_label(&if mixed_case { value.to_lowercase() } else { value.to_owned() });
        if !bad.is_empty() {
            let prefix = if mixed_case { "may have mixed case, but should otherwise match: " } else { "" };
            errors.push(Error::invalid(path, value, format!("{prefix}{}", bad.join(","))));
        }
    };
    check(&path.child("plural"), text(names, "plural"), false);
    check(&path.child("singular"), text(names, "singular"), false);
    check(&path.child("kind"), text(names, "kind"), true);
    check(&path.child("listKind"), text(names, "listKind"), true);
    let labels = |field: &str, errors: &mut Errors| {
        let path = path.child(field);
        for (index, name) in list(names, field).iter().enumerate() {
            let name = name.as_str().unwrap_or_default();
            let bad = dns1035_label(name);
            if !bad.is_empty() {
                errors.push(Error::invalid(&path.index(index), name, bad.join(",")));
            }
        }
    };
    labels("shortNames", errors);
    let kind = text(names, "kind");
    if !kind.is_empty() && kind == text(names, "listKind") {
        errors.push(Error::invalid(&path.child("listKind"), kind, "kind and listKind may not be the same"));
    }
    labels("categories", errors);
}

fn validate_conversion(conversion: &Value, errors: &mut Errors) {
    let path = Path::new("spec");
    let path = path.child("conversion");
    let (config, versions) = (path.child("webhookClientConfig"), path.child("conversionReviewVersions"));
    let webhook = &conversion["webhook"];
    match text(conversion, "strategy") {
        strategy if strategy != "Webhook" => {
            match strategy {
                "" => errors.push(Error::required(&path.child("strategy"), "")),
                "None" => {}
                other => errors.push(Error::not_supported(&path.child("strategy"), other, &["None", "Webhook"])),
            }
            let why = "should not be set when strategy is not set to Webhook";
            if !webhook["clientConfig"].is_null() {
                errors.push(Error::forbidden(&config, why));
            }
            if !list(webhook, "conversionReviewVersions").is_empty() {
                errors.push(Error::forbidden(&versions, why));
            }
        }
        _ => {
            if webhook["clientConfig"].is_object() {
                client_config(&webhook["clientConfig"], &config, errors);
            } else {
                errors.push(Error::required(&config, "required when strategy is set to Webhook"));
            }
            review_versions(&webhook["conversionReviewVersions"], "", &versions, errors);
        }
    }
}

fn validate_stored_versions(object: &Tree, spec: &Value, errors: &mut Errors) {
    let path = Path::new("status");
    let path = path.child("storedVersions");
    let nothing = Value::Null;
    let stored = object.at("/status/storedVersions").unwrap_or(&nothing);
    let stored_names: Vec<&str> = stored.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if stored_names.is_empty() {
        return errors.push(Error::invalid(&path, stored.clone(), "must have at least one stored version"));
    }
    for version in list(spec, "versions").iter().filter(|version| version["storage"] == true) {
        let name = text(version, "name");
        if !stored_names.contains(&name) {
            errors.push(Error::invalid(&path, stored.clone(), format!("must have the storage version {name}")));
        }
    }
    for (index, name) in stored_names.iter().enumerate() {
        if !list(spec, "versions").iter().any(|version| text(version, "name") == *name) {
            let why = format!(
                "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions \
                 until a storage migration ensures no data remains persisted in {name} and removes {name} from \
                 status.storedVersions"
            );
            errors.push(Error::invalid(&path.index(index), *name, why));
        }
    }
}

/// Groups of the community need its approval.
fn validate_approval(object: &Tree, errors: &mut Errors) {
    let group = object.text("/spec/group");
    let protected = ["k8s.io", "kubernetes.io"].iter().any(|own| group == *own || group.ends_with(&format!(".{own}")));
    if !protected {
        return;
    }
    const NAME: &str = "api-approved.kubernetes.io";
    let annotations = api::Object::meta(object).annotations.as_ref();
    let approval = annotations.and_then(|annotations| annotations.get(NAME)).map(String::as_str).unwrap_or_default();
    let path = Path::new("metadata");
    let path = path.child("annotations");
    if approval.is_empty() {
        let why = "protected groups must have approval annotation \"api-approved.kubernetes.io\", see \
                   https://github.com/kubernetes/enhancements/pull/1111";
        errors.push(Error::required(&path.key(NAME), why));
    } else if !approval.starts_with("unapproved") && !approval.contains("://") {
        let why = "protected groups must have approval annotation \"api-approved.kubernetes.io\" with either a URL or a \
                   reason starting with \"unapproved\", see https://github.com/kubernetes/enhancements/pull/1111";
        errors.push(Error::invalid(&path.key(NAME), approval, why));
    }
}
