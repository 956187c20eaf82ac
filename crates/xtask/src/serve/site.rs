//! A static host as the page expects one: right types, compressed copies, and caching by name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use tiny_http::{Header, Method, Request, Response, Server};

/// A built page under a path of the server.
pub struct Site {
    pub folder: PathBuf,
    /// Starts and ends with a slash.
    pub mount: String,
}

type Reply = Response<std::io::Cursor<Vec<u8>>>;

impl Site {
    /// Answers until the process ends.
    pub fn serve(&self, server: &Server) {
        for request in server.incoming_requests() {
            let reply = self.reply(&request);
            // A browser that goes away before its answer is nothing to report.
            let _gone = request.respond(reply);
        }
    }

    /// Serves in the background on a free port, for as long as the process runs; returns the address.
    pub fn spawn(self) -> anyhow::Result<String> {
        let server = Server::http("127.0.0.1:0").map_err(|error| anyhow!("no port to serve on: {error}"))?;
        let port = server.server_addr().to_ip().ok_or_else(|| anyhow!("the server has no port"))?.port();
        let url = format!("http://127.0.0.1:{port}{}", self.mount);
        std::thread::spawn(move || self.serve(&server));
        Ok(url)
    }

    fn reply(&self, request: &Request) -> Reply {
        if !matches!(request.method(), Method::Get | Method::Head) {
            return plain(405, "only GET and HEAD");
        }
        let path = request.url().split(['?', '#']).next().unwrap_or_default();
        let Some(name) = path.strip_prefix(self.mount.as_str()) else {
            return plain(404, "not found");
        };
        let name = if name.is_empty() { "index.html" } else { name };
        // The folder is flat: a name with a slash or a leading dot is none of its files.
        if name.contains(['/', '\\', '%']) || name.starts_with('.') {
            return plain(404, "not found");
        }
        self.file(name, header(request, "Accept-Encoding"))
    }

    fn file(&self, name: &str, accepted: &str) -> Reply {
        let path = self.folder.join(name);
        let (coding, bytes) = match compressed(&path, accepted) {
            Some((coding, bytes)) => (Some(coding), bytes),
            None => match fs::read(&path) {
                Ok(bytes) => (None, bytes),
                Err(_) => return plain(404, "not found"),
            },
        };
        let caching = if name == "index.html" { "no-cache" } else { "public, max-age=31536000, immutable" };
        let mut reply = Response::from_data(bytes)
            .with_header(field("Content-Type", content_type(name)))
            .with_header(field("Cache-Control", caching))
            .with_header(field("Vary", "Accept-Encoding"))
            .with_header(field("X-Content-Type-Options", "nosniff"))
            // Whole bodies tell their length, which the loading bar and the browser's tools show.
            .with_chunked_threshold(usize::MAX);
        if let Some(coding) = coding {
            reply.add_header(field("Content-Encoding", coding));
        }
        reply
    }
}

/// The best compressed copy that the browser takes.
fn compressed(path: &Path, accepted: &str) -> Option<(&'static str, Vec<u8>)> {
    let takes = |coding: &str| accepted.split(',').any(|part| part.split(';').next().unwrap_or("").trim() == coding);
    [("br", "br"), ("gzip", "gz")].into_iter().filter(|(coding, _)| takes(coding)).find_map(|(coding, ending)| {
        let mut copy = path.as_os_str().to_owned();
        copy.push(".");
        copy.push(ending);
        Some((coding, fs::read(copy).ok()?))
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}

fn header<'a>(request: &'a Request, name: &'static str) -> &'a str {
    request.headers().iter().find(|header| header.field.equiv(name)).map_or("", |header| header.value.as_str())
}

fn field(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("the headers above are plain ASCII")
}

fn plain(status: u16, text: &str) -> Reply {
    Response::from_string(text).with_status_code(status)
}
