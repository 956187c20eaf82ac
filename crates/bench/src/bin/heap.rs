//! `heap NAME [KEY=VALUE…]`: the most memory that the same run needs. Counting costs time, which is why `bench` does not.

use std::process::ExitCode;

use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

fn main() -> ExitCode {
    bench::main(|_, prepared| {
        HEAP.reset_peak_usage();
        prepared.start();
        format!("peak_mb={:.1}", HEAP.peak_usage() as f64 / 1e6)
    })
}
