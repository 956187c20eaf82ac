//! kubectl without a server.

use std::process::{Command, Output, Stdio};

fn kubectl(line: &[&str]) -> (i32, String, String) {
    kubectl_with(concat!(env!("CARGO_TARGET_TMPDIR"), "/none"), line)
}

fn kubectl_with(config: &str, line: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl"));
    let command = command.env("KUBECONFIG", config).env("HOME", config).args(line).stdin(Stdio::null());
    let Output { status, stdout, stderr } = command.output().expect("kubectl runs");
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

/// What kubectl complains of when it is to reach a server as this user.
fn complaint(name: &str, user: &str, flags: &[&str]) -> String {
    let file = format!("{}/{name}.kubeconfig", env!("CARGO_TARGET_TMPDIR"));
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         clusters: [{{name: k, cluster: {{server: 'https://127.0.0.1:1', insecure-skip-tls-verify: true}}}}]\n\
         contexts: [{{name: c, context: {{cluster: k, user: u}}}}]\nusers: [{{name: u, user: {user}}}]\n"
    );
    std::fs::write(&file, config).expect("a folder for files");
    let (code, said, complaint) = kubectl_with(&file, &[&["get", "pods"], flags].concat());
    assert_eq!(code, 1, "{said}");
    complaint
}

#[test]
fn it_refuses_what_contradicts_itself() {
    assert_eq!(
        complaint("both", "{token: t}", &["--username=n"]),
        "error: more than one authentication method found for u; found [token basicAuth], only one is allowed\n"
    );
    assert_eq!(
        complaint("files", "{token: t}", &["--client-certificate=/no/cert", "--client-key=/no/key"]),
        "Error in configuration: \n\
         * unable to read client-cert /no/cert for u due to open /no/cert: no such file or directory\n\
         * unable to read client-key /no/key for u due to open /no/key: no such file or directory\n"
    );
    assert_eq!(
        complaint("authority", "{token: t}", &["--certificate-authority=/no/ca"]),
        "error: unable to read certificate-authority /no/ca for k due to open /no/ca: no such file or directory\n"
    );
    assert_eq!(
        complaint("scheme", "{token: t}", &["--server=ftp://a"]),
        "Unable to connect to the server: unsupported protocol scheme \"ftp\"\n"
    );
}

#[test]
fn programs_are_asked_for_credentials() {
    let exec = |rest: &str| {
        format!("{{exec: {{apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, {rest}}}}}")
    };
    assert_eq!(
        complaint("fails", &exec("command: 'false'"), &[]),
        "Unable to connect to the server: getting credentials: exec: executable false failed with exit code 1\n"
    );
    let answer =
        r#"{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"}}"#;
    let good = exec(&format!("command: echo, args: ['{answer}']"));
    let refused = "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?\n";
    assert!(complaint("answers", &good, &[]).ends_with(refused));
    assert_eq!(
        complaint("provider", "{auth-provider: {name: other}}", &[]),
        "error: no Auth Provider found for name \"other\"\n"
    );
    assert_eq!(complaint("nobody", "{}", &[]), "error: EOF\n");
}
