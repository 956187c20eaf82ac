//! Labels and label selectors.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::names::{label_value, qualified_name};
use crate::field::{Error, Errors, Path};

pub fn labels(labels: Option<&BTreeMap<String, String>>, path: &Path, errors: &mut Errors) {
    for (key, value) in labels.into_iter().flatten() {
        errors.extend(qualified_name(key).into_iter().map(|why| Error::invalid(path, key.as_str(), why)));
        errors.extend(label_value(value).into_iter().map(|why| Error::invalid(path, value.as_str(), why)));
    }
}

pub fn label_selector(selector: &LabelSelector, path: &Path, errors: &mut Errors) {
    check(selector, path, true, errors);
}

/// The same where upstream lets wrong values pass: selectors inside Pods that were stored before values were checked.
pub fn label_selector_allowing_bad_values(selector: &LabelSelector, path: &Path, errors: &mut Errors) {
    check(selector, path, false, errors);
}

fn check(selector: &LabelSelector, path: &Path, check_values: bool, errors: &mut Errors) {
    labels(selector.match_labels.as_ref(), &path.child("matchLabels"), errors);
    for (index, expression) in selector.match_expressions.iter().flatten().enumerate() {
        requirement(expression, &path.child("matchExpressions").index(index), check_values, errors);
    }
}

fn requirement(requirement: &LabelSelectorRequirement, path: &Path, check_values: bool, errors: &mut Errors) {
    let values = requirement.values.as_deref().unwrap_or_default();
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.is_empty() => {
            errors.push(Error::required(&path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            errors.push(Error::forbidden(
                &path.child("values"),
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => errors.push(Error::invalid(&path.child("operator"), other, "not a valid selector operator")),
    }
    let key = requirement.key.as_str();
    errors.extend(qualified_name(key).into_iter().map(|why| Error::invalid(&path.child("key"), key, why)));
    if check_values {
        for (index, value) in values.iter().enumerate() {
            let (values_path, value) = (path.child("values"), value.as_str());
            let path = values_path.index(index);
            errors.extend(label_value(value).into_iter().map(|why| Error::invalid(&path, value, why)));
        }
    }
}
