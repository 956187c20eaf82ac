//! What upstream's controllers do with the configuration: they say which schemas name a level that there is, and bring back
//! the objects with which every cluster begins. Upstream: `apf_controller.go` and `pkg/registry/flowcontrol/ensurer`.

use api::object::Tree;
use api::{Body, Caller, Draft, Kind, KindId, ObjectRef, Request, Subresource, Verb, kinds, time};
use serde_json::{Value, json};

use super::objects;
use crate::{ApiServer, Context};

const CONSUMER: &str = "api-priority-and-fairness-config-consumer-v1";

/// The rows of FlowSchema and PriorityLevelConfiguration.
fn rows() -> [&'static Kind; 2] {
    ["FlowSchema", "PriorityLevelConfiguration"]
        .map(|kind| kinds::by_kind(objects::API_VERSION, kind).expect("flow control's kinds are in the table"))
}

/// A write to such a kind changes who is served when.
pub(crate) fn is_configuration(kind: KindId) -> bool {
    rows().iter().any(|row| row.id == kind)
}

impl ApiServer {
    /// Brings flow control up to date after a write to its configuration.
    pub(crate) fn settle_flow_control(&mut self, context: &Context) {
        let caller = Caller::new("system:apiserver", &["system:masters"], "kube-apiserver");
        let context = Context { caller, ..context.clone() };
        self.restore(&context);
        let [schemas, levels] = rows();
        let exists: Vec<String> = self.storage.range(levels, "").iter().map(|level| level.name().to_owned()).collect();
        let objects: Vec<ObjectRef> = self.storage.range(schemas, "").into_iter().cloned().collect();
        for object in objects {
            let Some(schema) = object.downcast_ref::<Tree>() else { continue };
            let level = schema.text("/spec/priorityLevelConfiguration/name");
            let condition = dangling(level, exists.iter().any(|name| name == level));
            let current = schema.at("/status/conditions/0");
            if ["status", "message"]
                .iter()
                .all(|field| current.and_then(|known| known.get(field)) == condition.get(field))
            {
                continue;
            }
            let mut new = schema.clone();
            let mut condition = condition;
            condition["lastTransitionTime"] = json!(time::stamp(context.now));
            new.set("status", Some(json!({ "conditions": [condition] })));
            let mut request = Request::of(Verb::Update, schemas.id, "", object.name()).on(Subresource::Status);
            request.body = Body::from(new);
            request.options.field_manager = CONSUMER.into();
            // The write is the server's own: it follows from the state that was just read.
            self.update(&context, schemas, request).expect("nothing wrote in between");
        }
        self.flow.configure(self.storage.trees(levels), self.storage.trees(schemas));
    }

    /// Makes those of the first objects that are not there.
    fn restore(&mut self, context: &Context) {
        for value in objects::bootstrap(context.now) {
            let kind = kinds::by_kind(objects::API_VERSION, value["kind"].as_str().unwrap_or_default());
            let kind = kind.expect("flow control's kinds are in the table");
            let name = value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            if self.storage.get(kind, "", name).is_none() {
                self.keep(context, Draft::new(Tree::new(kind.id, value)));
            }
        }
    }
}

/// Whether a schema names a level that there is not.
pub(super) fn dangling(level: &str, exists: bool) -> Value {
    let (status, reason, end) = match exists {
        true => ("False", "Found", "and it exists"),
        false => ("True", "NotFound", "but there is no such object"),
    };
    json!({
        "type": "Dangling",
        "status": status,
        "reason": reason,
        "message": format!("This FlowSchema references the PriorityLevelConfiguration object named {level:?} {end}"),
    })
}
