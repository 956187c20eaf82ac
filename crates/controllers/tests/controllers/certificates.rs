//! CertificateSigningRequests: who gets a certificate without asking, what is signed, and what goes in time.

use crate::cluster::Cluster;
use api::types::ConfigMap;
use api::x509::{CERTIFICATE, encode_pem};
use api::{Body, Request, Response, Subresource, User, Verb, kinds};
use controllers::Config;
use controllers::certificates::Authority;
use serde_json::{Value, json};

/// `openssl req -new -subj "/O=developers/O=testers/CN=jane"`
const JANE: &str = include_str!("../../../api/testdata/jane.csr");

/// `openssl req -new -subj "/O=system:nodes/CN=system:node:node-1"`
const NODE: &str = include_str!("../../../api/testdata/node.csr");

/// The same with `-addext "subjectAltName=DNS:node-1,IP:192.168.0.11"`.
const SERVING: &str = include_str!("../../../api/testdata/serving.csr");

impl Cluster {
    fn call(&mut self, request: Request) -> Option<Value> {
        match self.local.client().call(request) {
            Ok(Response::Object(object)) => Some(object.to_value()),
            Ok(_) => None,
            Err(status) if status.is_not_found() => None,
            Err(status) => panic!("{status:?}"),
        }
    }

    fn ask(&mut self, name: &str, signer: &str, pem: &str, usages: &[&str]) {
        let encoded = json!(api::k8s_openapi::ByteString(pem.as_bytes().to_vec()));
        let spec = json!({ "signerName": signer, "usages": usages, "request": encoded, "expirationSeconds": 3600 });
        let request = json!({
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": { "name": name }, "spec": spec,
        });
        self.call(Request::of(Verb::Create, row(), "", "").body(Body::Json(request)));
        self.local.client().act_as(None);
        self.run(1);
    }

    fn ask_as_node(&mut self, name: &str, pem: &str) {
        self.local.client().act_as(Some(User::new("system:node:node-1", &["system:nodes"])));
        let signer = "kubernetes.io/kube-apiserver-client-kubelet";
        self.ask(name, signer, pem, &["client auth", "digital signature"]);
    }

    fn get(&mut self, name: &str) -> Option<Value> {
        self.call(Request::of(Verb::Get, row(), "", name))
    }

    fn approve(&mut self, name: &str) {
        let mut request = self.get(name).unwrap();
        request["status"]["conditions"] = json!([{ "type": "Approved", "status": "True", "reason": "Fine" }]);
        self.call(Request::of(Verb::Update, row(), "", name).on(Subresource::Approval).body(Body::Json(request)));
        self.run(1);
    }

    fn conditions(&mut self, name: &str) -> Vec<String> {
        let request = self.get(name).unwrap();
        let conditions = request["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let text = |condition: &Value| {
            let part = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
            format!("{} {}: {}", part("type"), part("reason"), part("message"))
        };
        conditions.iter().map(text).collect()
    }

    fn certificate(&mut self, name: &str) -> Option<String> {
        let certificate = self.get(name)?["status"].get("certificate")?.clone();
        let bytes: api::k8s_openapi::ByteString = serde_json::from_value(certificate).ok()?;
        String::from_utf8(bytes.0).ok()
    }
}

fn row() -> api::KindId {
    kinds::by_kind("certificates.k8s.io/v1", "CertificateSigningRequest").unwrap().id
}

#[test]
fn what_is_approved_is_signed() {
    let mut cluster = Cluster::new();
    let signer = "kubernetes.io/kube-apiserver-client";
    cluster.ask("jane", signer, JANE, &["client auth"]);
    assert_eq!(cluster.certificate("jane"), None, "nobody has approved it");
    cluster.approve("jane");
    let certificate = cluster.certificate("jane").expect("a certificate");
    assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----\n"), "{certificate}");
    // The same cluster signs the same.
    let mut again = Cluster::new();
    again.ask("jane", signer, JANE, &["client auth"]);
    again.approve("jane");
    assert_eq!(again.certificate("jane"), Some(certificate));

    cluster.ask("odd", signer, JANE, &["client auth", "server auth"]);
    cluster.approve("odd");
    assert_eq!(cluster.certificate("odd"), None);
    let failed = "Failed SignerValidationFailure: invalid usage for client certificate: server auth";
    assert_eq!(cluster.conditions("odd")[1], failed);

    let serving = "kubernetes.io/kubelet-serving";
    cluster.ask("serving", serving, SERVING, &["digital signature", "server auth"]);
    cluster.approve("serving");
    assert!(cluster.certificate("serving").is_some());
    cluster.ask("nameless", serving, NODE, &["digital signature", "server auth"]);
    cluster.approve("nameless");
    let failed = "Failed SignerValidationFailure: DNS or IP subjectAltName is required";
    assert_eq!(cluster.conditions("nameless")[1], failed);

    cluster.ask("foreign", "example.com/mine", JANE, &["client auth"]);
    cluster.approve("foreign");
    assert_eq!((cluster.certificate("foreign"), cluster.conditions("foreign").len()), (None, 1));
}

#[test]
fn a_kubelet_s_own_certificate_needs_nobody() {
    let mut cluster = Cluster::new();
    cluster.ask_as_node("own", NODE);
    cluster.ask_as_node("other", JANE);
    // An installer binds the role of nodes that renew their own; nobody else does.
    assert_eq!(cluster.conditions("own"), Vec::<String>::new());
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": "renew" },
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
            "name": "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
        },
        "subjects": [{ "kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:nodes" }],
    });
    let kind = kinds::by_kind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding").unwrap().id;
    cluster.call(Request::of(Verb::Create, kind, "", "").body(Body::Json(binding)));
    cluster.ask_as_node("again", NODE);
    let approved = "Approved AutoApproved: Auto approving self kubelet client certificate after SubjectAccessReview.";
    assert_eq!(cluster.conditions("again"), [approved]);
    assert!(cluster.certificate("again").is_some());
    assert_eq!(cluster.conditions("other"), Vec::<String>::new(), "that is no kubelet's");
}

#[test]
fn requests_go_in_time() {
    let mut cluster = Cluster::new();
    cluster.ask("pending", "example.com/mine", JANE, &["client auth"]);
    cluster.ask("issued", "kubernetes.io/kube-apiserver-client", JANE, &["client auth"]);
    cluster.approve("issued");
    cluster.ask("unsigned", "example.com/mine", JANE, &["client auth"]);
    cluster.approve("unsigned");
    cluster.run(2 * 3600);
    let names = ["pending", "issued", "unsigned"];
    assert_eq!(names.map(|name| cluster.get(name).is_some()), [true, false, true]);
    cluster.run(24 * 3600);
    assert_eq!(names.map(|name| cluster.get(name).is_some()), [false, false, true]);
}

#[test]
fn an_authority_is_its_key() {
    let [one, other] = [[1; 32], [2; 32]].map(|key| Authority::new(&key).certificate());
    assert_eq!(one, Authority::new(&[1; 32]).certificate());
    assert_ne!(one, other);
    assert_eq!(one[0], 0x30);
}

#[test]
fn every_namespace_has_the_certificate_of_the_authority() {
    let mut cluster = Cluster::new();
    cluster.run(5);
    let map = cluster.local.server.peek::<ConfigMap>("default", "kube-root-ca.crt").expect("it is published");
    let authority = Authority::new(&Config::default().signing_key).certificate();
    assert_eq!(map.data.as_ref().expect("data")["ca.crt"], encode_pem(CERTIFICATE, &authority));
}
