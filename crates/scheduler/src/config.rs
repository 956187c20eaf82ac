//! What of `KubeSchedulerConfiguration` can be set.

use api::SimTime;
use api::time::{MICROSECOND, SECOND};

#[derive(Clone, Debug)]
pub struct Config {
    /// Pods with another `spec.schedulerName` are left alone.
    pub scheduler_name: &'static str,
    /// Share of the nodes that must be found feasible before the search stops; 0 adapts to the cluster's size.
    pub percentage_of_nodes_to_score: u32,
    pub pod_initial_backoff: SimTime,
    pub pod_max_backoff: SimTime,
    /// How long PreBind waits for the volume controllers (`VolumeBindingArgs.bindTimeoutSeconds`).
    pub bind_timeout: SimTime,
    /// What a scheduling cycle costs in virtual time, and each node that it looks at.
    pub cycle_cost: SimTime,
    pub node_cost: SimTime,
    /// Decisions that are kept in all; of each Pod the last three.
    pub decisions_kept: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            scheduler_name: "default-scheduler",
            percentage_of_nodes_to_score: 0,
            pod_initial_backoff: SECOND,
            pod_max_backoff: 10 * SECOND,
            bind_timeout: 600 * SECOND,
            cycle_cost: 150 * MICROSECOND,
            node_cost: MICROSECOND,
            decisions_kept: 4096,
        }
    }
}
