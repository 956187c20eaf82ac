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
use super::{Duty, add_condition, condition, is_issued, parsed, recognize, usages, write};
use crate::controller::Queue;

const HOUR: SimTime = 60 * MINUTE;
/// `--cluster-signing-duration`
const LONGEST: SimTime = 365 * 24 * HOUR;
const SHORTEST: SimTime = 10 * MINUTE;
/// Clocks differ.
const BACKDATED: SimTime = 5 * MINUTE;
/// What lives no longer than this ends when it is said to, though it began before.
const SHORT: SimTime = 8 * HOUR;

#[derive(Clone)]
pub struct Signer {
    authority: Authority,
}

impl Signer {
    pub fn new(key: &SigningKey) -> Signer {
        Signer { authority: Authority::new(key) }
    }
}

impl Duty for Signer {
    const NAME: &'static str = "certificatesigningrequest-signing-controller";
    const WORKERS: usize = 5;

    fn look_at(&mut self, request: &Tree, client: &mut Client, _queue: &mut Queue<String>) -> Result<(), Status> {
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
