//! Kinds that are kept as another: a second version, or a twin in another group. Upstream's conversion functions.

mod autoscaler;

use serde_json::Value;

use crate::kinds::{Kinded, View};
use crate::types::{Event, HorizontalPodAutoscaler};

pub(crate) const EVENT_V1: View = View { stored: Event::ID, to_stored: event_from_v1, from_stored: event_to_v1 };

pub(crate) const AUTOSCALER_V1: View =
    View { stored: HorizontalPodAutoscaler::ID, to_stored: autoscaler::from_v1, from_stored: autoscaler::to_v1 };

/// What `events.k8s.io` calls the fields of a core Event.
const EVENT_FIELDS: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

fn event_to_v1(mut event: Value) -> Value {
    rename(&mut event, EVENT_FIELDS.iter().map(|(core, twin)| (*core, *twin)));
    event["apiVersion"] = "events.k8s.io/v1".into();
    event
}

fn event_from_v1(mut event: Value) -> Value {
    rename(&mut event, EVENT_FIELDS.iter().map(|(core, twin)| (*twin, *core)));
    event["apiVersion"] = "v1".into();
    event
}

fn rename(object: &mut Value, names: impl Iterator<Item = (&'static str, &'static str)>) {
    let Some(fields) = object.as_object_mut() else { return };
    for (from, to) in names {
        if let Some(value) = fields.remove(from) {
            fields.insert(to.into(), value);
        }
    }
}
