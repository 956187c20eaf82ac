//! Query parameters: `ListOptions`, `CreateOptions` and their sisters.

use api::field::{Error, Path};
use api::request::{ExecOptions, LogOptions};
use api::status::Details;
use api::{FieldValidation, Options, Propagation, Reason, Status, Verb};

const FIELD_MANAGER_BYTES_MAX: usize = 128;

/// The parameters of a query, decoded, in their order.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub fn parse(query: &str) -> Parameters {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
        });
        Parameters(pairs.collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    pub fn is_set(&self, name: &str) -> bool {
        matches!(self.get(name), Some("" | "1" | "true" | "True" | "t" | "T"))
    }

    fn number(&self, name: &str) -> Result<Option<i64>, Status> {
        let Some(text) = self.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        let bad = || Status::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
        text.parse().map(Some).map_err(|_| bad())
    }

    pub fn options(&self, verb: Verb, user_agent: &str) -> Result<Options, Status> {
        let options_kind = options_kind(verb);
        let field_validation = self.field_validation(options_kind)?;
        let propagation = match self.get("propagationPolicy").filter(|policy| !policy.is_empty()) {
            Some(policy) => Some(propagation(policy)?),
            None => None,
        };
        let field_manager = self.text("fieldManager");
        if field_manager.len() > FIELD_MANAGER_BYTES_MAX {
            let error = Error::too_long(&Path::new("fieldManager"), FIELD_MANAGER_BYTES_MAX);
            return Err(invalid_options(options_kind, error));
        }
        if let Some((at, character)) = field_manager.char_indices().find(|(_, one)| one.is_control()) {
            let why = format!("invalid character U+{:04X} (at position {at})", u32::from(character));
            let error = Error::invalid(&Path::new("fieldManager"), field_manager.as_str(), why);
            return Err(invalid_options(options_kind, error));
        }
        self.number("timeoutSeconds")?;
        self.check_list_options(verb)?;
        let agent = user_agent.split(['/', ' ']).next().unwrap_or_default();
        Ok(Options {
            dry_run: self.dry_run(options_kind)?,
            field_manager: if field_manager.is_empty() { agent.to_owned() } else { field_manager },
            field_validation,
            force: self.is_set("force"),
            label_selector: self.text("labelSelector"),
            field_selector: self.text("fieldSelector"),
            resource_version: self.text("resourceVersion"),
            resource_version_match: self.text("resourceVersionMatch"),
            limit: self.number("limit")?.and_then(|limit| u64::try_from(limit).ok()).unwrap_or(0),
            continue_token: self.text("continue"),
            allow_watch_bookmarks: self.is_set("allowWatchBookmarks"),
            send_initial_events: self.is_set("sendInitialEvents"),
            propagation,
            grace_period: self.number("gracePeriodSeconds")?,
            log: LogOptions {
                container: self.text("container"),
                follow: self.is_set("follow"),
                previous: self.is_set("previous"),
                since_seconds: self.number("sinceSeconds")?,
                tail_lines: self.number("tailLines")?,
                limit_bytes: self.number("limitBytes")?,
                timestamps: self.is_set("timestamps"),
            },
            ..Options::default()
        })
    }

    /// Upstream's `ValidateListOptions`.
    fn check_list_options(&self, verb: Verb) -> Result<(), Status> {
        let path = Path::new("resourceVersionMatch");
        let (wanted, initial) =
            (self.get("resourceVersionMatch").unwrap_or_default(), self.get("sendInitialEvents").is_some());
        let mut errors = Vec::new();
        match verb {
            Verb::Watch => {
                if initial && wanted != "NotOlderThan" {
                    let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
                    errors.push(Error::forbidden(&path, why));
                }
                if !initial && !wanted.is_empty() {
                    let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
                    errors.push(Error::forbidden(&path, why));
                }
                if !matches!(wanted, "" | "NotOlderThan") {
                    errors.push(Error::not_supported(&path, wanted, &["NotOlderThan"]));
                }
                if !wanted.is_empty() && !self.text("continue").is_empty() {
                    let why = "resourceVersionMatch is forbidden when continue is provided";
                    errors.push(Error::forbidden(&path, why));
                }
            }
            Verb::List => {
                let revision = self.get("resourceVersion").unwrap_or_default();
                if !wanted.is_empty() && revision.is_empty() {
                    let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
                    errors.push(Error::forbidden(&path, why));
                }
                if !wanted.is_empty() && !self.text("continue").is_empty() {
                    let why = "resourceVersionMatch is forbidden when continue is provided";
                    errors.push(Error::forbidden(&path, why));
                }
                if !matches!(wanted, "" | "Exact" | "NotOlderThan") {
                    errors.push(Error::not_supported(&path, wanted, &["Exact", "NotOlderThan", ""]));
                }
                if wanted == "Exact" && revision == "0" {
                    let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
                    errors.push(Error::forbidden(&path, why));
                }
                if initial {
                    let why = "sendInitialEvents is forbidden for list";
                    errors.push(Error::forbidden(&Path::new("sendInitialEvents"), why));
                }
            }
            _ => {}
        }
        if errors.is_empty() { Ok(()) } else { Err(invalid_options_all("ListOptions", &errors)) }
    }

    /// `PodExecOptions` and `PodAttachOptions`
    pub fn exec(&self) -> ExecOptions {
        let command = self.0.iter().filter(|(name, _)| name == "command").map(|(_, value)| value.clone());
        ExecOptions {
            container: self.text("container"),
            command: command.collect(),
            stdin: self.is_set("stdin"),
            tty: self.is_set("tty"),
        }
    }

    fn field_validation(&self, options_kind: &str) -> Result<FieldValidation, Status> {
        match self.get("fieldValidation").unwrap_or_default() {
            "" | "Warn" => Ok(FieldValidation::Warn),
            "Ignore" => Ok(FieldValidation::Ignore),
            "Strict" => Ok(FieldValidation::Strict),
            other => {
                let supported = &["", "Ignore", "Strict", "Warn"];
                Err(invalid_options(
                    options_kind,
                    Error::not_supported(&Path::new("fieldValidation"), other, supported),
                ))
            }
        }
    }

    fn dry_run(&self, options_kind: &str) -> Result<bool, Status> {
        match self.get("dryRun") {
            None | Some("") => Ok(false),
            Some("All") => Ok(true),
            Some(other) => {
                Err(invalid_options(options_kind, Error::not_supported(&Path::new("dryRun"), other, &["All"])))
            }
        }
    }
}

fn options_kind(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "CreateOptions",
        Verb::Update => "UpdateOptions",
        Verb::Patch => "PatchOptions",
        Verb::Delete | Verb::DeleteCollection => "DeleteOptions",
        Verb::Get | Verb::List | Verb::Watch => "ListOptions",
    }
}

pub(super) fn propagation(policy: &str) -> Result<Propagation, Status> {
    match policy {
        "Orphan" => Ok(Propagation::Orphan),
        "Background" => Ok(Propagation::Background),
        "Foreground" => Ok(Propagation::Foreground),
        other => {
            let supported = &["Foreground", "Background", "Orphan", "nil"];
            let error = Error::not_supported(&Path::new("propagationPolicy"), other, supported);
            Err(invalid_options("DeleteOptions", error))
        }
    }
}

/// The options themselves break their rules.
pub(super) fn invalid_options(kind: &str, error: Error) -> Status {
    invalid_options_all(kind, &[error])
}

fn invalid_options_all(kind: &str, errors: &[Error]) -> Status {
    let cause = |error: &Error| api::status::Cause {
        reason: error.kind.reason().into(),
        message: error.body(),
        field: error.field.clone(),
    };
    let causes = errors.iter().map(cause).collect();
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let text = if texts.len() == 1 { texts.concat() } else { format!("[{}]", texts.join(", ")) };
    let mut status = Status::new(422, Reason::Invalid, format!("{kind}.meta.k8s.io \"\" is invalid: {text}"));
    status.details = Some(Details { group: "meta.k8s.io".into(), kind: kind.into(), causes, ..Details::default() });
    status
}

/// Undoes percent-encoding. What is not valid stays as it is.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
