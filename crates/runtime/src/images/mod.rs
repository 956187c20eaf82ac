//! Images: a catalogue as data, references, and the node's store.

mod reference;
mod store;

pub use reference::ImageReference;
pub use store::{Image, ImageStatus, PullError};
