//! Pods have no resource claims here; what is left of the plugin is its part in messages.

use crate::cache::PodInfo;
use crate::framework::{CycleState, Handle, PreFilterPlugin, PreFilterResult, Status};

pub struct DynamicResources;

impl PreFilterPlugin for DynamicResources {
    fn pre_filter(&self, _handle: Handle, state: &mut CycleState, _pod: &PodInfo) -> Result<PreFilterResult, Status> {
        state.dynamic_resources = true;
        Err(Status::SKIP)
    }
}

/// PostFilter would free a claim that blocks the Pod. After a PreFilter that has stopped before this plugin it finds no
/// state of its own: upstream's message then ends in its `not found`.
pub fn post_filter(state: &CycleState) -> Status {
    if state.dynamic_resources {
        Status::unschedulable("no new claims to deallocate")
    } else {
        Status::error("not found")
    }
}
