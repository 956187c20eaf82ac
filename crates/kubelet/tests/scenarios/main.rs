//! Lives of Pods on one node, told by their events and statuses in virtual time.

mod failures;
mod node;
mod probes;
mod scene;
mod start;
mod termination;
mod volumes;
