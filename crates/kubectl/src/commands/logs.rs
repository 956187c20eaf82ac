//! `kubectl logs`

use api::request::{LogOptions, Options, StreamId, Subresource, Verb};
use api::types::Pod;
use api::{Kinded, Request, Response, meta};

use super::namespace;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, duration, int, switch, text};
use crate::resource::{self, Named};
use crate::task::{Call, Cx};

pub(super) static FLAGS: &[Flag] = &[
    text("container", 'c', "The container"),
    switch("follow", 'f', "Stream what comes"),
    switch("previous", 'p', "The container that ran before"),
    switch("all-containers", ' ', "All containers of the Pod"),
    switch("all-pods", ' ', "All Pods of the object"),
    switch("timestamps", ' ', "Show when each line was written"),
    switch("prefix", ' ', "Show where each line comes from"),
    int("tail", ' ', "-1", "Lines to show from the end"),
    int("limit-bytes", ' ', "0", "Bytes to show"),
    duration("since", "0s", "Only what is newer"),
    text("since-time", ' ', "Only what is after this time"),
    text("selector", 'l', "Label selector"),
    int("max-log-requests", ' ', "5", "How many to follow at once"),
    switch("ignore-errors", ' ', "Go on after errors"),
    switch("insecure-skip-tls-verify-backend", ' ', "Do not check the kubelet"),
    duration("pod-running-timeout", "20s", "How long to wait for a Pod"),
];

/// Refuses flags that make no sense. Upstream looks for the Pods first.
fn check(args: &Args) -> Result<(), Failure> {
    if args.some_text("container").is_some() && args.operands.len() == 2 && !args.is("all-containers") {
        return Err(Failure::error("only one of -c or an inline [CONTAINER] arg is allowed"));
    }
    if args.duration("pod-running-timeout") == 0 {
        return Err(Failure::error("--pod-running-timeout must be higher than zero"));
    }
    if args.is("all-containers") && (args.some_text("container").is_some() || args.operands.len() == 2) {
        let name = args.some_text("container").or(args.operands.get(1).map(String::as_str)).unwrap_or_default();
        return Err(Failure::error(format!(
            "--all-containers=true should not be specified with container name {name}"
        )));
    }
    if args.int("tail") < -1 {
        return Err(Failure::error("--tail must be greater than or equal to -1"));
    }
    if args.int("limit-bytes") < 0 {
        return Err(Failure::error("--limit-bytes must be greater than 0"));
    }
    if args.text("since").starts_with('-') {
        return Err(Failure::error("--since must be greater than 0"));
    }
    if args.given("since") && args.given("since-time") {
        return Err(Failure::error("at most one of `sinceTime` or `sinceSeconds` may be specified"));
    }
    Ok(())
}

/// `--since-time` is read before anything else.
fn read_time(args: &Args) -> Result<(), Failure> {
    let Some(text) = args.some_text("since-time") else { return Ok(()) };
    let Some(why) = misread(text) else { return Ok(()) };
    let layout = if why.starts_with("cannot") { " as \"2006-01-02T15:04:05Z07:00\"" } else { "" };
    Err(Failure::error(format!("parsing time {text:?}{layout}: {why}")))
}

/// Why Go takes a text for no time of RFC 3339.
fn misread(text: &str) -> Option<String> {
    // The parts of Go's layout, what they are called, and how small and large they may be.
    const PARTS: [(&str, &str, [u32; 2]); 11] = [
        ("2006", "year", [0, 9999]),
        ("-", "", [0, 0]),
        ("01", "month", [1, 12]),
        ("-", "", [0, 0]),
        ("02", "day", [1, 31]),
        ("T", "", [0, 0]),
        ("15", "hour", [0, 23]),
        (":", "", [0, 0]),
        ("04", "minute", [0, 59]),
        (":", "", [0, 0]),
        ("05", "second", [0, 59]),
    ];
    let mut rest = text;
    for (part, name, [least, most]) in PARTS {
        let start = rest.get(..part.len()).unwrap_or_default();
        let number = start.bytes().all(|byte| byte.is_ascii_digit()).then(|| start.parse::<u32>().ok()).flatten();
        let fits = if part.len() == 1 { start == part } else { number.is_some() };
        if !fits {
            return Some(format!("cannot parse {rest:?} as {part:?}"));
        }
        if number.is_some_and(|number| number < least || number > most) {
            return Some(format!("{name} out of range"));
        }
        rest = &rest[part.len()..];
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|letter: char| letter.is_ascii_digit());
    }
    let is_zone = rest == "Z" || (rest.starts_with(['+', '-']) && rest.len() == 6 && rest.as_bytes()[3] == b':');
    if !is_zone {
        return Some(format!("cannot parse {rest:?} as \"Z07:00\""));
    }
    text.parse::<api::k8s_openapi::jiff::Timestamp>().is_err().then(|| "day out of range".into())
}

/// One container's log.
struct Source {
    pod: String,
    namespace: String,
    container: String,
    prefix: String,
}

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    if args.before_dash().len() > 2 {
        let usage = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\n\
                     POD or TYPE/NAME is a required argument for the logs command";
        return Err(Failure::usage("kubectl logs", usage));
    }
    read_time(&args)?;
    let follows = args.is("follow");
    let streams = cx.with(move |call| open(call, &args)).await?;
    if !follows {
        return Ok(0);
    }
    let mut open: Vec<(StreamId, String)> = streams;
    while !open.is_empty() {
        let mut left = Vec::new();
        for (stream, prefix) in open {
            let output = cx.with(move |call| call.client.stream_read(stream)).await;
            cx.out(prefixed(&output.stdout, &prefix)).await;
            match output.end {
                None => left.push((stream, prefix)),
                Some(Ok(_)) => cx.with(move |call| call.close_stream(stream)).await,
                Some(Err(status)) => return Err(status.into()),
            }
        }
        open = left;
        if !open.is_empty() {
            cx.tick(None).await;
        }
    }
    Ok(0)
}

fn prefixed(text: &str, prefix: &str) -> String {
    if prefix.is_empty() {
        return text.to_owned();
    }
    text.lines().map(|line| format!("{prefix}{line}\n")).collect()
}

/// Prints what there is; with `-f` returns the streams of what will come.
fn open(call: &mut Call, args: &Args) -> Result<Vec<(StreamId, String)>, Failure> {
    let mut streams = Vec::new();
    let sources = sources(call, args)?;
    let (wanted, most) = (sources.len(), args.int("max-log-requests"));
    if args.is("follow") && wanted as i64 > most {
        return Err(Failure::error(format!(
            "you are attempting to follow {wanted} log streams, but maximum allowed concurrency is {most}, use \
             --max-log-requests to increase the limit"
        )));
    }
    for source in sources {
        let mut request = Request::new::<Pod>(Verb::Get, &source.namespace, &source.pod).on(Subresource::Log);
        let selected = args.some_text("selector").is_some();
        // With a selector the default is the last ten lines.
        let tail = if selected && !args.given("tail") { 10 } else { args.int("tail") };
        request.options.log = LogOptions {
            container: source.container.clone(),
            follow: args.is("follow"),
            previous: args.is("previous"),
            since_seconds: args.given("since").then(|| (args.duration("since") / api::time::SECOND) as i64),
            tail_lines: (tail >= 0).then_some(tail),
            limit_bytes: (args.int("limit-bytes") > 0).then(|| args.int("limit-bytes")),
            timestamps: args.is("timestamps"),
        };
        match call.client.call(request) {
            Ok(Response::Text(text)) => {
                let text = prefixed(&text, &source.prefix);
                call.io.out(&text);
            }
            Ok(Response::Stream(stream)) => {
                call.keep_stream(stream);
                streams.push((stream, source.prefix));
            }
            Ok(_) => return Err(Failure::error("the server answered without a log")),
            Err(status) if args.is("ignore-errors") => call.io.line(format!("error: {}", status.message)),
            Err(status) => return Err(status.into()),
        }
    }
    Ok(streams)
}

fn sources(call: &mut Call, args: &Args) -> Result<Vec<Source>, Failure> {
    let space = namespace(call, args);
    let pods = pods(call, args, &space)?;
    check(args)?;
    let several_pods = pods.len() > 1;
    let mut sources = Vec::new();
    for pod in pods {
        let Some(pod) = pod.downcast_ref::<Pod>() else { continue };
        let name = pod.metadata.name.clone().unwrap_or_default();
        let containers = containers(call, args, pod, several_pods)?;
        let several = containers.len() > 1;
        for container in containers {
            let prefix = if args.is("prefix") || (several && several_pods && args.is("all-pods")) {
                format!("[pod/{name}/{container}] ")
            } else {
                String::new()
            };
            sources.push(Source { pod: name.clone(), namespace: space.clone(), container, prefix });
        }
    }
    Ok(sources)
}

/// The containers whose logs are meant: the named one, all, or the default.
fn containers(call: &mut Call, args: &Args, pod: &Pod, quiet: bool) -> Result<Vec<String>, Failure> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let Some(spec) = &pod.spec else { return Ok(Vec::new()) };
    let init: Vec<&str> = spec.init_containers.iter().flatten().map(|container| container.name.as_str()).collect();
    let main: Vec<&str> = spec.containers.iter().map(|container| container.name.as_str()).collect();
    if args.is("all-containers") {
        return Ok(init.into_iter().chain(main).map(str::to_owned).collect());
    }
    if let Some(container) = args.some_text("container").or(args.operands.get(1).map(String::as_str)) {
        if !init.contains(&container) && !main.contains(&container) {
            return Err(Failure::error(format!("container {container} is not valid for pod {name}")));
        }
        return Ok(vec![container.into()]);
    }
    let default = default_container(pod);
    if main.len() + init.len() > 1 && !quiet && meta::annotation(&pod.metadata, DEFAULT_CONTAINER).is_none() {
        let mut all = main.join(", ");
        if !init.is_empty() {
            all.push_str(&init.iter().map(|name| format!(", {name} (init)")).collect::<String>());
        }
        call.io.err_line(format!("Defaulted container {default:?} out of: {all}"));
    }
    Ok(vec![default])
}

/// The annotation that names the container to use when none is given.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

pub(super) fn default_container(pod: &Pod) -> String {
    let first = pod.spec.as_ref().and_then(|spec| spec.containers.first()).map(|container| container.name.as_str());
    meta::annotation(&pod.metadata, DEFAULT_CONTAINER).or(first).unwrap_or_default().to_owned()
}

fn pods(call: &mut Call, args: &Args, space: &str) -> Result<Vec<api::ObjectRef>, Failure> {
    if args.some_text("selector").is_some() {
        if !args.operands.is_empty() {
            return Err(Failure::usage("kubectl logs", "only a selector (-l) or a POD name is allowed"));
        }
        let (pods, _) = resource::list(call, Pod::row(), space, resource::selectors(args))?;
        if pods.is_empty() {
            call.io.err_line(format!("No resources found in {space} namespace."));
        }
        return Ok(pods);
    }
    let Some(word) = args.operands.first() else {
        return Err(Failure::usage(
            "kubectl logs",
            "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command",
        ));
    };
    let all = pods_of(call, space, word, "get the logs from").map_err(|failure| match failure {
        Failure::Status(status) if status.is_not_found() => {
            Failure::error(format!("error from server (NotFound): {} in namespace {space:?}", status.message))
        }
        other => other,
    })?;
    if all.len() > 1 && !args.is("all-pods") {
        let first = all[0].clone();
        call.io.err_line(format!("Found {} pods, using pod/{}", all.len(), first.name()));
        return Ok(vec![first]);
    }
    Ok(all)
}

/// The Pods of `NAME` or `TYPE/NAME`, those that run first. `what`: what is to be done with them.
pub(super) fn pods_of(call: &mut Call, space: &str, word: &str, what: &str) -> Result<Vec<api::ObjectRef>, Failure> {
    let (kind, name) = match resource::read(call.client, &[word.to_owned()]) {
        Ok(Named::Objects(objects)) if objects.len() == 1 => (objects[0].0, objects[0].1.clone()),
        _ if word.contains('/') => return resource::read(call.client, &[word.to_owned()]).map(|_| Vec::new()),
        _ => (Pod::row(), word.to_owned()),
    };
    let object = resource::get(call, kind, space, &name)?;
    if kind.kind == "Pod" {
        return Ok(vec![object]);
    }
    let value = object.to_value();
    if value["spec"]["selector"].is_null() {
        let of = format!("*{}.{}", kind.version, kind.kind);
        return Err(Failure::error(format!("cannot {what} {of}: selector for {of} not implemented")));
    }
    let selector = match kind.kind {
        "Service" | "ReplicationController" => {
            let labels = serde_json::from_value(value["spec"]["selector"].clone()).unwrap_or_default();
            api::selector::Selector::from_map(&labels)
        }
        _ => {
            let selector = api::decode::typed(value["spec"]["selector"].clone()).ok();
            api::selector::Selector::from_label_selector(selector.as_ref())
        }
    };
    let (mut pods, _) = resource::list(call, Pod::row(), space, Options::default())?;
    pods.retain(|pod| selector.matches(meta::labels(pod.meta())));
    if pods.is_empty() {
        return Err(Failure::error("timed out waiting for the condition"));
    }
    pods.sort_by_key(|pod| {
        let phase = pod.downcast_ref::<Pod>().and_then(|pod| pod.status.as_ref()?.phase.clone());
        (phase.as_deref() != Some("Running"), pod.name().to_owned())
    });
    Ok(pods)
}
