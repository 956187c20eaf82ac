//! Whatever reads a text: YAML, JSON, selectors, quantities, schedules, paths, expressions, links, scenarios.

use std::sync::LazyLock;

use api::selector::{FieldSelector, Selector};
use api::{cron, jsonpath, quantity, yaml};
use cel::{Activation, Env, Type, Value as CelValue};
use protocol::scenario::Scenario;
use serde_json::{Value, json};
use tabernetes::{examples, scenario, share};

use crate::choices::Choices;
use crate::manifests::SAMPLES;
use crate::runner::check;

/// An object that paths and expressions are evaluated over.
static OBJECT: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "name": "web", "replicas": 3, "ratio": 0.5, "none": null, "tags": ["a", "b"], "labels": { "app": "web" },
        "items": [{ "name": "a", "n": 1 }, { "name": "b", "n": 2, "when": "2024-01-01T00:00:00Z" }],
    })
});

/// Pieces put together at random, or one of `whole` damaged.
fn put_together(choices: &mut Choices, whole: &[&str], pieces: &[&str]) -> String {
    match choices.below(4) {
        0 => {
            let text = choices.pick(whole);
            choices.damage(text)
        }
        1 => choices.text(),
        2 => {
            let (open, inner) = (choices.pick(pieces), choices.pick(pieces));
            open.repeat(1 << choices.below(14)) + inner
        }
        _ => (0..choices.below(20)).map(|_| choices.text_like(pieces)).collect(),
    }
}

#[test]
fn yaml_is_read_or_refused_and_comes_back_as_it_was() {
    const PIECES: &[&str] = &[
        "a",
        ": ",
        "- ",
        "\n",
        "  ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "? ",
        "&a ",
        "*a",
        "<<: *a\n",
        "|\n",
        ">-\n",
        "'",
        "\"",
        "---\n",
        "...\n",
        "#",
        "!!str ",
        "!!binary ",
        "%YAML 1.2\n",
        "\t",
        "1",
        "~",
        "yes",
        "0o7",
        "a: &a [b]\n",
        "\\x41",
    ];
    let samples = include_str!("samples.yaml");
    check(6000, |choices| {
        let text = put_together(choices, &[samples, "a: [b, {c: d}]\n", "- |\n  a\n- 'b'\n"], PIECES);
        let Ok(documents) = yaml::parse_documents(&text) else { return Ok(()) };
        // kubectl and the server write objects alone.
        for document in documents.into_iter().filter(|document| document.value.is_object()) {
            let written = yaml::emit(&document.value);
            let again =
                yaml::parse_documents(&written).map_err(|why| format!("{text:?} is written as {written:?}: {why}"))?;
            if again.first().map(|document| &document.value) != Some(&document.value) {
                return Err(format!("{text:?} is written as {written:?}, which is {:?}", again.first()));
            }
        }
        Ok(())
    });
}

#[test]
fn any_value_survives_yaml_and_json() {
    check(6000, |choices| {
        let value = json!({ "a": choices.json(3) });
        let written = yaml::emit(&value);
        let read =
            yaml::parse_documents(&written).map_err(|why| format!("{value} is written as {written:?}: {why}"))?;
        if read.first().map(|document| &document.value) == Some(&value) {
            return Ok(());
        }
        Err(format!("{value} is written as {written:?}"))
    });
}

#[test]
fn json_is_read_or_refused() {
    const PIECES: &[&str] =
        &["{", "}", "[", "]", "\"a\"", ":", ",", "1", "-", "1e99", "null", "tru", "\\u12", "\u{0}", " "];
    check(6000, |choices| {
        let text = put_together(choices, &[&OBJECT.to_string(), "[1, 2]"], PIECES);
        let ours = api::json::parse(&text);
        match serde_json::from_str::<Value>(&text) {
            Ok(value) if ours.as_ref().is_ok_and(|ours| ours.value == value) => Ok(()),
            Err(_) if ours.is_err() => Ok(()),
            _ => Err(format!("{text:?} is read as {ours:?}")),
        }
    });
}

#[test]
fn selectors_are_read_or_refused_and_mean_what_they_say() {
    const PIECES: &[&str] = &[
        "app",
        "=",
        "==",
        "!=",
        "!",
        " in ",
        " notin ",
        "(",
        ")",
        ",",
        "web",
        "a.b/c",
        ">",
        "<",
        "1",
        " ",
        "metadata.name",
    ];
    let labels = [("app".to_owned(), "web".to_owned())].into_iter().collect();
    check(6000, |choices| {
        let text = put_together(choices, &["app=web,tier in (front, back),!canary", "a!=b,c>1"], PIECES);
        if let Ok(selector) = Selector::parse(&text) {
            let written = selector.to_string();
            let again =
                Selector::parse(&written).map_err(|why| format!("{text:?} is written as {written:?}: {why}"))?;
            if again.matches(&labels) != selector.matches(&labels) {
                return Err(format!("{text:?} is written as {written:?} and matches otherwise"));
            }
        }
        if let Ok(selector) = FieldSelector::parse(&text) {
            selector.matches(|_| "web".into());
        }
        Ok(())
    });
}

#[test]
fn quantities_and_schedules_are_read_or_refused() {
    const PIECES: &[&str] = &[
        "1",
        "0",
        ".",
        "-",
        "+",
        "e",
        "E",
        "Ki",
        "Mi",
        "m",
        "n",
        "9999999999",
        "*",
        "/",
        ",",
        " ",
        "MON",
        "@every ",
        "1h",
        "@daily",
        "L",
        "?",
    ];
    check(8000, |choices| {
        let text = put_together(choices, &["1.5Gi", "100m", "*/5 0-3 1,2 * MON-FRI", "TZ=UTC @hourly"], PIECES);
        if let Some((amount, format)) = quantity::parse(&text) {
            let written = amount.format(format);
            if quantity::parse(&written).is_none_or(|(again, _)| again != amount) {
                return Err(format!("{text:?} is written as {written:?}"));
            }
            let (_, _) = (amount.units(), amount.millis());
        }
        quantity::canonical(&text);
        if let Ok(schedule) = cron::Schedule::parse(&text) {
            let mut now = 1_700_000_000;
            for _ in 0..3 {
                match schedule.next(now) {
                    Some(next) if next <= now => return Err(format!("{text:?} comes at {next}, after {now}")),
                    Some(next) => now = next,
                    None => break,
                }
            }
        }
        Ok(())
    });
}

#[test]
fn json_paths_are_read_or_refused() {
    const PIECES: &[&str] = &[
        ".",
        "..",
        "items",
        "[",
        "]",
        "*",
        "?(",
        ")",
        "@",
        "@.n",
        "==",
        "1",
        "'a'",
        "\"",
        ":",
        ",",
        "-1",
        "$",
        "name",
        "\\.",
        "9223372036854775807",
        "-9223372036854775808",
        "[?(@.n",
        "é",
        ">=",
        "[0:2]",
        "{",
        "}",
        "range ",
        "end",
    ];
    check(8000, |choices| {
        let text =
            put_together(choices, &[".items[?(@.n>1)].name", "{.items[*]['name','n']}", "$..n", "items[-1:]"], PIECES);
        if let Ok(path) = jsonpath::Path::relaxed(&text) {
            // An index may be out of bounds.
            let _ = path.find(&OBJECT);
        }
        Ok(())
    });
}

#[test]
fn expressions_are_refused_or_evaluated() {
    const WHOLE: &[&str] = &[
        "self.items.all(i, i.n > 0 && i.name.startsWith('a'))",
        "has(self.labels.app) ? self.labels['app'] : 'none'",
        "self.tags.map(t, t + t).filter(t, t.matches('[ab]+')).exists_one(t, t == 'aa')",
        "quantity('1Gi').compareTo(quantity(self.name)) == 0 || duration('1h') > duration('5m')",
        "timestamp('2024-01-01T00:00:00Z').getDayOfYear() + int('3') * -7 % 2 == size(self.tags)",
        "cidr('10.0.0.0/8').containsIP(ip('10.1.1.1')) && url('https://a.b/c').getHost() == 'a.b'",
        "{'a': 1, 'b': [1u, 2.5, b'x', r'\\', null]}['a'] in [1, 2]",
    ];
    const PIECES: &[&str] = &[
        "self",
        ".items",
        ".name",
        ".tags",
        "[0]",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "1",
        "'a'",
        " + ",
        " - ",
        " * ",
        " / ",
        " % ",
        " == ",
        " in ",
        " ? ",
        " : ",
        " && ",
        "!",
        "-",
        ".all(x, ",
        ".map(x, ",
        ".exists(y, ",
        "x",
        ", ",
        "size(",
        "int(",
        "string(",
        "dyn(",
        "type(",
        "true",
        "null",
        "9223372036854775807",
        "1u",
        "1.5",
        "b'a'",
        ".matches('(a+)+')",
        ".replace('', 'aa')",
        ".split('')",
        ".join(',')",
        "duration('1h')",
        "timestamp('0001-01-01T00:00:00Z')",
        "\"\"\"",
        "optional.of(1)",
        ".orValue(2)",
        "?.a",
        "sets.contains(",
        ".format([1])",
        "'%s'",
        ".repeat(",
        "quantity('1')",
    ];
    let env = Env::new().with("self", Type::Dyn);
    let object = CelValue::from_json(&OBJECT);
    check(15_000, |choices| {
        let text = put_together(choices, WHOLE, PIECES);
        match env.compile(&text) {
            Err(error) if error.to_string().is_empty() => Err(format!("{text:?} is refused without a word")),
            Err(_) => Ok(()),
            Ok(program) => {
                if let Ok(value) = program.eval(&Activation::new().with("self", object.clone())) {
                    value.to_json();
                }
                Ok(())
            }
        }
    });
}

/// Many loops in each other, and values that double: the budget of steps ends them.
#[test]
fn expressions_that_explode_are_stopped() {
    let env = Env::new().with("self", Type::Dyn);
    let list = format!("[{}]", ["1"; 50].join(", "));
    let loops = (0..6).fold("true".to_owned(), |inner, depth| format!("{list}.all(x{depth}, {inner})"));
    let doubled = (0..40).fold("[1]".to_owned(), |inner, _| format!("[{inner}].map(x, x + x)[0]"));
    let text = (0..40).fold("'aaaaaaaa'".to_owned(), |inner, _| format!("[{inner}].map(x, x + x)[0]"));
    let replaced = (0..30).fold("'aaaa'".to_owned(), |inner, _| format!("{inner}.replace('a', 'aaaa')"));
    let backtracking = format!("'{}'.matches('(a*)*(a*)*(a*)*b')", "a".repeat(5000));
    let repetitions = format!("'a'.matches('{}')", "(((a{100}){100}){100})");
    check(1, |_| {
        for expression in [&loops, &doubled, &text, &replaced, &backtracking, &repetitions] {
            if let Ok(program) = env.compile(expression) {
                // Whether it is refused or comes to its end, it is over soon.
                let _ = program.eval(&Activation::new());
            }
        }
        Ok(())
    });
}

/// Whatever a parser calls itself for, ten thousand of it in each other, on the small stack of a thread.
#[test]
fn nothing_is_too_deep() {
    let deep = |open: &str, inner: &str, close: &str| open.repeat(10_000) + inner + &close.repeat(10_000);
    let env = Env::new().with("self", Type::Dyn);
    let texts = [
        deep("(", "1", ")"),
        deep("[", "1", "]"),
        deep("{'a': ", "1", "}"),
        deep("!", "true", ""),
        deep("-", "1", ""),
        deep("true ? ", "1", " : 2"),
        deep("1 + ", "1", ""),
        deep("size(", "[]", ")"),
        deep("self", "", ".a"),
        deep("[?(@.a", "", ")]"),
        deep("{a: ", "1", "}"),
        deep("- ", "a", ""),
        deep("? ", "a", ""),
        deep("{\"a\":", "1", "}"),
        deep("{{if 1}}", "", "{{end}}"),
        deep("$(", "", ")"),
        deep("a.", "a", ""),
        deep("true && ", "true", ""),
        deep("self", "", "[0]"),
        deep("1 == ", "1", ""),
        deep("true ? true : ", "1", ""),
        deep("(?:", "", ")"),
    ];
    for text in texts {
        if let Ok(program) = env.compile(&text) {
            let _ = program.eval(&Activation::new().with("self", CelValue::from_json(&OBJECT)));
        }
        let _ = env.compile(&format!("'a'.matches({text:?})")).map(|program| program.eval(&Activation::new()));
        let _ = jsonpath::Path::relaxed(&text).map(|path| path.find(&OBJECT).is_ok());
        let _ = yaml::parse_documents(&text);
        let _ = api::json::parse(&text);
        let _ = Selector::parse(&text);
        kubectl::is_incomplete(&text);
    }
}

#[test]
fn aliases_do_not_explode() {
    let doubled = |depth: usize| {
        let one = |at: usize| format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 9].join(", "));
        (1..depth).fold("a0: &a0 [x, x]\n".to_owned(), |text, at| text + &one(at))
    };
    let merged = (1..3000).fold("a0: &a0 {k: v}\n".to_owned(), |text, at| {
        text + &format!("a{at}: &a{at} {{<<: *a{}, k{at}: v}}\n", at - 1)
    });
    let wide = format!("a: &a [{}]\nb: [{}]\n", vec!["x"; 10_000].join(", "), vec!["*a"; 10_000].join(", "));
    check(1, |_| {
        for text in [doubled(12), merged.clone(), wide.clone(), "a: &a [*a]\n".into(), "&a a: *a\n".into()] {
            let _ = yaml::parse_documents(&text);
        }
        Ok(())
    });
}

#[test]
fn links_are_read_or_refused() {
    let scenarios: Vec<Scenario> = ["guestbook"].iter().filter_map(|name| examples::find(name)).collect();
    let link = share::encode(&scenarios[0]);
    check(3000, |choices| {
        let text =
            put_together(choices, &[&link, "v1.d..00000000"], &["v1", ".", "d", "A", "_", "00000000", "=", "v2"]);
        if let Ok(scenario) = share::decode(&text) {
            scenario::cluster_config(&scenario.cluster);
        }
        Ok(())
    });
}

#[test]
fn scenarios_are_read_or_refused() {
    let whole = scenario::to_yaml(&examples::find("guestbook").expect("the first example"));
    let value = serde_json::to_value(examples::find("guestbook")).expect("JSON");
    check(4000, |choices| {
        let text = if choices.percent(50) {
            let mut changed = value.clone();
            crate::manifests::mistake(choices, &mut changed);
            yaml::emit(&changed)
        } else {
            put_together(
                choices,
                &[&whole, &SAMPLES[0].to_string()],
                &["a", ": ", "\n", "- ", "kind: Scenario\n", "{", "}"],
            )
        };
        if let Ok(read) = scenario::from_file("fuzz.yaml", &text) {
            scenario::cluster_config(&read.cluster);
            let again =
                scenario::from_file("fuzz.yaml", &scenario::to_yaml(&read)).map_err(|problem| problem.message)?;
            if again != read {
                return Err(format!("{text:?} is not what it was when it comes back"));
            }
        }
        Ok(())
    });
}
