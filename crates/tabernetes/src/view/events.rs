//! The API's `Event` objects as lines.

use api::time;
use api::types::Event;
use protocol::EventLine;
use protocol::view::ObjectRef;

pub(crate) fn line(event: &Event) -> EventLine {
    let about = &event.involved_object;
    let source = event.source.as_ref();
    let last = event.last_timestamp.as_ref().or(event.first_timestamp.as_ref());
    let at = last.map(time::since_start).or_else(|| event.event_time.as_ref().map(time::since_start_micro));
    EventLine {
        at: at.unwrap_or(0),
        warning: event.type_.as_deref() == Some("Warning"),
        reason: event.reason.clone().unwrap_or_default(),
        object: ObjectRef {
            kind: about.kind.clone().unwrap_or_default(),
            namespace: about.namespace.clone().unwrap_or_default(),
            name: about.name.clone().unwrap_or_default(),
        },
        message: event.message.clone().unwrap_or_default(),
        source: source.and_then(|source| source.component.clone()).unwrap_or_default(),
        count: event.count.unwrap_or(1).max(1) as u32,
    }
}
