//! Prefers nodes that have the Pod's images, the more so the larger and the more widespread they are.

use std::sync::Arc;

use crate::cache::ImageState;
use crate::cache::{NodeInfo, PodInfo, Slot};
use crate::framework::{CycleState, Handle, MAX_NODE_SCORE, PreScorePlugin, ScorePlugin};

pub struct ImageLocality;

#[derive(Clone, Debug, Default)]
pub struct State {
    /// The images that some node has, with the size that counts.
    images: Vec<(i64, Arc<ImageState>)>,
    containers: i64,
}

/// Bytes. What is smaller is quick to pull anywhere; what is larger counts no more.
const MIN_THRESHOLD: i64 = 23 * 1024 * 1024;
const MAX_CONTAINER_THRESHOLD: i64 = 1000 * 1024 * 1024;

impl PreScorePlugin for ImageLocality {
    fn pre_score(&self, handle: Handle, state: &mut CycleState, pod: &PodInfo, _feasible: &[Slot]) -> bool {
        let Some(spec) = pod.spec() else { return false };
        let nodes = handle.cache.order().len();
        let containers = || spec.init_containers.iter().flatten().chain(&spec.containers);
        let sources = spec.volumes.iter().flatten().filter_map(|volume| volume.image.as_ref()?.reference.as_ref());
        let names = containers().filter_map(|container| container.image.as_ref()).chain(sources);
        let known = names.filter_map(|name| handle.cache.images().get(&*normalized(name)));
        // One image on few nodes shall not draw every Pod there.
        let scaled = |image: &Arc<ImageState>| (image.size as f64 * (image.nodes.len() as f64 / nodes as f64)) as i64;
        state.image_locality = State {
            images: known.map(|image| (scaled(image), image.clone())).collect(),
            containers: containers().count() as i64,
        };
        true
    }
}

impl ScorePlugin for ImageLocality {
    fn score(&self, _handle: Handle, state: &CycleState, _pod: &PodInfo, node: &NodeInfo) -> i64 {
        let State { images, containers } = &state.image_locality;
        let present = images.iter().filter(|(_, image)| image.nodes.contains(&node.slot));
        let sum: i64 = present.map(|(size, _)| size).sum();
        let max_threshold = MAX_CONTAINER_THRESHOLD * containers.max(&1);
        MAX_NODE_SCORE * (sum.clamp(MIN_THRESHOLD, max_threshold) - MIN_THRESHOLD) / (max_threshold - MIN_THRESHOLD)
    }
}

/// Images without a tag are kept under `latest`.
fn normalized(name: &str) -> std::borrow::Cow<'_, str> {
    let tagged = name.rfind(':').is_some_and(|colon| name.rfind('/').is_none_or(|slash| colon > slash));
    if tagged { name.into() } else { format!("{name}:latest").into() }
}
