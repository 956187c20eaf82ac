//! `bench NAME [KEY=VALUE…]`: one run in this process, and its line.
#![expect(clippy::disallowed_methods, reason = "measures by the clock")]

use std::process::ExitCode;
use std::time::Instant;

use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_default();
    let prepared = match bench::prepare(&name, &words.collect::<Vec<_>>().join(" ")) {
        Ok(prepared) => prepared,
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::FAILURE;
        }
    };
    let description = prepared.description();
    HEAP.reset_peak_usage();
    let start = Instant::now();
    let found = prepared.start();
    let seconds = start.elapsed().as_secs_f64();
    let peak = HEAP.peak_usage() as f64 / 1e6;
    println!("{name} target=native{description}{found} wall_s={seconds:.3} peak_mb={peak:.1}");
    ExitCode::SUCCESS
}
