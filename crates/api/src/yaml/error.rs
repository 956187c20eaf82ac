//! What is wrong with a YAML text, in the words of Go's parser.

use std::fmt;

use saphyr_parser::ScanError;

#[derive(Clone, Debug, PartialEq)]
pub struct YamlError {
    /// Where, counted from the beginning of the whole text; 0 where there is no place to name.
    pub line: u32,
    message: String,
}

impl YamlError {
    pub(super) fn plain(message: String) -> YamlError {
        YamlError { line: 0, message }
    }

    /// A complaint of the reader itself: `yaml: …`.
    pub(super) fn at(line: u32, message: &str) -> YamlError {
        YamlError { line, message: format!("error converting YAML to JSON: yaml: {message}") }
    }

    /// `first_line` is where the document begins in the whole text; messages count from there.
    pub(super) fn from_scan(error: &ScanError, document: &str, first_line: u32) -> YamlError {
        let info = error.info();
        let line = u32::try_from(error.marker().line()).unwrap_or(u32::MAX).max(1);
        let absolute = first_line - 1 + line;
        if info.contains("unknown anchor") {
            let text = document.lines().nth(line as usize - 1).unwrap_or_default();
            let name: String = text
                .rsplit_once('*')
                .map(|(_, name)| name.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect())
                .unwrap_or_default();
            return YamlError::at(absolute, &format!("unknown anchor '{name}' referenced"));
        }
        let (words, counts) = translate(info);
        // Go names the end of the text, where it has noticed.
        let line = if info.contains("end of stream") { document.matches('\n').count() as u32 + 1 } else { line };
        let shown = match counts {
            Counts::FromOne => line,
            Counts::FromZero => line - 1,
        };
        // Go's parser takes line 0 for "no line known".
        let is_first = counts == Counts::FromOne && line == 1 || shown == 0;
        let place = if is_first { String::new() } else { format!("line {shown}: ") };
        YamlError::at(absolute, &format!("{place}{words}"))
    }
}

/// Go's scanner counts lines from one in its messages, its parser from zero.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    FromOne,
    FromZero,
}

/// The same complaint as Go's library puts it.
fn translate(info: &str) -> (String, Counts) {
    const SCANNER: &[(&str, &str)] = &[
        ("mapping values are not allowed", "mapping values are not allowed in this context"),
        ("simple key expect", "could not find expected ':'"),
        ("tab", "found character that cannot start any token"),
        ("unexpected character", "found character that cannot start any token"),
        ("block sequence entries are not allowed", "block sequence entries are not allowed in this context"),
        ("is only valid inside a block", "block sequence entries are not allowed in this context"),
        ("unexpected end of stream", "found unexpected end of stream"),
        ("unknown escape", "found unknown escape character"),
        ("mapping keys are not allowed", "mapping keys are not allowed in this context"),
        ("recursion limit", "exceeded max depth of 10000"),
    ];
    const PARSER: &[(&str, &str)] = &[
        ("did not find expected key", "did not find expected key"),
        ("',' or ']'", "did not find expected ',' or ']'"),
        ("',' or '}'", "did not find expected ',' or '}'"),
        ("'-' indicator", "did not find expected '-' indicator"),
        ("node content", "did not find expected node content"),
        ("<document start>", "did not find expected <document start>"),
        ("handle wasn't declared", "found undefined tag handle"),
        ("invalid indentation", "did not find expected key"),
    ];
    let find = |table: &[(&str, &'static str)]| table.iter().find(|(part, _)| info.contains(part)).map(|(_, go)| *go);
    if let Some(words) = find(SCANNER) {
        return (words.to_owned(), Counts::FromOne);
    }
    if let Some(words) = find(PARSER) {
        return (words.to_owned(), Counts::FromZero);
    }
    let words = info.split_once(", ").filter(|(head, _)| head.starts_with("while ")).map_or(info, |(_, rest)| rest);
    (words.to_owned(), Counts::FromOne)
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for YamlError {}
