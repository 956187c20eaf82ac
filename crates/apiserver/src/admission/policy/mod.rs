//! Admission policies: which of them a request meets, by which bindings and with which parameters. Upstream:
//! `apiserver/pkg/admission/plugin/policy/generic`.
//!
//! Differs: audit annotations are checked and go nowhere, as there is no audit log.

pub(crate) mod expression;
pub(super) mod mutating;
pub(super) mod validating;

use api::object::Tree;
use api::{Kind, Object, kinds};
use serde_json::Value;

use super::{Attributes, matching};
use crate::registry::admission_rules::text;
use crate::storage::Storage;

fn row(kind: &str) -> &'static Kind {
    kinds::by_kind("admissionregistration.k8s.io/v1", kind).expect("policies are in the table of kinds")
}

/// One policy by one binding.
struct Bound<'a> {
    policy: &'a str,
    binding: &'a str,
    spec: &'a Value,
    bound: &'a Value,
    /// The parameters to evaluate with, one after the other: none is `null`.
    params: Result<Vec<Value>, String>,
}

impl Bound<'_> {
    fn ignores_failures(&self) -> bool {
        text(self.spec, "failurePolicy") == "Ignore"
    }
}

fn name(object: &Tree) -> &str {
    Object::meta(object).name.as_deref().unwrap_or_default()
}

/// The policies of a kind that a request meets.
fn bound<'a>(storage: &'a Storage, attributes: &Attributes, kind: &str, objects: &[&dyn Object]) -> Vec<Bound<'a>> {
    if !storage.has_admission_objects() || matching::is_exempt(attributes) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let bindings = row(&format!("{kind}Binding"));
    for policy in storage.trees(row(kind)) {
        let Some(spec) = policy.get("spec") else { continue };
        if !matching::resources_match(storage, attributes, &spec["matchConstraints"], objects) {
            continue;
        }
        for binding in storage.trees(bindings) {
            let Some(bound) = binding.get("spec").filter(|bound| text(bound, "policyName") == name(policy)) else {
                continue;
            };
            if matching::resources_match(storage, attributes, &bound["matchResources"], objects) {
                let params = params(storage, attributes, &spec["paramKind"], &bound["paramRef"]);
                let params = params.map_err(|why| format!("failed to configure binding: {why}"));
                found.push(Bound { policy: name(policy), binding: name(binding), spec, bound, params });
            }
        }
    }
    found
}

fn params(storage: &Storage, attributes: &Attributes, kind: &Value, reference: &Value) -> Result<Vec<Value>, String> {
    if kind.is_null() || reference.is_null() {
        return Ok(vec![Value::Null]);
    }
    let Some(row) = kinds::by_kind(text(kind, "apiVersion"), text(kind, "kind")) else {
        return Err(format!("failed to find resource referenced by paramKind: '{}'", text(kind, "kind")));
    };
    let own = text(reference, "namespace");
    let namespace = match (row.namespaced, own, attributes.request.namespace.as_str()) {
        (false, "", _) => "",
        (false, ..) => return Err("paramRef.namespace must not be provided for a cluster-scoped `paramKind`".into()),
        (true, "", "") => {
            return Err("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources".into());
        }
        (true, "", of_request) => of_request,
        (true, own, _) => own,
    };
    let wanted = text(reference, "name");
    let selector = serde_json::from_value(reference["selector"].clone()).ok();
    let selector = api::selector::Selector::from_label_selector(selector.as_ref());
    let found = storage.range(row.stored(), namespace).into_iter().filter(|object| match wanted {
        "" => selector.matches(api::meta::labels(object.meta())),
        name => object.name() == name,
    });
    let found: Vec<Value> = found.map(|object| object.to_value()).collect();
    if found.is_empty() && text(reference, "parameterNotFoundAction") == "Deny" {
        return Err("no params found for policy binding with `Deny` parameterNotFoundAction".into());
    }
    Ok(found)
}
