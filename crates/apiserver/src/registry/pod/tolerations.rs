//! Tolerations of taints.

use api::field::{Error, Errors, Path};
use api::types::Toleration;
use api::validate::{label_value, qualified_name};

use crate::registry::rules::{complain, one_of, text};

const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(in crate::registry) fn validate(tolerations: &[Toleration], path: &Path, errors: &mut Errors) {
    for (index, toleration) in tolerations.iter().enumerate() {
        self::toleration(toleration, &path.index(index), errors);
    }
}

fn toleration(toleration: &Toleration, path: &Path, errors: &mut Errors) {
    let (key, operator) = (text(&toleration.key), text(&toleration.operator));
    let (value, effect) = (text(&toleration.value), text(&toleration.effect));
    if !key.is_empty() {
        complain(errors, &path.child("key"), key, qualified_name(key));
    } else if operator != "Exists" {
        let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        errors.push(Error::invalid(&path.child("operator"), operator, why));
    }
    if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
        let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
        errors.push(Error::invalid(&path.child("effect"), effect, why));
    }
    match operator {
        "" | "Equal" => {
            let bad = label_value(value);
            if !bad.is_empty() {
                errors.push(Error::invalid(&path.child("operator"), value, bad.join(";")));
            }
        }
        "Exists" if !value.is_empty() => {
            let why = "value must be empty when `operator` is 'Exists'";
            errors.push(Error::invalid(&path.child("operator"), value, why));
        }
        other => one_of(other, &["Equal", "Exists"], &path.child("operator"), errors),
    }
    if !effect.is_empty() {
        one_of(effect, EFFECTS, &path.child("effect"), errors);
    }
}
