//! A POSIX shell: parser, expansion, and an interpreter that can stop at any command and go on later.
//!
//! Covered: simple commands, pipelines, lists, `if`, `while`, `until`, `for`, `case`, functions, subshells, here-
//! documents, redirections, all parameter expansions of POSIX and a few of bash, arithmetic, globs, `trap`, `set -eux`.
//! Not covered: aliases, job control, arrays, `[[ ]]` with regular expressions, brace expansion, `select`, `getopts`.

mod arithmetic;
mod ast;
mod builtins;
mod commands;
mod expand;
mod frame;
mod machine;
mod parser;
pub mod pattern;
mod scope;
mod test_command;
mod words;

pub use builtins::{interpret_escapes, printf};
pub use machine::Shell;
