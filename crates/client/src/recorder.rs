//! The event recorder with upstream's correlation: equal events are counted, similar ones aggregated, floods dropped.

use std::collections::BTreeMap;

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
    component: &'static str,
    /// `event.source.host`; empty off nodes.
    host: String,
    /// Last written event by everything that makes two events equal.
    written: BTreeMap<EventKey, Written>,
    similar: BTreeMap<SimilarKey, Similar>,
    spam: BTreeMap<String, Bucket>,
}

/// Object uid, field path, type, reason, message.
type EventKey = (String, String, bool, String, String);
/// Object uid, type, reason.
type SimilarKey = (String, bool, String);

#[derive(Clone)]
struct Written {
    name: String,
    count: i32,
    first: SimTime,
}

#[derive(Clone)]
struct Similar {
    messages: Vec<String>,
    last: SimTime,
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
        Recorder {
            component,
            host: host.into(),
            written: BTreeMap::new(),
            similar: BTreeMap::new(),
            spam: BTreeMap::new(),
        }
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
        let now = client.now();
        let uid = about.uid.clone().unwrap_or_default();
        if !self.spend_token(&uid, now) {
            return;
        }
        let combined = self.is_combined(&uid, kind, reason, &message, now);
        let message = if combined { format!("(combined from similar events): {message}") } else { message };
        let warning = kind == EventType::Warning;
        let path = about.field_path.clone().unwrap_or_default();
        // All that are combined are one event, which shows the last message.
        let told_apart_by = if combined { String::new() } else { message.clone() };
        let key = (uid, path, warning, reason.to_owned(), told_apart_by);
        let namespace = about.namespace.clone().filter(|namespace| !namespace.is_empty()).unwrap_or("default".into());

        if let Some(written) = self.written.get_mut(&key) {
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
            self.written.remove(&key);
        }

        let name = format!("{}.{:x}", about.name.as_deref().unwrap_or_default(), event_stamp(now, client.random()));
        let event = Event {
            metadata: ObjectMeta { name: Some(name), namespace: Some(namespace.clone()), ..ObjectMeta::default() },
            involved_object: about,
            type_: Some(if warning { "Warning" } else { "Normal" }.into()),
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
        let request = Request::new::<Event>(Verb::Create, &namespace, "").body(event);
        if let Ok(Response::Object(object)) = client.call_detached(request) {
            self.written.insert(key, Written { name: object.name().into(), count: 1, first: now });
        }
    }

    fn spend_token(&mut self, uid: &str, now: SimTime) -> bool {
        let bucket = self.spam.entry(uid.into()).or_insert(Bucket { tokens: SPAM_BURST, at: now });
        let earned = now.saturating_sub(bucket.at) as f64 / SPAM_INTERVAL;
        bucket.tokens = (bucket.tokens + earned).min(SPAM_BURST);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }

    /// The tenth different message of one reason within ten minutes, and what follows, become one counted event.
    fn is_combined(&mut self, uid: &str, kind: EventType, reason: &str, message: &str, now: SimTime) -> bool {
        let key = (uid.to_owned(), kind == EventType::Warning, reason.to_owned());
        let similar = self.similar.entry(key).or_insert(Similar { messages: Vec::new(), last: now });
        if now.saturating_sub(similar.last) > SIMILAR_INTERVAL {
            similar.messages.clear();
        }
        similar.last = now;
        if !similar.messages.iter().any(|known| known == message) {
            similar.messages.push(message.to_owned());
        }
        let combined = similar.messages.len() >= SIMILAR_MAX;
        if combined {
            similar.messages.pop();
        }
        combined
    }

    /// Forgets objects that have not been heard of for an hour, the time after which the API server drops events.
    pub fn prune(&mut self, now: SimTime) {
        let old = now.saturating_sub(3600 * time::SECOND);
        self.written.retain(|_, written| written.first >= old);
        self.similar.retain(|_, similar| similar.last >= old);
        self.spam.retain(|_, bucket| bucket.at >= old);
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
