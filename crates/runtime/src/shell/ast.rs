//! What the parser makes of a script.

use std::sync::Arc;

/// A command, shared between the processes that run it.
pub type Script = Arc<Command>;

#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Simple(Simple),
    Pipeline { negated: bool, stages: Vec<Script> },
    AndOr { first: Script, rest: Vec<(Connector, Script)> },
    List(Vec<ListItem>),
    If { arms: Vec<(Script, Script)>, otherwise: Option<Script> },
    Loop { until: bool, condition: Script, body: Script },
    For { name: String, words: Option<Vec<Word>>, body: Script },
    Case { subject: Word, arms: Vec<(Vec<Word>, Script)> },
    Subshell(Script),
    Redirected { command: Script, redirects: Vec<Redirect> },
    Function { name: String, body: Script },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connector {
    And,
    Or,
}

#[derive(Debug, PartialEq, Eq)]
pub struct ListItem {
    pub command: Script,
    pub background: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Simple {
    pub assigns: Vec<(String, Word)>,
    pub words: Vec<Word>,
    pub redirects: Vec<Redirect>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Redirect {
    pub fd: u32,
    pub kind: RedirectKind,
    pub target: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    Read,
    Write,
    Append,
    /// `>&` and `<&`: the target is a descriptor or `-`.
    Duplicate,
    /// The target is the text itself.
    HereDocument,
}

/// Parts that are joined to one word before field splitting.
pub type Word = Vec<Part>;

#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// `quoted` text is neither split nor globbed.
    Text {
        text: String,
        quoted: bool,
    },
    Parameter {
        name: String,
        operation: Operation,
        quoted: bool,
    },
    Substitution {
        script: Script,
        quoted: bool,
    },
    Arithmetic {
        expression: Word,
        quoted: bool,
    },
}

/// What `${name…}` does to the value. The `bool` of the first four: also when the variable is empty (`:`).
#[derive(Debug, PartialEq, Eq)]
pub enum Operation {
    Value,
    Length,
    Default(bool, Word),
    Assign(bool, Word),
    Fail(bool, Word),
    Alternative(bool, Word),
    /// `#`, and `##` when greedy.
    RemovePrefix(bool, Word),
    /// `%`, and `%%` when greedy.
    RemoveSuffix(bool, Word),
    /// `/`, and `//` when all.
    Replace(bool, Word, Word),
    /// `:offset:length`.
    Substring(Word, Option<Word>),
}
