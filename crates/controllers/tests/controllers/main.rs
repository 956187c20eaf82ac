//! The controllers beside an API server, with nobody else but what a test plays itself.

mod batch;
mod certificates;
mod cluster;
mod rollouts;
