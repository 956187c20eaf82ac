//! What the expressions of policies and webhooks see of a request. Upstream: `apiserver/pkg/admission/plugin/cel` and
//! `plugin/webhook/matchconditions`.

use std::rc::Rc;

use api::types::Namespace;
use api::{Kind, Object, User};
use cel::{Access, Activation, Answer, Env, Question, Type, Value as Cel};
use serde_json::{Value, json};

use super::policy::expression::{self, Yields};
use super::{Attributes, matching};
use crate::authorization;
use crate::parts::PartKind;
use crate::registry::admission_rules::{items, text};
use crate::reviews::user_info;
use crate::storage::Storage;

pub(crate) struct Scene<'a> {
    storage: &'a Storage,
    attributes: &'a Attributes<'a>,
    env: Env,
    activation: Activation,
    access: Access,
    /// As policies see the request, whose resource is in the form that their rules name.
    request: Value,
}

fn seen(value: &Value) -> Cel {
    if value.is_null() { Cel::Null } else { Cel::from_json(value) }
}

impl<'a> Scene<'a> {
    /// The objects have the form that the rules name. `object` and `old` are `null` where there is none.
    pub fn new(
        storage: &'a Storage,
        attributes: &'a Attributes<'a>,
        form: &'static Kind,
        object: &Value,
        old: &Value,
    ) -> Scene<'a> {
        let access = Access::default();
        let request = attributes.request;
        let namespace = storage.find::<Namespace>("", &request.namespace).map_or(Value::Null, Object::to_value);
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or(&request.name);
        let about = Question {
            group: attributes.served.group.into(),
            resource: attributes.served.plural.into(),
            subresource: request.subresource.as_str().into(),
            namespace: request.namespace.clone(),
            name: name.to_owned(),
            ..Question::default()
        };
        let activation = Activation::new()
            .with("object", seen(object))
            .with("oldObject", seen(old))
            .with("namespaceObject", seen(&namespace))
            .with("authorizer", Cel::Access(Rc::new(access.clone())))
            .with("authorizer.requestResource", Cel::Access(Rc::new(access.about(about))))
            .with("request", Cel::Null);
        let request = admission_request(attributes, form, name);
        Scene { storage, attributes, env: expression::env(false), activation, access, request }
    }

    /// The parameters of a policy that has a kind of them; `null` for none.
    pub fn set_params(&mut self, params: &Value) {
        self.env.declare("params", Type::Dyn);
        self.activation.set("params", seen(params));
    }

    pub fn allow_patches(&mut self) {
        self.env.allow_patches();
    }

    /// The object has been changed.
    pub fn set_object(&mut self, object: &Value) {
        self.activation.set("object", seen(object));
    }

    /// A variable may name those before it. One that cannot be computed fails who reads it.
    pub fn set_variables(&mut self, spec: &Value) {
        let mut types: Vec<(&str, Type)> = Vec::new();
        let mut values: Vec<(&str, Cel)> = Vec::new();
        expression::declare_variables(&mut self.env, &types);
        for variable in items(spec, "variables") {
            let name = text(variable, "name");
            let Ok(program) = expression::compile(&self.env, text(variable, "expression"), Yields::Anything) else {
                continue;
            };
            let value = self.run(&program).unwrap_or_else(|error| {
                let why = format!("composited variable {name:?} fails to evaluate: {error}");
                Cel::Failed(cel::Error::new(why).into())
            });
            types.push((name, program.output().clone()));
            values.push((name, value));
            expression::declare_variables(&mut self.env, &types);
            self.activation.set("variables", Cel::object(values.clone()));
        }
    }

    /// `Err` is upstream's complaint.
    pub fn evaluate(&self, source: &str, yields: Yields) -> Result<Cel, String> {
        let program = expression::compile(&self.env, source, yields)?;
        self.run(&program).map_err(|error| format!("expression '{source}' resulted in error: {error}"))
    }

    /// Whether all `matchConditions` hold, which see the resource as it was asked for. One that does not hold hides the
    /// errors of the others.
    pub fn conditions_hold(&mut self, owner: &Value) -> Result<bool, String> {
        let mut asked = self.request.clone();
        asked["resource"] = asked["requestResource"].clone();
        self.activation.set("request", Cel::from_json(&asked));
        let held = self.all_hold(owner);
        self.activation.set("request", Cel::from_json(&self.request));
        held
    }

    fn all_hold(&self, owner: &Value) -> Result<bool, String> {
        let mut errors = Vec::new();
        for condition in items(owner, "matchConditions") {
            match self.evaluate(text(condition, "expression"), Yields::Bool) {
                Ok(value) if value.as_bool() == Some(true) => {}
                Ok(_) => return Ok(false),
                Err(why) => errors.push(why),
            }
        }
        match errors.as_slice() {
            [] => Ok(true),
            _ if text(owner, "failurePolicy") == "Ignore" => Ok(false),
            [one] => Err(one.clone()),
            many => Err(format!("[{}]", many.join(", "))),
        }
    }

    /// Evaluates again as long as the expression asks what has not been answered yet.
    fn run(&self, program: &cel::Program) -> Result<Cel, cel::Error> {
        loop {
            let result = program.eval(&self.activation);
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
}

/// `AdmissionRequest` without its objects, which are in one of the forms of what was asked for.
pub(super) fn admission_request(attributes: &Attributes, form: &Kind, name: &str) -> Value {
    let (served, request) = (attributes.served, attributes.request);
    let group_kind = |kind: &Kind| {
        let of = PartKind::of(kind, request.subresource);
        let [group, version] = of.group_version(kind);
        json!({ "group": group, "version": version, "kind": of.kind })
    };
    let resource = |kind: &Kind| json!({ "group": kind.group, "version": kind.version, "resource": kind.plural });
    json!({
        "kind": group_kind(form),
        "resource": resource(form),
        "subResource": request.subresource.as_str(),
        "requestKind": group_kind(served),
        "requestResource": resource(served),
        "requestSubResource": request.subresource.as_str(),
        "name": name,
        "namespace": request.namespace,
        "operation": matching::operation(attributes),
        "userInfo": user_info(attributes.user()),
        "dryRun": request.options.dry_run,
    })
}

fn service_account(namespace: &str, name: &str) -> User {
    let group = format!("system:serviceaccounts:{namespace}");
    let groups = ["system:serviceaccounts", group.as_str(), "system:authenticated"];
    User::new(&format!("system:serviceaccount:{namespace}:{name}"), &groups)
}
