//! The images that a node has.

use std::collections::BTreeMap;

use super::ImageReference;
use super::resolve::{Image, PullError, Resolution, resolve};
use super::spec::Base;
use crate::{NodeConfig, Pull, RegistryFault, SECOND, SimTime};

/// An image on the node, for `node.status.images` and image garbage collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageStatus {
    pub id: String,
    /// `docker.io/library/nginx:1.27`.
    pub tags: Vec<String>,
    /// `docker.io/library/nginx@sha256:…`.
    pub digests: Vec<String>,
    pub size_bytes: u64,
    /// The default user of its containers; `None` for a user name.
    pub uid: Option<u32>,
    pub user_name: String,
    pub pulled_at: SimTime,
    pub last_used_at: SimTime,
}

#[derive(Clone, Debug)]
struct Stored {
    image: Image,
    references: Vec<String>,
    /// The same as its users wrote them.
    written: Vec<Box<str>>,
    present_from: SimTime,
    pulled_at: SimTime,
    last_used_at: SimTime,
}

/// The images of one node, by id.
#[derive(Clone, Debug, Default)]
pub struct ImageStore {
    images: BTreeMap<String, Stored>,
    fault: Option<RegistryFault>,
    /// Every image is here, see [`NodeConfig::hollow`].
    hollow: bool,
}

impl ImageStore {
    pub fn new(hollow: bool) -> ImageStore {
        ImageStore { hollow, ..ImageStore::default() }
    }

    pub fn set_fault(&mut self, fault: Option<RegistryFault>) {
        self.fault = fault;
    }

    /// The image that a reference or id names, if the node has it at that time.
    pub fn find(&self, now: SimTime, name: &str) -> Option<Image> {
        if self.hollow {
            return Image::hollow(name);
        }
        self.stored(now, name).map(|stored| stored.image.clone())
    }

    fn stored(&self, now: SimTime, name: &str) -> Option<&Stored> {
        let by_id = self.images.get(name);
        let as_written = || self.images.values().find(|stored| stored.is_called(name));
        let found = by_id.or_else(as_written).or_else(|| {
            let reference = ImageReference::parse(name).ok()?.to_string();
            let fits = |stored: &&Stored| {
                stored.references.contains(&reference) || *stored.image.repository_digest == *reference
            };
            self.images.values().find(fits)
        })?;
        (found.present_from <= now).then_some(found)
    }

    pub fn status(&self, now: SimTime, name: &str) -> Option<ImageStatus> {
        self.stored(now, name).map(Stored::status)
    }

    pub fn list(&self, now: SimTime) -> Vec<ImageStatus> {
        self.images.values().filter(|stored| stored.present_from <= now).map(Stored::status).collect()
    }

    /// Notes that a container uses an image.
    pub fn touch(&mut self, id: &str, now: SimTime) {
        if let Some(stored) = self.images.get_mut(id) {
            stored.last_used_at = now;
        }
    }

    pub fn remove(&mut self, id: &str) -> bool {
        self.images.remove(id).is_some()
    }

    pub fn bytes(&self) -> u64 {
        self.images.values().map(|stored| stored.image.size_bytes).sum()
    }

    /// Starts a pull.
    pub fn pull(&mut self, now: SimTime, name: &str, node: &NodeConfig) -> Pull {
        const TIMEOUT_NS: u64 = 30 * SECOND;
        const UNPACK_BYTES_PER_SECOND: u64 = 150_000_000;
        let failed =
            |error, after| Pull { outcome: Err(error), finished_at: now + after, size_bytes: 0, transferred_bytes: 0 };
        if self.hollow && Image::hollow(name).is_some() {
            return Pull { outcome: Ok(name.into()), finished_at: now, size_bytes: 0, transferred_bytes: 0 };
        }
        let known = self.images.values().find(|stored| stored.written.iter().any(|written| **written == *name));
        let resolution = known.map_or_else(|| resolve(name), |stored| Resolution::Found(stored.image.clone()));
        let image = match resolution {
            Resolution::Failed(error @ PullError::InvalidName { .. }) => return failed(error, 0),
            Resolution::Failed(error) if self.fault.is_none() => return failed(error, node.registry_latency_ns),
            Resolution::Failed(_) => None,
            Resolution::Found(image) => Some(image),
        };
        let reference = image.as_ref().map_or_else(|| name.to_owned(), |image| image.reference.to_string());
        match (self.fault, &image) {
            (Some(RegistryFault::Unreachable), _) => {
                let registry = ImageReference::parse(name).map_or_else(|_| String::new(), |r| r.registry);
                return failed(PullError::Unreachable { reference, registry }, TIMEOUT_NS);
            }
            (Some(RegistryFault::RateLimited), _) => {
                return failed(PullError::RateLimited { reference }, node.registry_latency_ns);
            }
            (None, _) => {}
        }
        let Some(image) = image else {
            return failed(PullError::NotFound { reference }, node.registry_latency_ns);
        };
        let id = image.id.to_string();
        if let Some(stored) = self.images.get_mut(&id) {
            if !stored.is_called(name) {
                stored.written.push(name.into());
            }
            let finished_at = stored.present_from.max(now + node.registry_latency_ns);
            return Pull { outcome: Ok(id), finished_at, size_bytes: image.size_bytes, transferred_bytes: 0 };
        }
        let transferred = image.size_bytes - self.shared_bytes(&image);
        let bandwidth = node.pull_bytes_per_second.max(1);
        let transfer_ns = transferred * 1000 / bandwidth * 1_000_000;
        let unpack_ns = transferred * 1000 / UNPACK_BYTES_PER_SECOND * 1_000_000;
        let finished_at = now + 2 * node.registry_latency_ns + transfer_ns + unpack_ns;
        let pull =
            Pull { outcome: Ok(id.clone()), finished_at, size_bytes: image.size_bytes, transferred_bytes: transferred };
        let references = vec![image.reference.to_string()];
        let stored = Stored {
            image,
            references,
            written: vec![name.into()],
            present_from: finished_at,
            pulled_at: finished_at,
            last_used_at: finished_at,
        };
        self.images.insert(id, stored);
        pull
    }

    /// Bytes of the layers that the node already has: the base's, and most of another version of the same image.
    fn shared_bytes(&self, image: &Image) -> u64 {
        let base_bytes = match image.spec.base {
            Base::Scratch | Base::Busybox => 0,
            Base::Alpine => 3_500_000,
            Base::Debian => 28_000_000,
        };
        let has_same = self.images.values().any(|s| std::ptr::eq(s.image.spec, image.spec) && image.spec.is_known);
        let has_base = self.images.values().any(|s| s.image.spec.base == image.spec.base && s.image.spec.is_known);
        let shared = match (has_same, has_base) {
            (true, _) => image.size_bytes / 2,
            (false, true) => base_bytes.min(image.size_bytes / 2),
            _ => 0,
        };
        if image.spec.is_known { shared } else { 0 }
    }
}

impl Stored {
    fn is_called(&self, name: &str) -> bool {
        self.references.iter().any(|own| own == name) || self.written.iter().any(|own| **own == *name)
    }

    fn status(&self) -> ImageStatus {
        let spec = self.image.spec;
        ImageStatus {
            id: self.image.id.to_string(),
            tags: self.references.clone(),
            digests: vec![self.image.repository_digest.to_string()],
            size_bytes: self.image.size_bytes,
            uid: Some(spec.uid),
            user_name: spec.user.to_owned(),
            pulled_at: self.pulled_at,
            last_used_at: self.last_used_at,
        }
    }
}
