//! nginx and httpd: files of a directory, with the access log.

use super::nginx_config::{Action, Config};
use super::{Service, Surroundings, status_text};
use crate::images::spec::{Behaviour, FileServer};
use crate::tools::format_date;
use crate::{Call, Outcome, Request, SECOND, Signal, SimTime};

pub fn start(service: &mut Service, kind: FileServer, around: &mut Surroundings<'_>) {
    match kind {
        FileServer::Nginx => {
            for line in [
                "/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration",
                "/docker-entrypoint.sh: Configuration complete; ready for start up",
            ] {
                around.log(line);
            }
            let date = format_date(around.node, service.started_at, "%Y/%m/%d %H:%M:%S");
            around.log_error(format!("{date} [notice] 1#1: using the \"epoll\" event method"));
            around.log_error(format!("{date} [notice] 1#1: nginx/{}", version(around)));
            around.log_error(format!("{date} [notice] 1#1: start worker processes"));
        }
        FileServer::Httpd => {
            let ip = around.sandbox.ip.clone().unwrap_or_else(|| "127.0.0.1".to_owned());
            around.log_error(format!(
                "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using {ip}. \
                 Set the 'ServerName' directive globally to suppress this message"
            ));
            let date = format_date(around.node, service.started_at, "%a %b %d %H:%M:%S.000000 %Y");
            let version = version(around);
            around.log_error(format!(
                "[{date}] [mpm_event:notice] [pid 1:tid 1] AH00489: Apache/{version} (Unix) configured -- resuming normal operations"
            ));
        }
    }
}

fn version(around: &Surroundings<'_>) -> String {
    let tag: String = around.image.tag.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    match tag.as_str() {
        "" => "1.29.3".to_owned(),
        tag => tag.to_owned(),
    }
}

/// The call that a `proxy_pass` makes of a request.
pub fn proxied(config: &Config, request: &Request) -> Option<Call> {
    const TIMEOUT_NS: u64 = 60 * SECOND;
    let Action::Proxy { host, port, path } = config.action(request.port, request.path_only())? else { return None };
    let path = path.unwrap_or_else(|| request.path.clone());
    let request = Request { host, port, path, ..request.clone() };
    Some(Call { request, required: false, timeout_ns: TIMEOUT_NS })
}

/// Answers with a file, and logs that.
pub fn serve(
    now: SimTime,
    request: &Request,
    root: &str,
    kind: FileServer,
    config: Option<&Config>,
    around: &mut Surroundings<'_>,
) -> Outcome {
    let path = request.path_only();
    let configured = config.and_then(|config| config.action(request.port, path));
    let own_root = match configured {
        Some(Action::Return { status, body }) => return Outcome::answer(status, body),
        Some(Action::Proxy { .. }) => return Outcome::answer(200, ""),
        Some(Action::Root(root)) => Some(root),
        None => None,
    };
    let root = own_root.as_deref().unwrap_or(root);
    let mut file = format!("{root}{path}");
    let mut location = None;
    if around.view.is_dir(&file) {
        if !path.ends_with('/') {
            location = Some(format!("http://{}{path}/", request.host));
        }
        file = format!("{}/index.html", file.trim_end_matches('/'));
    }
    let escapes = path.split('/').any(|name| name == "..");
    let (status, body) = match around.view.read(&file) {
        _ if escapes => (400, error_page(400, kind, around)),
        _ if location.is_some() => (301, error_page(301, kind, around)),
        _ if !matches!(request.method.as_str(), "GET" | "HEAD" | "POST") => (405, error_page(405, kind, around)),
        Ok(_) if request.method == "POST" && kind == FileServer::Nginx => (405, error_page(405, kind, around)),
        Ok(content) => (200, String::from_utf8_lossy(&content).into_owned()),
        Err(_) if path.ends_with('/') => (403, error_page(403, kind, around)),
        Err(_) => (404, error_page(404, kind, around)),
    };
    let date = format_date(around.node, now, "%d/%b/%Y:%H:%M:%S +0000");
    let client = if request.client_ip.is_empty() { "127.0.0.1" } else { &request.client_ip };
    let agent = request.headers.iter().find(|(name, _)| name == "User-Agent").map_or("-", |(_, value)| value);
    if status >= 400 && kind == FileServer::Nginx && status != 405 {
        let when = format_date(around.node, now, "%Y/%m/%d %H:%M:%S");
        let (what, why) = if status == 403 {
            (format!("directory index of \"{root}{path}\" is forbidden"), "")
        } else {
            (format!("open() \"{file}\" failed"), " (2: No such file or directory)")
        };
        around.log_error(format!(
            "{when} [error] 29#29: *1 {what}{why}, client: {client}, server: localhost, request: \"{} {} HTTP/1.1\", host: \"{}\"",
            request.method, request.path, request.host
        ));
    }
    let line = match kind {
        FileServer::Nginx => format!(
            "{client} - - [{date}] \"{} {} HTTP/1.1\" {status} {} \"-\" \"{agent}\" \"-\"",
            request.method,
            request.path,
            body.len()
        ),
        FileServer::Httpd => {
            format!("{client} - - [{date}] \"{} {} HTTP/1.1\" {status} {}", request.method, request.path, body.len())
        }
    };
    around.log(line);
    let server = match kind {
        FileServer::Nginx => format!("nginx/{}", version(around)),
        FileServer::Httpd => format!("Apache/{} (Unix)", version(around)),
    };
    let content_type = match file.rsplit('.').next() {
        Some("html" | "htm") => "text/html",
        Some("css") => "text/css",
        Some("js") => "application/javascript",
        Some("json") => "application/json",
        Some("txt") => "text/plain",
        _ if status != 200 => "text/html",
        _ => "application/octet-stream",
    };
    let mut headers = vec![("Server".to_owned(), server), ("Content-Type".to_owned(), content_type.to_owned())];
    headers.push(("Content-Length".to_owned(), body.len().to_string()));
    headers.extend(location.map(|location| ("Location".to_owned(), location)));
    Outcome::Answered { status, headers, body }
}

fn error_page(status: u16, kind: FileServer, around: &Surroundings<'_>) -> String {
    let text = format!("{status} {}", status_text(status));
    match kind {
        FileServer::Nginx => format!(
            "<html>\r\n<head><title>{text}</title></head>\r\n<body>\r\n<center><h1>{text}</h1></center>\r\n\
             <hr><center>nginx/{}</center>\r\n</body>\r\n</html>\r\n",
            version(around)
        ),
        FileServer::Httpd => format!(
            "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>{text}</title>\n</head><body>\n\
             <h1>{}</h1>\n</body></html>\n",
            status_text(status)
        ),
    }
}

/// nginx says which signal it got.
pub fn log_stop(signal: Signal, around: &mut Surroundings<'_>) {
    let Behaviour::Files { kind: FileServer::Nginx, .. } = around.image.spec.behaviour else { return };
    let (number, how) = match signal {
        Signal::Quit => (3, "SIGQUIT) received, shutting down"),
        _ => (15, "SIGTERM) received from 1, exiting"),
    };
    let date = format_date(around.node, around.view.now, "%Y/%m/%d %H:%M:%S");
    around.log_error(format!("{date} [notice] 1#1: signal {number} ({how}"));
}
