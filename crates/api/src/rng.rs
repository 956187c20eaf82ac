//! The cluster's only source of randomness: SplitMix64, seeded, the same on every target.

/// A stream of random numbers. Each component that needs one forks its own, so that they do not disturb each other.
#[derive(Clone, Debug, Default)]
pub struct Rng(u64);

/// Upstream's alphabet for generated names: no vowels and nothing that looks like one.
const NAME_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound
    }

    pub fn fork(&mut self) -> Rng {
        Rng(self.next_u64())
    }

    /// What the API server puts behind `generateName`.
    pub fn name_suffix(&mut self) -> String {
        (0..5).map(|_| char::from(NAME_ALPHABET[self.below(NAME_ALPHABET.len() as u64) as usize])).collect()
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let (high, low) = (self.next_u64(), self.next_u64());
        let high = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        // Every object has one, so it is written digit by digit: formatting takes ten times as long.
        let mut text = String::with_capacity(36);
        for (number, groups) in [(high, [8, 4, 4].as_slice()), (low, &[4, 12])] {
            let mut shift = 64;
            for digits in groups {
                if !text.is_empty() {
                    text.push('-');
                }
                for _ in 0..*digits {
                    shift -= 4;
                    text.push(char::from(DIGITS[((number >> shift) & 0xf) as usize]));
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn uuids_have_their_form() {
        let mut rng = Rng::new(1);
        let (mut same, uuid) = (rng.clone(), rng.uuid());
        let (high, low) = (same.next_u64(), same.next_u64());
        let expected = format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff
        );
        assert_eq!(uuid, expected);
    }
}
