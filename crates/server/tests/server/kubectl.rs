//! kubectl against the server: the real one where it is installed, and ours where it is built.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::harness::{Server, beside};

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

/// Runs a test with every kubectl that there is.
fn with_each(test: impl Fn(&Kubectl)) {
    for program in [PathBuf::from("kubectl"), beside("kubectl")] {
        let version = Command::new(&program).args(["version", "--client"]).output();
        if version.is_ok_and(|output| output.status.success()) {
            test(&Kubectl(program));
        } else {
            println!("skipped: there is no {}", program.display());
        }
    }
}

struct Kubectl(PathBuf);

impl Kubectl {
    fn command(&self, server: &Server, line: &[&str]) -> Command {
        let mut command = Command::new(&self.0);
        command.env("KUBECONFIG", server.kubeconfig()).env("HOME", server.directory()).args(line);
        command
    }

    fn run(&self, server: &Server, line: &[&str]) -> String {
        let output = self.command(server, line).output().expect("kubectl runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{line:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }
}

#[test]
fn typed_commands_and_documents() {
    with_each(|kubectl| {
        let server = Server::start("kubectl-typed");
        let run = |line: &[&str]| kubectl.run(&server, line);
        assert_eq!(run(&["create", "namespace", "dev"]), "namespace/dev created\n");
        assert_eq!(run(&["create", "serviceaccount", "bot", "-n", "dev"]), "serviceaccount/bot created\n");
        let line = ["create", "deployment", "web", "--image=nginx:1.27", "--replicas=0", "-n", "dev"];
        assert_eq!(run(&line), "deployment.apps/web created\n");
        assert_eq!(run(&["get", "deployment", "web", "-n", "dev", "-o", "jsonpath={.spec.replicas}"]), "0");
        let line = ["create", "secret", "generic", "s", "--from-literal=a=\u{1}b", "-n", "dev"];
        assert_eq!(run(&line), "secret/s created\n");
        assert_eq!(run(&["get", "secret", "s", "-n", "dev", "-o", "jsonpath={.data.a}"]), "AWI=");
        assert!(run(&["explain", "pod.spec.containers.resources"]).contains("FIELD: resources <ResourceRequirements>"));
        // Schemas hold schemas.
        assert!(run(&["explain", "crd", "--recursive"]).contains("not\t<JSONSchemaProps>"));
        let old = run(&["explain", "pod.spec.containers.resources", "--output=plaintext-openapiv2"]);
        assert!(
            old.contains("RESOURCE: resources <Object>") && old.contains("   limits\t<map[string]string>"),
            "{old}"
        );
        assert!(run(&["get", "--raw", "/readyz?verbose"]).contains("readyz check passed"));
    });
}

#[test]
fn certificates_are_trusted_both_ways() {
    with_each(|kubectl| {
        let server = Server::start_with("kubectl-tls", &["--tls"]);
        let map = ["get", "configmap", "kube-root-ca.crt", "-o", "jsonpath={.data.ca\\.crt}"];
        let config = ["config", "view", "--raw", "-o", "jsonpath={.clusters[0].cluster.certificate-authority-data}"];
        let decoded = BASE64.decode(kubectl.run(&server, &config)).expect("base64");
        assert_eq!(kubectl.run(&server, &map).as_bytes(), decoded);
        assert!(kubectl.run(&server, &["get", "namespaces", "-o", "name"]).contains("namespace/kube-system\n"));
    });
}

#[test]
fn ports_are_forwarded() {
    with_each(|kubectl| {
        let server = Server::start("kubectl-forward");
        kubectl.run(&server, &["create", "deployment", "web", "--image=nginx:1.27"]);
        kubectl.run(&server, &["rollout", "status", "deployment/web", "--timeout=60s"]);
        let mut forward = kubectl.command(&server, &["port-forward", "deployment/web", ":80"]);
        let mut forward = forward.stdout(Stdio::piped()).spawn().expect("kubectl runs");
        // kubectl goes on writing: the pipe stays open.
        let mut said = BufReader::new(forward.stdout.take().expect("a pipe"));
        let mut line = String::new();
        said.read_line(&mut line).expect("kubectl says where it listens");
        let address = line.split_whitespace().nth(2).expect("an address").to_owned();
        for _ in 0..2 {
            let mut stream = TcpStream::connect(&address).expect("kubectl listens");
            stream.write_all(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n").expect("kubectl reads");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("the Pod answers");
            assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("Welcome to nginx"), "{answer}");
        }
        forward.kill().expect("kubectl runs until then");
        forward.wait().expect("it ends");
    });
}

#[test]
fn kubectl_works() {
    with_each(|kubectl| {
        let server = Server::start("kubectl");
        let manifest = server.directory().join("web.yaml");
        std::fs::write(&manifest, MANIFEST).expect("a file");
        let file = manifest.to_str().expect("a path in UTF-8");
        let run = |line: &[&str]| kubectl.run(&server, line);
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
    });
}

#[test]
fn a_certificate_that_the_cluster_signs_lets_its_holder_in() {
    with_each(|kubectl| {
        let server = Server::start_with("kubectl-csr", &["--tls", "--speed", "1"]);
        let run = |line: &[&str]| kubectl.run(&server, line);
        let file = |name: &str| server.directory().join(name);
        let path = |name: &str| file(name).to_string_lossy().into_owned();
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, "jane");
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "developers");
        let pem = params.serialize_request(&key).and_then(|request| request.pem()).expect("a request");
        let spec = serde_json::json!({
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": { "name": "jane" },
            "spec": {
                "request": api::k8s_openapi::ByteString(pem.into_bytes()),
                "signerName": "kubernetes.io/kube-apiserver-client",
                "usages": ["client auth"],
            },
        });
        std::fs::write(file("csr.json"), spec.to_string()).expect("a file");
        run(&["apply", "-f", &path("csr.json")]);
        assert!(run(&["get", "csr", "jane"]).contains("Pending"));
        run(&["certificate", "approve", "jane"]);
        run(&["wait", "csr/jane", "--for=jsonpath={.status.certificate}", "--timeout=30s"]);
        assert!(run(&["get", "csr", "jane"]).contains("Approved,Issued"));

        let certificate = run(&["get", "csr", "jane", "-o", "go-template={{.status.certificate | base64decode}}"]);
        std::fs::write(file("jane.crt"), certificate).expect("a file");
        std::fs::write(file("jane.key"), key.serialize_pem()).expect("a file");
        let credentials = [
            "config",
            "set-credentials",
            "jane",
            "--client-certificate",
            &path("jane.crt"),
            "--client-key",
            &path("jane.key"),
        ];
        run(&credentials);
        let who = run(&["--user", "jane", "auth", "whoami", "-o", "jsonpath={.status.userInfo}"]);
        assert!(who.contains("\"username\":\"jane\"") && who.contains("developers"), "{who}");
    });
}
