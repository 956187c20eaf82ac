//! The ClusterRole aggregation controller: a role with an `aggregationRule` has the rules of the roles that it selects.
//! Upstream: `pkg/controller/clusterroleaggregation`.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::request::WatchKind;
use api::selector::Selector;
use api::types::{ClusterRole, PolicyRule};
use api::{Status, meta, object};
use client::Client;

use crate::caches::Caches;
use crate::controller::{Event, Queue, Reconciler};

#[derive(Clone, Default)]
pub struct ClusterRoleAggregationController {
    roles: BTreeMap<String, Arc<ClusterRole>>,
}

impl Reconciler for ClusterRoleAggregationController {
    type Key = String;
    const NAME: &'static str = "clusterrole-aggregation-controller";
    const KIND: &'static str = "ClusterRole";
    const WORKERS: usize = 5;

    fn observe(&mut self, event: &Event, _caches: &Caches, queue: &mut Queue<String>) {
        let Some(role) = object::typed::<ClusterRole>(&event.change.object) else { return };
        let name = role.metadata.name.clone().unwrap_or_default();
        match event.change.kind {
            WatchKind::Deleted => self.roles.remove(&name),
            _ => self.roles.insert(name, role),
        };
        // Any role may be one of those that any other selects.
        for (name, role) in &self.roles {
            if role.aggregation_rule.is_some() {
                queue.add(name.clone());
            }
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        _caches: &Caches,
        client: &mut Client,
        _queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(role) = self.roles.get(key) else { return Ok(()) };
        let Some(aggregation) = &role.aggregation_rule else { return Ok(()) };
        let mut rules: Vec<PolicyRule> = Vec::new();
        for selector in aggregation.cluster_role_selectors.iter().flatten() {
            let selector = Selector::from_label_selector(Some(selector));
            let selected =
                self.roles.iter().filter(|(name, role)| *name != key && selector.matches(meta::labels(&role.metadata)));
            for rule in selected.flat_map(|(_, role)| role.rules.iter().flatten()) {
                if !rules.contains(rule) {
                    rules.push(rule.clone());
                }
            }
        }
        if role.rules.as_deref().unwrap_or_default() == rules {
            return Ok(());
        }
        client.update(ClusterRole { rules: Some(rules), ..(**role).clone() }).map(drop)
    }
}
