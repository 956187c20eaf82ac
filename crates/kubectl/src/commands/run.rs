//! `kubectl run`

use api::types::Pod;
use api::validate::env_var_name;
use serde_json::{Value, json};

use super::attach;
use super::create::{self, Made};
use super::expose::pairs;
use super::namespace;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, duration, int, on_by_default, switch, text};
use crate::task::{Call, Cx};

pub(super) static FLAGS: &[Flag] = &[
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-run"),
    text("image", ' ', "The image to run"),
    text("image-pull-policy", ' ', "Always, IfNotPresent or Never"),
    array("env", ' ', "NAME=value"),
    text("labels", 'l', "Labels of the Pod"),
    array("annotations", ' ', "Annotations of the Pod"),
    text("port", ' ', "The port that the container exposes"),
    text("restart", ' ', "Always, OnFailure or Never").or("Always"),
    switch("command", ' ', "The words after -- are the command, not its arguments"),
    switch("expose", ' ', "Make a service too"),
    switch("stdin", 'i', "Pass the keyboard on"),
    switch("tty", 't', "The keyboard is a terminal"),
    switch("rm", ' ', "Delete the Pod afterwards"),
    switch("attach", ' ', "Wait for the Pod and attach to it"),
    switch("quiet", 'q', "Print only what the program prints"),
    text("overrides", ' ', "JSON to merge into the Pod"),
    text("override-type", ' ', "merge, strategic or json").or("merge"),
    switch("privileged", ' ', "Run the container with privileges"),
    on_by_default("wait", "Wait until deletions are done"),
    int("grace-period", ' ', "-1", "Seconds that the Pod has to end by itself"),
    duration("pod-running-timeout", "1m0s", "How long to wait for the Pod"),
    duration("timeout", "0s", "How long to wait for a deletion"),
    text("cascade", ' ', "background, orphan or foreground").or("background").alone("background"),
    switch("force", ' ', "Delete at once"),
    switch("leave-stdin-open", ' ', "Keep the keyboard open"),
];

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    let attaches = args.is("stdin") || args.is("attach") || args.is("tty");
    let making = args.clone();
    let (outcome, space, name) = cx
        .with(move |call| {
            let space = namespace(call, &making);
            let name = making.operands.first().cloned().unwrap_or_default();
            (make(call, &making, attaches), space, name)
        })
        .await;
    let code = outcome?;
    if !attaches || code != 0 || super::apply::DryRun::read(&args)? != super::apply::DryRun::None {
        return Ok(code);
    }
    let result = attach::follow(&cx, &args, &space, &name).await;
    if args.is("rm") {
        let pod = name.clone();
        let deleted =
            cx.with(move |call| call.client.delete::<Pod>(&space, &pod, client::DeleteOptions::default())).await;
        if deleted.is_ok() {
            cx.out(format!("pod {name:?} deleted\n")).await;
        }
    }
    result
}

fn make(call: &mut Call, args: &Args, attaches: bool) -> Outcome {
    if attaches && args.given("dry-run") && !matches!(args.text("dry-run"), "none" | "false") {
        return Err(Failure::usage(
            "kubectl run",
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
        ));
    }
    let name = match args.before_dash() {
        [] => {
            create::require(args, &["image"])?;
            return Err(Failure::usage("kubectl run", "NAME is required for run"));
        }
        [name, ..] => name.clone(),
    };
    create::require(args, &["image"])?;
    let image = args.some_text("image").ok_or_else(|| Failure::error("--image is required"))?;
    if !is_reference(image) {
        return Err(Failure::error(format!("Invalid image name {image:?}: invalid reference format")));
    }
    if args.is("tty") && !args.is("stdin") {
        return Err(Failure::usage("kubectl run", "-i/--stdin is required for containers with -t/--tty=true"));
    }
    let policy = args.text("image-pull-policy");
    if !matches!(policy, "" | "Always" | "IfNotPresent" | "Never") {
        return Err(Failure::usage("kubectl run", format!("invalid image pull policy: {policy}")));
    }
    let restart = args.text("restart");
    if !matches!(restart, "Always" | "OnFailure" | "Never") {
        return Err(Failure::usage("kubectl run", format!("invalid restart policy: {restart}")));
    }
    if args.is("rm") && !attaches {
        return Err(Failure::usage("kubectl run", "--rm should only be used for attached containers"));
    }
    if args.is("expose") && args.some_text("port").is_none() {
        return Err(Failure::usage("kubectl run", "--port must be set when exposing a service"));
    }
    let mut container = json!({ "name": name, "image": image, "resources": {} });
    let mut words = args.before_dash()[1..].to_vec();
    words.extend(args.after_dash().iter().cloned());
    if !words.is_empty() {
        container[if args.is("command") { "command" } else { "args" }] = words.into();
    }
    let mut env = Vec::new();
    for text in args.all("env") {
        let refuse = || Failure::error(format!("invalid env: {text}"));
        let (key, value) = text.split_once('=').filter(|(key, _)| env_var_name(key).is_empty()).ok_or_else(refuse)?;
        env.push(match value {
            "" => json!({ "name": key }),
            value => json!({ "name": key, "value": value }),
        });
    }
    if !env.is_empty() {
        container["env"] = env.into();
    }
    if let Some(port) = args.some_text("port") {
        let number: i64 =
            port.parse().map_err(|_| Failure::error(format!("strconv.Atoi: parsing {port:?}: invalid syntax")))?;
        container["ports"] = json!([{ "containerPort": number }]);
    }
    if let Some(policy) = args.some_text("image-pull-policy") {
        container["imagePullPolicy"] = policy.into();
    }
    if args.is("privileged") {
        container["securityContext"] = json!({ "privileged": true });
    }
    for (flag, fields) in [("stdin", &["stdin", "stdinOnce"][..]), ("tty", &["tty"][..])] {
        if args.is(flag) {
            fields.iter().for_each(|field| container[*field] = true.into());
        }
    }
    let labels = match args.some_text("labels") {
        Some(text) => Value::from(pairs(text)?),
        None => json!({ "run": name }),
    };
    let mut value = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "creationTimestamp": null, "name": name, "labels": labels },
        "spec": { "containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart },
        "status": {},
    });
    for text in args.all("annotations") {
        let refuse = || Failure::error(format!("invalid annotations format: {text}"));
        let (key, text) = text.split_once('=').ok_or_else(refuse)?;
        value["metadata"]["annotations"][key] = text.into();
    }
    value = overridden(args, value)?;
    // The Pod is made first, and printed last. With `-it` its output is what the user wants to see, not that it was
    // created.
    call.io.sinks.push(crate::shell::Sink { captures: true, ..Default::default() });
    let outcome = create::make(call, args, Made::new(value, ""));
    let printed = call.io.pop_sink();
    let code = outcome?;
    if args.is("expose") {
        let mut meta = json!({ "creationTimestamp": null, "name": name });
        if args.some_text("labels").is_some() {
            meta["labels"] = labels.clone();
        }
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": meta,
            "spec": {
                "ports": [{ "port": args.int("port"), "protocol": "TCP", "targetPort": args.int("port") }],
                "selector": labels,
            },
            "status": { "loadBalancer": {} },
        });
        create::make(call, args, Made::new(service, ""))?;
        if args.text("output") == "yaml" {
            call.io.out("---\n---\n");
        }
    }
    if !attaches || args.given("dry-run") {
        call.io.out(&printed);
    }
    Ok(code)
}

/// Whether an image can be called so: lower case within its path.
pub(super) fn is_reference(image: &str) -> bool {
    let (name, _digest) = image.split_once('@').unwrap_or((image, ""));
    let path = match name.rsplit_once('/') {
        Some((folder, last)) => format!("{folder}/{}", last.split(':').next().unwrap_or_default()),
        None => name.split(':').next().unwrap_or_default().to_owned(),
    };
    let (host, rest) = path.split_once('/').unwrap_or(("", &path));
    let is_host = host.contains(['.', ':']) || host == "localhost";
    let named = if is_host { rest } else { path.as_str() };
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '/');
    !image.contains(char::is_whitespace) && !named.is_empty() && named.chars().all(fits)
}

/// The object with what `--overrides` says, in the way that `--override-type` says.
pub(super) fn overridden(args: &Args, value: Value) -> Result<Value, Failure> {
    let kind = args.text("override-type");
    let Some(text) = args.some_text("overrides") else { return Ok(value) };
    if !matches!(kind, "merge" | "strategic" | "json") {
        return Err(Failure::error(format!("invalid override type: {kind}")));
    }
    let documents = api::yaml::parse_documents(text).ok();
    let patch = documents.and_then(|documents| documents.into_iter().next()).map(|document| document.value);
    let patch = patch.filter(|patch| patch.is_object() || patch.is_array());
    let patch = patch.ok_or_else(|| Failure::error("Invalid JSON Patch"))?;
    let (api_version, name) = (value["apiVersion"].as_str(), value["kind"].as_str());
    let row = api::kinds::by_kind(api_version.unwrap_or_default(), name.unwrap_or_default());
    let mut patched = match (kind, row) {
        ("json", _) => api::patch::json(value, &patch)?,
        ("strategic", Some(row)) => api::patch::strategic(row, value, patch)?,
        _ => api::patch::merge(value, patch),
    };
    // Upstream reads it into structs, which have resources.
    let containers = patched.pointer_mut("/spec/containers").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        if let Some(fields) = container.as_object_mut() {
            fields.entry("resources").or_insert_with(|| json!({}));
        }
    }
    Ok(patched)
}
