//! Makes sure that a container's image is on the node: pull policies, back-off, one pull at a time.

use std::collections::{BTreeMap, VecDeque};

use api::SimTime;
use api::types::Container;
use runtime::{ImageReference, PullError, Runtime};

use crate::backoff::Backoff;
use crate::format;
use crate::host::{PodId, Timer};
use crate::timers::Timers;

/// The node's pulls. `serializeImagePulls` is on, as by default: others wait.
#[derive(Clone, Default)]
pub struct ImageManager {
    active: Option<Active>,
    waiting: VecDeque<Wanted>,
    /// By Pod and image as written.
    backoffs: BTreeMap<(PodId, String), Failed>,
}

#[derive(Clone)]
struct Wanted {
    pod: PodId,
    image: String,
    since: SimTime,
}

#[derive(Clone)]
struct Active {
    wanted: Wanted,
    began: SimTime,
    pull: runtime::Pull,
}

#[derive(Clone)]
struct Failed {
    backoff: Backoff,
    at: SimTime,
    /// `ErrImagePull: rpc error: …`
    message: String,
}

/// What is to be done about an image now.
pub enum Decision {
    Present,
    /// Missing or policy `Always`.
    Pull,
    /// Reason of the waiting state, its message, and the event about it (type Normal only for back-off).
    Refuse {
        reason: &'static str,
        message: String,
        event: (&'static str, String),
    },
}

/// A pull that has ended.
pub struct Pulled {
    pub pod: PodId,
    pub image: String,
    pub result: Result<(), PullError>,
    pub size_bytes: u64,
    /// Of the pull itself, and with the time that it waited for its turn.
    pub took: SimTime,
    pub took_with_waiting: SimTime,
}

impl ImageManager {
    /// Decides what a container's pull policy means now.
    pub fn decide(&self, now: SimTime, runtime: &Runtime, pod: PodId, container: &Container) -> Decision {
        let image = container.image.as_deref().unwrap_or_default();
        let policy = container.image_pull_policy.as_deref().unwrap_or("IfNotPresent");
        if policy != "Always" && runtime.has_image(now, image) {
            return Decision::Present;
        }
        if let Err(text) = ImageReference::parse(image) {
            let message =
                format!("Failed to apply default image tag {image:?}: couldn't parse image name {image:?}: {text}");
            let event = ("InspectFailed", message.clone());
            return Decision::Refuse { reason: "InvalidImageName", message, event };
        }
        if policy == "Never" {
            let message = format!("Container image {image:?} is not present with pull policy of Never");
            let event = ("ErrImageNeverPull", message.clone());
            return Decision::Refuse { reason: "ErrImageNeverPull", message, event };
        }
        if let Some(failed) = self.backoffs.get(&(pod, image.to_owned()))
            && failed.backoff.is_waiting(failed.at, now)
        {
            let text = format!("Back-off pulling image {image:?}");
            let message = format!("{text}: {}", failed.message);
            return Decision::Refuse { reason: "ImagePullBackOff", message, event: ("BackOff", text) };
        }
        Decision::Pull
    }

    /// Queues a pull.
    pub fn pull(&mut self, now: SimTime, runtime: &mut Runtime, timers: &mut Timers<Timer>, pod: PodId, image: &str) {
        self.waiting.push_back(Wanted { pod, image: image.into(), since: now });
        self.begin_next(now, runtime, timers);
    }

    fn begin_next(&mut self, now: SimTime, runtime: &mut Runtime, timers: &mut Timers<Timer>) {
        if self.active.is_some() {
            return;
        }
        let Some(wanted) = self.waiting.pop_front() else { return };
        let pull = runtime.pull_image(now, &wanted.image);
        timers.set(Timer::Pull, pull.finished_at.max(now));
        self.active = Some(Active { wanted, began: now, pull });
    }

    /// The pull that was under way has ended; the next one begins.
    pub fn finish(&mut self, now: SimTime, runtime: &mut Runtime, timers: &mut Timers<Timer>) -> Option<Pulled> {
        let Active { wanted, began, pull } = self.active.take()?;
        self.begin_next(now, runtime, timers);
        let key = (wanted.pod, wanted.image.clone());
        match &pull.outcome {
            Ok(_) => {
                self.backoffs.remove(&key);
            }
            Err(error) => {
                let failed = self.backoffs.entry(key).or_insert(Failed {
                    backoff: Backoff::default(),
                    at: now,
                    message: "".into(),
                });
                failed.backoff.next(now, now);
                failed.at = now;
                failed.message = format!("ErrImagePull: {error}");
            }
        }
        Some(Pulled {
            pod: wanted.pod,
            image: wanted.image,
            result: pull.outcome.map(drop),
            size_bytes: pull.size_bytes,
            took: now - began,
            took_with_waiting: now - wanted.since,
        })
    }

    /// A Pod is gone: its pulls that have not begun are dropped.
    pub fn forget(&mut self, pod: PodId) {
        self.waiting.retain(|wanted| wanted.pod != pod);
        self.backoffs.retain(|(owner, _), _| *owner != pod);
    }

    /// How much of the image that a Pod waits for is here, 0 to 1.
    pub fn progress(&self, now: SimTime, pod: PodId) -> Option<f32> {
        if let Some(active) = self.active.as_ref().filter(|active| active.wanted.pod == pod) {
            let whole = active.pull.finished_at.saturating_sub(active.began).max(1);
            return Some((now.saturating_sub(active.began) as f32 / whole as f32).min(1.0));
        }
        self.waiting.iter().any(|wanted| wanted.pod == pod).then_some(0.0)
    }

    /// Power is gone.
    pub fn clear(&mut self) {
        *self = ImageManager::default();
    }
}

impl Pulled {
    /// The message of event `Pulled` or `Failed`.
    pub fn message(&self) -> String {
        match &self.result {
            Ok(()) => format!(
                "Successfully pulled image {:?} in {} ({} including waiting). Image size: {} bytes.",
                self.image,
                format::duration(self.took),
                format::duration(self.took_with_waiting),
                self.size_bytes
            ),
            Err(error) => format!("Failed to pull image {:?}: {error}", self.image),
        }
    }
}
