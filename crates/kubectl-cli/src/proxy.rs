//! `kubectl proxy`: a local port whose requests go to the API server with the user's credentials.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use kubectl::Proxy;
use regex_lite::Regex;

use crate::config::Settings;
use crate::connection::Connection;
use crate::wire::{PAUSE, Wire};

const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What a proxy lets through.
struct Filter {
    hosts: Vec<Regex>,
    paths: Vec<Regex>,
}

/// Listens until the program is ended.
pub fn run(connection: &Connection, proxy: &Proxy) -> io::Result<i32> {
    let compiled = |patterns: &[String]| patterns.iter().map(|text| Regex::new(text)).collect::<Result<Vec<_>, _>>();
    let filter = match (compiled(&proxy.accepted_hosts), compiled(&proxy.rejected_paths)) {
        (Ok(hosts), Ok(paths)) => Filter { hosts, paths },
        (Err(why), _) | (_, Err(why)) => {
            eprintln!("Error compiling re: {why}");
            return Ok(255);
        }
    };
    let listener = match TcpListener::bind((proxy.address.as_str(), proxy.port)) {
        Ok(listener) => listener,
        Err(error) => {
            let why = if error.kind() == ErrorKind::AddrInUse { "bind: address already in use" } else { "bind" };
            eprintln!("error: listen tcp {}:{}: {why}", proxy.address, proxy.port);
            return Ok(1);
        }
    };
    println!("Starting to serve on {}", listener.local_addr()?);
    io::stdout().flush()?;
    let (settings, identity) = (connection.settings(), &connection.identity());
    std::thread::scope(|scope| {
        for stream in listener.incoming().flatten() {
            let filter = &filter;
            // A client that goes away has had enough.
            scope.spawn(move || drop(answer(settings, identity, proxy, filter, stream)));
        }
    });
    Ok(0)
}

/// Passes one request on, and what comes back until one side ends.
fn answer(
    settings: &Settings,
    identity: &[(&'static str, String)],
    proxy: &Proxy,
    filter: &Filter,
    mut local: TcpStream,
) -> io::Result<()> {
    let Some((head, rest)) = read_head(&mut local)? else { return Ok(()) };
    let mut lines = head.split("\r\n");
    let mut request = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (request.next().unwrap_or_default(), request.next().unwrap_or_default());
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ").or(line.split_once(':'))).collect();
    let host = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host")).map_or("", |(_, value)| value.trim());
    let host_name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let bare = path.split('?').next().unwrap_or_default();
    let accepts_host = filter.hosts.is_empty() || filter.hosts.iter().any(|pattern| pattern.is_match(host_name));
    if !accepts_host || filter.paths.iter().any(|pattern| pattern.is_match(bare)) {
        return refuse(&mut local, "403 Forbidden", "Forbidden\n");
    }
    let Some(path) = path.strip_prefix(&proxy.prefix) else {
        return refuse(&mut local, "404 Not Found", "404 page not found\n");
    };
    let server = settings.context.server.split_once("://").map_or("", |(_, rest)| rest).trim_end_matches('/');
    let mut out = format!("{method} {path} HTTP/1.1\r\nHost: {server}\r\n");
    let upgrades = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("upgrade"));
    for (name, value) in &headers {
        let is_own = ["host", "authorization"].iter().any(|own| name.eq_ignore_ascii_case(own));
        if !is_own && (upgrades || !name.eq_ignore_ascii_case("connection")) {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    // One request a connection: what follows would need to be looked at too.
    if !upgrades {
        out.push_str("Connection: close\r\n");
    }
    identity.iter().for_each(|(name, value)| out.push_str(&format!("{name}: {value}\r\n")));
    let mut wire = Wire::open(settings)?;
    wire.write(format!("{out}\r\n").as_bytes())?;
    wire.write(&rest)?;
    relay(&mut wire, &mut Wire::over(local)?)
}

/// Passes bytes on in both directions until one side ends.
fn relay(server: &mut Wire, client: &mut Wire) -> io::Result<()> {
    while let (Some(asked), Some(answered)) = (client.read(), server.read()) {
        if asked.is_empty() && answered.is_empty() {
            std::thread::sleep(PAUSE);
        }
        server.write(&asked)?;
        client.write(&answered)?;
    }
    Ok(())
}

/// The head of a request without its last blank line, and what came behind it.
fn read_head(local: &mut TcpStream) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut head = Vec::new();
    let mut bytes = vec![0; 4096];
    loop {
        if let Some(at) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = head.split_off(at + 4);
            head.truncate(at);
            return Ok(Some((String::from_utf8_lossy(&head).into_owned(), rest)));
        }
        let length = local.read(&mut bytes)?;
        if length == 0 || head.len() > HEAD_BYTES_MAX {
            return Ok(None);
        }
        head.extend(&bytes[..length]);
    }
}

fn refuse(local: &mut TcpStream, status: &str, text: &str) -> io::Result<()> {
    let length = text.len();
    local.write_all(
        format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}")
            .as_bytes(),
    )
}
