//! The keyboard: one table for what the keys do and for the list that `?` shows.

use wasm_bindgen::prelude::*;
use web_sys::{Element, KeyboardEvent};

use crate::dock::terminal;
use crate::map;
use crate::state::frame::{DockTab, Pane};
use crate::state::{Dialog, InspectorTab, Phase, state};
use crate::words::W;
use crate::{actions, browser, overlay};

/// Keys that do the same or belong together, and what they do.
type Row = (&'static [&'static str], W);

/// Groups of keys as the help lists them.
pub const HELP: [(W, &[Row]); 3] = [
    (
        W::KeysTime,
        &[(&["Space"], W::KeyRun), (&["."], W::KeyStep), (&["<", ">"], W::KeySpeed), (&["Ctrl ⏎"], W::KeyApply)],
    ),
    (
        W::KeysMap,
        &[
            (&["←", "↑", "→", "↓"], W::KeyArrows),
            (&["w"], W::KeyWhy),
            (&["y"], W::KeyYaml),
            (&["e"], W::KeyEdit),
            (&["d"], W::KeyDescribe),
            (&["l"], W::KeyLogs),
            (&["s"], W::KeyShell),
            (&["Ctrl D"], W::KeyDelete),
            (&["+", "-", "0"], W::KeyZoom),
        ],
    ),
    (
        W::KeysPanes,
        &[
            (&[":"], W::KeyGo),
            (&["/"], W::KeyFilter),
            (&["b", "i", "`"], W::KeyPanes),
            (&["?"], W::KeyHelp),
            (&["Esc"], W::KeyClose),
        ],
    ),
];

pub fn listen() {
    let listener = Closure::<dyn FnMut(KeyboardEvent)>::new(|event: KeyboardEvent| {
        if !event.default_prevented() && !event.is_composing() && press(&event) {
            event.prevent_default();
        }
    });
    let _added = browser::document().add_event_listener_with_callback("keydown", listener.as_ref().unchecked_ref());
    listener.forget();
}

/// Whether a text field has the focus: letters are text there.
fn typing(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|element| {
        !matches!(element.closest("input, textarea, select, [contenteditable=true], .cm-editor, .xterm"), Ok(None))
    })
}

/// Whether the focus is on something that Space and Enter press.
fn on_control(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|element| !matches!(element.closest("button, a, [role=separator]"), Ok(None)))
}

/// True where the key did something.
fn press(event: &KeyboardEvent) -> bool {
    let key = event.key();
    let control = event.ctrl_key() || event.meta_key();
    if state().frame.read(|frame| frame.dialog.is_some()) {
        if key == "Escape" {
            actions::dialog(None);
            return true;
        }
        return false;
    }
    if control && key == "Enter" && !browser::is_embed() {
        actions::apply();
        return true;
    }
    if typing(event) || event.alt_key() {
        return false;
    }
    if control {
        return key == "d" && delete_selection();
    }
    match key.as_str() {
        // A focused tile is pressed with Enter; Space runs time from anywhere on the map.
        " " if on_control(event) && !on_tile(event) => return false,
        " " => actions::toggle_run(),
        "." => actions::step(),
        "<" => actions::speed_by(-1),
        ">" => actions::speed_by(1),
        "Escape" => return escape(),
        _ if browser::is_embed() => return false,
        "?" => actions::dialog(Some(Dialog::Help)),
        ":" => actions::dialog(Some(Dialog::Go)),
        "/" => {
            state().frame.change(|frame| frame.pane = Pane::Map);
            map::start_filter();
        }
        "b" => toggle_editor(),
        "i" => state().frame.change(|frame| frame.inspector_hidden = !frame.inspector_hidden),
        "`" => toggle_terminal(),
        letter => return selection_key(letter),
    }
    true
}

fn on_tile(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|element| element.has_attribute("data-tile"))
}

fn selection_key(letter: &str) -> bool {
    let Some(object) = actions::selected() else { return false };
    match letter {
        "w" => actions::inspector_tab(InspectorTab::Why),
        "y" => actions::inspector_tab(InspectorTab::Yaml),
        "e" => actions::kubectl("edit", &object),
        "d" => actions::kubectl("describe", &object),
        "l" if object.kind == "Pod" => actions::logs(&object),
        "s" if object.kind == "Pod" => actions::shell(&object),
        _ => return false,
    }
    true
}

fn delete_selection() -> bool {
    let Some(object) = actions::selected() else { return false };
    actions::kubectl("delete", &object);
    true
}

fn escape() -> bool {
    if overlay::can_close_trouble() {
        state().frame.change(|frame| frame.phase = Phase::Running);
    } else if actions::selected().is_some() {
        actions::select(None);
    } else if state().frame.read(|frame| !frame.filter.is_empty()) {
        state().frame.change(|frame| {
            frame.filter.clear();
            frame.filtering = false;
        });
    } else {
        return false;
    }
    true
}

fn toggle_editor() {
    let wide = browser::media("(min-width: 1280px)");
    state().frame.change(|frame| {
        frame.editor_open = Some(!frame.editor_open.unwrap_or(wide));
        frame.pane = if frame.pane == Pane::Yaml { Pane::Map } else { Pane::Yaml };
    });
}

fn toggle_terminal() {
    let shown = state().frame.read(|frame| !frame.dock_closed && frame.dock_tab == DockTab::Terminal);
    if shown {
        state().frame.change(|frame| frame.dock_closed = true);
    } else {
        actions::show_dock(DockTab::Terminal);
        terminal::focus();
    }
}
