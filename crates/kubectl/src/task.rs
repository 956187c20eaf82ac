//! How a command waits: it is a future that this crate polls, and reaches the cluster only through [`Cx::with`].

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use api::request::{StreamId, WatchId};
use api::{Request, Response, SimTime, Status, User};
use client::Client;

use crate::session::{EditRequest, Errand, Piece, State};
use crate::shell::Sink;

/// What a command may touch while it runs: borrowed anew for each of its steps.
pub(crate) struct Call<'a, 'c> {
    pub client: &'a mut Client<'c>,
    pub state: &'a mut State,
    pub io: &'a mut Io,
}

/// A running line's streams.
#[derive(Default)]
pub(crate) struct Io {
    /// What the terminal has been given, in its order.
    pub output: Vec<Piece>,
    /// Pipes and redirections that stand between the command and the terminal, outermost first.
    pub sinks: Vec<Sink>,
    /// What a pipe or a here-document feeds the command.
    pub stdin: Option<String>,
    pub typed: String,
    pub reads_input: bool,
    pub interrupted: bool,
    /// Ctrl-C goes to the program of a stream instead of ending the line.
    pub interrupts_stream: bool,
    pub edit: Option<EditRequest>,
    pub errand: Option<Errand>,
    pub edited: Option<Option<String>>,
    /// Why there was no editor.
    pub edit_failure: Option<String>,
    /// What the server has warned of: a command says it once.
    pub warned: BTreeSet<String>,
    /// Whom the command impersonates.
    identity: Option<User>,
    watches: Vec<WatchId>,
    streams: Vec<StreamId>,
}

impl Io {
    /// Writes to standard output, through whatever pipes there are.
    pub fn out(&mut self, text: &str) {
        let depth = self.sinks.len();
        self.out_below(depth, text.to_owned());
    }

    fn out_below(&mut self, depth: usize, mut text: String) {
        for sink in self.sinks[..depth].iter_mut().rev() {
            match sink.feed(text) {
                Some(rest) => text = rest,
                None => return,
            }
        }
        self.print(&text, false);
    }

    fn print(&mut self, text: &str, error: bool) {
        match self.output.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.error == error => last.text.push_str(text),
            _ => self.output.push(Piece { text: text.into(), error }),
        }
    }

    pub fn line(&mut self, text: impl AsRef<str>) {
        let text = text.as_ref();
        self.out(&format!("{text}\n"));
    }

    pub fn err(&mut self, text: &str) {
        match self.sinks.iter().rposition(|sink| sink.takes_stderr) {
            Some(position) if self.sinks[position].drops_stderr => {}
            Some(position) => self.out_below(position + 1, text.to_owned()),
            None => self.print(text, true),
        }
    }

    /// The lines of standard error.
    pub fn error_lines(&self) -> impl Iterator<Item = &str> {
        self.output.iter().filter(|piece| piece.error).flat_map(|piece| piece.text.lines())
    }

    pub fn err_line(&mut self, text: impl AsRef<str>) {
        let text = text.as_ref();
        self.err(&format!("{text}\n"));
    }

    /// Ends the innermost pipe and returns what it has captured.
    pub fn pop_sink(&mut self) -> String {
        let Some(mut sink) = self.sinks.pop() else { return String::new() };
        let (captured, rest) = sink.finish();
        let depth = self.sinks.len();
        self.out_below(depth, rest);
        captured
    }

    /// Nobody reads the output any more, as after `| head -1`.
    fn is_broken(&self) -> bool {
        self.sinks.iter().any(Sink::is_closed)
    }
}

impl Call<'_, '_> {
    /// A call whose warnings go to standard error, as kubectl prints them.
    pub fn request(&mut self, request: Request) -> Result<Response, Status> {
        let answer = self.client.call(request);
        for warning in self.client.take_warnings() {
            if self.io.warned.insert(warning.clone()) {
                self.io.err_line(format!("Warning: {warning}"));
            }
        }
        answer
    }

    /// Five letters, as after `generateName`.
    pub fn random_suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let mut number = self.client.random();
        let mut letter = || {
            let at = number % LETTERS.len() as u64;
            number /= LETTERS.len() as u64;
            char::from(LETTERS[at as usize])
        };
        (0..5).map(|_| letter()).collect()
    }

    /// Makes the command's calls as this user.
    pub fn act_as(&mut self, user: Option<User>) {
        self.io.identity = user;
        self.client.act_as(self.io.identity.clone());
    }

    /// Opens a watch that is closed when the line ends.
    pub fn watch(&mut self, request: Request) -> Result<WatchId, Status> {
        match self.client.call(request)? {
            Response::Watch(watch) => {
                self.io.watches.push(watch);
                Ok(watch)
            }
            _ => Err(Status::internal("the server did not open a watch")),
        }
    }

    pub fn close_watch(&mut self, watch: WatchId) {
        self.io.watches.retain(|open| *open != watch);
        self.client.close_watch(watch);
    }

    /// Remembers a stream that is closed when the line ends.
    pub fn keep_stream(&mut self, stream: StreamId) {
        self.io.streams.push(stream);
    }

    pub fn close_stream(&mut self, stream: StreamId) {
        self.io.streams.retain(|open| *open != stream);
        self.client.close_stream(stream);
    }

    fn close_all(&mut self) {
        for watch in std::mem::take(&mut self.io.watches) {
            self.client.close_watch(watch);
        }
        for stream in std::mem::take(&mut self.io.streams) {
            self.client.close_stream(stream);
        }
        self.io.reads_input = false;
        self.io.interrupts_stream = false;
    }
}

pub(crate) enum Step {
    Done(i32),
    Wait,
}

type Job = Box<dyn FnOnce(&mut Call)>;

/// A command's way to the cluster and to the clock. Clones share one mailbox.
#[derive(Clone)]
pub(crate) struct Cx {
    mailbox: Rc<RefCell<Mailbox>>,
}

#[derive(Default)]
struct Mailbox {
    job: Option<Job>,
    wake: Option<SimTime>,
    /// Counts the polls from outside, so that a pause can tell that one has come.
    polls: u64,
    broken: bool,
    interrupted: bool,
}

/// How often a command looks at its watches: the virtual delay between an event and its line on the terminal.
const WATCH_INTERVAL: SimTime = 20 * api::time::MILLISECOND;

impl Cx {
    pub fn new() -> Cx {
        Cx { mailbox: Rc::default() }
    }

    pub fn wake(&self) -> Option<SimTime> {
        self.mailbox.borrow().wake
    }

    /// Polls the task until it is done or waits for time to pass.
    pub fn drive(&self, mut task: Pin<&mut dyn Future<Output = i32>>, call: &mut Call) -> Step {
        {
            let mut mailbox = self.mailbox.borrow_mut();
            mailbox.polls += 1;
            mailbox.wake = None;
        }
        call.client.act_as(call.io.identity.clone());
        loop {
            {
                let mut mailbox = self.mailbox.borrow_mut();
                mailbox.broken = call.io.is_broken();
                mailbox.interrupted = call.io.interrupted && !call.io.interrupts_stream;
            }
            if let Poll::Ready(code) = task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                call.close_all();
                return Step::Done(code);
            }
            let job = self.mailbox.borrow_mut().job.take();
            match job {
                Some(job) => job(call),
                None => return Step::Wait,
            }
        }
    }

    /// Does a piece of work with the cluster at hand.
    pub async fn with<R: 'static>(&self, work: impl FnOnce(&mut Call) -> R + 'static) -> R {
        let result = Rc::new(RefCell::new(None));
        let place = result.clone();
        self.mailbox.borrow_mut().job = Some(Box::new(move |call: &mut Call| *place.borrow_mut() = Some(work(call))));
        poll_fn(move |_| match result.borrow_mut().take() {
            Some(value) => Poll::Ready(value),
            None => Poll::Pending,
        })
        .await
    }

    /// Waits until somebody polls from outside, which is at `until` at the latest.
    pub async fn pause(&self, until: Option<SimTime>) {
        let before = {
            let mut mailbox = self.mailbox.borrow_mut();
            mailbox.wake = until;
            mailbox.polls
        };
        let mailbox = self.mailbox.clone();
        poll_fn(move |_| if mailbox.borrow().polls > before { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Waits for what a watch or a stream may bring.
    pub async fn tick(&self, deadline: Option<SimTime>) {
        let now = self.now().await;
        let next = now + WATCH_INTERVAL;
        self.pause(Some(deadline.map_or(next, |deadline| next.min(deadline.max(now))))).await;
    }

    pub async fn now(&self) -> SimTime {
        self.with(|call| call.client.now()).await
    }

    pub async fn sleep(&self, duration: SimTime) {
        let until = self.now().await.saturating_add(duration);
        while self.now().await < until {
            self.pause(Some(until)).await;
        }
    }

    pub async fn out(&self, text: impl Into<String>) {
        let text = text.into();
        self.with(move |call| call.io.out(&text)).await;
    }

    pub async fn err_line(&self, text: impl Into<String>) {
        let text = text.into();
        self.with(move |call| call.io.err_line(&text)).await;
    }

    /// Runs a command until it ends by itself (its exit code), or nobody reads its output, or Ctrl-C comes.
    pub async fn until_stopped(&self, mut command: Pin<Box<dyn Future<Output = i32>>>) -> i32 {
        let mailbox = self.mailbox.clone();
        let code = poll_fn(move |context| {
            let (broken, interrupted) = {
                let mailbox = mailbox.borrow();
                (mailbox.broken, mailbox.interrupted)
            };
            if interrupted {
                return Poll::Ready(INTERRUPTED);
            }
            if broken {
                return Poll::Ready(0);
            }
            command.as_mut().poll(context)
        })
        .await;
        self.mailbox.borrow_mut().job = None;
        self.with(|call| call.close_all()).await;
        code
    }
}

/// The exit code of a program that Ctrl-C has ended.
pub(crate) const INTERRUPTED: i32 = 130;
