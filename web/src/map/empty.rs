//! The empty cluster: what it waits for, and three ways to begin.

use yew::prelude::*;

use crate::actions;
use crate::state::state;
use crate::store::use_part;
use crate::top::examples;
use crate::words::{W, use_lang};

#[component]
pub fn Empty() -> Html {
    let lang = use_lang();
    let nodes = use_part(&state().cluster, |cluster| cluster.nodes.len());
    let file = use_part(&state().desk, |desk| {
        desk.tab().filter(|tab| !tab.text.trim().is_empty()).map(|tab| tab.name.clone())
    });
    let title = match nodes {
        1 => lang.say(W::EmptyOne).to_owned(),
        count => lang.fill(W::EmptyMany, &[&count.to_string()]),
    };
    html! {
        <div class="empty">
            <h3>{ title }</h3>
            <p>
                { lang.say(W::EmptyText) }{ " " }<code>{ "kubectl create deployment web --image=nginx" }</code>{ " " }
                { lang.say(W::EmptyTextOr) }
            </p>
            <div class="row">
                if let Some(file) = file {
                    <button class="btn ink" onclick={|_| actions::apply()}>{ lang.fill(W::ApplyFile, &[&file]) }</button>
                }
                <button class="btn line" onclick={|_| examples::open_menu()}>{ lang.say(W::BrowseExamples) }</button>
            </div>
        </div>
    }
}
