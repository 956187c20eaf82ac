//! The authority that signs clients' certificates: `--cluster-signing-cert-file` and `--cluster-signing-key-file`.
//!
//! Its key is one of Ed25519: what is signed follows from the key and the text alone, so that a cluster signs the same on
//! every target, and the code is small. Only the API server reads the signature, when a client shows its certificate.

use std::collections::BTreeSet;

use api::x509::{
    ALTERNATIVE_NAMES, COMMON_NAME, CertificateRequest, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, UTF8_STRING,
    der,
};
use api::{SimTime, time};
use ed25519_compact::{KeyPair, Seed};
use serde_json::json;

/// From which a key follows.
pub type SigningKey = [u8; 32];

const NAME: &str = "kubernetes";

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const KEY_USAGE: &[u8] = &[0x55, 29, 15];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 29, 19];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 29, 37];
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];

/// Bits of a key usage.
const DIGITAL_SIGNATURE: u8 = 0x80;
const KEY_ENCIPHERMENT: u8 = 0x20;
const CERTIFICATE_SIGN: u8 = 0x04;

/// The authority's own certificate is good for as long as two digits tell a year.
const BEGINS: &[u8] = b"250101000000Z";
const ENDS: &[u8] = b"491231235959Z";

#[derive(Clone)]
pub struct Authority {
    key: KeyPair,
}

/// What a certificate says beside what was asked for.
pub(super) struct Terms<'a> {
    pub serial: [u64; 2],
    pub begins: SimTime,
    pub ends: SimTime,
    pub usages: &'a BTreeSet<&'a str>,
}

impl Authority {
    pub fn new(key: &SigningKey) -> Authority {
        Authority { key: KeyPair::from_seed(Seed::new(*key)) }
    }

    /// Its own certificate as DER: what clients' certificates are verified by.
    pub fn certificate(&self) -> Vec<u8> {
        let validity = der(SEQUENCE, &[&der(UTC_TIME, &[BEGINS]), &der(UTC_TIME, &[ENDS])]);
        let key = der(SEQUENCE, &[&algorithm(), &der(BIT_STRING, &[&[0], self.key.pk.as_ref()])]);
        let is_authority = der(SEQUENCE, &[&der(BOOLEAN, &[&[0xff]])]);
        let extensions =
            [key_usage(DIGITAL_SIGNATURE | CERTIFICATE_SIGN), extension(BASIC_CONSTRAINTS, true, &is_authority)];
        self.signed(&[1], &validity, &issuer(), &key, &extensions.concat())
    }

    /// A certificate as DER. The usages are among those that signers sign for.
    pub(super) fn sign(&self, request: &CertificateRequest, terms: &Terms) -> Vec<u8> {
        let [high, low] = terms.serial;
        // A serial number is positive.
        let serial = [(high >> 1).to_be_bytes(), low.to_be_bytes()].concat();
        let validity = der(SEQUENCE, &[&moment(terms.begins), &moment(terms.ends)]);
        let has = |usage: &str, bit: u8| if terms.usages.contains(usage) { bit } else { 0 };
        let bits = has("digital signature", DIGITAL_SIGNATURE) | has("key encipherment", KEY_ENCIPHERMENT);
        let mut extensions = if bits == 0 { Vec::new() } else { key_usage(bits) };
        let extended = [("server auth", SERVER_AUTH), ("client auth", CLIENT_AUTH)];
        let extended = extended.into_iter().filter(|(usage, _)| terms.usages.contains(usage));
        let extended: Vec<u8> = extended.flat_map(|(_, name)| der(OBJECT_IDENTIFIER, &[name])).collect();
        extensions.extend(extension(EXTENDED_KEY_USAGE, false, &der(SEQUENCE, &[&extended])));
        extensions.extend(extension(BASIC_CONSTRAINTS, true, &der(SEQUENCE, &[])));
        if !request.alternative_names.is_empty() {
            extensions.extend(extension(ALTERNATIVE_NAMES, false, &request.alternative_names));
        }
        self.signed(&serial, &validity, &request.subject, &request.public_key, &extensions)
    }

    fn signed(&self, serial: &[u8], validity: &[u8], subject: &[u8], key: &[u8], extensions: &[u8]) -> Vec<u8> {
        let algorithm = algorithm();
        let version = der(VERSION, &[&der(INTEGER, &[&[2]])]);
        let serial = der(INTEGER, &[shortest(serial)]);
        let extensions = der(EXTENSIONS, &[&der(SEQUENCE, &[extensions])]);
        let text = der(SEQUENCE, &[&version, &serial, &algorithm, &issuer(), validity, subject, key, &extensions]);
        let signature = self.key.sk.sign(&text, None);
        der(SEQUENCE, &[&text, &algorithm, &der(BIT_STRING, &[&[0], signature.as_ref()])])
    }
}

/// Without zeros in front that say nothing.
fn shortest(mut number: &[u8]) -> &[u8] {
    while let [0, next @ ..] = number
        && next.first().is_some_and(|first| *first < 0x80)
    {
        number = next;
    }
    number
}

fn algorithm() -> Vec<u8> {
    der(SEQUENCE, &[&der(OBJECT_IDENTIFIER, &[ED25519])])
}

fn issuer() -> Vec<u8> {
    let name = [der(OBJECT_IDENTIFIER, &[COMMON_NAME]), der(UTF8_STRING, &[NAME.as_bytes()])].concat();
    der(SEQUENCE, &[&der(SET, &[&der(SEQUENCE, &[&name])])])
}

fn extension(name: &[u8], is_critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if is_critical { der(BOOLEAN, &[&[0xff]]) } else { Vec::new() };
    der(SEQUENCE, &[&der(OBJECT_IDENTIFIER, &[name]), &critical, &der(OCTET_STRING, &[value])])
}

fn key_usage(bits: u8) -> Vec<u8> {
    extension(KEY_USAGE, true, &der(BIT_STRING, &[&[bits.trailing_zeros() as u8, bits]]))
}

/// Years from 2050 on have four digits.
fn moment(at: SimTime) -> Vec<u8> {
    let stamp = json!(time::stamp(at));
    let digits = stamp.as_str().unwrap_or_default().replace(['-', ':', 'T'], "");
    if digits.as_str() < "2050" {
        der(UTC_TIME, &[&digits.as_bytes()[2..]])
    } else {
        der(GENERALIZED_TIME, &[digits.as_bytes()])
    }
}
