//! Subresources with a body of their own: binding, eviction, scale.

use std::sync::Arc;

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::request::Binding;
use api::selector::Selector;
use api::status::Details;
use api::types::{Deployment, Namespace, Pod, PodCondition, PodStatus, ReplicaSet, ReplicationController, StatefulSet};
use api::{Body, Draft, Kind, Kinded, Object, ObjectRef, PatchKind, Reason, Request, Status, Verb, time};
use serde_json::{Value, json};

use crate::custom::CustomResource;
use crate::delete::check_preconditions;
use crate::managed_fields::ScaleManagers;
use crate::parts::check_part;
use crate::update::is_finished;
use crate::{ApiServer, Context};

impl ApiServer {
    /// POST pods/NAME/binding: the scheduler's only write to a Pod's specification.
    pub(crate) fn bind(
        &mut self,
        context: &Context,
        bound: &'static Kind,
        mut request: Request,
    ) -> Result<Status, Status> {
        let binding = match std::mem::take(&mut request.body) {
            Body::Binding(Binding { uid, node }) => json!({
                "apiVersion": "v1",
                "kind": "Binding",
                "metadata": { "name": request.name, "namespace": request.namespace, "uid": uid },
                "target": { "kind": "Node", "name": node },
            }),
            Body::Json(binding) => binding,
            _ => return Err(Status::bad_request("the request has no Binding")),
        };
        let binding = self.admit_part(context, bound, &request, binding, None)?;
        let text = |part: &str, field: &str| binding[part][field].as_str().unwrap_or_default().to_owned();
        let own_name = text("metadata", "name");
        if request.name.is_empty() {
            request.name = own_name;
        } else if own_name != request.name {
            return Err(Status::bad_request("name in URL does not match name in Binding object"));
        }
        let (uid, revision) = (text("metadata", "uid"), text("metadata", "resourceVersion"));
        let node = text("target", "name");
        binding_target(&text("target", "kind"), &node)?;
        let (kind, name) = (Pod::row(), request.name.as_str());
        let Some(old) = self.storage.get(kind, &request.namespace, name).cloned() else {
            return Err(Status::not_found(kind, name));
        };
        let mut new = old.draft();
        let pod = new.downcast_mut::<Pod>().expect("a Pod is stored under its key");
        let is_revision = old.revision().to_string();
        for (what, wanted, is) in [("UID", &uid, old.uid()), ("ResourceVersion", &revision, is_revision.as_str())] {
            if !wanted.is_empty() && wanted != is {
                let key = format!("/registry/pods/{}/{name}", request.namespace);
                let why = format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {is}");
                let why = format!(
                    "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: {why}"
                );
                return Err(Status::conflict(kind, name, &why));
            }
        }
        if old.meta().deletion_timestamp.is_some() {
            return Err(not_bound(name, &format!("pod {name} is being deleted, cannot be assigned to a host")));
        }
        let spec = pod.spec.get_or_insert_default();
        if let Some(assigned) = spec.node_name.as_deref().filter(|assigned| !assigned.is_empty()) {
            return Err(not_bound(name, &format!("pod {name} is already assigned to node {assigned:?}")));
        }
        if spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()) {
            return Err(not_bound(name, &format!("pod {name} has non-empty .spec.schedulingGates")));
        }
        spec.node_name = Some(node);
        let status = pod.status.get_or_insert_default();
        // The promise is kept or void.
        status.nominated_node_name = None;
        let scheduled = PodCondition { type_: "PodScheduled".into(), status: "True".into(), ..PodCondition::default() };
        set_condition(status, scheduled, context);
        for (field, into) in [("annotations", &mut pod.metadata.annotations), ("labels", &mut pod.metadata.labels)] {
            for (key, value) in binding["metadata"][field].as_object().into_iter().flatten() {
                into.get_or_insert_default().insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
            }
        }
        if !request.options.dry_run {
            self.store(context, kind, &old, new);
        }
        Ok(Status { code: 201, ..Status::new(201, Reason::None, "") })
    }

    /// POST pods/NAME/eviction: a deletion that disruption budgets may refuse.
    pub(crate) fn evict(&mut self, context: &Context, mut request: Request) -> Result<Status, Status> {
        let kind = Pod::row();
        let eviction = match std::mem::take(&mut request.body) {
            Body::Json(eviction) => eviction,
            _ => Value::Null,
        };
        let mut eviction = self.admit_part(context, kind, &request, eviction, None)?;
        if eviction["metadata"]["name"].as_str().is_some_and(|name| name != request.name) {
            return Err(Status::bad_request("name in URL does not match name in Eviction object"));
        }
        let options = eviction["deleteOptions"].take();
        let precondition = |name: &str| options["preconditions"][name].as_str().map(str::to_owned);
        request.options.precondition_uid = precondition("uid");
        request.options.precondition_revision = precondition("resourceVersion");
        request.options.grace_period = options["gracePeriodSeconds"].as_i64();
        request.options.dry_run |= !options["dryRun"].is_null();
        let Some(old) = self.storage.get(kind, &request.namespace, &request.name).cloned() else {
            return Err(Status::not_found(kind, &request.name));
        };
        check_preconditions(kind, &request, &old)?;
        request.verb = Verb::Delete;
        self.spend_budget(context, &request)?;
        if !request.options.dry_run {
            let mut new = old.draft();
            let pod = new.downcast_mut::<Pod>().expect("a Pod is stored under its key");
            let disrupted = PodCondition {
                type_: "DisruptionTarget".into(),
                status: "True".into(),
                reason: Some("EvictionByEvictionAPI".into()),
                message: Some("Eviction API: evicting".into()),
                ..PodCondition::default()
            };
            set_condition(pod.status.get_or_insert_default(), disrupted, context);
            self.store(context, kind, &old, new);
            request.options.precondition_revision = None;
        }
        self.delete(context, kind, request)?;
        Ok(Status::new(201, Reason::None, ""))
    }

    /// PUT namespaces/NAME/finalize: writes `spec.finalizers` and nothing else; without any, the namespace goes.
    pub(crate) fn finalize(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        mut request: Request,
    ) -> Result<ObjectRef, Status> {
        let old = self.get(kind, &request)?;
        let body = self.object_of(kind, &mut request)?;
        let finalizers = body.downcast_ref::<Namespace>().and_then(|namespace| namespace.spec.clone());
        let mut new = old.draft();
        if let Some(namespace) = new.downcast_mut::<Namespace>() {
            namespace.spec = finalizers;
        }
        if request.options.dry_run || new.equals(&*old) {
            return Ok(new.share());
        }
        if is_finished(&*new) {
            return Ok(self.remove(context, kind, &old, new.share()));
        }
        Ok(self.store(context, kind, &old, new))
    }

    pub(crate) fn get_scale(&self, kind: &'static Kind, request: &Request) -> Result<ObjectRef, Status> {
        let object = self.get(kind, request)?;
        Ok(scale_of(&object, self.customs.find(request.kind)))
    }

    /// PUT or PATCH of the scale: writes `spec.replicas` of the object behind it.
    pub(crate) fn update_scale(
        &mut self,
        context: &Context,
        kind: &'static Kind,
        mut request: Request,
    ) -> Result<ObjectRef, Status> {
        let old = self.get(kind, &request)?;
        let custom = self.customs.find(request.kind).cloned();
        let shown = scale_of(&old, custom.as_ref());
        let live = shown.to_value();
        let mut managers = ScaleManagers::of(kind, &*old);
        let applies = matches!(&request.body, Body::Patch(patch) if patch.kind == PatchKind::Apply);
        let scale = match std::mem::take(&mut request.body) {
            Body::Json(mut scale) => {
                check_part(kind, request.subresource, &mut scale)?;
                scale
            }
            Body::Patch(patch) if patch.kind == PatchKind::Apply => {
                managers.apply(context, &request, &live, &patch.value)?
            }
            Body::Patch(patch) => {
                let mut owned = live.clone();
                owned["metadata"]["managedFields"] = api::wire::value_of(&managers.entries());
                api::patch::apply_to("autoscaling.v1.Scale", owned, &patch)?
            }
            _ => return Err(Status::bad_request("the request has no Scale")),
        };
        if !applies {
            managers.update(context, &request, &live, &scale);
        }
        request.verb = Verb::Update;
        let scale = self.admit_part(context, kind, &request, scale, Some(&*shown))?;
        let revision = scale.pointer("/metadata/resourceVersion").and_then(Value::as_str).map(str::to_owned);
        let replicas = scale.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(0);
        if replicas < 0 {
            let path = api::field::Path::new("spec");
            let detail = "must be greater than or equal to 0";
            let error = api::field::Error::invalid(&path.child("replicas"), replicas, detail);
            let name = old.name();
            let mut status = Status::invalid(kind, name, std::slice::from_ref(&error));
            status.message = format!("Scale.autoscaling {name:?} is invalid: {error}");
            let details = status.details.get_or_insert_default();
            (details.group, details.kind) = ("autoscaling".into(), "Scale".into());
            return Err(status);
        }
        let mut new = old.draft();
        match &custom {
            Some(custom) => custom.set_replicas(&mut *new, replicas),
            None => set_replicas(&mut *new, replicas as i32),
        }
        new.meta_mut().managed_fields = managers.into_parent();
        if let Some(revision) = revision {
            new.meta_mut().resource_version = Some(revision);
        }
        let stored = self.replace(context, kind, &request, old, new)?;
        Ok(scale_of(&stored, custom.as_ref()))
    }
}

/// What a scale shows and sets of a workload.
struct Scaled {
    desired: Option<i32>,
    actual: Option<i32>,
    selector: Option<Selector>,
}

macro_rules! scaled {
    ($object:expr, $($type:ident: $selector:expr, $actual:expr;)*) => {
        $(if let Some(workload) = $object.downcast_ref::<$type>() {
            return Scaled {
                desired: workload.spec.as_ref().and_then(|spec| spec.replicas),
                actual: workload.status.as_ref().and_then($actual),
                selector: workload.spec.as_ref().map($selector),
            };
        })*
    };
}

fn scaled(object: &dyn Object) -> Scaled {
    scaled!(object,
        Deployment: |spec| Selector::from_label_selector(Some(&spec.selector)), |status| status.replicas;
        ReplicaSet: |spec| Selector::from_label_selector(Some(&spec.selector)), |status| Some(status.replicas);
        StatefulSet: |spec| Selector::from_label_selector(Some(&spec.selector)), |status| Some(status.replicas);
        ReplicationController: |spec| Selector::from_map(&spec.selector.clone().unwrap_or_default()),
            |status| Some(status.replicas);
    );
    Scaled { desired: None, actual: None, selector: None }
}

fn set_replicas(object: &mut dyn Object, replicas: i32) {
    let desired = if let Some(deployment) = object.downcast_mut::<Deployment>() {
        &mut deployment.spec.get_or_insert_default().replicas
    } else if let Some(set) = object.downcast_mut::<ReplicaSet>() {
        &mut set.spec.get_or_insert_default().replicas
    } else if let Some(set) = object.downcast_mut::<StatefulSet>() {
        &mut set.spec.get_or_insert_default().replicas
    } else if let Some(controller) = object.downcast_mut::<ReplicationController>() {
        &mut controller.spec.get_or_insert_default().replicas
    } else {
        return;
    };
    *desired = Some(replicas);
}

/// The `Scale` view of a workload.
fn scale_of(object: &ObjectRef, custom: Option<&Arc<CustomResource>>) -> ObjectRef {
    let Scaled { desired, actual, selector } = scaled(&**object);
    let own = custom.map(|custom| custom.scale(&**object)).unwrap_or_default();
    let desired = desired.map(i64::from).or(own.0);
    let actual = actual.map(i64::from).or(own.1);
    let source = object.meta();
    let mut spec = json!({});
    if let Some(desired) = desired.filter(|desired| *desired != 0) {
        spec["replicas"] = desired.into();
    }
    let mut status = json!({ "replicas": actual.unwrap_or(0) });
    if let Some(selector) = selector {
        status["selector"] = selector.to_string().into();
    }
    if let Some(selector) = own.2 {
        status["selector"] = selector.into();
    }
    let value = json!({
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {
            "name": source.name,
            "namespace": source.namespace,
            "uid": source.uid,
            "resourceVersion": source.resource_version,
            "creationTimestamp": source.creation_timestamp,
        },
        "spec": spec,
        "status": status,
    });
    let kind_id = object.kind_id();
    Draft::new(Tree::new(kind_id, value)).share()
}

/// `ValidatePodBinding`: upstream's registry passes its errors on as they are.
fn binding_target(kind: &str, name: &str) -> Result<(), Status> {
    let (mut errors, path) = (Errors::new(), Path::new("target"));
    if !matches!(kind, "" | "Node") {
        errors.push(Error::not_supported(&path.child("kind"), kind, &["Node", "<empty>"]));
    }
    if name.is_empty() {
        errors.push(Error::required(&path.child("name"), ""));
    }
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    match &texts[..] {
        [] => Ok(()),
        [only] => Err(Status::new(500, Reason::Unknown, only.clone())),
        all => Err(Status::new(500, Reason::Unknown, format!("[{}]", all.join(", ")))),
    }
}

fn not_bound(name: &str, why: &str) -> Status {
    let message = format!("Operation cannot be fulfilled on pods/binding {name:?}: {why}");
    let details = Details { name: name.into(), kind: "pods/binding".into(), ..Details::default() };
    Status { details: Some(details), ..Status::new(409, Reason::Conflict, message) }
}

/// `UpdatePodCondition`: since when it is so stays, unless it changes.
fn set_condition(status: &mut PodStatus, mut condition: PodCondition, context: &Context) {
    let conditions = status.conditions.get_or_insert_default();
    let before = conditions.iter_mut().find(|before| before.type_ == condition.type_);
    condition.last_transition_time = Some(time::stamp(context.now));
    match before {
        Some(before) => {
            if before.status == condition.status {
                condition.last_transition_time.clone_from(&before.last_transition_time);
            }
            *before = condition;
        }
        None => conditions.push(condition),
    }
}
