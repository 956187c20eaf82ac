//! Questions that are answered and forgotten: what may somebody do, who is it, what is this token. Upstream:
//! `pkg/registry/authorization` and `pkg/registry/authentication`.

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::types::PolicyRule;
use api::{Kind, Object, Request, Response, Status, User, time};
use serde_json::{Map, Value, json};

use crate::authorization::{self, Attributes, rbac};
use crate::{ApiServer, Context, metadata};

impl ApiServer {
    /// POST of a review, or of a Binding to no Pod in particular.
    pub(crate) fn review(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        mut request: Request,
    ) -> Result<Response, Status> {
        if kind.kind == "Binding" {
            return self.bind(context, kind, request).map(Response::Status);
        }
        let mut object = self.object_of(kind, &mut request)?;
        metadata::settle_namespace(kind, &request, object.meta_mut())?;
        let Some(tree) = object.downcast_mut::<Tree>() else { return Err(Status::internal("a review is a tree")) };
        let user = &*context.caller.user;
        match kind.kind {
            "SelfSubjectReview" => {
                tree.meta_mut().creation_timestamp = Some(time::stamp(context.now));
                tree.set("status", Some(json!({ "userInfo": user_info(user) })));
            }
            "TokenReview" => {
                let status = self.review_token(context, tree)?;
                tree.set("status", Some(status));
            }
            "SelfSubjectRulesReview" => {
                let status = self.review_rules(user, tree.text("/spec/namespace"))?;
                tree.set("spec", Some(json!({})));
                tree.set("status", Some(status));
            }
            _ => {
                refuse(check_access_review(kind, tree))?;
                let status = self.review_access(kind, user, tree);
                tree.set("status", Some(status));
            }
        }
        Ok(Response::Object(object.share()))
    }

    fn review_token(&self, context: &Context, review: &Tree) -> Result<Value, Status> {
        let token = review.text("/spec/token");
        if token.is_empty() {
            return Err(Status::bad_request("token is required for TokenReview in authentication"));
        }
        let audiences: Vec<String> = texts(review.at("/spec/audiences"));
        Ok(match self.user_of_token(context.now, token, &audiences) {
            Ok(found) => {
                let mut status = json!({ "authenticated": true, "user": user_info(&found.user) });
                if !found.audiences.is_empty() {
                    status["audiences"] = found.audiences.into();
                }
                status
            }
            Err(why) => json!({ "user": {}, "error": why }),
        })
    }

    fn review_access(&self, kind: &Kind, caller: &User, review: &Tree) -> Value {
        let asked = |field: &str| review.text(&format!("/spec/resourceAttributes/{field}"));
        let path = review.at("/spec/nonResourceAttributes").map(|_| review.text("/spec/nonResourceAttributes/path"));
        let attributes = Attributes {
            verb: if path.is_some() { review.text("/spec/nonResourceAttributes/verb") } else { asked("verb") },
            group: asked("group"),
            resource: asked("resource"),
            subresource: asked("subresource"),
            namespace: asked("namespace"),
            name: asked("name"),
            path,
        };
        let subject;
        let user = if kind.kind == "SelfSubjectAccessReview" {
            caller
        } else {
            subject = User {
                name: review.text("/spec/user").into(),
                uid: review.text("/spec/uid").into(),
                groups: texts(review.at("/spec/groups")),
                ..User::default()
            };
            &subject
        };
        let decision = authorization::decide(&self.storage, user, &attributes);
        let mut status = json!({ "allowed": decision.allowed });
        if !decision.reason.is_empty() {
            status["reason"] = decision.reason.into();
        }
        status
    }

    fn review_rules(&self, user: &User, namespace: &str) -> Result<Value, Status> {
        if namespace.is_empty() {
            return Err(Status::bad_request("no namespace on request"));
        }
        let (rules, mut errors) = rbac::rules_for(&self.storage, user, namespace);
        let (resources, paths): (Vec<_>, Vec<_>) =
            rules.iter().partition(|rule| rule.resources.as_ref().is_some_and(|list| !list.is_empty()));
        let is_node = user.is_in("system:nodes");
        if is_node {
            errors.insert(0, "node authorizer does not support user rule resolution".into());
        }
        let mut status = json!({
            "resourceRules": resources.into_iter().map(rule_value).collect::<Value>(),
            "nonResourceRules": paths.into_iter().map(rule_value).collect::<Value>(),
            "incomplete": !errors.is_empty(),
        });
        if !errors.is_empty() {
            status["evaluationError"] = rbac::aggregate(&errors).into();
        }
        Ok(status)
    }
}

fn rule_value(rule: &PolicyRule) -> Value {
    api::wire::value_of(rule)
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

/// `UserInfo`
pub(crate) fn user_info(user: &User) -> Value {
    let mut info = Map::new();
    info.insert("username".into(), user.name.clone().into());
    if !user.uid.is_empty() {
        info.insert("uid".into(), user.uid.clone().into());
    }
    if !user.groups.is_empty() {
        info.insert("groups".into(), user.groups.clone().into());
    }
    if !user.extra.is_empty() {
        info.insert("extra".into(), user.extra.iter().map(|(key, values)| (key.clone(), json!(values))).collect());
    }
    Value::Object(info)
}

/// Upstream's `pkg/apis/authorization/validation`.
fn check_access_review(kind: &Kind, review: &Tree) -> Errors {
    let spec = Path::new("spec");
    let mut errors = Errors::new();
    let present = |field: &str| review.at(&format!("/spec/{field}")).filter(|value| !value.is_null());
    let (resource, path) = (present("resourceAttributes"), present("nonResourceAttributes"));
    if let (Some(_), Some(path)) = (resource, path) {
        let text = |field: &str| path.get(field).and_then(Value::as_str).unwrap_or_default();
        let shown = format!("{{\"Path\":{:?},\"Verb\":{:?}}}", text("path"), text("verb"));
        let why = "cannot be specified in combination with resourceAttributes";
        errors.push(Error::invalid_verbatim(&spec.child("nonResourceAttributes"), shown, why));
    }
    if resource.is_none() && path.is_none() {
        let why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
        errors.push(Error::invalid(&spec.child("resourceAttributes"), Value::Null, why));
    }
    for field in ["fieldSelector", "labelSelector"] {
        let selector = resource.and_then(|resource| resource.get(field)).filter(|selector| !selector.is_null());
        let resource = spec.child("resourceAttributes");
        if let Some(selector) = selector {
            check_selector(selector, &resource.child(field), &mut errors);
        }
    }
    let nobody = review.text("/spec/user").is_empty() && texts(review.at("/spec/groups")).is_empty();
    if kind.kind != "SelfSubjectAccessReview" && nobody {
        errors.push(Error::invalid(&spec.child("user"), "", "at least one of user or group must be specified"));
    }
    let mut meta = review.meta().clone();
    meta.managed_fields = None;
    if kind.kind == "LocalSubjectAccessReview" {
        let namespace = meta.namespace.take().unwrap_or_default();
        let asked = review.text("/spec/resourceAttributes/namespace");
        if resource.is_some() && asked != namespace {
            let resource = spec.child("resourceAttributes");
            errors.push(Error::invalid(&resource.child("namespace"), asked, "must match metadata.namespace"));
        }
        if path.is_some() {
            let why = "disallowed on this kind of request";
            errors.push(Error::invalid(&spec.child("nonResourceAttributes"), path.cloned().unwrap_or_default(), why));
        }
    }
    if meta != Default::default() {
        let shown = serde_json::to_string(&meta).unwrap_or_default();
        let why = if kind.kind == "LocalSubjectAccessReview" {
            "must be empty except for namespace"
        } else {
            "must be empty"
        };
        errors.push(Error::invalid_verbatim(&Path::new("metadata"), shown, why));
    }
    errors
}

/// Of which objects one asks: a selector in one of two forms.
fn check_selector(selector: &Value, path: &Path, errors: &mut Errors) {
    let raw = selector["rawSelector"].as_str().unwrap_or_default();
    let has_requirements = selector["requirements"].as_array().is_some_and(|list| !list.is_empty());
    if !raw.is_empty() && has_requirements {
        let why = "may not specified at the same time as requirements";
        errors.push(Error::invalid(&path.child("rawSelector"), raw, why));
    }
    if raw.is_empty() && !has_requirements {
        let why = format!("when {path} is specified, requirements or rawSelector is required");
        errors.push(Error::required(&path.child("requirements"), why));
    }
}

/// Upstream names no kind here.
fn refuse(errors: Errors) -> Result<(), Status> {
    if errors.is_empty() {
        return Ok(());
    }
    let row =
        api::kinds::by_kind("authorization.k8s.io/v1", "SubjectAccessReview").expect("it is in the table of kinds");
    let mut status = Status::invalid(row, "", &errors);
    status.message = status.message.replacen(row.kind, "", 1);
    if let Some(details) = &mut status.details {
        details.kind = String::new();
    }
    Err(status)
}
