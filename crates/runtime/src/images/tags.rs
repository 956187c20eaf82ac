//! Patterns of tags that exist.

/// Whether a tag fits a pattern: text, `(a|b|c)` for one of several, `[…]` for something optional, and `7..29` as one
/// of several for a number in a range. An empty pattern fits every tag.
pub fn tag_matches(pattern: &str, tag: &str) -> bool {
    pattern.is_empty() || split_choices(pattern).iter().any(|choice| rests(choice, tag).contains(&""))
}

/// What may be left of the text after the pattern.
fn rests<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
    let Some(first) = pattern.chars().next() else { return vec![text] };
    let (inner, after, optional) = match first {
        '(' | '[' => {
            let end = closing(pattern);
            (&pattern[1..end], pattern.get(end + 1..).unwrap_or_default(), first == '[')
        }
        _ => {
            return text.strip_prefix(first).map_or_else(Vec::new, |rest| rests(&pattern[first.len_utf8()..], rest));
        }
    };
    let mut middles = if optional { vec![text] } else { Vec::new() };
    for choice in split_choices(inner) {
        match choice.split_once("..").and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?))) {
            Some((low, high)) => middles.extend(number_rest(low, high, text)),
            None => middles.extend(rests(choice, text)),
        }
    }
    middles.into_iter().flat_map(|middle| rests(after, middle)).collect()
}

fn number_rest(low: u32, high: u32, text: &str) -> Option<&str> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u32 = text[..digits].parse().ok()?;
    (low..=high).contains(&number).then(|| &text[digits..])
}

/// Where the group that the pattern begins with ends.
fn closing(pattern: &str) -> usize {
    let mut depth = 0;
    for (at, c) in pattern.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    pattern.len() - 1
}

fn split_choices(inner: &str) -> Vec<&str> {
    let (mut depth, mut start, mut choices) = (0, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '|' if depth == 0 => {
                choices.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    choices.push(&inner[start..]);
    choices
}

#[cfg(test)]
mod tests {
    use super::tag_matches;

    #[test]
    fn patterns() {
        let pattern = "(latest|1.(7..29)[.(0..14)])[-(alpine|perl)]|edge";
        for tag in ["latest", "1.27", "1.27.3", "1.27-alpine", "1.14.2-perl", "latest-alpine", "edge"] {
            assert!(tag_matches(pattern, tag), "{tag}");
        }
        for tag in ["1.161", "1.27.", "1", "doesnotexist", "1.27-foo", ""] {
            assert!(!tag_matches(pattern, tag), "{tag}");
        }
    }
}
