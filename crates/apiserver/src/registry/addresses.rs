//! Addresses in fields that are older than strict rules about them, and what a client is warned of. Upstream:
//! `apimachinery/pkg/util/validation/ip.go`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use api::field::Path;

pub(super) const BAD_IP: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

/// Whether a text is an IPv4 or IPv6 address. The numbers of an IPv4 address may have zeros in front.
pub(super) fn is_ip(text: &str) -> bool {
    parse_ip(text).is_some()
}

/// Whether a text is an address and a prefix length.
pub(super) fn is_cidr(text: &str) -> bool {
    parse_cidr(text).is_some()
}

pub(super) fn parse_ip(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| {
        let mut numbers = text.split('.').map(|part| {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u8>().ok().filter(|_| is_number)
        });
        let mut next = || numbers.next().flatten();
        let address = Ipv4Addr::new(next()?, next()?, next()?, next()?);
        numbers.next().is_none().then_some(IpAddr::V4(address))
    })
}

/// `IsValidIP`, of fields that take no old form.
pub(super) fn strict_ip(text: &str) -> Vec<String> {
    let Some(address) = parse_ip(text) else {
        return vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".into()];
    };
    let strict: Option<IpAddr> = text.parse().ok();
    if strict.is_none() {
        return vec!["must not have leading 0s".into()];
    }
    if matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some()) {
        return vec!["must not be an IPv4-mapped IPv6 address".into()];
    }
    let usual = usual(address);
    if usual == text { Vec::new() } else { vec![format!("must be in canonical form ({usual:?})")] }
}

fn parse_cidr(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/')?;
    let address = parse_ip(address)?;
    let bits: u32 = bits.parse().ok().filter(|_| bits.bytes().all(|byte| byte.is_ascii_digit()))?;
    (bits <= length(address)).then_some((address, bits))
}

/// The usual form of an address with the length of its network's prefix.
pub(super) fn interface_address(text: &str) -> Option<String> {
    let (address, bits) = parse_cidr(text)?;
    text.split_once('/')?.0.parse::<IpAddr>().ok()?;
    Some(format!("{}/{bits}", usual(address)))
}

fn length(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// An address that a later version will refuse, or that is not in its usual form.
pub(super) fn ip_warning(path: &Path, text: &str) -> Option<String> {
    let address = parse_ip(text)?;
    let usual = usual(address);
    if is_old(address, text) {
        return Some(format!(
            "{path}: non-standard IP address {text:?} will be considered invalid in a future Kubernetes release: use \
             {usual:?}"
        ));
    }
    (address.is_ipv6() && usual != text)
        .then(|| format!("{path}: IPv6 address {text:?} should be in RFC 5952 canonical format ({usual:?})"))
}

/// The same about a network.
pub(super) fn cidr_warnings(path: &Path, text: &str) -> Vec<String> {
    let Some((address, bits)) = parse_cidr(text) else { return Vec::new() };
    let network = format!("{}/{bits}", usual(masked(address, bits)));
    let mut warnings = Vec::new();
    if masked(address, bits) != address {
        let single = format!("{}/{}", usual(address), length(address));
        warnings.push(format!(
            "{path}: CIDR value {text:?} is ambiguous in this context (should be {network:?} or {single:?}?)"
        ));
    }
    let (written, written_bits) = text.split_once('/').unwrap_or_default();
    if is_old(address, written) || written_bits != bits.to_string() {
        warnings.push(format!(
            "{path}: non-standard CIDR value {text:?} will be considered invalid in a future Kubernetes release: use \
             {network:?}"
        ));
    } else if address.is_ipv6() && usual(address) != written {
        let form = format!("{}/{bits}", usual(address));
        warnings.push(format!("{path}: IPv6 CIDR value {text:?} should be in RFC 5952 canonical format ({form:?})"));
    }
    warnings
}

/// Zeros in front, or IPv4 in the clothes of IPv6.
fn is_old(address: IpAddr, text: &str) -> bool {
    text.parse::<IpAddr>().is_err() || matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
}

fn usual(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

fn masked(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_forms_are_accepted_with_a_warning() {
        let path = Path::new("ip");
        assert!(is_ip("010.0.0.1") && is_ip("::1") && !is_ip("10.0.0") && !is_ip("10.0.0.256") && !is_ip("+1.2.3.4"));
        let old = "ip: non-standard IP address \"010.0.0.1\" will be considered invalid in a future Kubernetes release: \
                   use \"10.0.0.1\"";
        assert_eq!(ip_warning(&path, "010.0.0.1").as_deref(), Some(old));
        let form = "ip: IPv6 address \"FD00::1\" should be in RFC 5952 canonical format (\"fd00::1\")";
        assert_eq!(ip_warning(&path, "FD00::1").as_deref(), Some(form));
        assert_eq!(ip_warning(&path, "10.0.0.1"), None);
    }

    #[test]
    fn a_network_has_no_address_of_its_own() {
        let warnings = cidr_warnings(&Path::new("cidr"), "10.0.0.5/8");
        let text = "cidr: CIDR value \"10.0.0.5/8\" is ambiguous in this context (should be \"10.0.0.0/8\" or \
                    \"10.0.0.5/32\"?)";
        assert_eq!(warnings, [text]);
        assert!(cidr_warnings(&Path::new("cidr"), "10.0.0.0/8").is_empty());
    }
}
