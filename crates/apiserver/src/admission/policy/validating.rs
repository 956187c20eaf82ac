//! ValidatingAdmissionPolicy: expressions that a request must satisfy. Upstream:
//! `apiserver/pkg/admission/plugin/policy/validating`.

use api::status::Cause;
use api::{Kind, Object, Reason, Status, Verb};
use serde_json::Value;

use super::expression::Yields;
use super::{Bound, bound};
use crate::admission::Attributes;
use crate::admission::scene::Scene;
use crate::registry::admission_rules::{items, text, texts};
use crate::storage::Storage;

/// One expression that was not satisfied, or could not be evaluated.
struct Denial {
    message: String,
    reason: String,
}

impl Denial {
    fn error(message: String) -> Denial {
        Denial { message, reason: String::new() }
    }
}

pub(in crate::admission) fn validate(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    let objects: Vec<&dyn Object> = std::iter::once(object).chain(old).collect();
    let found = bound(storage, attributes, "ValidatingAdmissionPolicy", &objects);
    if found.is_empty() {
        return Ok(());
    }
    let new = Some(object).filter(|_| attributes.verb != Verb::Delete);
    let seen = |form: &'static Kind, object: Option<&dyn Object>| match object {
        Some(object) => attributes.seen(storage, form, object, |object| object.to_value()),
        None => Ok(Value::Null),
    };
    // The first denial speaks for all, once each has given its warnings.
    let mut first: Option<Status> = None;
    for one in found {
        let Bound { policy, binding, bound, form, .. } = one;
        let usable = one.params.as_ref().map_err(|why| (binding, why.clone())).and_then(|params| {
            let objects = seen(form, new).and_then(|new| Ok((new, seen(form, old)?)));
            let why = |status: Status| format!("failed to configure policy: {}", status.message);
            objects.map(|objects| (params, objects)).map_err(|status| (None, why(status)))
        });
        let (params, (new, old)) = match usable {
            Ok(usable) => usable,
            Err((binding, why)) => {
                if !one.ignores_failures() {
                    first.get_or_insert_with(|| denied(attributes, object, policy, binding, &Denial::error(why)));
                }
                continue;
            }
        };
        for denial in denials(&one, params, || Scene::new(storage, attributes, form, &new, &old)) {
            let actions = texts(bound, "validationActions");
            if actions.contains(&"Warn") {
                let (binding, why) = (binding.unwrap_or_default(), &denial.message);
                attributes.warn(format!(
                    "Validation failed for ValidatingAdmissionPolicy '{policy}' with binding '{binding}': {why}"
                ));
            }
            if actions.contains(&"Deny") {
                first.get_or_insert_with(|| denied(attributes, object, policy, binding, &denial));
            }
        }
    }
    first.map_or(Ok(()), Err)
}

fn denied(
    attributes: &Attributes,
    object: &dyn Object,
    policy: &str,
    binding: Option<&str>,
    denial: &Denial,
) -> Status {
    let binding = binding.map_or_else(String::new, |binding| format!(" with binding '{binding}'"));
    let message = format!("ValidatingAdmissionPolicy '{policy}'{binding} denied request: {}", denial.message);
    let mut status = Status::forbidden(attributes.kind, object.name(), &message);
    (status.code, status.reason) = match denial.reason.as_str() {
        "Forbidden" => (403, Reason::Forbidden),
        "Unauthorized" => (401, Reason::Unauthorized),
        "RequestEntityTooLarge" => (413, Reason::RequestEntityTooLarge),
        _ => (422, Reason::Invalid),
    };
    let details = status.details.get_or_insert_default();
    details.causes.push(Cause { reason: String::new(), message, field: String::new() });
    status
}

fn denials<'a>(one: &Bound, params: &[Value], scene: impl Fn() -> Scene<'a>) -> Vec<Denial> {
    let ignores = one.ignores_failures();
    let on_error = |why: &str| if ignores { Vec::new() } else { vec![Denial::error(why.into())] };
    let mut denials = Vec::new();
    for param in params {
        let mut scene = scene();
        if !one.spec["paramKind"].is_null() {
            scene.set_params(param);
        }
        match scene.conditions_hold(one.spec) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(why) => {
                denials.extend(on_error(&why));
                continue;
            }
        }
        scene.set_variables(one.spec);
        for validation in items(one.spec, "validations") {
            match scene.evaluate(text(validation, "expression"), Yields::Bool) {
                Ok(value) if value.as_bool() == Some(true) => {}
                Ok(_) => denials.push(Denial {
                    message: message_of(validation, &scene),
                    reason: text(validation, "reason").into(),
                }),
                Err(why) => denials.extend(on_error(&why)),
            }
        }
    }
    denials
}

fn message_of(validation: &Value, scene: &Scene) -> String {
    let source = text(validation, "messageExpression");
    if !source.is_empty()
        && let Ok(value) = scene.evaluate(source, Yields::Text)
        && let Some(message) = value.as_str().map(str::trim).filter(|message| !message.is_empty())
    {
        return message.to_owned();
    }
    match text(validation, "message").trim() {
        "" => format!("failed expression: {}", text(validation, "expression").trim()),
        message => message.to_owned(),
    }
}
