//! Values beside their schema, with the texts of `kube-openapi/pkg/validation`.

use api::field::{Error, ErrorKind, Errors, Path};
use regex_lite::Regex;
use serde_json::Value;

use super::formats;
use super::schema::Schema;

/// What is wrong with a value. `old` is what stood in its place: what has not changed is not complained of.
pub fn validate(schema: &Schema, value: &Value, old: Option<&Value>, path: &str, errors: &mut Errors) {
    if old == Some(value) {
        return;
    }
    if value.is_null() && schema.nullable {
        return;
    }
    let at = At { path };
    at.check_type(schema, value, errors);
    at.compositions(&schema.node, value, errors);
    at.scalar(&schema.node, value, errors);
    match value {
        Value::Array(items) => {
            at.length(&schema.node, "Items", items.len(), "items", errors);
            if let Some(schema) = &schema.items {
                for (index, item) in items.iter().enumerate() {
                    // An element that stood in the list before is not complained of, wherever it stood.
                    let before = old.and_then(Value::as_array).and_then(|old| old.iter().find(|other| *other == item));
                    validate(schema, item, before, &format!("{path}[{index}]"), errors);
                }
            }
        }
        Value::Object(fields) => {
            at.length(&schema.node, "Properties", fields.len(), "properties", errors);
            for (name, value) in fields {
                let Some(schema) = schema.field(name) else { continue };
                validate(schema, value, old.and_then(|old| old.get(name)), &joined(path, name), errors);
            }
            at.required(schema, value, errors);
        }
        _ => {}
    }
    at.enumerated(&schema.node, value, errors);
}

pub fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Where a value is.
struct At<'a> {
    path: &'a str,
}

impl At<'_> {
    fn error(&self, kind: ErrorKind, value: Value, detail: String) -> Error {
        let field = if self.path.is_empty() { "<nil>".to_owned() } else { self.path.to_owned() };
        Error { kind, field, value, verbatim: false, detail }
    }

    fn invalid(&self, value: &Value, text: &str, errors: &mut Errors) {
        errors.push(self.error(ErrorKind::Invalid, value.clone(), format!("{} in body {text}", self.path)));
    }

    fn check_type(&self, schema: &Schema, value: &Value, errors: &mut Errors) {
        let (wanted, fits) = if schema.int_or_string {
            ("integer,string", matches!(type_of(value), "integer" | "string"))
        } else {
            let found = type_of(value);
            let fits =
                schema.kind.is_empty() || schema.kind == found || (schema.kind == "number" && found == "integer");
            (schema.kind.as_str(), fits)
        };
        if !fits {
            let found = type_of(value);
            let detail = format!("{} in body must be of type {wanted}: {found:?}", self.path);
            errors.push(self.error(ErrorKind::TypeInvalid, found.into(), detail));
        }
    }

    fn scalar(&self, node: &Value, value: &Value, errors: &mut Errors) {
        match value {
            Value::String(text) => self.string(node, text, value, errors),
            Value::Number(number) => self.number(node, number.as_f64().unwrap_or_default(), value, errors),
            Value::Array(items)
                if node["uniqueItems"] == true
                    && items.iter().enumerate().any(|(at, item)| items[..at].contains(item)) =>
            {
                self.invalid(value, "shouldn't contain duplicates", errors);
            }
            _ => {}
        }
    }

    fn string(&self, node: &Value, text: &str, value: &Value, errors: &mut Errors) {
        let length = text.chars().count() as u64;
        if let Some(limit) = node["maxLength"].as_u64().filter(|limit| length > *limit) {
            let detail = format!("may not be more than {limit} bytes");
            errors.push(self.error(ErrorKind::TooLong, Value::Null, detail));
        }
        if let Some(limit) = node["minLength"].as_u64().filter(|limit| length < *limit) {
            self.invalid(value, &format!("should be at least {limit} chars long"), errors);
        }
        if let Some(pattern) = node["pattern"].as_str()
            && Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text))
        {
            self.invalid(value, &format!("should match '{pattern}'"), errors);
        }
        if let Some(format) = node["format"].as_str()
            && !formats::holds(format, text)
        {
            let detail = format!("{} in body must be of type {format}: {text:?}", self.path);
            errors.push(self.error(ErrorKind::TypeInvalid, value.clone(), detail));
        }
    }

    fn number(&self, node: &Value, number: f64, value: &Value, errors: &mut Errors) {
        if let Some(factor) = node["multipleOf"].as_f64().filter(|factor| *factor > 0.0) {
            let quotient = number / factor;
            if quotient != quotient.trunc() {
                self.invalid(value, &format!("should be a multiple of {}", node["multipleOf"]), errors);
            }
        }
        let (exclusive_maximum, exclusive_minimum) =
            (node["exclusiveMaximum"] == true, node["exclusiveMinimum"] == true);
        if let Some(limit) = node["maximum"].as_f64() {
            if exclusive_maximum && number >= limit {
                self.invalid(value, &format!("should be less than {}", node["maximum"]), errors);
            } else if number > limit {
                self.invalid(value, &format!("should be less than or equal to {}", node["maximum"]), errors);
            }
        }
        if let Some(limit) = node["minimum"].as_f64() {
            if exclusive_minimum && number <= limit {
                self.invalid(value, &format!("should be greater than {}", node["minimum"]), errors);
            } else if number < limit {
                self.invalid(value, &format!("should be greater than or equal to {}", node["minimum"]), errors);
            }
        }
    }

    /// `minItems`, `maxItems`, `minProperties`, `maxProperties`
    fn length(&self, node: &Value, what: &str, length: usize, unit: &str, errors: &mut Errors) {
        if let Some(limit) = node[format!("min{what}")].as_u64().filter(|limit| (length as u64) < *limit) {
            let detail = format!("{} in body should have at least {limit} {unit}", self.path);
            errors.push(self.error(ErrorKind::Invalid, length.into(), detail));
        }
        if let Some(limit) = node[format!("max{what}")].as_u64().filter(|limit| length as u64 > *limit) {
            let detail = format!("must have at most {limit} {}", if limit == 1 { "item" } else { "items" });
            errors.push(self.error(ErrorKind::TooMany, length.into(), detail));
        }
    }

    fn required(&self, schema: &Schema, value: &Value, errors: &mut Errors) {
        for name in schema.node["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.get(name).is_none() {
                let path = joined(self.path, name);
                errors.push(At { path: &path }.error(ErrorKind::Required, Value::Null, String::new()));
            }
        }
    }

    fn enumerated(&self, node: &Value, value: &Value, errors: &mut Errors) {
        let Some(allowed) = node["enum"].as_array() else { return };
        if allowed.contains(value) {
            return;
        }
        let listed: Vec<String> = allowed
            .iter()
            .map(|value| format!("{:?}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            .collect();
        let detail = format!("supported values: {}", listed.join(", "));
        errors.push(self.error(ErrorKind::NotSupported, value.clone(), detail));
    }

    /// `allOf`, `anyOf`, `oneOf`, `not`
    fn compositions(&self, node: &Value, value: &Value, errors: &mut Errors) {
        let outcomes = |name: &str| -> Vec<Errors> {
            let branches = node[name].as_array().into_iter().flatten();
            branches.map(|branch| self.outcome(branch, value)).collect()
        };
        let mut refuse = |text: String, failures: Option<Errors>| {
            let error = Error::invalid(&Path::new("<nil>"), "", format!("{:?} must {text}", self.path));
            errors.push(error);
            errors.extend(failures.unwrap_or_default());
        };
        let best = |mut outcomes: Vec<Errors>| {
            outcomes.sort_by_key(Vec::len);
            outcomes.into_iter().next()
        };
        let any = outcomes("anyOf");
        if !any.is_empty() && any.iter().all(|errors| !errors.is_empty()) {
            refuse("validate at least one schema (anyOf)".into(), best(any));
        }
        let one = outcomes("oneOf");
        let valid = one.iter().filter(|errors| errors.is_empty()).count();
        if !one.is_empty() && valid == 0 {
            refuse("validate one and only one schema (oneOf). Found none valid".into(), best(one));
        } else if valid > 1 {
            refuse(format!("validate one and only one schema (oneOf). Found {valid} valid alternatives"), None);
        }
        let failed: Errors = outcomes("allOf").into_iter().flatten().collect();
        if !failed.is_empty() {
            let none = outcomes("allOf").iter().all(|errors| !errors.is_empty());
            let text = if none {
                "validate all the schemas (allOf). None validated"
            } else {
                "validate all the schemas (allOf)"
            };
            refuse(text.into(), Some(failed));
        }
        if node["not"].is_object() && self.outcome(&node["not"], value).is_empty() {
            refuse("not validate the schema (not)".into(), None);
        }
    }

    fn outcome(&self, branch: &Value, value: &Value) -> Errors {
        let mut errors = Errors::new();
        validate(&Schema::parse(branch), value, None, self.path, &mut errors);
        errors
    }
}

/// JSON Schema's word for what a value is. A number without a fraction is an integer.
pub fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What CEL rules presuppose does not hold.
pub fn is_blocking(error: &Error) -> bool {
    use ErrorKind::*;
    matches!(error.kind, NotSupported | Required | TooLong | TooMany | TypeInvalid)
}

/// Sets hold nothing twice, and the keys of keyed lists are unique: upstream's `listtype`.
pub fn validate_lists(schema: &Schema, value: &Value, path: &str, errors: &mut Errors) {
    match value {
        Value::Array(items) => {
            let keyed: Vec<Value> = match schema.list_type.as_str() {
                "set" => items.clone(),
                "map" => items.iter().map(|item| keys_of(schema, item)).collect(),
                _ => Vec::new(),
            };
            for (index, key) in keyed.iter().enumerate() {
                let path = format!("{path}[{index}]");
                if keyed[..index].contains(key) {
                    errors.push(At { path: &path }.error(ErrorKind::Duplicate, key.clone(), String::new()));
                }
            }
            if let Some(schema) = &schema.items {
                for (index, item) in items.iter().enumerate() {
                    validate_lists(schema, item, &format!("{path}[{index}]"), errors);
                }
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(schema) = schema.field(name) {
                    validate_lists(schema, value, &joined(path, name), errors);
                }
            }
        }
        _ => {}
    }
}

/// The keys by which an element of a keyed list is known.
pub fn keys_of(schema: &Schema, item: &Value) -> Value {
    let key = |name: &String| item.get(name).map(|value| (name.clone(), value.clone()));
    Value::Object(schema.list_map_keys.iter().filter_map(key).collect())
}

/// Objects within objects say what they are.
pub fn validate_embedded(schema: &Schema, value: &Value, path: &str, errors: &mut Errors) {
    if schema.embedded && value.is_object() && !path.is_empty() {
        for name in ["apiVersion", "kind"] {
            let text = value[name].as_str().unwrap_or_default();
            if text.is_empty() {
                let path = joined(path, name);
                errors.push(At { path: &path }.error(ErrorKind::Required, Value::Null, "must not be empty".into()));
            }
        }
    }
    match value {
        Value::Array(items) => {
            let Some(schema) = &schema.items else { return };
            for (index, item) in items.iter().enumerate() {
                validate_embedded(schema, item, &format!("{path}[{index}]"), errors);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(schema) = schema.field(name) {
                    validate_embedded(schema, value, &joined(path, name), errors);
                }
            }
        }
        _ => {}
    }
}
