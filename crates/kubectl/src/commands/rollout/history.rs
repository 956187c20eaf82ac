//! `kubectl rollout history`, and the revisions that `undo` goes back to.

use api::request::Options;
use api::types::{ControllerRevision, Deployment, PodTemplateSpec, ReplicaSet};
use api::{Kinded, ObjectRef, meta};
use serde_json::{Value, json};

use crate::describe;
use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::output::{Format, plain_table};
use crate::resource::{self, Info};
use crate::task::Call;

/// One revision of a workload.
pub(super) struct Revision {
    pub number: i64,
    pub cause: String,
    /// The Pod template, and for ControllerRevisions the patch that brings it back.
    pub template: Value,
    pub object: ObjectRef,
}

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

/// The revisions of a workload, oldest first.
const NO_CAUSE: &str = "<none>";

pub(super) fn revisions(call: &mut Call, info: &Info) -> Result<Vec<Revision>, Failure> {
    let mut found = Vec::new();
    let cause = |object: &ObjectRef| meta::annotation(object.meta(), CHANGE_CAUSE).unwrap_or(NO_CAUSE).to_owned();
    match info.kind.kind {
        "Deployment" => {
            let (sets, _) = resource::list(call, ReplicaSet::row(), &info.namespace, Options::default())?;
            for set in sets.into_iter().filter(|set| meta::is_controlled_by(set.meta(), info.object.meta())) {
                let number = meta::annotation(set.meta(), REVISION).and_then(|text| text.parse().ok()).unwrap_or(0);
                let template = set.to_value()["spec"]["template"].clone();
                found.push(Revision { number, cause: cause(&set), template, object: set });
            }
        }
        "StatefulSet" | "DaemonSet" => {
            let (all, _) = resource::list(call, ControllerRevision::row(), &info.namespace, Options::default())?;
            for revision in all.into_iter().filter(|one| meta::is_controlled_by(one.meta(), info.object.meta())) {
                let Some(typed) = revision.downcast_ref::<ControllerRevision>() else { continue };
                let data = revision.to_value()["data"].clone();
                found.push(Revision {
                    number: typed.revision,
                    cause: cause(&revision),
                    template: data["spec"]["template"].clone(),
                    object: revision,
                });
            }
        }
        _ => return Err(super::without_history(info.kind, "history")),
    }
    found.sort_by_key(|revision| revision.number);
    Ok(found)
}

pub(in crate::commands) fn run(call: &mut Call, args: &Args) -> Outcome {
    let wanted = args.int("revision");
    if wanted < 0 {
        return Err(Failure::error(format!("revision must be a positive integer: {wanted}")));
    }
    let picked = super::pick(call, args)?;
    let format = Format::read(call, args, false)?;
    for info in &picked.infos {
        let revisions = revisions(call, info)?;
        if wanted > 0 {
            let revision = revisions
                .iter()
                .find(|revision| revision.number == wanted)
                .ok_or_else(|| Failure::error("unable to find the specified revision"))?;
            match &format {
                Some(Format::Name) => {
                    let kind = api::kinds::row(revision.object.kind_id());
                    call.io.line(resource::full_name(kind, revision.object.name()));
                }
                Some(format) => {
                    let text = format.typed_text(&api::wire::form(&*revision.object))?;
                    call.io.out(&text);
                }
                None => {
                    let mut template = revision.template.clone();
                    if revision.cause != NO_CAUSE && info.kind.kind == "Deployment" {
                        template["metadata"]["annotations"] = json!({ CHANGE_CAUSE: revision.cause });
                    }
                    let text = format!("{} with revision #{wanted}\n{}\n", info.full_name(), template_text(&template));
                    call.io.out(&text);
                }
            }
            continue;
        }
        if let Some(format) = &format {
            for (at, revision) in revisions.iter().enumerate() {
                if matches!(format, Format::Name) {
                    let kind = api::kinds::row(revision.object.kind_id());
                    call.io.line(resource::full_name(kind, revision.object.name()));
                    continue;
                }
                if at > 0 && matches!(format, Format::Yaml) {
                    call.io.line("---");
                }
                let text = format.typed_text(&api::wire::form(&*revision.object))?;
                call.io.out(&text);
            }
            continue;
        }
        let mut rows = vec![vec!["REVISION".to_owned(), "CHANGE-CAUSE".to_owned()]];
        rows.extend(revisions.iter().map(|revision| vec![revision.number.to_string(), revision.cause.clone()]));
        let text = format!("{} \n{}\n", info.full_name(), plain_table(&rows, 0, 2));
        call.io.out(&text);
    }
    Failure::all(picked.failures).map_or(Ok(0), Err)
}

/// A template as `history --revision` shows it: the describer's text, with its tabs as they are.
pub(super) fn template_text(template: &Value) -> String {
    let parsed: Option<PodTemplateSpec> = api::decode::typed(template.clone()).ok();
    let mut writer = describe::Writer::default();
    describe::pod_template(&mut writer, parsed.as_ref());
    writer.raw()
}

/// Whether a Deployment has been paused; other kinds cannot be.
pub(super) fn is_paused(object: &ObjectRef) -> bool {
    let deployment: Option<&Deployment> = object.downcast_ref();
    deployment.and_then(|deployment| deployment.spec.as_ref()?.paused).unwrap_or_default()
}
