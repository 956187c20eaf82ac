//! CertificateSigningRequest. Upstream: `pkg/apis/certificates` and `pkg/registry/certificates`.
//!
//! Differs: that the request is signed with its own key is not checked.

use std::borrow::Cow;

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::validate::{DNS_1123_LABEL_LENGTH_MAX, DNS_1123_SUBDOMAIN_LENGTH_MAX, dns1123_label, dns1123_subdomain};
use api::x509::CertificateRequest;
use api::{SimTime, User, time};
use serde_json::{Value, json};

use super::admission_rules::{items, text, texts};
use super::rules::IMMUTABLE;
use crate::strategy::TreeStrategy;

pub(super) struct CertificateSigningRequest;

const LEGACY_SIGNER: &str = "kubernetes.io/legacy-unknown";

/// In the order in which upstream lists them.
const USAGES: [&str; 23] = [
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

impl TreeStrategy for CertificateSigningRequest {
    const GROUP: &'static str = "certificates.k8s.io";
    const KIND: &'static str = "CertificateSigningRequest";
    const HAS_STATUS: bool = true;
    const FIELDS: &'static [&'static str] = &["spec.signerName"];

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let (spec, path) = (object.get("spec").unwrap_or(&Value::Null), Path::new("spec"));
        let request = path.child("request");
        if let Err(why) = CertificateRequest::decode(text(spec, "request")) {
            errors.push(match text(spec, "request") {
                "" => Error::invalid_verbatim(&request, "null", why),
                given => Error::invalid(&request, given, why),
            });
        }
        let usages = path.child("usages");
        let given = texts(spec, "usages");
        if given.is_empty() {
            errors.push(Error::required(&usages, "usages is required"));
        }
        for (index, usage) in given.iter().enumerate() {
            if !USAGES.contains(usage) {
                errors.push(Error::not_supported(&usages.index(index), *usage, &USAGES));
            }
            if given[..index].contains(usage) {
                errors.push(Error::duplicate(&usages.index(index), *usage));
            }
        }
        let signer = text(spec, "signerName");
        let signer_path = path.child("signerName");
        if signer == LEGACY_SIGNER {
            let why = "the legacy signerName is not allowed via this API version";
            errors.push(Error::invalid(&signer_path, signer, why));
        } else {
            signer_name(signer, &signer_path, &mut errors);
        }
        if let Some(seconds) = spec.get("expirationSeconds").and_then(Value::as_i64).filter(|seconds| *seconds < 600) {
            let why = "may not specify a duration less than 600 seconds (10 minutes)";
            errors.push(Error::invalid(&path.child("expirationSeconds"), seconds, why));
        }
        errors
    }

    fn prepare_for_update(object: &mut Tree, old: &Tree) {
        object.set("spec", old.get("spec").cloned());
        object.set("status", old.get("status").cloned());
    }

    fn validate_update(_object: &Tree, _old: &Tree) -> Errors {
        Errors::new()
    }

    fn validate_status_update(object: &Tree, old: &Tree) -> Errors {
        let mut errors = Errors::new();
        let status = Path::new("status");
        let conditions = status.child("conditions");
        let of = |tree: &Tree| items(tree.get("status").unwrap_or(&Value::Null), "conditions").to_vec();
        let (new, old_conditions) = (of(object), of(old));
        for kind in ["Approved", "Denied", "Failed"] {
            let had = old_conditions.iter().any(|condition| text(condition, "type") == kind);
            if had && !new.iter().any(|condition| text(condition, "type") == kind) {
                let why = format!("updates may not remove a condition of type {kind:?}");
                errors.push(Error::forbidden(&conditions, why));
            }
        }
        let approved = new.iter().any(|condition| text(condition, "type") == "Approved");
        for (index, condition) in new.iter().enumerate() {
            let path = conditions.index(index);
            let kind = text(condition, "type");
            if kind.is_empty() {
                errors.push(Error::required(&path.child("type"), ""));
            }
            match text(condition, "status") {
                "" => errors.push(Error::required(&path.child("status"), "")),
                "True" | "False" | "Unknown" if !matches!(kind, "Approved" | "Denied" | "Failed") => {}
                "True" => {}
                other => errors.push(Error::not_supported(&path.child("status"), other, &["True"])),
            }
            if kind == "Denied" && approved {
                let why = "Approved and Denied conditions are mutually exclusive";
                errors.push(Error::invalid(&path.child("type"), kind, why));
            }
        }
        let certificate = |tree: &Tree| tree.text("/status/certificate").to_owned();
        if !certificate(old).is_empty() && certificate(object) != certificate(old) {
            errors.push(Error::invalid(&status.child("certificate"), certificate(object), IMMUTABLE));
        }
        errors
    }

    fn field<'a>(object: &'a Tree, name: &str) -> Cow<'a, str> {
        if name == "spec.signerName" { object.text("/spec/signerName").into() } else { "".into() }
    }
}

/// `ValidateSignerName`
fn signer_name(signer: &str, path: &Path, errors: &mut Errors) {
    if signer.is_empty() {
        return errors.push(Error::required(path, ""));
    }
    let [domain, name] = signer.split('/').collect::<Vec<_>>()[..] else {
        let why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        return errors.push(Error::invalid(path, signer, why));
    };
    // Of the labels of each part only the first that is wrong is told.
    let labels = |part: &str, wrong: fn(&str) -> Vec<String>, errors: &mut Errors| {
        let found = part.split('.').map(|label| (label, wrong(label))).find(|(_, complaints)| !complaints.is_empty());
        for why in found.iter().flat_map(|(_, complaints)| complaints) {
            let label = found.as_ref().map_or("", |(label, _)| label);
            errors.push(Error::invalid(path, part, format!("validating label {label:?}: {why}")));
        }
    };
    if domain.len() > DNS_1123_SUBDOMAIN_LENGTH_MAX {
        errors.push(Error::too_long(path, DNS_1123_SUBDOMAIN_LENGTH_MAX));
    }
    labels(domain, dns1123_label, errors);
    if !domain.contains('.') {
        let why = "should be a domain with at least two segments separated by dots";
        errors.push(Error::invalid(path, domain, why));
    }
    labels(name, dns1123_subdomain, errors);
    let max = 2 * DNS_1123_SUBDOMAIN_LENGTH_MAX + DNS_1123_LABEL_LENGTH_MAX + 2;
    if signer.len() > max {
        errors.push(Error::too_long(path, max));
    }
}

/// A request carries who made it.
pub(crate) fn stamp_requester(object: &mut Tree, user: &User) {
    let Some(spec) = object.fields_mut().get_mut("spec").and_then(Value::as_object_mut) else { return };
    spec.insert("username".into(), user.name.clone().into());
    spec.insert("groups".into(), json!(user.groups));
    for (field, value) in [("uid", json!(user.uid)), ("extra", json!(user.extra))] {
        match value == json!("") || value == json!({}) {
            true => spec.remove(field),
            false => spec.insert(field.into(), value),
        };
    }
}

/// New conditions say when they came.
pub(crate) fn stamp_conditions(object: &mut Tree, now: SimTime) {
    let conditions = object.fields_mut().get_mut("status").and_then(|status| status.get_mut("conditions"));
    for condition in conditions.and_then(Value::as_array_mut).into_iter().flatten() {
        for field in ["lastUpdateTime", "lastTransitionTime"] {
            if condition.get(field).is_none_or(Value::is_null) {
                condition[field] = json!(time::stamp(now));
            }
        }
    }
}
