//! MutatingAdmissionPolicy: expressions that make patches of the object. Upstream:
//! `apiserver/pkg/admission/plugin/policy/mutating`.

use api::patch::apply::{atomics, merge, validate};
use api::status::Cause;
use api::{Draft, FieldValidation, Kind, Object, Reason, Status, Verb};
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
    // What cannot be configured at all is said first.
    let (mut misconfigured, mut refusals) = (Vec::new(), Vec::new());
    attributes.rounds.policies.borrow_mut().begin(&attributes.rounds, &**object);
    for one in &found {
        let said = |why: &str| match one.binding {
            Some(binding) => format!("policy '{}' with binding '{binding}' denied request: {why}", one.policy),
            None => format!("policy {:?} denied request: {why}", one.policy),
        };
        let refuse = |refusals: &mut Vec<String>, why: &str| {
            if !one.ignores_failures() {
                refusals.push(said(why));
            }
        };
        let params = match &one.params {
            Ok(params) => params,
            Err(why) => {
                refuse(&mut misconfigured, why);
                continue;
            }
        };
        let old = match old.map(|old| attributes.seen(storage, one.form, old, |old| old.to_value())).transpose() {
            Ok(old) => old.unwrap_or_default(),
            Err(status) => {
                refuse(&mut misconfigured, &format!("failed to configure policy: {}", status.message));
                continue;
            }
        };
        for param in params {
            invoke(storage, attributes, object, &old, one, param, &mut |why| refuse(&mut refusals, why))?;
        }
    }
    attributes.rounds.policies.borrow_mut().end(&**object);
    let reason = if misconfigured.is_empty() { Reason::Invalid } else { Reason::Forbidden };
    misconfigured.append(&mut refusals);
    if misconfigured.is_empty() { Ok(()) } else { Err(refused(attributes, object.name(), reason, misconfigured)) }
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
    let shown = |object: &Draft| attributes.seen(storage, one.form, &**object, |object| object.to_value());
    let mut value = shown(object)?;
    let mut scene = Scene::new(storage, attributes, one.form, &value, old);
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
    let key = format!("{}/{}/{}/{}", one.policy, one.binding.unwrap_or_default(), place("namespace"), place("name"));
    if !rounds.policies.borrow().is_due(rounds, &key) {
        return Ok(());
    }
    let before = value.clone();
    for mutation in items(one.spec, "mutations") {
        scene.set_object(&value);
        scene.set_variables(one.spec);
        let made = match text(mutation, "patchType") {
            "JSONPatch" => patched(&mut scene, text(&mutation["jsonPatch"], "expression"), &value),
            _ => applied(&mut scene, one.form, text(&mutation["applyConfiguration"], "expression"), &value),
        };
        let decoded = made.and_then(|made| made.map(|made| decoded(storage, attributes, one.form, made)).transpose());
        match decoded {
            Ok(Some(made)) => {
                *object = made;
                value = shown(object)?;
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

/// What a mutation makes, and how strictly it is decoded.
struct Made {
    object: Value,
    validation: FieldValidation,
}

fn decoded(storage: &Storage, attributes: &Attributes, form: &'static Kind, made: Made) -> Result<Draft, Failure> {
    attributes.decoded(storage, form, made.object, made.validation).map_err(|status| match made.validation {
        FieldValidation::Strict => {
            let strict = status.message.find("strict decoding error: ").map(|at| status.message[at..].to_owned());
            Failure::Request(Status::internal(strict.unwrap_or(status.message)))
        }
        FieldValidation::Ignore | FieldValidation::Warn => Failure::Policy(status.message),
    })
}

/// `None`: the patch's own test has not held, and nothing changes.
fn patched(scene: &mut Scene, source: &str, object: &Value) -> Result<Option<Made>, Failure> {
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
        Ok(object) => Ok(Some(Made { object, validation: FieldValidation::Strict })),
        Err(why) if why.starts_with(api::patch::TEST_FAILED) => Ok(None),
        Err(why) => Err(Failure::Policy(format!("JSONPath: {why}"))),
    }
}

fn applied(scene: &mut Scene, form: &'static Kind, source: &str, object: &Value) -> Result<Option<Made>, Failure> {
    let made = evaluate(scene, source, Yields::Object)?;
    check_names(&made, "Object")?;
    let failed = |why: String| Failure::Policy(format!("error applying patch: {why}"));
    let mut config = made.to_json().unwrap_or_default();
    for field in ["apiVersion", "kind"] {
        config[field] = object[field].clone();
    }
    let shape = shape_of(form);
    validate(shape, &config).map_err(|why| failed(format!("failed to convert patch object to typed object: {why}")))?;
    let atomics = atomics(shape, &config);
    if !atomics.is_empty() {
        let why = format!("may not mutate atomic arrays, maps or structs: {}", atomics.join(", "));
        return Err(failed(format!("invalid ApplyConfiguration: {why}")));
    }
    let merged = merge(shape, object, &config).map_err(|why| failed(format!("failed to merge patch: {why}")))?;
    Ok(Some(Made { object: merged, validation: FieldValidation::Ignore }))
}

/// The first refusal speaks for all.
fn refused(attributes: &Attributes, name: &str, reason: Reason, refusals: Vec<String>) -> Status {
    let mut status = Status::forbidden(attributes.served, name, "");
    status.reason = reason;
    status.message.clone_from(&refusals[0]);
    let causes = refusals.into_iter().map(|message| Cause { reason: String::new(), message, field: String::new() });
    status.details.get_or_insert_default().causes.extend(causes);
    status
}
