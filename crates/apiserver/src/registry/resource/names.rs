//! The names of drivers, pools, requests and attributes.

use api::field::{Error, Errors, Path};
use api::validate::{dns1123_label, dns1123_subdomain, qualified_name};

use crate::registry::csi::driver_name;
use crate::registry::rules::complain;

const ID_BYTES_MAX: usize = 32;
const POOL_NAME_BYTES_MAX: usize = 253;
const IDENTIFIER: &str = "a valid C identifier must start with alphabetic character or '_', followed by a string of \
     alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is \
     '[A-Za-z_][A-Za-z0-9_]*')";

pub(super) fn label(name: &str, path: &Path, errors: &mut Errors) {
    complain(errors, path, name, dns1123_label(name));
}

/// `validatePoolName`
pub(super) fn pool(name: &str, path: &Path, errors: &mut Errors) {
    if name.is_empty() {
        return errors.push(Error::required(path, ""));
    }
    if name.len() > POOL_NAME_BYTES_MAX {
        errors.push(Error::too_long(path, POOL_NAME_BYTES_MAX));
    }
    for part in name.split('/') {
        complain(errors, path, part, dns1123_subdomain(part));
    }
}

/// `validateQualifiedName`: an attribute with or without its domain.
pub(super) fn attribute(name: &str, path: &Path, errors: &mut Errors) {
    match name.split('/').collect::<Vec<_>>()[..] {
        [name] => identifier(name, path, errors),
        [domain, name] => {
            if domain.is_empty() {
                errors.push(Error::invalid(path, "", "the domain must not be empty"));
            } else {
                driver_name(domain, path, errors);
            }
            if name.is_empty() {
                errors.push(Error::invalid(path, "", "the name must not be empty"));
            } else {
                identifier(name, path, errors);
            }
        }
        _ => errors.push(Error::invalid(path, name, "must not contain more than one slash")),
    }
}

/// `validateFullyQualifiedName`
pub(super) fn attribute_with_domain(name: &str, path: &Path, errors: &mut Errors) {
    attribute(name, path, errors);
    if !name.contains('/') {
        let why = "a fully qualified name must be a domain and a name separated by a slash";
        errors.push(Error::invalid(path, name, why));
    }
}

fn identifier(name: &str, path: &Path, errors: &mut Errors) {
    if name.len() > ID_BYTES_MAX {
        errors.push(Error::too_long(path, ID_BYTES_MAX));
    }
    let fits = |first: char| first.is_ascii_alphabetic() || first == '_';
    if !name.starts_with(fits) || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        errors.push(Error::invalid(path, name, IDENTIFIER));
    }
}

/// `validateUID`
pub(super) fn uid(uid: &str, path: &Path, errors: &mut Errors) {
    let groups: Vec<&str> = uid.split('-').collect();
    let is_hex = |text: &&str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if uid.len() != 36 {
        let why = format!("error validating uid: invalid UUID length: {}", uid.len());
        errors.push(Error::invalid(path, uid, why));
    } else if groups.iter().map(|group| group.len()).ne([8, 4, 4, 4, 12]) || !groups.iter().all(is_hex) {
        errors.push(Error::invalid(path, uid, "error validating uid: invalid UUID format"));
    } else if uid.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let why = "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase \
                   hexadecimal characters";
        errors.push(Error::invalid(path, uid, why));
    }
}

/// `IsExtendedResourceName`
pub(super) fn is_extended_resource(name: &str) -> bool {
    let native = !name.contains('/') || name.contains("kubernetes.io/");
    !native && !name.starts_with("requests.") && qualified_name(&format!("requests.{name}")).is_empty()
}
