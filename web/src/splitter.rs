//! The edges between panes: dragged, or moved with the arrow keys.

use web_sys::{Element, PointerEvent};
use yew::prelude::*;

use crate::state::{Prefs, state};
use crate::store::use_part;
use crate::words::{W, use_lang};

const KEY_STEP: f64 = 16.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    Editor,
    Inspector,
    Dock,
}

impl Edge {
    fn size(self, prefs: &Prefs) -> Option<f64> {
        match self {
            Edge::Editor => prefs.editor_width,
            Edge::Inspector => prefs.inspector_width,
            Edge::Dock => prefs.dock_height,
        }
    }

    fn set_size(self, prefs: &mut Prefs, size: Option<f64>) {
        match self {
            Edge::Editor => prefs.editor_width = size,
            Edge::Inspector => prefs.inspector_width = size,
            Edge::Dock => prefs.dock_height = size,
        }
    }

    fn limits(self) -> (f64, f64) {
        match self {
            Edge::Editor => (220.0, 720.0),
            Edge::Inspector => (260.0, 640.0),
            Edge::Dock => (110.0, 640.0),
        }
    }

    /// The pane's size with its edge at the pointer.
    fn at_pointer(self, pane: &Element, event: &PointerEvent) -> f64 {
        let rect = pane.get_bounding_client_rect();
        match self {
            Edge::Editor => f64::from(event.client_x()) - rect.left(),
            Edge::Inspector => rect.right() - f64::from(event.client_x()),
            Edge::Dock => rect.bottom() - f64::from(event.client_y()),
        }
    }

    fn measure(self, pane: &Element) -> f64 {
        match self {
            Edge::Dock => f64::from(pane.client_height()),
            Edge::Editor | Edge::Inspector => f64::from(pane.client_width()),
        }
    }
}

fn resize(edge: Edge, size: Option<f64>) {
    let (min, max) = edge.limits();
    state().prefs.change(|prefs| edge.set_size(prefs, size.map(|size| size.clamp(min, max).round())));
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub edge: Edge,
}

#[component]
pub fn Splitter(props: &Props) -> Html {
    let lang = use_lang();
    let edge = props.edge;
    let here = use_node_ref();
    let pane = {
        let here = here.clone();
        move || here.cast::<Element>()?.parent_element()
    };
    let onpointerdown = {
        let here = here.clone();
        Callback::from(move |event: PointerEvent| {
            event.prevent_default();
            if let Some(bar) = here.cast::<Element>() {
                // Without capture the drag ends at the bar's edge: poorer, not wrong.
                let _captured = bar.set_pointer_capture(event.pointer_id());
            }
        })
    };
    let onpointermove = {
        let (here, pane) = (here.clone(), pane.clone());
        Callback::from(move |event: PointerEvent| {
            let dragging = here.cast::<Element>().is_some_and(|bar| bar.has_pointer_capture(event.pointer_id()));
            if let Some(pane) = pane().filter(|_| dragging) {
                resize(edge, Some(edge.at_pointer(&pane, &event)));
            }
        })
    };
    let save = || state().prefs.read(Prefs::save);
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        let by = match (edge, event.key().as_str()) {
            (Edge::Editor, "ArrowRight") | (Edge::Inspector, "ArrowLeft") | (Edge::Dock, "ArrowUp") => KEY_STEP,
            (Edge::Editor, "ArrowLeft") | (Edge::Inspector, "ArrowRight") | (Edge::Dock, "ArrowDown") => -KEY_STEP,
            _ => return,
        };
        event.prevent_default();
        if let Some(pane) = pane() {
            resize(edge, Some(edge.measure(&pane) + by));
            save();
        }
    });
    let (class, orientation, word) = match edge {
        Edge::Editor => ("split editor-edge", "vertical", W::ResizeEditor),
        Edge::Inspector => ("split inspector-edge", "vertical", W::ResizeInspector),
        Edge::Dock => ("split dock-edge", "horizontal", W::ResizeDock),
    };
    let (min, max) = edge.limits();
    let now = use_part(&state().prefs, move |prefs| edge.size(prefs)).unwrap_or(min);
    html! {
        <div ref={here} {class} role="separator" aria-orientation={orientation} aria-label={lang.say(word)} tabindex="0"
            aria-valuemin={min.to_string()} aria-valuemax={max.to_string()} aria-valuenow={now.to_string()}
            {onpointerdown} {onpointermove} onpointerup={move |_| save()} ondblclick={move |_| { resize(edge, None); save(); }} {onkeydown} />
    }
}
