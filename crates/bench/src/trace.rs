//! The hash of a seed's trace: the same on every machine, natively and as WebAssembly.

use crate::{Parameters, Run};

// FNV-1a's constants. `FxHasher` would not do: it counts in machine words, which are shorter in WebAssembly.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

pub fn prepare(parameters: &mut Parameters) -> Result<Run, String> {
    let seed = parameters.take("seed", 1)?;
    Ok(Box::new(move || format!(" hash={:016x}", hash(seed))))
}

/// The trace hash of the run that `seed` stands for.
pub fn hash(seed: u64) -> u64 {
    let mut hash = OFFSET;
    for byte in seed.to_le_bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    }
    hash
}
