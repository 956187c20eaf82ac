//! Fuzz tests: arbitrary and almost valid input to whatever reads what people send.
//!
//! `cargo nextest run -p tests --test fuzz` runs the same cases every time, within a minute. For longer, and other ones:
//! `FUZZ_CASES=20` multiplies their number, `FUZZ_SEED=2` makes new ones, and `FUZZ_LIST=1` lists what every case finds
//! instead of making the first failing one smaller.

mod choices;
mod lines;
mod manifests;
mod patches;
mod requests;
mod runner;
mod texts;
mod world;

/// Counts, so that a case which takes too much memory fails.
#[global_allocator]
static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
