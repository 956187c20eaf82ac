//! The functions: CEL's own, cel-go's extensions, and Kubernetes' libraries.

mod authorizer;
mod convert;
mod format;
mod kubernetes;
mod lists;
mod numbers;
mod strings;
mod time;

use crate::eval::Error;
use crate::value::Value;

pub use authorizer::{Access, Answer, Question};
pub(crate) use convert::{text_of, type_named};
pub use kubernetes::{Semver, Url};
pub use time::parse_duration;

type Result = std::result::Result<Value, Error>;

/// Calls a function by its name and the values of its arguments, the receiver of a `member` first.
pub(crate) fn call(name: &str, member: bool, args: &[Value]) -> Result {
    let libraries = [
        numbers::call as fn(&str, bool, &[Value]) -> Option<Result>,
        convert::call,
        strings::call,
        lists::call,
        time::call,
        kubernetes::call,
        authorizer::call,
    ];
    libraries.iter().find_map(|library| library(name, member, args)).unwrap_or_else(|| Err(Error::no_overload()))
}
