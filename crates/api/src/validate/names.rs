//! Names in their many forms.

use super::Complaints;

pub const DNS_1123_LABEL_LENGTH_MAX: usize = 63;
pub const DNS_1123_SUBDOMAIN_LENGTH_MAX: usize = 253;
const QUALIFIED_NAME_LENGTH_MAX: usize = 63;
const LABEL_VALUE_LENGTH_MAX: usize = 63;

const DNS_1123_LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and \
     must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS_1123_SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' \
     or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const DNS_1035_LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
     alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
     validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const WILDCARD_SUBDOMAIN: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, \
     which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. \
     '*.example.com', regex used for validation is \
     '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED_NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
     alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
     '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
     '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used \
     for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const ENV_VAR_NAME: &str = "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', \
     or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for \
     validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')";

fn is_lower_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    is_lower_alphanumeric(*first)
        && is_lower_alphanumeric(*last)
        && bytes.iter().all(|byte| is_lower_alphanumeric(*byte) || *byte == b'-')
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_alphanumeric_within(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Labels count in bytes, all other names in what upstream calls characters.
fn too_long_label(bytes_max: usize) -> String {
    format!("must be no more than {bytes_max} bytes")
}

fn complaints(text: &str, bytes_max: usize, fits: bool, why: &str) -> Complaints {
    let mut complaints = Vec::new();
    if text.len() > bytes_max {
        complaints.push(format!("must be no more than {bytes_max} characters"));
    }
    if !fits {
        complaints.push(why.to_owned());
    }
    complaints
}

pub fn dns1123_label(text: &str) -> Complaints {
    let why = if is_subdomain(text) { "must not contain dots" } else { DNS_1123_LABEL };
    complaints(text, DNS_1123_LABEL_LENGTH_MAX, is_label(text), why)
}

pub fn dns1123_subdomain(text: &str) -> Complaints {
    complaints(text, DNS_1123_SUBDOMAIN_LENGTH_MAX, is_subdomain(text), DNS_1123_SUBDOMAIN)
}

pub fn dns1035_label(text: &str) -> Complaints {
    let fits = is_label(text) && text.starts_with(|first: char| first.is_ascii_lowercase());
    complaints(text, DNS_1123_LABEL_LENGTH_MAX, fits, DNS_1035_LABEL)
}

pub fn wildcard_dns1123_subdomain(text: &str) -> Complaints {
    let fits = text.strip_prefix("*.").is_some_and(is_subdomain);
    complaints(text, DNS_1123_SUBDOMAIN_LENGTH_MAX, fits, WILDCARD_SUBDOMAIN)
}

/// `example.com/name` or `name`: label keys, finalizers, resource names.
pub fn qualified_name(text: &str) -> Complaints {
    let mut complaints = Vec::new();
    let mut parts = text.split('/');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let name = match second {
        None => first,
        Some(name) if parts.next().is_none() => {
            if first.is_empty() {
                complaints.push("prefix part must be non-empty".into());
            } else {
                complaints.extend(dns1123_subdomain(first).into_iter().map(|why| format!("prefix part {why}")));
            }
            name
        }
        Some(_) => {
            return vec![format!(
                "a valid label key {QUALIFIED_NAME} with an optional DNS subdomain prefix and '/' (e.g. \
                 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        complaints.push("name part must be non-empty".into());
    } else if name.len() > QUALIFIED_NAME_LENGTH_MAX {
        complaints.push(format!("name part {}", too_long_label(QUALIFIED_NAME_LENGTH_MAX)));
    }
    if !is_alphanumeric_within(name) {
        complaints.push(format!("name part {QUALIFIED_NAME}"));
    }
    complaints
}

pub fn label_value(text: &str) -> Complaints {
    let mut complaints = Vec::new();
    if text.len() > LABEL_VALUE_LENGTH_MAX {
        complaints.push(too_long_label(LABEL_VALUE_LENGTH_MAX));
    }
    if !text.is_empty() && !is_alphanumeric_within(text) {
        complaints.push(LABEL_VALUE.into());
    }
    complaints
}

/// A DNS name of at least two parts.
pub fn fully_qualified_name(text: &str) -> Complaints {
    if text.is_empty() {
        return vec!["fully qualified name is required".into()];
    }
    let complaints = dns1123_subdomain(text);
    if !complaints.is_empty() {
        return complaints;
    }
    if text.split('.').count() < 3 {
        return vec!["should be a domain with at least three segments separated by dots".into()];
    }
    complaints
}

/// A container port's name: `IsValidPortName`.
pub fn port_name(text: &str) -> Complaints {
    let mut complaints = Vec::new();
    if text.len() > 15 {
        complaints.push("must be no more than 15 characters".into());
    }
    let allowed = |byte: u8| is_lower_alphanumeric(byte) || byte == b'-';
    if text.is_empty() || !text.bytes().all(allowed) {
        complaints.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".into());
    }
    if !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        complaints.push("must contain at least one letter (a-z)".into());
    }
    if text.contains("--") {
        complaints.push("must not contain consecutive hyphens".into());
    }
    if text.starts_with('-') || text.ends_with('-') {
        complaints.push("must not begin or end with a hyphen".into());
    }
    complaints
}

pub fn port_number(port: i32) -> Option<&'static str> {
    (!(1..=65535).contains(&port)).then_some("must be between 1 and 65535, inclusive")
}

/// A variable that a shell can name: keys of ConfigMaps as environment.
pub fn env_var_name(text: &str) -> Complaints {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let fits = !text.is_empty() && text.bytes().all(allowed) && !text.starts_with(|first: char| first.is_ascii_digit());
    if fits { Vec::new() } else { vec![ENV_VAR_NAME.into()] }
}

/// What the API takes as a variable's name: any printable ASCII but `=`.
pub fn relaxed_env_var_name(text: &str) -> Complaints {
    let mut complaints = Vec::new();
    if text.is_empty() {
        complaints.push("environment variable name must be non-empty".into());
    }
    let allowed = |character: char| (' '..='~').contains(&character) && character != '=';
    if !text.chars().all(allowed) {
        complaints.push(
            "a valid environment variable name must consist only of printable ASCII characters other than '='".into(),
        );
    }
    complaints
}

/// A key of a ConfigMap or Secret, which becomes a file's name.
pub fn config_key(key: &str) -> Complaints {
    const KEY_LENGTH_MAX: usize = 253;
    let mut complaints = Complaints::new();
    if key.len() > KEY_LENGTH_MAX {
        complaints.push(format!("must be no more than {KEY_LENGTH_MAX} characters"));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if key.is_empty() || !key.bytes().all(allowed) {
        complaints.push(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
             'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                .into(),
        );
    }
    match key {
        "." => complaints.push("must not be '.'".into()),
        ".." => complaints.push("must not be '..'".into()),
        _ if key.starts_with("..") => complaints.push("must not start with '..'".into()),
        _ => {}
    }
    complaints
}

/// A name that stands in a URL's path: roles and the like.
pub fn path_segment(name: &str, prefix: bool) -> Complaints {
    if !prefix && (name == "." || name == "..") {
        return vec![format!("may not be '{name}'")];
    }
    ["/", "%"].iter().filter(|bad| name.contains(*bad)).map(|bad| format!("may not contain '{bad}'")).collect()
}

/// A `generateName` with what follows it: a trailing dash is no mistake.
pub fn trim_prefix_name(name: &str, prefix: bool) -> std::borrow::Cow<'_, str> {
    match name.strip_suffix('-') {
        Some(stem) if prefix && !stem.is_empty() => [stem, "a"].concat().into(),
        _ => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(dns1123_label("a-1").is_empty());
        assert!(dns1123_subdomain("a.b-c.d").is_empty());
        assert_eq!(dns1123_subdomain("Web"), [DNS_1123_SUBDOMAIN]);
        assert_eq!(dns1123_label(&"a".repeat(64)), ["must be no more than 63 characters"]);
        assert!(dns1035_label("web").is_empty());
        assert_eq!(dns1035_label("1web"), [DNS_1035_LABEL]);
        assert!(qualified_name("example.com/name").is_empty());
        assert_eq!(qualified_name("/x")[0], "prefix part must be non-empty");
        assert!(port_name("http").is_empty());
        assert_eq!(port_name("80"), ["must contain at least one letter (a-z)"]);
        assert!(label_value("").is_empty());
    }
}
