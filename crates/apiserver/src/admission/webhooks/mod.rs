//! Admission webhooks: who is asked about a request, and what becomes of the answer. Upstream:
//! `apiserver/pkg/admission/plugin/webhook`.
//!
//! Differs: audit annotations go nowhere, as there is no audit log; an object is sent in the version of the request, also
//! to a webhook whose rules name another of its versions.

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

/// The object before and after, as webhooks see it: `null` where there is none.
struct Seen {
    object: Value,
    old: Value,
}

impl Seen {
    fn new(object: Option<&dyn Object>, old: Option<&dyn Object>) -> Seen {
        let form = |object: Option<&dyn Object>| object.map_or(Value::Null, api::wire::form);
        Seen { object: form(object), old: form(old) }
    }
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
        let seen = Seen::new(Some(&**object), old);
        let objects: Vec<&dyn Object> = std::iter::once(&**object).chain(old).collect();
        if !is_asked(storage, attributes, &hook, &objects, &seen)?
            || !rounds.webhooks.borrow().is_due(rounds, &hook.key())
        {
            continue;
        }
        let changed = match ask_one(storage, attributes, &hook, &seen)? {
            Some(response) => patch(attributes, &hook, &response, object)?,
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
        let seen = Seen::new(None, Some(old));
        if is_asked(storage, attributes, &hook, &[old], &seen)?
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
    let seen = Seen::new(object, old);
    let objects: Vec<&dyn Object> = object.into_iter().chain(old).collect();
    let mut asked = Vec::new();
    for hook in hooks {
        if is_asked(storage, attributes, &hook, &objects, &seen)? {
            check_dry_run(attributes, &hook)?;
            asked.push(hook);
        }
    }
    let reviews: Vec<Value> = asked.iter().map(|hook| review::request(attributes, hook.hook, &seen)).collect();
    let calls: Vec<Call> = asked.iter().zip(&reviews).map(|(hook, review)| call(storage, hook, review)).collect();
    let answers = outside::call(attributes.context, &calls);
    for ((hook, review), answer) in asked.iter().zip(&reviews).zip(answers) {
        settle(attributes, hook, review, answer, false)?;
    }
    Ok(())
}

fn is_asked(
    storage: &Storage,
    attributes: &Attributes,
    hook: &Hook,
    objects: &[&dyn Object],
    seen: &Seen,
) -> Result<bool, Status> {
    let equivalent = text(hook.hook, "matchPolicy") != "Exact";
    let matches = items(hook.hook, "rules").iter().any(|rule| matching::rule_matches(attributes, rule, equivalent))
        && matching::selectors_match(storage, attributes, hook.hook, objects);
    if !matches || items(hook.hook, "matchConditions").is_empty() {
        return Ok(matches);
    }
    let scene = Scene::new(storage, attributes, &seen.object, &seen.old);
    let name = objects.first().map_or("", |object| object.name());
    scene.conditions_hold(hook.hook).map_err(|why| Status::forbidden(attributes.served, name, &why))
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

/// Applies a response's patch, and says whether it has changed the object.
fn patch(attributes: &Attributes, hook: &Hook, response: &Value, object: &mut Draft) -> Result<bool, Status> {
    let encoded = text(response, "patch");
    if encoded.is_empty() {
        return Ok(false);
    }
    let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let Some(Value::Array(operations)) = decoded else {
        let why = "received undecodable patch in webhook response: json: cannot unmarshal into Go value of type jsonpatch.Patch";
        return unanswered(hook, why).map(|()| false);
    };
    if text(response, "patchType") != "JSONPatch" {
        let why = format!("unsupported patch type {:?}", text(response, "patchType"));
        return unanswered(hook, &why).map(|()| false);
    }
    let before = object.to_value();
    let after = api::patch::operate(api::wire::form(&**object), &operations).map_err(Status::internal)?;
    *object = attributes.decoded(after, FieldValidation::Ignore).map_err(|status| Status::internal(status.message))?;
    Ok(object.to_value() != before)
}
