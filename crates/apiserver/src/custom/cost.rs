//! What the rules of a definition's schema may cost at most, and where they may not look. Upstream:
//! `apiextensions-apiserver/pkg/apis/apiextensions/validation/cel_validation.go` and `apiserver/pkg/cel/common/schemas.go`.

use api::field::{Error, ErrorKind, Errors};
use cel::{Bound, Program};
use serde_json::Value;

use super::rules::{Rule, escaped};
use super::schema::{Additional, Schema};

/// Of one rule, over all values that it may meet.
const RULE_MAX: u64 = 10_000_000;
/// Of all rules of a version.
const SCHEMA_MAX: u64 = 100_000_000;
/// Rules below this share of all are not named.
const NAMED_MIN: u64 = SCHEMA_MAX / 100;
const NAMED_MAX: usize = 4;
/// What a request may hold, which bounds all that a schema does not.
const REQUEST_BYTES: u64 = 3 << 20;

/// The bound of a schema's values, and the fewest bytes that one takes.
struct Sized {
    bound: Bound,
    bytes: u64,
}

impl Sized {
    fn new(max: u64, bytes: u64) -> Sized {
        Sized { bound: Bound { max, ..Bound::default() }, bytes }
    }
}

fn limit(schema: &Schema, name: &str) -> Option<u64> {
    schema.node[name].as_i64().map(|limit| limit.max(0).unsigned_abs())
}

fn sized(schema: &Schema, root: bool) -> Sized {
    const TEXT: u64 = REQUEST_BYTES - 2;
    if schema.int_or_string {
        return Sized::new(TEXT, 1);
    }
    let repeated = |of: &Schema, most: Option<u64>, overhead: u64| {
        let item = sized(of, false);
        let max = most.unwrap_or((REQUEST_BYTES - 2) / (item.bytes + overhead));
        Sized { bound: Bound { max, items: Some(Box::new(item.bound)), ..Bound::default() }, bytes: 2 }
    };
    match (schema.kind.as_str(), &schema.items, &schema.additional) {
        ("string", ..) => {
            let most = limit(schema, "maxLength");
            let words = schema.node["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
            match schema.node["format"].as_str() {
                Some("byte") => Sized::new(most.unwrap_or(TEXT), 2),
                Some("duration") => Sized::new(32, 4),
                Some("date") => Sized::new(12, 12),
                Some("date-time") => Sized::new(40, 22),
                // A character takes up to four bytes.
                _ => Sized::new(
                    most.map(|most| most * 4).or(words.map(|word| word.len() as u64).max()).unwrap_or(TEXT),
                    2,
                ),
            }
        }
        ("boolean", ..) => Sized::new(0, 4),
        ("array", Some(items), _) => repeated(items, limit(schema, "maxItems"), 1),
        ("object", _, Additional::Schema(of)) => repeated(of, limit(schema, "maxProperties"), 6),
        ("object", ..) => object(schema, root),
        _ => Sized::new(0, 1),
    }
}

fn object(schema: &Schema, root: bool) -> Sized {
    let required = schema.node["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut whole = Sized::new(0, 2);
    for (name, property) in &schema.properties {
        let inner = sized(property, false);
        if required.iter().any(|one| one == name) && property.default.is_none() {
            whole.bytes += name.len() as u64 + inner.bytes + 4;
        }
        if let Some(name) = escaped(name) {
            whole.bound.fields.insert(name, inner.bound);
        }
    }
    if root || schema.embedded {
        let text = || Bound { max: REQUEST_BYTES - 2, ..Bound::default() };
        let names = ["name", "generateName"].map(|name| (name.to_owned(), text()));
        let metadata = Bound { fields: names.into(), ..Bound::default() };
        whole.bound.fields.extend([
            ("apiVersion".into(), text()),
            ("kind".into(), text()),
            ("metadata".into(), metadata),
        ]);
    }
    whole
}

/// Where the rules of a node stand.
#[derive(Clone)]
struct Place<'a> {
    path: String,
    root: bool,
    /// How often there may be such a value; `None` where the schema sets no limit.
    count: Option<u64>,
    /// The list whose items cannot be told apart.
    uncorrelated: Option<&'a str>,
}

/// The costs of all rules.
#[derive(Default)]
struct Total {
    cost: u64,
    highest: Vec<(String, u64)>,
}

impl Total {
    fn add(&mut self, path: &str, cost: u64) {
        self.cost = self.cost.saturating_add(cost);
        if cost >= NAMED_MIN {
            self.highest.push((path.to_owned(), cost));
            self.highest.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
            self.highest.truncate(NAMED_MAX);
        }
    }
}

/// Checks the rules of a whole schema, which have all been compiled.
pub(super) fn check(schema: &Schema, path: &str, errors: &mut Errors) {
    let mut total = Total::default();
    walk(schema, &Place { path: path.to_owned(), root: true, count: Some(1), uncorrelated: None }, &mut total, errors);
    if total.cost <= SCHEMA_MAX {
        return;
    }
    for (path, _) in &total.highest {
        let why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
        refuse(path.clone(), why.into(), errors);
    }
    let what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
    refuse(path.to_owned(), excess(what, total.cost, SCHEMA_MAX), errors);
}

fn refuse(field: String, detail: String, errors: &mut Errors) {
    errors.push(Error { kind: ErrorKind::Forbidden, field, value: Value::Null, verbatim: false, detail });
}

fn excess(what: &str, cost: u64, limit: u64) -> String {
    let factor = cost as f64 / limit as f64;
    let factor = match factor {
        _ if factor > 100.0 => "more than 100x".to_owned(),
        _ if factor < 1.5 => format!("{factor:.6}x"),
        _ => format!("{factor:.1}x"),
    };
    format!(
        "{what} exceeds budget by factor of {factor} (try simplifying the rule, or adding maxItems, maxProperties, and \
         maxLength where arrays, maps, and strings are declared)"
    )
}

fn walk(schema: &Schema, place: &Place, total: &mut Total, errors: &mut Errors) {
    if !schema.rules.is_empty() {
        let Sized { bound, bytes } = sized(schema, place.root);
        let count = place.count.unwrap_or(REQUEST_BYTES / (bytes + 1));
        for (index, rule) in schema.rules.iter().enumerate() {
            let at = format!("{}.x-kubernetes-validations[{index}]", place.path);
            one(rule, &at, &bound, count, total, errors);
            if let Some(list) = place.uncorrelated.filter(|_| rule.transition) {
                let detail =
                    format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {list}");
                let (field, value) = (format!("{at}.rule"), rule.source["rule"].clone());
                errors.push(Error { kind: ErrorKind::Invalid, field, value, verbatim: false, detail });
            }
        }
    }
    let times = |limit: Option<u64>| Some(place.count?.saturating_mul(limit?));
    let inner = |path: String, count: Option<u64>| Place { path, root: false, count, uncorrelated: place.uncorrelated };
    for (name, property) in &schema.properties {
        let place = inner(format!("{}.properties[{name}]", place.path), place.count);
        walk(property, &place, total, errors);
    }
    if let Additional::Schema(of) = &schema.additional {
        let place = inner(format!("{}.additionalProperties", place.path), times(limit(schema, "maxProperties")));
        walk(of, &place, total, errors);
    }
    if let Some(items) = &schema.items {
        let mut below = inner(format!("{}.items", place.path), times(limit(schema, "maxItems")));
        if schema.list_type != "map" {
            below.uncorrelated = Some(&place.path);
        }
        walk(items, &below, total, errors);
    }
}

fn one(rule: &Rule, at: &str, bound: &Bound, count: u64, total: &mut Total, errors: &mut Errors) {
    let cost = |program: &Program| program.cost(&[("self", bound), ("oldSelf", bound)]);
    let mut weigh = |name: &str, what: &str, cost: u64| {
        let path = format!("{at}.{name}");
        if cost > RULE_MAX {
            refuse(path.clone(), excess(what, cost, RULE_MAX), errors);
        }
        total.add(&path, cost);
    };
    if let Ok(program) = &rule.program {
        weigh("rule", "estimated rule cost", cost(program).saturating_mul(count));
    }
    if let Some(Ok(program)) = &rule.message {
        weigh("messageExpression", "estimated messageExpression cost", cost(program));
    }
}
