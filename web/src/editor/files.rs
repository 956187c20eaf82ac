//! Files from the visitor's disk: chosen in a dialog or dropped on the page.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{DragEvent, FileList, HtmlInputElement};
use yew::prelude::*;

use crate::words::{W, use_lang};
use crate::{actions, browser};

/// A file above this is not even read: it can be no manifest.
const SIZE_MAX: f64 = 20e6;

pub fn choose() {
    let input = browser::document().create_element("input").ok().and_then(|it| it.dyn_into::<HtmlInputElement>().ok());
    let Some(input) = input else { return };
    input.set_type("file");
    input.set_multiple(true);
    input.set_accept(".yaml,.yml,.json,text/yaml,application/yaml");
    let chosen = input.clone();
    let on_change = Closure::once_into_js(move || {
        if let Some(files) = chosen.files() {
            read(&files);
        }
    });
    input.set_onchange(Some(on_change.unchecked_ref()));
    input.click();
}

fn read(files: &FileList) {
    for file in (0..files.length()).filter_map(|index| files.get(index)) {
        if file.size() > SIZE_MAX {
            continue;
        }
        wasm_bindgen_futures::spawn_local(async move {
            let name = file.name();
            if let Ok(text) = wasm_bindgen_futures::JsFuture::from(file.text()).await {
                actions::open_text(name, text.as_string().unwrap_or_default());
            }
        });
    }
}

fn has_files(event: &DragEvent) -> bool {
    event.data_transfer().is_some_and(|data| data.types().includes(&"Files".into(), 0))
}

/// The whole page takes dropped files.
#[component]
pub fn DropTarget(props: &yew::html::ChildrenProps) -> Html {
    let lang = use_lang();
    let over = use_state_eq(|| false);
    let ondragover = {
        let over = over.clone();
        Callback::from(move |event: DragEvent| {
            if has_files(&event) {
                event.prevent_default();
                over.set(true);
            }
        })
    };
    let ondragleave = {
        let over = over.clone();
        Callback::from(move |event: DragEvent| {
            if event.related_target().is_none() {
                over.set(false);
            }
        })
    };
    let ondrop = {
        let over = over.clone();
        Callback::from(move |event: DragEvent| {
            over.set(false);
            if !has_files(&event) {
                return;
            }
            event.prevent_default();
            if let Some(files) = event.data_transfer().and_then(|data| data.files()) {
                read(&files);
            }
        })
    };
    html! {
        <div class="drop" {ondragover} {ondragleave} {ondrop}>
            { props.children.clone() }
            if *over {
                <div class="dropping" aria-hidden="true"><p>{ lang.say(W::DropHere) }</p></div>
            }
        </div>
    }
}
