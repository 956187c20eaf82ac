//! Admission policies: which of them a request meets, by which bindings and with which parameters. Upstream:
//! `apiserver/pkg/admission/plugin/policy/generic`.
//!
//! Differs: audit annotations are checked and go nowhere, as there is no audit log.

pub(crate) mod expression;
pub(super) mod mutating;
pub(super) mod validating;

use api::object::Tree;
use api::{Kind, Object, ObjectRef, Status, kinds};
use serde_json::Value;

use super::{Attributes, forms, matching};
use crate::registry::admission_rules::text;
use crate::storage::Storage;

fn row(kind: &str) -> &'static Kind {
    kinds::by_kind("admissionregistration.k8s.io/v1", kind).expect("policies are in the table of kinds")
}

/// One policy by one binding.
struct Bound<'a> {
    policy: &'a str,
    /// `None` where the policy itself cannot be used.
    binding: Option<&'a str>,
    spec: &'a Value,
    bound: &'a Value,
    /// In which the policy sees the objects.
    form: &'static Kind,
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
        let Some(form) = matching::resources_match(storage, attributes, &spec["matchConstraints"], objects) else {
            continue;
        };
        let of_policy = |binding: &&Tree| binding.text("/spec/policyName") == name(policy);
        let mut bindings = storage.trees(bindings).filter(of_policy).peekable();
        let param_kind = match param_kind(attributes, &spec["paramKind"]) {
            Ok(kind) => kind,
            Err(why) => {
                let params = Err(format!("failed to configure policy: {why}"));
                let unusable = Bound { policy: name(policy), binding: None, spec, bound: &Value::Null, form, params };
                found.extend(bindings.peek().map(|_| unusable));
                continue;
            }
        };
        for binding in bindings {
            let Some(bound) = binding.get("spec") else { continue };
            if matching::resources_match(storage, attributes, &bound["matchResources"], objects).is_some() {
                let params = params(storage, attributes, param_kind, &bound["paramRef"]);
                let params = params.map_err(|why| format!("failed to configure binding: {why}"));
                found.push(Bound { policy: name(policy), binding: Some(name(binding)), spec, bound, form, params });
            }
        }
    }
    found
}

/// The kind of a policy's parameters, if it has any.
fn param_kind(attributes: &Attributes, kind: &Value) -> Result<Option<&'static Kind>, String> {
    if kind.is_null() {
        return Ok(None);
    }
    let (api_version, kind) = (text(kind, "apiVersion"), text(kind, "kind"));
    forms::by_kind(&attributes.customs, api_version, kind).map(Some).ok_or_else(|| {
        let slash = if api_version.contains('/') { "" } else { "/" };
        format!("failed to find resource referenced by paramKind: '{slash}{api_version}, Kind={kind}'")
    })
}

fn params(
    storage: &Storage,
    attributes: &Attributes,
    kind: Option<&'static Kind>,
    reference: &Value,
) -> Result<Vec<Value>, String> {
    let Some(row) = kind.filter(|_| !reference.is_null()) else { return Ok(vec![Value::Null]) };
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
    let shown = |object: &ObjectRef| {
        let converted = forms::converted(storage, &attributes.customs, attributes.context, row, &**object);
        converted.map(|other| other.map_or_else(|| object.to_value(), |other| other.to_value()))
    };
    let found: Result<Vec<Value>, Status> = found.map(shown).collect();
    let found = found.map_err(|status| status.message)?;
    if found.is_empty() && text(reference, "parameterNotFoundAction") == "Deny" {
        return Err("no params found for policy binding with `Deny` parameterNotFoundAction".into());
    }
    Ok(found)
}
