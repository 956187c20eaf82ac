//! What an eviction asks of disruption budgets: upstream's `registry/core/pod/storage/eviction.go`.

use std::collections::BTreeMap;

use api::selector::Selector;
use api::status::Cause;
use api::types::{Condition, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus};
use api::{Draft, Kinded, Object, Reason, Request, Status, meta, time};

use crate::{ApiServer, Context};

const REFUSED: &str = "Cannot evict pod as it would violate the pod's disruption budget.";
const TOO_MANY: &str =
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
/// Evictions that the disruption controller has not confirmed.
const UNCONFIRMED_MAX: usize = 2000;

impl ApiServer {
    /// Takes one disruption from the budget that covers the Pod, or says why there is none.
    pub(crate) fn spend_budget(&mut self, context: &Context, request: &Request) -> Result<(), Status> {
        let Some(pod) = self.storage.find::<Pod>(&request.namespace, &request.name) else { return Ok(()) };
        if needs_no_budget(pod) {
            return Ok(());
        }
        let labels = meta::labels(&pod.metadata);
        let budgets = self.storage.range_of::<PodDisruptionBudget>(&request.namespace);
        let covering: Vec<_> = budgets.filter(|budget| covers(&***budget, labels)).collect();
        let stored = match covering[..] {
            [] => return Ok(()),
            [only] => only.clone(),
            _ => return Err(Status::new(500, Reason::Unknown, TOO_MANY)),
        };
        let Some(budget) = stored.downcast_ref::<PodDisruptionBudget>() else { return Ok(()) };
        if is_unhealthy_and_may_go(pod, budget) {
            return Ok(());
        }
        let spent = spend(budget, &request.name, context)?;
        if !request.options.dry_run {
            self.store(context, PodDisruptionBudget::row(), &stored, Draft::new(spent));
        }
        Ok(())
    }
}

fn covers(budget: &dyn Object, labels: &BTreeMap<String, String>) -> bool {
    let spec = budget.downcast_ref::<PodDisruptionBudget>().and_then(|budget| budget.spec.as_ref());
    Selector::from_label_selector(spec.and_then(|spec| spec.selector.as_ref())).matches(labels)
}

/// A Pod that does not run, or goes anyway.
fn needs_no_budget(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed" | "Pending")) || meta::is_being_deleted(&pod.metadata)
}

fn is_unhealthy_and_may_go(pod: &Pod, budget: &PodDisruptionBudget) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let is_ready = conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let policy = budget.spec.as_ref().and_then(|spec| spec.unhealthy_pod_eviction_policy.as_deref());
    let healthy = budget.status.as_ref().is_some_and(|status| {
        let desired = status.desired_healthy.unwrap_or(0);
        desired > 0 && status.current_healthy.unwrap_or(0) >= desired
    });
    !is_ready && (policy == Some("AlwaysAllow") || healthy)
}

/// The budget with one disruption less.
fn spend(budget: &PodDisruptionBudget, pod: &str, context: &Context) -> Result<PodDisruptionBudget, Status> {
    let name = budget.metadata.name.as_deref().unwrap_or_default();
    let mut spent = budget.clone();
    let status = spent.status.get_or_insert_default();
    let generation = budget.metadata.generation.unwrap_or(0);
    if status.observed_generation.unwrap_or(0) < generation {
        return Err(refusal(format!("The disruption budget {name} is still being processed by the server."), 10));
    }
    let row = PodDisruptionBudget::row();
    let allowed = status.disruptions_allowed.unwrap_or(0);
    if allowed < 0 {
        return Err(Status::forbidden(row, name, "pdb disruptions allowed is negative"));
    }
    let disrupted = status.disrupted_pods.get_or_insert_default();
    if disrupted.len() > UNCONFIRMED_MAX {
        let why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
        return Err(Status::forbidden(row, name, why));
    }
    if allowed == 0 {
        return Err(refusal(why_not(name, status), 0));
    }
    disrupted.insert(pod.to_owned(), time::stamp(context.now));
    status.disruptions_allowed = Some(allowed - 1);
    if allowed == 1 {
        let conditions = status.conditions.get_or_insert_default();
        conditions.retain(|condition| condition.type_ != "DisruptionAllowed");
        conditions.push(Condition {
            type_: "DisruptionAllowed".into(),
            status: "False".into(),
            reason: "InsufficientPods".into(),
            message: String::new(),
            last_transition_time: time::stamp(context.now),
            observed_generation: Some(generation),
        });
    }
    Ok(spent)
}

/// Why a budget allows no disruption.
fn why_not(name: &str, status: &PodDisruptionBudgetStatus) -> String {
    let conditions = status.conditions.iter().flatten();
    let denial = conditions.into_iter().find(|condition| {
        condition.type_ == "DisruptionAllowed" && condition.status == "False" && !condition.message.is_empty()
    });
    let refused = format!("The disruption budget {name} does not allow evicting pods currently");
    let (desired, current) = (status.desired_healthy.unwrap_or(0), status.current_healthy.unwrap_or(0));
    match denial {
        Some(denial) if denial.reason == "SyncFailed" => {
            format!("{refused} because it failed sync: {}", denial.message)
        }
        _ if current <= desired => {
            format!("The disruption budget {name} needs {desired} healthy pods and has {current} currently")
        }
        Some(denial) => format!("{refused} ({}): {}", denial.reason, denial.message),
        None => refused,
    }
}

fn refusal(why: String, retry_after: u32) -> Status {
    let mut status = Status::new(429, Reason::TooManyRequests, REFUSED);
    let details = status.details.get_or_insert_default();
    details.causes.push(Cause { reason: "DisruptionBudget".into(), message: why, field: String::new() });
    details.retry_after_seconds = retry_after;
    status
}
