//! `-o jsonpath`: `{.items[*].metadata.name}`, `{range .items[*]}…{end}`.

use api::jsonpath::Template;
use serde_json::Value;

use super::go_text;
use crate::failure::Failure;

/// A template of texts and paths.
pub(crate) struct JsonPath {
    text: String,
    template: Template,
}

impl JsonPath {
    pub fn parse(text: &str) -> Result<JsonPath, Failure> {
        // Nothing is asked for: the whole object.
        let whole = if text == "{}" { "{@}" } else { text };
        let template = Template::parse(whole);
        let template = template.map_err(|why| Failure::error(format!("error parsing jsonpath {text}, {why}")))?;
        Ok(JsonPath { text: text.into(), template })
    }

    /// What the template prints of a value. When it is `strict`, fields must be there.
    pub fn text(&self, value: &Value, strict: bool) -> Result<String, Failure> {
        let parts = self.results(value, strict)?;
        let texts = parts.into_iter().map(|part| part.into_iter().map(plain).collect::<Vec<_>>().join(" "));
        Ok(texts.collect())
    }

    /// What each part leads to, as a JSON list.
    pub fn json(&self, value: &Value, strict: bool) -> Result<String, Failure> {
        let parts = self.results(value, strict)?;
        Ok(parts.into_iter().map(|part| super::json(&part.into_iter().cloned().collect()) + "\n").collect())
    }

    fn results<'a>(&'a self, value: &'a Value, strict: bool) -> Result<Vec<Vec<&'a Value>>, Failure> {
        self.template.results(value, strict).map_err(|why| {
            let template = &self.text;
            Failure::error(format!(
                "error executing jsonpath {template:?}: Error executing template: {why}. Printing more information for \
                 debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n\t\t\
                 {}\n\n\n",
                go_syntax(value)
            ))
        })
    }
}

/// A value as Go's `%#v` prints it.
pub(super) fn go_syntax(value: &Value) -> String {
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

/// Lists and maps as JSON, the rest as it is.
fn plain(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => super::escape_html(&value.to_string()),
        other => go_text(other),
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
        check("{.none}", expect!["<nil>"]);
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
