//! `kubectl debug`: an ephemeral container, a changed copy of a Pod, or a Pod on a node.

use api::request::{Subresource, Verb};
use api::types::Pod;
use api::{Kinded, Patch, PatchKind, Request};
use serde_json::{Value, json};

use super::{attach, namespace};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, duration, list, on_by_default, switch, text};
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
    list("set-image", ' ', "With --copy-to: container=image"),
    switch("keep-labels", ' ', "With --copy-to: keep the labels"),
    array("env", ' ', "NAME=value"),
    text("image-pull-policy", ' ', "When to pull the image"),
    text("profile", ' ', "What the debugging container may do"),
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
    let making = args.clone();
    let placed = cx.with(move |call| place(call, &making)).await?;
    if !attaches {
        return Ok(0);
    }
    let mut attached = args;
    attached.put("container", placed.container);
    attach::follow(&cx, &attached, &placed.namespace, &placed.pod).await
}

fn place(call: &mut Call, args: &Args) -> Result<Placed, Failure> {
    let image = args.text("image");
    let sets_images = !args.all("set-image").is_empty();
    match args.some_text("copy-to") {
        None if image.is_empty() => return Err(Failure::error("you must specify --image when not using --copy-to.")),
        None if sets_images => return Err(Failure::error("--set-image may only be used with --copy-to.")),
        Some(_) if image.is_empty() && !sets_images && !args.given("container") => {
            return Err(Failure::error("you must specify --image, --set-image or command arguments."));
        }
        _ => {}
    }
    let Some(word) = args.before_dash().first() else { return Err(resource::no_resources()) };
    check(args)?;
    if matches!(args.text("profile"), "" | "legacy") {
        call.io.err_line(
            "--profile=legacy is deprecated and will be removed in the future. It is recommended to explicitly specify a \
             profile, for example \"--profile=general\".",
        );
    }
    let (kind, name) = match resource::read(call.client, std::slice::from_ref(word)) {
        Ok(Named::Objects(objects)) if objects.len() == 1 => (objects[0].0, objects[0].1.clone()),
        Err(failure) if word.contains('/') => return Err(failure),
        _ => (Pod::row(), word.clone()),
    };
    let namespace = namespace(call, args);
    let object = resource::get(call, kind, &namespace, &name)?.to_value();
    match kind.kind {
        "Node" => on_node(call, args, &namespace, &name),
        "Pod" if args.given("copy-to") => copy(call, args, &namespace, object),
        "Pod" => beside(call, args, &namespace, &object),
        other => {
            let version = crate::apply::version(kind);
            Err(Failure::error(format!("\"{version}, Kind={other}\" not supported by debug")))
        }
    }
}

/// Refuses flags that do not go together, and what no image, policy or profile is called.
fn check(args: &Args) -> Result<(), Failure> {
    const PROFILES: [&str; 7] = ["", "legacy", "general", "baseline", "netadmin", "restricted", "sysadmin"];
    let refuse = |why: String| Err(Failure::error(why));
    let copies = args.some_text("copy-to").is_some();
    let (image, policy, profile) = (args.text("image"), args.text("image-pull-policy"), args.text("profile"));
    if args.is("replace") && !copies {
        return refuse("--replace may only be used with --copy-to.".into());
    }
    if args.some_text("target").is_some() && copies {
        return refuse("--target is incompatible with --copy-to. Use --share-processes instead.".into());
    }
    if !image.is_empty() && !super::run::is_reference(image) {
        return refuse(format!("invalid image name {image:?}: invalid reference format"));
    }
    if !matches!(policy, "" | "Always" | "IfNotPresent" | "Never") {
        return refuse(format!("invalid image pull policy: {policy}"));
    }
    match PROFILES.contains(&profile) {
        true => Ok(()),
        false => refuse(format!("unknown profile: {profile}")),
    }
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
fn beside(call: &mut Call, args: &Args, namespace: &str, pod: &Value) -> Result<Placed, Failure> {
    if let Some(target) = args.some_text("target")
        && !args.is("quiet")
    {
        call.io.line(format!(
            "Targeting container {target:?}. If you don't see processes from this container it may be because the \
             container runtime doesn't support this feature."
        ));
    }
    let name = container_name(call, args);
    let mut container = container(args, &name)?;
    if let Some(target) = args.some_text("target") {
        container["targetContainerName"] = target.into();
    }
    let known = pod["spec"]["ephemeralContainers"].as_array().into_iter().flatten();
    let names = known.map(|known| &known["name"]).chain([&container["name"]]);
    // What is new comes last.
    let order: Value = names.map(|name| json!({ "name": name })).collect();
    let value = json!({
        "spec": { "$setElementOrder/ephemeralContainers": order, "ephemeralContainers": [container] },
    });
    let pod = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let patch = Patch { kind: PatchKind::StrategicMerge, value };
    let request = Request::new::<Pod>(Verb::Patch, namespace, &pod).on(Subresource::EphemeralContainers).body(patch);
    call.request(request)?;
    Ok(Placed { namespace: namespace.into(), pod, container: name })
}

/// A copy of the Pod with a debugging container, or with other images.
fn copy(call: &mut Call, args: &Args, namespace: &str, pod: Value) -> Result<Placed, Failure> {
    let original = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let name = args.text("copy-to").to_owned();
    let mut copied = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name }, "spec": pod["spec"] });
    if args.is("keep-labels") {
        copied["metadata"]["labels"] = pod["metadata"]["labels"].clone();
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
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            container.as_object_mut().map(|fields| fields.remove(probe));
        }
        for change in args.all("set-image") {
            let (wanted, image) = change.split_once('=').unwrap_or((change, ""));
            if wanted == "*" || container["name"] == wanted {
                container["image"] = image.into();
            }
        }
    }
    let mut containers = spec["containers"].as_array_mut().into_iter().flatten();
    let known = args.some_text("container").and_then(|name| containers.find(|container| container["name"] == name));
    let container = match known {
        Some(known) => {
            if !args.text("image").is_empty() {
                known["image"] = args.text("image").into();
            }
            command(args, known);
            args.text("container").to_owned()
        }
        None if args.text("image").is_empty() => spec["containers"][0]["name"].as_str().unwrap_or_default().to_owned(),
        None => {
            let name = container_name(call, args);
            let container = container(args, &name)?;
            spec["containers"].as_array_mut().into_iter().for_each(|list| list.push(container.clone()));
            name
        }
    };
    if args.is("replace") {
        call.request(Request::new::<Pod>(Verb::Delete, namespace, &original))?;
    }
    create(call, namespace, copied)?;
    Ok(Placed { namespace: namespace.into(), pod: name, container })
}

/// A Pod on the node that sees its processes, network and files.
fn on_node(call: &mut Call, args: &Args, namespace: &str, node: &str) -> Result<Placed, Failure> {
    let container_name = args.some_text("container").unwrap_or("debugger").to_owned();
    let name = format!("node-debugger-{node}-{}", call.random_suffix());
    if !args.is("quiet") {
        call.io.line(format!("Creating debugging pod {name} with container {container_name} on node {node}."));
    }
    let mut container = container(args, &container_name)?;
    container["volumeMounts"] = json!([{ "name": "host-root", "mountPath": "/host" }]);
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": { "app.kubernetes.io/managed-by": "kubectl-debug" } },
        "spec": {
            "nodeName": node, "restartPolicy": "Never", "hostIPC": true, "hostNetwork": true, "hostPID": true,
            "containers": [container], "tolerations": [{ "operator": "Exists" }],
            "volumes": [{ "name": "host-root", "hostPath": { "path": "/" } }],
        },
    });
    create(call, namespace, pod)?;
    Ok(Placed { namespace: namespace.into(), pod: name, container: container_name })
}

fn create(call: &mut Call, namespace: &str, pod: Value) -> Result<(), Failure> {
    let mut request = Request::new::<Pod>(Verb::Create, namespace, "").body(pod);
    request.options.field_manager = "kubectl-debug".into();
    call.request(request)?;
    Ok(())
}
