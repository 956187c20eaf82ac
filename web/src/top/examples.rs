//! The menu of built-in examples; it also opens a file and leads back to the visitor's own work.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use crate::editor::files;
use crate::icon::{Glyph, Icon};
use crate::state::state;
use crate::store::use_part;
use crate::words::{W, use_lang};
use crate::{actions, browser};

/// For buttons elsewhere that lead to the examples.
pub fn open_menu() {
    if let Ok(Some(button)) = browser::document().query_selector("[data-examples]")
        && let Ok(button) = button.dyn_into::<HtmlElement>()
    {
        // After the click that led here, which would close the menu again.
        gloo_timers::callback::Timeout::new(0, move || button.click()).forget();
    }
}

#[component]
pub fn Examples() -> Html {
    let lang = use_lang();
    let examples = use_part(&state().frame, |frame| frame.examples.clone());
    let open = use_state_eq(|| false);
    let here = use_node_ref();
    let close = {
        let open = open.clone();
        Callback::from(move |()| open.set(false))
    };
    use_close_outside(&here, *open, close.clone());
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| {
            if !*open {
                gloo_timers::callback::Timeout::new(0, || browser::focus(".menu [role=menuitem]")).forget();
            }
            open.set(!*open);
        })
    };
    let onkeydown = {
        let close = close.clone();
        let here = here.clone();
        Callback::from(move |event: KeyboardEvent| match event.key().as_str() {
            "Escape" => {
                event.stop_propagation();
                close.emit(());
                browser::focus("[data-examples]");
            }
            "ArrowDown" => step(&here, &event, 1),
            "ArrowUp" => step(&here, &event, -1),
            _ => {}
        })
    };
    let item = |id: &str, title: &str, description: &str| {
        let id = id.to_owned();
        let close = close.clone();
        let onclick = move |_: MouseEvent| {
            close.emit(());
            actions::open_example(&id);
        };
        html! { <button role="menuitem" {onclick}><b>{ title }</b><small>{ description }</small></button> }
    };
    let has_work = *open && actions::has_own_work();
    html! {
        <div class="menuhost" ref={here} {onkeydown}>
            <button class="btn" data-examples="" aria-haspopup="menu" aria-expanded={open.to_string()} title={lang.say(W::Examples)} onclick={toggle}>
                <Glyph icon={Icon::Examples} /><span class="wide">{ lang.say(W::Examples) }</span>
            </button>
            if *open {
                <div class="menu" role="menu" aria-label={lang.say(W::Examples)}>
                    { for examples.iter().map(|example| item(&example.id, example.title.get(lang.is_chinese()), example.description.get(lang.is_chinese()))) }
                    <div class="rule" />
                    <button role="menuitem" class="flat" onclick={close.reform(|_: MouseEvent| files::choose())}>
                        <Glyph icon={Icon::Upload} />{ lang.say(W::OpenFile) }
                    </button>
                    if has_work {
                        <button role="menuitem" class="flat" onclick={close.reform(|_: MouseEvent| { actions::back_to_work(); })}>
                            <Glyph icon={Icon::Restart} />{ lang.say(W::BackToWork) }
                        </button>
                    }
                </div>
            }
        </div>
    }
}

/// Moves the focus to the next or the previous item.
fn step(menu: &NodeRef, event: &KeyboardEvent, by: isize) {
    let Some(menu) = menu.cast::<Element>() else { return };
    let Ok(items) = menu.query_selector_all("[role=menuitem]") else { return };
    let items: Vec<HtmlElement> = (0..items.length()).filter_map(|index| items.item(index)?.dyn_into().ok()).collect();
    let Some(focused) = browser::document().active_element() else { return };
    let at = items.iter().position(|item| item.is_same_node(Some(&focused)));
    let next = at.map_or(0, |at| (at as isize + by).rem_euclid(items.len() as isize) as usize);
    if let Some(item) = items.get(next) {
        event.prevent_default();
        let _focused = item.focus();
    }
}

#[hook]
fn use_close_outside(here: &NodeRef, open: bool, close: Callback<()>) {
    let here = here.clone();
    use_effect_with(open, move |open| {
        let listener = open.then(|| {
            let listener = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
                let target = event.target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
                if here.cast::<Element>().is_some_and(|menu| !menu.contains(target.as_ref())) {
                    close.emit(());
                }
            });
            let _added =
                browser::document().add_event_listener_with_callback("pointerdown", listener.as_ref().unchecked_ref());
            listener
        });
        move || {
            if let Some(listener) = listener {
                let _removed = browser::document()
                    .remove_event_listener_with_callback("pointerdown", listener.as_ref().unchecked_ref());
            }
        }
    });
}
