//! Topology spread constraints.

use api::field::{Error, Errors, Path};
use api::types::TopologySpreadConstraint;
use api::validate::label_selector;

use super::affinity::match_label_keys;
use crate::registry::rules::{list, one_of};

const ACTIONS: &[&str] = &["DoNotSchedule", "ScheduleAnyway"];
const POLICIES: &[&str] = &["Honor", "Ignore"];

pub(super) fn validate(constraints: &[TopologySpreadConstraint], path: &Path, errors: &mut Errors) {
    for (index, constraint) in constraints.iter().enumerate() {
        let path = path.index(index);
        if constraint.max_skew <= 0 {
            errors.push(Error::invalid(&path.child("maxSkew"), constraint.max_skew, "must be greater than zero"));
        }
        let key = constraint.topology_key.as_str();
        if key.is_empty() {
            errors.push(Error::required(&path.child("topologyKey"), "can not be empty"));
        }
        let action = constraint.when_unsatisfiable.as_str();
        if !ACTIONS.contains(&action) {
            errors.push(Error::not_supported(&path.child("whenUnsatisfiable"), action, ACTIONS));
        }
        let same = |other: &TopologySpreadConstraint| other.topology_key == key && other.when_unsatisfiable == action;
        if constraints[index + 1..].iter().any(same) {
            let path = path.child("{topologyKey, whenUnsatisfiable}");
            errors.push(Error::duplicate(&path, format!("{{{key}, {action}}}")));
        }
        min_domains(constraint, &path.child("minDomains"), errors);
        for (name, policy) in [
            ("nodeAffinityPolicy", &constraint.node_affinity_policy),
            ("nodeTaintsPolicy", &constraint.node_taints_policy),
        ] {
            if let Some(policy) = policy {
                one_of(policy, POLICIES, &path.child(name), errors);
            }
        }
        match_label_keys(list(&constraint.match_label_keys), &[], constraint.label_selector.as_ref(), &path, errors);
        if let Some(selector) = &constraint.label_selector {
            label_selector(selector, &path.child("labelSelector"), errors);
        }
    }
}

fn min_domains(constraint: &TopologySpreadConstraint, path: &Path, errors: &mut Errors) {
    let Some(count) = constraint.min_domains else { return };
    if count <= 0 {
        errors.push(Error::invalid(path, count, "must be greater than zero"));
    }
    let action = &constraint.when_unsatisfiable;
    if action != "DoNotSchedule" {
        let why = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
        errors.push(Error::invalid(path, count, why));
    }
}
