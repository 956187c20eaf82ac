//! Strings and regular expressions.

use regex_lite::Regex;

use super::{Result, format};
use crate::eval::Error;
use crate::value::Value;

pub(super) fn call(name: &str, _member: bool, args: &[Value]) -> Option<Result> {
    if let ("_+_", [Value::Bytes(one), Value::Bytes(other)]) = (name, args) {
        return Some(Ok(Value::Bytes([&one[..], &other[..]].concat().into())));
    }
    if let ("join", [Value::List(items), rest @ ..]) = (name, args) {
        let separator = rest.first().and_then(Value::as_str).unwrap_or_default();
        let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
        return Some(texts.map(|texts| texts.join(separator).into()).ok_or_else(Error::no_overload));
    }
    let text = args.first()?.as_str()?;
    Some(match (name, &args[1..]) {
        ("lowerAscii", []) => Ok(text.to_ascii_lowercase().into()),
        ("upperAscii", []) => Ok(text.to_ascii_uppercase().into()),
        ("trim", []) => Ok(text.trim().into()),
        ("jsonpatch.escapeKey", []) => Ok(text.replace('~', "~0").replace('/', "~1").into()),
        ("strings.quote", []) => Ok(format!("{text:?}").into()),
        ("charAt", [Value::Int(at)]) => char_at(text, *at),
        ("substring", [Value::Int(from)]) => substring(text, *from, None),
        ("substring", [Value::Int(from), Value::Int(to)]) => substring(text, *from, Some(*to)),
        ("format", [Value::List(values)]) => format::format(text, values),
        (_, [Value::String(other)]) => return two(name, text, other),
        ("replace", [Value::String(from), Value::String(to)]) => Ok(text.replace(&**from, to).into()),
        ("replace", [Value::String(from), Value::String(to), Value::Int(limit)]) => {
            let count = usize::try_from(*limit).unwrap_or(usize::MAX);
            Ok(text.replacen(&**from, to, count).into())
        }
        ("split", [Value::String(separator), Value::Int(limit)]) => Ok(split(text, separator, *limit)),
        ("indexOf", [Value::String(part), Value::Int(from)]) => index_of(text, part, *from),
        ("lastIndexOf", [Value::String(part), Value::Int(to)]) => last_index_of(text, part, *to),
        ("findAll", [Value::String(pattern), Value::Int(limit)]) => find_all(text, pattern, *limit),
        _ => return None,
    })
}

fn two(name: &str, text: &str, other: &str) -> Option<Result> {
    Some(match name {
        "_+_" => Ok([text, other].concat().into()),
        "contains" => Ok(Value::Bool(text.contains(other))),
        "startsWith" => Ok(Value::Bool(text.starts_with(other))),
        "endsWith" => Ok(Value::Bool(text.ends_with(other))),
        "matches" => regex(other).map(|regex| Value::Bool(regex.is_match(text))),
        "find" => regex(other).map(|regex| regex.find(text).map(|found| found.as_str()).unwrap_or_default().into()),
        "findAll" => find_all(text, other, -1),
        "split" => Ok(split(text, other, -1)),
        "indexOf" => index_of(text, other, 0),
        "lastIndexOf" => last_index_of(text, other, text.chars().count() as i64),
        _ => return None,
    })
}

fn regex(pattern: &str) -> std::result::Result<Regex, Error> {
    Regex::new(pattern).map_err(|why| Error::new(format!("error parsing regexp: {why}: `{pattern}`")))
}

fn find_all(text: &str, pattern: &str, limit: i64) -> Result {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let regex = regex(pattern)?;
    Ok(Value::list(regex.find_iter(text).take(limit).map(|found| found.as_str().into())))
}

fn split(text: &str, separator: &str, limit: i64) -> Value {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if separator.is_empty() {
        return Value::list(text.chars().take(limit).map(|c| c.to_string().into()));
    }
    if limit == 0 {
        return Value::list([]);
    }
    Value::list(text.splitn(limit, separator).map(Value::from))
}

fn out_of_range(index: i64) -> Error {
    Error::new(format!("index out of range: {index}"))
}

fn char_at(text: &str, at: i64) -> Result {
    let length = text.chars().count();
    match usize::try_from(at) {
        Ok(at) if at == length => Ok("".into()),
        Ok(at) if at < length => Ok(text.chars().skip(at).take(1).collect::<String>().into()),
        _ => Err(out_of_range(at)),
    }
}

fn substring(text: &str, from: i64, to: Option<i64>) -> Result {
    let length = text.chars().count() as i64;
    let to = to.unwrap_or(length);
    if !(0..=length).contains(&from) {
        return Err(out_of_range(from));
    }
    if !(0..=length).contains(&to) {
        return Err(out_of_range(to));
    }
    if from > to {
        return Err(Error::new(format!("invalid substring range. start: {from}, end: {to}")));
    }
    Ok(text.chars().skip(from as usize).take((to - from) as usize).collect::<String>().into())
}

fn index_of(text: &str, part: &str, from: i64) -> Result {
    let characters: Vec<char> = text.chars().collect();
    let part: Vec<char> = part.chars().collect();
    let from = usize::try_from(from).ok().filter(|from| *from <= characters.len()).ok_or_else(|| out_of_range(from))?;
    let found = (from..=characters.len()).find(|at| characters[*at..].starts_with(&part));
    Ok(Value::Int(found.map_or(-1, |at| at as i64)))
}

fn last_index_of(text: &str, part: &str, to: i64) -> Result {
    let characters: Vec<char> = text.chars().collect();
    let part: Vec<char> = part.chars().collect();
    let to = usize::try_from(to).ok().filter(|to| *to <= characters.len()).ok_or_else(|| out_of_range(to))?;
    let found = (0..=to).rev().find(|at| characters[*at..].starts_with(&part));
    Ok(Value::Int(found.map_or(-1, |at| at as i64)))
}
