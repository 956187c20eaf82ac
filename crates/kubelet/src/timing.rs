//! Periods that the kubelet's code or configuration fixes, and durations that a real node takes (measured ones vary; these
//! are typical of containerd on a small machine).

use api::SimTime;
use api::time::{MILLISECOND, MINUTE, SECOND};

/// `nodeStatusUpdateFrequency`
pub const NODE_STATUS_UPDATE: SimTime = 10 * SECOND;
/// `nodeStatusReportFrequency`: how often an unchanged status is sent all the same.
pub const NODE_STATUS_REPORT: SimTime = 5 * MINUTE;
/// A quarter of `nodeLeaseDurationSeconds`.
pub const LEASE_RENEWAL: SimTime = 10 * SECOND;
pub const LEASE_DURATION_SECONDS: i32 = 40;
/// How often the generic PLEG compares the runtime's containers with those it knew.
pub const RELIST: SimTime = SECOND;
/// The work queue of failed and planned syncs is looked at once a second.
pub const WORK_QUEUE: SimTime = SECOND;
/// A Pod that could not be synced waits this long, times 1 to 1.5.
pub const SYNC_BACKOFF: SimTime = 10 * SECOND;
/// The same while the network is not ready.
pub const NETWORK_BACKOFF: SimTime = SECOND;
/// `syncFrequency`: volumes that mirror API objects are brought up to date this often, times 1 to 1.5.
pub const SYNC_FREQUENCY: SimTime = MINUTE;
/// How often a Pod looks whether its volumes are mounted, and how long.
pub const VOLUME_POLL: SimTime = 300 * MILLISECOND;
pub const VOLUME_TIMEOUT: SimTime = 123 * SECOND;
/// The first retry of a mount that failed; doubles up to [`MOUNT_RETRY_MAX`].
pub const MOUNT_RETRY: SimTime = 500 * MILLISECOND;
pub const MOUNT_RETRY_MAX: SimTime = 122 * SECOND;
/// What remains for SIGTERM at least when a preStop hook has used up the grace period.
pub const GRACE_AFTER_HOOK: SimTime = 2 * SECOND;

/// containerd makes the pause container and calls the CNI plugin.
pub const RUN_SANDBOX: SimTime = 250 * MILLISECOND;
pub const STOP_SANDBOX: SimTime = 60 * MILLISECOND;
/// A snapshot and a container record.
pub const CREATE_CONTAINER: SimTime = 30 * MILLISECOND;
/// runc.
pub const START_CONTAINER: SimTime = 50 * MILLISECOND;
