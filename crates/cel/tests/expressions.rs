//! Expressions and what they yield; expressions and what is said of them.

use cel::{Activation, Bound, Env, Type, Value};
use expect_test::{Expect, expect};
use serde_json::json;

/// What an expression yields over an object, as JSON; or why not.
fn run(expression: &str) -> String {
    let env = Env::new().with("self", Type::Dyn);
    let object = json!({
        "name": "web", "replicas": 3, "ratio": 0.5, "tags": ["a", "b"], "labels": { "tier": "front" }, "none": null,
    });
    let program = match env.compile(expression) {
        Ok(program) => program,
        Err(error) => return error.to_string(),
    };
    match program.eval(&Activation::new().with("self", Value::from_json(&object))) {
        Ok(value) => value.to_json().map_or_else(|| value.type_name().to_owned(), |json| json.to_string()),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn expressions_yield() {
    let cases = [
        ("self.replicas > 1 && self.name == 'web'", "true"),
        ("self.missing > 1 || true", "true"),
        ("self.missing > 1", "error: no such key: missing"),
        ("has(self.labels.tier) && !has(self.labels.zone)", "true"),
        ("self.tags.all(t, t.size() == 1)", "true"),
        ("self.tags.exists(t, t == 'b') ? 'yes' : 'no'", "\"yes\""),
        ("self.tags.map(t, t + '!')", "[\"a!\",\"b!\"]"),
        ("self.tags.filter(t, t != 'a')", "[\"b\"]"),
        ("self.labels.all(k, v, k == 'tier' && v.startsWith('fr'))", "true"),
        ("'a' in self.tags && 'tier' in self.labels", "true"),
        ("[1, 2, 3].sum() == 6 && [3, 1].min() == 1 && [1, 2].isSorted()", "true"),
        ("'%s has %d, %.2f'.format([self.name, self.replicas, self.ratio])", "\"web has 3, 0.50\""),
        ("'a,b,c'.split(',').join('-').upperAscii()", "\"A-B-C\""),
        ("'hello'.substring(1, 3) + 'x'.replace('x', 'y')", "\"ely\""),
        ("self.?missing.orValue('default')", "\"default\""),
        ("self.?labels.?tier.orValue('default')", "\"front\""),
        ("optional.of(3).optMap(x, x + 1).value()", "4"),
        ("[?self.?name, ?self.?missing]", "[\"web\"]"),
        ("quantity('1Gi').isGreaterThan(quantity('500Mi'))", "true"),
        ("quantity('1').add(quantity('500m')).compareTo(quantity('1.5'))", "0"),
        ("cidr('10.0.0.0/8').containsIP('10.2.3.4') && ip('::1').isLoopback()", "true"),
        ("url('https://example.com:80/a?b=c').getHostname()", "\"example.com\""),
        ("semver('1.2.3').isLessThan(semver('1.10.0'))", "true"),
        ("'abc123'.find('[0-9]+')", "\"123\""),
        ("'abc'.matches('^[a-z]+$')", "true"),
        ("duration('90m').getHours() == 1 && duration('1h') < duration('90m')", "true"),
        ("timestamp('2024-02-29T12:00:00Z').getDayOfYear()", "59"),
        ("timestamp('2024-02-29T12:00:00Z') + duration('12h')", "\"2024-03-01T00:00:00Z\""),
        ("int('7') / 2 * -3 % 5", "-4"),
        ("1 / 0", "error: division by zero"),
        ("9223372036854775807 + 1", "error: integer overflow"),
        ("self.tags[5]", "error: index out of bounds: 5"),
        ("type(self.name) == string && type(1) == int", "true"),
        (
            "1 == 1.0 || dyn(1) == dyn(1.0)",
            "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, double)'\n | 1 == 1.0 || dyn(1) == dyn(1.0)\n | ..^",
        ),
        ("r'\\d' + \"\\u00e9\" + '''x'''", "\"\\\\déx\""),
        ("sets.contains([1, 2], [2])", "true"),
        ("format.dns1123Label().validate('Bad').hasValue()", "true"),
    ];
    for (expression, expected) in cases {
        assert_eq!(run(expression), expected, "{expression}");
    }
}

fn refused(expression: &str, expected: Expect) {
    let fields = [("size", Type::String), ("replicas", Type::Int), ("tags", Type::list(Type::String))];
    let env = Env::new().with("self", Type::object("object", fields));
    expected.assert_eq(&env.compile(expression).map_or_else(|error| error.to_string(), |it| it.output().to_string()));
}

#[test]
fn mistakes_are_told_with_their_places() {
    refused("self.replicas > 1", expect!["bool"]);
    refused(
        "self.foo > 1",
        expect![[r#"
            ERROR: <input>:1:5: undefined field 'foo'
             | self.foo > 1
             | ....^"#]],
    );
    refused(
        "self.size.bar",
        expect![[r#"
            ERROR: <input>:1:10: type 'string' does not support field selection
             | self.size.bar
             | .........^"#]],
    );
    refused(
        "self.size > 1 || other",
        expect![[r#"
            ERROR: <input>:1:11: found no matching overload for '_>_' applied to '(string, int)'
             | self.size > 1 || other
             | ..........^
            ERROR: <input>:1:18: undeclared reference to 'other' (in container '')
             | self.size > 1 || other
             | .................^"#]],
    );
    refused(
        "self.size.startsWith(1)",
        expect![[r#"
            ERROR: <input>:1:21: found no matching overload for 'startsWith' applied to 'string.(int)'
             | self.size.startsWith(1)
             | ....................^"#]],
    );
    refused(
        "self.replicas.all(x, true)",
        expect![[r#"
            ERROR: <input>:1:5: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)
             | self.replicas.all(x, true)
             | ....^"#]],
    );
    refused(
        "self.replicas >",
        expect![[r#"
            ERROR: <input>:1:16: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}
             | self.replicas >
             | ...............^"#]],
    );
    refused(
        "self.replicas >\n  1 1",
        expect![[r#"
            ERROR: <input>:2:5: Syntax error: extraneous input '1' expecting <EOF>
             |   1 1
             | ....^"#]],
    );
}

#[test]
fn a_rule_cannot_run_for_ever() {
    let env = Env::new().with("self", Type::Dyn);
    let many = "[0,1,2,3,4,5,6,7,8,9]";
    let nested = (0..8).fold("true".to_owned(), |body, depth| format!("{many}.all(v{depth}, {body})"));
    let error = env.compile(&nested).unwrap().eval(&Activation::new()).unwrap_err();
    assert!(error.exhausted);
}

/// The expectations are upstream's own, of its `TestCostEstimation`.
#[test]
fn costs_are_known_before_a_rule_runs() {
    let cost = |rule: &str, of: Type, bound: Bound| {
        let program = Env::new().with("self", of).compile(rule).expect("a sound rule");
        program.cost(&[("self", &bound)])
    };
    let list = |max: u64, item: u64| {
        let item = Bound { max: item, ..Bound::default() };
        Bound { max, items: Some(Box::new(item)), ..Bound::default() }
    };
    let numbers = |max| cost("self.all(x, true)", Type::list(Type::Int), list(max, 0));
    assert_eq!((numbers(1_572_863), numbers(10)), (4_718_591, 32));
    let text = |rule: &str, max| cost(rule, Type::String, Bound { max, ..Bound::default() });
    assert_eq!(text("self == \"abc\"", 40), 2);
    assert_eq!(text("self.contains(self)", 100), 102);
    assert_eq!(text("self.matches('^[a-z]{2,10}$')", 39), 1 + 4 * 4);
    let nested = Type::list(Type::list(Type::Int));
    let bound = Bound { max: 10, items: Some(Box::new(list(5, 0))), ..Bound::default() };
    assert_eq!(cost("self.all(x, x.exists(y, true))", nested, bound), 2 + 10 * (3 + 2 + 5 * 4));
    assert_eq!(cost("dyn(self).all(x, true)", Type::list(Type::Int), list(1, 0)), u64::MAX);
}
