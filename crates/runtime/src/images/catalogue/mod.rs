//! The catalogue's rows, by what the images are for.

mod applications;
mod data_stores;
mod system;
mod tool_images;
mod web_servers;

use super::ImageSpec;

/// All rows.
pub fn rows() -> impl Iterator<Item = &'static ImageSpec> {
    let tables = [web_servers::TABLE, data_stores::TABLE, tool_images::TABLE, applications::TABLE, system::TABLE];
    tables.into_iter().flatten()
}
