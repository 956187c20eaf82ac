//! Affinity to nodes and to other Pods.

use api::field::{Error, Errors, Path};
use api::types::{
    Affinity, LabelSelector, LabelSelectorRequirement, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod,
    PodAffinityTerm, WeightedPodAffinityTerm,
};
use api::validate::{dns1123_label, dns1123_subdomain, label_selector, label_value, qualified_name};

use crate::registry::rules::{complain, list};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

pub(super) fn validate(affinity: &Affinity, path: &Path, errors: &mut Errors) {
    if let Some(node) = &affinity.node_affinity {
        let path = path.child("nodeAffinity");
        if let Some(selector) = &node.required_during_scheduling_ignored_during_execution {
            node_selector(selector, &path.child(REQUIRED), errors);
        }
        for (index, preferred) in list(&node.preferred_during_scheduling_ignored_during_execution).iter().enumerate() {
            let list_path = path.child(PREFERRED);
            let path = list_path.index(index);
            weight(preferred.weight, &path.child("weight"), errors);
            // A preference that no label can meet has always been let through.
            node_term(&preferred.preference, false, &path.child("preference"), errors);
        }
    }
    if let Some(pod) = &affinity.pod_affinity {
        let (required, preferred) = (
            list(&pod.required_during_scheduling_ignored_during_execution),
            list(&pod.preferred_during_scheduling_ignored_during_execution),
        );
        pod_terms(required, preferred, &path.child("podAffinity"), errors);
    }
    if let Some(pod) = &affinity.pod_anti_affinity {
        let (required, preferred) = (
            list(&pod.required_during_scheduling_ignored_during_execution),
            list(&pod.preferred_during_scheduling_ignored_during_execution),
        );
        pod_terms(required, preferred, &path.child("podAntiAffinity"), errors);
    }
}

fn weight(weight: i32, path: &Path, errors: &mut Errors) {
    if !(1..=100).contains(&weight) {
        errors.push(Error::invalid(path, weight, "must be in the range 1-100"));
    }
}

pub(in crate::registry) fn node_selector(selector: &NodeSelector, path: &Path, errors: &mut Errors) {
    let path = path.child("nodeSelectorTerms");
    if selector.node_selector_terms.is_empty() {
        errors.push(Error::required(&path, "must have at least one node selector term"));
    }
    for (index, term) in selector.node_selector_terms.iter().enumerate() {
        node_term(term, true, &path.index(index), errors);
    }
}

fn node_term(term: &NodeSelectorTerm, check_values: bool, path: &Path, errors: &mut Errors) {
    for (index, requirement) in list(&term.match_expressions).iter().enumerate() {
        let path = path.child("matchExpressions");
        node_requirement(requirement, check_values, &path.index(index), errors);
    }
    for (index, requirement) in list(&term.match_fields).iter().enumerate() {
        let path = path.child("matchFields");
        node_field(requirement, &path.index(index), errors);
    }
}

fn node_requirement(requirement: &NodeSelectorRequirement, check_values: bool, path: &Path, errors: &mut Errors) {
    let values = list(&requirement.values);
    let values_path = path.child("values");
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.is_empty() => {
            errors.push(Error::required(&values_path, "must be specified when `operator` is 'In' or 'NotIn'"));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.push(Error::forbidden(&values_path, why));
        }
        "Gt" | "Lt" if values.len() != 1 => {
            let why = "must be specified single value when `operator` is 'Lt' or 'Gt'";
            errors.push(Error::required(&values_path, why));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        other => errors.push(Error::invalid(&path.child("operator"), other, "not a valid selector operator")),
    }
    complain(errors, &path.child("key"), &requirement.key, qualified_name(&requirement.key));
    for (index, value) in values.iter().enumerate().filter(|_| check_values) {
        complain(errors, &values_path.index(index), value, label_value(value));
    }
}

/// Only a node's name can be asked for as a field.
fn node_field(requirement: &NodeSelectorRequirement, path: &Path, errors: &mut Errors) {
    match requirement.operator.as_str() {
        "In" | "NotIn" if list(&requirement.values).len() != 1 => {
            let why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            errors.push(Error::required(&path.child("values"), why));
        }
        "In" | "NotIn" => {}
        other => errors.push(Error::invalid(&path.child("operator"), other, "not a valid selector operator")),
    }
    if requirement.key != "metadata.name" {
        errors.push(Error::invalid(&path.child("key"), requirement.key.as_str(), "not a valid field selector key"));
        return;
    }
    let values_path = path.child("values");
    for (index, value) in list(&requirement.values).iter().enumerate() {
        complain(errors, &values_path.index(index), value, dns1123_subdomain(value));
    }
}

fn pod_terms(required: &[PodAffinityTerm], preferred: &[WeightedPodAffinityTerm], path: &Path, errors: &mut Errors) {
    for (index, term) in required.iter().enumerate() {
        let path = path.child(REQUIRED);
        pod_term(term, &path.index(index), errors);
    }
    for (index, term) in preferred.iter().enumerate() {
        let list_path = path.child(PREFERRED);
        let path = list_path.index(index);
        weight(term.weight, &path.child("weight"), errors);
        pod_term(&term.pod_affinity_term, &path.child("podAffinityTerm"), errors);
    }
}

fn pod_term(term: &PodAffinityTerm, path: &Path, errors: &mut Errors) {
    for (name, selector) in [("labelSelector", &term.label_selector), ("namespaceSelector", &term.namespace_selector)] {
        if let Some(selector) = selector {
            label_selector(selector, &path.child(name), errors);
        }
    }
    for name in list(&term.namespaces) {
        complain(errors, &path.child("namespace"), name, dns1123_label(name));
    }
    let keys = (list(&term.match_label_keys), list(&term.mismatch_label_keys));
    match_label_keys(keys.0, keys.1, term.label_selector.as_ref(), path, errors);
    if term.topology_key.is_empty() {
        errors.push(Error::required(&path.child("topologyKey"), "can not be empty"));
    }
    complain(errors, &path.child("topologyKey"), &term.topology_key, qualified_name(&term.topology_key));
}

/// `ValidateMatchLabelKeysAndMismatchLabelKeys`. Creating a Pod has put the keys into its selector already.
pub(super) fn match_label_keys(
    keys: &[String],
    others: &[String],
    selector: Option<&LabelSelector>,
    path: &Path,
    errors: &mut Errors,
) {
    for (name, keys) in [("matchLabelKeys", keys), ("mismatchLabelKeys", others)] {
        let path = path.child(name);
        if !keys.is_empty() && selector.is_none() {
            errors.push(Error::forbidden(&path, "must not be specified when labelSelector is not set"));
            continue;
        }
        for (index, key) in keys.iter().enumerate() {
            complain(errors, &path.index(index), key, qualified_name(key));
        }
    }
    if let Some(selector) = selector {
        let mut seen: Vec<&String> = selector.match_labels.iter().flat_map(|labels| labels.keys()).collect();
        for expression in list(&selector.match_expressions) {
            let key = &expression.key;
            if let Some(index) = keys.iter().rposition(|other| other == key).filter(|_| seen.contains(&key)) {
                let why = "exists in both matchLabelKeys and labelSelector";
                errors.push(Error::invalid(&path.index(index), key.as_str(), why));
            }
            seen.push(key);
        }
    }
    let path = path.child("matchLabelKeys");
    for (index, key) in keys.iter().enumerate().filter(|(_, key)| others.contains(key)) {
        let why = "exists in both matchLabelKeys and mismatchLabelKeys";
        errors.push(Error::invalid(&path.index(index), key.as_str(), why));
    }
}

/// What a new Pod's `matchLabelKeys` add to its selectors, as its own labels have it.
pub(super) fn merge_label_keys(pod: &mut Pod) {
    let Some(spec) = &mut pod.spec else { return };
    let labels = pod.metadata.labels.as_ref();
    let merge = |selector: &mut Option<LabelSelector>, keys: &Option<Vec<String>>, operator: &str| {
        let Some(selector) = selector else { return };
        for key in list(keys) {
            if let Some(value) = labels.and_then(|labels| labels.get(key)) {
                selector.match_expressions.get_or_insert_default().push(LabelSelectorRequirement {
                    key: key.clone(),
                    operator: operator.into(),
                    values: Some(vec![value.clone()]),
                });
            }
        }
    };
    let mut merge_term = |term: &mut PodAffinityTerm| {
        merge(&mut term.label_selector, &term.match_label_keys, "In");
        merge(&mut term.label_selector, &term.mismatch_label_keys, "NotIn");
    };
    if let Some(affinity) = &mut spec.affinity {
        if let Some(pods) = &mut affinity.pod_affinity {
            let preferred = pods.preferred_during_scheduling_ignored_during_execution.iter_mut().flatten();
            preferred.for_each(|term| merge_term(&mut term.pod_affinity_term));
            pods.required_during_scheduling_ignored_during_execution.iter_mut().flatten().for_each(&mut merge_term);
        }
        if let Some(pods) = &mut affinity.pod_anti_affinity {
            let preferred = pods.preferred_during_scheduling_ignored_during_execution.iter_mut().flatten();
            preferred.for_each(|term| merge_term(&mut term.pod_affinity_term));
            pods.required_during_scheduling_ignored_during_execution.iter_mut().flatten().for_each(&mut merge_term);
        }
    }
    for constraint in spec.topology_spread_constraints.iter_mut().flatten() {
        merge(&mut constraint.label_selector, &constraint.match_label_keys, "In");
    }
}
