//! ValidatingAdmissionPolicy: expressions that a request must satisfy. Upstream:
//! `apiserver/pkg/admission/plugin/policy/validating`.
//!
//! Differs: audit annotations are checked and go nowhere, as there is no audit log; a MutatingAdmissionPolicy is kept and
//! not applied.

pub(crate) mod expression;

use std::rc::Rc;

use api::status::Cause;
use api::types::Namespace;
use api::{Kind, Object, Reason, Status, User, Verb, kinds};
use cel::{Access, Activation, Answer, Env, Program, Question, Type, Value as Cel};
use serde_json::{Value, json};

use super::{Attributes, matching};
use crate::authorization;
use crate::registry::admission_rules::{items, text, texts};
use crate::reviews::user_info;
use crate::storage::Storage;
use expression::Yields;

fn row(kind: &str) -> &'static Kind {
    kinds::by_kind("admissionregistration.k8s.io/v1", kind).expect("policies are in the table of kinds")
}

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

pub(super) fn validate(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    if !storage.has_admission_objects() || matching::is_exempt(attributes) {
        return Ok(());
    }
    let objects: Vec<&dyn Object> = std::iter::once(object).chain(old).collect();
    for policy in storage.trees(row("ValidatingAdmissionPolicy")) {
        let Some(spec) = policy.get("spec") else { continue };
        if !matching::resources_match(storage, attributes, &spec["matchConstraints"], &objects) {
            continue;
        }
        let name = api::Object::meta(policy).name.as_deref().unwrap_or_default();
        for binding in storage.trees(row("ValidatingAdmissionPolicyBinding")) {
            let Some(bound) = binding.get("spec").filter(|bound| text(bound, "policyName") == name) else { continue };
            if !matching::resources_match(storage, attributes, &bound["matchResources"], &objects) {
                continue;
            }
            let binding = api::Object::meta(binding).name.as_deref().unwrap_or_default();
            let case = Case { storage, attributes, spec, bound, object, old, access: Access::default() };
            for denial in case.denials() {
                let actions = texts(bound, "validationActions");
                if actions.contains(&"Warn") {
                    attributes.warn(format!(
                        "Validation failed for ValidatingAdmissionPolicy '{name}' with binding '{binding}': {}",
                        denial.message
                    ));
                }
                if actions.contains(&"Deny") {
                    return Err(denied(attributes, object, name, binding, denial));
                }
            }
        }
    }
    Ok(())
}

fn denied(attributes: &Attributes, object: &dyn Object, policy: &str, binding: &str, denial: Denial) -> Status {
    let message =
        format!("ValidatingAdmissionPolicy '{policy}' with binding '{binding}' denied request: {}", denial.message);
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

/// One policy, by one binding, and the request.
struct Case<'a> {
    storage: &'a Storage,
    attributes: &'a Attributes<'a>,
    spec: &'a Value,
    bound: &'a Value,
    object: &'a dyn Object,
    old: Option<&'a dyn Object>,
    access: Access,
}

impl Case<'_> {
    fn denials(&self) -> Vec<Denial> {
        let ignores = text(self.spec, "failurePolicy") == "Ignore";
        let on_error = |why: String| if ignores { Vec::new() } else { vec![Denial::error(why)] };
        let params = match self.params() {
            Ok(params) => params,
            Err(why) => return on_error(format!("failed to configure binding: {why}")),
        };
        let mut denials = Vec::new();
        for param in params {
            denials.extend(self.denials_with(param, ignores));
        }
        denials
    }

    fn denials_with(&self, param: Value, ignores: bool) -> Vec<Denial> {
        let mut env = expression::env(!self.spec["paramKind"].is_null());
        let mut activation = self.activation(&param);
        let mut denials = Vec::new();
        let error =
            |source: &str, why: String| Denial::error(format!("expression '{source}' resulted in error: {why}"));
        for condition in items(self.spec, "matchConditions") {
            let source = text(condition, "expression");
            match self.evaluate(&env, &activation, source, Yields::Bool) {
                Ok(value) if value.as_bool() == Some(true) => {}
                Ok(_) => return Vec::new(),
                Err(_) if ignores => return Vec::new(),
                Err(why) => {
                    let name = text(condition, "name");
                    return vec![error(source, format!("match condition '{name}': {why}"))];
                }
            }
        }
        self.declare_variables(&mut env, &mut activation);
        for validation in items(self.spec, "validations") {
            let source = text(validation, "expression");
            match self.evaluate(&env, &activation, source, Yields::Bool) {
                Ok(value) if value.as_bool() == Some(true) => {}
                Ok(_) => denials.push(Denial {
                    message: self.message_of(validation, &env, &activation),
                    reason: text(validation, "reason").into(),
                }),
                Err(_) if ignores => {}
                Err(why) => denials.push(error(source, why)),
            }
        }
        denials
    }

    fn activation(&self, param: &Value) -> Activation {
        let json = |value: &Value| if value.is_null() { Cel::Null } else { Cel::from_json(value) };
        let deletes = self.attributes.verb == Verb::Delete;
        let object = if deletes { Value::Null } else { self.object.to_value() };
        let old = self.old.map_or(Value::Null, |old| old.to_value());
        let namespace = self.storage.find::<Namespace>("", &self.attributes.request.namespace);
        let namespace = namespace.map_or(Value::Null, Object::to_value);
        Activation::new()
            .with("object", json(&object))
            .with("oldObject", json(&old))
            .with("namespaceObject", json(&namespace))
            .with("authorizer", Cel::Access(Rc::new(self.access.clone())))
            .with("params", json(param))
            .with("variables", Cel::object([]))
            .with("request", Cel::from_json(&self.request()))
    }

    fn request(&self) -> Value {
        let (kind, request) = (self.attributes.served, self.attributes.request);
        let group_kind = json!({ "group": kind.group, "version": kind.version, "kind": kind.kind });
        let resource = json!({ "group": kind.group, "version": kind.version, "resource": kind.plural });
        json!({
            "kind": group_kind,
            "resource": resource,
            "subResource": request.subresource.as_str(),
            "requestKind": group_kind,
            "requestResource": resource,
            "requestSubResource": request.subresource.as_str(),
            "name": self.object.name(),
            "namespace": request.namespace,
            "operation": matching::operation(self.attributes.verb),
            "userInfo": user_info(self.attributes.user()),
            "dryRun": request.options.dry_run,
        })
    }

    /// A variable may name those before it. One that cannot be computed fails who reads it.
    fn declare_variables(&self, env: &mut Env, activation: &mut Activation) {
        let mut types: Vec<(&str, Type)> = Vec::new();
        let mut values: Vec<(&str, Cel)> = Vec::new();
        for variable in items(self.spec, "variables") {
            let name = text(variable, "name");
            let Ok(program) = expression::compile(env, text(variable, "expression"), Yields::Anything) else {
                continue;
            };
            let value = self.run(&program, activation).unwrap_or_else(|error| Cel::Failed(error.into()));
            types.push((name, program.output().clone()));
            values.push((name, value));
            env.declare("variables", Type::object("kubernetes.variables", types.clone()));
            activation.set("variables", Cel::object(values.clone()));
        }
    }

    /// The parameters to evaluate with, one after the other: none is `null`.
    fn params(&self) -> Result<Vec<Value>, String> {
        let (kind, reference) = (&self.spec["paramKind"], &self.bound["paramRef"]);
        if kind.is_null() || reference.is_null() {
            return Ok(vec![Value::Null]);
        }
        let Some(row) = kinds::by_kind(text(kind, "apiVersion"), text(kind, "kind")) else {
            return Err(format!("failed to find resource referenced by paramKind: '{}'", text(kind, "kind")));
        };
        let own = text(reference, "namespace");
        let namespace = match own {
            _ if !row.namespaced => "",
            "" => &self.attributes.request.namespace,
            own => own,
        };
        let wanted = text(reference, "name");
        let selector = serde_json::from_value(reference["selector"].clone()).ok();
        let selector = api::selector::Selector::from_label_selector(selector.as_ref());
        let found = self.storage.range(row.stored(), namespace).into_iter().filter(|object| match wanted {
            "" => selector.matches(api::meta::labels(object.meta())),
            name => object.name() == name,
        });
        let found: Vec<Value> = found.map(|object| object.to_value()).collect();
        if found.is_empty() && text(reference, "parameterNotFoundAction") == "Deny" {
            return Err("no params found for policy binding with `Deny` parameterNotFoundAction".into());
        }
        Ok(found)
    }

    fn evaluate(&self, env: &Env, activation: &Activation, source: &str, yields: Yields) -> Result<Cel, String> {
        let program = expression::compile(env, source, yields)?;
        self.run(&program, activation).map_err(|error| error.to_string())
    }

    /// Evaluates again as long as the expression asks what has not been answered yet.
    fn run(&self, program: &Program, activation: &Activation) -> Result<Cel, cel::Error> {
        loop {
            let result = program.eval(activation);
            let Some(question) = self.access.open_question() else { return result };
            let answer = self.answer(&question);
            self.access.answer(question, answer);
        }
    }

    fn answer(&self, question: &Question) -> Answer {
        let account = question.service_account.as_ref().map(|(namespace, name)| service_account(namespace, name));
        let asked = authorization::Attributes {
            verb: &question.verb,
            group: &question.group,
            resource: &question.resource,
            subresource: &question.subresource,
            namespace: &question.namespace,
            name: &question.name,
            path: question.path.as_deref(),
        };
        let user = account.as_ref().unwrap_or_else(|| self.attributes.user());
        let decision = authorization::decide(self.storage, user, &asked);
        Answer { allowed: decision.allowed, reason: decision.reason }
    }

    fn message_of(&self, validation: &Value, env: &Env, activation: &Activation) -> String {
        let source = text(validation, "messageExpression");
        if !source.is_empty()
            && let Ok(value) = self.evaluate(env, activation, source, Yields::Text)
            && let Some(message) = value.as_str().map(str::trim).filter(|message| !message.is_empty())
        {
            return message.to_owned();
        }
        match text(validation, "message").trim() {
            "" => format!("failed expression: {}", text(validation, "expression").trim()),
            message => message.to_owned(),
        }
    }
}

fn service_account(namespace: &str, name: &str) -> User {
    let group = format!("system:serviceaccounts:{namespace}");
    let groups = ["system:serviceaccounts", group.as_str(), "system:authenticated"];
    User::new(&format!("system:serviceaccount:{namespace}:{name}"), &groups)
}
