//! `kubectl run`

use api::types::Pod;
use serde_json::{Value, json};

use super::attach;
use super::create::{self, Made};
use super::expose::pairs;
use super::namespace;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, duration, int, on_by_default, switch, text};
use crate::task::{Call, Cx};

pub(super) static FLAGS: &[Flag] = &[
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
    let image = args.some_text("image").ok_or_else(|| Failure::error("required flag(s) \"image\" not set"))?;
    if image.contains(char::is_whitespace) {
        return Err(Failure::error(format!("Invalid image name {image:?}: invalid reference format")));
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
        let (key, value) = text.split_once('=').ok_or_else(|| Failure::error(format!("invalid env: {text}")))?;
        env.push(json!({ "name": key, "value": value }));
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
        let (key, text) = text.split_once('=').unwrap_or((text, ""));
        value["metadata"]["annotations"][key] = text.into();
    }
    if let Some(text) = args.some_text("overrides") {
        let patch: Value = serde_json::from_str(text).map_err(|_| Failure::error("Invalid JSON Patch"))?;
        value = api::patch::merge(value, patch);
    }
    if args.is("expose") {
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "creationTimestamp": null, "name": name },
            "spec": {
                "ports": [{ "port": args.int("port"), "protocol": "TCP", "targetPort": args.int("port") }],
                "selector": labels,
            },
            "status": { "loadBalancer": {} },
        });
        let prints_yaml = args.text("output") == "yaml";
        create::make(call, args, Made { value: service, refused: "" })?;
        if prints_yaml {
            call.io.out("---\n---\n");
        }
    }
    // With `-it` the Pod's output is what the user wants to see, not that it was created.
    if attaches && !args.given("dry-run") {
        call.io.sinks.push(crate::shell::Sink { captures: true, ..Default::default() });
        let outcome = create::make(call, args, Made { value, refused: "" });
        call.io.pop_sink();
        return outcome;
    }
    create::make(call, args, Made { value, refused: "" })
}
