//! Which devices a request or class means: expressions over `device`. Upstream: `dynamic-resource-allocation/cel`.

use api::field::{Error, Errors, Path};
use cel::{Env, Type};
use serde_json::Value;

use super::claim::{LIST_MAX, each};
use crate::registry::admission_rules::text;

const EXPRESSION_BYTES_MAX: usize = 10 * 1024;

/// `stored`: the expressions have been compiled before.
pub(super) fn validate(owner: &Value, stored: bool, path: &Path, errors: &mut Errors) {
    each(owner, "selectors", LIST_MAX, path, errors, |selector, path, errors| {
        let path = path.child("cel");
        match selector.get("cel").filter(|cel| !cel.is_null()) {
            None => errors.push(Error::required(&path, "")),
            Some(_) if stored => {}
            Some(cel) => expression(text(cel, "expression"), &path.child("expression"), errors),
        }
    });
}

fn expression(source: &str, path: &Path, errors: &mut Errors) {
    if source.len() > EXPRESSION_BYTES_MAX {
        return errors.push(Error::too_long(path, EXPRESSION_BYTES_MAX));
    }
    match env().compile(source) {
        Err(why) => errors.push(Error::invalid(path, source, format!("compilation failed: {why}"))),
        Ok(program) if matches!(program.output(), Type::Bool | Type::Dyn) => {}
        Ok(program) => {
            let why = format!("must evaluate to bool or the unknown type, not {}", program.output());
            errors.push(Error::invalid(path, source, why));
        }
    }
}

fn env() -> Env {
    let by_domain = |of: Type| Type::map(Type::String, Type::map(Type::String, of));
    let device = Type::object(
        "kubernetes.DRADevice",
        [
            ("driver", Type::String),
            ("attributes", by_domain(Type::Dyn)),
            ("capacity", by_domain(Type::Opaque("kubernetes.Quantity"))),
            ("allowMultipleAllocations", Type::Bool),
        ],
    );
    Env::new().with("device", device)
}
