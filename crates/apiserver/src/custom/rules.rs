//! `x-kubernetes-validations`: CEL rules over the values of a schema. Upstream: `apiserver/schema/cel`.

use api::field::{Error, ErrorKind, Errors};
use cel::{Activation, CompileError, Env, Program, Type, Value as Cel};
use serde_json::Value;

use super::schema::{Additional, Schema};
use super::validate::{joined, keys_of};

/// One rule, compiled.
#[derive(Debug)]
pub struct Rule {
    /// As it stands in the schema.
    pub source: Value,
    pub program: Result<Program, Mistake>,
    pub message: Option<Result<Program, Mistake>>,
    /// It compares with what was there before.
    pub transition: bool,
}

/// Why a rule cannot be used.
#[derive(Debug)]
pub enum Mistake {
    Empty(&'static str),
    Compilation(CompileError),
    /// It yields something else than it must.
    Type(&'static str),
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Mistake::Empty(text) | Mistake::Type(text) => f.write_str(text),
            Mistake::Compilation(error) => write!(f, "compilation failed: {error}"),
        }
    }
}

impl Rule {
    /// The rules of a node. `root`: it is the schema of a whole object.
    pub fn all_of(schema: &Schema, root: bool) -> Vec<Rule> {
        let Some(rules) = schema.node["x-kubernetes-validations"].as_array() else { return Vec::new() };
        let Some(of) = type_of(schema, root) else { return Vec::new() };
        rules.iter().map(|source| Rule::compile(source, &of)).collect()
    }

    fn compile(source: &Value, of: &Type) -> Rule {
        let optional = source["optionalOldSelf"] == true;
        let old = if optional { Type::optional(of.clone()) } else { of.clone() };
        let env = Env::new().with("self", of.clone()).with("oldSelf", old);
        let text = |name: &str| source[name].as_str().unwrap_or_default().trim();
        let program =
            compile(&env, text("rule"), Type::Bool, "cel expression must evaluate to a bool", "rule is not specified");
        let message = Some(text("messageExpression"))
            .filter(|text| !text.is_empty())
            .map(|text| compile(&env, text, Type::String, "messageExpression must evaluate to a string", ""));
        let transition = program.as_ref().is_ok_and(|program| program.uses("oldSelf"));
        Rule { source: source.clone(), program, message, transition }
    }

    fn text(&self, name: &str) -> &str {
        self.source[name].as_str().unwrap_or_default().trim()
    }

    /// How errors name the rule.
    fn shown(&self) -> &str {
        Some(self.text("message")).filter(|text| !text.is_empty()).unwrap_or(self.text("rule"))
    }
}

fn compile(env: &Env, text: &str, wanted: Type, other: &'static str, empty: &'static str) -> Result<Program, Mistake> {
    if text.is_empty() {
        return Err(Mistake::Empty(empty));
    }
    let program = env.compile(text).map_err(Mistake::Compilation)?;
    if *program.output() == wanted || *program.output() == Type::Dyn { Ok(program) } else { Err(Mistake::Type(other)) }
}

/// The type of a schema's values; `None` for values that rules do not see.
fn type_of(schema: &Schema, root: bool) -> Option<Type> {
    if schema.int_or_string {
        return Some(Type::Dyn);
    }
    Some(match schema.kind.as_str() {
        "boolean" => Type::Bool,
        "integer" => Type::Int,
        "number" => Type::Double,
        "string" => match schema.node["format"].as_str() {
            Some("byte") => Type::Bytes,
            Some("duration") => Type::Duration,
            Some("date" | "date-time") => Type::Timestamp,
            _ => Type::String,
        },
        "array" => Type::list(type_of(schema.items.as_deref()?, false)?),
        "object" => match &schema.additional {
            Additional::Schema(of) => Type::map(Type::String, type_of(of, false)?),
            Additional::Any => Type::map(Type::String, Type::Dyn),
            Additional::None => {
                let fields = schema.properties.iter();
                let fields = fields.filter_map(|(name, schema)| Some((escaped(name)?, type_of(schema, false)?)));
                let mut fields: Vec<(String, Type)> = fields.collect();
                if root || schema.embedded {
                    fields.push(("apiVersion".into(), Type::String));
                    fields.push(("kind".into(), Type::String));
                    let metadata = [("name", Type::String), ("generateName", Type::String)];
                    fields.push(("metadata".into(), Type::object("object", metadata)));
                }
                Type::object("object", fields.iter().map(|(name, of)| (name.as_str(), of.clone())))
            }
        },
        _ if schema.preserves => Type::Dyn,
        _ => return None,
    })
}

/// Words that CEL reads as values and operators; [`cel::RESERVED`] are those that it keeps for later.
const KEYWORDS: [&str; 4] = ["true", "false", "null", "in"];

/// A field's name as expressions write it; `None` for one that they cannot.
pub(super) fn escaped(name: &str) -> Option<String> {
    if KEYWORDS.contains(&name) || cel::RESERVED.contains(&name) {
        return Some(format!("__{name}__"));
    }
    let text = name.replace("__", "__underscores__").replace('.', "__dot__").replace('-', "__dash__");
    let text = text.replace('/', "__slash__");
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (starts && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).then_some(text)
}

/// A value as rules see it.
fn seen(schema: &Schema, value: &Value, root: bool) -> Cel {
    match value {
        Value::Object(fields) if matches!(schema.additional, Additional::None) && schema.kind == "object" => {
            let known = fields.iter().filter_map(|(name, value)| {
                if (root || schema.embedded) && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
                    return Some((name.clone(), Cel::from_json(value)));
                }
                Some((escaped(name)?, seen(schema.properties.get(name)?, value, false)))
            });
            let known: Vec<(String, Cel)> = known.collect();
            Cel::object(known.iter().map(|(name, value)| (name.as_str(), value.clone())))
        }
        Value::Object(fields) => match &schema.additional {
            Additional::Schema(of) => {
                Cel::object(fields.iter().map(|(name, value)| (name.as_str(), seen(of, value, false))))
            }
            _ => Cel::from_json(value),
        },
        Value::Array(items) => match &schema.items {
            Some(of) => Cel::list(items.iter().map(|item| seen(of, item, false))),
            None => Cel::from_json(value),
        },
        Value::Number(number) if schema.kind == "number" => Cel::Double(number.as_f64().unwrap_or_default()),
        Value::String(text) => Cel::formatted(text, schema.node["format"].as_str().unwrap_or_default()),
        other => Cel::from_json(other),
    }
}

/// The steps that all rules of one object may take together.
const BUDGET: u32 = 10_000_000;

/// Runs the rules of an object and of everything in it. `old` is what stood in its place.
pub fn check(schema: &Schema, object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let mut checks = Checks { budget: BUDGET, errors };
    // What ended the run has said so.
    let _ = checks.value(schema, object, old, "");
}

/// The run is over before every rule has been run.
struct Exhausted;

struct Checks<'a> {
    /// What is left of it.
    budget: u32,
    errors: &'a mut Errors,
}

impl Checks<'_> {
    fn value(&mut self, schema: &Schema, value: &Value, old: Option<&Value>, path: &str) -> Result<(), Exhausted> {
        let unchanged = old == Some(value);
        if value.is_null() {
            return Ok(());
        }
        for rule in &schema.rules {
            let optional = rule.source["optionalOldSelf"] == true;
            if rule.transition && old.is_none() && !optional || unchanged && !rule.transition {
                continue;
            }
            self.rule(rule, schema, value, old, path)?;
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let Some(schema) = schema.field(name) else { continue };
                    self.value(schema, value, old.and_then(|old| old.get(name)), &joined(path, name))?;
                }
            }
            Value::Array(items) => {
                let Some(of) = &schema.items else { return Ok(()) };
                for (index, item) in items.iter().enumerate() {
                    let before = old.and_then(|old| same_element(schema, old, item));
                    self.value(of, item, before, &format!("{path}[{index}]"))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn rule(
        &mut self,
        rule: &Rule,
        schema: &Schema,
        value: &Value,
        old: Option<&Value>,
        path: &str,
    ) -> Result<(), Exhausted> {
        let Ok(program) = &rule.program else { return Ok(()) };
        let activation = activation(rule, schema, value, old, path.is_empty());
        let (outcome, steps) = program.eval_counted(&activation);
        let mut refuse = |detail: String| {
            let kind = schema.kind.as_str().into();
            self.errors.push(error_at(path, ErrorKind::Invalid, kind, detail));
        };
        let Some(left) = self.budget.checked_sub(steps) else {
            let why = "validation failed due to running out of cost budget, no further validation rules will be run";
            refuse(why.into());
            return Err(Exhausted);
        };
        self.budget = left;
        let shown = rule.shown();
        match outcome {
            Ok(Cel::Bool(true)) => {}
            Ok(_) => self.errors.push(broken(rule, &activation, path)),
            Err(failure) if failure.exhausted => {
                refuse(format!(
                    "'{failure}': no further validation rules will be run due to call cost exceeds limit for rule: {shown}"
                ));
                return Err(Exhausted);
            }
            Err(failure) if failure.to_string().starts_with("no such overload") => refuse(format!(
                "'{failure}': call arguments did not match a supported operator, function or macro signature for rule: {shown}"
            )),
            Err(failure) => refuse(format!("{failure} evaluating rule: {shown}")),
        }
        Ok(())
    }
}

fn error_at(path: &str, kind: ErrorKind, value: Value, detail: String) -> Error {
    let field = if path.is_empty() { "<nil>".to_owned() } else { path.to_owned() };
    Error { kind, field, value, verbatim: false, detail }
}

/// The element that had the same keys: only those of keyed lists are recognised.
fn same_element<'a>(schema: &Schema, old: &'a Value, item: &Value) -> Option<&'a Value> {
    let keyed = schema.list_type == "map";
    let keys = keys_of(schema, item);
    old.as_array()?.iter().find(|other| if keyed { keys_of(schema, other) == keys } else { *other == item })
}

/// What a rule sees.
fn activation(rule: &Rule, schema: &Schema, value: &Value, old: Option<&Value>, root: bool) -> Activation {
    let mut activation = Activation::new().with("self", seen(schema, value, root));
    if rule.transition {
        let old = old.map(|old| seen(schema, old, root));
        activation.set(
            "oldSelf",
            match (old, rule.source["optionalOldSelf"] == true) {
                (Some(old), true) => Cel::some(old),
                (None, true) => Cel::Optional(None),
                (old, false) => old.unwrap_or(Cel::Null),
            },
        );
    }
    activation
}

/// What is said of a rule that does not hold.
fn broken(rule: &Rule, activation: &Activation, path: &str) -> Error {
    let text = message(rule, activation);
    let at = format!("{path}{}", rule.text("fieldPath"));
    let at = at.trim_start_matches('.');
    match rule.text("reason") {
        "FieldValueForbidden" => error_at(at, ErrorKind::Forbidden, Value::Null, text),
        "FieldValueRequired" => error_at(at, ErrorKind::Required, Value::Null, text),
        // The value is not shown: the message stands in its place.
        "FieldValueDuplicate" => error_at(at, ErrorKind::Duplicate, text.into(), String::new()).verbatim(),
        _ => error_at(at, ErrorKind::Invalid, text.into(), String::new()).verbatim(),
    }
}

fn message(rule: &Rule, activation: &Activation) -> String {
    let computed = match &rule.message {
        Some(Ok(program)) => program.eval(activation).ok(),
        _ => None,
    };
    let computed =
        computed.as_ref().and_then(Cel::as_str).map(str::trim).filter(|text| !text.is_empty() && !text.contains('\n'));
    match (computed, rule.text("message")) {
        (Some(text), _) => text.to_owned(),
        (None, "") => format!("failed rule: {}", rule.text("rule")),
        (None, text) => text.to_owned(),
    }
}
