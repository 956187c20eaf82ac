//! Containers from the outside: lifecycle, shell scripts, servers.

mod lifecycle;
mod scripts;
mod servers;

use crate::*;

/// A node that pulls instantly.
pub fn node() -> Runtime {
    let config = NodeConfig {
        name: "worker-1".to_owned(),
        pull_bytes_per_second: u64::MAX / 4000,
        registry_latency_ns: 0,
        ..NodeConfig::default()
    };
    Runtime::new(config, 1)
}

/// A sandbox named `web`.
pub fn sandbox(runtime: &mut Runtime) -> SandboxId {
    runtime.run_sandbox(
        0,
        SandboxConfig {
            namespace: "default".to_owned(),
            name: "web".to_owned(),
            hostname: "web".to_owned(),
            ip: Some("10.244.1.5".to_owned()),
            dns: DnsConfig {
                servers: vec!["10.96.0.10".to_owned()],
                searches: vec!["default.svc.cluster.local".to_owned()],
                options: vec!["ndots:5".to_owned()],
            },
            ..SandboxConfig::default()
        },
    )
}

pub fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| word.to_string()).collect()
}

/// Pulls, creates and starts.
pub fn start(runtime: &mut Runtime, now: SimTime, config: ContainerConfig) -> Result<ContainerId, RuntimeError> {
    let pull = runtime.pull_image(now, &config.image);
    assert!(pull.outcome.is_ok(), "{:?}", pull.outcome);
    let sandbox = match runtime.sandboxes().first() {
        Some(sandbox) => sandbox.id,
        None => sandbox(runtime),
    };
    let id = runtime.create_container(pull.finished_at, sandbox, config)?;
    runtime.start_container(now.max(pull.finished_at), id)?;
    Ok(id)
}

/// Steps the runtime through time.
pub fn advance_to(runtime: &mut Runtime, until: SimTime) {
    for _ in 0..200_000 {
        runtime.pump(0, &mut FakeNetwork);
        match runtime.poll_timeout() {
            Some(at) if at <= until => runtime.advance(at),
            _ => break,
        }
    }
    runtime.advance(until);
}

/// Knows `web-svc` at 10.96.1.1, where a server says hello.
pub struct FakeNetwork;

impl Network for FakeNetwork {
    fn call(&mut self, _: SimTime, call: &NetCall) -> NetReply {
        let server = "10.96.0.10".to_owned();
        let result = match &call.op {
            NetOp::Resolve { name, .. } if name == "web-svc" => NetResult::Resolved {
                server,
                name: "web-svc.default.svc.cluster.local".to_owned(),
                values: vec!["10.96.1.1".to_owned()],
            },
            NetOp::Resolve { .. } => NetResult::NoSuchName { server },
            NetOp::Request { request, .. } if request.host == "web-svc" && request.port == 80 => {
                let outcome = match request.path.as_str() {
                    "/" => Outcome::answer(200, "hello from the service\n"),
                    _ => Outcome::answer(404, "nothing here\n"),
                };
                NetResult::Finished { ip: Some("10.96.1.1".to_owned()), outcome }
            }
            NetOp::Request { request, .. } if request.host == "web-svc" => {
                NetResult::Finished { ip: Some("10.96.1.1".to_owned()), outcome: Outcome::Refused }
            }
            NetOp::Request { .. } => NetResult::Finished { ip: None, outcome: Outcome::UnknownHost },
            NetOp::Ping { host } if host == "10.244.2.2" => NetResult::Pong { ip: host.clone() },
            NetOp::Ping { .. } => NetResult::NoSuchName { server },
        };
        NetReply { result, took_ns: MILLISECOND }
    }
}

/// The log as `kubectl logs` prints it.
pub fn log_text(runtime: &Runtime, id: ContainerId) -> String {
    runtime.logs(SimTime::MAX, id, &LogOptions::default()).iter().map(|line| format!("{}\n", line.text)).collect()
}

/// Runs a script in an image for at most that many seconds: its log, and how it ended.
pub fn run_script(image: &str, script: &str, seconds: u64) -> String {
    let mut runtime = node();
    let command = strings(&["sh", "-c", script]);
    let config = ContainerConfig { image: image.to_owned(), command, ..ContainerConfig::default() };
    let id = match start(&mut runtime, 0, config) {
        Ok(id) => id,
        Err(error) => return error.to_string(),
    };
    advance_to(&mut runtime, seconds * SECOND);
    let status = runtime.container(id).expect("it was created");
    let end = match status.state {
        ContainerState::Exited => {
            let took = (status.finished_at.unwrap_or(0) - status.started_at.unwrap_or(0)) / SECOND;
            format!("[exit {} after {took}s]", status.exit_code)
        }
        _ => "[running]".to_owned(),
    };
    format!("{}{end}\n", log_text(&runtime, id))
}
