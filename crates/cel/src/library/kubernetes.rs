//! Kubernetes' own libraries: quantities, addresses, URLs, versions, formats. Upstream: `apiserver/pkg/cel/library`.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::rc::Rc;

use api::quantity::{self, Amount};
use api::validate as names;

use super::Result;
use crate::eval::Error;
use crate::value::Value;

const NANO: i128 = 1_000_000_000;

pub(super) fn call(name: &str, member: bool, args: &[Value]) -> Option<Result> {
    match args {
        [Value::Quantity(amount), rest @ ..] if member => on_quantity(name, *amount, rest),
        [Value::Semver(version), rest @ ..] if member => on_semver(name, version, rest),
        [Value::Url(url)] if member => on_url(name, url),
        [Value::Ip(address)] if member => on_ip(name, *address),
        [Value::Cidr(address, length), rest @ ..] if member => on_cidr(name, *address, *length, rest),
        [Value::Format(format), Value::String(text)] if name == "validate" => Some(Ok(validate(format, text))),
        [Value::String(text)] if !member => from_text(name, text, false),
        [Value::String(text), Value::Bool(normalize)] if !member => from_text(name, text, *normalize),
        [] => format_named(name.strip_prefix("format.")?).map(Ok),
        _ => None,
    }
}

fn from_text(name: &str, text: &str, normalize: bool) -> Option<Result> {
    Some(match name {
        "quantity" => match quantity::parse(text) {
            Some((amount, _)) => Ok(Value::Quantity(amount)),
            None => Err(Error::new(quantity::parse_error(text))),
        },
        "isQuantity" => Ok(Value::Bool(quantity::parse(text).is_some())),
        "ip" => ip(text).map(Value::Ip),
        "isIP" => Ok(Value::Bool(ip(text).is_ok())),
        "ip.isCanonical" => ip(text).map(|address| Value::Bool(address.to_string() == text)),
        "cidr" => cidr(text).map(|(address, length)| Value::Cidr(address, length)),
        "isCIDR" => Ok(Value::Bool(cidr(text).is_ok())),
        "url" => Url::parse(text).map(|url| Value::Url(Rc::new(url))).ok_or_else(|| {
            Error::new(format!(
                "URL parse error during conversion from string: parse {text:?}: invalid URI for request"
            ))
        }),
        "isURL" => Ok(Value::Bool(Url::parse(text).is_some())),
        "semver" => Semver::parse(text, normalize)
            .map(|version| Value::Semver(Rc::new(version)))
            .ok_or_else(|| Error::new("No Major.Minor.Patch elements found")),
        "isSemver" => Ok(Value::Bool(Semver::parse(text, normalize).is_some())),
        "format.named" => Ok(format_named(text).map_or(Value::Optional(None), Value::some)),
        _ => return None,
    })
}

fn on_quantity(name: &str, amount: Amount, rest: &[Value]) -> Option<Result> {
    let sum = |other: i128| Ok(Value::Quantity(Amount(amount.0.saturating_add(other))));
    Some(match (name, rest) {
        ("sign", []) => Ok(Value::Int(amount.0.signum() as i64)),
        ("isInteger", []) => Ok(Value::Bool(amount.0 % NANO == 0)),
        ("asInteger", []) if amount.0 % NANO == 0 => Ok(Value::Int((amount.0 / NANO) as i64)),
        ("asInteger", []) => Err(Error::new("cannot convert value to integer")),
        ("asApproximateFloat", []) => Ok(Value::Double(amount.0 as f64 / NANO as f64)),
        ("add", [Value::Quantity(other)]) => sum(other.0),
        ("add", [Value::Int(other)]) => sum(i128::from(*other) * NANO),
        ("sub", [Value::Quantity(other)]) => sum(-other.0),
        ("sub", [Value::Int(other)]) => sum(-i128::from(*other) * NANO),
        (_, [Value::Quantity(other)]) => return compared(name, amount.cmp(other)),
        _ => return None,
    })
}

fn compared(name: &str, order: Ordering) -> Option<Result> {
    Some(Ok(match name {
        "isLessThan" => Value::Bool(order == Ordering::Less),
        "isGreaterThan" => Value::Bool(order == Ordering::Greater),
        "compareTo" => Value::Int(order as i64),
        _ => return None,
    }))
}

fn ip(text: &str) -> std::result::Result<IpAddr, Error> {
    let invalid = || {
        Error::new(format!(
            "IP Address {text:?} parse error during conversion from string: ParseAddr({text:?}): unable to parse IP"
        ))
    };
    match text.parse() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
            let text = format!("IPv4-mapped IPv6 address {text:?} is not allowed");
            Err(Error::new(text))
        }
        Ok(address) => Ok(address),
        Err(_) => Err(invalid()),
    }
}

fn cidr(text: &str) -> std::result::Result<(IpAddr, u8), Error> {
    let invalid = || {
        Error::new(format!(
            "network address parse error during conversion from string: netip.ParsePrefix({text:?}): no '/'"
        ))
    };
    let (address, length) = text.split_once('/').ok_or_else(invalid)?;
    let (address, length) = (ip(address)?, length.parse::<u8>().map_err(|_| invalid())?);
    if length > bits(address) { Err(invalid()) } else { Ok((address, length)) }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn on_ip(name: &str, address: IpAddr) -> Option<Result> {
    let local_multicast = match address {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    };
    let local_unicast = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    Some(Ok(match name {
        "family" => Value::Int(if address.is_ipv4() { 4 } else { 6 }),
        "isUnspecified" => Value::Bool(address.is_unspecified()),
        "isLoopback" => Value::Bool(address.is_loopback()),
        "isLinkLocalMulticast" => Value::Bool(local_multicast),
        "isLinkLocalUnicast" => Value::Bool(local_unicast),
        "isGlobalUnicast" => Value::Bool(
            !(address.is_unspecified()
                || address.is_loopback()
                || address.is_multicast()
                || local_unicast
                || broadcast),
        ),
        _ => return None,
    }))
}

fn on_cidr(name: &str, address: IpAddr, length: u8, rest: &[Value]) -> Option<Result> {
    let holds = |other: IpAddr, other_length: u8| {
        let same = other.is_ipv4() == address.is_ipv4();
        Value::Bool(same && other_length >= length && masked(other, length) == masked(address, length))
    };
    Some(match (name, rest) {
        ("ip", []) => Ok(Value::Ip(address)),
        ("masked", []) => Ok(Value::Cidr(masked(address, length), length)),
        ("prefixLength", []) => Ok(Value::Int(length.into())),
        ("containsIP", [Value::Ip(other)]) => Ok(holds(*other, bits(*other))),
        ("containsIP", [Value::String(text)]) => ip(text).map(|other| holds(other, bits(other))),
        ("containsCIDR", [Value::Cidr(other, other_length)]) => Ok(holds(*other, *other_length)),
        ("containsCIDR", [Value::String(text)]) => cidr(text).map(|(other, length)| holds(other, length)),
        _ => return None,
    })
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    }
}

/// Go's `url.URL`, as far as its getters tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    /// With the port.
    host: String,
    path: String,
    query: String,
}

impl Url {
    /// Go's `url.ParseRequestURI`: an absolute URL or an absolute path.
    fn parse(text: &str) -> Option<Url> {
        if text.is_empty() || text.chars().any(|c| c.is_control() || c == ' ') {
            return None;
        }
        let (rest, query) = text.split_once('?').unwrap_or((text, ""));
        if rest.starts_with('/') {
            return Some(Url { scheme: String::new(), host: String::new(), path: rest.into(), query: query.into() });
        }
        let (scheme, rest) = rest.split_once(':')?;
        let letters = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        if !letters || !scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) {
            return None;
        }
        let rest = match rest.strip_prefix("//") {
            Some(rest) => rest,
            None if rest.starts_with('/') => {
                return Some(Url {
                    scheme: scheme.into(),
                    host: String::new(),
                    path: rest.into(),
                    query: query.into(),
                });
            }
            None => return None,
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let port = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map_or("", |(_, port)| port);
        if !port.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        Some(Url { scheme: scheme.to_lowercase(), host: host.into(), path: path.into(), query: query.into() })
    }

    fn hostname_and_port(&self) -> (&str, &str) {
        let split = self.host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        let (name, port) = split.unwrap_or((&self.host, ""));
        (name.trim_start_matches('[').trim_end_matches(']'), port)
    }
}

fn on_url(name: &str, url: &Url) -> Option<Result> {
    Some(Ok(match name {
        "getScheme" => url.scheme.as_str().into(),
        "getHost" => url.host.as_str().into(),
        "getHostname" => url.hostname_and_port().0.into(),
        "getPort" => url.hostname_and_port().1.into(),
        "getEscapedPath" => url.path.as_str().into(),
        "getQuery" => {
            let mut parameters: Vec<(&str, Vec<Value>)> = Vec::new();
            for pair in url.query.split('&').filter(|pair| !pair.is_empty()) {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                match parameters.iter_mut().find(|(other, _)| *other == key) {
                    Some((_, values)) => values.push(value.into()),
                    None => parameters.push((key, vec![value.into()])),
                }
            }
            Value::object(parameters.into_iter().map(|(key, values)| (key, Value::list(values))))
        }
        _ => return None,
    }))
}

/// A semantic version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Semver {
    numbers: [u64; 3],
    prerelease: Vec<String>,
}

impl Semver {
    /// `normalize` also reads `v1.2` and `01.2.3`.
    fn parse(text: &str, normalize: bool) -> Option<Semver> {
        let text = if normalize { text.trim_start_matches('v') } else { text };
        let (text, _build) = text.split_once('+').unwrap_or((text, ""));
        let (core, prerelease) = text.split_once('-').map_or((text, None), |(core, rest)| (core, Some(rest)));
        let mut numbers = [0; 3];
        let parts: Vec<&str> = core.split('.').collect();
        if parts.len() > 3 || (parts.len() < 3 && (!normalize || prerelease.is_some())) {
            return None;
        }
        for (number, part) in numbers.iter_mut().zip(&parts) {
            let leading_zero = part.len() > 1 && part.starts_with('0') && !normalize;
            if leading_zero || !part.chars().all(|c| c.is_ascii_digit()) {
                return None;
            }
            *number = part.parse().ok()?;
        }
        let prerelease: Vec<String> =
            prerelease.into_iter().flat_map(|rest| rest.split('.')).map(str::to_owned).collect();
        prerelease.iter().all(|part| !part.is_empty()).then_some(Semver { numbers, prerelease })
    }

    pub(crate) fn order(&self, other: &Semver) -> Ordering {
        let number = |part: &String| part.parse::<u64>().ok();
        self.numbers.cmp(&other.numbers).then_with(|| {
            if self.prerelease.is_empty() || other.prerelease.is_empty() {
                return self.prerelease.is_empty().cmp(&other.prerelease.is_empty());
            }
            let parts =
                self.prerelease.iter().zip(&other.prerelease).map(|(one, other)| match (number(one), number(other)) {
                    (Some(one), Some(other)) => one.cmp(&other),
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (None, None) => one.cmp(other),
                });
            let first = parts.into_iter().find(|order| order.is_ne());
            first.unwrap_or_else(|| self.prerelease.len().cmp(&other.prerelease.len()))
        })
    }
}

fn on_semver(name: &str, version: &Semver, rest: &[Value]) -> Option<Result> {
    let number = |at: usize| Ok(Value::Int(version.numbers[at] as i64));
    Some(match (name, rest) {
        ("major", []) => number(0),
        ("minor", []) => number(1),
        ("patch", []) => number(2),
        (_, [Value::Semver(other)]) => return compared(name, version.order(other)),
        _ => return None,
    })
}

const FORMATS: [&str; 7] =
    ["dns1123Label", "dns1123Subdomain", "dns1035Label", "qualifiedName", "labelValue", "uuid", "uri"];

fn format_named(name: &str) -> Option<Value> {
    FORMATS.iter().find(|other| **other == name).map(|name| Value::Format(name))
}

/// None when the text has the format, else what is wrong.
fn validate(format: &str, text: &str) -> Value {
    let is_hex = |part: &str| part.chars().all(|c| c.is_ascii_hexdigit());
    let problems = match format {
        "dns1123Label" => names::dns1123_label(text),
        "dns1123Subdomain" => names::dns1123_subdomain(text),
        "dns1035Label" => names::dns1035_label(text),
        "qualifiedName" => names::qualified_name(text),
        "labelValue" => names::label_value(text),
        "uuid"
            if text.len() == 36
                && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
                && text.split('-').all(is_hex) =>
        {
            Vec::new()
        }
        "uuid" => vec!["does not match the UUID format".into()],
        _ if Url::parse(text).is_some() => Vec::new(),
        _ => vec!["invalid URI".into()],
    };
    if problems.is_empty() {
        return Value::Optional(None);
    }
    Value::some(Value::list(problems.into_iter().map(Value::from)))
}
