//! Clients that break off, lie, dawdle or shout: the server goes on, and the others notice nothing.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::Server;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const HEAD: &str = "Host: 127.0.0.1\r\nAuthorization: Bearer secret\r\n";
/// Who behaves is served within this, whatever the others do.
const SOON: Duration = Duration::from_secs(5);

/// Sends bytes, says that there are no more, and returns what comes back.
fn say(server: &Server, bytes: &[u8]) -> String {
    let mut stream = server.connect();
    // The server may hang up before it has heard everything.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn is_refused(answer: &str) -> bool {
    answer.is_empty() || answer.starts_with("HTTP/1.1 4")
}

fn is_well(server: &Server) {
    let asked = Instant::now();
    assert_eq!(server.get("/api/v1/namespaces/default").code, 200);
    assert!(asked.elapsed() < SOON, "an answer took {:?}", asked.elapsed());
}

#[test]
fn requests_that_break_off_or_lie_are_refused() {
    let server = Server::start("lies");
    let map = r#"{"metadata": {"name": "a"}}"#;
    let post =
        |length: &str, body: &str| format!("POST {MAPS} HTTP/1.1\r\n{HEAD}Content-Length: {length}\r\n\r\n{body}");
    let refused = [
        post("1000", map),
        post("-1", map),
        post("many", map),
        post("10", map),
        post("27\r\nContent-Length: 28", map),
        format!("POST {MAPS} HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n{map}\r\n0\r\n\r\n"),
        format!("POST {MAPS} HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n1b\r\n{map}"),
        format!("GET {MAPS} HTTP/1.1\r\n{HEAD}"),
        "GET\r\n\r\n".into(),
        "\0\0\0\0".into(),
    ];
    for request in &refused {
        let answer = say(&server, request.as_bytes());
        assert!(is_refused(&answer), "{request:?} is answered with {answer}");
    }
    assert_eq!(server.get(&format!("{MAPS}/a")).code, 404, "nothing of it was taken");
    let mut stream = server.connect();
    stream.write_all(post("5000000000000", "{").as_bytes()).expect("the server reads");
    drop(stream);
    is_well(&server);
}

#[test]
fn what_is_too_large_or_too_deep_is_refused() {
    let server = Server::start("large");
    let headers: String = (0..5000).map(|number| format!("X-{number}: a\r\n")).collect();
    for request in [
        format!("GET / HTTP/1.1\r\n{HEAD}X-Long: {}\r\n\r\n", "a".repeat(2 << 20)),
        format!("GET / HTTP/1.1\r\n{HEAD}{headers}\r\n"),
        format!("GET /{} HTTP/1.1\r\n{HEAD}\r\n", "a".repeat(1 << 20)),
    ] {
        let answer = say(&server, request.as_bytes());
        assert!(is_refused(&answer), "{answer}");
    }
    let deep = |open: &str, close: &str| open.repeat(10_000) + "1" + &close.repeat(10_000);
    let bodies = [deep("[", "]"), deep("{\"a\":", "}"), deep("{\"metadata\": [", "]}")];
    for (content_type, body) in bodies.iter().flat_map(|body| {
        ["application/json", "application/yaml", "application/merge-patch+json", "application/apply-patch+yaml"]
            .map(|content_type| (content_type, body))
    }) {
        let method = if content_type.contains("patch") { "PATCH" } else { "POST" };
        let path = if method == "PATCH" { format!("{MAPS}/kube-root-ca.crt?fieldManager=a") } else { MAPS.into() };
        let answer = server.send(method, &path, &[("Content-Type", content_type)], body);
        assert!((400..500).contains(&answer.code), "{content_type}: {answer:?}");
        assert_eq!(answer.json()["kind"], "Status");
    }
    is_well(&server);
}

#[test]
fn bytes_that_are_no_text_are_answered() {
    let server = Server::start("bytes");
    let mut state: u64 = 1;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    for number in 0..100 {
        let body: Vec<u8> = (0..200).map(|_| byte()).collect();
        let verb = ["POST", "PUT", "PATCH", "DELETE"][number % 4];
        let head = format!("{verb} {MAPS}/a HTTP/1.1\r\n{HEAD}Content-Length: 200\r\nConnection: close\r\n\r\n");
        let mut stream = server.connect();
        stream.write_all(&[head.as_bytes(), &body].concat()).expect("the server reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the server answers");
        let answer = String::from_utf8_lossy(&answer);
        // Upstream takes options that it cannot read for an error of its own.
        let code = if verb == "DELETE" { "500" } else { "4" };
        assert!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{verb}: {answer}");
        say(&server, &body);
    }
    is_well(&server);
}

#[test]
fn slow_clients_keep_nobody_waiting() {
    let server = Server::start("slow");
    let half = format!("POST {MAPS} HTTP/1.1\r\n{HEAD}Content-Length: 100\r\n");
    let beginnings = ["", "G", "GET / HTTP/1.1\r\nHost:", half.as_str(), &format!("{half}\r\n{{\"meta")];
    let dawdlers: Vec<TcpStream> = (0..200)
        .map(|number| {
            let mut stream = server.connect();
            stream.write_all(beginnings[number % beginnings.len()].as_bytes()).expect("the server reads");
            stream
        })
        .collect();
    for _ in 0..20 {
        is_well(&server);
    }
    drop(dawdlers);
    is_well(&server);
}

#[test]
fn watchers_that_vanish_or_do_not_read_are_forgotten() {
    let server = Server::start("vanished");
    let watch = format!("GET {MAPS}?watch=1 HTTP/1.1\r\n{HEAD}\r\n");
    let open = |count: usize| -> Vec<TcpStream> {
        let mut streams: Vec<TcpStream> = (0..count).map(|_| server.connect()).collect();
        for stream in &mut streams {
            stream.write_all(watch.as_bytes()).expect("the server reads");
            stream.read_exact(&mut [0; 12]).expect("the watch begins");
        }
        streams
    };
    let deaf = open(20);
    drop(open(100));
    let large = "x".repeat(200_000);
    let names: Vec<String> = (0..20).map(|number| format!("map-{number}")).collect();
    for name in &names {
        let map = json!({ "metadata": { "name": name }, "data": { "a": large } }).to_string();
        assert_eq!(server.send("POST", MAPS, &[], &map).code, 201);
    }
    is_well(&server);
    let seen = server.get(&format!("{MAPS}?watch=1&resourceVersion=0&timeoutSeconds=1"));
    let seen = seen.body.lines().map(|line| serde_json::from_str(line).expect("an event a line"));
    let seen: Vec<Value> = seen.map(|event: Value| event["object"]["metadata"]["name"].clone()).collect();
    assert!(names.iter().all(|name| seen.iter().any(|one| one == name)), "{seen:?}");
    drop(deaf);
    // They are found out when there is something to tell them.
    assert_eq!(server.send("POST", MAPS, &[], "{\"metadata\": {\"name\": \"last\"}}").code, 201);
    server.until("/metrics", |answer| answer.body.lines().any(|line| line == "apiserver_longrunning_requests 0"));
}
