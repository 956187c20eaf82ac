//! `kubectl edit`: asks the page to open its editor.

use api::request::Verb;
use api::{PatchKind, Request};
use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, text};
use crate::output;
use crate::resource::{self, Info, Rules};
use crate::session::EditRequest;
use crate::task::Cx;

pub(super) static FLAGS: &[Flag] = &[
    array("filename", 'f', "Files that name the objects"),
    text("output", 'o', "yaml or json").or("yaml"),
    text("selector", 'l', "Label selector"),
    text("subresource", ' ', "A subresource to edit"),
];

const HEADER: &str = "\
# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
";

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    let picked = cx.with(move |call| resource::pick(call, &args, Rules::default())).await?;
    if let Some(failure) = Failure::all(picked.failures) {
        return Err(failure);
    }
    for info in picked.infos {
        edit(&cx, info).await?;
    }
    Ok(0)
}

async fn edit(cx: &Cx, info: Info) -> Result<(), Failure> {
    let mut before = info.object.to_value();
    if let Some(meta) = before["metadata"].as_object_mut() {
        meta.remove("managedFields");
    }
    let mut text = format!("{HEADER}{}", output::yaml(&before));
    loop {
        let request =
            EditRequest { file_name: format!("{}-{}.yaml", info.kind.singular, info.name), text: text.clone() };
        cx.with(move |call| call.io.edit = Some(request)).await;
        let saved = loop {
            if let Some(answer) = cx.with(|call| call.io.edited.take()).await {
                break answer;
            }
            cx.pause(None).await;
        };
        let Some(saved) = saved.filter(|saved| *saved != text) else {
            cx.err_line("Edit cancelled, no changes made.").await;
            return Ok(());
        };
        let parsed = api::yaml::parse_documents(&saved);
        let after = match parsed.map(|mut documents| documents.pop()) {
            Ok(Some(document)) => document.value,
            Ok(None) => {
                cx.err_line("Edit cancelled, saved file was empty.").await;
                return Ok(());
            }
            Err(error) => {
                text = reopened(&saved, &error.to_string());
                continue;
            }
        };
        if after == before {
            cx.err_line("Edit cancelled, no changes made.").await;
            return Ok(());
        }
        match save(cx, &info, &before, &after).await {
            Ok(()) => {
                cx.out(format!("{} edited\n", info.full_name())).await;
                return Ok(());
            }
            Err(failure) => text = reopened(&saved, failure.text().trim_end()),
        }
    }
}

/// The text again, with what was wrong with it at its top.
fn reopened(saved: &str, why: &str) -> String {
    let body: String = saved.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    let comments: String = why.lines().map(|line| format!("# {line}\n")).collect();
    format!("{HEADER}{comments}#\n{body}")
}

async fn save(cx: &Cx, info: &Info, before: &Value, after: &Value) -> Result<(), Failure> {
    let value = api::patch::three_way_strategic(info.kind, before, after, before)?;
    let patch = api::Patch { kind: PatchKind::StrategicMerge, value };
    let mut request = Request::of(Verb::Patch, info.kind.id, &info.namespace, &info.name).body(patch);
    request.options.field_manager = "kubectl-edit".into();
    request.options.field_validation = api::FieldValidation::Strict;
    cx.with(move |call| call.request(request)).await?;
    Ok(())
}
