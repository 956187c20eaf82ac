//! Virtual file systems: trees, volumes, and a container's view of both.

mod error;
mod tree;
mod view;
mod volumes;

pub use error::FsError;
pub use tree::{Dir, File, Node, Tree, path_names};
pub use view::{PinnedMount, View};
pub use volumes::{Mount, VolumeId, Volumes};
