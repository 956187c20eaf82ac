//! The event recorder with upstream's correlation: equal events are counted, similar ones aggregated, floods dropped.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::types::{Event, EventSource, ObjectMeta, ObjectReference};
use api::{Kinded, Object, Request, Response, SimTime, Verb, time};

use crate::Client;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    Normal,
    Warning,
}

/// Writes a component's events. Part of the component's state: losing it only loses counts.
#[derive(Clone)]
pub struct Recorder {
    /// `event.source.component`: `deployment-controller`, `default-scheduler`, `kubelet`.
    /// Empty for a recorder that records nothing.
    component: &'static str,
    /// `event.source.host`; empty off nodes.
    host: String,
    /// What was said about each object, by its uid.
    spoken: BTreeMap<Box<str>, Spoken>,
}

/// What was said about one object.
#[derive(Clone)]
struct Spoken {
    bucket: Bucket,
    similar: Vec<Similar>,
    written: Vec<Written>,
}

/// Messages of one type and reason.
#[derive(Clone)]
struct Similar {
    kind: EventType,
    reason: Box<str>,
    messages: Vec<Arc<str>>,
    last: SimTime,
}

/// An event that was written, with everything that makes two events equal.
#[derive(Clone)]
struct Written {
    path: Option<Box<str>>,
    kind: EventType,
    reason: Box<str>,
    /// Absent for what was combined: that is one event, which shows the last message.
    message: Option<Arc<str>>,
    name: Box<str>,
    count: i32,
    first: SimTime,
}

/// A token bucket for each source and object: 25 events, one more every 5 minutes.
#[derive(Clone)]
struct Bucket {
    tokens: f64,
    at: SimTime,
}

const SPAM_BURST: f64 = 25.0;
const SPAM_INTERVAL: f64 = 300.0 * time::SECOND as f64;
const SIMILAR_MAX: usize = 10;
const SIMILAR_INTERVAL: SimTime = 600 * time::SECOND;

impl Recorder {
    pub fn new(component: &'static str, host: &str) -> Recorder {
        Recorder { component, host: host.into(), spoken: BTreeMap::new() }
    }

    /// For a component that is to record nothing.
    pub fn silent() -> Recorder {
        Recorder::new("", "")
    }

    /// Records an event about an object. Costs the caller no time: upstream writes it from another goroutine.
    pub fn event<T: Kinded + Object>(
        &mut self,
        client: &mut Client,
        object: &T,
        kind: EventType,
        reason: &str,
        message: impl Into<String>,
    ) {
        let reference = reference_to(object);
        self.event_about(client, reference, kind, reason, message.into());
    }

    /// The same about something named by a reference, such as one container of a Pod (`fieldPath`).
    pub fn event_about(
        &mut self,
        client: &mut Client,
        about: ObjectReference,
        kind: EventType,
        reason: &str,
        message: String,
    ) {
        if self.component.is_empty() {
            return;
        }
        let now = client.now();
        let uid = about.uid.as_deref().unwrap_or_default();
        let spoken = match self.spoken.get_mut(uid) {
            Some(spoken) => spoken,
            None => self.spoken.entry(uid.into()).or_insert(Spoken::new(now)),
        };
        if !spoken.bucket.spend(now) {
            return;
        }
        let text: Arc<str> = message.as_str().into();
        let combined = spoken.is_combined(kind, reason, &text, now);
        let (message, told_apart_by) =
            if combined { (format!("(combined from similar events): {message}"), None) } else { (message, Some(text)) };
        let namespace = about.namespace.clone().filter(|namespace| !namespace.is_empty()).unwrap_or("default".into());

        let is_equal = |written: &Written| {
            written.kind == kind
                && *written.reason == *reason
                && written.message == told_apart_by
                && written.path.as_deref() == about.field_path.as_deref()
        };
        if let Some(at) = spoken.written.iter().position(is_equal) {
            let written = &mut spoken.written[at];
            written.count += 1;
            let patch = serde_json::json!({
                "count": written.count,
                "lastTimestamp": time::stamp(now),
                "message": message,
            });
            let body = api::Patch { kind: api::PatchKind::StrategicMerge, value: patch };
            let request = Request::new::<Event>(Verb::Patch, &namespace, &written.name).body(body);
            if client.call_detached(request).is_ok() {
                return;
            }
            spoken.written.remove(at);
        }

        let name = format!("{}.{:x}", about.name.as_deref().unwrap_or_default(), event_stamp(now, client.random()));
        let path = about.field_path.as_deref().map(Box::from);
        let request = Request::new::<Event>(Verb::Create, &namespace, "");
        let event = Event {
            metadata: ObjectMeta { name: Some(name), namespace: Some(namespace), ..ObjectMeta::default() },
            involved_object: about,
            type_: Some(kind.as_str().into()),
            reason: Some(reason.into()),
            message: Some(message),
            source: Some(EventSource {
                component: Some(self.component.into()),
                host: Some(self.host.clone()).filter(|host| !host.is_empty()),
            }),
            reporting_component: Some(self.component.into()),
            reporting_instance: Some(self.host.clone()),
            first_timestamp: Some(time::stamp(now)),
            last_timestamp: Some(time::stamp(now)),
            count: Some(1),
            ..Event::default()
        };
        if let Ok(Response::Object(object)) = client.call_detached(request.body(event)) {
            let (name, reason, message) = (object.name().into(), reason.into(), told_apart_by);
            spoken.written.push(Written { path, kind, reason, message, name, count: 1, first: now });
        }
    }

    /// Forgets objects that have not been heard of for an hour, the time after which the API server drops events.
    pub fn prune(&mut self, now: SimTime) {
        let old = now.saturating_sub(3600 * time::SECOND);
        for spoken in self.spoken.values_mut() {
            spoken.written.retain(|written| written.first >= old);
            spoken.similar.retain(|similar| similar.last >= old);
        }
        self.spoken.retain(|_, spoken| spoken.bucket.at >= old);
    }
}

impl EventType {
    fn as_str(self) -> &'static str {
        match self {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        }
    }
}

impl Spoken {
    fn new(now: SimTime) -> Spoken {
        Spoken { bucket: Bucket { tokens: SPAM_BURST, at: now }, similar: Vec::new(), written: Vec::new() }
    }

    /// The tenth different message of one reason within ten minutes, and what follows, become one counted event.
    fn is_combined(&mut self, kind: EventType, reason: &str, message: &Arc<str>, now: SimTime) -> bool {
        let known = self.similar.iter().position(|similar| similar.kind == kind && *similar.reason == *reason);
        let known = known.unwrap_or_else(|| {
            self.similar.push(Similar { kind, reason: reason.into(), messages: Vec::new(), last: now });
            self.similar.len() - 1
        });
        let similar = &mut self.similar[known];
        if now.saturating_sub(similar.last) > SIMILAR_INTERVAL {
            similar.messages.clear();
        }
        similar.last = now;
        if !similar.messages.contains(message) {
            similar.messages.push(message.clone());
        }
        let combined = similar.messages.len() >= SIMILAR_MAX;
        if combined {
            similar.messages.pop();
        }
        combined
    }
}

impl Bucket {
    /// False when the flood is to be dropped.
    fn spend(&mut self, now: SimTime) -> bool {
        let earned = now.saturating_sub(self.at) as f64 / SPAM_INTERVAL;
        self.tokens = (self.tokens + earned).min(SPAM_BURST);
        self.at = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

/// Event names end in the time in hexadecimal nanoseconds; some randomness keeps two of one moment apart.
fn event_stamp(now: SimTime, random: u64) -> u64 {
    (time::EPOCH_SECONDS as u64) * time::SECOND + now + random % 1000
}

/// A reference to a whole object.
pub fn reference_to<T: Kinded>(object: &T) -> ObjectReference {
    let meta = object.metadata();
    ObjectReference {
        api_version: Some(T::API_VERSION.into()),
        kind: Some(T::KIND.into()),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: meta.uid.clone(),
        resource_version: meta.resource_version.clone(),
        field_path: None,
    }
}
