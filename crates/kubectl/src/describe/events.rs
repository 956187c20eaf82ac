//! The events at the end of a description.

use api::request::Options;
use api::table::age;
use api::types::Event;
use api::{Kinded, SimTime};

use super::{Context, Writer};
use crate::resource;

pub(super) fn events(writer: &mut Writer, context: &mut Context) {
    if !context.show_events {
        return;
    }
    let object = &context.info.object;
    let mut fields = format!("involvedObject.name={},involvedObject.uid={}", object.name(), object.uid());
    // Events about nodes carry the node's name as uid.
    if context.info.kind.kind == "Node" {
        fields = format!("involvedObject.kind=Node,involvedObject.name={}", object.name());
    }
    let namespace = if context.info.kind.namespaced { object.namespace().to_owned() } else { String::new() };
    let options = Options { field_selector: fields, ..Options::default() };
    let listed = resource::list(context.call, Event::row(), &namespace, options);
    let events = listed.map(|(events, _)| events).unwrap_or_default();
    if events.is_empty() {
        return writer.field(0, "Events", "<none>");
    }
    let now = context.call.client.now();
    let mut events: Vec<&Event> = events.iter().filter_map(|event| event.downcast_ref()).collect();
    events.sort_by_key(|event| event.last_timestamp.as_ref().or(event.first_timestamp.as_ref()).map(|time| time.0));
    writer.line(0, "Events:");
    writer.line(1, "Type\tReason\tAge\tFrom\tMessage");
    writer.line(1, "----\t------\t----\t----\t-------");
    for event in events {
        let shown = interval(event, now);
        let source = event.source.as_ref().and_then(|source| source.component.as_deref());
        let source = source.filter(|source| !source.is_empty()).or(event.reporting_component.as_deref());
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        writer.line(
            1,
            format!(
                "{}\t{}\t{shown}\t{}\t{}",
                text(&event.type_),
                text(&event.reason),
                source.unwrap_or_default(),
                text(&event.message)
            ),
        );
    }
}

/// How long ago an event was seen: `5s`, `2m (x3 over 10m)`.
pub(crate) fn interval(event: &Event, now: SimTime) -> String {
    let count = event.series.as_ref().and_then(|series| series.count).or(event.count).unwrap_or(1);
    let first = match (&event.first_timestamp, &event.event_time) {
        (None, Some(time)) => age::since_second(time.0.as_second(), now),
        (first, _) => age::since(first.as_ref(), now),
    };
    let last = match &event.last_timestamp {
        Some(time) => age::since(Some(time), now),
        None => first.clone(),
    };
    if count > 1 { format!("{last} (x{count} over {first})") } else { first }
}
