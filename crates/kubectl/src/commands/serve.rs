//! `kubectl port-forward`, `kubectl proxy`: what they shall do is read here; whoever runs the command has to do it.

use api::types::Pod;
use serde_json::Value;

use super::logs::pods_of;
use super::namespace;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, duration, go_reason, int, list, switch, text};
use crate::resource::{self, Named};
use crate::session::{Errand, Forward, Proxy};
use crate::task::{Call, Cx};

pub(super) static FORWARD_FLAGS: &[Flag] = &[
    list("address", ' ', "Addresses to listen on").or("localhost"),
    duration("pod-running-timeout", "1m0s", "How long to wait for a Pod"),
];

pub(super) static PROXY_FLAGS: &[Flag] = &[
    int("port", 'p', "8001", "The port to listen on; 0 takes a free one"),
    text("address", ' ', "The address to listen on").or("127.0.0.1"),
    text("api-prefix", ' ', "The prefix of the API's paths").or("/"),
    text("www", 'w', "A folder whose files are served too"),
    text("www-prefix", 'P', "The prefix of those files' paths").or("/static/"),
    text("accept-hosts", ' ', "Hosts that may be asked for").or(ACCEPTED_HOSTS),
    text("accept-paths", ' ', "Paths that may be asked for").or("^.*"),
    text("reject-paths", ' ', "Paths that may not").or(REJECTED_PATHS),
    text("reject-methods", ' ', "Methods that may not be used").or("^$"),
    text("unix-socket", 'u', "A socket to listen on"),
    switch("disable-filter", ' ', "Let every request through"),
    switch("append-server-path", ' ', "Append the server's path"),
    duration("keepalive", "0s", "How long idle connections are kept"),
];

const ACCEPTED_HOSTS: &str = "^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$";
const REJECTED_PATHS: &str = "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach";

const NO_PORTS: &str = "port-forward opens a port of your own computer, which a page cannot: try `kubectl exec` or `kubectl run \
                        -it --rm --image=busybox -- wget -qO- SERVICE` instead";

pub(super) async fn port_forward(cx: Cx, args: Args) -> Outcome {
    if args.operands.len() < 2 {
        return Err(Failure::usage(
            "kubectl port-forward",
            "TYPE/NAME and list of ports are required for port-forward",
        ));
    }
    let forward = cx.with(move |call| read_forward(call, &args)).await?;
    serve(cx, Errand::Forward(forward), NO_PORTS).await
}

pub(super) async fn proxy(cx: Cx, args: Args) -> Outcome {
    let Ok(port) = u16::try_from(args.int("port")) else {
        return Err(Failure::error(format!("listen tcp: address {}: invalid port", args.text("port"))));
    };
    let patterns = |flag: &str| match args.is("disable-filter") {
        true => Vec::new(),
        false => args.text(flag).split(',').map(str::to_owned).collect(),
    };
    let proxy = Proxy {
        address: args.text("address").into(),
        port,
        prefix: args.text("api-prefix").trim_end_matches('/').into(),
        accepted_hosts: patterns("accept-hosts"),
        rejected_paths: patterns("reject-paths"),
    };
    serve(cx, Errand::Proxy(proxy), "proxy is not simulated in this page").await
}

async fn serve(cx: Cx, errand: Errand, refusal: &'static str) -> Outcome {
    match cx.with(|call| call.state.files.are_on_disk()).await {
        true => hand_over(cx, errand).await,
        false => Err(Failure::error(refusal)),
    }
}

/// Leaves the rest to the program, and never ends by itself.
pub(super) async fn hand_over(cx: Cx, errand: Errand) -> Outcome {
    cx.with(move |call| call.io.errand = Some(errand)).await;
    loop {
        cx.pause(None).await;
    }
}

fn read_forward(call: &mut Call, args: &Args) -> Result<Forward, Failure> {
    let space = namespace(call, args);
    let (word, ports) = (&args.operands[0], &args.operands[1..]);
    if !call.state.files.are_on_disk() {
        return Err(Failure::error(NO_PORTS));
    }
    let pods = pods_of(call, &space, word, "attach to")?;
    let pod = pods.first().cloned().ok_or_else(|| Failure::error("no pods found"))?;
    let service = match resource::read(call.client, std::slice::from_ref(word)) {
        Ok(Named::Objects(objects)) if objects.first().is_some_and(|(kind, _)| kind.kind == "Service") => {
            Some(resource::get(call, objects[0].0, &space, &objects[0].1)?.to_value())
        }
        _ => None,
    };
    let value = pod.to_value();
    let mut pairs = Vec::new();
    for port in ports {
        let parts: Vec<&str> = port.split(':').collect();
        let (local, remote) = match parts.as_slice() {
            [local, remote] => (*local, *remote),
            _ => (parts[0], parts[0]),
        };
        let target = match &service {
            Some(service) => of_service(service, &value, remote)?,
            None if remote.parse::<i64>().is_ok() => remote.to_owned(),
            None => of_pod(&value, remote)?,
        };
        let is_same = parts.len() != 2 || local == remote;
        let local = if is_same && service.is_none() { target.clone() } else { local.to_owned() };
        pairs.push((local, target, port.clone()));
    }
    let phase = pod.downcast_ref::<Pod>().and_then(|pod| pod.status.as_ref()?.phase.clone()).unwrap_or_default();
    if phase != "Running" {
        return Err(Failure::error(format!(
            "unable to forward port because pod is not running. Current status={phase}"
        )));
    }
    let ports = pairs.iter().map(|(local, remote, port)| numbers(local, remote, port)).collect::<Result<_, _>>()?;
    let mut addresses = args.all("address").to_vec();
    if addresses.is_empty() {
        addresses.push("localhost".into());
    }
    if let Some(bad) = addresses.iter().find(|name| *name != "localhost" && name.parse::<std::net::IpAddr>().is_err()) {
        return Err(Failure::error(format!("{bad} is not a valid IP")));
    }
    Ok(Forward { namespace: space, pod: pod.name().to_owned(), ports, addresses })
}

/// A pair of ports as numbers. A local port of 0 is any that is free.
fn numbers(local: &str, remote: &str, port: &str) -> Result<(u16, u16), Failure> {
    if port.matches(':').count() > 1 {
        return Err(Failure::error(format!("invalid port format '{port}'")));
    }
    let read = |what: &str, text: &str| match text {
        "" if what == "local" => Ok(0),
        text => text.parse::<u16>().map_err(|error| {
            let why = go_reason(&error);
            Failure::error(format!("error parsing {what} port '{text}': strconv.ParseUint: parsing {text:?}: {why}"))
        }),
    };
    let pair = (read("local", local)?, read("remote", remote)?);
    if pair.1 == 0 {
        return Err(Failure::error("remote port must be > 0"));
    }
    Ok(pair)
}

/// The number of a port that one of the Pod's containers has a name for.
fn of_pod(pod: &Value, name: &str) -> Result<String, Failure> {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let mut ports = containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
    let found = ports.find(|port| port["name"] == name && !name.is_empty());
    found.map(|port| port["containerPort"].to_string()).ok_or_else(|| {
        let pod = pod["metadata"]["name"].as_str().unwrap_or_default();
        Failure::error(format!("Pod '{pod}' does not have a named port '{name}'"))
    })
}

/// The Pod's port behind a port of a Service.
fn of_service(service: &Value, pod: &Value, wanted: &str) -> Result<String, Failure> {
    let name = service["metadata"]["name"].as_str().unwrap_or_default();
    let mut ports = service["spec"]["ports"].as_array().into_iter().flatten();
    let found = match wanted.parse::<i64>() {
        Ok(number) => ports
            .find(|port| port["port"] == number)
            .ok_or_else(|| Failure::error(format!("Service {name} does not have a service port {number}")))?,
        Err(_) => ports
            .find(|port| port["name"] == wanted)
            .ok_or_else(|| Failure::error(format!("Service '{name}' does not have a named port '{wanted}'")))?,
    };
    if service["spec"]["clusterIP"] == "None" {
        return Ok(found["port"].to_string());
    }
    match &found["targetPort"] {
        Value::String(named) => of_pod(pod, named),
        Value::Number(number) => Ok(number.to_string()),
        _ => Ok(found["port"].to_string()),
    }
}
