//! Hashes in names and labels: `pod-template-hash`, `controller-revision-hash`.

/// Upstream's alphabet for names: no vowels and nothing that looks like one.
const ALPHANUMERICS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

fn fnv32a(seed: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619))
}

/// Writes text in the safe alphabet, each character by its code modulo 27.
pub fn safe_encode(text: &str) -> String {
    text.bytes().map(|byte| char::from(ALPHANUMERICS[usize::from(byte) % ALPHANUMERICS.len()])).collect()
}

/// The hash of what `text` describes canonically. Upstream hashes how Go prints the struct, so the numbers differ from
/// a real cluster's, the shape does not.
pub fn compute(text: &str, collision_count: Option<i32>) -> String {
    let mut hash = fnv32a(2_166_136_261, text.as_bytes());
    if let Some(count) = collision_count {
        hash = fnv32a(hash, &count.to_le_bytes());
    }
    safe_encode(&hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_use_the_safe_alphabet() {
        assert_eq!(safe_encode("0123456789"), "456789bcdf");
        assert_ne!(compute("a", None), compute("b", None));
        assert_ne!(compute("a", None), compute("a", Some(1)));
    }
}
