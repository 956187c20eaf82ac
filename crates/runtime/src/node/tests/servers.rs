use super::*;
use expect_test::{Expect, expect};

fn image(name: &str) -> ContainerConfig {
    ContainerConfig { image: name.to_owned(), ..ContainerConfig::default() }
}

fn ask(runtime: &mut Runtime, now: SimTime, request: &Request) -> String {
    let sandbox = runtime.sandboxes()[0].id;
    let reply = runtime.serve(now, sandbox, request);
    let calls: Vec<String> = reply
        .downstream
        .iter()
        .map(|call| {
            format!(" -> {}:{} {}{}", call.request.host, call.request.port, call.request.path, call.request.body)
        })
        .collect();
    match reply.outcome {
        Outcome::Answered { status, body, .. } => format!("{status} {}{}", body.trim(), calls.concat()),
        other => format!("{other:?}"),
    }
}

fn check(config: ContainerConfig, requests: &[Request], expected: Expect) {
    let mut runtime = node();
    let id = start(&mut runtime, 0, config).expect("starts");
    advance_to(&mut runtime, 30 * SECOND);
    let mut text: Vec<String> = requests.iter().map(|request| ask(&mut runtime, 30 * SECOND, request)).collect();
    text.push(log_text(&runtime, id));
    text.push(format!("{:?}", runtime.container(id).map(|status| (status.state, status.exit_code))));
    expected.assert_eq(&text.join("\n"));
}

#[test]
fn nginx() {
    check(
        image("nginx:1.27"),
        &[Request::get("web", 80, "/50x.html"), Request::get("web", 80, "/nope"), Request::get("web", 8080, "/")],
        expect![[r#""#]],
    );
}

#[test]
fn redis_keeps_its_data() {
    let tcp = |text: &str| Request::tcp("redis", 6379, text);
    check(
        image("redis:7"),
        &[tcp("PING"), tcp("SET a 1"), tcp("INCR a"), tcp("GET a"), tcp("GET b"), tcp("FOO")],
        expect![[r#""#]],
    );
}

#[test]
fn databases() {
    check(image("mysql:8.4"), &[Request::tcp("db", 3306, "SELECT 1")], expect![[r#""#]]);
    check(image("postgres:16"), &[], expect![[r#""#]]);
    let env = vec![("MYSQL_ROOT_PASSWORD".to_owned(), "x".to_owned())];
    let sql = |text: &str| Request::tcp("db", 3306, text);
    check(
        ContainerConfig { env, ..image("mysql:8.4") },
        &[sql("SELECT 1"), sql("INSERT INTO t VALUES (1,'a'),(2,'b')"), sql("SELECT * FROM t")],
        expect![[r#""#]],
    );
}

#[test]
fn apps() {
    check(
        image("gcr.io/google-samples/gb-frontend:v5"),
        &[
            Request::get("f", 80, "/"),
            Request::get("f", 80, "/guestbook.php?cmd=set&key=messages&value=a+b"),
            Request::get("f", 80, "/guestbook.php?cmd=get&key=messages"),
        ],
        expect![[r#""#]],
    );
    let env =
        [("PORT", "8080"), ("CURRENCY_SERVICE_ADDR", "currencyservice:7000"), ("AD_SERVICE_ADDR", "adservice:9555")];
    let env = env.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    check(
        ContainerConfig {
            env,
            ..image("us-central1-docker.pkg.dev/google-samples/microservices-demo/frontend:v0.10.3")
        },
        &[Request::get("f", 8080, "/"), Request::get("f", 8080, "/_healthz")],
        expect![[r#""#]],
    );
    check(image("gcr.io/google-samples/hello-app:2.0"), &[Request::get("h", 8080, "/")], expect![[r#""#]]);
    check(
        ContainerConfig { args: strings(&["-text=apple"]), ..image("hashicorp/http-echo") },
        &[Request::get("h", 5678, "/")],
        expect![[r#""#]],
    );
    check(
        ContainerConfig { ports: vec![9000], ..image("example.com/team/app:v3") },
        &[Request::get("h", 9000, "/"), Request::get("h", 80, "/")],
        expect![[r#""#]],
    );
}

#[test]
fn liveness_fails_after_ten_seconds() {
    let args = strings(&["liveness"]);
    check(
        ContainerConfig { args, ..image("registry.k8s.io/e2e-test-images/agnhost:2.40") },
        &[Request::get("h", 8080, "/healthz")],
        expect![[r#""#]],
    );
}

#[test]
fn a_shell_may_start_the_server() {
    let script = "echo hello > /usr/share/nginx/html/index.html && exec nginx -g 'daemon off;'";
    check(
        ContainerConfig { command: strings(&["sh", "-c", script]), ..image("nginx:alpine") },
        &[Request::get("h", 80, "/")],
        expect![[r#""#]],
    );
}

#[test]
fn settings_from_annotations() {
    let settings = Settings { exit_after_ns: Some(5 * SECOND), exit_code: Some(9), ..Settings::default() };
    check(ContainerConfig { settings, ..image("nginx") }, &[], expect![[r#""#]]);
    let settings = Settings { error_per_mille: Some(1000), calls: strings(&["api:8080/x"]), ..Settings::default() };
    check(ContainerConfig { settings, ..image("nginx") }, &[Request::get("h", 80, "/")], expect![[r#""#]]);
}

#[test]
fn stopping() {
    let mut text = String::new();
    for name in ["nginx", "redis", "python:3.12", "registry.k8s.io/pause:3.10", "node:22"] {
        let mut runtime = node();
        let id = start(&mut runtime, 0, image(name)).expect("starts");
        advance_to(&mut runtime, 5 * SECOND);
        runtime.stop_container(5 * SECOND, id, 30 * SECOND).expect("exists");
        advance_to(&mut runtime, 60 * SECOND);
        let status = runtime.container(id).expect("exists");
        let took = status.finished_at.unwrap_or(0) - 5 * SECOND;
        text.push_str(&format!("{name}: {} {} after {} ms\n", status.exit_code, status.reason, took / MILLISECOND));
    }
    expect![[r#""#]].assert_eq(&text);
}
