//! Whole clusters through the face that the page and the server use.

mod deploy;
mod replay;
mod schema;
