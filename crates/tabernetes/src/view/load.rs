//! The control plane's and the clients' numbers.

use api::time::{MILLISECOND, SECOND};
use protocol::view as page;
use protocol::view::ComponentState;

use crate::cluster::Cluster;
use crate::member::ProcessState;

/// Pods in the scheduler's box.
const WAITING_MAX: usize = 4;

pub(super) fn control_plane(cluster: &mut Cluster) -> page::ControlPlane {
    cluster.load.advance(cluster.now);
    let own = |name: &str| page::Component { name: name.into(), state: ComponentState::Running };
    let mut components = vec![own("etcd"), own("kube-apiserver")];
    components.extend(cluster.processes().map(|(name, _, state)| page::Component {
        name: name.into(),
        state: match state {
            ProcessState::Running => ComponentState::Running,
            ProcessState::Paused => ComponentState::Paused,
            ProcessState::Off => ComponentState::Killed,
        },
    }));
    let statuses = cluster.controller_manager().map(|manager| manager.status()).unwrap_or_default();
    let newest = statuses.iter().filter(|status| status.last_at.is_some()).max_by_key(|status| status.last_at);
    let working_on = newest.filter(|status| status.last_at.is_some_and(|at| at + 2 * SECOND > cluster.now));
    let working_on = working_on.map(|status| {
        let name = status.name.trim_end_matches("-controller");
        // Some controllers have but one key, which is not the name of anything.
        let key = status.last_key.as_deref().filter(|key| !key.starts_with('(')).unwrap_or_default();
        format!("{name} {}", key.strip_prefix("default/").unwrap_or(key)).trim_end().to_owned()
    });
    let history = cluster.load.history();
    let queue = cluster.scheduler().map(|scheduler| scheduler.queue_status()).unwrap_or_default();
    let waiting = queue.unschedulable.iter().chain(&queue.gated).chain(&queue.backoff).chain(&queue.active);
    let waiting = waiting.take(WAITING_MAX).map(|key| key.to_string()).collect();
    page::ControlPlane {
        components,
        revision: cluster.server.revision(),
        objects: cluster.server.objects() as u64,
        requests_per_second: history.last().copied().unwrap_or(0.0),
        request_history: history.to_vec(),
        watches: cluster.server.open_watches() as u32,
        request_p99: cluster.load.p99() as f32 / MILLISECOND as f32,
        queued_work: statuses.iter().map(|status| status.queued as u32).sum(),
        working_on: working_on.unwrap_or_default(),
        active: queue.active.len() as u32,
        backoff: queue.backoff.len() as u32,
        unschedulable: (queue.unschedulable.len() + queue.gated.len()) as u32,
        waiting,
    }
}

pub(super) fn clients(cluster: &Cluster) -> page::Clients {
    let stats = &cluster.traffic().clients;
    let (rate, _) = stats.rates(cluster.now, 3 * SECOND);
    let (_, failing) = stats.rates(cluster.now, SECOND);
    page::Clients {
        rate,
        failed: stats.failed,
        succeeded: stats.succeeded,
        failing,
        p50: stats.percentile(0.5) as f32 / MILLISECOND as f32,
        p99: stats.percentile(0.99) as f32 / MILLISECOND as f32,
    }
}
