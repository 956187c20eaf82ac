//! Where a case takes its choices from: numbers that the runner has drawn, and makes smaller when the case fails.

use std::slice::Iter;

use serde_json::{Value, json};

/// The drawn numbers. When they are used up, every choice is the first alternative: alternatives begin with the simplest.
pub struct Choices<'a> {
    tape: Iter<'a, u32>,
}

/// Texts that have broken readers of texts before.
const NASTY: &[&str] = &[
    "",
    "a",
    "default",
    "0",
    "-1",
    "true",
    "null",
    " ",
    "\n",
    "\t",
    "\0",
    "\u{feff}",
    "é",
    "日本語",
    "🦀",
    "\u{202e}",
    "../..",
    "%00",
    "%",
    "%zz",
    "a/b",
    "/",
    "a.b.c",
    "A",
    "_",
    "-",
    ".",
    "..",
    "*",
    "~",
    "~1",
    "{}",
    "[]",
    "{",
    "[",
    "}",
    "\"",
    "'",
    "\\",
    "$",
    "$(",
    "${",
    "`",
    "{{",
    "{{.}}",
    "{.}",
    "{range",
    "<",
    ">",
    "<<",
    "&a",
    "*a",
    "!!",
    "!",
    "|",
    ">-",
    "? ",
    ": ",
    "- ",
    "# ",
    "---",
    "...",
    "1e999",
    "-0",
    "0x10",
    "1_000",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "100m",
    "1Gi",
    "1e3",
    "1Ei9",
    "NaN",
    ".inf",
    "10.0.0.0/8",
    "::1",
    "1.2.3.4",
    "2024-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "* * * * *",
    "@every 1s",
    "app=web",
    "a in (b,c)",
    "!a",
    "metadata.name=x",
    "kubernetes.io/x",
    "k8s.io",
    "system:masters",
    "nginx:1.27",
    "sha256:",
    "http://",
    "https://a:b@c/d?e#f",
    "self.x",
    "(a+)+$",
    "[a-z",
    "\u{1b}[31m",
];

impl<'a> Choices<'a> {
    pub fn new(tape: &'a [u32]) -> Choices<'a> {
        Choices { tape: tape.iter() }
    }

    fn draw(&mut self) -> u32 {
        self.tape.next().copied().unwrap_or(0)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.draw() as usize % bound
    }

    /// True in so many cases of a hundred.
    pub fn percent(&mut self, share: usize) -> bool {
        self.below(100) >= 100 - share
    }

    pub fn pick<'t, T: ?Sized>(&mut self, among: &[&'t T]) -> &'t T {
        among[self.below(among.len())]
    }

    /// A text: mostly one that has broken something before, or several, or one that is long.
    pub fn text(&mut self) -> String {
        match self.below(12) {
            0..8 => self.pick(NASTY).to_owned(),
            8 | 9 => (0..self.below(6)).map(|_| self.pick(NASTY)).collect(),
            10 => (0..self.below(12)).filter_map(|_| char::from_u32(self.draw() % 0x11_0000)).collect(),
            _ => self.pick(NASTY).repeat(1 << self.below(13)),
        }
    }

    /// A text of the `usual` ones, or any.
    pub fn text_like(&mut self, usual: &[&str]) -> String {
        if self.percent(20) { self.text() } else { self.pick(usual).to_owned() }
    }

    pub fn number(&mut self) -> Value {
        match self.below(10) {
            0..5 => json!(self.below(5)),
            5 => json!(-1),
            6 => json!(self.draw()),
            7 => json!(i64::MAX),
            8 => json!(i64::MIN),
            _ => json!([1e308, 0.5, -1e-9, 2.5, 1.8446744073709552e19][self.below(5)]),
        }
    }

    /// Any JSON, not deep.
    pub fn json(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 5 } else { 8 }) {
            0 | 1 => self.text().into(),
            2 => Value::Null,
            3 => self.percent(50).into(),
            4 => self.number(),
            5 => (0..self.below(4)).map(|_| self.json(depth - 1)).collect(),
            6 => (0..self.below(4)).map(|_| (self.text(), self.json(depth - 1))).collect(),
            _ => self.nest(),
        }
    }

    /// JSON as deep as a parser lets through, and deeper.
    fn nest(&mut self) -> Value {
        let depth = [20, 100, 190][self.below(3)];
        let lists = self.percent(50);
        (0..depth).fold(Value::Null, |inner, _| if lists { json!([inner]) } else { json!({ "a": inner }) })
    }

    /// Bytes of a text, some of them changed.
    pub fn damage(&mut self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.below(3) {
            if bytes.is_empty() {
                break;
            }
            let at = self.below(bytes.len());
            match self.below(4) {
                0 => bytes.truncate(at),
                1 => bytes[at] = self.draw() as u8,
                2 => {
                    let more = self.text();
                    bytes.splice(at..at, more.bytes());
                }
                _ => {
                    let end = (at + self.below(40)).min(bytes.len());
                    let piece = bytes[at..end].repeat(1 + self.below(3));
                    bytes.splice(at..at, piece);
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
