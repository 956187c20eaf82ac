//! What the visitor can do: each is one function, called by its button and by its key.

use protocol::scenario::{File, Moment, SavedView};
use protocol::view::ObjectRef;
use protocol::{Act, Command, Speed};

use crate::dock::terminal;
use crate::state::desk::APPLY_MAX;
use crate::state::frame::{DockTab, Pane, ShareLink};
use crate::state::work::{Origin, Piece, Work};
use crate::state::{Dialog, InspectorTab, Notice, Phase, state};
use crate::{browser, core};

pub const DEFAULT_EXAMPLE: &str = "guestbook";
pub const SPEEDS: [f64; 4] = [1.0, 5.0, 20.0, 100.0];

/// What the address asks for, else the visitor's own work, else the default example.
pub fn open_first() {
    let fragment = browser::fragment();
    if fragment.is_empty() && !browser::is_embed() && back_to_work() {
        return;
    }
    match fragment.as_str() {
        "" => open_example(DEFAULT_EXAMPLE),
        _ => open(Origin::Link(fragment)),
    }
}

pub fn open_example(id: &str) {
    if !browser::fragment().is_empty() {
        browser::clear_fragment();
    }
    open(Origin::Example(id.to_owned()));
}

pub fn open(origin: Origin) {
    keep_work();
    state().frame.change(|frame| {
        frame.origin = Some(origin.clone());
        frame.notice = None;
    });
    core::send(Command::Open { source: origin.into() });
}

/// Opens the visitor's last own work; false where there is none.
pub fn back_to_work() -> bool {
    let Some(origin) = Work::load().last_own().map(|piece| piece.origin.clone()) else { return false };
    if !browser::fragment().is_empty() {
        browser::clear_fragment();
    }
    open(origin);
    true
}

pub fn has_own_work() -> bool {
    Work::load().last_own().is_some()
}

/// Writes the editor's text to this browser, if the visitor has changed it.
pub fn keep_work() {
    let Some(origin) = state().frame.read(|frame| frame.origin.clone()) else { return };
    let title = state().frame.read(|frame| frame.title.clone());
    let piece = state()
        .desk
        .read(|desk| desk.edited.then(|| Piece { origin, title, files: desk.files(), active: desk.active }));
    if let Some(piece) = piece {
        Work::keep(piece);
    }
}

pub fn start_over() {
    let Some(origin) = state().frame.read(|frame| frame.origin.clone()) else { return };
    state().desk.change(|desk| desk.edited = false);
    Work::forget(&origin);
    open(origin);
}

pub fn apply() {
    let file = state().desk.change(|desk| {
        let tab = desk.tab()?.clone();
        if desk.applying || tab.text.len() > APPLY_MAX {
            return None;
        }
        desk.applying = true;
        Some(tab)
    });
    if let Some(tab) = file {
        core::send(Command::Apply { file: tab.name, text: tab.text });
    }
}

pub fn select(object: Option<ObjectRef>) {
    state().selection.change(|selection| {
        if selection.object == object {
            return;
        }
        selection.inspection = None;
        selection.object = object.clone();
    });
    if object.is_some() {
        state().frame.change(|frame| frame.inspector_hidden = false);
    }
    core::send(Command::Select { object });
}

pub fn inspector_tab(tab: InspectorTab) {
    state().selection.change(|selection| selection.tab = tab);
    state().frame.change(|frame| frame.inspector_hidden = false);
}

pub fn selected() -> Option<ObjectRef> {
    state().selection.read(|selection| selection.object.clone())
}

pub fn act(act: Act) {
    core::send(Command::Act { act });
}

/// Runs a line in the terminal, where the visitor sees it.
pub fn run_line(line: String) {
    show_dock(DockTab::Terminal);
    terminal::echo(&line);
    core::send(Command::Terminal { line });
}

/// `kubectl VERB KIND NAME -n NAMESPACE` for the selection or any other object.
pub fn kubectl(verb: &str, object: &ObjectRef) {
    let target = format!("{}/{}", object.kind.to_ascii_lowercase(), object.name);
    let line = match object.namespace.as_str() {
        "" => format!("kubectl {verb} {target}"),
        "default" => format!("kubectl {verb} {target}"),
        namespace => format!("kubectl {verb} {target} -n {namespace}"),
    };
    run_line(line);
}

pub fn logs(object: &ObjectRef) {
    kubectl("logs", object);
}

pub fn shell(object: &ObjectRef) {
    let namespace = match object.namespace.as_str() {
        "" | "default" => String::new(),
        namespace => format!(" -n {namespace}"),
    };
    run_line(format!("kubectl exec -it {}{namespace} -- sh", object.name));
    terminal::focus();
}

pub fn run(running: bool) {
    state().frame.change(|frame| {
        if matches!(frame.notice, Some(Notice::Hidden(_))) {
            frame.notice = None;
        }
    });
    core::send(Command::Run { running });
}

pub fn toggle_run() {
    run(!state().clock.read(|clock| clock.running));
}

pub fn step() {
    core::send(Command::Step);
}

pub fn speed(speed: Speed) {
    core::send(Command::Speed { speed });
}

/// To the next slower or faster speed.
pub fn speed_by(steps: isize) {
    let now = state().clock.read(|clock| clock.speed).unwrap_or(f64::INFINITY);
    let at = SPEEDS.iter().position(|speed| *speed >= now).unwrap_or(SPEEDS.len() - 1);
    if let Some(factor) = at.checked_add_signed(steps).and_then(|index| SPEEDS.get(index)) {
        speed(Speed::Times { factor: *factor });
    }
}

pub fn dialog(dialog: Option<Dialog>) {
    state().frame.change(|frame| frame.dialog = dialog);
}

pub fn open_share() {
    let at = state().clock.read(|clock| clock.now);
    let selection = selected().is_some();
    state().frame.change(|frame| {
        frame.dialog = Some(Dialog::Share);
        frame.share = ShareLink { at, paused: true, selection, fragment: None };
    });
    ask_link();
}

pub fn ask_link() {
    core::send(Command::Share { view: saved_view() });
}

pub fn export() {
    core::send(Command::Export { view: saved_view() });
}

fn saved_view() -> SavedView {
    let (share, namespace) = state().frame.read(|frame| (frame.share.clone(), frame.namespace.clone()));
    let (selected, tab) = state().selection.read(|selection| (selection.object.clone(), selection.tab));
    SavedView {
        at: Moment(share.at),
        paused: share.paused,
        speed: state().clock.read(|clock| clock.speed).map(|factor| Speed::Times { factor }),
        selected: selected.filter(|_| share.selection),
        tab: share.selection.then(|| tab.name().to_owned()),
        namespace: Some(namespace).filter(|namespace| !namespace.is_empty()),
    }
}

pub fn show_editor() {
    state().frame.change(|frame| {
        frame.editor_open = Some(true);
        frame.pane = Pane::Yaml;
    });
}

pub fn show_dock(tab: DockTab) {
    state().frame.change(|frame| {
        frame.dock_tab = tab;
        frame.dock_closed = false;
        frame.pane = match tab {
            DockTab::Terminal => Pane::Terminal,
            DockTab::Events => Pane::Events,
        };
    });
}

/// Files that the visitor dropped or chose: manifests become tabs, a scenario opens.
pub fn open_text(name: String, text: String) {
    let scenario = text.lines().take(200).any(|line| {
        let line = line.trim().trim_start_matches('{').replace(['"', ' ', ','], "");
        line == "kind:Scenario" || line.starts_with("apiVersion:tabernetes.dev/")
    });
    if scenario {
        open(Origin::File(File { name, text }));
        return;
    }
    state().desk.change(|desk| {
        desk.add(&name, text);
        desk.edited = true;
    });
    keep_work();
    show_editor();
}

pub fn close_problem() {
    state().frame.change(|frame| frame.phase = Phase::Running);
}
