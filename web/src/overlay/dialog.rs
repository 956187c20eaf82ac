//! A dialog: keeps the focus inside, gives it back, closes with Escape and with a click beside it.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use crate::{actions, browser};

#[derive(Properties, PartialEq)]
pub struct Props {
    pub title: String,
    #[prop_or_default]
    pub class: Classes,
    pub children: Html,
}

#[component]
pub fn Frame(props: &Props) -> Html {
    let here = use_node_ref();
    {
        let here = here.clone();
        use_effect_with((), move |()| {
            let before = browser::document().active_element();
            if let Some(first) = focusable(&here).into_iter().next() {
                let _focused = first.focus();
            }
            move || {
                if let Some(element) = before.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
                    let _focused = element.focus();
                }
            }
        });
    }
    let onkeydown = {
        let here = here.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Tab" {
                wrap(&here, &event);
            }
        })
    };
    let beside = {
        let here = here.clone();
        Callback::from(move |event: MouseEvent| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            if here.cast::<Element>().is_some_and(|dialog| !dialog.contains(target.as_ref().map(AsRef::as_ref))) {
                actions::dialog(None);
            }
        })
    };
    html! {
        <div class="scrim" onmousedown={beside}>
            <div ref={here} class={classes!("dlg", props.class.clone())} role="dialog" aria-modal="true" aria-label={props.title.clone()} {onkeydown}>
                { props.children.clone() }
            </div>
        </div>
    }
}

fn focusable(dialog: &NodeRef) -> Vec<HtmlElement> {
    let found = dialog.cast::<Element>().and_then(|dialog| {
        dialog.query_selector_all("input:not([type=checkbox]), button:not([disabled]), [href], [type=checkbox]").ok()
    });
    let Some(found) = found else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok()).collect()
}

fn wrap(dialog: &NodeRef, event: &KeyboardEvent) {
    let elements = focusable(dialog);
    let (Some(first), Some(last)) = (elements.first(), elements.last()) else { return };
    let Some(active) = browser::document().active_element() else { return };
    let target = match event.shift_key() {
        true if active.is_same_node(Some(first)) => last,
        false if active.is_same_node(Some(last)) => first,
        _ => return,
    };
    event.prevent_default();
    let _focused = target.focus();
}
