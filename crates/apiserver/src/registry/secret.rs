//! Secret.

use std::borrow::Cow;

use api::field::{Error, Errors, Path};
use api::types::{ByteString, Secret};

use super::config_map::SEALED;
use super::rules::{IMMUTABLE, complain, default_text, selectable, subdomain_name, text};
use crate::strategy::Strategy;
use api::validate::config_key;
use serde_json::Value;

const BYTES_MAX: usize = 1 << 20;
const REDACTED: &str = "<secret contents redacted>";

impl Strategy for Secret {
    const FIELDS: &'static [&'static str] = &["type"];

    fn default(&mut self) {
        default_text(&mut self.type_, "Opaque");
        for (key, value) in self.string_data.take().into_iter().flatten() {
            self.data.get_or_insert_default().insert(key, ByteString(value.into_bytes()));
        }
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let path = Path::new("data");
        let mut bytes = 0;
        for (key, value) in self.data.iter().flatten() {
            complain(&mut errors, &path.key(key), key, config_key(key));
            bytes += value.0.len();
        }
        if bytes > BYTES_MAX {
            errors.push(Error::too_long(&path, BYTES_MAX));
        }
        typed_data(self, &path, &mut errors);
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = Errors::new();
        if self.type_ != old.type_ {
            errors.push(Error::invalid(&Path::new("type"), text(&self.type_), IMMUTABLE));
        }
        if old.immutable == Some(true) {
            if self.immutable != Some(true) {
                errors.push(Error::forbidden(&Path::new("immutable"), SEALED));
            }
            if self.data != old.data {
                errors.push(Error::forbidden(&Path::new("data"), SEALED));
            }
        }
        errors.extend(self.validate());
        errors
    }

    fn warnings(&self, _is_new: bool) -> Vec<String> {
        if text(&self.type_) != "kubernetes.io/tls" {
            return Vec::new();
        }
        let get = |key: &str| self.data.as_ref().and_then(|data| data.get(key)).map(|value| &value.0[..]);
        let certificate = pem_warning(get("tls.crt").unwrap_or_default(), "certificate", |kind| kind == "CERTIFICATE");
        let key = || {
            let is_key = |kind: &str| kind == "PRIVATE KEY" || kind.ends_with(" PRIVATE KEY");
            pem_warning(get("tls.key").unwrap_or_default(), "key", is_key)
        };
        certificate.or_else(key).into_iter().collect()
    }

    fn field(&self, name: &str) -> Cow<'_, str> {
        if name == "type" { selectable(&self.type_) } else { "".into() }
    }
}

/// What each type of Secret must hold.
fn typed_data(secret: &Secret, path: &Path, errors: &mut Errors) {
    let get = |key: &str| secret.data.as_ref().and_then(|data| data.get(key));
    let mut require = |key: &str| {
        if get(key).is_none() {
            errors.push(Error::required(&path.key(key), ""));
        }
    };
    match text(&secret.type_) {
        "kubernetes.io/service-account-token" => {
            let name = "kubernetes.io/service-account.name";
            if api::meta::annotation(&secret.metadata, name).is_none_or(str::is_empty) {
                let metadata = Path::new("metadata");
                errors.push(Error::required(&metadata.child("annotations").key(name), ""));
            }
        }
        "kubernetes.io/dockercfg" => docker(get(".dockercfg"), &path.key(".dockercfg"), errors),
        "kubernetes.io/dockerconfigjson" => {
            docker(get(".dockerconfigjson"), &path.key(".dockerconfigjson"), errors);
        }
        "kubernetes.io/basic-auth" if get("username").is_none() && get("password").is_none() => {
            require("username");
            require("password");
        }
        "kubernetes.io/ssh-auth" if get("ssh-privatekey").is_none_or(|key| key.0.is_empty()) => {
            errors.push(Error::required(&path.key("ssh-privatekey"), ""));
        }
        "kubernetes.io/tls" => {
            require("tls.crt");
            require("tls.key");
        }
        _ => {}
    }
}

fn docker(value: Option<&ByteString>, path: &Path, errors: &mut Errors) {
    let Some(value) = value else {
        errors.push(Error::required(path, ""));
        return;
    };
    let why = match api::json::parse(&String::from_utf8_lossy(&value.0)).map(|json| json.value) {
        Ok(Value::Object(_) | Value::Null) => return,
        Ok(other) => {
            let what = match other {
                Value::Array(_) => "array",
                Value::Bool(_) => "bool",
                Value::Number(_) => "number",
                _ => "string",
            };
            format!("json: cannot unmarshal {what} into Go value of type map[string]interface {{}}")
        }
        Err(why) => why,
    };
    errors.push(Error::invalid(path, REDACTED, why));
}

/// What Go says of a certificate or key without the blocks that it looks for. What stands in the blocks is not read.
fn pem_warning(data: &[u8], what: &str, wanted: fn(&str) -> bool) -> Option<String> {
    let text = String::from_utf8_lossy(data);
    let is_whole = |kind: &&str| text.contains(&format!("-----END {kind}-----"));
    let starts = text.lines().filter_map(|line| line.trim_end().strip_prefix("-----BEGIN ")?.strip_suffix("-----"));
    let kinds: Vec<&str> = starts.filter(is_whole).collect();
    if kinds.iter().any(|kind| wanted(kind)) {
        return None;
    }
    let is_key = what == "key";
    Some(match kinds[..] {
        [] => format!("tls: failed to find any PEM data in {what} input"),
        [one] if !is_key && one.ends_with("PRIVATE KEY") => {
            "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may \
             have been switched"
                .into()
        }
        [one] if is_key && one == "CERTIFICATE" => {
            "tls: found a certificate rather than a key in the PEM for the private key".into()
        }
        _ => {
            let block =
                if is_key { "PEM block with type ending in \"PRIVATE KEY\"" } else { "\"CERTIFICATE\" PEM block" };
            let skipped = kinds.join(" ");
            format!(
                "tls: failed to find {block} in {what} input after skipping PEM blocks of the following types: [{skipped}]"
            )
        }
    })
}
