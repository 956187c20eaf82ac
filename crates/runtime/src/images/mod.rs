//! Images: a catalogue as data, references, and the node's store.

mod catalogue;
mod reference;
mod resolve;
pub(crate) mod spec;
mod store;
mod tags;

pub use reference::ImageReference;
pub(crate) use resolve::is_nonsense;
pub use resolve::{Image, PullError, Resolution, resolve};
pub use spec::{Base, ImageSpec};
pub use store::{ImageStatus, ImageStore};
