//! Everything that the inspector shows of one object, the causal chain included.

use api::request::List;
use api::types::{Event, Pod};
use api::{Caller, CauseId, Kind, ObjectRef, Request, Response, SimTime, Subresource, Verb, meta, table};
use apiserver::Context;
use protocol::view as page;
use protocol::{Cause, CauseMark, Deed, Inspection, Phase};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::trace::{Record, USER, What};
use crate::view::event_line;

const EFFECTS_MAX: usize = 30;
const CHAIN_MAX: usize = 16;
const HISTORY_MAX: usize = 60;

/// `None` when there is no such object (any more).
pub(crate) fn inspect(cluster: &mut Cluster, reference: &page::ObjectRef) -> Option<Inspection> {
    let kind = api::kinds::KINDS.iter().find(|kind| kind.kind == reference.kind)?;
    let object = read(cluster, kind, &reference.namespace, &reference.name)?;
    let mut value = object.to_value();
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    let owner = meta::controller_of(object.meta()).map(|owner| page::ObjectRef {
        kind: owner.kind.clone(),
        namespace: reference.namespace.clone(),
        name: owner.name.clone(),
    });
    let key = meta::key(object.meta());
    let story = Story::of(cluster, kind, &key);
    let pod = object.downcast_ref::<Pod>();
    let mut why = story.why(cluster);
    story.ready(cluster, pod, &mut why);
    Some(Inspection {
        object: reference.clone(),
        deleted: None,
        owner,
        facts: facts(kind, &object, cluster.now),
        sections: sections(&value),
        yaml: api::yaml::emit(&value),
        events: events_of(cluster, reference),
        why,
        effects: story.effects(cluster),
        phases: story.phases(cluster, pod),
    })
}

/// What the trace remembers of an object that is gone.
pub(crate) fn remember(cluster: &Cluster, reference: &page::ObjectRef) -> Inspection {
    let gone = Inspection { object: reference.clone(), ..Inspection::default() };
    let Some(kind) = api::kinds::KINDS.iter().find(|kind| kind.kind == reference.kind) else { return gone };
    let story = Story::of(cluster, kind, &meta::key_of(&reference.namespace, &reference.name));
    let last = story.own.last().and_then(|id| cluster.trace.get(*id));
    Inspection {
        deleted: last.map(|record| record.at),
        why: story.why(cluster),
        effects: story.effects(cluster),
        ..gone
    }
}

fn context(cluster: &Cluster) -> Context<'static> {
    Context::new(cluster.now, Caller::admin("page"), CauseId::default())
}

fn read(cluster: &mut Cluster, kind: &Kind, namespace: &str, name: &str) -> Option<ObjectRef> {
    let context = context(cluster);
    match cluster.server.handle(&context, Request::of(Verb::Get, kind.id, namespace, name)) {
        Ok(Response::Object(object)) => Some(object),
        _ => None,
    }
}

/// What `kubectl get -o wide` says, as label and value.
fn facts(kind: &Kind, object: &ObjectRef, now: SimTime) -> Vec<(String, String)> {
    let cells = table::cells(kind, &**object, now);
    let named = table::columns(kind).iter().zip(cells);
    named
        .filter(|(column, _)| column.name != "Name")
        .map(|(column, cell)| (column.name.to_owned(), cell.to_string()))
        .filter(|(_, cell)| !cell.is_empty() && cell != "<none>")
        .collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn sections(value: &Value) -> Vec<(String, Vec<(String, String)>)> {
    let mut sections = Vec::new();
    let list = |path: &str| value.pointer(path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut add = |title: &str, rows: Vec<(String, String)>| {
        if !rows.is_empty() {
            sections.push((title.to_owned(), rows));
        }
    };
    let statuses = [list("/status/initContainerStatuses"), list("/status/containerStatuses")].concat();
    add("Containers", statuses.iter().map(container_row).collect());
    let conditions = list("/status/conditions").iter().map(|condition| {
        let detail = [text(&condition["status"]), text(&condition["reason"]), text(&condition["message"])];
        let detail: Vec<String> = detail.into_iter().filter(|part| !part.is_empty()).collect();
        (text(&condition["type"]), detail.join(" · "))
    });
    add("Conditions", conditions.collect());
    let ports = list("/spec/ports").iter().map(|port| {
        let target = text(&port["targetPort"]);
        (format!("{}/{}", text(&port["port"]), text(&port["protocol"])), format!("→ {target}"))
    });
    add("Ports", ports.collect());
    for (title, path) in [("Labels", "/metadata/labels"), ("Selector", "/spec/selector"), ("Data", "/data")] {
        let map = value.pointer(path).and_then(Value::as_object);
        let rows = map.into_iter().flatten().filter(|(_, value)| !value.is_object());
        let shown =
            |value: &Value| if value.is_string() { text(value).chars().take(200).collect() } else { text(value) };
        add(title, rows.map(|(key, value)| (key.clone(), shown(value))).collect());
    }
    sections
}

fn container_row(status: &Value) -> (String, String) {
    let state = status["state"].as_object().and_then(|state| state.iter().next());
    let state = state.map(|(name, detail)| match detail["reason"].as_str() {
        Some(reason) => format!("{name}: {reason}"),
        None => name.clone(),
    });
    let restarts = status["restartCount"].as_i64().unwrap_or(0);
    let mut parts = vec![text(&status["image"]), state.unwrap_or_default()];
    if restarts > 0 {
        parts.push(format!("{restarts} restarts"));
    }
    (text(&status["name"]), parts.join(" · "))
}

fn events_of(cluster: &mut Cluster, about: &page::ObjectRef) -> Vec<protocol::EventLine> {
    let namespace = if about.namespace.is_empty() { "default" } else { &about.namespace };
    let context = context(cluster);
    let request = Request::new::<Event>(Verb::List, namespace, "");
    let Ok(Response::List(List { items, .. })) = cluster.server.handle(&context, request) else { return Vec::new() };
    let events = items.iter().filter_map(|item| item.downcast_ref::<Event>());
    let mut lines: Vec<_> = events.map(event_line).filter(|line| line.object == *about).collect();
    lines.sort_by_key(|line| line.at);
    lines
}

/// What the trace knows of one object.
struct Story {
    kind: &'static Kind,
    key: String,
    /// The request that created it.
    created: Option<CauseId>,
    /// Records that are about it, oldest first.
    own: Vec<CauseId>,
}

impl Story {
    fn of(cluster: &Cluster, kind: &'static Kind, key: &str) -> Story {
        let mut story = Story { kind, key: key.to_owned(), created: None, own: Vec::new() };
        let mut work: Option<CauseId> = None;
        for record in cluster.trace.records() {
            match &record.what {
                What::Request { verb, kind: written, subresource, key, code, .. }
                    if *written == kind.id && **key == *story.key && verb.is_write() && *code < 300 =>
                {
                    if *verb == Verb::Create && *subresource == Subresource::None {
                        story.own.clear();
                        story.created = Some(record.id);
                    } else {
                        story.own.push(record.id);
                    }
                }
                What::Activity { kind: about, key, .. } if *about == kind.kind && **key == *story.key => {
                    work = Some(record.id);
                }
                What::Note { .. } if Some(record.cause) == work => story.own.push(record.id),
                _ => {}
            }
        }
        story
    }

    /// From what somebody did to how the object is now.
    fn why(&self, cluster: &Cluster) -> Vec<Cause> {
        let mut chain = Vec::new();
        let mut at = self.created.or(self.own.last().copied());
        while let Some(record) = at.and_then(|id| cluster.trace.get(id))
            && chain.len() < CHAIN_MAX
        {
            chain.extend(tell(cluster, record));
            at = (record.cause != CauseId::default()).then_some(record.cause);
        }
        chain.reverse();
        let skip = self.own.len().saturating_sub(HISTORY_MAX);
        let own = self.own.iter().skip(skip).filter_map(|id| cluster.trace.get(*id));
        for cause in own.filter_map(|record| tell(cluster, record)) {
            let repeats =
                chain.last().is_some_and(|last: &Cause| (&last.deed, &last.detail) == (&cause.deed, &cause.detail));
            if !repeats {
                chain.push(cause);
            }
        }
        chain
    }

    /// What happened to other objects because of this one.
    fn effects(&self, cluster: &Cluster) -> Vec<Cause> {
        let mut ours: std::collections::BTreeSet<CauseId> = self.own.iter().copied().chain(self.created).collect();
        let mut effects = Vec::new();
        for record in cluster.trace.records() {
            if !ours.contains(&record.cause) {
                continue;
            }
            match &record.what {
                What::Activity { .. } => {
                    ours.insert(record.id);
                }
                What::Request { verb, kind, key, code, .. } if verb.is_write() && *code < 300 => {
                    let other = *kind != self.kind.id || **key != *self.key;
                    if other && let Some(cause) = tell(cluster, record) {
                        effects.push(cause);
                    }
                }
                _ => {}
            }
        }
        let surplus = effects.len().saturating_sub(EFFECTS_MAX);
        effects.drain(..surplus);
        effects
    }

    fn milestones(&self, cluster: &Cluster, pod: Option<&Pod>) -> Option<kubelet::Milestones> {
        let node = pod?.spec.as_ref()?.node_name.as_deref()?;
        cluster.kubelet(node)?.milestones(&self.key)
    }

    /// The moment at which a Pod became ready, among its causes.
    fn ready(&self, cluster: &Cluster, pod: Option<&Pod>, causes: &mut Vec<Cause>) {
        let Some(at) = self.milestones(cluster, pod).and_then(|milestones| milestones.ready) else { return };
        let place = causes.iter().rposition(|cause| cause.at <= at).map_or(0, |before| before + 1);
        causes.insert(place, Cause { at, mark: CauseMark::Ready, deed: Deed::Ready, ..Cause::default() });
    }

    /// Where a Pod's time went until it was ready.
    fn phases(&self, cluster: &Cluster, pod: Option<&Pod>) -> Vec<(Phase, u64)> {
        let Some(milestones) = self.milestones(cluster, pod) else { return Vec::new() };
        let created = self.created.and_then(|id| cluster.trace.get(id)).map(|record| record.at);
        let ends = [
            (Phase::Scheduling, milestones.seen),
            (Phase::Volumes, milestones.volumes_mounted),
            (Phase::Sandbox, milestones.sandbox_ready),
            (Phase::ImagePull, milestones.images_pulled),
            (Phase::Start, milestones.containers_started),
            (Phase::Readiness, milestones.ready),
        ];
        let Some(mut from) = created else { return Vec::new() };
        let mut phases = Vec::new();
        for (phase, end) in ends {
            let Some(end) = end else { break };
            phases.push((phase, end.saturating_sub(from)));
            from = end.max(from);
        }
        phases
    }
}

/// What one record says; `None` for what only adds noise.
fn tell(cluster: &Cluster, record: &Record) -> Option<Cause> {
    let at = record.at;
    Some(match &record.what {
        What::Action { text } => {
            Cause { at, mark: CauseMark::Action, deed: Deed::Ran { what: text.to_string() }, ..Cause::default() }
        }
        What::Request { verb, kind, subresource, key, code, revision } if verb.is_write() && *code < 300 => {
            let row = api::kinds::row(*kind);
            if matches!(row.kind, "Event" | "Lease") {
                return None;
            }
            let deed = match (verb, subresource) {
                (_, Subresource::Status) => return None,
                (_, Subresource::Binding) => Deed::Bound,
                (_, Subresource::Scale) => Deed::Scaled,
                (_, Subresource::Eviction) => Deed::Evicted,
                (Verb::Create, _) => Deed::Created,
                (Verb::Delete | Verb::DeleteCollection, _) => Deed::Deleted,
                _ => Deed::Changed,
            };
            let mark = match deed {
                Deed::Deleted | Deed::Evicted => CauseMark::Leaving,
                _ => CauseMark::Step,
            };
            let by = match record.origin {
                USER => String::new(),
                origin => cluster.origin_name(origin).unwrap_or_default().into(),
            };
            let (namespace, name) = meta::split_key(key);
            let object = page::ObjectRef { kind: row.kind.into(), namespace: namespace.into(), name: name.into() };
            let revision = Some(*revision).filter(|revision| *revision > 0);
            Cause { at, mark, deed, by, revision, detail: String::new(), object: Some(object) }
        }
        What::Note { what, text } => Cause {
            at,
            mark: mark_of(what, text),
            deed: Deed::Step { name: (*what).into() },
            detail: text.to_string(),
            ..Cause::default()
        },
        _ => return None,
    })
}

fn mark_of(what: &str, text: &str) -> CauseMark {
    let whole = format!("{what} {text}").to_ascii_lowercase();
    if what == "ready" {
        CauseMark::Ready
    } else if ["fail", "back-off", "backoff", "error", "unschedulable", "evict"].iter().any(|word| whole.contains(word))
    {
        CauseMark::Trouble
    } else {
        CauseMark::Step
    }
}
