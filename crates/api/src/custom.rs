//! Kinds of custom resources: what a CustomResourceDefinition makes of each of its versions.
//!
//! A kind is `&'static` everywhere, so what a definition says is kept for the life of the process, each distinct one once.
//! Which kinds *exist* is the state of each API server. Upstream: `apiextensions-apiserver/pkg/apiserver`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::jsonpath::Path;
use crate::kinds::{Kind, KindId, View, tree};
use crate::object::{Object, Tree};
use crate::request::Subresource;
use crate::table::{self, Cell, Column, age};
use crate::time::SimTime;

/// What a definition says of one version, beyond the names.
#[derive(Debug)]
pub struct CustomKind {
    /// As the object stands in `spec.versions`.
    pub version: Value,
    /// This version is the stored one.
    pub storage: bool,
    pub columns: Vec<Column>,
    /// One for each column: where its value is, and what is said of it.
    pub cells: Vec<(Path, &'static str)>,
    /// `spec.replicas`-like paths of the scale subresource, without the leading dot.
    pub scale: Option<ScalePaths>,
    /// `.spec.size`-like paths without the leading dot: field selectors.
    pub selectable: Vec<&'static str>,
    /// The text of the `Warning` header with which the version is served.
    pub deprecation: Option<&'static str>,
}

#[derive(Debug)]
pub struct ScalePaths {
    pub spec_replicas: &'static str,
    pub status_replicas: &'static str,
    pub selector: Option<&'static str>,
}

/// Everything that a definition has said so far, by the text of it; and the rows by their numbers.
#[derive(Default)]
struct Interned {
    definitions: BTreeMap<String, &'static Kind>,
    rows: BTreeMap<KindId, &'static Kind>,
    texts: BTreeMap<String, &'static str>,
}

static INTERNED: Mutex<Option<Interned>> = Mutex::new(None);

/// The row of [`KindId::ANY_CUSTOM`].
static ANY: Kind = Kind {
    id: KindId::ANY_CUSTOM,
    group: "*",
    version: "*",
    kind: "CustomResource",
    list_kind: "CustomResourceList",
    plural: "*",
    singular: "",
    short_names: &[],
    categories: &[],
    namespaced: true,
    subresources: &[],
    decode: tree,
    view: None,
    custom: None,
};

fn interned<R>(use_it: impl FnOnce(&mut Interned) -> R) -> R {
    let mut guard = INTERNED.lock().unwrap_or_else(PoisonError::into_inner);
    use_it(guard.get_or_insert_default())
}

impl Interned {
    fn text(&mut self, text: &str) -> &'static str {
        if let Some(known) = self.texts.get(text) {
            return known;
        }
        let kept: &'static str = Box::leak(text.into());
        self.texts.insert(text.into(), kept);
        kept
    }

    fn texts(&mut self, list: &Value) -> &'static [&'static str] {
        let texts: Vec<&str> = list.as_array().into_iter().flatten().filter_map(|text| self_text(self, text)).collect();
        Vec::leak(texts)
    }
}

fn self_text(interned: &mut Interned, text: &Value) -> Option<&'static str> {
    text.as_str().map(|text| interned.text(text))
}

/// The row with the names that a custom kind's number stands for.
pub(crate) fn named(id: KindId) -> &'static Kind {
    if id == KindId::ANY_CUSTOM {
        return &ANY;
    }
    interned(|interned| interned.rows.get(&id).copied()).expect("a custom kind's number comes from its definition")
}

/// The definition's names are accepted and its resources are served.
pub fn is_established(definition: &Tree) -> bool {
    let conditions = definition.at("/status/conditions").and_then(Value::as_array);
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}

/// The kinds that an established definition serves, the versions in their order.
pub fn served(definition: &Tree) -> Vec<&'static Kind> {
    if !is_established(definition) {
        return Vec::new();
    }
    let versions = definition.at("/spec/versions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    versions.iter().filter(|version| version["served"] == true).map(|version| kind(definition, version)).collect()
}

/// The kind that one of the definition's versions makes.
pub fn kind(definition: &Tree, version: &Value) -> &'static Kind {
    let text = |pointer: &str| definition.text(pointer);
    let accepted = definition.at("/status/acceptedNames").filter(|names| names["plural"] != "");
    let names = accepted.or_else(|| definition.at("/spec/names")).unwrap_or(&Value::Null);
    let (group, scope) = (text("/spec/group"), text("/spec/scope"));
    let key = format!("{group} {scope} {names} {version}");
    if let Some(known) = interned(|interned| interned.definitions.get(&key).copied()) {
        return known;
    }
    let mut row = names_alone(group, version["name"].as_str().unwrap_or_default(), names, scope == "Namespaced");
    let kept = names_alone(group, "", names, scope == "Namespaced");
    let custom = custom_kind(&row, version, definition);
    interned(|interned| {
        for row in [&row, &kept] {
            interned.rows.entry(row.id).or_insert_with(|| Box::leak(Box::new(row.clone())));
        }
        let name = |name: &str| names[name].as_str().unwrap_or_default();
        row.list_kind = interned.text(name("listKind"));
        row.singular = interned.text(name("singular"));
        row.short_names = interned.texts(&names["shortNames"]);
        row.categories = interned.texts(&names["categories"]);
        row.subresources = subresources(version);
        row.custom = Some(Box::leak(Box::new(custom)));
        row.view = Some(View { stored: kept.id, to_stored: |value| value, from_stored: |value| value });
        let kind: &'static Kind = Box::leak(Box::new(row));
        interned.definitions.insert(key, kind);
        kind
    })
}

/// The row that follows from the names alone. Without a version it is the form in which all versions are kept.
fn names_alone(group: &str, version: &str, names: &Value, namespaced: bool) -> Kind {
    let name = |name: &str| names[name].as_str().unwrap_or_default();
    let (kind, plural) = (name("kind"), name("plural"));
    let id = KindId::custom(hash(&[group, version, kind, plural, if namespaced { "Namespaced" } else { "Cluster" }]));
    interned(|interned| Kind {
        id,
        group: interned.text(group),
        version: interned.text(version),
        kind: interned.text(kind),
        list_kind: interned.text(&format!("{kind}List")),
        plural: interned.text(plural),
        singular: interned.text(&kind.to_lowercase()),
        short_names: &[],
        categories: &[],
        namespaced,
        subresources: &[],
        decode: tree,
        view: None,
        custom: None,
    })
}

/// FNV-1a, so that a kind has the same number in every process.
fn hash(parts: &[&str]) -> u32 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn subresources(version: &Value) -> &'static [Subresource] {
    let has = |name: &str| version.pointer(&format!("/subresources/{name}")).is_some_and(|value| !value.is_null());
    match (has("status"), has("scale")) {
        (true, true) => &[Subresource::Status, Subresource::Scale],
        (true, false) => &[Subresource::Status],
        (false, true) => &[Subresource::Scale],
        (false, false) => &[],
    }
}

fn custom_kind(row: &Kind, version: &Value, definition: &Tree) -> CustomKind {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let undotted = |value: &Value| text(value).trim_start_matches('.').to_owned();
    let deprecation = (version["deprecated"] == true).then(|| deprecation(row, version, definition));
    interned(|interned| {
        let listed = |name: &str| version[name].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut columns = vec![table::NAME];
        let mut cells = Vec::new();
        for column in listed("additionalPrinterColumns") {
            let Ok(path) = Path::relaxed(column["jsonPath"].as_str().unwrap_or_default()) else { continue };
            let description = match column["description"].as_str().filter(|text| !text.is_empty()) {
                Some(text) => interned.text(text),
                None => interned.text(&format!(
                    "Custom resource definition column (in JSONPath format): {}",
                    text(&column["jsonPath"])
                )),
            };
            columns.push(Column {
                name: interned.text(&text(&column["name"])),
                data_type: interned.text(&text(&column["type"])),
                format: interned.text(&text(&column["format"])),
                priority: column["priority"].as_u64().unwrap_or(0) as u8,
            });
            cells.push((path, description));
        }
        if cells.is_empty() {
            let path = Path::relaxed(".metadata.creationTimestamp").expect("a plain path");
            columns.push(Column { data_type: "date", ..table::AGE });
            cells.push((path, ""));
        }
        let scale = version.pointer("/subresources/scale").filter(|scale| scale.is_object()).map(|scale| ScalePaths {
            spec_replicas: interned.text(&undotted(&scale["specReplicasPath"])),
            status_replicas: interned.text(&undotted(&scale["statusReplicasPath"])),
            selector: scale["labelSelectorPath"].as_str().map(|path| interned.text(path.trim_start_matches('.'))),
        });
        let selectable = listed("selectableFields").iter().map(|field| undotted(&field["jsonPath"]));
        CustomKind {
            version: version.clone(),
            storage: version["storage"] == true,
            columns,
            cells,
            scale,
            selectable: selectable.map(|path| interned.text(&path)).collect(),
            deprecation: deprecation.map(|text| interned.text(&text)),
        }
    })
}

/// What is said with every answer in a deprecated version.
fn deprecation(row: &Kind, version: &Value, definition: &Tree) -> String {
    if let Some(text) = version["deprecationWarning"].as_str() {
        return text.to_owned();
    }
    let old = format!("{} {}", row.api_version(), row.kind);
    let versions = definition.at("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    let usable = versions.filter(|other| other["served"] == true && other["deprecated"] != true);
    let newest = usable.filter_map(|other| other["name"].as_str()).min_by(|one, other| version_order(one, other));
    match newest.filter(|newest| version_order(newest, row.version).is_lt()) {
        Some(newest) => format!("{old} is deprecated; use {}/{newest} {}", row.group, row.kind),
        None => format!("{old} is deprecated"),
    }
}

/// Kubernetes' order of versions, the most stable and newest first: `v2`, `v1`, `v1beta2`, `v1alpha1`, others by name.
pub fn version_order(one: &str, other: &str) -> std::cmp::Ordering {
    let key = |version: &str| {
        let rest = version.strip_prefix('v')?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let major: u64 = rest[..end].parse().ok()?;
        let (stability, minor) = match &rest[end..] {
            "" => (2, "0"),
            tail => tail
                .strip_prefix("beta")
                .map(|minor| (1, minor))
                .or(tail.strip_prefix("alpha").map(|minor| (0, minor)))?,
        };
        Some((stability, major, minor.parse::<u64>().ok()?))
    };
    match (key(one), key(other)) {
        (Some(one), Some(other)) => other.cmp(&one),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => one.cmp(other),
    }
}

impl CustomKind {
    pub fn schema(&self) -> Option<&Value> {
        self.version.pointer("/schema/openAPIV3Schema")
    }

    pub(crate) fn cells(&self, object: &dyn Object, now: SimTime) -> Vec<Cell> {
        let value = object.to_value();
        let cells = self.columns[1..].iter().zip(&self.cells).map(|(column, (path, _))| {
            let found = path.find(&value).ok().and_then(|found| found.first().copied());
            found.map_or(Cell::Value(Value::Null), |found| cell(column.data_type, found, now))
        });
        std::iter::once(object.name().into()).chain(cells).collect()
    }
}

/// Upstream's `cellForJSONValue`.
fn cell(data_type: &str, value: &Value, now: SimTime) -> Cell {
    let nothing = Cell::Value(Value::Null);
    match data_type {
        _ if value.is_null() => nothing,
        "string" => match value {
            Value::String(text) => text.as_str().into(),
            other => other.to_string().into(),
        },
        "integer" => match value.as_i64().or_else(|| value.as_f64().map(|number| number as i64)) {
            Some(number) => number.into(),
            None => nothing,
        },
        "number" if value.is_number() => Cell::Value(value.clone()),
        "boolean" => value.as_bool().map_or(nothing, Cell::Bool),
        "date" => match value.as_str() {
            Some(text) => match text.parse::<jiff::Timestamp>() {
                Ok(moment) => age::since_second(moment.as_second(), now).into(),
                Err(_) => "<invalid>".into(),
            },
            None => nothing,
        },
        _ => nothing,
    }
}
