//! Whether a request is one that a signer signs, and what is wrong with it where it is not. Upstream:
//! `pkg/apis/certificates/helpers.go` and `pkg/controller/certificates/signer`.

use std::collections::BTreeSet;

use api::x509::CertificateRequest;

use super::{CLIENT, KUBELET_CLIENT, KUBELET_SERVING};

const CLIENT_AUTH: &str = "client auth";
const DIGITAL_SIGNATURE: &str = "digital signature";
const KEY_ENCIPHERMENT: &str = "key encipherment";
const SERVER_AUTH: &str = "server auth";

/// `None`: no signer here has that name.
pub(super) fn check(signer: &str, request: &CertificateRequest, usages: &BTreeSet<&str>) -> Option<Result<(), String>> {
    match signer {
        CLIENT => Some(client(usages)),
        KUBELET_CLIENT => Some(kubelet_client(request, usages)),
        KUBELET_SERVING => Some(kubelet_serving(request, usages)),
        _ => None,
    }
}

fn client(usages: &BTreeSet<&str>) -> Result<(), String> {
    for usage in usages {
        if ![DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, CLIENT_AUTH].contains(usage) {
            return Err(format!("invalid usage for client certificate: {usage}"));
        }
    }
    match usages.contains(CLIENT_AUTH) {
        true => Ok(()),
        false => Err(format!("missing required usage for client certificate: {CLIENT_AUTH}")),
    }
}

/// `ValidateKubeletClientCSR`
pub(super) fn kubelet_client(request: &CertificateRequest, usages: &BTreeSet<&str>) -> Result<(), String> {
    is_of_nodes(request)?;
    for (count, what) in
        [(request.dns_names, "DNS"), (request.emails, "Email"), (request.addresses, "IP"), (request.uris, "URI")]
    {
        none(count, what)?;
    }
    is_a_node(request)?;
    exact(usages, CLIENT_AUTH)
}

/// `ValidateKubeletServingCSR`
fn kubelet_serving(request: &CertificateRequest, usages: &BTreeSet<&str>) -> Result<(), String> {
    is_of_nodes(request)?;
    if request.dns_names == 0 && request.addresses == 0 {
        return Err("DNS or IP subjectAltName is required".into());
    }
    none(request.emails, "Email")?;
    none(request.uris, "URI")?;
    exact(usages, SERVER_AUTH)?;
    is_a_node(request)
}

fn is_of_nodes(request: &CertificateRequest) -> Result<(), String> {
    let is_right = request.organizations == ["system:nodes"];
    is_right.then_some(()).ok_or_else(|| "subject organization is not system:nodes".into())
}

fn is_a_node(request: &CertificateRequest) -> Result<(), String> {
    let is_right = request.common_name.starts_with("system:node:");
    is_right.then_some(()).ok_or_else(|| "subject common name does not begin with system:node: ".into())
}

fn none(count: usize, what: &str) -> Result<(), String> {
    if count == 0 { Ok(()) } else { Err(format!("{what} subjectAltNames are not allowed")) }
}

/// For what a kubelet uses a certificate. Only keys of RSA encipher others.
fn exact(usages: &BTreeSet<&str>, auth: &str) -> Result<(), String> {
    let wanted = BTreeSet::from([auth, DIGITAL_SIGNATURE, KEY_ENCIPHERMENT]);
    let without = BTreeSet::from([auth, DIGITAL_SIGNATURE]);
    if *usages == wanted || *usages == without {
        return Ok(());
    }
    let wanted: Vec<&str> = wanted.into_iter().collect();
    Err(format!("usages did not match [{}]", wanted.join(" ")))
}
