//! kubectl without a server.

use std::process::{Command, Output};

fn kubectl(line: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl"));
    let nowhere = concat!(env!("CARGO_TARGET_TMPDIR"), "/none");
    let Output { status, stdout, stderr } =
        command.env("KUBECONFIG", nowhere).env("HOME", nowhere).args(line).output().expect("kubectl runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

#[test]
fn it_says_its_version() {
    let (code, said, _) = kubectl(&["version", "--client"]);
    assert_eq!(code, 0);
    assert!(said.starts_with("Client Version: v1."), "{said}");
}

#[test]
fn it_cannot_reach_a_server_that_is_not_there() {
    let (code, said, complaint) = kubectl(&["get", "pods", "--server", "http://127.0.0.1:1"]);
    assert_eq!((code, said.as_str()), (1, ""));
    let last = "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?\n";
    assert!(complaint.ends_with(last), "{complaint}");
}

#[test]
fn it_makes_objects_up_by_itself() {
    let line = ["create", "configmap", "m", "--from-literal=a=b", "--dry-run=client", "-o", "jsonpath={.data}"];
    assert_eq!(kubectl(&line), (0, "{\"a\":\"b\"}".into(), String::new()));
    let (code, _, complaint) = kubectl(&["create", "configmap"]);
    assert_eq!(code, 1);
    assert!(complaint.starts_with("error: exactly one NAME is required, got 0\n"), "{complaint}");
}
