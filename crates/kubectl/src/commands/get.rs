//! `kubectl get`

use api::request::{Verb, WatchId, WatchKind};
use api::{Kind, ObjectRef, Request};
use serde_json::{Value, json};

use super::namespace;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, int, list, on_by_default, switch, text};
use crate::output::{self, Columns, Format, Path, TablePrinter, TableStyle};
use crate::resource::{self, Info, Named, Picked, Rules};
use crate::task::{Call, Cx};

pub(super) static FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    text("field-selector", ' ', "Field selector"),
    switch("all-namespaces", 'A', "Look in all namespaces"),
    switch("watch", 'w', "After listing, watch for changes"),
    switch("watch-only", ' ', "Watch for changes without listing first"),
    switch("output-watch-events", ' ', "Print the kind of each watch event"),
    text("sort-by", ' ', "Sort by this JSONPath"),
    switch("show-labels", ' ', "Show all labels as the last column"),
    list("label-columns", 'L', "Labels to show as columns"),
    switch("no-headers", ' ', "Do not print headers"),
    switch("show-kind", ' ', "Show the kind of each object"),
    switch("ignore-not-found", ' ', "A missing object is no error"),
    on_by_default("server-print", "Let the server make tables"),
    text("raw", ' ', "Ask for a path of the API server"),
    int("chunk-size", ' ', "500", "Objects to ask for at once"),
    text("subresource", ' ', "A subresource to get"),
];

const NO_TYPE: &str = "\
You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported resources.

error: Required resource not specified.
Use \"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl explain pods).
See 'kubectl get -h' for help and examples";

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    if args.is("watch") || args.is("watch-only") {
        if args.some_text("raw").is_some() {
            return Err(Failure::error(
                "--raw may not be specified with other flags that filter the server request or alter the output",
            ));
        }
        return watch(cx, args).await;
    }
    cx.with(move |call| once(call, &args)).await
}

fn once(call: &mut Call, args: &Args) -> Outcome {
    if args.is("show-labels") && !matches!(args.text("output"), "" | "wide") {
        let output = args.text("output");
        return Err(Failure::error(format!("--show-labels option cannot be used with {output} printer")));
    }
    if args.is("output-watch-events") {
        return Err(Failure::error("--output-watch-events option can only be used with --watch or --watch-only"));
    }
    if let Some(path) = args.some_text("raw") {
        if args.some_text("output").is_some() {
            return Err(Failure::error("--raw and --output are mutually exclusive"));
        }
        if !args.operands.is_empty() {
            return Err(Failure::error("arguments may not be passed when --raw is specified"));
        }
        return super::api_resources::raw(call, "GET", path, String::new());
    }
    if args.operands.is_empty() && !resource::names_files(args) {
        return Err(Failure::plain(NO_TYPE));
    }
    let format = Format::read(call, args, true)?.unwrap_or(Format::Table { wide: false });
    let sort = args.some_text("sort-by").map(|path| Path::relaxed(path).map_err(Failure::error));
    let mut picked = match args.some_text("subresource") {
        Some(name) => pick_subresource(call, args, name)?,
        None => resource::pick(call, args, Rules { all_of_type: true, ..Rules::default() })?,
    };
    if args.is("ignore-not-found") {
        picked.failures.retain(|failure| !matches!(failure, Failure::Status(status) if status.is_not_found()));
    }
    let several_kinds = names_several_kinds(call, args, &picked);
    if let Some(path) = sort {
        let is_one_table = matches!(format, Format::Table { .. }) && !several_kinds;
        let path = match path {
            Err(_) if is_one_table => return nothing_to_sort(call, args),
            path => path?,
        };
        let is_table = matches!(format, Format::Table { .. });
        // Upstream sorts each table by its rows, and several tables as if they were the objects.
        let found = sort_by(&mut picked.infos, &path) && !(is_table && several_kinds);
        if !found && picked.infos.len() > usize::from(is_table) {
            if is_one_table {
                return nothing_to_sort(call, args);
            }
            let path = args.text("sort-by").trim_matches(['{', '}']).trim_start_matches('.');
            return Err(Failure::error(format!(
                "couldn't find any field with path \"{{.{path}}}\" in the list of objects"
            )));
        }
    }
    match &format {
        Format::Table { wide } => print_tables(call, args, &picked, *wide, several_kinds),
        Format::Name => {
            for info in &picked.infos {
                call.io.line(info.full_name());
            }
        }
        Format::Columns(columns) => print_columns(call, args, columns, &picked),
        other => {
            // A missing object leaves nothing to print; an empty list is still a list.
            let missing = !picked.failures.is_empty() || (args.is("ignore-not-found") && picked.single);
            if !picked.infos.is_empty() || !missing {
                let value = one_value(&picked, args);
                let text = other.text(&value)?;
                call.io.out(&text);
            }
        }
    }
    match Failure::all(picked.failures) {
        Some(failure) => Err(failure),
        None => Ok(0),
    }
}

/// What upstream says where the rows of a table cannot be sorted.
fn nothing_to_sort(call: &mut Call, args: &Args) -> Outcome {
    let text = no_resources_found(call, args);
    call.io.err_line(text);
    Ok(0)
}

/// `get pods,svc` and `get all` show the kind before each name, and so does everything where several kinds were found.
fn names_several_kinds(call: &mut Call, args: &Args, picked: &Picked) -> bool {
    let mut kinds: Vec<&str> = match resource::read(call.client, &args.operands) {
        Ok(Named::Kinds(kinds)) => kinds.iter().map(|kind| kind.kind).collect(),
        _ => picked.infos.iter().map(|info| info.kind.kind).collect(),
    };
    kinds.dedup();
    kinds.len() > 1 || args.operands.first().is_some_and(|word| word == "all")
}

/// The objects' subresource in place of the objects: `get deploy web --subresource=scale`.
pub(super) fn pick_subresource(call: &mut Call, args: &Args, name: &str) -> Result<Picked, Failure> {
    let Named::Objects(objects) = resource::read(call.client, &args.operands)? else {
        return Err(Failure::error("subresource cannot be used when bulk resources are specified"));
    };
    let mut picked = Picked { single: objects.len() == 1, ..Picked::default() };
    let namespace = namespace(call, args);
    for (kind, object) in objects {
        let answer = resource::subresource(kind, name).and_then(|subresource| {
            let request = Request::of(Verb::Get, kind.id, resource::scope(kind, &namespace), &object);
            call.request(request.on(subresource)).and_then(resource::expect_object)
        });
        match answer {
            Ok(object) => picked.infos.push(resource::info(api::kinds::shown_as(kind, &*object), object)),
            Err(status) => picked.failures.push(status.into()),
        }
    }
    Ok(picked)
}

/// A single object as it is, several as a `List`.
fn one_value(picked: &Picked, args: &Args) -> Value {
    let values: Vec<Value> =
        picked.infos.iter().map(|info| output::shown(api::wire::form(&*info.object), args)).collect();
    match values.as_slice() {
        [only] if picked.single => only.clone(),
        _ => json!({ "apiVersion": "v1", "items": values, "kind": "List", "metadata": { "resourceVersion": "" } }),
    }
}

fn print_columns(call: &mut Call, args: &Args, columns: &Columns, picked: &Picked) {
    let items: Vec<Value> = picked.infos.iter().map(|info| api::wire::form(&*info.object)).collect();
    if items.is_empty() && !picked.failures.is_empty() {
        return;
    }
    let headers = columns.keeps_headers || !args.is("no-headers");
    let text = columns.text(&json!({ "items": items }), headers);
    call.io.out(&text);
}

fn style(args: &Args, wide: bool, with_kind: bool) -> TableStyle {
    TableStyle {
        wide,
        headers: !args.is("no-headers"),
        with_namespace: args.is("all-namespaces"),
        with_kind: with_kind || args.is("show-kind"),
        show_labels: args.is("show-labels"),
        label_columns: args.all("label-columns").to_vec(),
        plain: !args.is("server-print"),
    }
}

fn print_tables(call: &mut Call, args: &Args, picked: &Picked, wide: bool, several_kinds: bool) {
    if picked.infos.is_empty() {
        if picked.failures.is_empty() && !args.is("ignore-not-found") {
            let text = no_resources_found(call, args);
            call.io.err_line(text);
        }
        return;
    }
    let now = call.client.now();
    let mut printed = false;
    let mut rest = picked.infos.as_slice();
    while let Some(first) = rest.first() {
        let end = rest.iter().position(|info| info.kind.id != first.kind.id).unwrap_or(rest.len());
        let objects: Vec<ObjectRef> = rest[..end].iter().map(|info| info.object.clone()).collect();
        if printed && !args.is("no-headers") {
            call.io.line("");
        }
        let mut printer = TablePrinter::new(style(args, wide, several_kinds));
        let text = printer.print(first.kind, &objects, None, now);
        call.io.out(&text);
        printed = true;
        rest = &rest[end..];
    }
}

pub(super) fn no_resources_found(call: &mut Call, args: &Args) -> String {
    let cluster_wide = match resource::read(call.client, &args.operands) {
        Ok(Named::Kinds(kinds)) => kinds.iter().any(|kind| !kind.namespaced),
        _ => false,
    };
    if args.is("all-namespaces") || cluster_wide {
        "No resources found".into()
    } else {
        format!("No resources found in {} namespace.", namespace(call, args))
    }
}

/// Sorts by what a path leads to: numbers by value, quantities and times as such, the rest as text. Whether it leads
/// anywhere at all.
fn sort_by(infos: &mut [Info], path: &Path) -> bool {
    let key = |info: &Info| {
        let value = info.object.to_value();
        path.find(&value).ok().and_then(|found| found.first().map(|value| (*value).clone()))
    };
    let found = infos.iter().any(|info| key(info).is_some());
    infos.sort_by_cached_key(|info| match key(info) {
        None | Some(Value::Null) => (0, 0, String::new()),
        Some(Value::Number(number)) => (1, (number.as_f64().unwrap_or_default() * 1e6) as i128, String::new()),
        Some(Value::String(text)) => match api::quantity::parse(&text) {
            Some((amount, _)) => (1, amount.0, text),
            None => (2, 0, text),
        },
        Some(other) => (3, 0, other.to_string()),
    });
    found
}

/// `get -w`: one kind, with a watch that stays open.
async fn watch(cx: Cx, args: Args) -> Outcome {
    let printing = args.clone();
    let seconds = args.text("request-timeout").parse::<i64>().ok().map(|seconds| seconds * api::time::SECOND as i64);
    let timeout = seconds.or_else(|| api::time::parse_duration(args.text("request-timeout")));
    let timeout = timeout.filter(|timeout| *timeout > 0);
    let started = cx.with(move |call| start_watch(call, &args)).await?;
    let mut watching = started;
    let end = match timeout {
        Some(timeout) => Some(cx.now().await + timeout as api::SimTime),
        None => None,
    };
    loop {
        if let Some(end) = end
            && cx.now().await >= end
        {
            return Ok(0);
        }
        let args = printing.clone();
        watching = cx.with(move |call| watching.follow(call, &args).map(|()| watching)).await?;
        cx.tick(None).await;
    }
}

/// What a watch keeps between its events.
struct Watching {
    watch: WatchId,
    kind: &'static Kind,
    name: String,
    printer: TablePrinter,
    format: Format,
    /// Whether something has been printed: YAML documents stand apart.
    has_printed: bool,
}

fn start_watch(call: &mut Call, args: &Args) -> Result<Watching, Failure> {
    let format = Format::read(call, args, true)?.unwrap_or(Format::Table { wide: false });
    let (kind, name) = match resource::read(call.client, &args.operands)? {
        Named::Nothing => return Err(Failure::plain(NO_TYPE)),
        Named::Kinds(kinds) if kinds.len() == 1 => (kinds[0], String::new()),
        Named::Objects(objects) if objects.len() == 1 => (objects[0].0, objects[0].1.clone()),
        Named::Kinds(_) => return Err(Failure::error("you may only specify a single resource type")),
        _ => {
            // They are shown once all the same.
            let picked = resource::pick(call, args, Rules::default())?;
            let Some(kind) = picked.infos.first().map(|info| info.kind) else {
                return Err(Failure::all(picked.failures).unwrap_or(Failure::Exit(1)));
            };
            let objects: Vec<ObjectRef> = picked.infos.iter().map(|info| info.object.clone()).collect();
            let wide = matches!(format, Format::Table { wide: true });
            let mut printer = TablePrinter::new(style(args, wide, false));
            let text = show(&mut printer, &format, kind, &objects, None, call.client.now(), args)?;
            let why = Failure::error("you may only watch a single resource or type of resource at a time");
            return Err(Failure::After(text, Box::new(why)));
        }
    };
    if args.some_text("sort-by").is_some() {
        call.io.err_line("warning: --watch requested, --sort-by will be ignored for watch events received");
    }
    let wide = matches!(format, Format::Table { wide: true });
    let namespace = if args.is("all-namespaces") { String::new() } else { namespace(call, args) };
    let mut options = resource::selectors(args);
    if !name.is_empty() {
        resource::get(call, kind, &namespace, &name)?;
        options.field_selector = format!("metadata.name={name}");
    }
    let listed = resource::list(call, kind, &namespace, options.clone());
    let (objects, revision) = listed.map_err(|status| resource::refused_list(kind, status, args))?;
    let mut printer = TablePrinter::new(style(args, wide, false));
    let mut has_printed = false;
    if !args.is("watch-only") {
        let event = args.is("output-watch-events").then_some("ADDED");
        let text = show(&mut printer, &format, kind, &objects, event, call.client.now(), args)?;
        call.io.out(apart(&text, &format, has_printed));
        has_printed = !text.is_empty();
    }
    let mut request = Request::of(Verb::Watch, kind.id, resource::scope(kind, &namespace), "");
    request.options = options;
    request.options.resource_version = revision.to_string();
    let watch = call.watch(request)?;
    Ok(Watching { watch, kind, name, printer, format, has_printed })
}

fn show(
    printer: &mut TablePrinter,
    format: &Format,
    kind: &'static Kind,
    objects: &[ObjectRef],
    event: Option<&str>,
    now: api::SimTime,
    args: &Args,
) -> Result<String, Failure> {
    if let Format::Table { .. } = format {
        return Ok(if objects.is_empty() { String::new() } else { printer.print(kind, objects, event, now) });
    }
    let mut text = String::new();
    let shown = |object: &ObjectRef| {
        let value = output::shown(api::wire::form(&**object), args);
        event.map_or(value.clone(), |word| json!({ "type": word, "object": value }))
    };
    for object in objects {
        match format {
            Format::Name => text.push_str(&(resource::full_name(kind, object.name()) + "\n")),
            Format::Yaml => text.push_str(&format!("---\n{}", format.text(&shown(object))?)),
            other => text.push_str(&other.text(&shown(object))?),
        }
    }
    Ok(text)
}

/// A text as it follows others: the first YAML document begins without a line of its own.
fn apart<'a>(text: &'a str, format: &Format, has_printed: bool) -> &'a str {
    match format {
        Format::Yaml if !has_printed => text.strip_prefix("---\n").unwrap_or(text),
        _ => text,
    }
}

impl Watching {
    /// Prints what the watch has brought.
    fn follow(&mut self, call: &mut Call, args: &Args) -> Result<(), Failure> {
        for event in call.client.watch_events(self.watch) {
            if event.kind == WatchKind::Bookmark || (!self.name.is_empty() && event.object.name() != self.name) {
                continue;
            }
            let word = match event.kind {
                WatchKind::Added => "ADDED",
                WatchKind::Deleted => "DELETED",
                _ => "MODIFIED",
            };
            let word = args.is("output-watch-events").then_some(word);
            let now = call.client.now();
            let text = show(&mut self.printer, &self.format, self.kind, &[event.object], word, now, args)?;
            call.io.out(apart(&text, &self.format, self.has_printed));
            self.has_printed = true;
        }
        Ok(())
    }
}
