//! The API server as its clients meet it: in process, and over its HTTP router.

mod access;
mod core_v1;
mod definitions;
mod devices;
mod equivalents;
mod flow_control;
mod http;
mod managed_fields;
mod mutating_policies;
mod objects;
mod oracle;
mod semantics;
mod webhooks;
