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
        Outcome::Answered { status, body, .. } => {
            format!("{status} {}{}", body.trim().replace('\r', ""), calls.concat())
        }
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
        expect![[r#"
            200 <h1>An error occurred.</h1>
            404 <html>
            <head><title>404 Not Found</title></head>
            <body>
            <center><h1>404 Not Found</h1></center>
            <hr><center>nginx/1.27</center>
            </body>
            </html>
            Refused
            /docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration
            /docker-entrypoint.sh: Configuration complete; ready for start up
            2026/01/01 00:00:00 [notice] 1#1: using the "epoll" event method
            2026/01/01 00:00:00 [notice] 1#1: nginx/1.27
            2026/01/01 00:00:00 [notice] 1#1: start worker processes
            127.0.0.1 - - [01/Jan/2026:00:00:30 +0000] "GET /50x.html HTTP/1.1" 200 28 "-" "-" "-"
            2026/01/01 00:00:30 [error] 29#29: *1 open() "/usr/share/nginx/html/nope" failed (2: No such file or directory), client: 127.0.0.1, server: localhost, request: "GET /nope HTTP/1.1", host: "web"
            127.0.0.1 - - [01/Jan/2026:00:00:30 +0000] "GET /nope HTTP/1.1" 404 151 "-" "-" "-"

            Some((Running, 0))"#]],
    );
}

#[test]
fn nginx_with_its_own_configuration() {
    let script = "cat > /etc/nginx/conf.d/default.conf <<'EOF'
upstream api { server api-svc:9000; }
server {
  listen 8080; # not 80
  location / { return 200 'fine\\n'; }
  location /api/ { proxy_pass http://api; }
}
EOF
nginx -g 'daemon off;'";
    check(
        ContainerConfig { command: strings(&["sh", "-c", script]), ..image("nginx") },
        &[Request::get("h", 80, "/"), Request::get("h", 8080, "/"), Request::get("h", 8080, "/api/users?id=1")],
        expect![[r#"
            Refused
            200 fine
            200  -> api-svc:9000 /api/users?id=1
            /docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration
            /docker-entrypoint.sh: Configuration complete; ready for start up
            2026/01/01 00:00:00 [notice] 1#1: using the "epoll" event method
            2026/01/01 00:00:00 [notice] 1#1: nginx/1.29.3
            2026/01/01 00:00:00 [notice] 1#1: start worker processes

            Some((Running, 0))"#]],
    );
}

/// The cost of a plain server container: a thousand are created and started, and none needs attention later.
#[test]
fn many_plain_servers() {
    let mut runtime = node();
    let pull = runtime.pull_image(0, "nginx");
    let sandbox = sandbox(&mut runtime);
    for _ in 0..1000 {
        let id = runtime.create_container(pull.finished_at, sandbox, image("nginx")).expect("the image is there");
        runtime.start_container(pull.finished_at, id).expect("nginx starts");
    }
    assert_eq!(runtime.poll_timeout(), None, "idle servers need no attention");
    assert_eq!(runtime.containers().len(), 1000);
}

#[test]
fn redis_keeps_its_data() {
    let tcp = |text: &str| Request::tcp("redis", 6379, text);
    check(
        image("redis:7"),
        &[tcp("PING"), tcp("SET a 1"), tcp("INCR a"), tcp("GET a"), tcp("GET b"), tcp("FOO")],
        expect![[r#"
            200 PONG
            200 OK
            200 2
            200 2
            200 
            200 ERR unknown command 'FOO'
            1:C 01 Jan 2026 00:00:00.000 * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo
            1:M 01 Jan 2026 00:00:00.000 * Running mode=standalone, port=6379.
            1:M 01 Jan 2026 00:00:00.000 * Server initialized
            1:M 01 Jan 2026 00:00:00.000 * Ready to accept connections tcp

            Some((Running, 0))"#]],
    );
}

#[test]
fn databases() {
    check(
        image("mysql:8.4"),
        &[Request::tcp("db", 3306, "SELECT 1")],
        expect![[r#"
        Refused
        [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified
            You need to specify one of the following as an environment variable:
            - MYSQL_ROOT_PASSWORD
            - MYSQL_ALLOW_EMPTY_PASSWORD
            - MYSQL_RANDOM_ROOT_PASSWORD

        Some((Exited, 1))"#]],
    );
    check(
        image("postgres:16"),
        &[],
        expect![[r#"
        Error: Database is uninitialized and superuser password is not specified.
               You must specify POSTGRES_PASSWORD to a non-empty value for the
               superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".

               You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all
               connections without a password. This is *not* recommended.

               See PostgreSQL documentation about "trust":
               https://www.postgresql.org/docs/current/auth-trust.html

        Some((Exited, 1))"#]],
    );
    let env = vec![("MYSQL_ROOT_PASSWORD".to_owned(), "x".to_owned())];
    let sql = |text: &str| Request::tcp("db", 3306, text);
    check(
        ContainerConfig { env, ..image("mysql:8.4") },
        &[sql("SELECT 1"), sql("INSERT INTO t VALUES (1,'a'),(2,'b')"), sql("SELECT * FROM t")],
        expect![[r#"
            200 1
            1
            200 
            200 1	a
            2	b
            2026-01-01T00:00:19.000000Z 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.4'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  MySQL Community Server - GPL.

            Some((Running, 0))"#]],
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
        expect![[r#"
            200 <html ng-app="redis">
              <head>
                <title>Guestbook</title>
              </head>
              <body>
                <h2>Guestbook</h2>
              </body>
            </html>
            200 <html ng-app="redis">
              <head>
                <title>Guestbook</title>
              </head>
              <body>
                <h2>Guestbook</h2>
              </body>
            </html> -> redis-leader:6379 /SET messages a b
            200 <html ng-app="redis">
              <head>
                <title>Guestbook</title>
              </head>
              <body>
                <h2>Guestbook</h2>
              </body>
            </html> -> redis-follower:6379 /GET messages

            Some((Running, 0))"#]],
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
        expect![[r#"
            200 <!DOCTYPE html>
            <html lang="en">
            <head><title>Online Boutique</title></head>
            <body><h1>Online Boutique</h1></body>
            </html> -> currencyservice:7000 /hipstershop.CurrencyService/GetSupportedCurrencies -> adservice:9555 /hipstershop.AdService/GetAds
            200 <!DOCTYPE html>
            <html lang="en">
            <head><title>Online Boutique</title></head>
            <body><h1>Online Boutique</h1></body>
            </html>

            Some((Running, 0))"#]],
    );
    check(
        image("gcr.io/google-samples/hello-app:2.0"),
        &[Request::get("h", 8080, "/")],
        expect![[r#"
        200 Hello, world!
        Version: 2.0
        Hostname: web

        Some((Running, 0))"#]],
    );
    check(
        ContainerConfig { args: strings(&["-text=apple"]), ..image("hashicorp/http-echo") },
        &[Request::get("h", 5678, "/")],
        expect![[r#"
            200 apple

            Some((Running, 0))"#]],
    );
    check(
        ContainerConfig { ports: vec![9000], ..image("example.com/team/app:v3") },
        &[Request::get("h", 9000, "/"), Request::get("h", 80, "/")],
        expect![[r#"
            200 Hello from web
            Refused

            Some((Running, 0))"#]],
    );
}

#[test]
fn liveness_fails_after_ten_seconds() {
    let args = strings(&["liveness"]);
    check(
        ContainerConfig { args, ..image("registry.k8s.io/e2e-test-images/agnhost:2.40") },
        &[Request::get("h", 8080, "/healthz")],
        expect![[r#"
            500 error: 29.664000000

            Some((Running, 0))"#]],
    );
}

#[test]
fn a_shell_may_start_the_server() {
    let script = "echo hello > /usr/share/nginx/html/index.html && exec nginx -g 'daemon off;'";
    check(
        ContainerConfig { command: strings(&["sh", "-c", script]), ..image("nginx:alpine") },
        &[Request::get("h", 80, "/")],
        expect![[r#"
            200 hello
            /docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration
            /docker-entrypoint.sh: Configuration complete; ready for start up
            2026/01/01 00:00:00 [notice] 1#1: using the "epoll" event method
            2026/01/01 00:00:00 [notice] 1#1: nginx/1.29.3
            2026/01/01 00:00:00 [notice] 1#1: start worker processes
            127.0.0.1 - - [01/Jan/2026:00:00:30 +0000] "GET / HTTP/1.1" 200 6 "-" "-" "-"

            Some((Running, 0))"#]],
    );
}

#[test]
fn settings_from_annotations() {
    let settings = Settings { exit_after_ns: Some(5 * SECOND), exit_code: Some(9), ..Settings::default() };
    check(
        ContainerConfig { settings, ..image("nginx") },
        &[],
        expect![[r#"
        /docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration
        /docker-entrypoint.sh: Configuration complete; ready for start up
        2026/01/01 00:00:00 [notice] 1#1: using the "epoll" event method
        2026/01/01 00:00:00 [notice] 1#1: nginx/1.29.3
        2026/01/01 00:00:00 [notice] 1#1: start worker processes

        Some((Exited, 9))"#]],
    );
    let settings = Settings { error_per_mille: Some(1000), calls: strings(&["api:8080/x"]), ..Settings::default() };
    check(
        ContainerConfig { settings, ..image("nginx") },
        &[Request::get("h", 80, "/")],
        expect![[r#"
        500 Internal Server Error
        /docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration
        /docker-entrypoint.sh: Configuration complete; ready for start up
        2026/01/01 00:00:00 [notice] 1#1: using the "epoll" event method
        2026/01/01 00:00:00 [notice] 1#1: nginx/1.29.3
        2026/01/01 00:00:00 [notice] 1#1: start worker processes

        Some((Running, 0))"#]],
    );
}

#[test]
fn stopping() {
    let mut text = String::new();
    for name in ["nginx", "redis", "haproxy:3.0", "registry.k8s.io/pause:3.10", "jenkins/jenkins:lts"] {
        let mut runtime = node();
        let id = start(&mut runtime, 0, image(name)).expect("starts");
        advance_to(&mut runtime, 5 * SECOND);
        runtime.stop_container(5 * SECOND, id, 30 * SECOND).expect("exists");
        advance_to(&mut runtime, 60 * SECOND);
        let status = runtime.container(id).expect("exists");
        let took = status.finished_at.unwrap_or(0).saturating_sub(5 * SECOND);
        text.push_str(&format!("{name}: {} {} after {} ms\n", status.exit_code, status.reason, took / MILLISECOND));
    }
    expect![[r#"
        nginx: 0 Completed after 30 ms
        redis: 0 Completed after 60 ms
        haproxy:3.0: 143 Error after 100 ms
        registry.k8s.io/pause:3.10: 0 Completed after 1 ms
        jenkins/jenkins:lts: 143 Error after 800 ms
    "#]]
    .assert_eq(&text);
}
