//! csrsigning: approved requests become certificates. Upstream: `pkg/controller/certificates/signer`.

use api::object::Tree;
use api::time::{MINUTE, SECOND};
use api::x509::{CERTIFICATE, encode_pem};
use api::{SimTime, Status, Subresource};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use client::Client;
use serde_json::Value;

use super::authority::{Authority, SigningKey, Terms};
use super::{Requests, add_condition, condition, is_issued, parsed, recognize, usages, write};
use crate::caches::Caches;
use crate::controller::{Event, Queue, Reconciler};

const HOUR: SimTime = 60 * MINUTE;
/// `--cluster-signing-duration`
const LONGEST: SimTime = 365 * 24 * HOUR;
const SHORTEST: SimTime = 10 * MINUTE;
/// Clocks differ.
const BACKDATED: SimTime = 5 * MINUTE;
/// What lives no longer than this ends when it is said to, though it began before.
const SHORT: SimTime = 8 * HOUR;

#[derive(Clone)]
pub struct SigningController {
    requests: Requests,
    authority: Authority,
}

impl SigningController {
    pub fn new(key: &SigningKey) -> SigningController {
        SigningController { requests: Requests::default(), authority: Authority::new(key) }
    }
}

impl Reconciler for SigningController {
    type Key = String;
    const NAME: &'static str = "certificatesigningrequest-signing-controller";
    const KIND: &'static str = "CertificateSigningRequest";
    const WORKERS: usize = 5;

    fn observe(&mut self, event: &Event, _caches: &Caches, queue: &mut Queue<String>) {
        if let Some(name) = self.requests.observe(event) {
            queue.add(name);
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        _caches: &Caches,
        client: &mut Client,
        _queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(request) = self.requests.get(key) else { return Ok(()) };
        let is_open = condition(request, "Denied").is_none() && condition(request, "Failed").is_none();
        if is_issued(request) || condition(request, "Approved").is_none() || !is_open {
            return Ok(());
        }
        let (wanted, usages) = (parsed(request)?, usages(request));
        match recognize::check(request.text("/spec/signerName"), &wanted, &usages) {
            None => return Ok(()),
            Some(Err(why)) => {
                let failed = ["Failed", "SignerValidationFailure", &why];
                return add_condition(client, request, Subresource::Status, failed);
            }
            Some(Ok(())) => {}
        }
        let lasts = lasts(request);
        let begins = client.now().saturating_sub(BACKDATED);
        let ends = if lasts < SHORT { client.now() + lasts } else { begins + lasts };
        let terms = Terms { serial: [client.random(), client.random()], begins, ends, usages: &usages };
        let certificate = encode_pem(CERTIFICATE, &self.authority.sign(&wanted, &terms));
        write(client, request, Subresource::Status, "certificate", BASE64.encode(certificate).into())
    }
}

/// As long as is asked for, within reason.
fn lasts(request: &Tree) -> SimTime {
    let seconds = request.at("/spec/expirationSeconds").and_then(Value::as_u64);
    seconds.map_or(LONGEST, |seconds| (seconds * SECOND).clamp(SHORTEST, LONGEST))
}
