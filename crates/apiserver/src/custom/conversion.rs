//! Custom resources that a webhook converts from version to version. Upstream:
//! `apiextensions-apiserver/pkg/apiserver/conversion`.
//!
//! Objects are converted at the pipeline's edges: what was stored as soon as it is read in another version, what is to be
//! stored after all checks. In between, both are in the version of the request.

use api::object::Tree;
use api::rng::Rng;
use api::{Draft, Kind, Object, ObjectRef, Reason, Response, Status};
use serde_json::{Value, json};

use super::schema::{fill_in, prune};
use super::{CustomResource, tree};
use crate::outside::{self, Call};
use crate::registry::admission_rules::texts;
use crate::storage::Storage;
use crate::strategy::KindRules;
use crate::{ApiServer, Context};

/// The API server waits this long for a conversion.
const TIMEOUT_SECONDS: u64 = 30;

/// `spec.conversion.webhook` of a definition.
#[derive(Debug)]
pub(crate) struct Conversion(Value);

impl Conversion {
    pub fn of(definition: &Tree) -> Option<Conversion> {
        let conversion = definition.at("/spec/conversion").filter(|conversion| conversion["strategy"] == "Webhook")?;
        Some(Conversion(conversion["webhook"].clone()))
    }
}

/// `stable.example.com/v1, Kind=Thing`: Go's text of a group, version and kind.
fn go_kind(object: &Value) -> String {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    format!("{}, Kind={}", text("apiVersion"), text("kind"))
}

impl ApiServer {
    /// An object in the version of a request, if a webhook must convert it.
    pub(crate) fn in_version(
        &self,
        context: &Context,
        served: &'static Kind,
        object: ObjectRef,
    ) -> Result<ObjectRef, Status> {
        let mut objects = self.all_in_version(context, served, vec![object])?;
        Ok(objects.remove(0))
    }

    fn all_in_version(
        &self,
        context: &Context,
        served: &'static Kind,
        mut objects: Vec<ObjectRef>,
    ) -> Result<Vec<ObjectRef>, Status> {
        let Some((custom, conversion)) =
            self.customs.find(served.id).and_then(|custom| Some((custom, custom.conversion.as_ref()?)))
        else {
            return Ok(objects);
        };
        let wanted = served.api_version();
        let others: Vec<usize> = (0..objects.len()).filter(|at| is_other(&*objects[*at], custom, &wanted)).collect();
        let values: Vec<Value> = others.iter().map(|at| objects[*at].to_value()).collect();
        let converted = conversion.convert(&self.storage, context, &values, &wanted)?;
        for (at, value) in others.into_iter().zip(converted) {
            objects[at] = settled(custom, &*objects[at], value, &wanted).share();
        }
        Ok(objects)
    }

    /// The same of what a request is answered with.
    pub(crate) fn response_in_version(
        &self,
        context: &Context,
        served: &'static Kind,
        response: Response,
    ) -> Result<Response, Status> {
        Ok(match response {
            Response::Object(object) => Response::Object(self.in_version(context, served, object)?),
            Response::List(mut list) => {
                list.items = self.all_in_version(context, served, list.items)?;
                Response::List(list)
            }
            other => other,
        })
    }

    /// Brings an object that has passed all checks into the form in which it is stored.
    pub(crate) fn prepare_for_storage(
        &self,
        context: &Context,
        rules: &KindRules,
        object: &mut Draft,
    ) -> Result<(), Status> {
        let KindRules::Custom(custom) = rules else { return Ok(()) };
        let Some(conversion) = &custom.conversion else {
            custom.prepare_for_storage(&mut **object);
            return Ok(());
        };
        let wanted = &custom.stored_version;
        if is_other(&**object, custom, wanted) {
            *object = conversion.convert_one(&self.storage, context, custom, &**object, wanted)?;
        }
        Ok(())
    }
}

impl CustomResource {
    /// One of the resource's objects in this version; `None` if it has it already.
    pub fn in_this_version(
        &self,
        storage: &Storage,
        context: &Context,
        object: &dyn Object,
    ) -> Result<Option<Draft>, Status> {
        let wanted = self.kind.api_version();
        if !is_other(object, self, &wanted) {
            return Ok(None);
        }
        match &self.conversion {
            Some(conversion) => conversion.convert_one(storage, context, self, object, &wanted).map(Some),
            None => Ok(Some(Draft::new(self.converted(tree(object))))),
        }
    }
}

impl Conversion {
    fn convert_one(
        &self,
        storage: &Storage,
        context: &Context,
        custom: &CustomResource,
        object: &dyn Object,
        wanted: &str,
    ) -> Result<Draft, Status> {
        let converted = self.convert(storage, context, &[object.to_value()], wanted)?.pop().unwrap_or_default();
        Ok(settled(custom, object, converted, wanted))
    }

    /// Asks the webhook. Its answer holds as many objects as it was sent, in their order.
    fn convert(
        &self,
        storage: &Storage,
        context: &Context,
        objects: &[Value],
        wanted: &str,
    ) -> Result<Vec<Value>, Status> {
        let Some(first) = objects.first() else { return Ok(Vec::new()) };
        let failed = |why: String| {
            let why = format!("conversion webhook for {} {why}", go_kind(first));
            Status::new(500, Reason::Unknown, why)
        };
        let config = &self.0;
        let versions = texts(config, "conversionReviewVersions");
        let version = versions.into_iter().find(|version| matches!(*version, "v1" | "v1beta1")).unwrap_or("v1");
        let uid = Rng::new(context.cause.0 ^ context.now.rotate_left(32)).uuid();
        let review = json!({
            "kind": "ConversionReview",
            "apiVersion": format!("apiextensions.k8s.io/{version}"),
            "request": { "uid": uid, "desiredAPIVersion": wanted, "objects": objects },
        });
        let call = Call::new(storage, &config["clientConfig"], TIMEOUT_SECONDS, &review);
        let answer = outside::call(context, &[call]).pop().unwrap_or_else(|| Err("EOF".into()));
        let mut converted =
            answer.and_then(|answer| response(&review, answer)).map_err(|why| failed(format!("failed: {why}")))?;
        if converted.len() != objects.len() {
            let why = format!("returned {} objects, expected {}", converted.len(), objects.len());
            return Err(failed(why));
        }
        for (index, (before, after)) in objects.iter().zip(&mut converted).enumerate() {
            check(before, after, index, wanted).map_err(failed)?;
            let kept = after["metadata"].take();
            after["metadata"] = before["metadata"].clone();
            for field in ["labels", "annotations"] {
                after["metadata"][field] = kept.get(field).cloned().unwrap_or_default();
            }
        }
        Ok(converted)
    }
}

/// It is one of the resource's objects, and in another version.
fn is_other(object: &dyn Object, custom: &CustomResource, wanted: &str) -> bool {
    let tree = object.downcast_ref::<Tree>().filter(|tree| tree.text("/kind") == custom.kind.kind);
    tree.is_some_and(|tree| tree.text("/apiVersion") != wanted)
}

/// A converted object, as its version's schema has it.
fn settled(custom: &CustomResource, before: &dyn Object, mut value: Value, version: &str) -> Draft {
    let (_, name) = version.split_once('/').unwrap_or(("", version));
    if let Some(schema) = custom.versions.get(name) {
        prune(schema, &mut value, true);
        fill_in(schema, &mut value);
    }
    let mut after = Tree::new(before.kind_id(), value);
    let (labels, annotations) = (after.meta_mut().labels.take(), after.meta_mut().annotations.take());
    // JSON does not keep what metadata says apart from what it leaves out.
    after.meta_mut().clone_from(before.meta());
    (after.meta_mut().labels, after.meta_mut().annotations) = (labels, annotations);
    Draft::new(after)
}

/// The objects of an answer.
fn response(review: &Value, mut answer: Value) -> Result<Vec<Value>, String> {
    if go_kind(review) != go_kind(&answer) {
        return Err(format!("expected webhook response of {}, got {}", go_kind(review), go_kind(&answer)));
    }
    let mut response = answer["response"].take();
    if !response.is_object() {
        return Err("no response provided".into());
    }
    let (uid, found) = (&review["request"]["uid"], response["uid"].as_str().unwrap_or_default());
    if uid != found {
        return Err(format!("expected response.uid={uid}, got {found:?}"));
    }
    let text = |field: &str| response["result"][field].as_str().unwrap_or_default();
    match (text("status"), text("message")) {
        ("Success", _) => {}
        (status, "") => return Err(format!("response.result.status was '{status}', not 'Success'")),
        (_, message) => return Err(message.to_owned()),
    }
    Ok(response["convertedObjects"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

/// Upstream's `validateConvertedObject`.
fn check(before: &Value, after: &Value, index: usize, wanted: &str) -> Result<(), String> {
    let at_index = |why: String| Err(format!("returned invalid object at index {index}: {why}"));
    let text = |object: &Value, pointer: &str| -> String {
        object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().into()
    };
    let version = text(after, "/apiVersion");
    if version != wanted {
        return at_index(format!("invalid groupVersion (expected {wanted}, received {version})"));
    }
    let (expected, kind) = (text(before, "/kind"), text(after, "/kind"));
    if kind != expected {
        return at_index(format!("invalid kind (expected {expected}, received {kind})"));
    }
    for (pointer, what) in [("/metadata/name", "name"), ("/metadata/namespace", "namespace"), ("/metadata/uid", "UID")]
    {
        let (one, other) = (text(before, pointer), text(after, pointer));
        if one != other {
            return Err(format!("returned invalid object: must have the same {what}: {one} != {other}"));
        }
    }
    if !after["metadata"].is_object() {
        return Err("returned invalid metadata: missing metadata in converted object".into());
    }
    Ok(())
}
