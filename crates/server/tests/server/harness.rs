//! A server of its own for each test, on a port of its own, ended with the test; and the least of an HTTP client.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const TOKEN: &str = "secret";
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Server {
    process: Child,
    address: String,
    directory: PathBuf,
}

/// A program of the workspace, which is built with its tests.
pub fn beside(program: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test is a program");
    test.ancestors().nth(2).expect("tests lie a folder below programs").join(program)
}

#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    /// Names in lower case.
    pub head: String,
    pub body: String,
}

impl Server {
    /// Virtual time passes ten times as fast as the wall clock.
    pub fn start(test: &str) -> Server {
        Server::start_with(test, &[])
    }

    pub fn start_with(test: &str, options: &[&str]) -> Server {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        std::fs::create_dir_all(&directory).expect("a directory for the test");
        let mut process = Command::new(beside("server"))
            .args(["--listen", "127.0.0.1:0", "--nodes", "2", "--seed", "7", "--speed", "10"])
            .args(["--token", &format!("{TOKEN}=kubernetes-admin,system:masters"), "--kubeconfig"])
            .arg(directory.join("kubeconfig"))
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("the server says that it is ready");
        let address = line.rsplit_once("://").expect("its address").1.trim().to_owned();
        Server { process, address, directory }
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.directory.join("kubeconfig")
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub fn process(&mut self) -> &mut Child {
        &mut self.process
    }

    /// A connection on which nothing has been said.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// Sends a request and reads its answer to the end; a watch needs `timeoutSeconds`.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = self.connect();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        request += &format!("Authorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        stream.write_all((request + "\r\n" + body).as_bytes()).expect("the server reads");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("the server answers in time");
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head and a body");
        let head = String::from_utf8_lossy(&bytes[..end + 2]).to_lowercase();
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
        let body = &bytes[end + 4..];
        let body = if head.contains("transfer-encoding: chunked") { joined(body) } else { body.to_vec() };
        Answer { code, head, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Asks again and again until the answer is as wished.
    pub fn until(&self, path: &str, wished: impl Fn(&Answer) -> bool) -> Answer {
        let started = Instant::now();
        loop {
            let answer = self.get(path);
            if wished(&answer) {
                return answer;
            }
            assert!(started.elapsed() < PATIENCE, "{path} does not come to be as wished: {answer:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Undoes `Transfer-Encoding: chunked`.
fn joined(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = str::from_utf8(&rest[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let (piece, tail) = rest[end + 2..].split_at(size.expect("the size of a chunk"));
        body.extend(piece);
        rest = &tail[2.min(tail.len())..];
    }
    body
}
