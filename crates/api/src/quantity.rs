//! Quantities: `100m`, `1.5Gi`, `1e3`.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// An exact amount in billionths, which is the finest step that Kubernetes keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub i128);

const NANO: i128 = 1_000_000_000;

/// How a quantity was written, and so how sums of it are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    DecimalSi,
    BinarySi,
    DecimalExponent,
}

const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
/// Suffix and power of ten.
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// Reads a quantity. Amounts finer than a billionth are rounded up, those beyond `int64` are capped, as upstream does.
pub fn parse(text: &str) -> Option<(Amount, Format)> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let number_end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(number_end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let (power_of_ten, power_of_two, format) = scale(suffix)?;

    let digits = whole.trim_start_matches('0').len() as i32 + power_of_ten;
    if digits > 19 {
        let cap = i128::from(i64::MAX) * NANO;
        return Some((Amount(if negative { -cap } else { cap }), format));
    }
    let mut mantissa: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes().take(18)) {
        mantissa = mantissa.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    let shift = power_of_ten - fraction.len().min(18) as i32 + 9;
    let mut amount = mantissa.checked_mul(1i128 << power_of_two)?;
    if shift >= 0 {
        amount = amount.checked_mul(10i128.checked_pow(shift as u32)?)?;
    } else {
        let divisor = 10i128.checked_pow(shift.unsigned_abs())?;
        amount = amount.div_euclid(divisor) + i128::from(amount.rem_euclid(divisor) != 0);
    }
    amount = amount.min(i128::from(i64::MAX) * NANO);
    Some((Amount(if negative { -amount } else { amount }), format))
}

/// Power of ten, power of two and format of a suffix.
fn scale(suffix: &str) -> Option<(i32, u32, Format)> {
    if let Some((_, power)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((0, *power, Format::BinarySi));
    }
    if let Some((_, power)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((*power, 0, Format::DecimalSi));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    let exponent: i32 = exponent.parse().ok()?;
    (-100..=100).contains(&exponent).then_some((exponent, 0, Format::DecimalExponent))
}

impl Amount {
    /// Reads the amount of a quantity that validation has let through; 0 for one that cannot be read.
    pub fn of(quantity: &Quantity) -> Amount {
        parse(&quantity.0).map(|(amount, _)| amount).unwrap_or_default()
    }

    pub fn from_units(units: i64) -> Amount {
        Amount(i128::from(units) * NANO)
    }

    /// In whole units, rounded up: bytes, Pods.
    pub fn units(self) -> i64 {
        self.rounded_up(NANO)
    }

    /// In thousandths, rounded up: millicores.
    pub fn millis(self) -> i64 {
        self.rounded_up(NANO / 1000)
    }

    fn rounded_up(self, unit: i128) -> i64 {
        let up = self.0.div_euclid(unit) + i128::from(self.0.rem_euclid(unit) != 0);
        up.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// The canonical text: the largest suffix that needs no fraction.
    pub fn format(self, format: Format) -> String {
        if self.0 == 0 {
            return "0".into();
        }
        if format == Format::BinarySi && self.0 % NANO == 0 && self.0.abs() >= 1024 * NANO {
            let units = self.0 / NANO;
            for (suffix, power) in BINARY.iter().rev() {
                if units % (1i128 << power) == 0 {
                    return format!("{}{suffix}", units / (1i128 << power));
                }
            }
            return units.to_string();
        }
        for (suffix, power) in DECIMAL.iter().rev() {
            let unit = 10i128.pow((power + 9) as u32);
            if self.0 % unit == 0 {
                let number = self.0 / unit;
                if format != Format::DecimalExponent || *power == 0 {
                    return format!("{number}{suffix}");
                }
                return format!("{number}e{power}");
            }
        }
        unreachable!("every amount is a whole number of billionths")
    }

    pub fn to_quantity(self, format: Format) -> Quantity {
        Quantity(self.format(format))
    }
}

/// What upstream says of a text that is no quantity.
pub fn parse_error(text: &str) -> &'static str {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number_end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(number_end);
    let letters = suffix.trim_start_matches(|c: char| "eEinumkKMGTP".contains(c));
    let exponent = letters.strip_prefix(['+', '-']).unwrap_or(letters);
    let well_formed = number.bytes().any(|byte| byte.is_ascii_digit())
        && number.bytes().filter(|byte| *byte == b'.').count() <= 1
        && exponent.bytes().all(|byte| byte.is_ascii_digit());
    if well_formed {
        "unable to parse quantity's suffix"
    } else {
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    }
}

/// The canonical text of a quantity: `1000m` is `1`, `1024Mi` is `1Gi`. `None` for what is no quantity.
pub fn canonical(text: &str) -> Option<String> {
    let (amount, format) = parse(text)?;
    Some(amount.format(format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_texts() {
        let cases = [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1.5Gi", "1536Mi"),
            ("1024Mi", "1Gi"),
            ("1e3", "1e3"),
            ("1000", "1k"),
            ("100", "100"),
            ("0.1n", "1n"),
            ("0", "0"),
            ("-2Ki", "-2Ki"),
            ("512", "512"),
            (".5Gi", "512Mi"),
            ("1000000", "1M"),
        ];
        for (text, expected) in cases {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
        }
        for bad in ["", "m", "1.2.3", "1x", "1 Gi", "--1", "1Gib", "e3"] {
            assert_eq!(canonical(bad), None, "{bad}");
        }
    }

    #[test]
    fn units_round_up() {
        assert_eq!(Amount::of(&Quantity("1500m".into())).units(), 2);
        assert_eq!(Amount::of(&Quantity("1m".into())).millis(), 1);
        assert_eq!(Amount::of(&Quantity("64Mi".into())).units(), 64 << 20);
    }
}
