//! What each report of the core changes on the page.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use protocol::scenario::{File, SavedView, Text};
use protocol::view::View;
use protocol::{Applied, Command, Inspection, Outcome, Problem, ProblemKind, Report, TerminalOutput};

use crate::dock::terminal;
use crate::state::work::{Origin, Work};
use crate::state::{InspectorTab, Notice, Phase, state};
use crate::store::Row;
use crate::{actions, browser, core};

/// Above so many events the oldest go: the API keeps them for an hour, the table for as long as it is useful.
const EVENTS_MAX: usize = 5000;

thread_local! {
    /// Views that came since the last frame was drawn.
    static UNSEEN: RefCell<Vec<View>> = const { RefCell::new(Vec::new()) };
    /// A cluster has been drawn since the page was opened.
    static RENDERED: Cell<bool> = const { Cell::new(false) };
}

/// Views are taken in once a frame, all that have come by then, so that a page that is late catches up. Every other
/// report is heard at once, and after the views that came before it.
pub fn hear(report: Report) {
    match report {
        Report::View { view } => {
            let first = UNSEEN.with_borrow_mut(|unseen| {
                unseen.push(*view);
                unseen.len() == 1
            });
            // No frames are drawn while the tab is hidden.
            if browser::document().hidden() {
                see();
            } else if first {
                browser::next_frame(see);
            }
        }
        report => {
            see();
            take(report);
        }
    }
}

fn see() {
    for view in UNSEEN.take() {
        show(view);
    }
}

fn take(report: Report) {
    match report {
        Report::Ready { simulates, examples, .. } => {
            state().frame.change(|frame| {
                frame.simulates = simulates;
                frame.examples = Rc::new(examples);
            });
            actions::open_first();
        }
        Report::Opened { title, description, files, view, .. } => opened(title, description, files, view),
        Report::View { view } => show(*view),
        Report::Applied { applied } => applied_now(applied),
        Report::DryRun { request, applied } => {
            if state().desk.read(|desk| desk.request == request) {
                state().desk.change(|desk| desk.checked = Some(Row::new(applied)));
            }
        }
        Report::Terminal { output } => terminal_output(output),
        Report::Completions { request, completions } => terminal::completions(request, &completions),
        Report::Inspection { inspection } => inspected(*inspection),
        Report::Link { fragment } => state().frame.change(|frame| frame.share.fragment = Some(fragment)),
        Report::File { name, text } => browser::download(&name, &text),
        Report::Problem { problem } => trouble(problem),
    }
}

pub fn core_fault(text: String) {
    actions::keep_work();
    state().clock.change(|clock| clock.running = false);
    state().frame.change(|frame| frame.phase = Phase::Fault(text));
}

fn opened(title: Text, description: Text, files: Vec<File>, view: SavedView) {
    let origin = state().frame.read(|frame| frame.origin.clone());
    let work = Work::load();
    let edits = origin.as_ref().and_then(|origin| work.of(origin)).filter(|piece| piece.files != files);
    let notice = match (&origin, edits) {
        (_, Some(_)) => Some(Notice::Edited(Rc::new(files.clone()))),
        (Some(Origin::Link(_)), None) if work.last_own().is_some() => Some(Notice::Link),
        _ => None,
    };
    state().desk.change(|desk| match edits {
        Some(piece) => {
            desk.show(&piece.files, &files, piece.active);
            desk.edited = true;
        }
        None => {
            desk.show(&files, &files, 0);
            desk.edited = false;
        }
    });
    state().frame.change(|frame| {
        browser::document().set_title(&match title.get(false) {
            "" => "Tabernetes".to_owned(),
            title => format!("Tabernetes: {title}"),
        });
        frame.title = title;
        frame.description = description;
        frame.notice = notice;
        frame.dialog = None;
        frame.filter.clear();
        frame.namespace = view.namespace.clone().unwrap_or_default();
    });
    state().events.change(Vec::clear);
    state().selection.change(|selection| {
        selection.object = None;
        selection.inspection = None;
        selection.tab = view.tab.as_deref().and_then(InspectorTab::named).unwrap_or_default();
    });
    terminal::reset();
    if let Some(object) = view.selected {
        actions::select(Some(object));
    }
}

fn show(view: View) {
    let View { reset, ref clock, .. } = view;
    let loading = state().frame.read(|frame| frame.phase == Phase::Loading || (reset && frame.phase != Phase::Running));
    if state().clock.read(|known| known != clock) {
        let clock = clock.clone();
        state().clock.change(|known| *known = clock);
    }
    let mut view = view;
    let marks = std::mem::take(&mut view.marks);
    let events = std::mem::take(&mut view.events);
    if reset || !marks.is_empty() {
        state().timeline.change(|timeline| timeline.merge(reset, marks));
    }
    if !events.is_empty() {
        state().events.change(|known| {
            known.extend(events.into_iter().map(Row::new));
            let over = known.len().saturating_sub(EVENTS_MAX);
            known.drain(..over);
        });
    }
    let same_cluster = View { clock: Default::default(), ..view };
    let first_cluster = same_cluster.reset && !same_cluster.nodes.set.is_empty() && !RENDERED.replace(true);
    if same_cluster != View::default() {
        state().cluster.change(|cluster| cluster.merge(same_cluster, browser::now_ms()));
    }
    if loading {
        state().frame.change(|frame| frame.phase = Phase::Running);
        browser::dismiss_skeleton();
    }
    if first_cluster {
        // This frame draws it; in the next one it has been painted.
        browser::next_frame(|| browser::mark("tabernetes:cluster-rendered"));
    }
}

fn applied_now(applied: Applied) {
    let refused = applied.objects.iter().any(|object| matches!(object.outcome, Outcome::Refused { .. }));
    state().desk.change(|desk| {
        desk.applying = false;
        if let Some(tab) = desk.files.iter_mut().find(|tab| tab.name == applied.file)
            && !refused
        {
            tab.baseline = Some(tab.text.clone());
        }
        let applied = Row::new(applied);
        desk.checked = Some(applied.clone());
        desk.applied = Some(applied);
    });
}

fn terminal_output(output: TerminalOutput) {
    if let Some(file) = &output.open {
        state().desk.change(|desk| match desk.files.iter().position(|tab| tab.name == file.name) {
            Some(index) => {
                desk.files[index].text = file.text.clone();
                desk.files[index].baseline = Some(file.text.clone());
                desk.active = index;
                desk.shown_anew();
            }
            None => {
                desk.add(&file.name, file.text.clone());
                if let Some(tab) = desk.files.last_mut() {
                    tab.baseline = Some(file.text.clone());
                }
            }
        });
        actions::show_editor();
    }
    terminal::output(output);
}

fn inspected(inspection: Inspection) {
    state().selection.change(|selection| {
        if selection.object.as_ref() == Some(&inspection.object) {
            selection.inspection = Some(Row::new(inspection));
        }
    });
}

fn trouble(problem: Problem) {
    browser::dismiss_skeleton();
    if problem.kind == ProblemKind::CoreFault {
        core_fault(problem.message);
    } else {
        state().frame.change(|frame| frame.phase = Phase::Problem(problem));
    }
}

/// Asks the core for what the page needs from the first moment on.
pub fn connect() {
    core::listen(hear, core_fault);
}

/// A dry run of the active file, whose answer will be the only one that counts.
pub fn ask_dry_run() {
    let ask = state().desk.change(|desk| {
        desk.request = desk.request.wrapping_add(1);
        let text = desk.tab()?.text.clone();
        (text.len() <= crate::state::desk::DRY_RUN_MAX && !text.trim().is_empty()).then_some((desk.request, text))
    });
    if let Some((request, text)) = ask {
        core::send(Command::DryRun { request, text });
    }
}
