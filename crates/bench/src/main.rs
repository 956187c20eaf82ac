//! `bench NAME [KEY=VALUE…]`: one run in this process, and its line.
#![expect(clippy::disallowed_methods, reason = "measures by the clock")]

use std::process::ExitCode;
use std::time::Instant;

/// As in `server`.
#[cfg(not(target_family = "wasm"))]
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    bench::main(|name, prepared| {
        let description = prepared.description();
        let start = Instant::now();
        let found = prepared.start();
        let seconds = start.elapsed().as_secs_f64();
        format!("{name} target=native{description}{found} wall_s={seconds:.3}")
    })
}
