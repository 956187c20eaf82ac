//! Prefers nodes on which the Pod evens out the shares of cpu and memory that are in use.

use crate::cache::{NodeInfo, PodInfo, Slot};
use crate::framework::{CycleState, Handle, MAX_NODE_SCORE, PreScorePlugin, ScorePlugin};

pub struct BalancedAllocation;

impl PreScorePlugin for BalancedAllocation {
    /// A Pod without requests balances nothing.
    fn pre_score(&self, _handle: Handle, _state: &mut CycleState, pod: &PodInfo, _feasible: &[Slot]) -> bool {
        pod.requests.milli_cpu > 0 || pod.requests.memory > 0
    }
}

impl ScorePlugin for BalancedAllocation {
    /// 75 when the Pod leaves the balance as it is; 50 to 100, as the worst balance of two resources is 50.
    fn score(&self, _handle: Handle, _state: &CycleState, pod: &PodInfo, node: &NodeInfo) -> i64 {
        let (has, used, wanted) = (&node.allocatable, &node.requested, &pod.requests);
        let before = balance(&[(used.milli_cpu, has.milli_cpu), (used.memory, has.memory)]);
        let after =
            balance(&[(used.milli_cpu + wanted.milli_cpu, has.milli_cpu), (used.memory + wanted.memory, has.memory)]);
        (after - before + MAX_NODE_SCORE + MAX_NODE_SCORE / 2) / 2
    }
}

/// 100 less the standard deviation of the shares in use, in percent.
fn balance(resources: &[(i64, i64); 2]) -> i64 {
    let share = |(used, has): (i64, i64)| (used as f64 / has as f64).min(1.0);
    let deviation = match resources.map(|(used, has)| (has > 0).then(|| share((used, has)))) {
        [Some(one), Some(other)] => ((one - other) / 2.0).abs(),
        _ => 0.0,
    };
    ((1.0 - deviation) * MAX_NODE_SCORE as f64) as i64
}
