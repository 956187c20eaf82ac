//! Tools that talk to the network: name look-ups, HTTP, pings.

use super::run::{After, Call};
use crate::{DnsRecord, MILLISECOND, NetOp, NetReply, NetResult, Outcome, Protocol, Request, SECOND};

type ToolCall<'t, 'k, 'h, 'a> = Call<'t, 'k, 'h, 'a>;

/// How a network tool prints its answer.
#[derive(Clone, Debug)]
pub struct NetTool {
    op: NetOp,
    style: Style,
}

#[derive(Clone, Debug)]
enum Style {
    Wget { quiet: bool, output: Option<String>, spider: bool, url: String },
    Curl(CurlStyle),
    Nslookup { name: String },
    Dig { short: bool, name: String },
    Getent { name: String },
    Ping { host: String, left: u32, sent: u32, received: u32 },
    Connect { verbose: bool, payload: bool },
    Client(fn(&mut ToolCall<'_, '_, '_, '_>, &Outcome) -> i32),
}

#[derive(Clone, Debug)]
struct CurlStyle {
    silent: bool,
    show_error: bool,
    fail: bool,
    include: bool,
    head: bool,
    output: Option<String>,
    write_out: Option<String>,
    url: String,
    host: String,
    port: u16,
    timeout_ns: u64,
}

impl NetTool {
    /// A client of a server that answers `payload`; the function prints the outcome and gives the status.
    pub fn client(
        host: &str,
        port: u16,
        payload: &str,
        print: fn(&mut ToolCall<'_, '_, '_, '_>, &Outcome) -> i32,
    ) -> Self {
        let request = Request::tcp(host, port, payload);
        Self { op: NetOp::Request { request, timeout_ns: 10 * SECOND }, style: Style::Client(print) }
    }

    /// Asks. `None`: wait for the answer.
    pub fn begin(&mut self, call: &mut ToolCall<'_, '_, '_, '_>) -> Option<After> {
        if let Style::Ping { host, sent: 0, .. } = &self.style {
            let ip = if host.parse::<std::net::Ipv4Addr>().is_ok() { host.as_str() } else { "" };
            let shown = if ip.is_empty() { String::new() } else { format!(" ({ip})") };
            call.out.push_str(&format!("PING {host}{shown}: 56 data bytes\n"));
        }
        call.task.ask_network(self.op.clone());
        None
    }

    /// Takes the answer. `None`: wait for another; `Delay` with a negative status: come back at that time.
    pub fn resume(&mut self, call: &mut ToolCall<'_, '_, '_, '_>, reply: Option<NetReply>) -> Option<After> {
        let Some(reply) = reply else { return self.begin(call) };
        let took_ns = reply.took_ns;
        match &mut self.style {
            Style::Wget { quiet, output, spider, url } => {
                let (quiet, output, spider, url) = (*quiet, output.clone(), *spider, url.clone());
                Some(After::Exit(print_wget(call, reply.result, &url, quiet, output, spider)))
            }
            Style::Curl(style) => {
                let style = style.clone();
                Some(After::Exit(print_curl(call, reply, &style)))
            }
            Style::Nslookup { name } => {
                let name = name.clone();
                Some(After::Exit(print_nslookup(call, reply.result, &name)))
            }
            Style::Dig { short, name } => {
                let (short, name) = (*short, name.clone());
                Some(After::Exit(print_dig(call, reply.result, short, &name)))
            }
            Style::Getent { name } => match reply.result {
                NetResult::Resolved { values, .. } if !values.is_empty() => {
                    for value in values {
                        call.out.push_str(&format!("{value:<15} {name}\n"));
                    }
                    Some(After::Exit(0))
                }
                _ => Some(After::Exit(2)),
            },
            Style::Ping { host, left, sent, received } => {
                match &reply.result {
                    NetResult::Pong { ip } => {
                        *received += 1;
                        let micros = took_ns / 1000;
                        let time = format!("{}.{:03}", micros / 1000, micros % 1000);
                        call.out.push_str(&format!("64 bytes from {ip}: seq={sent} ttl=64 time={time} ms\n"));
                    }
                    NetResult::NoSuchName { .. } | NetResult::DnsTimeout { .. } => {
                        call.complain(&format!("bad address '{host}'"));
                        return Some(After::Exit(1));
                    }
                    _ => {}
                }
                *sent += 1;
                *left = left.saturating_sub(1);
                if *left > 0 {
                    let wait = SECOND.saturating_sub(took_ns).max(MILLISECOND);
                    return Some(After::Delay(call.task.now() + wait, -1));
                }
                let loss = (*sent - *received) * 100 / (*sent).max(1);
                call.out.push_str(&format!(
                    "\n--- {host} ping statistics ---\n{sent} packets transmitted, {received} packets received, \
                     {loss}% packet loss\n"
                ));
                Some(After::Exit(i32::from(*received == 0)))
            }
            Style::Connect { verbose, payload } => {
                let (verbose, payload) = (*verbose, *payload);
                Some(After::Exit(print_connect(call, reply.result, &self.op, verbose, payload)))
            }
            Style::Client(print) => {
                let outcome = match reply.result {
                    NetResult::Finished { outcome, .. } => outcome,
                    _ => Outcome::UnknownHost,
                };
                Some(After::Exit(print(call, &outcome)))
            }
        }
    }
}

/// Splits `http://host:port/path`.
fn parse_url(url: &str) -> (Protocol, String, u16, String) {
    let (protocol, rest) = match url.split_once("://") {
        Some(("https", rest)) => (Protocol::Https, rest),
        Some((_, rest)) => (Protocol::Http, rest),
        None => (Protocol::Http, url),
    };
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let default_port = if protocol == Protocol::Https { 443 } else { 80 };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() => (host, port.parse().unwrap_or(default_port)),
        _ => (authority, default_port),
    };
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    (protocol, host.trim_matches(['[', ']']).to_owned(), port, path)
}

fn request_of(url: &str) -> Request {
    let (protocol, host, port, path) = parse_url(url);
    Request { path, ..Request::new(protocol, &host, port) }
}

fn seconds(text: &str) -> u64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let tenth = fraction.chars().next().and_then(|c| c.to_digit(10)).unwrap_or(0);
    whole.parse::<u64>().unwrap_or(0).min(86_400) * SECOND + u64::from(tenth) * SECOND / 10
}

pub fn wget(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    const TIMEOUT_NS: u64 = 900 * SECOND;
    let (flags, values, words) = call.flags("OTtUP");
    let value = |flag| values.iter().find(|value| value.0 == flag).map(|value| value.1.clone());
    let long = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)).map(str::to_owned);
    let Some(url) = words.iter().find(|word| !word.starts_with("--")).cloned() else {
        call.complain("missing URL");
        return After::Exit(1);
    };
    let mut request = request_of(&url);
    request.headers.push(("User-Agent".to_owned(), "Wget".to_owned()));
    if let Some(header) = long("--header=") {
        add_header(&mut request, &header);
    }
    if let Some(body) = long("--post-data=") {
        request.method = "POST".to_owned();
        request.body = body;
    }
    let quiet = flags.contains('q') || words.iter().any(|word| word == "--quiet");
    let spider = words.iter().any(|word| word == "--spider");
    let timeout = value('T').or(long("--timeout=")).map_or(TIMEOUT_NS, |text| seconds(&text));
    let output = flags.contains('O').then(|| "-".to_owned()).or(value('O')).or(long("--output-document="));
    if !quiet {
        call.err = format!("Connecting to {} ({}:{})\n", request.host, request.host, request.port);
    }
    let style = Style::Wget { quiet, output, spider, url };
    After::Net(NetTool { op: NetOp::Request { request, timeout_ns: timeout }, style })
}

fn add_header(request: &mut Request, header: &str) {
    let Some((name, value)) = header.split_once(':') else { return };
    let (name, value) = (name.trim(), value.trim());
    request.headers.push((name.to_owned(), value.to_owned()));
}

fn print_wget(
    call: &mut ToolCall<'_, '_, '_, '_>,
    result: NetResult,
    url: &str,
    quiet: bool,
    output: Option<String>,
    spider: bool,
) -> i32 {
    let (protocol, host, port, path) = parse_url(url);
    let (ip, outcome) = match result {
        NetResult::Finished { ip, outcome } => (ip.unwrap_or_else(|| host.clone()), outcome),
        _ => (String::new(), Outcome::UnknownHost),
    };
    let message = match outcome {
        Outcome::Answered { status, body, .. } if status < 400 => {
            if protocol == Protocol::Https && !quiet {
                call.err.push_str("note: TLS certificate validation not implemented\n");
            }
            if spider {
                return 0;
            }
            let name = output.unwrap_or_else(|| {
                let name = super::base_name(path.split('?').next().unwrap_or_default());
                if name.is_empty() { "index.html".to_owned() } else { name.to_owned() }
            });
            if name == "-" {
                call.out.push_str(&body);
                return 0;
            }
            let absolute = call.task.absolute(&name);
            if let Err(error) = call.task.view().write(&absolute, body.as_bytes()) {
                call.complain(&format!("can't open '{name}': {error}"));
                return 1;
            }
            if !quiet {
                call.err.push_str(&format!("saving to '{name}'\n'{name}' saved\n"));
            }
            return 0;
        }
        Outcome::Answered { status, .. } => {
            format!("server returned error: HTTP/1.1 {status} {}", crate::service::status_text(status))
        }
        Outcome::Refused => format!("can't connect to remote host ({ip}): Connection refused"),
        Outcome::TimedOut => "download timed out".to_owned(),
        Outcome::Unreachable => format!("can't connect to remote host ({ip}): No route to host"),
        Outcome::Reset => "error getting response: Connection reset by peer".to_owned(),
        Outcome::UnknownHost => format!("bad address '{}'", if port == 80 { host } else { format!("{host}:{port}") }),
    };
    call.complain(&message);
    1
}

pub fn curl(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let mut url = None;
    let mut method = None;
    let mut body = None;
    let mut headers = Vec::new();
    let mut style = CurlStyle {
        silent: false,
        show_error: false,
        fail: false,
        include: false,
        head: false,
        output: None,
        write_out: None,
        url: String::new(),
        host: String::new(),
        port: 80,
        timeout_ns: 130 * SECOND,
    };
    let mut words = call.args[1..].iter();
    while let Some(word) = words.next() {
        let mut next = || words.next().cloned().unwrap_or_default();
        match word.as_str() {
            "--silent" => style.silent = true,
            "--show-error" => style.show_error = true,
            "--fail" => style.fail = true,
            "--include" => style.include = true,
            "--head" => style.head = true,
            "-o" | "--output" => style.output = Some(next()),
            "-w" | "--write-out" => style.write_out = Some(next()),
            "-m" | "--max-time" | "--connect-timeout" => style.timeout_ns = seconds(&next()),
            "-X" | "--request" => method = Some(next()),
            "-d" | "--data" | "--data-raw" | "--data-binary" => body = Some(next()),
            "-H" | "--header" => headers.push(next()),
            "--retry" | "--retry-delay" | "--resolve" | "--cacert" | "-u" | "-A" | "--interface" | "--cert"
            | "--key" => {
                next();
            }
            _ if word.starts_with("--") => {}
            _ if word.len() > 1 && word.starts_with('-') => {
                for flag in word.chars().skip(1) {
                    match flag {
                        's' => style.silent = true,
                        'S' => style.show_error = true,
                        'f' => style.fail = true,
                        'i' => style.include = true,
                        'I' => style.head = true,
                        'o' => style.output = Some(words.next().cloned().unwrap_or_default()),
                        'w' => style.write_out = words.next().cloned(),
                        'm' => style.timeout_ns = seconds(words.next().map_or("0", String::as_str)),
                        'X' => method = words.next().cloned(),
                        'd' => body = words.next().cloned(),
                        'H' => headers.extend(words.next().cloned()),
                        _ => {}
                    }
                }
            }
            _ => url = Some(word.clone()),
        }
    }
    let Some(url) = url else {
        call.err = "curl: try 'curl --help' or 'curl --manual' for more information\n".to_owned();
        return After::Exit(2);
    };
    let mut request = request_of(&url);
    request.headers.push(("User-Agent".to_owned(), "curl/8.14.1".to_owned()));
    for header in headers {
        add_header(&mut request, &header);
    }
    let default_method = match (&body, style.head) {
        (Some(_), _) => "POST",
        (None, true) => "HEAD",
        _ => "GET",
    };
    request.method = method.unwrap_or_else(|| default_method.to_owned());
    request.body = body.unwrap_or_default();
    style.host = request.host.clone();
    style.port = request.port;
    style.url = url;
    let timeout_ns = style.timeout_ns;
    After::Net(NetTool { op: NetOp::Request { request, timeout_ns }, style: Style::Curl(style) })
}

fn print_curl(call: &mut ToolCall<'_, '_, '_, '_>, reply: NetReply, style: &CurlStyle) -> i32 {
    let (host, port) = (&style.host, style.port);
    let ms = reply.took_ns / MILLISECOND;
    let outcome = match reply.result {
        NetResult::Finished { outcome, .. } => outcome,
        _ => Outcome::UnknownHost,
    };
    let mut http_code = 0;
    let (code, message) = match outcome {
        Outcome::Answered { status, headers, body } => {
            http_code = status;
            if style.fail && status >= 400 {
                (22, format!("The requested URL returned error: {status}"))
            } else {
                let mut text = String::new();
                if style.include || style.head {
                    text.push_str(&format!("HTTP/1.1 {status} {}\r\n", crate::service::status_text(status)));
                    for (name, value) in &headers {
                        text.push_str(&format!("{name}: {value}\r\n"));
                    }
                    text.push_str("\r\n");
                }
                if !style.head {
                    text.push_str(&body);
                }
                match style.output.as_deref() {
                    None | Some("-") => call.out.push_str(&text),
                    Some("/dev/null") => {}
                    Some(path) => {
                        let path = call.task.absolute(path);
                        let _ = call.task.view().write(&path, text.as_bytes());
                    }
                }
                (0, String::new())
            }
        }
        Outcome::UnknownHost => (6, format!("Could not resolve host: {host}")),
        Outcome::Refused => {
            (7, format!("Failed to connect to {host} port {port} after {ms} ms: Could not connect to server"))
        }
        Outcome::Unreachable => {
            (7, format!("Failed to connect to {host} port {port} after {ms} ms: Could not connect to server"))
        }
        Outcome::TimedOut => {
            (28, format!("Connection timed out after {} milliseconds", style.timeout_ns / MILLISECOND))
        }
        Outcome::Reset => (56, "Recv failure: Connection reset by peer".to_owned()),
    };
    if !message.is_empty() && (!style.silent || style.show_error) {
        call.err.push_str(&format!("curl: ({code}) {message}\n"));
    }
    if let Some(format) = &style.write_out {
        let text = crate::shell::interpret_escapes(format)
            .replace("%{http_code}", &format!("{http_code:03}"))
            .replace("%{response_code}", &format!("{http_code:03}"))
            .replace("%{time_total}", &format!("{}.{:06}", reply.took_ns / SECOND, reply.took_ns % SECOND / 1000))
            .replace("%{url}", &style.url);
        call.out.push_str(&text);
    }
    code
}

fn record_of(text: &str) -> DnsRecord {
    match text.to_ascii_uppercase().as_str() {
        "AAAA" => DnsRecord::Aaaa,
        "CNAME" => DnsRecord::Cname,
        "SRV" => DnsRecord::Srv,
        "PTR" => DnsRecord::Ptr,
        "TXT" => DnsRecord::Txt,
        _ => DnsRecord::A,
    }
}

fn record_for(name: &str, record: DnsRecord) -> DnsRecord {
    if name.parse::<std::net::IpAddr>().is_ok() { DnsRecord::Ptr } else { record }
}

pub fn nslookup(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let mut record = DnsRecord::A;
    let mut names = Vec::new();
    for word in &call.args[1..] {
        match word.strip_prefix('-') {
            Some(option) => {
                let kind = option.rsplit('=').next().unwrap_or_default();
                if option.starts_with("type=") || option.starts_with("query=") || option.starts_with("q=") {
                    record = record_of(kind);
                }
            }
            None => names.push(word.clone()),
        }
    }
    let Some(name) = names.first().cloned() else { return After::Exit(1) };
    let op = NetOp::Resolve {
        name: name.clone(),
        record: record_for(&name, record),
        server: names.get(1).cloned(),
        search: true,
    };
    After::Net(NetTool { op, style: Style::Nslookup { name } })
}

fn print_nslookup(call: &mut ToolCall<'_, '_, '_, '_>, result: NetResult, name: &str) -> i32 {
    match result {
        NetResult::Resolved { server, name: full, values } => {
            call.out.push_str(&format!("Server:\t\t{server}\nAddress:\t{server}:53\n\n"));
            for value in &values {
                if value.parse::<std::net::IpAddr>().is_ok() {
                    call.out.push_str(&format!("Name:\t{full}\nAddress: {value}\n"));
                } else {
                    call.out.push_str(&format!("{full}\tname = {value}\n"));
                }
            }
            call.out.push('\n');
            0
        }
        NetResult::NoSuchName { server } => {
            call.out.push_str(&format!("Server:\t\t{server}\nAddress:\t{server}:53\n\n"));
            call.out.push_str(&format!("** server can't find {name}: NXDOMAIN\n\n"));
            1
        }
        _ => {
            call.out.push_str(";; connection timed out; no servers could be reached\n\n");
            1
        }
    }
}

pub fn dig(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let words = &call.args[1..];
    let short = words.iter().any(|word| word == "+short");
    let search = words.iter().any(|word| word == "+search");
    let server = words.iter().find_map(|word| word.strip_prefix('@')).map(str::to_owned);
    let plain: Vec<&String> = words.iter().filter(|word| !word.starts_with(['+', '@', '-'])).collect();
    let is_kind = |word: &&&String| {
        ["A", "AAAA", "SRV", "CNAME", "TXT", "PTR", "ANY"].contains(&word.to_ascii_uppercase().as_str())
    };
    let record = plain.iter().find(is_kind).map_or(DnsRecord::A, |kind| record_of(kind));
    let Some(name) = plain.iter().find(|word| !is_kind(word)).map(|name| name.to_string()) else {
        return After::Exit(1);
    };
    let op = NetOp::Resolve { record: record_for(&name, record), name: name.clone(), server, search };
    After::Net(NetTool { op, style: Style::Dig { short, name } })
}

fn print_dig(call: &mut ToolCall<'_, '_, '_, '_>, result: NetResult, short: bool, name: &str) -> i32 {
    let (server, full, values, status) = match result {
        NetResult::Resolved { server, name, values } => (server, name, values, "NOERROR"),
        NetResult::NoSuchName { server } => (server, name.to_owned(), Vec::new(), "NXDOMAIN"),
        _ => {
            call.out.push_str(";; communications error: timed out\n;; no servers could be reached\n");
            return 9;
        }
    };
    if short {
        call.out = values.iter().map(|value| format!("{value}\n")).collect();
        return 0;
    }
    call.out.push_str(&format!("; <<>> DiG 9.20 <<>> {name}\n;; ->>HEADER<<- opcode: QUERY, status: {status}\n\n"));
    call.out.push_str(&format!(";; QUESTION SECTION:\n;{name}.\t\tIN\tA\n\n"));
    if !values.is_empty() {
        call.out.push_str(";; ANSWER SECTION:\n");
        for value in &values {
            call.out.push_str(&format!("{full}.\t30\tIN\tA\t{value}\n"));
        }
        call.out.push('\n');
    }
    call.out.push_str(&format!(";; SERVER: {server}#53({server}) (UDP)\n"));
    0
}

pub fn getent(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let Some(name) = call.args.get(2).cloned() else { return After::Exit(2) };
    let op = NetOp::Resolve { name: name.clone(), record: DnsRecord::A, server: None, search: true };
    After::Net(NetTool { op, style: Style::Getent { name } })
}

pub fn ping(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (_, values, words) = call.flags("cwWi");
    let count = values.iter().find(|v| v.0 == 'c').and_then(|v| v.1.parse().ok());
    let Some(host) = words.first().cloned() else { return After::Exit(1) };
    let left = count.unwrap_or(u32::MAX);
    let op = NetOp::Ping { host: host.clone() };
    After::Net(NetTool { op, style: Style::Ping { host, left, sent: 0, received: 0 } })
}

pub fn nc(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (flags, values, words) = call.flags("wpe");
    if flags.contains('l') {
        call.complain("listening is not simulated");
        return After::Exit(1);
    }
    let [host, port] = words.as_slice() else { return After::Exit(1) };
    let Ok(port) = port.parse() else {
        call.complain(&format!("bad port '{port}'"));
        return After::Exit(1);
    };
    let (host, payload) = (host.clone(), !flags.contains('z'));
    if payload && call.input.is_none() {
        return After::NeedInput;
    }
    let timeout_ns = values.iter().find(|value| value.0 == 'w').map_or(130 * SECOND, |value| seconds(&value.1));
    let request = match call.input.take().filter(|_| payload) {
        Some(input) => Request::tcp(&host, port, input.trim_end()),
        None => Request::connect(&host, port),
    };
    let style = Style::Connect { verbose: flags.contains('v'), payload };
    After::Net(NetTool { op: NetOp::Request { request, timeout_ns }, style })
}

fn print_connect(
    call: &mut ToolCall<'_, '_, '_, '_>,
    result: NetResult,
    op: &NetOp,
    verbose: bool,
    payload: bool,
) -> i32 {
    let NetOp::Request { request, .. } = op else { return 1 };
    let (host, port) = (&request.host, request.port);
    let NetResult::Finished { ip, outcome } = result else {
        call.complain(&format!("bad address '{host}'"));
        return 1;
    };
    let ip = ip.unwrap_or_else(|| host.clone());
    let failure = match outcome {
        Outcome::Answered { body, .. } => {
            if verbose {
                call.err.push_str(&format!("{host} ({ip}:{port}) open\n"));
            }
            if payload && !body.is_empty() {
                call.out.push_str(&body);
                call.out.push('\n');
            }
            return 0;
        }
        Outcome::Refused => "Connection refused",
        Outcome::TimedOut => "Connection timed out",
        Outcome::Unreachable => "No route to host",
        Outcome::Reset => "Connection reset by peer",
        Outcome::UnknownHost => {
            call.complain(&format!("bad address '{host}'"));
            return 1;
        }
    };
    call.complain(&format!("{host} ({ip}:{port}): {failure}"));
    1
}
