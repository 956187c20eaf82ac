//! A terminal and the line that runs in it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;

use api::SimTime;
use client::Client;
use serde_json::{Value, json};

use crate::commands::{self, complete_config};
use crate::complete::{self, Completion};
use crate::files::{Disk, Files, HOME};
use crate::shell;
use crate::task::{Call, Cx, Io, Step};

/// One terminal: what `kubectl config` knows, the files of the page, and the shell's variables.
#[derive(Clone, Default)]
pub struct Session {
    state: Rc<RefCell<State>>,
}

/// What the lines of a session share.
pub(crate) struct State {
    /// The namespace of the current context; `default` unless set.
    pub namespace: String,
    pub context: Context,
    /// What `kubectl config` shows and changes.
    config: Value,
    /// Where that is kept; empty for a terminal without such a file.
    config_file: String,
    pub files: Files,
    pub variables: BTreeMap<String, String>,
}

/// What `kubectl config` calls the current context.
#[derive(Clone, Debug)]
pub struct Context {
    pub name: String,
    pub cluster: String,
    pub user: String,
    /// The address of the API server.
    pub server: String,
}

impl Default for Context {
    fn default() -> Context {
        Context {
            name: "kubernetes-admin@kubernetes".into(),
            cluster: "kubernetes".into(),
            user: "kubernetes-admin".into(),
            server: "https://127.0.0.1:6443".into(),
        }
    }
}

impl Default for State {
    fn default() -> Self {
        State {
            namespace: "default".into(),
            context: Context::default(),
            config: Context::default().config(),
            config_file: String::new(),
            files: Files::default(),
            variables: BTreeMap::from([("HOME".into(), HOME.into()), ("PWD".into(), HOME.into())]),
        }
    }
}

impl State {
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// The file that changes of the configuration go to, as messages call it.
    pub fn config_file(&self) -> String {
        if self.config_file.is_empty() { format!("{HOME}/.kube/config") } else { self.config_file.clone() }
    }

    /// Changes the kubeconfig, its file, and what the terminal takes from the current context.
    pub fn change_config(&mut self, change: impl FnOnce(&mut Value)) {
        change(&mut self.config);
        complete_config(&mut self.config);
        if !self.config_file.is_empty() {
            self.files.write(&self.config_file, crate::output::yaml(&self.config));
        }
        let name = self.config["current-context"].as_str().unwrap_or_default().to_owned();
        let mut contexts = self.config["contexts"].as_array().into_iter().flatten();
        let context = contexts.find(|entry| entry["name"] == name.as_str()).map(|entry| &entry["context"]);
        let field = |field: &str| context.and_then(|context| context[field].as_str()).unwrap_or_default().to_owned();
        self.namespace = Some(field("namespace")).filter(|space| !space.is_empty()).unwrap_or("default".into());
        self.context =
            Context { name, cluster: field("cluster"), user: field("user"), server: self.context.server.clone() };
    }
}

impl Context {
    /// A kubeconfig with this context alone.
    fn config(&self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "preferences": {},
            "clusters": [{
                "name": self.cluster,
                "cluster": { "certificate-authority-data": "DATA+OMITTED", "server": self.server },
            }],
            "contexts": [{ "name": self.name, "context": { "cluster": self.cluster, "user": self.user } }],
            "current-context": self.name,
            "users": [{
                "name": self.user,
                "user": { "client-certificate-data": "DATA+OMITTED", "client-key-data": "DATA+OMITTED" },
            }],
        })
    }
}

impl Session {
    pub fn new() -> Session {
        Session::default()
    }

    pub fn namespace(&self) -> String {
        self.state.borrow().namespace.clone()
    }

    pub fn set_namespace(&mut self, namespace: &str) {
        self.state.borrow_mut().change_config(|config| {
            let current = config["current-context"].clone();
            let mut contexts = config["contexts"].as_array_mut().into_iter().flatten();
            let Some(context) = contexts.find(|entry| entry["name"] == current) else { return };
            match namespace {
                "default" => drop(context["context"].as_object_mut().map(|fields| fields.remove("namespace"))),
                other => context["context"]["namespace"] = other.into(),
            }
        });
    }

    /// The page's files. Commands may write some (`> file`).
    pub fn files(&self) -> BTreeMap<String, String> {
        self.state.borrow().files.all().clone()
    }

    pub fn put_file(&mut self, path: &str, text: &str) {
        self.state.borrow_mut().files.write(path, text.into());
    }

    pub fn remove_file(&mut self, path: &str) {
        self.state.borrow_mut().files.remove(path);
    }

    /// A terminal whose files lie on a disk.
    pub fn on_disk(disk: Disk) -> Session {
        let session = Session::default();
        session.state.borrow_mut().files = Files::on(disk);
        session
    }

    /// Works with a kubeconfig that lies in a file.
    pub fn set_config(&mut self, file: &str, config: Value, context: Context, namespace: &str) {
        let mut state = self.state.borrow_mut();
        state.config_file = file.into();
        state.config = config;
        complete_config(&mut state.config);
        state.context = context;
        state.namespace = namespace.into();
    }

    /// Begins a `kubectl` with these arguments, and what its standard input holds.
    pub fn start_arguments(&mut self, words: Vec<String>, stdin: Option<String>) -> Running {
        let cx = Cx::new();
        let task = Box::pin(commands::run(cx.clone(), words));
        let mut io = Io::default();
        io.stdin = stdin;
        Running { state: self.state.clone(), cx, io, task, exit: None }
    }

    /// Begins a line. Nothing happens before the first [`Running::poll`].
    pub fn start(&mut self, line: &str) -> Running {
        let cx = Cx::new();
        let task = Box::pin(shell::run_line(cx.clone(), line.to_owned()));
        Running { state: self.state.clone(), cx, io: Io::default(), task, exit: None }
    }

    /// What could stand at `cursor` (a byte offset) of the line.
    pub fn complete(&self, line: &str, cursor: usize, client: &mut Client) -> Vec<Completion> {
        complete::complete(&self.state.borrow(), line, cursor, client)
    }
}

/// A line that has been started.
pub struct Running {
    state: Rc<RefCell<State>>,
    cx: Cx,
    io: Io,
    task: Pin<Box<dyn Future<Output = i32>>>,
    exit: Option<i32>,
}

/// What a line has done since it was last polled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// What it has printed, in its order.
    pub output: Vec<Piece>,
    /// The exit code, once the line is done.
    pub exit: Option<i32>,
    /// When to poll again at the latest. Polling earlier is harmless. `None` when the line is done or waits for
    /// [`Running::edited`].
    pub wake: Option<SimTime>,
    /// The page should open its editor, and answer with [`Running::edited`].
    pub edit: Option<EditRequest>,
    /// The rest of the command, which a page cannot do: only a program on a computer is asked for that.
    pub errand: Option<Errand>,
    /// The program reads the keyboard: what the user types goes to [`Running::input`].
    pub reads_input: bool,
}

/// Text for the terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    pub text: String,
    /// It comes from standard error.
    pub error: bool,
}

impl Progress {
    pub fn stdout(&self) -> String {
        self.of(false)
    }

    pub fn stderr(&self) -> String {
        self.of(true)
    }

    fn of(&self, error: bool) -> String {
        self.output.iter().filter(|piece| piece.error == error).map(|piece| piece.text.as_str()).collect()
    }
}

/// `kubectl edit` wants a text changed.
#[derive(Clone, Debug, PartialEq)]
pub struct EditRequest {
    pub file_name: String,
    pub text: String,
}

/// What the rest of a command is: nothing is polled any more.
#[derive(Clone, Debug, PartialEq)]
pub enum Errand {
    Forward(Forward),
    Proxy(Proxy),
    Diff(Vec<Comparison>),
}

/// One object of `kubectl diff`: the file that it is written to, its text now, and after it is applied; `None` when it
/// is to be deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub file: String,
    pub live: String,
    pub merged: Option<String>,
}

/// Connections to local ports go to a Pod's.
#[derive(Clone, Debug, PartialEq)]
pub struct Forward {
    pub namespace: String,
    pub pod: String,
    /// Local ports, 0 for any, and the Pod's.
    pub ports: Vec<(u16, u16)>,
    /// `localhost` or addresses.
    pub addresses: Vec<String>,
}

/// Requests to a local port go to the API server with the user's credentials.
#[derive(Clone, Debug, PartialEq)]
pub struct Proxy {
    pub address: String,
    /// 0 for any.
    pub port: u16,
    /// What the API's paths begin with; empty for nothing.
    pub prefix: String,
    /// Regular expressions; none lets everything through.
    pub accepted_hosts: Vec<String>,
    pub rejected_paths: Vec<String>,
}

impl Running {
    /// Carries on until the line is done or has to wait.
    pub fn poll(&mut self, client: &mut Client) -> Progress {
        if self.exit.is_none() {
            let mut state = self.state.borrow_mut();
            let mut call = Call { client, state: &mut state, io: &mut self.io };
            self.exit = match self.cx.drive(self.task.as_mut(), &mut call) {
                Step::Done(code) => Some(code),
                Step::Wait => None,
            };
        }
        let wake = if self.exit.is_none() { self.cx.wake() } else { None };
        Progress {
            output: std::mem::take(&mut self.io.output),
            exit: self.exit,
            wake,
            edit: self.io.edit.take(),
            errand: self.io.errand.take(),
            reads_input: self.exit.is_none() && self.io.reads_input,
        }
    }

    /// Ctrl-C. Takes effect at the next poll.
    pub fn interrupt(&mut self) {
        self.io.interrupted = true;
    }

    /// Text for the program's standard input, as typed: lines end in `\n`.
    pub fn input(&mut self, text: &str) {
        self.io.typed.push_str(text);
    }

    /// The answer to a [`Progress::edit`] when the editor did not come up, or failed.
    pub fn edit_failed(&mut self, why: String) {
        self.io.edit_failure = Some(why);
    }

    /// The answer to a [`Progress::edit`]: the saved text, or `None` when the user closed the editor without saving.
    pub fn edited(&mut self, text: Option<String>) {
        self.io.edited = Some(text);
    }
}
