//! The scheduler beside an API server: over time, and against recordings of the real one.

mod behaviour;
mod recordings;
