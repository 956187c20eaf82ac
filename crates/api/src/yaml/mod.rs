//! YAML as `sigs.k8s.io/yaml` reads and writes it: YAML 1.1 scalars on the way in, sorted keys on the way out.
//!
//! Reading keeps the line of every field, so that a mistake found later can be shown where it was made.

mod emit;
mod error;
mod read;
mod scalar;

use std::collections::BTreeMap;

use serde_json::Value;

pub use emit::emit;
pub use error::YamlError;

/// A request's body may not be larger, in bytes.
pub const BYTES_MAX: usize = 3 << 20;

/// One document of a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    pub value: Value,
    /// Where the document begins, counted from 1.
    pub line: u32,
    /// Lines by field path: `spec.containers[0].image`.
    pub lines: BTreeMap<String, u32>,
}

impl Document {
    /// The line of a field, or of the nearest one that holds it: mistakes are often about what is missing.
    pub fn line_of(&self, path: &str) -> u32 {
        let mut path = path;
        loop {
            if let Some(line) = self.lines.get(path) {
                return *line;
            }
            match path.rfind(['.', '[']) {
                Some(at) => path = &path[..at],
                None => return self.line,
            }
        }
    }
}

/// Reads all documents of a text; those that hold nothing are left out. Lines count from the text's beginning.
/// A key that a mapping sets twice is a mistake.
pub fn parse_documents(text: &str) -> Result<Vec<Document>, YamlError> {
    read_documents(text, true)
}

/// The same for whoever takes what a key was set to last, as kubectl does.
pub fn parse_lenient(text: &str) -> Result<Vec<Document>, YamlError> {
    read_documents(text, false)
}

fn read_documents(text: &str, is_strict: bool) -> Result<Vec<Document>, YamlError> {
    if text.len() > BYTES_MAX {
        return Err(YamlError::plain(format!("the text is larger than {BYTES_MAX} bytes")));
    }
    let mut documents = Vec::new();
    for (first_line, chunk) in split(text) {
        documents.extend(read::document(chunk, first_line, is_strict)?);
    }
    Ok(documents)
}

/// Cuts a text at its `---` lines, as kubectl does before it looks at the YAML. With each piece comes its first line.
fn split(text: &str) -> Vec<(u32, &str)> {
    let (mut pieces, mut start, mut first_line) = (Vec::new(), 0, 1);
    let (mut at, mut number) = (0, 0);
    for line in text.split_inclusive('\n') {
        number += 1;
        let separates = line.strip_prefix("---").is_some_and(|rest| {
            let rest = rest.trim();
            rest.is_empty() || rest.starts_with('#')
        });
        if separates {
            pieces.push((first_line, &text[start..at]));
            start = at + line.len();
            first_line = number + 1;
        }
        at += line.len();
    }
    pieces.push((first_line, &text[start..]));
    pieces
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(text: &str) -> Vec<Value> {
        parse_documents(text).expect("YAML").into_iter().map(|document| document.value).collect()
    }

    fn complaint(text: &str) -> String {
        parse_documents(text).expect_err("a mistake").to_string()
    }

    #[test]
    fn scalars_are_those_of_yaml_1_1() {
        let text = "a: y\nb: no\nc: 0o17\nd: 017\ne: ~\nf: 1e3\ng: 2026-01-01\nh: \"yes\"\ni: 1_000\nj: 1.5\nk: 0x1F\n\
                    l: !!str 1\nm: On\no: 1:30\n";
        let expected = json!({"a": true, "b": false, "c": 15, "d": 15, "e": null, "f": 1000, "g": "2026-01-01",
            "h": "yes", "i": 1000, "j": 1.5, "k": 31, "l": "1", "m": true, "o": "1:30"});
        assert_eq!(values(text), [expected]);
    }

    #[test]
    fn documents_and_lines() {
        let text =
            "# nothing\n---\nkind: A\nspec:\n  containers:\n  - name: c\n    image: i\n--- # next\n\n---\nkind: B\n";
        let documents = parse_documents(text).unwrap();
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[0].line_of("spec.containers[0].image"), 7);
        assert_eq!(documents[0].line_of("spec.containers[0].ports[1].name"), 6);
        assert_eq!(documents[0].line_of("metadata.name"), 3);
        assert_eq!(documents[1].line_of("kind"), 11);
    }

    #[test]
    fn anchors_and_merge_keys() {
        let text = "base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  z: 3\n  \"y\": 9\nagain: *b\n";
        let expected = json!({"base": {"x": 1, "true": 2}, "use": {"x": 1, "true": 2, "y": 9, "z": 3},
            "again": {"x": 1, "true": 2}});
        assert_eq!(values(text), [expected]);
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..8 {
            let uses = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{uses}]\n"));
        }
        assert_eq!(complaint(&bomb), "error converting YAML to JSON: yaml: document contains excessive aliasing");
    }

    #[test]
    fn mistakes() {
        let cases = [
            ("a: b: c\n", "yaml: mapping values are not allowed in this context"),
            ("x: 1\na: b: c\n", "yaml: line 2: mapping values are not allowed in this context"),
            ("a: 1\nb:\n\t- c\n", "yaml: line 3: found character that cannot start any token"),
            ("a: *none\n", "yaml: unknown anchor 'none' referenced"),
            (
                "m:\n  name: a\n  x: 1\n  name: b\n",
                "yaml: unmarshal errors:\n  line 4: key \"name\" already set in map",
            ),
            ("a: \"x\n", "yaml: line 2: found unexpected end of stream"),
            ("a: [1, 2\n", "yaml: line 1: did not find expected ',' or ']'"),
            ("a: \u{1}\n", "yaml: control characters are not allowed"),
        ];
        for (text, expected) in cases {
            assert_eq!(complaint(text), format!("error converting YAML to JSON: {expected}"), "{text:?}");
        }
        let deep = "[".repeat(5000);
        assert!(parse_documents(&deep).is_err());
        let deep: String = (0..3000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
        assert!(parse_documents(&deep[..deep.len().min(BYTES_MAX)]).is_err());
    }

    #[test]
    fn many_documents() {
        let text = "kind: A\n---\n".repeat(2000);
        assert_eq!(values(&text).len(), 2000);
    }

    #[test]
    fn emitting() {
        let value = json!({
            "b": [{"name": "x", "list": []}, [1, 2]],
            "a10": "yes", "a9": "1", "a": "plain text", "e": {}, "n": null, "t": true, "f": 1.5,
            "time": "2026-01-01T00:00:00Z", "multi": "line 1\nline 2\n", "tail": "x\ny", "empty": "",
            "colon": "a: b", "star": "*x", "quote": "it's", "space": " x", "trailing": "a \nb", "num": "0x10", "tilde": "~",
        });
        let expected = "\
a: plain text
a9: \"1\"
a10: \"yes\"
b:
- list: []
  name: x
- - 1
  - 2
colon: 'a: b'
e: {}
empty: \"\"
f: 1.5
multi: |
  line 1
  line 2
\"n\": null
num: \"0x10\"
quote: it's
space: ' x'
star: '*x'
t: true
tail: |-
  x
  y
tilde: \"~\"
time: \"2026-01-01T00:00:00Z\"
trailing: \"a \\nb\"
";
        assert_eq!(emit(&value), expected);
        assert_eq!(values(&emit(&value)), [value]);
    }

    #[test]
    fn long_texts_are_folded() {
        let text = format!("{} end", vec!["word"; 24].join(" "));
        let emitted = emit(&json!({ "message": text }));
        assert_eq!(emitted.lines().count(), 2);
        assert!(emitted.lines().nth(1).unwrap().starts_with("  word"));
        assert_eq!(values(&emitted), [json!({ "message": text })]);
    }
}
