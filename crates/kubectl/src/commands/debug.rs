//! `kubectl debug`: an ephemeral container, a changed copy of a Pod, or a Pod on a node.

mod profile;

use api::request::{Subresource, Verb};
use api::types::Pod;
use api::{Kind, Kinded, Patch, PatchKind, Request};
use serde_json::{Value, json};

use self::profile::Style;
use super::{attach, namespace};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, duration, list, on_by_default, pairs, switch, text};
use crate::manifest;
use crate::resource::{self, Named};
use crate::task::{Call, Cx};

pub(super) static FLAGS: &[Flag] = &[
    text("image", ' ', "The debugging container's image"),
    text("container", 'c', "The debugging container's name"),
    text("target", ' ', "The container whose processes are to be seen"),
    text("copy-to", ' ', "Make a copy of the Pod with this name"),
    switch("replace", ' ', "With --copy-to: delete the Pod"),
    switch("same-node", ' ', "With --copy-to: on the same node"),
    on_by_default("share-processes", "With --copy-to: containers see each other's processes"),
    pairs("set-image", "With --copy-to: container=image"),
    switch("keep-labels", ' ', "With --copy-to: keep the labels"),
    switch("keep-annotations", ' ', "With --copy-to: keep the annotations"),
    on_by_default("keep-init-containers", "With --copy-to: keep init containers"),
    switch("keep-liveness", ' ', "With --copy-to: keep liveness probes"),
    switch("keep-readiness", ' ', "With --copy-to: keep readiness probes"),
    switch("keep-startup", ' ', "With --copy-to: keep startup probes"),
    pairs("env", "NAME=value"),
    list("filename", 'f', "Files that name the objects"),
    text("custom", ' ', "A file with fields of the container"),
    text("image-pull-policy", ' ', "When to pull the image"),
    text("profile", ' ', "What the debugging container may do").or("legacy"),
    switch("arguments-only", ' ', "What stands after -- are arguments"),
    switch("attach", ' ', "Wait for the container and attach to it"),
    switch("stdin", 'i', "Pass the keyboard on"),
    switch("tty", 't', "The keyboard is a terminal"),
    switch("quiet", 'q', "Print only what the program prints"),
    duration("pod-running-timeout", "1m0s", "How long to wait for the container"),
];

/// Where the debugging container runs.
struct Placed {
    namespace: String,
    pod: String,
    container: String,
}

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    let attaches = if args.given("attach") { args.is("attach") } else { args.is("stdin") };
    let finding = args.clone();
    let targets = cx.with(move |call| targets(call, &finding)).await?;
    for (kind, name) in targets {
        let making = args.clone();
        let placed = cx.with(move |call| place(call, &making, kind, &name)).await?;
        if attaches {
            let mut attached = args.clone();
            attached.put("container", placed.container);
            attach::follow(&cx, &attached, &placed.namespace, &placed.pod).await?;
        }
    }
    Ok(0)
}

/// The Pods and nodes that the line names.
fn targets(call: &mut Call, args: &Args) -> Result<Vec<(&'static Kind, String)>, Failure> {
    check(call, args)?;
    if let Some(target) = args.some_text("target")
        && !args.is("quiet")
    {
        call.io.line(format!(
            "Targeting container {target:?}. If you don't see processes from this container it may be because the \
             container runtime doesn't support this feature."
        ));
    }
    if args.text("profile") == "legacy" {
        call.io.err_line(
            "--profile=legacy is deprecated and will be removed in the future. It is recommended to explicitly specify a \
             profile, for example \"--profile=general\".",
        );
    }
    let mut targets = Vec::new();
    for word in args.before_dash() {
        targets.push(match resource::read(call.client, std::slice::from_ref(word)) {
            Ok(Named::Objects(objects)) if objects.len() == 1 => (objects[0].0, objects[0].1.clone()),
            Err(failure) if word.contains('/') => return Err(failure),
            _ => (Pod::row(), word.clone()),
        });
    }
    for manifest in manifest::read(call, args)? {
        targets.push((manifest.kind, manifest.name));
    }
    Ok(targets)
}

fn place(call: &mut Call, args: &Args, kind: &'static Kind, name: &str) -> Result<Placed, Failure> {
    let namespace = namespace(call, args);
    let object = resource::get(call, kind, &namespace, name)?.to_value();
    match kind.kind {
        "Node" => on_node(call, args, &namespace, name),
        "Pod" if args.given("copy-to") => copy(call, args, &namespace, object),
        "Pod" => beside(call, args, &namespace, object),
        other => {
            let version = crate::apply::version(kind);
            Err(Failure::error(format!("\"{version}, Kind={other}\" not supported by debug")))
        }
    }
}

/// Refuses flags that do not go together, and what no image, policy or profile is called.
fn check(call: &Call, args: &Args) -> Result<(), Failure> {
    let refuse = |why: String| Err(Failure::error(why));
    let (image, policy) = (args.text("image"), args.text("image-pull-policy"));
    profile::check(args.text("profile"))?;
    profile::custom(call, args)?;
    let sets_images = !args.all("set-image").is_empty();
    match args.some_text("copy-to") {
        Some(_) if image.is_empty() && !sets_images && args.after_dash().is_empty() => {
            return refuse("you must specify --image, --set-image or command arguments.".into());
        }
        Some(_) if image.is_empty() && !args.after_dash().is_empty() && args.some_text("container").is_none() => {
            return refuse("you must specify an existing container or a new image when specifying args.".into());
        }
        Some(_) => {}
        None if args.is("replace") => return refuse("--replace may only be used with --copy-to.".into()),
        None if args.is("same-node") => return refuse("--same-node may only be used with --copy-to.".into()),
        None if sets_images => return refuse("--set-image may only be used with --copy-to.".into()),
        None if image.is_empty() => return refuse("you must specify --image when not using --copy-to.".into()),
        None => {}
    }
    if !image.is_empty() && !super::run::is_reference(image) {
        return refuse(format!("invalid image name {image:?}: invalid reference format"));
    }
    if args.before_dash().is_empty() && args.all("filename").is_empty() {
        return refuse("NAME or filename is required for debug".into());
    }
    if !matches!(policy, "" | "Always" | "IfNotPresent" | "Never") {
        return refuse(format!("invalid image pull policy: {policy}"));
    }
    for change in args.all("set-image") {
        let (container, image) = change.split_once('=').unwrap_or((change, ""));
        if !super::run::is_reference(image) {
            return refuse(format!(
                "invalid image name {image:?} for container {container:?}: invalid reference format"
            ));
        }
    }
    if args.some_text("target").is_some() && args.some_text("copy-to").is_some() {
        return refuse("--target is incompatible with --copy-to. Use --share-processes instead.".into());
    }
    if args.is("tty") && !args.is("stdin") {
        return refuse("-i/--stdin is required for containers with -t/--tty=true".into());
    }
    Ok(())
}

/// The debugging container's name: the one that was asked for, or a new one.
fn container_name(call: &mut Call, args: &Args) -> String {
    if let Some(name) = args.some_text("container") {
        return name.to_owned();
    }
    let name = format!("debugger-{}", call.random_suffix());
    if !args.is("quiet") {
        call.io.line(format!("Defaulting debug container name to {name}."));
    }
    name
}

fn container(args: &Args, name: &str) -> Result<Value, Failure> {
    let mut container = json!({
        "name": name, "image": args.text("image"), "resources": {}, "terminationMessagePolicy": "File",
    });
    if let Some(policy) = args.some_text("image-pull-policy") {
        container["imagePullPolicy"] = policy.into();
    }
    for flag in ["stdin", "tty"].into_iter().filter(|flag| args.is(flag)) {
        container[flag] = true.into();
    }
    let mut env = Vec::new();
    for text in args.all("env") {
        let (name, value) = text.split_once('=').ok_or_else(|| Failure::error(format!("invalid env: {text}")))?;
        env.push(json!({ "name": name, "value": value }));
    }
    if !env.is_empty() {
        container["env"] = env.into();
    }
    command(args, &mut container);
    Ok(container)
}

/// What stands after `--` is what the container runs.
fn command(args: &Args, container: &mut Value) {
    if !args.after_dash().is_empty() {
        container[if args.is("arguments-only") { "args" } else { "command" }] = args.after_dash().into();
    }
}

/// An ephemeral container in the Pod itself.
fn beside(call: &mut Call, args: &Args, namespace: &str, mut pod: Value) -> Result<Placed, Failure> {
    const LIST: &str = "ephemeralContainers";
    let name = container_name(call, args);
    let mut container = container(args, &name)?;
    if let Some(target) = args.some_text("target") {
        container["targetContainerName"] = target.into();
    }
    let known = pod["spec"][LIST].as_array().into_iter().flatten();
    let names = known.map(|known| &known["name"]).chain([&container["name"]]);
    // What is new comes last.
    let order: Value = names.map(|name| json!({ "name": name })).collect();
    let mut alone = json!({ "spec": { LIST: [container] } });
    profile::apply(call, args, &mut alone, [LIST, &name], Style::Beside)?;
    profile::warn(call, &pod, &alone["spec"][LIST][0]);
    let value = json!({ "spec": { format!("$setElementOrder/{LIST}"): order, LIST: alone["spec"][LIST] } });
    let pod = pod["metadata"]["name"].take().as_str().unwrap_or_default().to_owned();
    let patch = Patch { kind: PatchKind::StrategicMerge, value };
    let request = Request::new::<Pod>(Verb::Patch, namespace, &pod).on(Subresource::EphemeralContainers).body(patch);
    call.request(request)?;
    Ok(Placed { namespace: namespace.into(), pod, container: name })
}

/// A copy of the Pod with a debugging container, or with other images.
fn copy(call: &mut Call, args: &Args, namespace: &str, pod: Value) -> Result<Placed, Failure> {
    const LIST: &str = "containers";
    let original = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let name = args.text("copy-to").to_owned();
    let mut copied = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name }, "spec": pod["spec"] });
    for field in ["labels", "annotations"] {
        if !pod["metadata"][field].is_null() {
            copied["metadata"][field] = pod["metadata"][field].clone();
        }
    }
    let spec = &mut copied["spec"];
    if let Some(fields) = spec.as_object_mut() {
        fields.remove("ephemeralContainers");
        if !args.is("same-node") {
            fields.remove("nodeName");
        }
    }
    if args.given("share-processes") {
        spec["shareProcessNamespace"] = args.is("share-processes").into();
    }
    for container in spec[LIST].as_array_mut().into_iter().flatten() {
        for change in args.all("set-image") {
            let (wanted, image) = change.split_once('=').unwrap_or((change, ""));
            if wanted == "*" || container["name"] == wanted {
                container["image"] = image.into();
            }
        }
    }
    let mut containers = spec[LIST].as_array_mut().into_iter().flatten();
    let known = args.some_text("container").and_then(|name| containers.find(|container| container["name"] == name));
    let container = match known {
        Some(known) => {
            if !args.text("image").is_empty() {
                known["image"] = args.text("image").into();
            }
            command(args, known);
            args.text("container").to_owned()
        }
        None if args.text("image").is_empty() => spec[LIST][0]["name"].as_str().unwrap_or_default().to_owned(),
        None => {
            let name = container_name(call, args);
            let container = container(args, &name)?;
            spec[LIST].as_array_mut().into_iter().for_each(|list| list.push(container.clone()));
            name
        }
    };
    profile::apply(call, args, &mut copied, [LIST, &container], Style::Copy)?;
    let debugged = profile::container(&mut copied, LIST, &container).clone();
    profile::warn(call, &copied, &debugged);
    if args.is("replace") {
        call.request(Request::new::<Pod>(Verb::Delete, namespace, &original))?;
    }
    create(call, namespace, copied)?;
    Ok(Placed { namespace: namespace.into(), pod: name, container })
}

/// A Pod on the node that sees what the profile lets it see.
fn on_node(call: &mut Call, args: &Args, namespace: &str, node: &str) -> Result<Placed, Failure> {
    let container_name = args.some_text("container").unwrap_or("debugger").to_owned();
    let name = format!("node-debugger-{node}-{}", call.random_suffix());
    if !args.is("quiet") {
        call.io.line(format!("Creating debugging pod {name} with container {container_name} on node {node}."));
    }
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": { "app.kubernetes.io/managed-by": "kubectl-debug" } },
        "spec": {
            "nodeName": node, "restartPolicy": "Never", "containers": [container(args, &container_name)?],
            "tolerations": [{ "operator": "Exists" }],
        },
    });
    profile::apply(call, args, &mut pod, ["containers", &container_name], Style::Node)?;
    create(call, namespace, pod)?;
    Ok(Placed { namespace: namespace.into(), pod: name, container: container_name })
}

fn create(call: &mut Call, namespace: &str, pod: Value) -> Result<(), Failure> {
    let mut request = Request::new::<Pod>(Verb::Create, namespace, "").body(pod);
    request.options.field_manager = "kubectl-debug".into();
    call.request(request)?;
    Ok(())
}
