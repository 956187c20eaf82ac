//! `-o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[*].image`

use serde_json::Value;

use super::{Path, go_text, plain_table};
use crate::failure::Failure;

pub(crate) struct Columns {
    /// Headers and paths; without a path there is nothing to show.
    columns: Vec<(String, Option<Path>)>,
    /// A file's headers are always shown.
    pub keeps_headers: bool,
}

impl Columns {
    pub fn parse(spec: &str) -> Result<Columns, Failure> {
        let columns = split(spec)
            .into_iter()
            .map(|part| match part.split_once(':') {
                Some((header, path)) => column(header, path),
                None => Err(Failure::error(format!(
                    "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
                ))),
            })
            .collect::<Result<_, _>>()?;
        Ok(Columns { columns, keeps_headers: false })
    }

    /// Headers on the first line, paths on the second.
    pub fn parse_file(text: &str) -> Result<Columns, Failure> {
        const FORMAT: &str = "Expected format is one line of space separated headers, one line of space separated \
                              column specs.";
        let mut lines = text.lines();
        let mut next = |what: &str| match lines.next() {
            Some(line) => Ok(line.split_whitespace().collect::<Vec<_>>()),
            None => Err(Failure::error(format!("invalid template, missing {what} line. {FORMAT}"))),
        };
        let (headers, paths) = (next("header")?, next("spec")?);
        if headers.len() != paths.len() {
            let (headers, paths) = (headers.len(), paths.len());
            let text = format!("number of headers ({headers}) and field specifications ({paths}) don't match");
            return Err(Failure::error(text));
        }
        let columns = headers.into_iter().zip(paths).map(|(header, path)| column(header, path));
        let columns = columns.collect::<Result<_, _>>()?;
        Ok(Columns { columns, keeps_headers: true })
    }

    /// The table of an object, or of the items of a list.
    pub fn text(&self, value: &Value, headers: bool) -> String {
        let items = match value.get("items").and_then(Value::as_array) {
            Some(items) => items.iter().collect(),
            None => vec![value],
        };
        let mut rows = Vec::new();
        if headers {
            rows.push(self.columns.iter().map(|(header, _)| header.clone()).collect());
        }
        rows.extend(items.iter().map(|item| self.row(item)));
        plain_table(&rows, 6, 3)
    }

    fn row(&self, item: &Value) -> Vec<String> {
        self.columns
            .iter()
            .map(|(_, path)| {
                let Some(path) = path else { return "<none>".into() };
                let found = path.find(item).unwrap_or_default();
                let texts: Vec<String> = found.into_iter().map(go_text).collect();
                if texts.is_empty() { "<none>".into() } else { texts.join(",") }
            })
            .collect()
    }
}

fn column(header: &str, path: &str) -> Result<(String, Option<Path>), Failure> {
    if path.is_empty() {
        return Ok((header.into(), None));
    }
    Path::relaxed(path).map(Some).map(|path| (header.into(), path)).map_err(|why| Failure::error(why.to_string()))
}

/// Commas inside brackets belong to a path.
fn split(spec: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, c) in spec.char_indices() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&spec[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&spec[start..]);
    parts
}
