//! Shell patterns: `*`, `?`, `[…]`.

/// A character and whether it stands for itself.
pub type PatternChar = (char, bool);

/// Whether the pattern matches all of the text.
pub fn matches(pattern: &[PatternChar], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match step(pattern, p, text[t]) {
            Some(next) => {
                p = next;
                t += 1;
            }
            None if pattern.get(p) == Some(&('*', false)) => {
                star = Some((p, t));
                p += 1;
            }
            None => {
                let Some((star_p, star_t)) = star else { return false };
                star = Some((star_p, star_t + 1));
                p = star_p + 1;
                t = star_t + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == ('*', false))
}

/// Whether an unquoted pattern matches a text.
pub fn matches_text(pattern: &str, text: &str) -> bool {
    let pattern: Vec<PatternChar> = pattern.chars().map(|c| (c, false)).collect();
    matches(&pattern, &text.chars().collect::<Vec<_>>())
}

/// Whether a pattern has a special character.
pub fn is_pattern(pattern: &[PatternChar]) -> bool {
    pattern.iter().any(|(c, literal)| !literal && "*?[".contains(*c))
}

/// Matches one character that is not a `*`: the position after it in the pattern.
fn step(pattern: &[PatternChar], at: usize, c: char) -> Option<usize> {
    match *pattern.get(at)? {
        ('*', false) => None,
        ('?', false) => Some(at + 1),
        ('[', false) => match bracket(pattern, at, c) {
            Some((true, next)) => Some(next),
            Some((false, _)) => None,
            None => (c == '[').then_some(at + 1),
        },
        (literal, _) => (literal == c).then_some(at + 1),
    }
}

/// Whether a bracket expression holds a character, and where it ends; `None` when it has no end.
fn bracket(pattern: &[PatternChar], at: usize, c: char) -> Option<(bool, usize)> {
    let mut i = at + 1;
    let negated = matches!(pattern.get(i), Some(('!' | '^', false)));
    if negated {
        i += 1;
    }
    let start = i;
    let mut found = false;
    loop {
        let (low, _) = *pattern.get(i)?;
        if low == ']' && i > start {
            return Some((found != negated, i + 1));
        }
        if low == '[' && pattern.get(i + 1).is_some_and(|next| next.0 == ':') {
            let length = pattern[i..].windows(2).position(|pair| pair[0].0 == ':' && pair[1].0 == ']')?;
            let name: String = pattern[i + 2..i + length].iter().map(|c| c.0).collect();
            found |= in_class(&name, c);
            i += length + 2;
            continue;
        }
        if pattern.get(i + 1).is_some_and(|next| next.0 == '-') && pattern.get(i + 2).is_some_and(|end| end.0 != ']') {
            found |= (low..=pattern[i + 2].0).contains(&c);
            i += 3;
        } else {
            found |= low == c;
            i += 1;
        }
    }
}

fn in_class(name: &str, c: char) -> bool {
    match name {
        "alpha" => c.is_alphabetic(),
        "digit" => c.is_ascii_digit(),
        "alnum" => c.is_alphanumeric(),
        "upper" => c.is_uppercase(),
        "lower" => c.is_lowercase(),
        "space" => c.is_whitespace(),
        "punct" => c.is_ascii_punctuation(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches_text;

    #[test]
    fn matching() {
        let cases = [("*.txt", "a.txt", true), ("*.txt", "a.tx", false), ("a?c", "abc", true), ("[a-c]x", "bx", true)];
        let more =
            [("[!a]x", "ax", false), ("*a*b*", "xxaxxbx", true), ("[", "[", true), ("[[:digit:]]*", "7up", true)];
        for (pattern, text, expected) in cases.into_iter().chain(more) {
            assert_eq!(matches_text(pattern, text), expected, "{pattern} {text}");
        }
    }
}
