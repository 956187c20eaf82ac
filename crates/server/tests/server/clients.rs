//! Official client libraries against the server, where they are installed.

use std::path::Path;
use std::process::{Command, Output};

use crate::harness::Server;

#[test]
fn the_python_client_works() {
    let mut probe = Command::new("python3");
    if !succeeds(probe.args(["-c", "import kubernetes"])) {
        println!("skipped: python3 has no module \"kubernetes\"");
        return;
    }
    check("python3", "client.py", &Server::start("python"));
}

#[test]
fn the_javascript_client_works() {
    let mut probe = Command::new("node");
    if !succeeds(probe.args(["-e", "require.resolve('@kubernetes/client-node', { paths: [process.cwd()] })"])) {
        println!("skipped: node does not find the package \"@kubernetes/client-node\" from here");
        return;
    }
    // It refuses to speak plain HTTP.
    check("node", "client.mjs", &Server::start_with("javascript", &["--tls"]));
}

/// kube-rs is compiled on demand only: see `clients/kube-rs/Cargo.toml`.
#[test]
fn the_kube_rs_client_works() {
    let Some(program) = std::env::var_os("KUBE_RS_CLIENT") else {
        println!("skipped: KUBE_RS_CLIENT names no program");
        return;
    };
    let server = Server::start_with("kube-rs", &["--tls"]);
    assert_ok(Command::new(program).arg(server.kubeconfig()));
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn check(program: &str, script: &str, server: &Server) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/clients").join(script);
    assert_ok(Command::new(program).arg(script).arg(server.kubeconfig()));
}

/// The client is content when it says so last.
fn assert_ok(client: &mut Command) {
    let Output { status, stdout, stderr } = client.output().expect("the client runs");
    assert!(status.success() && stdout.ends_with(b"ok\n"), "{}", String::from_utf8_lossy(&stderr));
}
