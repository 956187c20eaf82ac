//! ConfigMap.

use api::field::{Error, Errors, Path};
use api::types::ConfigMap;

use super::rules::{complain, subdomain_name};
use crate::strategy::Strategy;
use api::validate::config_key;

const BYTES_MAX: usize = 1 << 20;
pub(super) const SEALED: &str = "field is immutable when `immutable` is set";

impl Strategy for ConfigMap {
    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let (data_path, binary_path) = (Path::new("data"), Path::new("binaryData"));
        let mut bytes = 0;
        for (key, value) in self.data.iter().flatten() {
            complain(&mut errors, &data_path.key(key), key, config_key(key));
            if self.binary_data.as_ref().is_some_and(|binary| binary.contains_key(key)) {
                errors.push(Error::invalid(
                    &data_path.key(key),
                    key.as_str(),
                    "duplicate of key present in binaryData",
                ));
            }
            bytes += value.len();
        }
        for (key, value) in self.binary_data.iter().flatten() {
            complain(&mut errors, &binary_path.key(key), key, config_key(key));
            bytes += value.0.len();
        }
        if bytes > BYTES_MAX {
            errors.push(Error::too_long(&Path::new(""), BYTES_MAX));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = Errors::new();
        if old.immutable == Some(true) {
            let mut sealed = |name: &'static str, same: bool| {
                if !same {
                    errors.push(Error::forbidden(&Path::new(name), SEALED));
                }
            };
            sealed("immutable", self.immutable == Some(true));
            sealed("data", self.data == old.data);
            sealed("binaryData", self.binary_data == old.binary_data);
        }
        errors.extend(self.validate());
        errors
    }
}
