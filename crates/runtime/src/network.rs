//! What containers and the network say to each other.

use crate::{ContainerId, SimTime};

/// What a client speaks to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Opens a TCP connection and closes it, as a `tcpSocket` probe does.
    Connect,
    /// TCP with a payload in [`Request::body`]: a redis command, an SQL statement, a line for `nc`.
    Tcp,
    Udp,
    Http,
    Https,
    Grpc,
}

/// A request as it arrives at a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub protocol: Protocol,
    pub method: String,
    /// Path with query, such as `/guestbook.php?cmd=get`.
    pub path: String,
    /// What the client asked for: a DNS name or an IP address, without port.
    pub host: String,
    pub port: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// Source address as the server sees it; empty when not known.
    pub client_ip: String,
}

impl Request {
    /// A `GET` over HTTP.
    pub fn get(host: &str, port: u16, path: &str) -> Self {
        Self { path: path.to_owned(), ..Self::new(Protocol::Http, host, port) }
    }

    /// A TCP connection that is opened and closed.
    pub fn connect(host: &str, port: u16) -> Self {
        Self::new(Protocol::Connect, host, port)
    }

    /// A TCP exchange: `payload` there, the reply's body back.
    pub fn tcp(host: &str, port: u16, payload: &str) -> Self {
        Self { body: payload.to_owned(), ..Self::new(Protocol::Tcp, host, port) }
    }

    /// A request of any protocol with method `GET`, path `/` and no body.
    pub fn new(protocol: Protocol, host: &str, port: u16) -> Self {
        Self {
            protocol,
            method: "GET".to_owned(),
            path: "/".to_owned(),
            host: host.to_owned(),
            port,
            headers: Vec::new(),
            body: String::new(),
            client_ip: String::new(),
        }
    }

    /// The path without its query.
    pub fn path_only(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// The decoded value of a query parameter.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.path.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| percent_decode(value))
        })
    }
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                let digits = std::str::from_utf8(&digits).unwrap_or("00");
                u8::from_str_radix(digits, 16).unwrap_or(b'?')
            }
            other => other,
        };
        bytes.push(decoded);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How a request ended at the server, or on its way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered. `status` is an HTTP status; for other protocols 200 means success.
    Answered { status: u16, headers: Vec<(String, String)>, body: String },
    /// Nothing listens on the port.
    Refused,
    /// No answer ever comes.
    TimedOut,
    /// The connection was closed in the middle.
    Reset,
    /// No route to the host.
    Unreachable,
    /// The host's name has no address.
    UnknownHost,
}

impl Outcome {
    /// An answer without headers.
    pub fn answer(status: u16, body: impl Into<String>) -> Self {
        Self::Answered { status, headers: Vec::new(), body: body.into() }
    }

    /// Whether the server answered with a status below 400.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Answered { status, .. } if *status < 400)
    }

    /// The body of an answer, or nothing.
    pub fn body(&self) -> &str {
        match self {
            Self::Answered { body, .. } => body,
            _ => "",
        }
    }
}

/// A server's reply, before the calls that it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What the client gets when all of `downstream` succeeds.
    pub outcome: Outcome,
    /// Time that the server itself takes, without `downstream`.
    pub latency_ns: u64,
    /// Requests that the server makes before it answers. When there are any, follow each and pass the outcomes, in
    /// order, to [`Runtime::complete`](crate::Runtime::complete) for the final reply.
    pub downstream: Vec<Call>,
}

impl Reply {
    /// A reply that needs nobody else.
    pub fn at_once(outcome: Outcome, latency_ns: u64) -> Self {
        Self { outcome, latency_ns, downstream: Vec::new() }
    }
}

/// A request that a server makes on behalf of one that it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The destination is `request.host` (often a Service's DNS name) and `request.port`.
    pub request: Request,
    /// Whether the reply fails when this call does.
    pub required: bool,
    /// After how long the caller gives up.
    pub timeout_ns: u64,
}

/// Names one pending [`NetCall`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetCallId(pub u64);

/// A process waits for the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetCall {
    pub id: NetCallId,
    pub container: ContainerId,
    /// When the process made the call.
    pub at: SimTime,
    pub op: NetOp,
}

/// What a process wants from the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetOp {
    /// A DNS query. `server` overrides the Pod's name servers. With `search` the Pod's search list applies.
    Resolve { name: String, record: DnsRecord, server: Option<String>, search: bool },
    /// Resolve `request.host` as the Pod would, connect and exchange. The caller gives up after `timeout_ns`.
    Request { request: Request, timeout_ns: u64 },
    /// One ICMP echo.
    Ping { host: String },
}

/// DNS record types that `nslookup` and `dig` ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DnsRecord {
    A,
    Aaaa,
    Cname,
    Srv,
    Ptr,
    Txt,
}

/// The network's answer to a [`NetOp`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetReply {
    pub result: NetResult,
    /// How long it took.
    pub took_ns: u64,
}

/// What became of a [`NetOp`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetResult {
    /// DNS records: `values` are addresses, or targets for the other types. `name` is the name that matched.
    Resolved { server: String, name: String, values: Vec<String> },
    /// `NXDOMAIN`.
    NoSuchName { server: String },
    /// No DNS server answered.
    DnsTimeout { server: String },
    /// The end of a request. `ip` is the address that was tried, if the name resolved.
    Finished { ip: Option<String>, outcome: Outcome },
    /// An echo reply.
    Pong { ip: String },
}

/// A network that answers at once, saying how long the answer takes.
pub trait Network {
    fn call(&mut self, now: SimTime, call: &NetCall) -> NetReply;
}
