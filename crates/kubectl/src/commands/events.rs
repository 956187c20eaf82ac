//! `kubectl events`

use api::Kinded;
use api::request::{Options, WatchId, WatchKind};
use api::types::Event;
use api::{ObjectRef, Request, Verb};
use serde_json::{Value, json};

use super::namespace;
use crate::describe::interval;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, int, list, switch, text};
use crate::output::{self, Format, plain_table};
use crate::resource;
use crate::task::{Call, Cx};

pub(super) static FLAGS: &[Flag] = &[
    switch("all-namespaces", 'A', "Look in all namespaces"),
    text("for", ' ', "Only events about this object: TYPE/NAME"),
    list("types", ' ', "Normal, Warning"),
    switch("watch", 'w', "After listing, watch for more"),
    switch("no-headers", ' ', "Do not print headers"),
    int("chunk-size", ' ', "500", "Objects to ask for at once"),
];

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    let printing = args.clone();
    let Some((watch, mut wanted)) = cx.with(move |call| once(call, &args)).await? else { return Ok(0) };
    loop {
        let args = printing.clone();
        wanted = cx.with(move |call| follow(call, &args, watch, &wanted).map(|()| wanted)).await?;
        cx.tick(None).await;
    }
}

/// Which events are shown.
struct Wanted {
    /// Kind and name of the object that they are about.
    about: Option<(&'static str, String)>,
    types: Vec<String>,
}

impl Wanted {
    fn read(call: &mut Call, args: &Args) -> Result<Wanted, Failure> {
        let types = args.all("types").to_vec();
        if types.iter().any(|kind| !matches!(kind.to_lowercase().as_str(), "normal" | "warning")) {
            return Err(Failure::error("valid --types are Normal or Warning"));
        }
        let about = match args.some_text("for") {
            None => None,
            Some(text) => match text.split_once('/') {
                Some((kind, name)) if !kind.is_empty() && !name.is_empty() && !name.contains('/') => {
                    let kind = resource::find_kind(call.client, kind).map_err(Failure::without_prefix)?;
                    Some((kind.kind, name.to_owned()))
                }
                Some((_, name)) if name.contains('/') => {
                    return Err(Failure::error("arguments in resource/name form may not have more than one slash"));
                }
                _ => return Err(Failure::error("--for must be in resource/name form")),
            },
        };
        Ok(Wanted { about, types })
    }

    fn keeps(&self, event: &Event) -> bool {
        let object = &event.involved_object;
        let named = |(kind, name): &(&str, String)| {
            object.kind.as_deref() == Some(kind) && object.name.as_deref() == Some(name.as_str())
        };
        let kind = event.type_.as_deref().unwrap_or_default();
        self.about.as_ref().is_none_or(named)
            && (self.types.is_empty() || self.types.iter().any(|wanted| wanted.eq_ignore_ascii_case(kind)))
    }
}

fn once(call: &mut Call, args: &Args) -> Result<Option<(WatchId, Wanted)>, Failure> {
    let wanted = Wanted::read(call, args)?;
    let format = Format::read(call, args, false)?;
    let everywhere = args.is("all-namespaces");
    let space = if everywhere { String::new() } else { namespace(call, args) };
    let (mut events, revision) = resource::list(call, Event::row(), &space, Options::default())?;
    events.retain(|event| event.downcast_ref::<Event>().is_some_and(|event| wanted.keeps(event)));
    events.sort_by_key(|event| event.downcast_ref::<Event>().and_then(moment));
    if events.is_empty() && !args.is("watch") {
        let place = if everywhere { String::new() } else { format!(" in {space} namespace") };
        call.io.err_line(format!("No events found{place}."));
        return Ok(None);
    }
    match format {
        None => print(call, args, &events, !args.is("no-headers")),
        Some(Format::Name) => {
            events.iter().for_each(|event| call.io.line(resource::full_name(Event::row(), event.name())));
        }
        Some(format) => {
            let items: Value = events.iter().map(|event| output::shown(api::wire::form(&**event), args)).collect();
            let list = json!({ "apiVersion": "v1", "items": items, "kind": "EventList", "metadata": {} });
            let text = format.typed_text(&list)?;
            call.io.out(&text);
        }
    }
    if !args.is("watch") {
        return Ok(None);
    }
    let mut request = Request::of(Verb::Watch, Event::row().id, &space, "");
    request.options.resource_version = revision.to_string();
    Ok(Some((call.watch(request)?, wanted)))
}

fn follow(call: &mut Call, args: &Args, watch: WatchId, wanted: &Wanted) -> Result<(), Failure> {
    for change in call.client.watch_events(watch) {
        let shown = change.object.downcast_ref::<Event>().is_some_and(|event| wanted.keeps(event));
        if shown && matches!(change.kind, WatchKind::Added | WatchKind::Modified) {
            print(call, args, &[change.object], false);
        }
    }
    Ok(())
}

/// When an event was last seen, for sorting.
fn moment(event: &Event) -> Option<i128> {
    let last = event.last_timestamp.as_ref().map(|time| time.0.as_nanosecond());
    last.or(event.event_time.as_ref().map(|time| time.0.as_nanosecond()))
}

fn print(call: &mut Call, args: &Args, events: &[ObjectRef], headers: bool) {
    let now = call.client.now();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let everywhere = args.is("all-namespaces");
    if headers {
        let all = ["NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
        rows.push(all[usize::from(!everywhere)..].iter().map(|title| (*title).to_owned()).collect());
    }
    for event in events.iter().filter_map(|event| event.downcast_ref::<Event>()) {
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        let object = &event.involved_object;
        let mut row = vec![
            interval(event, now),
            text(&event.type_),
            text(&event.reason),
            format!("{}/{}", text(&object.kind), text(&object.name)),
            text(&event.message),
        ];
        if everywhere {
            row.insert(0, text(&event.metadata.namespace));
        }
        rows.push(row);
    }
    let text = plain_table(&rows, 6, 3);
    call.io.out(&text);
}
