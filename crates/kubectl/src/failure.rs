//! How a command says that it has failed: upstream's `cmdutil.CheckErr`.

use api::{Reason, Status};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failure {
    /// Printed after `error: `.
    Error(String),
    /// Printed as it is.
    Plain(String),
    /// The server's answer.
    Status(Box<Status>),
    /// Several, each on its own lines.
    Many(Vec<Failure>),
    /// What was written to standard output before it.
    After(String, Box<Failure>),
    /// Nothing to print: the exit code says it.
    Exit(i32),
}

/// What a command ends with: its exit code, or why it failed.
pub(crate) type Outcome = Result<i32, Failure>;

impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        Failure::Status(Box::new(status))
    }
}

impl Failure {
    pub fn error(text: impl Into<String>) -> Failure {
        Failure::Error(text.into())
    }

    pub fn plain(text: impl Into<String>) -> Failure {
        Failure::Plain(text.into())
    }

    /// A mistake in how a command was called, as `cmdutil.UsageErrorf` prints it.
    pub fn usage(command: &str, text: impl AsRef<str>) -> Failure {
        Failure::Error(format!("{}\nSee '{command} -h' for help and examples", text.as_ref()))
    }

    /// An error that upstream prints as it is, like a refusal of the server.
    pub fn without_prefix(self) -> Failure {
        match self {
            Failure::Error(text) => Failure::Plain(text),
            other => other,
        }
    }

    /// One failure of several, or the only one.
    pub fn all(mut failures: Vec<Failure>) -> Option<Failure> {
        match failures.len() {
            0 => None,
            1 => failures.pop(),
            _ => Some(Failure::Many(failures)),
        }
    }

    pub fn code(&self) -> i32 {
        match self {
            Failure::Exit(code) => *code,
            _ => 1,
        }
    }

    /// The text for standard error, with its line ends.
    pub fn text(&self) -> String {
        match self {
            Failure::Error(text) if text.starts_with("error: ") => ended(text.clone()),
            Failure::Error(text) => ended(format!("error: {text}")),
            Failure::Plain(text) => format!("{text}\n"),
            Failure::Status(status) if status.is_invalid() => invalid(status),
            Failure::Status(status) => format!("{}\n", one_line(status)),
            Failure::Many(all) => all
                .iter()
                .map(|failure| match failure {
                    Failure::Status(status) => format!("{}\n", one_line(status)),
                    Failure::Error(text) => format!("{text}\n"),
                    other => other.text(),
                })
                .collect(),
            Failure::After(_, failure) => failure.text(),
            Failure::Exit(_) => String::new(),
        }
    }

    /// What goes to standard output.
    pub fn output(&self) -> &str {
        match self {
            Failure::After(output, _) => output,
            _ => "",
        }
    }
}

/// The text with a line end, if it has none.
fn ended(text: String) -> String {
    if text.ends_with('\n') { text } else { text + "\n" }
}

/// `Error from server (NotFound): pods "x" not found`
pub(crate) fn one_line(status: &Status) -> String {
    match &status.reason {
        Reason::Unauthorized => "error: You must be logged in to the server (Unauthorized)".into(),
        // The server has not been reached.
        _ if status.code == 0 => status.message.clone(),
        reason if reason.as_str().is_empty() => format!("Error from server: {}", status.message),
        reason => format!("Error from server ({}): {}", reason.as_str(), status.message),
    }
}

/// An invalid object's mistakes, one a line when there are several.
fn invalid(status: &Status) -> String {
    let Some(details) = &status.details else {
        return format!("The request is invalid: {}\n", status.message);
    };
    let title = if details.kind.is_empty() && details.name.is_empty() {
        "The request is invalid".to_owned()
    } else {
        format!("The {} {:?} is invalid", details.kind, details.name)
    };
    let mut causes: Vec<String> = Vec::new();
    for cause in &details.causes {
        let text = format!("{}: {}", cause.field, cause.message);
        if !causes.contains(&text) {
            causes.push(text);
        }
    }
    match causes.as_slice() {
        [] if details.kind.is_empty() => format!("{title}: {}\n", status.message),
        [] => format!("{title}\n"),
        [only] => format!("{title}: {only}\n"),
        many => many.iter().fold(format!("{title}: \n"), |text, cause| format!("{text}* {cause}\n")),
    }
}
