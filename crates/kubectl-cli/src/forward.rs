//! `kubectl port-forward`: local ports, each connection to which is a WebSocket to the Pod's port.

use std::io::{self, ErrorKind, Write as _};
use std::net::{TcpListener, TcpStream};

use kubectl::Forward;

use crate::config::Settings;
use crate::connection::Connection;
use crate::path::encoded;
use crate::websocket::Socket;
use crate::wire::{PAUSE, Wire};

const DATA: u8 = 0;
const ERROR: u8 = 1;

/// Listens until the program is ended.
pub fn run(connection: &Connection, forward: &Forward) -> io::Result<i32> {
    let mut listeners = Vec::new();
    for (local, remote) in &forward.ports {
        let mut errors = Vec::new();
        let mut port = *local;
        let before = listeners.len();
        for address in forward.addresses.iter().flat_map(|address| addresses(address)) {
            let family = if address.contains(':') { "tcp6" } else { "tcp4" };
            let shown = if family == "tcp6" { format!("[{address}]") } else { address.to_owned() };
            match TcpListener::bind((address, port)) {
                Ok(listener) => {
                    port = listener.local_addr()?.port();
                    println!("Forwarding from {shown}:{port} -> {remote}");
                    listeners.push((listener, *remote));
                }
                Err(error) => {
                    let why =
                        if error.kind() == ErrorKind::AddrInUse { "bind: address already in use" } else { "bind" };
                    errors.push(format!("unable to create listener: Error listen {family} {shown}:{port}: {why}"));
                }
            }
        }
        if listeners.len() == before {
            println!(
                "Unable to listen on port {local}: Listeners failed to create with the following errors: [{}]",
                errors.join(" ")
            );
        }
    }
    if listeners.is_empty() {
        let pairs: Vec<String> = forward.ports.iter().map(|(local, remote)| format!("{{{local} {remote}}}")).collect();
        eprintln!("error: unable to listen on any of the requested ports: [{}]", pairs.join(" "));
        return Ok(1);
    }
    io::stdout().flush()?;
    let base =
        format!("/api/v1/namespaces/{}/pods/{}/portforward?ports=", encoded(&forward.namespace), encoded(&forward.pod));
    std::thread::scope(|scope| {
        for (listener, remote) in &listeners {
            let path = format!("{base}{remote}");
            let (settings, headers) = (connection.settings(), connection.identity());
            scope.spawn(move || {
                for stream in listener.incoming().flatten() {
                    println!("Handling connection for {}", listener.local_addr().map_or(0, |address| address.port()));
                    let (path, headers) = (path.clone(), headers.clone());
                    scope.spawn(move || {
                        if let Err(why) = carry(settings, &path, &headers, stream) {
                            eprintln!("error forwarding port {remote} to pod: {why}");
                        }
                    });
                }
            });
        }
    });
    Ok(0)
}

/// What `localhost` stands for.
fn addresses(address: &str) -> Vec<&str> {
    if address == "localhost" { vec!["127.0.0.1", "::1"] } else { vec![address] }
}

/// Passes bytes on in both directions until one side ends.
fn carry(settings: &Settings, path: &str, headers: &[(&'static str, String)], local: TcpStream) -> Result<(), String> {
    let broken = |error: io::Error| error.to_string();
    let mut socket = Socket::open(settings, path, headers).map_err(|status| status.message)?;
    let mut local = Wire::over(local).map_err(broken)?;
    let mut is_announced = [false; 2];
    while let (Some(bytes), Some(messages)) = (local.read(), socket.messages()) {
        if bytes.is_empty() && messages.is_empty() {
            std::thread::sleep(PAUSE);
        }
        if !bytes.is_empty() {
            socket.send(DATA, &bytes).map_err(broken)?;
        }
        for message in messages {
            let [channel @ (DATA | ERROR), payload @ ..] = message.as_slice() else { continue };
            // Each channel begins with its port.
            if !std::mem::replace(&mut is_announced[usize::from(*channel)], true) {
                continue;
            }
            if *channel == ERROR {
                return Err(String::from_utf8_lossy(payload).into_owned());
            }
            local.write(payload).map_err(broken)?;
        }
    }
    Ok(())
}
