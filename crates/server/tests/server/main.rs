//! The program as its clients see it.
#![expect(clippy::disallowed_methods, reason = "tests of a native program")]

mod clients;
mod flow;
mod harness;
mod hostile;
mod http;
mod kubectl;
