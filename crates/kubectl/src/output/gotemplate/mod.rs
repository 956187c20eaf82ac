//! `-o go-template`. Upstream: Go's `text/template` over what `cli-runtime/pkg/printers/template.go` gives it.
//!
//! Differs: there are no complex numbers, and a template that runs or nests without end is stopped.

mod format;
mod functions;
mod lex;
mod parse;
mod run;
mod tree;

use api::go;
use serde_json::Value;

use self::parse::Trees;
use crate::failure::Failure;

pub(crate) struct GoTemplate {
    text: String,
    trees: Trees,
    /// Fields must be there.
    strict: bool,
}

impl GoTemplate {
    pub fn parse(text: &str, strict: bool) -> Result<GoTemplate, Failure> {
        let trees =
            parse::parse(text).map_err(|why| Failure::error(format!("error parsing template {text}, {why}")))?;
        Ok(GoTemplate { text: text.into(), trees, strict })
    }

    /// What the template prints, and why it stopped: then what it was given is printed too.
    pub fn text(&self, value: &Value) -> (String, Option<Failure>) {
        let (mut out, result) = run::run(&self.trees, &self.text, value, self.strict);
        let Err(why) = result else { return (out, None) };
        let (template, raw, given) = (&self.text, super::escape_html(&value.to_string()), go::text(value));
        out.push_str(&format!(
            "Error executing template: {why}. Printing more information for debugging the template:\n\ttemplate was:\n\
             \t\t{template}\n\traw data was:\n\t\t{raw}\n\tobject given to template engine was:\n\t\t{given}\n\n"
        ));
        (out, Some(Failure::error(format!("error executing template {template:?}: {why}"))))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    fn check(template: &str, expected: Expect) {
        let value = json!({
            "items": [{"name": "a", "c": [1]}, {"name": "b", "c": [1, 2]}],
            "data": {"k": "dg==", "n": null},
        });
        let text = match GoTemplate::parse(template, false) {
            Ok(template) => match template.text(&value) {
                (_, Some(failure)) => failure.text(),
                (text, None) => text,
            },
            Err(failure) => failure.text(),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn templates() {
        check(r#"{{range .items}}{{.name}} {{len .c}}{{"\n"}}{{end}}"#, expect!["a 1\nb 2\n"]);
        check(r#"{{range $i, $e := .items}}{{if $i}}, {{end}}{{$e.name}}{{end}}"#, expect!["a, b"]);
        check("{{.data.k | base64decode}}", expect!["v"]);
        check(r#"{{index .data "k"}} {{(index .items 1).name}}"#, expect!["dg== b"]);
        check(r#"{{if eq (len .items) 2}}two{{else}}other{{end}}"#, expect!["two"]);
        check("{{.missing}}", expect!["<no value>"]);
        check(r#"{{define "T"}}[{{.}}]{{end}}{{range .items}}{{template "T" .name}}{{end}}"#, expect!["[a][b]"]);
        check(r#"{{block "B" .data}}{{.k}}{{end}} {{- /* gone */ -}} !"#, expect!["dg==!"]);
        check("{{range 5}}{{if eq . 1}}{{continue}}{{else if eq . 3}}{{break}}{{end}}{{.}}{{end}}", expect!["02"]);
        check(r#"{{with .none}}{{else with .data}}{{.k}}{{end}}{{$x := 1}}{{$x = 2}}{{$x}}"#, expect!["dg==2"]);
        check(
            r#"{{printf "%5.1f|%-4s|%+d|%05d|%x|%q|%v|%T" 3.14 "a" 5 6 255 "q" .data .items}}"#,
            expect![[r#"  3.1|a   |+5|00006|ff|"q"|map[k:dg== n:<nil>]|[]interface {}"#]],
        );
        check(
            r#"{{printf "%d %s %z %[2]v" "x" 5}} {{printf "%s"}}"#,
            expect!["%!d(string=x) %!s(int=5) %!z(MISSING) 5 %!s(MISSING)"],
        );
    }

    #[test]
    fn mistakes() {
        let all = [
            "{{range .items}}x",
            "{{nope}}",
            "{{template \"n\"}}",
            "x\n{{.data.k.b}}",
            "{{.data.n.b}}",
            "{{index .items 7}}",
            "{{eq 1 \"1\"}}",
            "{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}",
            "{{.a b}}",
            "{{$y}}",
            "{{(.a}}",
        ];
        let mut text = String::new();
        for template in all {
            let why = match GoTemplate::parse(template, false) {
                Ok(template) => {
                    template.text(&json!({"data": {"k": "v", "n": null}, "items": []})).1.map(|why| why.text())
                }
                Err(failure) => Some(failure.text()),
            };
            text.push_str(&why.unwrap_or_default());
        }
        expect![[r#"
            error: error parsing template {{range .items}}x, template: output:1: unexpected EOF
            error: error parsing template {{nope}}, template: output:1: function "nope" not defined
            error: error executing template "{{template \"n\"}}": template: output:1:11: executing "output" at <{{template "n"}}>: template "n" not defined
            error: error executing template "x\n{{.data.k.b}}": template: output:2:7: executing "output" at <.data.k.b>: can't evaluate field b in type interface {}
            error: error executing template "{{.data.n.b}}": template: output:1:7: executing "output" at <.data.n.b>: nil pointer evaluating interface {}.b
            error: error executing template "{{index .items 7}}": template: output:1:2: executing "output" at <index .items 7>: error calling index: index out of range: 7
            error: error executing template "{{eq 1 \"1\"}}": template: output:1:2: executing "output" at <eq 1 "1">: error calling eq: incompatible types for comparison
            error: error executing template "{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}": template: output:1:25: executing "r" at <{{template "r"}}>: exceeded maximum template depth (100000)
            error: error parsing template {{.a b}}, template: output:1: function "b" not defined
            error: error parsing template {{$y}}, template: output:1: undefined variable "$y"
            error: error parsing template {{(.a}}, template: output:1: unclosed left paren
        "#]].assert_eq(&text);
    }
}
