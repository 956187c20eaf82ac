//! `agnhost`: the tests' image. `liveness`, `netexec`, `serve-hostname`, `porter`, `pause`, `test-webserver`, and the
//! [`webhook`]s.

use super::{Service, Surroundings, webhook};
use crate::{Outcome, Request, SECOND, SimTime};

fn mode(argv: &[String]) -> &str {
    match crate::tools::base_name(argv.first().map_or("", String::as_str)) {
        "liveness" | "server" => "liveness",
        _ => match crate::tools::base_name(argv.get(1).map_or("", String::as_str)) {
            "server" => "liveness",
            mode => mode,
        },
    }
}

/// Where it listens.
pub fn ports(argv: &[String], declared: &[u16]) -> Vec<u16> {
    match mode(argv) {
        "liveness" | "netexec" => vec![8080],
        "serve-hostname" => vec![9376],
        "pause" | "" => Vec::new(),
        "guestbook" => vec![80],
        "webhook" | "crd-conversion-webhook" => vec![443],
        "porter" if !declared.is_empty() => declared.to_vec(),
        _ if !declared.is_empty() => declared.to_vec(),
        _ => vec![80],
    }
}

/// What an answer takes beyond the usual.
pub fn delay(argv: &[String], request: &Request) -> u64 {
    if mode(argv) == "webhook" { webhook::delay(request.path_only()) } else { 0 }
}

pub fn start(service: &mut Service, around: &mut Surroundings<'_>) {
    if mode(&service.argv) == "pause" {
        around.log("Paused");
    }
}

pub fn serve(service: &mut Service, now: SimTime, request: &Request, around: &mut Surroundings<'_>) -> Outcome {
    const HEALTHY_NS: u64 = 10 * SECOND;
    let age = now.saturating_sub(service.started_at);
    let path = request.path_only();
    match (mode(&service.argv), path) {
        ("webhook", _) => webhook::serve(&service.argv, request, false),
        ("crd-conversion-webhook", _) => webhook::serve(&service.argv, request, true),
        ("liveness", "/healthz") if age > HEALTHY_NS => {
            Outcome::answer(500, format!("error: {}.{:09}", age / SECOND, age % SECOND))
        }
        ("liveness", _) => Outcome::answer(200, "ok"),
        ("netexec", "/hostname" | "/hostName") | ("serve-hostname", _) => {
            Outcome::answer(200, around.sandbox.hostname.clone())
        }
        ("netexec", "/clientip") => Outcome::answer(200, format!("{}:40000", request.client_ip)),
        ("netexec", "/echo") => Outcome::answer(200, request.query("msg").unwrap_or_default()),
        ("netexec", "/healthz") => Outcome::answer(200, "ok"),
        ("netexec", "/exit") => {
            let code = request.query("code").and_then(|code| code.parse().ok()).unwrap_or(0);
            service.ends_at = Some((now + 1, code));
            Outcome::answer(200, "")
        }
        ("netexec", "/") => Outcome::answer(200, format!("NOW: {now}")),
        ("porter", _) => {
            let value = (around.env)(&format!("SERVE_PORT_{}", request.port));
            Outcome::answer(200, value.unwrap_or_default())
        }
        ("test-webserver", _) => match around.view.read(path) {
            Ok(content) => Outcome::answer(200, String::from_utf8_lossy(&content).into_owned()),
            Err(_) => Outcome::answer(404, "404 page not found\n"),
        },
        _ => Outcome::answer(404, "404 page not found\n"),
    }
}
