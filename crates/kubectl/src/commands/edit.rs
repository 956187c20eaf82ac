//! `kubectl edit`: hands the object to an editor, and sends what has changed.

use api::request::Verb;
use api::{Kind, Patch, PatchKind, Request, Status};
use serde_json::{Value, json};

use crate::apply::{LAST_APPLIED, with_last_applied};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
use crate::manifest::{self, Manifest};
use crate::output;
use crate::resource::{self, Info, Rules};
use crate::session::EditRequest;
use crate::task::Cx;

pub(super) static FLAGS: &[Flag] = &[
    text("subresource", ' ', "A subresource to edit"),
    text("validate", ' ', "strict, warn or ignore").or("strict").alone("strict"),
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-edit"),
    switch("output-patch", ' ', "Print the patch"),
    switch("save-config", ' ', "Keep the configuration in an annotation"),
    switch("windows-line-endings", ' ', "End lines as Windows does"),
];

pub(super) static LAST_APPLIED_FLAGS: &[Flag] = &[
    text("validate", ' ', "strict, warn or ignore").or("strict").alone("strict"),
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-client-side-apply"),
    switch("windows-line-endings", ' ', "End lines as Windows does"),
];

/// What is edited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Objects,
    /// The configurations that annotations remember, instead of the objects.
    LastApplied,
    /// An object that is to be created.
    New,
}

impl Mode {
    fn header(self) -> &'static str {
        match self {
            Mode::LastApplied => {
                "# Please edit the 'last-applied-configuration' annotations below.\n\
                 # Lines beginning with a '#' will be ignored, and an empty file will abort the edit.\n#\n"
            }
            Mode::Objects | Mode::New => {
                "# Please edit the object below. Lines beginning with a '#' will be ignored,\n\
                 # and an empty file will abort the edit. If an error occurs while saving this file will be\n\
                 # reopened with the relevant failures.\n#\n"
            }
        }
    }
}

/// `kubectl edit`
pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    edit_picked(cx, args, Mode::Objects).await
}

/// `kubectl apply edit-last-applied`
pub(super) async fn last_applied(cx: Cx, args: Args) -> Outcome {
    edit_picked(cx, args, Mode::LastApplied).await
}

/// `kubectl create --edit`: each object by itself.
pub(super) async fn new(cx: Cx, args: Args, manifests: Vec<Manifest>) -> Outcome {
    for Manifest { kind, namespace, name, value, .. } in manifests {
        let item = Item { kind, namespace, name, before: value };
        Edit { cx: cx.clone(), args: args.clone(), mode: Mode::New, items: vec![item] }.run().await?;
    }
    Ok(0)
}

async fn edit_picked(cx: Cx, args: Args, mode: Mode) -> Outcome {
    super::apply::validation(&args)?;
    let output = args.text("output");
    if mode == Mode::Objects && !matches!(output, "" | "json" | "yaml") {
        return Err(Failure::error(format!(
            "unable to match a printer suitable for the output format {output:?}, allowed formats are: json,yaml"
        )));
    }
    let picking = args.clone();
    let picked = cx.with(move |call| match picking.some_text("subresource") {
        Some(name) if name != "status" => super::get::pick_subresource(call, &picking, name),
        _ => resource::pick(call, &picking, Rules { all_of_type: true, ..Rules::default() }),
    });
    let picked = picked.await?;
    if let Some(failure) = Failure::all(picked.failures) {
        return Err(failure);
    }
    if picked.infos.is_empty() {
        return Err(Failure::error("edit cancelled, no objects found"));
    }
    let before = |info: &Info| match mode {
        Mode::LastApplied => remembered(info),
        _ => Some(output::shown(api::wire::form(&*info.object), &Args::default())),
    };
    let items = picked.infos.into_iter().filter_map(|info| {
        let before = before(&info)?;
        // A subresource is shown as what it is, but written where its object lies.
        let is_own = info.kind.id == info.object.kind_id();
        let kind = if is_own { info.kind } else { api::kinds::row(info.object.kind_id()) };
        Some(Item { kind, namespace: info.namespace, name: info.name, before })
    });
    let items: Vec<Item> = items.collect();
    if items.is_empty() {
        return Err(Failure::error(
            "no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl \
             apply set-last-applied --create-annotation`",
        ));
    }
    Edit { cx, args, mode, items }.run().await
}

fn remembered(info: &Info) -> Option<Value> {
    let text = api::meta::annotation(info.object.meta(), LAST_APPLIED)?;
    serde_json::from_str(text).ok()
}

/// An object, and what the editor shows of it.
struct Item {
    kind: &'static Kind,
    namespace: String,
    name: String,
    before: Value,
}

/// Objects in the editor.
struct Edit {
    cx: Cx,
    args: Args,
    mode: Mode,
    items: Vec<Item>,
}

/// What has become of a saved text.
#[derive(Default)]
struct Results {
    /// Why the text is opened again.
    reasons: Vec<Reason>,
    /// Objects that are gone, and those that others have changed.
    gone: usize,
    retryable: usize,
}

/// Why a saved text was not taken, as the comments at its top say it.
struct Reason {
    head: String,
    other: Vec<String>,
}

impl Reason {
    fn comment(&self) -> String {
        let commented = |text: &str| text.replace('\n', "\n# ");
        let mut text = format!("# {}{}\n", commented(&self.head), if self.other.is_empty() { "" } else { ":" });
        text.extend(self.other.iter().map(|other| format!("# * {}\n", commented(other))));
        text + "#\n"
    }
}

impl Edit {
    async fn run(self) -> Outcome {
        let original = self.original();
        let mut written = original.clone();
        let mut results = Results::default();
        loop {
            let comments: String = results.reasons.iter().map(Reason::comment).collect();
            // JSON has no comments.
            let header = if self.is_json() { String::new() } else { self.mode.header().to_owned() + &comments };
            let saved = self.ask(header + &written).await?.unwrap_or_else(|| written.clone());
            if !results.reasons.is_empty() && meaning(&saved) == meaning(&written) {
                self.keep(&saved).await;
                return Err(Failure::error("Edit cancelled, no valid changes were saved."));
            }
            written = body(&saved);
            results = Results::default();
            if let Err(why) = valid(&written) {
                let invalid = format!("<nil>: Invalid value: \"The edited file failed validation\": {why}");
                self.refuse_invalid(&mut results, &self.items[0], vec![invalid]).await;
                continue;
            }
            if meaning(&saved) == meaning(&original) {
                self.cx.err_line("Edit cancelled, no changes made.").await;
                return Ok(0);
            }
            let documents = match manifest::documents(&saved, "edited-file") {
                Ok(documents) => documents,
                Err(misread) => {
                    let head = format!("The edited file had a syntax error: {}", misread.failure.text().trim_end());
                    results.reasons.push(Reason { head, other: Vec::new() });
                    continue;
                }
            };
            for document in documents {
                if let Err(failure) = self.save(document.value, &mut results).await {
                    self.keep(&saved).await;
                    return Err(failure);
                }
            }
            if results.retryable + results.gone > 0 {
                let path = self.store(&saved).await;
                let text = match results.retryable {
                    0 => format!("The edits you made on deleted resources have been saved to {path:?}"),
                    _ => format!("You can run `kubectl replace -f {path}` to try this update again."),
                };
                self.cx.err_line(text).await;
                return Ok(1);
            }
            if results.reasons.is_empty() {
                return Ok(0);
            }
        }
    }

    /// One object as it is, several as a list.
    fn original(&self) -> String {
        match self.items.as_slice() {
            [only] => self.write(&only.before),
            many => {
                let items: Vec<&Value> = many.iter().map(|item| &item.before).collect();
                self.write(&json!({ "apiVersion": "v1", "items": items, "kind": "List", "metadata": {} }))
            }
        }
    }

    fn is_json(&self) -> bool {
        self.args.text("output") == "json" && self.mode != Mode::New
    }

    fn write(&self, value: &Value) -> String {
        if self.is_json() { output::json(value) + "\n" } else { output::yaml(value) }
    }

    /// Opens the editor, and waits until it is closed.
    async fn ask(&self, text: String) -> Result<Option<String>, Failure> {
        let file_name = format!("{}-{}.yaml", self.items[0].kind.singular, self.items[0].name);
        let request = EditRequest { file_name, text };
        self.cx.with(move |call| call.io.edit = Some(request)).await;
        loop {
            if let Some(why) = self.cx.with(|call| call.io.edit_failure.take()).await {
                return Err(Failure::error(why));
            }
            if let Some(answer) = self.cx.with(|call| call.io.edited.take()).await {
                return Ok(answer);
            }
            self.cx.pause(None).await;
        }
    }

    /// Writes the text to a file of its own.
    async fn store(&self, text: &str) -> String {
        let number = self.cx.with(|call| call.client.random() % 10_000_000_000).await;
        let end = if self.is_json() { "json" } else { "yaml" };
        let path = format!("/tmp/kubectl-edit-{number}.{end}");
        let (file, text) = (path.clone(), text.to_owned());
        self.cx.with(move |call| call.state.files.write(&file, text)).await;
        path
    }

    async fn keep(&self, text: &str) {
        let path = self.store(text).await;
        self.cx.err_line(format!("A copy of your changes has been stored to {path:?}")).await;
    }

    /// Sends what has changed in an object.
    async fn save(&self, after: Value, results: &mut Results) -> Result<(), Failure> {
        let named = |item: &&Item| {
            item.before["kind"] == after["kind"] && item.before["metadata"]["name"] == after["metadata"]["name"]
        };
        let same_uid = |item: &&Item| item.before["metadata"]["uid"] == after["metadata"]["uid"];
        let item = self.items.iter().find(named).or_else(|| self.items.iter().find(same_uid)).unwrap_or(&self.items[0]);
        if self.mode == Mode::New {
            return self.create(item, after).await;
        }
        let Item { kind, namespace, name, before } = item;
        let full_name = resource::full_name(kind, name);
        if *before == after {
            self.cx.out(format!("{full_name} skipped\n")).await;
            return Ok(());
        }
        let same = |pointer: &str| before.pointer(pointer) == after.pointer(pointer);
        if !(same("/apiVersion") && same("/kind") && same("/metadata/name")) {
            return Err(Failure::error("At least one of apiVersion, kind and name was changed"));
        }
        let patch = if self.mode == Mode::LastApplied {
            let annotations = json!({ LAST_APPLIED: crate::apply::annotation_text(&after) });
            Patch { kind: PatchKind::Merge, value: json!({ "metadata": { "annotations": annotations } }) }
        } else {
            let kept = if self.args.is("save-config") { with_last_applied(&after) } else { after.clone() };
            crate::apply::three_way(kind, before, &kept, before)?
        };
        if self.args.is("output-patch") {
            self.cx.out(format!("Patch: {}\n", patch.value)).await;
        }
        let mut request = Request::of(Verb::Patch, kind.id, namespace, name).body(patch);
        let wanted = self.args.text("subresource");
        if let Some(subresource) = kind.subresources.iter().find(|one| one.as_str() == wanted) {
            request = request.on(*subresource);
        }
        request.options.field_manager = self.args.text("field-manager").into();
        request.options.field_validation = super::apply::validation(&self.args)?;
        match self.cx.with(move |call| call.request(request).and_then(resource::expect_object)).await {
            Ok(object) => self.print(item, api::wire::form(&*object), "edited").await,
            Err(status) => {
                self.refused(item, status, results).await;
                Ok(())
            }
        }
    }

    async fn create(&self, item: &Item, after: Value) -> Result<(), Failure> {
        let mut request = Request::of(Verb::Create, item.kind.id, &item.namespace, "").body(after);
        request.options.field_manager = self.args.text("field-manager").into();
        request.options.field_validation = super::apply::validation(&self.args)?;
        let object = self.cx.with(move |call| call.request(request).and_then(resource::expect_object)).await?;
        let name = object.name().to_owned();
        let item = Item { kind: item.kind, namespace: item.namespace.clone(), name, before: Value::Null };
        self.print(&item, api::wire::form(&*object), "created").await
    }

    async fn print(&self, item: &Item, object: Value, done: &'static str) -> Result<(), Failure> {
        let (args, full_name) = (self.args.clone(), resource::full_name(item.kind, &item.name));
        self.cx.with(move |call| super::print_value(call, &args, &full_name, object, done)).await
    }

    /// An invalid object is opened again; anything else ends the edit.
    async fn refused(&self, item: &Item, status: Status, results: &mut Results) {
        let named = format!("{} {:?}", item.kind.group_resource(), item.name);
        if status.is_invalid() {
            let causes = status.details.iter().flat_map(|details| &details.causes);
            let other = causes.map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
            self.refuse_invalid(results, item, other).await;
        } else if status.is_not_found() {
            results.gone += 1;
            self.cx.err_line(format!("error: {named} could not be found on the server")).await;
        } else {
            results.retryable += 1;
            self.cx.err_line(format!("error: {named} could not be patched: {}", status.message)).await;
        }
    }

    async fn refuse_invalid(&self, results: &mut Results, item: &Item, other: Vec<String>) {
        let named = format!("{} {:?}", item.kind.group_resource(), item.name);
        results.reasons.push(Reason { head: format!("{named} was not valid"), other });
        self.cx.err_line(format!("error: {named} is invalid")).await;
    }
}

/// What upstream asks of a text before it looks for objects in it.
fn valid(text: &str) -> Result<(), String> {
    let documents = api::yaml::parse_lenient(text).map_err(|error| {
        let text = error.to_string();
        text.strip_prefix("error converting YAML to JSON: ").map(str::to_owned).unwrap_or(text)
    })?;
    let Some(document) = documents.first().filter(|document| document.value.is_object()) else {
        return Err("invalid object to validate".into());
    };
    manifest::type_set(&document.value)
}

/// The text without its comments.
fn body(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).map(|line| format!("{line}\n")).collect()
}

/// What a text says, however it is written.
fn meaning(text: &str) -> String {
    match api::yaml::parse_lenient(text).as_deref() {
        Ok([document, ..]) => document.value.to_string(),
        Ok([]) => String::new(),
        Err(_) => body(text),
    }
}
