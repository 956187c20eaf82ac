//! Secret.

use std::borrow::Cow;

use api::field::{Error, Errors, Path};
use api::types::{ByteString, Secret};

use super::config_map::SEALED;
use super::rules::{IMMUTABLE, complain, default_text, selectable, subdomain_name, text};
use crate::strategy::Strategy;
use api::validate::config_key;

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
            require("password");
            require("username");
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
    if let Err(why) = api::json::parse(&String::from_utf8_lossy(&value.0)) {
        errors.push(Error::invalid(path, REDACTED, why));
    }
}
