//! `kubectl create deployment`, `job`, `cronjob`

use serde_json::{Map, Value, json};

use super::{Made, make, name, require};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, int32, list, text};
use crate::resource;
use crate::task::Call;

pub(in crate::commands) static DEPLOYMENT_FLAGS: &[Flag] = &[
    list("image", ' ', "Image name to run; several make several containers"),
    int32("replicas", 'r', "1", "Number of replicas"),
    int32("port", ' ', "-1", "The port that the container exposes"),
];
pub(in crate::commands) static JOB_FLAGS: &[Flag] =
    &[text("image", ' ', "Image name to run"), text("from", ' ', "The cron job to make a job of: cronjob/NAME")];
pub(in crate::commands) static CRON_JOB_FLAGS: &[Flag] = &[
    text("image", ' ', "Image name to run"),
    text("schedule", ' ', "A schedule in the cron format"),
    text("restart", ' ', "OnFailure or Never"),
];

/// The last part of an image's name makes a container's: `registry/x/nginx:1.27` is `nginx`. One that is no label gets
/// hyphens, and a suffix lest two become the same.
fn container_name(call: &mut Call, image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or_default();
    let name = last.split([':', '@']).next().unwrap_or_default();
    match name.contains(['_', '.']) {
        true => format!("{}-{}", name.replace(['_', '.'], "-"), call.random_suffix()),
        false => name.to_owned(),
    }
}

pub(in crate::commands) fn deployment(call: &mut Call, args: &Args) -> Outcome {
    let name = match args.before_dash() {
        [] if !args.given("image") => return require(args, &["image"]).map(|()| 0),
        _ => name(args, "kubectl create deployment")?,
    };
    require(args, &["image"])?;
    let command = args.after_dash();
    let images = args.all("image");
    if images.len() > 1 && !command.is_empty() {
        return Err(Failure::error("cannot specify multiple --image options and command"));
    }
    let containers: Vec<Value> = images
        .iter()
        .enumerate()
        .map(|(at, image)| {
            let mut container = json!({ "name": container_name(call, image), "image": image, "resources": {} });
            if !command.is_empty() {
                container["command"] = command.into();
            }
            if at == 0 && args.int("port") >= 0 {
                container["ports"] = json!([{ "containerPort": args.int("port") }]);
            }
            container
        })
        .collect();
    let labels = json!({ "app": name });
    let value = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "creationTimestamp": null, "name": name, "labels": labels },
        "spec": {
            "replicas": args.int("replicas"),
            "selector": { "matchLabels": labels },
            "strategy": {},
            "template": {
                "metadata": { "creationTimestamp": null, "labels": labels },
                "spec": { "containers": containers },
            },
        },
        "status": {},
    });
    make(call, args, Made::new(value, "failed to create deployment: "))
}

/// The Pod template of `create job` and `create cronjob`.
fn template(args: &Args, name: &str, restart: &str) -> Value {
    let mut container = json!({ "name": name, "image": args.text("image"), "resources": {} });
    if !args.after_dash().is_empty() {
        container["command"] = args.after_dash().into();
    }
    json!({
        "metadata": { "creationTimestamp": null },
        "spec": { "containers": [container], "restartPolicy": restart },
    })
}

pub(in crate::commands) fn job(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create job")?;
    if args.given("image") == args.given("from") {
        return Err(Failure::error("either --image or --from must be specified"));
    }
    if args.given("from") && !args.after_dash().is_empty() {
        return Err(Failure::error("cannot specify --from and command"));
    }
    let value = if args.given("from") {
        job_of_cron_job(call, args, &name)?
    } else {
        json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": { "creationTimestamp": null, "name": name },
            "spec": { "template": template(args, &name, "Never") },
            "status": {},
        })
    };
    make(call, args, Made::new(value, "failed to create job: "))
}

/// A Job from a CronJob's template, owned by it, as the controller would make it.
fn job_of_cron_job(call: &mut Call, args: &Args, name: &str) -> Result<Value, Failure> {
    let from = args.text("from");
    let (word, source) = from.split_once('/').unwrap_or((from, ""));
    let kind = resource::find_kind(call.client, word)?;
    if source.is_empty() {
        return Err(Failure::error(format!("from must be an existing cronjob, not {from:?}")));
    }
    let namespace = super::namespace(call, args);
    let cron = resource::get(call, kind, &namespace, source)?.to_value();
    if kind.kind != "CronJob" {
        return Err(Failure::error(format!("unknown object type *{}.{}", kind.version, kind.kind)));
    }
    let template = &cron["spec"]["jobTemplate"];
    let mut annotations = template["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    annotations.insert("cronjob.kubernetes.io/instantiate".into(), "manual".into());
    let mut meta = Map::from_iter([
        ("creationTimestamp".to_owned(), Value::Null),
        ("name".to_owned(), name.into()),
        ("annotations".to_owned(), annotations.into()),
        (
            "ownerReferences".to_owned(),
            json!([{
                "apiVersion": "batch/v1", "kind": "CronJob", "name": cron["metadata"]["name"],
                "uid": cron["metadata"]["uid"], "controller": true,
            }]),
        ),
    ]);
    if !template["metadata"]["labels"].is_null() {
        meta.insert("labels".into(), template["metadata"]["labels"].clone());
    }
    Ok(crate::commands::as_typed(json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": template["spec"], "status": {},
    })))
}

pub(in crate::commands) fn cron_job(call: &mut Call, args: &Args) -> Outcome {
    require(args, &["image", "schedule"])?;
    let name = name(args, "kubectl create cronjob")?;
    let restart = args.some_text("restart").unwrap_or("OnFailure");
    let value = json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": { "creationTimestamp": null, "name": name },
        "spec": {
            "schedule": args.text("schedule"),
            "jobTemplate": {
                "metadata": { "creationTimestamp": null, "name": name },
                "spec": { "template": template(args, &name, restart) },
            },
        },
        "status": {},
    });
    make(call, args, Made::new(value, "failed to create cronjob: "))
}
