//! The manifest editor's pane: tabs, text, and what came of applying it.

pub mod files;
mod result;
mod tabs;
mod text;

use yew::prelude::*;

use crate::state::state;
use crate::store::use_part;
use crate::words::{W, use_lang};

#[component]
pub fn Editor() -> Html {
    let lang = use_lang();
    let none = use_part(&state().desk, |desk| desk.files.is_empty());
    html! {
        <section class="panel editor" aria-label={lang.say(W::Manifests)}>
            <tabs::Tabs />
            if none {
                <div class="code" />
            } else {
                <text::Text />
            }
            <result::ApplyBar />
        </section>
    }
}
