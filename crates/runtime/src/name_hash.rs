//! Numbers and digests that follow from a name, the same on every run and target.

/// FNV-1a over the text, then mixed so that all bits depend on all of it.
pub fn hash_text(text: &str) -> u64 {
    let folded = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    mix(folded)
}

/// SplitMix64's output function.
pub fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Sixty-four hexadecimal digits, as in a SHA-256 digest; they are not the SHA-256 of anything.
pub fn hex_digest(text: &str) -> String {
    let first = hash_text(text);
    let words = [first, mix(first ^ 1), mix(first ^ 2), mix(first ^ 3)];
    words.iter().map(|word| format!("{word:016x}")).collect()
}
