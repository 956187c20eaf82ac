//! A shell's variables, functions and options.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::Script;
use crate::Signal;

#[derive(Clone, Debug)]
pub struct Variable {
    pub value: Arc<str>,
    pub exported: bool,
}

/// What a subshell inherits by copy.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    pub variables: BTreeMap<Arc<str>, Variable>,
    pub functions: BTreeMap<Arc<str>, Script>,
    pub traps: BTreeMap<TrapKey, Arc<str>>,
    pub arg0: Arc<str>,
    pub positional: Vec<Arc<str>>,
    pub status: i32,
    /// `$$`.
    pub shell_pid: u32,
    pub last_background: Option<u32>,
    pub errexit: bool,
    pub nounset: bool,
    pub xtrace: bool,
    pub pipefail: bool,
    pub noglob: bool,
}

/// What a trap waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrapKey {
    Exit,
    Signal(Signal),
}

impl Scope {
    /// The value of a variable or special parameter, `$@` and `$*` joined by spaces.
    pub fn get(&self, name: &str) -> Option<String> {
        match name {
            "?" => Some(self.status.to_string()),
            "$" => Some(self.shell_pid.to_string()),
            "!" => self.last_background.map(|pid| pid.to_string()),
            "#" => Some(self.positional.len().to_string()),
            "-" => Some(if self.errexit { "e".to_owned() } else { String::new() }),
            "0" => Some(self.arg0.to_string()),
            "@" | "*" => (!self.positional.is_empty()).then(|| self.positional.join(" ")),
            _ => match name.parse::<usize>() {
                Ok(index) => self.positional.get(index.wrapping_sub(1)).map(|value| value.to_string()),
                Err(_) => self.variables.get(name).map(|variable| variable.value.to_string()),
            },
        }
    }

    /// Sets a variable and keeps whether it is exported.
    pub fn set(&mut self, name: &str, value: &str) {
        let exported = self.variables.get(name).is_some_and(|old| old.exported);
        self.variables.insert(Arc::from(name), Variable { value: Arc::from(value), exported });
    }

    pub fn export(&mut self, name: &str, value: Option<&str>) {
        let old = self.variables.get(name).map(|old| old.value.clone());
        let value = value.map(Arc::from).or(old).unwrap_or_default();
        self.variables.insert(Arc::from(name), Variable { value, exported: true });
    }

    /// The environment of commands that the shell starts.
    pub fn environment(&self) -> BTreeMap<Arc<str>, Arc<str>> {
        let exported = self.variables.iter().filter(|(_, variable)| variable.exported);
        exported.map(|(name, variable)| (name.clone(), variable.value.clone())).collect()
    }
}
