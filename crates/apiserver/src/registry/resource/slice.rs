//! ResourceSlice: the devices of a pool that a driver offers.

use std::borrow::Cow;

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::types::NodeSelector;
use api::validate::dns1123_subdomain;
use serde_json::{Value, json};

use super::claim::{each_once, name_of};
use super::{GROUP, device, names};
use crate::registry::admission_rules::{default_field, items, text};
use crate::registry::csi::{driver_name, immutable};
use crate::registry::pod;
use crate::registry::rules::complain;
use crate::strategy::TreeStrategy;

const DEVICES_MAX: usize = 128;
const DEVICES_WITH_TAINTS_MAX: usize = 64;
const COUNTER_SETS_MAX: usize = 8;
const ONE_OF: &str = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";

pub(in crate::registry) struct ResourceSlice;

impl TreeStrategy for ResourceSlice {
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "ResourceSlice";
    const DELETE_RETURNS_OBJECT: bool = true;
    const HAS_GENERATION: bool = true;
    const FIELDS: &'static [&'static str] = &["spec.nodeName", "spec.driver"];

    fn default(object: &mut Tree) {
        default_field(object.fields_mut(), "spec", json!({}));
        let Some(spec) = object.fields_mut().get_mut("spec").and_then(Value::as_object_mut) else { return };
        default_field(spec, "driver", json!(""));
        default_field(spec, "pool", json!({}));
        let Some(pool) = spec.get_mut("pool").and_then(Value::as_object_mut) else { return };
        for (field, zero) in [("name", json!("")), ("generation", json!(0)), ("resourceSliceCount", json!(0))] {
            default_field(pool, field, zero);
        }
    }

    fn validate(object: &Tree) -> Errors {
        spec(object, None)
    }

    fn validate_update(object: &Tree, old: &Tree) -> Errors {
        spec(object, Some(old))
    }

    fn field<'a>(object: &'a Tree, name: &str) -> Cow<'a, str> {
        let field = if name == "spec.driver" { "/spec/driver" } else { "/spec/nodeName" };
        object.text(field).into()
    }
}

/// `validateResourceSliceSpec`
fn spec(object: &Tree, old: Option<&Tree>) -> Errors {
    let mut errors = Errors::new();
    let (spec, path) = (object.get("spec").unwrap_or(&Value::Null), Path::new("spec"));
    driver_name(text(spec, "driver"), &path.child("driver"), &mut errors);
    pool(&spec["pool"], &path.child("pool"), &mut errors);
    if let Some(old) = old {
        if object.at("/spec/pool/name") != old.at("/spec/pool/name") {
            let why = crate::registry::rules::IMMUTABLE;
            errors.push(Error::invalid(&path.child("pool").child("name"), object.text("/spec/pool/name"), why));
        }
        immutable(object, old, &["driver", "nodeName"], &mut errors);
    }
    let given = nodes(spec, &path, &mut errors);
    match given.len() {
        0 => errors.push(Error::required(&path, ONE_OF)),
        1 => {}
        _ => {
            let why = format!("{ONE_OF}, but multiple fields are set");
            errors.push(Error::invalid(&path, format!("{{{}}}", given.join(", ")), why));
        }
    }
    let present = |field: &str| spec.get(field).is_some_and(|value| !value.is_null());
    if present("sharedCounters") && present("devices") {
        errors.push(Error::invalid(&path, "", "only one of `sharedCounters` or `devices` is allowed"));
    }
    let is_advanced =
        |device: &Value| ["taints", "consumesCounters"].iter().any(|list| !items(device, list).is_empty());
    let max = match items(spec, "devices").iter().any(is_advanced) {
        true => DEVICES_WITH_TAINTS_MAX,
        false => DEVICES_MAX,
    };
    let chooses = spec["perDeviceNodeSelection"] == true;
    let before = old.and_then(|old| old.get("spec")).unwrap_or(&Value::Null);
    each_once(spec, "devices", name_of, max, &path, &mut errors, |one, path, errors| {
        let old = items(before, "devices").iter().find(|other| text(other, "name") == text(one, "name"));
        device::validate(one, old, chooses, path, errors);
    });
    each_once(spec, "sharedCounters", name_of, COUNTER_SETS_MAX, &path, &mut errors, |set, path, errors| {
        device::counters(set, "name", path, errors);
    });
    errors
}

fn pool(pool: &Value, path: &Path, errors: &mut Errors) {
    names::pool(text(pool, "name"), &path.child("name"), errors);
    let number = |field: &str| pool.get(field).and_then(Value::as_i64).unwrap_or(0);
    let (count, generation) = (number("resourceSliceCount"), number("generation"));
    if count <= 0 {
        errors.push(Error::invalid(&path.child("resourceSliceCount"), count, "must be greater than zero"));
    }
    if generation < 0 {
        let why = "must be greater than or equal to zero";
        errors.push(Error::invalid(&path.child("generation"), generation, why));
    }
}

/// By what the nodes are chosen.
fn nodes(spec: &Value, path: &Path, errors: &mut Errors) -> Vec<&'static str> {
    let mut given = Vec::new();
    match spec.get("nodeName").and_then(Value::as_str) {
        Some("") => {
            let why = "must be either unset or set to a non-empty string";
            errors.push(Error::invalid(&path.child("nodeName"), "", why));
        }
        Some(name) => {
            given.push("`nodeName`");
            complain(errors, &path.child("nodeName"), name, dns1123_subdomain(name));
        }
        None => {}
    }
    if let Some(selector) = spec.get("nodeSelector").filter(|selector| !selector.is_null()) {
        given.push("`nodeSelector`");
        let path = path.child("nodeSelector");
        node_selector(selector, &path, errors);
        if items(selector, "nodeSelectorTerms").len() != 1 {
            let shown = super::shown("core.v1.NodeSelectorTerm", &selector["nodeSelectorTerms"]);
            let why = "must have exactly one node selector term";
            errors.push(Error::invalid_verbatim(&path.child("nodeSelectorTerms"), shown, why));
        }
    }
    for (field, name) in [("allNodes", "`allNodes`"), ("perDeviceNodeSelection", "`perDeviceNodeSelection`")] {
        match spec.get(field).and_then(Value::as_bool) {
            Some(true) => given.push(name),
            Some(false) => {
                errors.push(Error::invalid(&path.child(field), false, "must be either unset or set to true"));
            }
            None => {}
        }
    }
    given
}

pub(super) fn node_selector(selector: &Value, path: &Path, errors: &mut Errors) {
    if let Ok(selector) = serde_json::from_value::<NodeSelector>(selector.clone()) {
        pod::node_selector(&selector, path, errors);
    }
}
