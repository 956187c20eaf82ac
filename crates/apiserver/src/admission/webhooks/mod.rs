//! Admission webhooks: who is asked about a request, and what becomes of the answer. Upstream:
//! `apiserver/pkg/admission/plugin/webhook`.
//!
//! Differs: audit annotations go nowhere, as there is no audit log.

mod review;

use api::status::{Cause, Details};
use api::{Draft, FieldValidation, Kind, Object, Status, Verb, kinds};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::scene::Scene;
use super::{Attributes, matching};
use crate::outside::{self, Call};
use crate::registry::admission_rules::{items, text};
use crate::storage::Storage;

/// One webhook of a configuration.
struct Hook<'a> {
    configuration: &'a str,
    hook: &'a Value,
}

impl Hook<'_> {
    fn name(&self) -> &str {
        text(self.hook, "name")
    }

    /// Tells it from its namesakes.
    fn key(&self) -> String {
        format!("{}/{}", self.configuration, self.name())
    }
}

fn hooks<'a>(storage: &'a Storage, attributes: &Attributes, kind: &str) -> Vec<Hook<'a>> {
    if !storage.has_admission_objects() || matching::is_exempt(attributes) {
        return Vec::new();
    }
    let row = kinds::by_kind("admissionregistration.k8s.io/v1", kind);
    let row: &Kind = row.expect("webhook configurations are in the table of kinds");
    let hooks_of = |configuration: &'a api::object::Tree| {
        let name = Object::meta(configuration).name.as_deref().unwrap_or_default();
        let hooks = configuration.get("webhooks").and_then(Value::as_array).into_iter().flatten();
        hooks.map(move |hook| Hook { configuration: name, hook })
    };
    storage.trees(row).flat_map(hooks_of).collect()
}

/// The object before and after, as a webhook sees it, whose rules name this form: `null` where there is none.
struct Seen {
    form: &'static Kind,
    object: Value,
    old: Value,
}

/// Lets webhooks change the object, one after the other. There is none to change in a deletion.
pub(super) fn mutate(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut Draft,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    let hooks = hooks(storage, attributes, "MutatingWebhookConfiguration");
    if hooks.is_empty() {
        return Ok(());
    }
    let rounds = &attributes.rounds;
    rounds.webhooks.borrow_mut().begin(rounds, &**object);
    for hook in hooks {
        let Some(seen) = asked(storage, attributes, &hook, Some(&**object), old)? else { continue };
        if !rounds.webhooks.borrow().is_due(rounds, &hook.key()) {
            continue;
        }
        let response = ask_one(storage, attributes, &hook, &seen)?;
        let patched = response.map(|response| patched(&hook, &response, &seen)).transpose()?.flatten();
        let changed = match patched {
            Some(value) => {
                let made = attributes.decoded(storage, seen.form, value, FieldValidation::Ignore);
                let before = object.to_value();
                *object = made.map_err(|status| Status::internal(status.message))?;
                object.to_value() != before
            }
            None => false,
        };
        let reinvoked = text(hook.hook, "reinvocationPolicy") == "IfNeeded";
        rounds.webhooks.borrow_mut().note(rounds, hook.key(), changed, reinvoked);
    }
    rounds.webhooks.borrow_mut().end(&**object);
    Ok(())
}

/// Asks the webhooks that change objects about a deletion.
pub(super) fn mutate_deletion(storage: &Storage, attributes: &Attributes, old: &dyn Object) -> Result<(), Status> {
    for hook in hooks(storage, attributes, "MutatingWebhookConfiguration") {
        if let Some(seen) = asked(storage, attributes, &hook, None, Some(old))?
            && let Some(response) = ask_one(storage, attributes, &hook, &seen)?
            && response.get("patch").is_some_and(|patch| !patch.is_null())
        {
            let why = "attempted to modify the object, which is not supported for this operation";
            return Err(Status::internal(format!("admission webhook {:?} {why}", hook.name())));
        }
    }
    Ok(())
}

/// Asks the webhooks that only say yes or no, all at the same time.
pub(super) fn validate(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    let hooks = hooks(storage, attributes, "ValidatingWebhookConfiguration");
    if hooks.is_empty() {
        return Ok(());
    }
    let object = Some(object).filter(|_| attributes.verb != Verb::Delete);
    let mut reviews = Vec::new();
    for hook in hooks {
        if let Some(seen) = asked(storage, attributes, &hook, object, old)? {
            check_dry_run(attributes, &hook)?;
            let review = review::request(attributes, hook.hook, &seen);
            reviews.push((hook, review));
        }
    }
    let calls: Vec<Call> = reviews.iter().map(|(hook, review)| call(storage, hook, review)).collect();
    let answers = outside::call(attributes.context, &calls);
    for ((hook, review), answer) in reviews.iter().zip(answers) {
        settle(attributes, hook, review, answer, false)?;
    }
    Ok(())
}

/// What a webhook is shown of a request; `None` if it is not asked about it.
fn asked(
    storage: &Storage,
    attributes: &Attributes,
    hook: &Hook,
    object: Option<&dyn Object>,
    old: Option<&dyn Object>,
) -> Result<Option<Seen>, Status> {
    let Some(form) = matching::rules_match(attributes, hook.hook, "rules") else { return Ok(None) };
    let objects: Vec<&dyn Object> = object.into_iter().chain(old).collect();
    if !matching::selectors_match(storage, attributes, hook.hook, &objects) {
        return Ok(None);
    }
    let seen = |object: Option<&dyn Object>| match object {
        Some(object) => attributes.seen(storage, form, object, api::wire::form),
        None => Ok(Value::Null),
    };
    let seen = Seen { form, object: seen(object)?, old: seen(old)? };
    if items(hook.hook, "matchConditions").is_empty() {
        return Ok(Some(seen));
    }
    let mut scene = Scene::new(storage, attributes, form, &seen.object, &seen.old);
    let name = objects.first().map_or("", |object| object.name());
    let holds = scene.conditions_hold(hook.hook).map_err(|why| Status::forbidden(attributes.served, name, &why))?;
    Ok(holds.then_some(seen))
}

fn check_dry_run(attributes: &Attributes, hook: &Hook) -> Result<(), Status> {
    if attributes.request.options.dry_run && !matches!(text(hook.hook, "sideEffects"), "None" | "NoneOnDryRun") {
        return Err(Status::bad_request(format!("admission webhook {:?} does not support dry run", hook.name())));
    }
    Ok(())
}

fn call(storage: &Storage, hook: &Hook, review: &Value) -> Call {
    let seconds = hook.hook.get("timeoutSeconds").and_then(Value::as_u64).unwrap_or(10);
    Call::new(storage, hook.hook.get("clientConfig").unwrap_or(&Value::Null), seconds, review)
}

/// The response of a webhook that allows the request; `None` of one whose failure does not matter.
fn ask_one(storage: &Storage, attributes: &Attributes, hook: &Hook, seen: &Seen) -> Result<Option<Value>, Status> {
    check_dry_run(attributes, hook)?;
    let review = review::request(attributes, hook.hook, seen);
    let answer = outside::call(attributes.context, &[call(storage, hook, &review)]).pop();
    let answer = answer.unwrap_or_else(|| Err("EOF".into()));
    settle(attributes, hook, &review, answer, true)
}

fn settle(
    attributes: &Attributes,
    hook: &Hook,
    review: &Value,
    answer: Result<Value, String>,
    mutates: bool,
) -> Result<Option<Value>, Status> {
    let response = answer.map_err(|why| format!("failed to call webhook: {why}")).and_then(|answer| {
        review::response(review, answer, mutates).map_err(|why| format!("received invalid webhook response: {why}"))
    });
    let response = match response {
        Ok(response) => response,
        Err(why) => return unanswered(hook, &why).map(|()| None),
    };
    for warning in response["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        attributes.warn(warning.to_owned());
    }
    if response["allowed"] == true { Ok(Some(response)) } else { Err(review::denial(hook.name(), &response["status"])) }
}

/// Nobody has answered, or nothing of use.
fn unanswered(hook: &Hook, why: &str) -> Result<(), Status> {
    if text(hook.hook, "failurePolicy") == "Ignore" {
        return Ok(());
    }
    let why = format!("failed calling webhook {:?}: {why}", hook.name());
    let mut status = Status::internal(&why);
    let cause = Cause { reason: String::new(), message: why, field: String::new() };
    status.details = Some(Details { causes: vec![cause], ..Details::default() });
    Err(status)
}

/// The object once a response's patch has been applied; `None` without one.
fn patched(hook: &Hook, response: &Value, seen: &Seen) -> Result<Option<Value>, Status> {
    let encoded = text(response, "patch");
    if encoded.is_empty() {
        return Ok(None);
    }
    let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let Some(Value::Array(operations)) = decoded else {
        let why = "received undecodable patch in webhook response: json: cannot unmarshal into Go value of type jsonpatch.Patch";
        return unanswered(hook, why).map(|()| None);
    };
    if text(response, "patchType") != "JSONPatch" {
        let why = format!("unsupported patch type {:?}", text(response, "patchType"));
        return unanswered(hook, &why).map(|()| None);
    }
    api::patch::operate(seen.object.clone(), &operations).map(Some).map_err(Status::internal)
}
