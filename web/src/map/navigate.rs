//! Moving between tiles with the arrow keys: to the nearest one in that direction, as the eye sees it.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, MouseEvent};

use super::tools;
use crate::browser;

/// Sideways distance counts double, so that a row is left only at its end.
const ACROSS_WEIGHT: f64 = 2.0;

pub fn on_key(event: KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let direction = match event.key().as_str() {
        "ArrowLeft" => (-1.0, 0.0),
        "ArrowRight" => (1.0, 0.0),
        "ArrowUp" => (0.0, -1.0),
        "ArrowDown" => (0.0, 1.0),
        "+" | "=" => return tools::zoom_by(1),
        "-" => return tools::zoom_by(-1),
        "0" => return click("[data-fit]"),
        _ => return,
    };
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    if let Some(next) = nearest(target.as_ref(), direction) {
        event.prevent_default();
        let _focused = next.focus();
    }
}

fn click(selector: &str) {
    if let Ok(Some(element)) = browser::document().query_selector(selector)
        && let Ok(element) = element.dyn_into::<HtmlElement>()
    {
        element.click();
    }
}

fn tiles() -> Vec<HtmlElement> {
    let Ok(list) = browser::document().query_selector_all("[data-map] [data-tile]") else { return Vec::new() };
    (0..list.length()).filter_map(|index| list.item(index)?.dyn_into().ok()).collect()
}

fn middle(element: &Element) -> (f64, f64) {
    let rect = element.get_bounding_client_rect();
    (rect.left() + rect.width() / 2.0, rect.top() + rect.height() / 2.0)
}

fn nearest(from: Option<&Element>, (dx, dy): (f64, f64)) -> Option<HtmlElement> {
    let tiles = tiles();
    let Some(from) = from.filter(|element| element.has_attribute("data-tile")) else {
        return tiles.into_iter().next();
    };
    let (x, y) = middle(from);
    let cost = |element: &HtmlElement| {
        let (to_x, to_y) = middle(element);
        let (along, across) = ((to_x - x) * dx + (to_y - y) * dy, (to_x - x) * dy + (to_y - y) * dx);
        (along > 1.0).then_some(along + across.abs() * ACROSS_WEIGHT)
    };
    let costs = tiles.into_iter().filter_map(|tile| cost(&tile).map(|cost| (cost, tile)));
    costs.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, tile)| tile)
}

/// Whether the click went past everything that can be selected.
pub fn is_background(event: &MouseEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|element| matches!(element.closest("button, canvas, .cp, .mapnote, .empty"), Ok(None)))
}
