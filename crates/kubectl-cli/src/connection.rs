//! [`client::Api`] over HTTP/1.1.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};
use std::net::ToSocketAddrs as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{SystemTime, UNIX_EPOCH};

use api::kinds;
use api::request::{StreamId, StreamOutput, User, WatchId};
use api::time::{EPOCH_SECONDS, SECOND};
use api::{CauseId, Reason, Request, Response, SimTime, Status, Subresource, Verb, WatchEvent};
use client::{Activity, Api, Note};
use ureq::config::Config;
use ureq::http;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Proxy};

use crate::answer::{self, Asked};
use crate::config::{Settings, Tls};
use crate::path;
use crate::websocket::Session;
use crate::wire;

/// The field manager of a request that names none is its first part.
const USER_AGENT: &str = "kubectl/v1.33.1 (linux/amd64) kubernetes/tabernetes";

/// A server, and what goes on over it.
pub struct Connection {
    agent: Agent,
    settings: Settings,
    user: Option<User>,
    warnings: Vec<String>,
    watches: BTreeMap<WatchId, Receiver<WatchEvent>>,
    streams: BTreeMap<StreamId, Receiver<String>>,
    sessions: BTreeMap<StreamId, Session>,
    opened: u64,
}

/// The wall clock, counted as the cluster counts.
pub fn now() -> SimTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX).saturating_sub(EPOCH_SECONDS);
    u64::try_from(seconds).unwrap_or_default() * SECOND + u64::from(since.subsec_nanos())
}

impl Connection {
    pub fn new(settings: Settings) -> Connection {
        let config = Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true);
        let mut config = config.tls_config(tls_config(&settings.tls)).timeout_global(settings.timeout);
        if let Ok(proxy) = Proxy::new(&settings.proxy) {
            config = config.proxy(Some(proxy));
        }
        let config = config.user_agent(USER_AGENT).build();
        let agent = match settings.tls.name.as_str() {
            "" => Agent::new_with_config(config),
            // Requests go to that name, which is looked up as the server's.
            _ => Agent::with_parts(config, DefaultConnector::default(), Resolved(settings.host().to_owned())),
        };
        Connection {
            agent,
            settings,
            user: None,
            warnings: Vec::new(),
            watches: BTreeMap::new(),
            streams: BTreeMap::new(),
            sessions: BTreeMap::new(),
            opened: 0,
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The headers that say who asks.
    pub fn identity(&self) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        if !self.settings.authorization.is_empty() {
            headers.push(("Authorization", self.settings.authorization.clone()));
        }
        if let Some(user) = self.user.as_ref().or(self.settings.impersonated.as_ref()) {
            headers.push(("Impersonate-User", user.name.clone()));
            headers.extend(user.groups.iter().map(|group| ("Impersonate-Group", group.clone())));
            headers.extend(Some(("Impersonate-Uid", user.uid.clone())).filter(|(_, uid)| !uid.is_empty()));
        }
        headers
    }

    fn send(&mut self, call: path::Call) -> Result<http::Response<ureq::Body>, Status> {
        let uri = format!("{}{}", self.settings.url(), call.path);
        let mut request = http::Request::builder().method(call.method).uri(uri).header("Host", self.settings.host());
        request = request.header("Accept", "application/json").header("Content-Type", call.content_type);
        for (name, value) in self.identity() {
            request = request.header(name, value);
        }
        let request = request.body(call.body).map_err(|error| Status::bad_request(error.to_string()))?;
        let request = self.agent.configure_request(request).allow_non_standard_methods(true).build();
        let response = self.agent.run(request).map_err(|error| self.unreachable(&error))?;
        let warnings = response.headers().get_all("warning").iter().filter_map(|value| warning(value.to_str().ok()?));
        self.warnings.extend(warnings);
        if response.status().as_u16() < 400 {
            return Ok(response);
        }
        let code = response.status().as_u16();
        Err(answer::refusal(code, &text(response)))
    }

    fn unreachable(&self, error: &ureq::Error) -> Status {
        Status::new(0, Reason::Unknown, why_unreachable(self.settings.host(), error))
    }

    fn open(&mut self) -> u64 {
        self.opened += 1;
        self.opened
    }
}

/// Looks one host up, whatever is asked for.
#[derive(Debug)]
struct Resolved(String);

impl Resolver for Resolved {
    fn resolve(&self, _: &http::Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut found = self.empty();
        let host = if self.0.contains(':') { self.0.clone() } else { format!("{}:443", self.0) };
        for address in host.to_socket_addrs().map_err(ureq::Error::Io)? {
            found.push(address);
        }
        Ok(found)
    }
}

/// Why a server has not been reached, as kubectl says it.
pub fn why_unreachable(address: &str, error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            format!("The connection to the server {address} was refused - did you specify the right host or port?")
        }
        other if other.to_string().contains("UnknownIssuer") => {
            "Unable to connect to the server: tls: failed to verify \
             certificate: x509: certificate signed by unknown authority"
                .into()
        }
        ureq::Error::HostNotFound => not_found(address),
        other if other.to_string().contains("failed to lookup address") => not_found(address),
        ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
            "Unable to connect to the server: net/http: request canceled while waiting for connection (Client.Timeout \
             exceeded while awaiting headers)"
                .into()
        }
        ureq::Error::Timeout(_) => {
            "Unable to connect to the server: net/http: request canceled (Client.Timeout exceeded while awaiting headers)"
                .into()
        }
        other if other.to_string().contains("not valid for name") => {
            format!("Unable to connect to the server: {}", misnamed(&other.to_string()))
        }
        other => format!("Unable to connect to the server: {other}"),
    }
}

fn not_found(address: &str) -> String {
    let host = address.split(['/', ':']).next().unwrap_or_default();
    let servers = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let asked = servers.lines().find_map(|line| line.strip_prefix("nameserver ")).map(str::trim);
    let on = asked.map(|server| format!(" on {server}:53")).unwrap_or_default();
    format!("Unable to connect to the server: dial tcp: lookup {host}{on}: no such host")
}

/// What Go says of a certificate for other names. rustls's words list them as `DnsName("localhost")`.
fn misnamed(why: &str) -> String {
    let quoted: Vec<&str> = why.split('"').skip(1).step_by(2).collect();
    let (name, names) = quoted.split_first().unwrap_or((&"", &[]));
    format!("tls: failed to verify certificate: x509: certificate is valid for {}, not {name}", names.join(", "))
}

pub fn tls_config(tls: &Tls) -> TlsConfig {
    let mut config = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .disable_verification(tls.is_insecure)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let owned = |pem: &[u8]| -> Vec<Certificate<'static>> {
        wire::certificates(pem).iter().map(|one| Certificate::from_der(one).to_owned()).collect()
    };
    config = config.root_certs(RootCerts::new_with_certs(&owned(&tls.authority)));
    if let Ok(key) = PrivateKey::from_pem(&tls.key) {
        config = config.client_cert(Some(ClientCert::new_with_certs(&owned(&tls.certificate), key)));
    }
    config.build()
}

pub fn text(mut response: http::Response<ureq::Body>) -> String {
    response.body_mut().with_config().limit(u64::MAX).read_to_string().unwrap_or_default()
}

/// The text of `299 - "text"`.
fn warning(header: &str) -> Option<String> {
    let quoted = header.split_once('"')?.1;
    let text = quoted.rsplit_once('"')?.0;
    Some(text.replace("\\\"", "\"").replace("\\\\", "\\"))
}

/// Reads an endless answer line by line beside the command.
fn lines<T: Send + 'static>(
    response: http::Response<ureq::Body>,
    read: impl Fn(&str) -> Option<T> + Send + 'static,
) -> Receiver<T> {
    let (sender, receiver) = channel();
    let body = BufReader::new(response.into_body().into_reader());
    std::thread::spawn(move || follow(body, |line| read(line).is_none_or(|one| sender.send(one).is_ok())));
    receiver
}

fn follow<R: Read>(mut body: BufReader<R>, mut keep: impl FnMut(&str) -> bool) {
    let mut line = String::new();
    while body.read_line(&mut line).is_ok_and(|count| count > 0) {
        if !keep(&line) {
            return;
        }
        line.clear();
    }
}

impl Api for Connection {
    fn call(&mut self, request: Request) -> Result<Response, Status> {
        let asked = Asked { kind: kinds::row(request.kind), verb: request.verb, subresource: request.subresource };
        if matches!(request.subresource, Subresource::Exec | Subresource::Attach) {
            let session = Session::open(&self.settings, &path::call(request).path, &self.identity())?;
            let stream = StreamId(self.open());
            self.sessions.insert(stream, session);
            return Ok(Response::Stream(stream));
        }
        let follows = request.options.log.follow;
        let response = self.send(path::call(request))?;
        if asked.verb == Verb::Watch {
            let watch = WatchId(self.open());
            self.watches.insert(watch, lines(response, move |line| answer::event(asked.kind, line)));
            return Ok(Response::Watch(watch));
        }
        if follows {
            let stream = StreamId(self.open());
            self.streams.insert(stream, lines(response, |line| Some(line.to_owned())));
            return Ok(Response::Stream(stream));
        }
        answer::success(asked, &text(response))
    }

    fn call_detached(&mut self, request: Request) -> Result<Response, Status> {
        self.call(request)
    }

    fn now(&self) -> SimTime {
        now()
    }

    fn spend(&mut self, _: SimTime) {}

    fn random(&mut self) -> u64 {
        now()
    }

    fn begin(&mut self, _: Activity, cause: CauseId) -> CauseId {
        cause
    }

    fn note(&mut self, _: Note) {}

    fn parallel(&mut self, _: bool) {}

    fn act_as(&mut self, user: Option<User>) {
        self.user = user;
    }

    fn raw(&mut self, method: &'static str, path: &str, body: String) -> Option<Result<String, Status>> {
        let call = path::Call { method, path: path.into(), content_type: "application/json", body };
        Some(self.send(call).map(text))
    }

    fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    fn watch_events(&mut self, watch: WatchId) -> Vec<WatchEvent> {
        self.watches.get(&watch).map(|events| events.try_iter().collect()).unwrap_or_default()
    }

    fn close_watch(&mut self, watch: WatchId) {
        self.watches.remove(&watch);
    }

    fn stream_write(&mut self, stream: StreamId, text: Option<&str>) {
        if let Some(session) = self.sessions.get_mut(&stream) {
            session.write(text);
        }
    }

    fn stream_read(&mut self, stream: StreamId) -> StreamOutput {
        if let Some(session) = self.sessions.get_mut(&stream) {
            return session.read();
        }
        let mut output = StreamOutput::default();
        let Some(pieces) = self.streams.get(&stream) else { return output };
        loop {
            match pieces.try_recv() {
                Ok(piece) => output.stdout.push_str(&piece),
                Err(TryRecvError::Empty) => return output,
                Err(TryRecvError::Disconnected) => {
                    output.end = Some(Ok(0));
                    return output;
                }
            }
        }
    }

    fn close_stream(&mut self, stream: StreamId) {
        self.streams.remove(&stream);
        self.sessions.remove(&stream);
    }
}

#[cfg(test)]
mod tests {
    use super::warning;

    #[test]
    fn warnings_are_unquoted() {
        assert_eq!(warning(r#"299 - "unknown field \"spec.x\"""#).as_deref(), Some(r#"unknown field "spec.x""#));
    }
}
