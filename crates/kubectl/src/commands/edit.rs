//! `kubectl edit`: hands the object to an editor, and sends what has changed.

use api::request::{Subresource, Verb};
use api::{Patch, PatchKind, Request, Status};
use serde_json::{Value, json};

use crate::apply::{LAST_APPLIED, with_last_applied};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
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

const HEADER: &str = "\
# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
";

/// `kubectl edit`
pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    edit_all(cx, args, false).await
}

/// `kubectl apply edit-last-applied`: the configuration that the annotation remembers, instead of the object.
pub(super) async fn last_applied(cx: Cx, args: Args) -> Outcome {
    edit_all(cx, args, true).await
}

async fn edit_all(cx: Cx, args: Args, of_last_applied: bool) -> Outcome {
    let picking = args.clone();
    let picked =
        cx.with(move |call| resource::pick(call, &picking, Rules { all_of_type: true, ..Rules::default() })).await?;
    if let Some(failure) = Failure::all(picked.failures) {
        return Err(failure);
    }
    for info in picked.infos {
        let value = match of_last_applied {
            true => remembered(&info)?,
            false => output::shown(api::wire::form(&*info.object), &Args::default()),
        };
        Edit { cx: cx.clone(), args: args.clone(), info, of_last_applied }.run(value).await?;
    }
    Ok(0)
}

fn remembered(info: &Info) -> Result<Value, Failure> {
    let text = api::meta::annotation(info.object.meta(), LAST_APPLIED);
    text.and_then(|text| serde_json::from_str(text).ok()).ok_or_else(|| {
        Failure::error(
            "no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl \
             apply set-last-applied --create-annotation`",
        )
    })
}

/// One object in the editor, or the configuration that was applied last to it.
struct Edit {
    cx: Cx,
    args: Args,
    info: Info,
    of_last_applied: bool,
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
    async fn run(self, before: Value) -> Result<(), Failure> {
        let original = self.write(&before);
        // JSON has no comments.
        let header = if self.args.text("output") == "json" { "" } else { HEADER };
        let mut text = format!("{header}{original}");
        let mut refused = false;
        loop {
            let Some(saved) = self.ask(&text).await?.filter(|saved| body(saved) != body(&text)) else {
                if refused {
                    return self.give_up(&text).await;
                }
                self.cx.err_line("Edit cancelled, no changes made.").await;
                return Ok(());
            };
            let written = body(&saved);
            if written.trim().is_empty() {
                self.cx.err_line("Edit cancelled, saved file was empty.").await;
                return Ok(());
            }
            if written.trim_end() == original.trim_end() {
                self.cx.err_line("Edit cancelled, no changes made.").await;
                return Ok(());
            }
            let reason = match api::yaml::parse_documents(&saved) {
                Ok(documents) => match documents.into_iter().next() {
                    Some(document) => match self.save(&before, document.value).await? {
                        None => return Ok(()),
                        Some(reason) => reason,
                    },
                    None => Reason { head: "The edited file failed validation: no object".into(), other: Vec::new() },
                },
                Err(error) => {
                    Reason { head: format!("The edited file had a syntax error: {error}"), other: Vec::new() }
                }
            };
            refused = true;
            text = format!("{header}{}{written}", reason.comment());
        }
    }

    fn write(&self, value: &Value) -> String {
        if self.args.text("output") == "json" { output::json(value) + "\n" } else { output::yaml(value) }
    }

    fn file_name(&self) -> String {
        format!("{}-{}.yaml", self.info.kind.singular, self.info.name)
    }

    /// Opens the editor, and waits until it is closed.
    async fn ask(&self, text: &str) -> Result<Option<String>, Failure> {
        let request = EditRequest { file_name: self.file_name(), text: text.to_owned() };
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

    /// Keeps the text in a file.
    async fn keep(&self, text: &str) -> String {
        let number = self.cx.with(|call| call.client.random() % 10_000_000_000).await;
        let end = if self.args.text("output") == "json" { "json" } else { "yaml" };
        let path = format!("/tmp/kubectl-edit-{number}.{end}");
        let (file, text) = (path.clone(), text.to_owned());
        self.cx.with(move |call| call.state.files.write(&file, text)).await;
        self.cx.err_line(format!("A copy of your changes has been stored to {path:?}")).await;
        path
    }

    async fn give_up(&self, text: &str) -> Result<(), Failure> {
        self.keep(text).await;
        Err(Failure::error("Edit cancelled, no valid changes were saved."))
    }

    /// Sends the difference. `Some` when the text should be opened again.
    async fn save(&self, before: &Value, after: Value) -> Result<Option<Reason>, Failure> {
        let same = |pointer: &str| before.pointer(pointer) == after.pointer(pointer);
        if !(same("/apiVersion") && same("/kind") && same("/metadata/name")) {
            self.keep(&self.write(&after)).await;
            return Err(Failure::error("At least one of apiVersion, kind and name was changed"));
        }
        let patch = if self.of_last_applied {
            let annotations = json!({ LAST_APPLIED: crate::apply::annotation_text(&after) });
            Patch { kind: PatchKind::Merge, value: json!({ "metadata": { "annotations": annotations } }) }
        } else {
            let kept = if self.args.is("save-config") { with_last_applied(&after) } else { after.clone() };
            crate::apply::three_way(self.info.kind, before, &kept, before)?
        };
        let value = &patch.value;
        let full_name = self.info.full_name();
        if value.as_object().is_none_or(serde_json::Map::is_empty) {
            self.cx.out(format!("{full_name} skipped\n")).await;
            return Ok(None);
        }
        if self.args.is("output-patch") {
            self.cx.out(format!("Patch: {value}\n")).await;
        }
        let Info { kind, namespace, name, .. } = &self.info;
        let mut request = Request::of(Verb::Patch, kind.id, namespace, name).body(patch);
        if self.args.text("subresource") == "status" {
            request.subresource = Subresource::Status;
        }
        request.options.field_manager = self.args.text("field-manager").into();
        request.options.field_validation = super::apply::validation(&self.args)?;
        match self.cx.with(move |call| call.request(request).and_then(resource::expect_object)).await {
            Ok(object) => {
                let (args, info) = (self.args.clone(), self.info.clone());
                let print = move |call: &mut crate::task::Call| {
                    super::print_changed(
                        call,
                        &args,
                        &info,
                        api::wire::form(&*object),
                        "edited",
                        super::apply::DryRun::None,
                    )
                };
                self.cx.with(print).await?;
                Ok(None)
            }
            Err(status) => self.refused(status, &after).await.map(Some),
        }
    }

    /// An invalid object is opened again; anything else ends the edit and keeps its text.
    async fn refused(&self, status: Status, after: &Value) -> Result<Reason, Failure> {
        let named = format!("{} {:?}", self.info.kind.group_resource(), self.info.name);
        if status.is_invalid() {
            self.cx.err_line(format!("error: {named} is invalid")).await;
            let causes = status.details.iter().flat_map(|details| &details.causes);
            let other = causes.map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
            return Ok(Reason { head: format!("{named} was not valid"), other });
        }
        let text = self.write(after);
        if status.is_not_found() {
            self.cx.err_line(format!("error: {named} could not be found on the server")).await;
            let path = self.keep(&text).await;
            self.cx.err_line(format!("The edits you made on deleted resources have been saved to {path:?}")).await;
        } else {
            self.cx.err_line(format!("error: {named} could not be patched: {}", status.message)).await;
            let path = self.keep(&text).await;
            self.cx.err_line(format!("You can run `kubectl replace -f {path}` to try this update again.")).await;
        }
        Err(Failure::Exit(1))
    }
}

/// The text without its comments.
fn body(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).map(|line| format!("{line}\n")).collect()
}
