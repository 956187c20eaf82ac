//! kubectl's JSONPath: `{.items[*].metadata.name}`, `{range .items[*]}…{end}`, `[?(@.x=="y")]`.

use api::jsonpath::{Path, closing_quote, unescape, unrecognized};
use serde_json::Value;

use crate::failure::Failure;

/// A template of texts and paths.
pub(crate) struct JsonPath {
    template: String,
    parts: Vec<Part>,
}

enum Part {
    Text(String),
    Value(Path),
    Range(Path, Vec<Part>),
    /// What is found to be wrong when the template runs.
    Mistake(String),
}

impl JsonPath {
    pub fn parse(template: &str) -> Result<JsonPath, Failure> {
        let refuse = |why: String| Failure::error(format!("error parsing jsonpath {template}, {why}"));
        let mut rest = template;
        let parts = parse_parts(&mut rest, false).map_err(refuse)?;
        Ok(JsonPath { template: template.into(), parts })
    }

    /// What the template prints of a value. When it is `strict`, fields must be there.
    pub fn text(&self, value: &Value, strict: bool) -> Result<String, Failure> {
        let mut out = String::new();
        print_parts(&self.parts, value, value, strict, &mut out).map_err(|why| {
            let template = &self.template;
            Failure::error(format!(
                "error executing jsonpath {template:?}: Error executing template: {why}. Printing more information for \
                 debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n\t\t\
                 {}\n\n",
                go_syntax(value)
            ))
        })?;
        Ok(out)
    }
}

/// A value as Go's `%#v` prints it.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".into(),
        Value::Object(map) => {
            let fields: Vec<String> =
                map.iter().map(|(name, value)| format!("{name:?}:{}", go_syntax(value))).collect();
            format!("map[string]interface {{}}{{{}}}", fields.join(", "))
        }
        Value::Array(items) => {
            format!("[]interface {{}}{{{}}}", items.iter().map(go_syntax).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

fn parse_parts(rest: &mut &str, in_range: bool) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let Some(open) = rest.find('{') else {
            parts.push(Part::Text(std::mem::take(rest).into()));
            break;
        };
        if open > 0 {
            parts.push(Part::Text(rest[..open].into()));
        }
        *rest = &rest[open + 1..];
        let end = closing_brace(rest).ok_or("unclosed action")?;
        let action = rest[..end].trim();
        *rest = &rest[end + 1..];
        if action == "end" {
            if in_range {
                return Ok(parts);
            }
            parts.push(Part::Mistake("not in range, nothing to end".into()));
            continue;
        }
        if let Some(path) = action.strip_prefix("range") {
            let path = Path::parse(path.trim())?;
            parts.push(Part::Range(path, parse_parts(rest, true)?));
            continue;
        }
        let mut action = action;
        while !action.is_empty() {
            if let Some(quote) = action.chars().next().filter(|c| matches!(c, '"' | '\'')) {
                let end = closing_quote(&action[1..], quote).ok_or("unterminated quoted string")?;
                parts.push(Part::Text(unescape(&action[1..=end])));
                action = action[end + 2..].trim_start();
                continue;
            }
            let end = path_end(action);
            if end == 0 {
                return Err(unrecognized(action));
            }
            if action.starts_with(char::is_alphabetic) {
                let name_end = action.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(action.len());
                match &action[..name_end] {
                    word @ ("true" | "false") => parts.push(Part::Text(word.into())),
                    name => parts.push(Part::Mistake(format!("unrecognized identifier {name}"))),
                }
                action = action[end..].trim_start();
                continue;
            }
            parts.push(Part::Value(Path::parse(&action[..end])?));
            action = action[end..].trim_start();
        }
    }
    // A range may end with the template.
    Ok(parts)
}

fn closing_brace(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => drop(chars.next()),
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') => return Some(at),
            _ => {}
        }
    }
    None
}

/// A path ends at a blank outside brackets.
fn path_end(text: &str) -> usize {
    let (mut depth, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ']' | ')') => depth -= 1,
            (None, c) if c.is_whitespace() && depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn print_parts(parts: &[Part], value: &Value, root: &Value, strict: bool, out: &mut String) -> Result<(), String> {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Mistake(why) => return Err(why.clone()),
            Part::Value(path) => {
                if let (true, Some(name)) = (strict, path.missing_field(value, root)) {
                    return Err(format!("{name} is not found"));
                }
                let texts: Vec<String> = path.walk(value, root)?.into_iter().map(plain).collect();
                out.push_str(&texts.join(" "));
            }
            Part::Range(path, inner) => {
                for item in path.walk(value, root)? {
                    print_parts(inner, item, root, strict, out)?;
                }
            }
        }
    }
    Ok(())
}

/// Strings as they are, the rest as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => super::escape_html(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    fn check(template: &str, expected: Expect) {
        let value = json!({
            "items": [
                {"name": "a", "n": 1, "labels": {"app.io/x": "1"}, "ready": true},
                {"name": "b", "n": 2, "labels": {"app.io/x": "2"}, "ready": false},
            ],
            "data": {"color": "red", "size": "large"},
            "none": null,
        });
        let text = JsonPath::parse(template).and_then(|path| path.text(&value, false));
        expected.assert_eq(&text.unwrap_or_else(|failure| failure.text()));
    }

    #[test]
    fn templates() {
        check("{.data}", expect![[r#"{"color":"red","size":"large"}"#]]);
        check("{.items[*].name}", expect!["a b"]);
        check("{.items[-1].name}", expect!["b"]);
        check("{.items[0:1].name}", expect!["a"]);
        check(r"{.items[*].labels.app\.io/x}", expect!["1 2"]);
        check("{.items[0].labels['app\\.io/x']}", expect!["1"]);
        check(r#"{range .items[*]}{.name}{"\t"}{.n}{"\n"}{end}"#, expect!["a\t1\nb\t2\n"]);
        check("{.items[?(@.name==\"b\")].n}", expect!["2"]);
        check("{.items[?(@.n>1)].name}", expect!["b"]);
        check("{.items[?(@.ready==true)].name}", expect!["a"]);
        check("{..name}", expect!["a b"]);
        check("{.none}", expect!["null"]);
        check("{.missing}", expect![""]);
        check("{['items'][0]['name', 'n']}", expect!["a 1"]);
        check("total {.items[0].n}!", expect!["total 1!"]);
    }

    #[test]
    fn mistakes() {
        check(
            "{.items",
            expect![[r#"
            error: error parsing jsonpath {.items, unclosed action
        "#]],
        );
        check(
            "{.items[5].name}",
            expect![[r#"
                error: error executing jsonpath "{.items[5].name}": Error executing template: array index out of bounds: index 5, length 2. Printing more information for debugging the template:
                	template was:
                		{.items[5].name}
                	object given to jsonpath engine was:
                		map[string]interface {}{"data":map[string]interface {}{"color":"red", "size":"large"}, "items":[]interface {}{map[string]interface {}{"labels":map[string]interface {}{"app.io/x":"1"}, "n":1, "name":"a", "ready":true}, map[string]interface {}{"labels":map[string]interface {}{"app.io/x":"2"}, "n":2, "name":"b", "ready":false}}, "none":interface {}(nil)}


            "#]],
        );
    }
}
