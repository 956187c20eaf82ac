//! `format` of strings: `kube-openapi/pkg/validation/strfmt`. Unknown formats hold.

use std::net::{Ipv4Addr, Ipv6Addr};

pub fn holds(format: &str, text: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    match format {
        "date-time" | "datetime" => text.parse::<api::k8s_openapi::jiff::Timestamp>().is_ok(),
        "date" => text.len() == 10 && text.parse::<api::k8s_openapi::jiff::civil::Date>().is_ok(),
        "duration" => cel::parse_duration(text).is_some(),
        "uri" => text.contains(':') || text.starts_with('/'),
        "email" => text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()),
        "hostname" => api::validate::dns1123_subdomain(&text.to_lowercase()).is_empty(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "mac" => {
            text.split([':', '-']).count() == 6 && text.split([':', '-']).all(|part| is_hex(part) && part.len() == 2)
        }
        "uuid" | "uuid3" | "uuid4" | "uuid5" => is_uuid(text),
        "byte" => text.len().is_multiple_of(4) && text.trim_end_matches('=').chars().all(is_base64),
        "hexcolor" => matches!(text.trim_start_matches('#').len(), 3 | 6) && is_hex(text.trim_start_matches('#')),
        "creditcard" => matches!(digits(text), 13..=19),
        "ssn" => digits(text) == 9,
        "isbn" | "isbn10" | "isbn13" => matches!(digits(text), 9 | 10 | 13),
        "k8s-short-name" => api::validate::dns1123_label(text).is_empty(),
        "k8s-long-name" => api::validate::dns1123_subdomain(text).is_empty(),
        _ => true,
    }
}

fn is_hex(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_hexdigit())
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/')
}

fn is_uuid(text: &str) -> bool {
    let compact: String = text.chars().filter(|c| *c != '-').collect();
    compact.len() == 32 && is_hex(&compact)
}

fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let length: u8 = length.parse().unwrap_or(u8::MAX);
    (address.parse::<Ipv4Addr>().is_ok() && length <= 32) || (address.parse::<Ipv6Addr>().is_ok() && length <= 128)
}
