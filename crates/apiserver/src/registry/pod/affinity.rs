//! Affinity to nodes and to other Pods.

use api::field::{Error, Errors, Path};
use api::types::WeightedPodAffinityTerm;
use api::types::{Affinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm};
use api::validate::{dns1123_label, label_selector, label_value, qualified_name};

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
            node_term(&preferred.preference, &path.child("preference"), errors);
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
        node_term(term, &path.index(index), errors);
    }
}

fn node_term(term: &NodeSelectorTerm, path: &Path, errors: &mut Errors) {
    for (index, requirement) in list(&term.match_expressions).iter().enumerate() {
        let path = path.child("matchExpressions");
        node_requirement(requirement, &path.index(index), errors);
    }
    for (index, requirement) in list(&term.match_fields).iter().enumerate() {
        let path = path.child("matchFields");
        node_field(requirement, &path.index(index), errors);
    }
}

fn node_requirement(requirement: &NodeSelectorRequirement, path: &Path, errors: &mut Errors) {
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
    for (index, value) in values.iter().enumerate() {
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
        complain(errors, &path.child("namespaces"), name, dns1123_label(name));
    }
    match_label_keys(term, path, errors);
    if term.topology_key.is_empty() {
        errors.push(Error::required(&path.child("topologyKey"), "can not be empty"));
    }
    complain(errors, &path.child("topologyKey"), &term.topology_key, qualified_name(&term.topology_key));
}

fn match_label_keys(term: &PodAffinityTerm, path: &Path, errors: &mut Errors) {
    for (name, keys) in [("matchLabelKeys", &term.match_label_keys), ("mismatchLabelKeys", &term.mismatch_label_keys)] {
        if !list(keys).is_empty() && term.label_selector.is_none() {
            errors.push(Error::forbidden(&path.child(name), "must not be specified when labelSelector is not set"));
        }
        for (index, key) in list(keys).iter().enumerate() {
            let path = path.child(name);
            complain(errors, &path.index(index), key, qualified_name(key));
        }
    }
}
