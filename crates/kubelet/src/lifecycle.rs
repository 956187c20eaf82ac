//! `postStart` and `preStop` hooks, and what they share with probes: handlers' ports and requests.

use api::SimTime;
use api::time::SECOND;
use api::types::{Container, HTTPGetAction, IntOrString, LifecycleHandler};
use runtime::{ContainerId, ExecId, ExecRequest, Outcome, Protocol, Request};

use crate::host::{ExecOwner, Host, PodId};
use crate::pod_worker::Sandbox;

/// A hook that has been started.
#[derive(Clone)]
pub enum Hook {
    Exec(ExecId),
    /// A request or a sleep, whose end is known.
    Until {
        at: SimTime,
        result: Result<(), String>,
    },
}

pub enum HookState {
    /// When to ask again, if no event will say.
    Running(Option<SimTime>),
    Done(Result<(), String>),
}

/// Starts a hook of a running container.
pub fn begin(
    host: &mut Host,
    now: SimTime,
    pod: PodId,
    sandbox: &Sandbox,
    id: ContainerId,
    container: &Container,
    handler: &LifecycleHandler,
) -> Hook {
    if let Some(exec) = &handler.exec {
        let request = ExecRequest { command: exec.command.clone().unwrap_or_default(), ..ExecRequest::default() };
        let started = host.runtime.exec(now, id, request);
        let hook = match started {
            Ok(exec) => {
                host.execs.insert(exec, ExecOwner::Hook(pod));
                Hook::Exec(exec)
            }
            Err(error) => Hook::Until { at: now, result: Err(error.to_string()) },
        };
        host.collect(now);
        return hook;
    }
    if let Some(http) = &handler.http_get {
        let Some(request) = http_request(http, container, &sandbox.ip) else {
            let result = Err(format!("invalid port for container {}", container.name));
            return Hook::Until { at: now, result };
        };
        let reply = host.runtime.serve(now, sandbox.id, &request);
        host.collect(now);
        let result = match failure(&reply.outcome, &request) {
            Some(text) => Err(text),
            None => Ok(()),
        };
        return Hook::Until { at: now + reply.latency_ns, result };
    }
    let seconds = handler.sleep.as_ref().map_or(0, |sleep| sleep.seconds.max(0) as u64);
    Hook::Until { at: now + seconds * SECOND, result: Ok(()) }
}

impl Hook {
    pub fn state(&self, host: &mut Host, now: SimTime) -> HookState {
        match self {
            Hook::Until { at, result } if now >= *at => HookState::Done(result.clone()),
            Hook::Until { at, .. } => HookState::Running(Some(*at)),
            Hook::Exec(id) => {
                let Some(result) = host.runtime.exec_result(*id) else {
                    return HookState::Done(Err("the command's container is gone".into()));
                };
                let Some(code) = result.exit_code else { return HookState::Running(None) };
                let output = [result.stdout.as_str(), &result.stderr].concat();
                host.runtime.close_exec(now, *id);
                host.execs.remove(id);
                HookState::Done(if code == 0 {
                    Ok(())
                } else {
                    Err(format!("command terminated with exit code {code}, message: {output:?}"))
                })
            }
        }
    }
}

/// A port by number or by its name in the container.
pub fn port(port: &IntOrString, container: &Container) -> Option<u16> {
    match port {
        IntOrString::Int(number) => u16::try_from(*number).ok(),
        IntOrString::String(name) => {
            let named = container.ports.iter().flatten().find(|port| port.name.as_deref() == Some(name));
            match named {
                Some(port) => u16::try_from(port.container_port).ok(),
                None => name.parse().ok(),
            }
        }
    }
}

/// The request of an `httpGet` handler; `None` when its port has no number.
pub fn http_request(action: &HTTPGetAction, container: &Container, ip: &str) -> Option<Request> {
    let host = action.host.as_deref().filter(|host| !host.is_empty()).unwrap_or(ip);
    let path = action.path.as_deref().unwrap_or_default();
    let path = if path.starts_with('/') { path.to_owned() } else { ["/", path].concat() };
    let mut request = Request::get(host, port(&action.port, container)?, &path);
    if action.scheme.as_deref() == Some("HTTPS") {
        request.protocol = Protocol::Https;
    }
    request.headers =
        action.http_headers.iter().flatten().map(|header| (header.name.clone(), header.value.clone())).collect();
    Some(request)
}

/// `http://10.244.1.5:80/healthz`
pub fn url(request: &Request) -> String {
    let scheme = if request.protocol == Protocol::Https { "https" } else { "http" };
    format!("{scheme}://{}:{}{}", request.host, request.port, request.path)
}

/// Go's error text when a request got no answer.
pub fn failure(outcome: &Outcome, request: &Request) -> Option<String> {
    let (host, port) = (&request.host, request.port);
    let why = match outcome {
        Outcome::Answered { .. } => return None,
        Outcome::Refused => format!("dial tcp {host}:{port}: connect: connection refused"),
        Outcome::TimedOut => "context deadline exceeded (Client.Timeout exceeded while awaiting headers)".into(),
        Outcome::Reset => format!("read tcp {host}:{port}: read: connection reset by peer"),
        Outcome::Unreachable => format!("dial tcp {host}:{port}: connect: no route to host"),
        Outcome::UnknownHost => format!("dial tcp: lookup {host}: no such host"),
    };
    Some(match request.protocol {
        Protocol::Http | Protocol::Https => format!("Get {:?}: {why}", url(request)),
        _ => why,
    })
}
