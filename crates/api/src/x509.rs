//! X.509 as far as the API server and a certificate authority read and write it: PEM, DER, and requests for certificates
//! (PKCS #10). Upstream: Go's `crypto/x509` and `encoding/pem`.
//!
//! Differs: a request's own signature is not checked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

pub const REQUEST: &str = "CERTIFICATE REQUEST";
pub const CERTIFICATE: &str = "CERTIFICATE";

pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const OCTET_STRING: u8 = 0x04;
pub const UTF8_STRING: u8 = 0x0c;

/// The contents of object identifiers.
pub const COMMON_NAME: &[u8] = &[0x55, 4, 3];
pub const ORGANIZATION: &[u8] = &[0x55, 4, 10];
pub const SERIAL_NUMBER: &[u8] = &[0x55, 4, 5];
pub const COUNTRY: &[u8] = &[0x55, 4, 6];
pub const LOCALITY: &[u8] = &[0x55, 4, 7];
pub const PROVINCE: &[u8] = &[0x55, 4, 8];
pub const STREET: &[u8] = &[0x55, 4, 9];
pub const ORGANIZATIONAL_UNIT: &[u8] = &[0x55, 4, 11];
pub const POSTAL_CODE: &[u8] = &[0x55, 4, 17];
pub const ALTERNATIVE_NAMES: &[u8] = &[0x55, 29, 17];
const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];

/// Context tags of a general name.
pub const EMAIL: u8 = 0x81;
pub const DNS: u8 = 0x82;
pub const URI: u8 = 0x86;
pub const IP: u8 = 0x87;

/// What somebody wants a certificate for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRequest {
    pub common_name: String,
    pub organizations: Vec<String>,
    /// The subject as DER.
    pub subject: Vec<u8>,
    /// The public key with its algorithm as DER.
    pub public_key: Vec<u8>,
    /// The alternative names as DER, and how many of each sort they are.
    pub alternative_names: Vec<u8>,
    pub dns_names: usize,
    pub addresses: usize,
    pub emails: usize,
    pub uris: usize,
}

impl CertificateRequest {
    /// Reads the base64 of PEM, as it stands in JSON. `Err` says what [`CertificateRequest::parse`] does.
    pub fn decode(base64: &str) -> Result<CertificateRequest, &'static str> {
        let pem = BASE64.decode(base64).unwrap_or_default();
        CertificateRequest::parse(&String::from_utf8_lossy(&pem))
    }

    /// Reads PEM. `Err` says what upstream's `ParseCSR` says.
    pub fn parse(pem: &str) -> Result<CertificateRequest, &'static str> {
        let der = decode_pem(pem, REQUEST).ok_or("PEM block type must be CERTIFICATE REQUEST")?;
        CertificateRequest::read(&der).ok_or("asn1: syntax error: data truncated")
    }

    fn read(der: &[u8]) -> Option<CertificateRequest> {
        let mut whole = Reader(der);
        let mut outer = Reader(whole.expect(SEQUENCE)?.content);
        let mut info = Reader(outer.expect(SEQUENCE)?.content);
        // The version.
        info.next()?;
        let (subject, public_key) = (info.expect(SEQUENCE)?, info.expect(SEQUENCE)?);
        let mut request = CertificateRequest {
            subject: subject.whole.to_vec(),
            public_key: public_key.whole.to_vec(),
            ..CertificateRequest::default()
        };
        let mut names = Reader(subject.content);
        while let Some(set) = names.next() {
            let mut pair = Reader(Reader(set.content).expect(SEQUENCE)?.content);
            let (name, value) = (pair.expect(OBJECT_IDENTIFIER)?.content, pair.next()?.content);
            let value = String::from_utf8_lossy(value).into_owned();
            match name {
                COMMON_NAME => request.common_name = value,
                ORGANIZATION => request.organizations.push(value),
                _ => {}
            }
        }
        let mut attributes = Reader(info.next().map_or(&[], |attributes| attributes.content));
        while let Some(attribute) = attributes.next() {
            let mut attribute = Reader(attribute.content);
            if attribute.expect(OBJECT_IDENTIFIER)?.content == EXTENSION_REQUEST {
                request.read_extensions(Reader(attribute.expect(SET)?.content).expect(SEQUENCE)?.content)?;
            }
        }
        Some(request)
    }

    /// The values of one attribute of the subject.
    pub fn subject_values(&self, attribute: &[u8]) -> Vec<String> {
        let mut values = Vec::new();
        let mut names = Reader(Reader(&self.subject).expect(SEQUENCE).map_or(&[], |subject| subject.content));
        while let Some(set) = names.next() {
            let mut pair = Reader(Reader(set.content).next().map_or(&[], |pair| pair.content));
            if let (Some(name), Some(value)) = (pair.next(), pair.next())
                && name.content == attribute
            {
                values.push(String::from_utf8_lossy(value.content).into_owned());
            }
        }
        values
    }

    /// The alternative names with this tag, as bytes.
    pub fn names(&self, tag: u8) -> Vec<&[u8]> {
        let mut found = Vec::new();
        let mut names = Reader(Reader(&self.alternative_names).expect(SEQUENCE).map_or(&[], |names| names.content));
        while let Some(name) = names.next() {
            if name.tag == tag {
                found.push(name.content);
            }
        }
        found
    }

    fn read_extensions(&mut self, extensions: &[u8]) -> Option<()> {
        let mut extensions = Reader(extensions);
        while let Some(extension) = extensions.next() {
            let mut extension = Reader(extension.content);
            if extension.expect(OBJECT_IDENTIFIER)?.content != ALTERNATIVE_NAMES {
                continue;
            }
            let mut value = extension.next()?;
            if value.tag != OCTET_STRING {
                // Whether it is critical.
                value = extension.next()?;
            }
            self.alternative_names = value.content.to_vec();
            let mut names = Reader(Reader(value.content).expect(SEQUENCE)?.content);
            while let Some(name) = names.next() {
                match name.tag {
                    EMAIL => self.emails += 1,
                    DNS => self.dns_names += 1,
                    URI => self.uris += 1,
                    IP => self.addresses += 1,
                    _ => {}
                }
            }
        }
        Some(())
    }
}

/// The first block of a PEM file, if it is of that sort.
fn decode_pem(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let rest = rest.strip_prefix(label)?.strip_prefix("-----")?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    BASE64.decode(body.split_whitespace().collect::<String>()).ok()
}

/// Lines of 64 letters, as Go writes them.
pub fn encode_pem(label: &str, der: &[u8]) -> String {
    let body = BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        text += line;
        text.push('\n');
        rest = tail;
    }
    text + &format!("-----END {label}-----\n")
}

/// One value of DER: its tag, its length, its content.
pub fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = vec![tag];
    if length < 0x80 {
        bytes.push(length as u8);
    } else {
        let digits = length.to_be_bytes();
        let digits = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
        bytes.push(0x80 | digits.len() as u8);
        bytes.extend(digits);
    }
    parts.iter().for_each(|part| bytes.extend(*part));
    bytes
}

struct Reader<'a>(&'a [u8]);

struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    /// With tag and length.
    whole: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next element; `None` at the end, and where the bytes are no DER.
    fn next(&mut self) -> Option<Element<'a>> {
        let all = self.0;
        let (&tag, rest) = all.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if digits.len() > 4 {
                return None;
            }
            length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            rest = after;
        }
        let (content, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some(Element { tag, content, whole: &all[..all.len() - after.len()] })
    }

    fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next().filter(|element| element.tag == tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl req -new -subj "/O=system:nodes/CN=system:node:node-1" -addext
    /// "subjectAltName=DNS:node-1,IP:192.168.0.11"`
    const SERVING: &str = include_str!("../testdata/serving.csr");

    #[test]
    fn a_request_says_for_whom_it_is() {
        let request = CertificateRequest::parse(SERVING).unwrap();
        assert_eq!(
            (request.common_name.as_str(), request.organizations.as_slice()),
            ("system:node:node-1", ["system:nodes".into()].as_slice())
        );
        assert_eq!((request.dns_names, request.addresses, request.emails, request.uris), (1, 1, 0, 0));
        assert_eq!((request.subject[0], request.public_key[0]), (SEQUENCE, SEQUENCE));
        let cut = SERVING.replacen("MII", "MIH", 1);
        assert_eq!(CertificateRequest::parse(&cut), Err("asn1: syntax error: data truncated"));
        let other = SERVING.replace(REQUEST, CERTIFICATE);
        assert_eq!(CertificateRequest::parse(&other), Err("PEM block type must be CERTIFICATE REQUEST"));
    }

    #[test]
    fn pem_comes_back_as_it_went() {
        let der = decode_pem(SERVING, REQUEST).unwrap();
        assert_eq!(encode_pem(REQUEST, &der), SERVING);
        assert_eq!(super::der(OCTET_STRING, &[&[0; 200]])[..3], [OCTET_STRING, 0x81, 200]);
    }
}
