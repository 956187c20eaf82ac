//! `kubectl edit`: hands the object to an editor, and sends what has changed.

use api::request::{Subresource, Verb};
use api::{Request, Status};
use serde_json::Value;

use crate::apply::with_last_applied;
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

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    let picking = args.clone();
    let picked = cx.with(move |call| resource::pick(call, &picking, Rules::default())).await?;
    if let Some(failure) = Failure::all(picked.failures) {
        return Err(failure);
    }
    for info in picked.infos {
        Edit { cx: cx.clone(), args: args.clone(), info }.run().await?;
    }
    Ok(0)
}

/// One object in the editor.
struct Edit {
    cx: Cx,
    args: Args,
    info: Info,
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
    async fn run(self) -> Result<(), Failure> {
        let before = output::shown(api::wire::form(&*self.info.object), &Args::default());
        let original = self.write(&before);
        let mut text = format!("{HEADER}{original}");
        let mut refused = false;
        loop {
            let Some(saved) = self.ask(&text).await.filter(|saved| body(saved) != body(&text)) else {
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
            text = format!("{HEADER}{}{written}", reason.comment());
        }
    }

    fn write(&self, value: &Value) -> String {
        if self.args.text("output") == "json" { output::json(value) + "\n" } else { output::yaml(value) }
    }

    fn file_name(&self) -> String {
        format!("{}-{}.yaml", self.info.kind.singular, self.info.name)
    }

    /// Opens the editor, and waits until it is closed.
    async fn ask(&self, text: &str) -> Option<String> {
        let request = EditRequest { file_name: self.file_name(), text: text.to_owned() };
        self.cx.with(move |call| call.io.edit = Some(request)).await;
        loop {
            if let Some(answer) = self.cx.with(|call| call.io.edited.take()).await {
                return answer;
            }
            self.cx.pause(None).await;
        }
    }

    /// Keeps the text in a file.
    async fn keep(&self, text: &str) -> String {
        let path = format!("/tmp/kubectl-edit-{}", self.file_name());
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
            return Err(Failure::error("At least one of apiVersion, kind and name was changed"));
        }
        let kept = if self.args.is("save-config") { with_last_applied(&after) } else { after.clone() };
        let patch = crate::apply::three_way(self.info.kind, before, &kept, before)?;
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
