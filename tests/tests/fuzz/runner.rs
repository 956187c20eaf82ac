//! Cases by the hundred, from a seed: what each must keep to, whatever it is about.
#![expect(clippy::disallowed_methods, reason = "a test reads its environment and looks at the clock")]

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::HEAP;
use crate::choices::Choices;

/// A case that takes longer hangs as good as for ever.
const TIME_MAX: Duration = Duration::from_secs(10);
/// What a case may add to the memory in use.
const BYTES_MAX: usize = 400 << 20;
/// Choices that a case can make before every further one is its first alternative.
const CHOICES_MAX: usize = 400;
/// How often a failing case is made smaller.
const SHRINKS_MAX: u32 = 2000;

/// What a case found wrong.
pub type Outcome = Result<(), String>;

/// Runs `cases` cases. One that panics, fails, hangs or takes too much memory is made as small as it can be, and shown.
pub fn check(cases: u32, case: impl Fn(&mut Choices) -> Outcome) {
    let seed = number("FUZZ_SEED").unwrap_or(1);
    let lists = number("FUZZ_LIST").is_some();
    let config = Config {
        cases: cases * number("FUZZ_CASES").unwrap_or(1),
        max_shrink_iters: SHRINKS_MAX,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed as u8; 32]);
    let outcome = TestRunner::new_with_rng(config, rng).run(&vec(any::<u32>(), 0..CHOICES_MAX), |tape| {
        if !lists {
            return measured(&tape, &case).map_err(TestCaseError::fail);
        }
        match std::panic::catch_unwind(AssertUnwindSafe(|| measured(&tape, &case))) {
            Ok(Ok(())) => {}
            Ok(Err(why)) => println!("FOUND {why}"),
            Err(_) => println!("FOUND a panic"),
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

fn measured(tape: &[u32], case: impl Fn(&mut Choices) -> Outcome) -> Outcome {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let began = Instant::now();
    case(&mut Choices::new(tape))?;
    let (taken, bytes) = (began.elapsed(), HEAP.peak_usage().saturating_sub(before));
    if taken > TIME_MAX {
        return Err(format!("took {taken:?}"));
    }
    if bytes > BYTES_MAX {
        return Err(format!("took {bytes} bytes"));
    }
    Ok(())
}

fn number(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}
