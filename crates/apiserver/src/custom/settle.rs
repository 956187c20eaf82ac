//! What upstream's controllers do with definitions: accept their names, establish them, and clean up behind them.

use std::collections::BTreeSet;

use api::object::Tree;
use api::{Body, Caller, Kind, ObjectRef, Request, Subresource, Verb, time};
use serde_json::{Value, json};

use super::definition;
use crate::{ApiServer, Context};

impl ApiServer {
    /// Brings the definitions' state, and the kinds that exist, up to date after a write.
    pub(crate) fn settle_definitions(&mut self, context: &Context) {
        let caller = Caller::new("system:apiserver", &["system:masters"], "kube-apiserver");
        let context = Context { caller, ..context.clone() };
        self.read_definitions();
        self.accept_names(&context);
        self.clean_up(&context);
        self.read_definitions();
    }

    fn definitions(&self) -> Vec<ObjectRef> {
        self.storage.range(definition::row(), "").into_iter().cloned().collect()
    }

    fn read_definitions(&mut self) {
        let definitions = self.definitions();
        self.customs.read(definitions.iter().filter_map(|object| object.downcast_ref::<Tree>()));
    }

    fn accept_names(&mut self, context: &Context) {
        for object in self.definitions() {
            let others = self.definitions();
            let (Some(this), taken) = (object.downcast_ref::<Tree>(), names_of_others(&object, &others)) else {
                continue;
            };
            let now = definition::moment(context.now);
            let Some(status) = accepted(this, &taken, &now) else { continue };
            let mut new = this.clone();
            new.set("status", Some(status));
            let mut request =
                Request::of(Verb::Update, definition::row().id, "", object.name()).on(Subresource::Status);
            request.body = Body::from(new);
            request.options.field_manager = "kube-apiserver".into();
            // The write is the server's own: it follows from the state that was just read.
            self.update(context, definition::row(), request).expect("nothing wrote in between");
        }
    }

    /// Deletes the objects of definitions that are being deleted, and then the definitions.
    fn clean_up(&mut self, context: &Context) {
        for object in self.definitions() {
            let Some(definition) = object.downcast_ref::<Tree>() else { continue };
            if object.meta().deletion_timestamp.is_none() {
                continue;
            }
            let Some(version) = definition.at("/spec/versions/0") else { continue };
            let kind = api::custom::kind(definition, version).stored();
            if self.delete_objects(context, kind) {
                self.drop_finalizer(context, &object);
            }
        }
    }

    /// True when none is left.
    fn delete_objects(&mut self, context: &Context, kind: &'static Kind) -> bool {
        let objects: Vec<ObjectRef> = self.storage.range(kind, "").into_iter().cloned().collect();
        let mut held = false;
        for object in objects {
            if object.meta().finalizers.as_ref().is_none_or(Vec::is_empty) {
                self.remove(context, kind, &object, object.clone());
                continue;
            }
            held = true;
            if object.meta().deletion_timestamp.is_none() {
                let mut new = object.draft();
                new.meta_mut().deletion_timestamp = Some(time::stamp(context.now));
                new.meta_mut().deletion_grace_period_seconds = Some(0);
                self.store(context, kind, &object, new);
            }
        }
        !held
    }

    fn drop_finalizer(&mut self, context: &Context, object: &ObjectRef) {
        let mut new = object.draft();
        let finalizers = new.meta_mut().finalizers.get_or_insert_default();
        finalizers.retain(|finalizer| finalizer != definition::CLEANUP);
        if finalizers.is_empty() {
            self.remove(context, definition::row(), object, object.clone());
        } else if !new.equals(&**object) {
            self.store(context, definition::row(), object, new);
        }
    }
}

/// The resources' and the kinds' names that other definitions of the group have.
#[derive(Default)]
struct Taken {
    resources: BTreeSet<String>,
    kinds: BTreeSet<String>,
}

fn names_of_others(object: &ObjectRef, others: &[ObjectRef]) -> Taken {
    let mut taken = Taken::default();
    let Some(this) = object.downcast_ref::<Tree>() else { return taken };
    for other in others.iter().filter(|other| other.name() != object.name()) {
        let Some(other) = other.downcast_ref::<Tree>() else { continue };
        if other.text("/spec/group") != this.text("/spec/group") {
            continue;
        }
        let names = |pointer: &str| other.text(&format!("/status/acceptedNames/{pointer}")).to_owned();
        let short = other.at("/status/acceptedNames/shortNames").and_then(Value::as_array).into_iter().flatten();
        taken.resources.extend([names("plural"), names("singular")]);
        taken.resources.extend(short.filter_map(|name| name.as_str().map(str::to_owned)));
        taken.kinds.extend([names("kind"), names("listKind")]);
    }
    taken
}

/// The status with names accepted and conditions set; `None` when it has them already.
fn accepted(definition: &Tree, taken: &Taken, now: &Value) -> Option<Value> {
    let names = definition.at("/spec/names")?;
    let mut status = definition.get("status").cloned().unwrap_or_else(|| json!({}));
    let mut accepted = status.get("acceptedNames").cloned().unwrap_or_else(|| json!({ "plural": "", "kind": "" }));
    let mut conflict: Option<(&str, String)> = None;
    let uses = [
        ("plural", "PluralConflict", &taken.resources),
        ("singular", "SingularConflict", &taken.resources),
        ("kind", "KindConflict", &taken.kinds),
        ("listKind", "ListKindConflict", &taken.kinds),
    ];
    for (name, reason, taken) in uses {
        let wanted = names[name].as_str().unwrap_or_default();
        if taken.contains(wanted) {
            conflict = Some((reason, format!("{wanted:?} is already in use")));
        } else if !wanted.is_empty() {
            accepted[name] = wanted.into();
        }
    }
    let short = names["shortNames"].as_array().map(Vec::as_slice).unwrap_or_default();
    let in_use: Vec<&str> =
        short.iter().filter_map(Value::as_str).filter(|name| taken.resources.contains(*name)).collect();
    if in_use.is_empty() {
        copy(names, &mut accepted, "shortNames");
    } else {
        let listed: Vec<String> = in_use.iter().map(|name| format!("{name:?} is already in use")).collect();
        let text = if listed.len() == 1 { listed.concat() } else { format!("[{}]", listed.join(", ")) };
        conflict = Some(("ShortNamesConflict", text));
    }
    copy(names, &mut accepted, "categories");
    status["acceptedNames"] = accepted;
    let was_established = definition::condition(&status, "Established").is_some_and(|it| it["status"] == "True");
    let (names_accepted, established) = match &conflict {
        Some((reason, message)) => (
            ("False", *reason, message.as_str()),
            if was_established { None } else { Some(("False", "NotAccepted", "not all names are accepted")) },
        ),
        None => (
            ("True", "NoConflicts", "no conflicts found"),
            if was_established {
                None
            } else {
                Some(("True", "InitialNamesAccepted", "the initial names have been accepted"))
            },
        ),
    };
    definition::set_condition(&mut status, "NamesAccepted", names_accepted, now);
    if let Some(established) = established {
        definition::set_condition(&mut status, "Established", established, now);
    }
    (definition.get("status") != Some(&status)).then_some(status)
}

fn copy(from: &Value, to: &mut Value, name: &str) {
    let Some(fields) = to.as_object_mut() else { return };
    match from.get(name).filter(|value| !value.is_null()) {
        Some(value) => fields.insert(name.into(), value.clone()),
        None => fields.remove(name),
    };
}
