//! What the catalogue's servers do: start, answer, stop.

mod agnhost;
mod apps;
mod database;
mod files;
mod nginx_config;
mod redis;
mod webhook;

use nginx_config::Config;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::images::Image;
use crate::images::spec::{Behaviour, FileServer, Stop};
use crate::node::Settings;
use crate::vfs::View;
use crate::{LogStream, MILLISECOND, NodeConfig, Outcome, Reply, Request, SandboxConfig, Signal, SimTime};

/// A server program that runs in a container.
#[derive(Clone, Debug)]
pub struct Service {
    pub argv: Arc<[String]>,
    pub started_at: SimTime,
    pub listening_from: SimTime,
    /// When it ends by itself, and how.
    pub ends_at: Option<(SimTime, i32)>,
    pub ports: Vec<u16>,
    pub requests: u64,
    /// CPU time spent on requests, in nanoseconds.
    pub request_cpu_ns: u64,
    /// CPU that it uses all the time.
    pub idle_cpu_milli: u64,
    pub memory_bytes: u64,
    /// What redis, memcached and the like hold.
    values: BTreeMap<String, String>,
    /// What nginx read when it started.
    nginx: Option<Arc<Config>>,
    /// Lines to log once it listens.
    pub ready_lines: Vec<String>,
}

/// Where a service runs.
pub struct Surroundings<'a> {
    pub image: &'a Image,
    pub settings: &'a Settings,
    pub sandbox: &'a SandboxConfig,
    pub node: &'a NodeConfig,
    pub env: &'a dyn Fn(&str) -> Option<String>,
    pub declared_ports: &'a [u16],
    pub view: View<'a>,
    pub random: u64,
    pub log: &'a mut Vec<(LogStream, String)>,
}

impl Surroundings<'_> {
    fn log(&mut self, text: impl Into<String>) {
        self.log.push((LogStream::Stdout, text.into()));
    }

    fn log_error(&mut self, text: impl Into<String>) {
        self.log.push((LogStream::Stderr, text.into()));
    }
}

impl Service {
    /// Starts the program of a command line.
    pub fn start(argv: Arc<[String]>, now: SimTime, around: &mut Surroundings<'_>) -> Self {
        let spec = around.image.spec;
        let startup = around.settings.startup_ns.unwrap_or(spec.startup_ms * MILLISECOND);
        let jitter = if startup == 0 { 0 } else { around.random % (startup / 10 + 1) };
        let nginx = match spec.behaviour {
            Behaviour::Files { kind: FileServer::Nginx, .. } => nginx_config::read(&mut around.view).map(Arc::new),
            _ => None,
        };
        let ports = ports(around, &argv, nginx.as_deref());
        let mut service = Self {
            ports,
            argv,
            started_at: now,
            listening_from: now + startup + jitter,
            ends_at: None,
            requests: 0,
            request_cpu_ns: 0,
            idle_cpu_milli: around.settings.cpu_milli.unwrap_or(spec.idle_cpu_milli),
            memory_bytes: around.settings.memory_bytes.unwrap_or(spec.memory_mb << 20),
            values: BTreeMap::new(),
            nginx,
            ready_lines: Vec::new(),
        };
        match spec.behaviour {
            Behaviour::OneShot { text, code } => {
                around.log(text.trim_end_matches('\n'));
                service.ends_at = Some((now + MILLISECOND, code));
            }
            Behaviour::Files { kind, .. } => files::start(&mut service, kind, around),
            Behaviour::Redis => redis::start(&mut service, around),
            Behaviour::Database(engine) => database::start(&mut service, engine, now, around),
            Behaviour::Agnhost => agnhost::start(&mut service, around),
            Behaviour::Stress => {
                let (bytes, busy) = crate::tools::stress_load(&service.argv);
                service.memory_bytes = service.memory_bytes.max(bytes);
                if busy {
                    service.idle_cpu_milli = around.settings.cpu_milli.unwrap_or(2000);
                }
                around.log("stress: info: [1] dispatching hogs");
            }
            Behaviour::Interpreter { .. } => {
                if let Some(output) = interpreter_output(&service.argv) {
                    around.log.extend(output.map(|text| (LogStream::Stdout, text)));
                    service.ends_at = Some((now + startup, 0));
                }
            }
            Behaviour::Idle
            | Behaviour::Hollow
            | Behaviour::Text { .. }
            | Behaviour::App { .. }
            | Behaviour::HttpEcho => {}
        }
        if let Some(after) = around.settings.exit_after_ns {
            service.ends_at = Some((now + after, around.settings.exit_code.unwrap_or(0)));
        } else if let Some(code) = around.settings.exit_code
            && service.ends_at.is_none()
        {
            service.ends_at = Some((service.listening_from, code));
        }
        service
    }

    /// Answers a request that has arrived at one of its ports.
    pub fn serve(&mut self, now: SimTime, request: &Request, around: &mut Surroundings<'_>) -> Reply {
        let spec = around.image.spec;
        let listens = self.ports.contains(&request.port) || matches!(spec.behaviour, Behaviour::Hollow);
        if now < self.listening_from || !listens {
            return Reply::at_once(Outcome::Refused, 0);
        }
        let latency = around.settings.latency_ns.unwrap_or(spec.latency_us * 1000);
        let mut latency = latency + around.random % (latency / 5 + 1);
        if matches!(spec.behaviour, Behaviour::Agnhost) {
            latency += agnhost::delay(&self.argv, request);
        }
        if request.protocol == crate::Protocol::Connect {
            return Reply::at_once(Outcome::answer(200, ""), latency.min(MILLISECOND));
        }
        self.requests += 1;
        self.request_cpu_ns += spec.request_cpu_us * 1000;
        let settings = around.settings;
        if settings.ready_after_ns.is_some_and(|after| now < self.started_at.saturating_add(after)) {
            return Reply::at_once(Outcome::answer(503, "not ready\n"), latency);
        }
        if settings.error_per_mille.is_some_and(|rate| (around.random >> 20) % 1000 < u64::from(rate)) {
            return Reply::at_once(Outcome::answer(500, "Internal Server Error\n"), latency);
        }
        let mut reply = Reply::at_once(self.outcome(now, request, around), latency);
        if reply.outcome.is_success() {
            reply.downstream = apps::calls(&spec.behaviour, request, settings, around.env);
            reply.downstream.extend(self.nginx.as_deref().and_then(|config| files::proxied(config, request)));
        }
        reply
    }

    fn outcome(&mut self, now: SimTime, request: &Request, around: &mut Surroundings<'_>) -> Outcome {
        match around.image.spec.behaviour {
            Behaviour::Idle | Behaviour::OneShot { .. } | Behaviour::Stress => Outcome::Refused,
            Behaviour::Hollow => Outcome::answer(200, ""),
            Behaviour::Files { root, kind } => files::serve(now, request, root, kind, self.nginx.as_deref(), around),
            Behaviour::Text { body, content_type } => Outcome::Answered {
                status: 200,
                headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
                body: fill_in(body, now, request, around),
            },
            Behaviour::Interpreter { body } | Behaviour::App { body, .. } => {
                Outcome::answer(200, fill_in(body, now, request, around))
            }
            Behaviour::Redis => redis::serve(&mut self.values, request, around),
            Behaviour::Database(engine) => database::serve(&mut self.values, engine, request, around),
            Behaviour::Agnhost => agnhost::serve(self, now, request, around),
            Behaviour::HttpEcho => {
                let text = self.argv.iter().find_map(|arg| arg.trim_start_matches('-').strip_prefix("text="));
                Outcome::answer(200, format!("{}\n", text.unwrap_or("hello-world")))
            }
        }
    }

    /// What a signal does: when the program ends and how, or `None` when it goes on.
    pub fn signal(&mut self, signal: Signal, now: SimTime, around: &mut Surroundings<'_>) -> Option<(SimTime, i32)> {
        match (signal, around.image.spec.stop) {
            (Signal::Kill, _) => Some((now, 137)),
            (Signal::Term | Signal::Quit | Signal::Int, Stop::After { ms, code }) => {
                redis::save(&self.values, around);
                files::log_stop(signal, around);
                Some((now + ms * MILLISECOND, code))
            }
            (Signal::Hup, _)
                if self.nginx.is_some() || matches!(around.image.spec.behaviour, Behaviour::Files { .. }) =>
            {
                self.nginx = nginx_config::read(&mut around.view).map(Arc::new);
                self.ports = ports(around, &self.argv, self.nginx.as_deref());
                None
            }
            _ => None,
        }
    }
}

/// What an interpreter prints that ends by itself: it has no program, or one line of it. `None` if it runs on.
pub fn interpreter_output(argv: &[String]) -> Option<Option<String>> {
    const ONE_SHOT: [&str; 7] = ["--version", "-V", "install", "build", "test", "ci", "add"];
    match argv.get(1).map(String::as_str) {
        None => Some(None),
        Some("-c" | "-e") => {
            let code = argv.get(2).map_or("", String::as_str);
            let printed = ["print(", "console.log("].iter().find_map(|call| code.split_once(call));
            let text = printed.and_then(|(_, rest)| rest.rsplit_once(')')).map(|(inner, _)| inner);
            Some(text.map(|text| text.trim_matches(['\'', '"']).to_owned()))
        }
        Some(word) => ONE_SHOT.contains(&word).then_some(None),
    }
}

/// The final outcome of a request, once its downstream calls have ended.
pub fn complete(image: &Image, request: &Request, reply: Reply, outcomes: &[Outcome]) -> Reply {
    apps::complete(image, request, reply, outcomes)
}

fn ports(around: &Surroundings<'_>, argv: &[String], nginx: Option<&Config>) -> Vec<u16> {
    let spec = around.image.spec;
    let number = |text: &str| text.trim_start_matches(':').rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
    let mut from_arguments = argv.iter().enumerate().filter_map(|(at, arg)| match arg.split_once('=') {
        Some(("-listen" | "--listen" | "-port" | "--port" | "--http-port" | "-p", value)) => number(value),
        None if matches!(arg.as_str(), "--port" | "-port" | "--http-port" | "http.server") => number(argv.get(at + 1)?),
        _ => None,
    });
    if let Some(port) = from_arguments.next() {
        return vec![port];
    }
    if let Some(port) = (around.env)("PORT").and_then(|text| text.parse().ok())
        && matches!(spec.behaviour, Behaviour::App { .. } | Behaviour::Text { .. } | Behaviour::Interpreter { .. })
    {
        return vec![port];
    }
    if spec.ports_vary && !around.declared_ports.is_empty() && !matches!(spec.behaviour, Behaviour::Agnhost) {
        return around.declared_ports.to_vec();
    }
    match spec.behaviour {
        Behaviour::Files { .. } => nginx.map_or_else(|| spec.ports.to_vec(), Config::ports),
        Behaviour::Agnhost => agnhost::ports(argv, around.declared_ports),
        _ => spec.ports.to_vec(),
    }
}

/// Replaces `{hostname}`, `{version}`, `{path}` and their like.
fn fill_in(body: &str, now: SimTime, request: &Request, around: &Surroundings<'_>) -> String {
    if !body.contains('{') {
        return body.to_owned();
    }
    let version = around.image.tag.trim_start_matches('v');
    let version = version.strip_suffix(".0").filter(|_| body.contains("{version}.0")).unwrap_or(version);
    let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let replacements = [
        ("{hostname}", around.sandbox.hostname.as_str()),
        ("{ip}", around.sandbox.ip.as_deref().unwrap_or("127.0.0.1")),
        ("{node}", around.node.name.as_str()),
        ("{version}", version),
        ("{path}", request.path.as_str()),
        ("{method}", request.method.as_str()),
        ("{host}", request.host.as_str()),
        ("{client}", request.client_ip.as_str()),
    ];
    let mut text = body.to_owned();
    for (name, value) in replacements {
        text = text.replace(name, value);
    }
    let date = crate::tools::format_date(around.node, now, "%d/%b/%Y:%H:%M:%S +0000");
    text.replace("{port}", &request.port.to_string())
        .replace("{headers}", &headers.join("\n"))
        .replace("{date}", &date)
        .replace("{id}", &format!("{:032x}", around.random))
}

/// The reason phrase of an HTTP status.
pub fn status_text(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Time-out",
        _ => "",
    }
}
