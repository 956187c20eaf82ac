//! Apps that call others before they answer.

use crate::images::Image;
use crate::images::spec::{Behaviour, Dependency};
use crate::node::Settings;
use crate::{Call, Outcome, Protocol, Reply, Request, SECOND};

/// The calls that a request leads to.
pub fn calls(
    behaviour: &Behaviour,
    request: &Request,
    settings: &Settings,
    env: &dyn Fn(&str) -> Option<String>,
) -> Vec<Call> {
    let mut calls: Vec<Call> = settings.calls.iter().filter_map(|target| declared_call(target)).collect();
    match behaviour {
        Behaviour::App { routes, .. } => {
            let fitting = routes.iter().filter(|route| request.path.starts_with(route.prefix));
            let dependencies = fitting.max_by_key(|route| route.prefix.len()).map_or(&[][..], |route| route.calls);
            calls.extend(dependencies.iter().filter_map(|dependency| call_of(dependency, request, env)));
        }
        Behaviour::Redis => calls.extend(leader_call(request, env)),
        _ => {}
    }
    calls
}

const TIMEOUT_NS: u64 = 5 * SECOND;

fn declared_call(target: &str) -> Option<Call> {
    let target = target.trim().trim_start_matches("http://");
    if target.is_empty() {
        return None;
    }
    let (authority, path) = target.split_once('/').unwrap_or((target, ""));
    let (host, port) = authority.split_once(':').map_or((authority, 80), |(h, p)| (h, p.parse().unwrap_or(80)));
    let request = Request::get(host, port, &format!("/{path}"));
    Some(Call { request, required: true, timeout_ns: TIMEOUT_NS })
}

fn call_of(dependency: &Dependency, request: &Request, env: &dyn Fn(&str) -> Option<String>) -> Option<Call> {
    let configured = env(dependency.variable).filter(|value| !value.is_empty());
    let target = configured.unwrap_or_else(|| dependency.host.to_owned());
    if target.is_empty() {
        return None;
    }
    let (host, port) = match target.split_once(':') {
        Some((host, port)) => (host, port.parse().unwrap_or(dependency.port)),
        None => (target.as_str(), dependency.port),
    };
    let parameter = |name: &str| request.query(name).unwrap_or_default();
    let what = dependency.what.replace("{key}", &parameter("key")).replace("{value}", &parameter("value"));
    let call = match dependency.protocol {
        Protocol::Tcp => Request::tcp(host, port, &what),
        protocol => Request { path: what, method: "POST".to_owned(), ..Request::new(protocol, host, port) },
    };
    Some(Call { request: call, required: dependency.required, timeout_ns: TIMEOUT_NS })
}

/// A redis follower reads through to its leader.
fn leader_call(request: &Request, env: &dyn Fn(&str) -> Option<String>) -> Option<Call> {
    let leader = env("TABERNETES_REDIS_LEADER")?;
    let host = env("REDIS_LEADER_SERVICE_HOST").unwrap_or(leader);
    let reads = request.body.to_ascii_uppercase().starts_with("GET");
    reads.then(|| Call { request: Request::tcp(&host, 6379, &request.body), required: true, timeout_ns: TIMEOUT_NS })
}

/// The final reply.
pub fn complete(image: &Image, request: &Request, mut reply: Reply, outcomes: &[Outcome]) -> Reply {
    let calls = std::mem::take(&mut reply.downstream);
    let failed = calls.iter().zip(outcomes).find(|(call, outcome)| call.required && !outcome.is_success());
    if let Some((call, outcome)) = failed {
        reply.outcome = failure(image, call, outcome);
        return reply;
    }
    match image.spec.behaviour {
        Behaviour::Files { .. } => {
            reply.outcome = match outcomes.last() {
                Some(answer @ Outcome::Answered { .. }) => answer.clone(),
                Some(Outcome::TimedOut) => Outcome::answer(504, "<h1>504 Gateway Time-out</h1>\n"),
                _ => Outcome::answer(502, "<h1>502 Bad Gateway</h1>\n"),
            };
        }
        Behaviour::Redis => reply.outcome = outcomes.first().cloned().unwrap_or(reply.outcome),
        Behaviour::App { .. } if request.path.starts_with("/guestbook.php") => {
            let data = outcomes.first().map_or("", Outcome::body);
            let body = match request.query("cmd").as_deref() {
                Some("set") => "{\"message\": \"Updated\"}".to_owned(),
                _ => format!("{{\"data\": \"{}\"}}", data.replace('"', "\\\"")),
            };
            reply.outcome = Outcome::answer(200, body);
        }
        _ => {}
    }
    reply
}

fn failure(image: &Image, call: &Call, outcome: &Outcome) -> Outcome {
    let Request { host, port, .. } = &call.request;
    let reason = match outcome {
        Outcome::Answered { status, .. } => format!("status {status}"),
        Outcome::Refused => "connection refused".to_owned(),
        Outcome::TimedOut => "i/o timeout".to_owned(),
        Outcome::Reset => "connection reset by peer".to_owned(),
        Outcome::Unreachable => "no route to host".to_owned(),
        Outcome::UnknownHost => format!("lookup {host}: no such host"),
    };
    if image.reference.contains("wordpress") {
        return Outcome::answer(500, "<h1>Error establishing a database connection</h1>\n");
    }
    Outcome::answer(500, format!("could not call {host}:{port}: {reason}\n"))
}
