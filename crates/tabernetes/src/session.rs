//! What a person works with: commands in, reports out, virtual time paced by the wall.
//!
//! The session keeps the log of everything that was done to the cluster, with its moment: together with the seed that is the
//! scenario, and so what a link holds. Whatever the user does takes effect when every event up to that moment has
//! happened, and a waiting command is polled at moments of virtual time alone, so that a replay does the same.

use api::time::{MILLISECOND, SECOND};
use api::{CauseId, SimTime};
use protocol::scenario::{File, Moment, SavedView, Scenario, Step, What};
use protocol::view::{Clock, ObjectRef};
use protocol::{
    Act, Applied, AppliedObject, Command, Completion, Inspection, Outcome, Problem, ProblemKind, Report, Source, Speed,
    TerminalOutput,
};

use crate::cluster::Cluster;
use crate::scenario::cluster_config;
use crate::view::Viewer;
use crate::{examples, inspect, scenario, share};

/// A visitor finds the cluster running: nodes have registered, every namespace has its ServiceAccount.
const BOOT: SimTime = 2 * SECOND;
/// A command that waits is looked at this often at least.
const POLL_PERIOD: SimTime = 100 * MILLISECOND;
/// Nothing but periodic work for this long: the cluster has settled.
const SETTLED_AFTER: SimTime = 12 * SECOND;
/// The inspector is made anew this often at most, in virtual time, while its object changes.
const INSPECT_PERIOD: SimTime = 200 * MILLISECOND;
/// A replay looks at the cluster this often, for the timeline.
const REPLAY_STRIDE: SimTime = 500 * MILLISECOND;
/// Ctrl-C as a step of the log.
const INTERRUPT: &str = "^C";

/// One page's cluster with its terminal, clock and log.
pub struct Session {
    cluster: Cluster,
    scenario: Scenario,
    /// Steps of the scenario that are still to come, latest first.
    planned: Vec<Step>,
    /// What has been done, in order.
    log: Vec<Step>,
    viewer: Viewer,
    terminal: kubectl::Session,
    running_line: Option<RunningLine>,
    clock: Pace,
    selected: Option<ObjectRef>,
    inspected: Option<(SimTime, u64)>,
    last_inspection: Option<Inspection>,
    /// Something has been opened. Until then there is a cluster to answer with, but none to show: a link that cannot be
    /// read must not end in an empty cluster.
    opened: bool,
    /// The clock as the page knows it.
    told: Clock,
    reports: Vec<Report>,
}

struct RunningLine {
    line: kubectl::Running,
    record: CauseId,
    next_poll: SimTime,
    /// The file of the editor that `kubectl edit` waits for.
    edits: Option<String>,
}

struct Pace {
    running: bool,
    speed: Speed,
    hidden: bool,
    /// Virtual time that the wall has allowed and the core has not yet used.
    owed: f64,
    /// What the core managed lately, as a factor.
    actual: Option<f64>,
}

impl Default for Session {
    fn default() -> Self {
        let scenario = Scenario {
            api_version: scenario::API_VERSION.into(),
            kind: scenario::KIND.into(),
            title: protocol::scenario::Text::Empty,
            description: protocol::scenario::Text::Empty,
            cluster: protocol::scenario::ClusterSpec::default(),
            files: Vec::new(),
            steps: Vec::new(),
            view: None,
        };
        Session::over(scenario)
    }
}

impl Session {
    /// The first report of a worker.
    pub fn greeting() -> Report {
        Report::Ready {
            version: env!("CARGO_PKG_VERSION").into(),
            simulates: "v1.36".into(),
            examples: examples::list(),
        }
    }

    fn over(scenario: Scenario) -> Session {
        let mut cluster = Cluster::new(cluster_config(&scenario.cluster));
        cluster.run_until(BOOT);
        let mut viewer = Viewer::open(&mut cluster);
        let mut planned = scenario.steps.clone();
        planned.sort_by_key(|step| step.at);
        for step in &planned {
            viewer.marks.planned(step.at.0, &label(&step.what));
        }
        planned.reverse();
        let mut terminal = kubectl::Session::new();
        for file in &scenario.files {
            terminal.put_file(&file.name, &file.text);
        }
        Session {
            cluster,
            planned,
            log: Vec::new(),
            viewer,
            terminal,
            running_line: None,
            clock: Pace { running: true, speed: Speed::Times { factor: 1.0 }, hidden: false, owed: 0.0, actual: None },
            selected: None,
            inspected: None,
            last_inspection: None,
            opened: false,
            told: Clock::default(),
            reports: Vec::new(),
            scenario,
        }
    }

    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Carries out a command of the page and returns what there is to say at once.
    pub fn handle(&mut self, command: Command) -> Vec<Report> {
        match command {
            Command::Open { source } => self.open(source),
            Command::Apply { file, text } => {
                self.terminal.put_file(&file, &text);
                keep_file(&mut self.scenario.files, &file, &text);
                self.settle_moment();
                self.apply(&file, &text);
            }
            Command::DryRun { request, text } => {
                let applied = self.apply_text("", &text, true, CauseId::default());
                self.reports.push(Report::DryRun { request, applied });
            }
            Command::Terminal { line } => self.type_line(&line),
            Command::Interrupt => self.type_line(INTERRUPT),
            Command::Complete { request, line, cursor } => self.complete(request, &line, cursor),
            Command::Run { running } => self.clock.running = running,
            Command::Speed { speed } => self.clock.speed = speed,
            Command::Step => self.step(),
            Command::Select { object } => {
                self.selected = object;
                self.inspected = None;
            }
            Command::Act { act } => {
                self.settle_moment();
                self.act(&act);
            }
            Command::Share { view } => {
                let scenario = self.saved(view);
                self.reports.push(Report::Link { fragment: share::encode(&scenario) });
            }
            Command::Export { view } => {
                let scenario = self.saved(view);
                let text = scenario::to_yaml(&scenario);
                self.reports.push(Report::File { name: "scenario.yaml".into(), text });
            }
            Command::Hidden { hidden } => self.clock.hidden = hidden,
        }
        self.finish()
    }

    /// Lets virtual time pass as `elapsed` seconds of wall time allow. `within_budget` is asked between events.
    pub fn tick(&mut self, elapsed: f64, mut within_budget: impl FnMut() -> bool) -> Vec<Report> {
        if self.opened && self.clock.running && !self.clock.hidden {
            let asked = match self.clock.speed {
                Speed::Times { factor } => Some(factor.clamp(0.01, 10_000.0)),
                Speed::UntilSettled => None,
            };
            let start = self.cluster.now();
            let target = match asked {
                Some(factor) => {
                    self.clock.owed += elapsed.min(0.25) * factor * SECOND as f64;
                    start + self.clock.owed as SimTime
                }
                None => start + 3600 * SECOND,
            };
            self.run_until(target, asked.is_none(), &mut within_budget);
            let passed = self.cluster.now() - start;
            if let Some(factor) = asked {
                let fell_short = self.cluster.now() < target;
                self.clock.owed = if fell_short { 0.0 } else { self.clock.owed - passed as f64 };
                let managed = passed as f64 / SECOND as f64 / elapsed.max(1e-3);
                self.clock.actual = (fell_short && managed < factor * 0.9).then_some(managed);
            } else {
                self.clock.actual = Some(passed as f64 / SECOND as f64 / elapsed.max(1e-3));
                if self.is_settled() {
                    self.clock.running = false;
                    self.clock.speed = Speed::Times { factor: 1.0 };
                }
            }
        }
        self.finish()
    }

    /// Runs at full speed to a moment of virtual time: tests and replays.
    pub fn run_to(&mut self, target: SimTime) -> Vec<Report> {
        self.run_until(target, false, &mut || true);
        self.finish()
    }

    fn run_until(&mut self, target: SimTime, until_settled: bool, within_budget: &mut dyn FnMut() -> bool) {
        let mut events: u32 = 0;
        loop {
            let step_at = self.planned.last().map(|step| step.at.0);
            let poll_at = self.running_line.as_ref().map(|running| running.next_poll);
            let stop = [step_at, poll_at].into_iter().flatten().fold(target, SimTime::min).max(self.cluster.now());
            while self.cluster.next_at().is_some_and(|at| at <= stop) {
                self.cluster.step();
                events += 1;
                if events.is_multiple_of(64) && !within_budget() {
                    return;
                }
                if until_settled && events.is_multiple_of(64) && self.is_settled() {
                    return;
                }
            }
            self.cluster.run_until(stop);
            if poll_at.is_some_and(|at| at <= stop) {
                self.poll_line();
            }
            if step_at.is_some_and(|at| at <= stop) {
                self.play_step();
            } else if stop >= target {
                return;
            }
        }
    }

    fn is_settled(&self) -> bool {
        self.planned.is_empty() && self.cluster.now() > self.cluster.last_change() + SETTLED_AFTER
    }

    /// Finishes the present moment, so that what comes now comes after everything that belongs to it.
    fn settle_moment(&mut self) {
        let now = self.cluster.now();
        self.cluster.run_until(now);
    }

    /// To the next event that changes the cluster, and no further.
    fn step(&mut self) {
        self.clock.running = false;
        for _ in 0..100_000 {
            if self.planned.last().is_some_and(|step| Some(step.at.0) <= self.cluster.next_at()) {
                return self.play_step();
            }
            let before = self.cluster.last_change();
            self.cluster.step();
            if self.cluster.last_change() != before {
                return;
            }
        }
    }

    fn play_step(&mut self) {
        let Some(step) = self.planned.pop() else { return };
        self.cluster.run_until(step.at.0);
        match step.what {
            What::Apply(text) => {
                let file = self.scenario.files.iter().find(|file| file.name == text);
                let (name, text) =
                    file.map(|file| (file.name.clone(), file.text.clone())).unwrap_or((String::new(), text));
                self.apply(&name, &text);
            }
            What::Run(line) => {
                // Nobody has typed it: the terminal shows it as if somebody had.
                let output = TerminalOutput { text: format!("$ {line}\n"), ..TerminalOutput::default() };
                self.reports.push(Report::Terminal { output });
                self.run_line(&line);
            }
            What::Act(act) => self.act(&act),
        }
    }

    fn record(&mut self, what: What) -> CauseId {
        let label = label(&what);
        self.viewer.marks.action(self.cluster.now(), &label);
        // "Why?" names the whole line.
        let cause = if let What::Run(line) = &what {
            self.cluster.begin_action(line)
        } else {
            self.cluster.begin_action(&label)
        };
        self.log.push(Step { at: Moment(self.cluster.now()), what });
        cause
    }

    fn apply(&mut self, file: &str, text: &str) {
        if self.is_edited(file) {
            self.log.push(Step { at: Moment(self.cluster.now()), what: What::Apply(text.into()) });
            self.edited(Some(text.into()));
            return self.reports.push(Report::Applied { applied: Applied { file: file.into(), objects: Vec::new() } });
        }
        let label = if file.is_empty() { "apply".to_owned() } else { format!("kubectl apply -f {file}") };
        self.viewer.marks.action(self.cluster.now(), &label.replace("kubectl ", "").replace("-f ", ""));
        self.log.push(Step { at: Moment(self.cluster.now()), what: What::Apply(text.into()) });
        let record = self.cluster.begin_action(&label);
        let applied = self.apply_text(file, text, false, record);
        self.reports.push(Report::Applied { applied });
    }

    /// `kubectl edit` waits for this file of the editor. A step of a replay names none.
    fn is_edited(&self, file: &str) -> bool {
        let waits_for = self.running_line.as_ref().and_then(|running| running.edits.as_deref());
        waits_for.is_some_and(|name| file.is_empty() || name == file)
    }

    /// The editor's text is saved, or the editor closed.
    fn edited(&mut self, text: Option<String>) {
        if let Some(running) = &mut self.running_line {
            running.edits = None;
            running.line.edited(text);
        }
        self.poll_line();
    }

    fn apply_text(&mut self, file: &str, text: &str, dry_run: bool, record: CauseId) -> Applied {
        let namespace = self.terminal.namespace();
        let applied =
            self.cluster.act_under(record, |client| kubectl::apply_manifest(client, text, &namespace, dry_run));
        Applied { file: file.into(), objects: applied.into_iter().map(applied_object).collect() }
    }

    fn act(&mut self, act: &Act) {
        self.record(What::Act(act.clone()));
        match act {
            Act::Pause { component } => self.cluster.pause(component, true),
            Act::Resume { component } => self.cluster.pause(component, false),
            Act::PowerOff { node } => self.cluster.power(node, false),
            Act::PowerOn { node } => self.cluster.power(node, true),
        };
    }

    fn type_line(&mut self, line: &str) {
        self.settle_moment();
        self.run_line(line);
    }

    /// Starts a line, or gives it to the program that is reading.
    fn run_line(&mut self, line: &str) {
        if let Some(running) = &mut self.running_line {
            if line == INTERRUPT && running.edits.is_some() {
                self.log.push(Step { at: Moment(self.cluster.now()), what: What::Run(line.into()) });
                return self.edited(None);
            } else if line == INTERRUPT {
                running.line.interrupt();
            } else {
                running.line.input(&format!("{line}\n"));
            }
            self.log.push(Step { at: Moment(self.cluster.now()), what: What::Run(line.into()) });
            return self.poll_line();
        }
        if line == INTERRUPT || line.trim().is_empty() {
            let output = TerminalOutput { done: true, ..TerminalOutput::default() };
            return self.reports.push(Report::Terminal { output });
        }
        let record = self.record(What::Run(line.into()));
        let started = self.terminal.start(line);
        self.running_line = Some(RunningLine { line: started, record, next_poll: self.cluster.now(), edits: None });
        self.poll_line();
    }

    fn poll_line(&mut self) {
        let Some(mut running) = self.running_line.take() else { return };
        let now = self.cluster.now();
        let progress = self.cluster.act_under(running.record, |client| running.line.poll(client));
        let open = progress.edit.map(|edit| File { name: edit.file_name, text: edit.text });
        for kubectl::Piece { text, error } in progress.output {
            let output = TerminalOutput { text, error, ..TerminalOutput::default() };
            self.reports.push(Report::Terminal { output });
        }
        if let Some(file) = &open {
            running.edits = Some(file.name.clone());
        }
        let done = progress.exit.is_some();
        if done || open.is_some() {
            let output = TerminalOutput { done, open, ..TerminalOutput::default() };
            self.reports.push(Report::Terminal { output });
        }
        if !done {
            running.next_poll = progress.wake.unwrap_or(now + POLL_PERIOD).clamp(now + MILLISECOND, now + POLL_PERIOD);
            self.running_line = Some(running);
        }
    }

    fn complete(&mut self, request: u32, line: &str, cursor: usize) {
        let terminal = &self.terminal;
        let found = self.cluster.act_under(CauseId::default(), |client| terminal.complete(line, cursor, client));
        let completions = found.into_iter().map(|found| Completion { text: found.text, note: found.note }).collect();
        self.reports.push(Report::Completions { request, completions });
    }

    fn open(&mut self, source: Source) {
        let read = match source {
            Source::Example { id } => examples::find(&id).ok_or_else(|| Problem {
                kind: ProblemKind::FileUnreadable,
                message: format!("There is no example called {id}."),
            }),
            Source::Link { fragment } => share::decode(&fragment),
            Source::File { name, text } => scenario::from_file(&name, &text),
            Source::Scenario { scenario } => Ok(*scenario),
        };
        match read {
            Ok(scenario) => self.start(scenario),
            Err(problem) => self.reports.push(Report::Problem { problem }),
        }
    }

    fn start(&mut self, scenario: Scenario) {
        let hidden = self.clock.hidden;
        *self = Session::over(scenario);
        self.opened = true;
        self.clock.hidden = hidden;
        let view = self.scenario.view.clone().unwrap_or_default();
        self.reports.push(Report::Opened {
            title: self.scenario.title.clone(),
            description: self.scenario.description.clone(),
            files: self.scenario.files.clone(),
            view: view.clone(),
            seed: self.scenario.cluster.seed,
        });
        self.clock.running = !view.paused;
        if let Some(speed) = view.speed {
            self.clock.speed = speed;
        }
        self.selected = view.selected;
        self.replay(view.at.0);
        // What the replay printed has been read by whoever made the link.
        self.reports.retain(|report| matches!(report, Report::Opened { .. }));
    }

    /// Runs to the moment that was saved, and keeps what the timeline shows of the way there.
    fn replay(&mut self, until: SimTime) {
        while self.cluster.now() < until {
            let next = (self.cluster.now() + REPLAY_STRIDE).min(until);
            self.run_until(next, false, &mut || true);
            self.viewer.look_back(&mut self.cluster);
        }
    }

    /// The scenario as it is now.
    fn saved(&self, view: SavedView) -> Scenario {
        let mut scenario = self.scenario.clone();
        scenario.steps = self.log.clone();
        scenario.steps.extend(self.planned.iter().rev().cloned());
        for step in &mut scenario.steps {
            if let What::Apply(text) = &mut step.what
                && let Some(file) = scenario.files.iter().find(|file| file.text == *text)
            {
                text.clone_from(&file.name);
            }
        }
        // The page names the moment that it shows, and time may have gone on since.
        let now = Moment(self.cluster.now());
        let at = if view.at == Moment(0) { now } else { view.at.min(now) };
        scenario.view = Some(SavedView { at, ..view });
        scenario
    }

    /// What there is to say: the reports so far, the inspector if it is due, and the view.
    fn finish(&mut self) -> Vec<Report> {
        let clock = Clock {
            now: self.cluster.now(),
            running: self.clock.running && !self.clock.hidden,
            speed: match self.clock.speed {
                Speed::Times { factor } => Some(factor),
                Speed::UntilSettled => None,
            },
            actual: self.clock.actual,
            settled: self.is_settled(),
        };
        let mut reports = std::mem::take(&mut self.reports);
        if !self.opened {
            return reports;
        }
        let view = self.viewer.delta(&mut self.cluster, clock);
        let known = protocol::view::View { clock: self.told.clone(), ..Default::default() };
        if view != known {
            self.told = view.clock.clone();
            reports.push(Report::View { view: Box::new(view) });
        }
        reports.extend(self.inspect());
        reports
    }

    fn inspect(&mut self) -> Option<Report> {
        let object = self.selected.clone()?;
        let (now, records) = (self.cluster.now(), self.cluster.trace().len());
        if let Some((at, seen)) = self.inspected {
            let due = now >= at + INSPECT_PERIOD && records != seen;
            if !due && now >= at {
                return None;
            }
        }
        self.inspected = Some((now, records));
        let inspection = match inspect::inspect(&mut self.cluster, &object) {
            Some(inspection) => inspection,
            // A deleted object stays with its last state.
            None => {
                let last = self.last_inspection.take().filter(|last| last.object == object);
                let last = last.unwrap_or_else(|| inspect::remember(&self.cluster, &object));
                Inspection { deleted: Some(last.deleted.unwrap_or(now)), ..last }
            }
        };
        self.last_inspection = Some(inspection.clone());
        Some(Report::Inspection { inspection: Box::new(inspection) })
    }
}

fn keep_file(files: &mut Vec<File>, name: &str, text: &str) {
    match files.iter_mut().find(|file| file.name == name) {
        Some(file) => file.text = text.into(),
        None => files.push(File { name: name.into(), text: text.into() }),
    }
}

/// A few words for the timeline.
fn label(what: &What) -> String {
    match what {
        What::Apply(text) if !text.contains('\n') => format!("apply {text}"),
        What::Apply(_) => "apply".into(),
        What::Run(line) => line.strip_prefix("kubectl ").unwrap_or(line).chars().take(60).collect(),
        What::Act(Act::Pause { component }) => format!("pause {component}"),
        What::Act(Act::Resume { component }) => format!("resume {component}"),
        What::Act(Act::PowerOff { node }) => format!("power off {node}"),
        What::Act(Act::PowerOn { node }) => format!("power on {node}"),
    }
}

fn applied_object(applied: kubectl::AppliedDoc) -> AppliedObject {
    let kubectl::AppliedDoc { kind, namespace, name, outcome, line, warnings } = applied;
    let outcome = match outcome {
        kubectl::Outcome::Created => Outcome::Created,
        kubectl::Outcome::Configured => Outcome::Configured,
        kubectl::Outcome::Unchanged => Outcome::Unchanged,
        kubectl::Outcome::Refused(status) => {
            Outcome::Refused { code: status.code, reason: status.reason.as_str().into(), message: status.message }
        }
        kubectl::Outcome::Misread(message) => Outcome::Refused { code: 0, reason: String::new(), message },
    };
    let is_only_stored = api::kinds::STORED_NOT_SIMULATED.contains(&kind.as_str());
    let object = (!kind.is_empty()).then_some(ObjectRef { kind, namespace, name });
    AppliedObject { object, outcome, is_only_stored, line, warnings }
}
