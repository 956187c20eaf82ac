//! MutatingAdmissionPolicy: expressions that make patches of the object. Upstream:
//! `apiserver/pkg/admission/plugin/policy/mutating`.

use api::patch::apply::{atomics, merge, validate};
use api::status::Cause;
use api::{Draft, FieldValidation, Object, Reason, Status, Verb};
use cel::Value as Cel;
use serde_json::Value;

use super::expression::Yields;
use super::{Bound, bound};
use crate::admission::Attributes;
use crate::admission::scene::Scene;
use crate::managed_fields::shape_of;
use crate::registry::admission_rules::{items, text};
use crate::storage::Storage;

/// Why a mutation was not made.
enum Failure {
    /// The failure policy decides.
    Policy(String),
    /// Refuses the request, whatever the policy says.
    Request(Status),
}

pub(in crate::admission) fn admit(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut Draft,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    if attributes.verb == Verb::Delete {
        return Ok(());
    }
    let objects: Vec<&dyn Object> = std::iter::once(&**object).chain(old).collect();
    let found = bound(storage, attributes, "MutatingAdmissionPolicy", &objects);
    if found.is_empty() {
        return Ok(());
    }
    let old = old.map_or(Value::Null, |old| old.to_value());
    let mut refusals = Vec::new();
    attributes.rounds.policies.borrow_mut().begin(&attributes.rounds, &**object);
    for one in &found {
        let mut refuse = |why: &str| {
            if !one.ignores_failures() {
                let (policy, binding) = (one.policy, one.binding);
                refusals.push(format!("policy '{policy}' with binding '{binding}' denied request: {why}"));
            }
        };
        match &one.params {
            Err(why) => refuse(why),
            Ok(params) => {
                for param in params {
                    invoke(storage, attributes, object, &old, one, param, &mut refuse)?;
                }
            }
        }
    }
    attributes.rounds.policies.borrow_mut().end(&**object);
    if refusals.is_empty() { Ok(()) } else { Err(refused(attributes, object.name(), refusals)) }
}

/// Makes the mutations of one policy by one binding with one parameter.
fn invoke(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut Draft,
    old: &Value,
    one: &Bound,
    param: &Value,
    refuse: &mut dyn FnMut(&str),
) -> Result<(), Status> {
    let mut value = object.to_value();
    let mut scene = Scene::new(storage, attributes, &value, old);
    if !one.spec["paramKind"].is_null() {
        scene.set_params(param);
    }
    match scene.conditions_hold(one.spec) {
        Ok(true) => {}
        Ok(false) => return Ok(()),
        Err(why) => {
            refuse(&why);
            return Ok(());
        }
    }
    let rounds = &attributes.rounds;
    let place = |field: &str| param["metadata"][field].as_str().unwrap_or_default();
    let key = format!("{}/{}/{}/{}", one.policy, one.binding, place("namespace"), place("name"));
    if !rounds.policies.borrow().is_due(rounds, &key) {
        return Ok(());
    }
    let before = value.clone();
    for mutation in items(one.spec, "mutations") {
        scene.set_object(&value);
        scene.set_variables(one.spec);
        let made = match text(mutation, "patchType") {
            "JSONPatch" => patched(attributes, &mut scene, text(&mutation["jsonPatch"], "expression"), &value),
            _ => applied(attributes, &mut scene, text(&mutation["applyConfiguration"], "expression"), &value),
        };
        match made {
            Ok(Some(made)) => {
                *object = made;
                value = object.to_value();
            }
            Ok(None) => {}
            Err(Failure::Policy(why)) => refuse(&why),
            Err(Failure::Request(status)) => return Err(status),
        }
    }
    let reinvoked = text(one.spec, "reinvocationPolicy") == "IfNeeded";
    rounds.policies.borrow_mut().note(rounds, key, before != value, reinvoked);
    Ok(())
}

fn evaluate(scene: &mut Scene, source: &str, yields: Yields) -> Result<Cel, Failure> {
    scene.allow_patches();
    scene.evaluate(source, yields).map_err(Failure::Policy)
}

/// Names in a structure follow from where they stand.
fn check_names(value: &Cel, root: &str) -> Result<(), Failure> {
    let mistakes = value.misnamed(root);
    if mistakes.is_empty() { Ok(()) } else { Err(Failure::Policy(format!("type mismatch: {}", mistakes.join("\n")))) }
}

/// `None`: the patch's own test has not held, and nothing changes.
fn patched(attributes: &Attributes, scene: &mut Scene, source: &str, object: &Value) -> Result<Option<Draft>, Failure> {
    let made = evaluate(scene, source, Yields::Patches)?;
    let Cel::List(operations) = &made else {
        return Err(Failure::Policy("type mismatch: JSONPatchType.expression should evaluate to array".into()));
    };
    for operation in operations.iter() {
        let Cel::Struct(operation) = operation else { continue };
        if let Some(Cel::Struct(value)) = operation.fields.get(&cel::Key::String("value".into())) {
            check_names(&Cel::Struct(value.clone()), &value.name)?;
        }
    }
    let Some(Value::Array(operations)) = made.to_json() else {
        let why = "JSONPath valueExpression evaluated to a type that could not marshal to JSON";
        return Err(Failure::Policy(why.into()));
    };
    match api::patch::operate(object.clone(), &operations) {
        Ok(object) => attributes.decoded(object, FieldValidation::Strict).map(Some).map_err(|status| {
            let strict = status.message.find("strict decoding error: ").map(|at| status.message[at..].to_owned());
            Failure::Request(Status::internal(strict.unwrap_or(status.message)))
        }),
        Err(why) if why.starts_with(api::patch::TEST_FAILED) => Ok(None),
        Err(why) => Err(Failure::Policy(format!("JSONPath: {why}"))),
    }
}

fn applied(attributes: &Attributes, scene: &mut Scene, source: &str, object: &Value) -> Result<Option<Draft>, Failure> {
    let made = evaluate(scene, source, Yields::Object)?;
    check_names(&made, "Object")?;
    let failed = |why: String| Failure::Policy(format!("error applying patch: {why}"));
    let mut config = made.to_json().unwrap_or_default();
    for field in ["apiVersion", "kind"] {
        config[field] = object[field].clone();
    }
    let shape = shape_of(attributes.form());
    validate(shape, &config).map_err(|why| failed(format!("failed to convert patch object to typed object: {why}")))?;
    let atomics = atomics(shape, &config);
    if !atomics.is_empty() {
        let why = format!("may not mutate atomic arrays, maps or structs: {}", atomics.join(", "));
        return Err(failed(format!("invalid ApplyConfiguration: {why}")));
    }
    let merged = merge(shape, object, &config).map_err(|why| failed(format!("failed to merge patch: {why}")))?;
    attributes.decoded(merged, FieldValidation::Ignore).map(Some).map_err(|status| Failure::Policy(status.message))
}

/// The first refusal speaks for all.
fn refused(attributes: &Attributes, name: &str, refusals: Vec<String>) -> Status {
    let mut status = Status::forbidden(attributes.served, name, "");
    status.reason = Reason::Invalid;
    status.message.clone_from(&refusals[0]);
    let causes = refusals.into_iter().map(|message| Cause { reason: String::new(), message, field: String::new() });
    status.details.get_or_insert_default().causes.extend(causes);
    status
}
