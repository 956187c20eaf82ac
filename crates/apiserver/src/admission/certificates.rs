//! CertificateApproval, CertificateSigning and CertificateSubjectRestriction: who may decide on a request for a
//! certificate. Upstream: `plugin/pkg/admission/certificates`.

use api::object::Tree;
use api::x509::CertificateRequest;
use api::{Object, Status, Subresource, Verb};

use super::Attributes;
use crate::authorization::{self, Attributes as Access, MASTERS};
use crate::registry::certificate_signing_request::{stamp_conditions, stamp_requester};
use crate::storage::Storage;

const GROUP: &str = "certificates.k8s.io";
const CLIENT_SIGNER: &str = "kubernetes.io/kube-apiserver-client";

pub(super) fn admit(
    _storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    _old: Option<&dyn Object>,
) -> Result<(), Status> {
    if attributes.kind.group == GROUP
        && attributes.verb == Verb::Create
        && let Some(request) = object.downcast_mut::<Tree>()
    {
        stamp_requester(request, attributes.user());
    }
    Ok(())
}

/// Subresources are not mutated by plugins: the stage before storage stamps the conditions.
pub(super) fn stamp(attributes: &Attributes, object: &mut dyn Object) {
    let decides = attributes.is(Subresource::Approval) || attributes.is(Subresource::Status);
    if attributes.kind.group == GROUP
        && decides
        && let Some(request) = object.downcast_mut::<Tree>()
    {
        stamp_conditions(request, attributes.context.now);
    }
}

pub(super) fn validate(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    if attributes.kind.group != GROUP {
        return Ok(());
    }
    let Some(request) = object.downcast_ref::<Tree>() else { return Ok(()) };
    let signer = request.text("/spec/signerName");
    let refuse = |why: String| Err(Status::forbidden(attributes.kind, object.name(), &why));
    if attributes.verb == Verb::Create && signer == CLIENT_SIGNER && names_masters(request.text("/spec/request")) {
        return refuse(format!("use of {CLIENT_SIGNER} signer with {MASTERS} group is not allowed"));
    }
    let certificate = |tree: &Tree| tree.text("/status/certificate").to_owned();
    let signs =
        old.and_then(|old| old.downcast_ref::<Tree>()).is_some_and(|old| certificate(old) != certificate(request));
    let verb = match attributes.request.subresource {
        Subresource::Approval => "approve",
        Subresource::Status if signs => "sign",
        _ => return Ok(()),
    };
    let may = |name: &str| {
        let access = Access { verb, group: GROUP, resource: "signers", name, ..Access::default() };
        authorization::decide(storage, attributes.user(), &access).allowed
    };
    let domain = signer.split_once('/').map_or("", |(domain, _)| domain);
    if may(signer) || may(&format!("{domain}/*")) {
        return Ok(());
    }
    refuse(format!("user not permitted to {verb} requests with signerName {signer:?}"))
}

/// Whether the certificate that is asked for would be one of `system:masters`.
fn names_masters(request: &str) -> bool {
    let organizations = CertificateRequest::decode(request).map(|request| request.organizations).unwrap_or_default();
    organizations.iter().any(|group| group == MASTERS)
}
