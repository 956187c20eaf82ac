//! The real kubectl against the server, where there is one.

use std::process::Command;

use crate::harness::Server;

const MANIFEST: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers: [{ name: web, image: 'nginx:1.27' }]
";

#[test]
fn kubectl_works() {
    if !Command::new("kubectl").args(["version", "--client"]).output().is_ok_and(|output| output.status.success()) {
        println!("no kubectl here: nothing to test");
        return;
    }
    let server = Server::start("kubectl");
    let manifest = server.directory().join("web.yaml");
    std::fs::write(&manifest, MANIFEST).expect("a file");
    let file = manifest.to_str().expect("a path in UTF-8");
    let run = |line: &[&str]| {
        let output = Command::new("kubectl")
            .env("KUBECONFIG", server.kubeconfig())
            .env("HOME", server.directory())
            .args(line)
            .output()
            .expect("kubectl runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{line:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    assert_eq!(run(&["apply", "-f", file]), "deployment.apps/web created\n");
    assert!(run(&["rollout", "status", "deployment/web", "--timeout=60s"]).ends_with("successfully rolled out\n"));
    assert_eq!(run(&["apply", "-f", file]), "deployment.apps/web unchanged\n");
    let pods = run(&["get", "pods", "--no-headers"]);
    assert_eq!(pods.lines().filter(|line| line.contains("1/1") && line.contains("Running")).count(), 2, "{pods}");
    assert!(run(&["logs", "deployment/web"]).contains("start worker process"));
    assert!(run(&["describe", "deployment", "web"]).contains("2 desired | 2 updated | 2 total | 2 available"));
    assert_eq!(run(&["exec", "deployment/web", "--", "sh", "-c", "echo hello"]), "hello\n");
    run(&["scale", "deployment/web", "--replicas=1"]);
    run(&["rollout", "restart", "deployment/web"]);
    run(&["delete", "-f", file, "--wait=true", "--timeout=60s"]);
    assert_eq!(run(&["get", "deployments", "-o", "name"]), "");
}
