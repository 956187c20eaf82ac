//! Below the map: the terminal and the cluster's events.

mod events;
pub mod terminal;

use yew::prelude::*;

use crate::icon::{Glyph, Icon};
use crate::state::frame::DockTab;
use crate::state::state;
use crate::store::use_part;
use crate::words::{W, use_lang};
use crate::{actions, format};

#[derive(Properties, PartialEq)]
pub struct Props {
    /// A narrow window has its own tabs and shows one of the two alone.
    #[prop_or_default]
    pub only: Option<DockTab>,
}

#[component]
pub fn Dock(props: &Props) -> Html {
    let lang = use_lang();
    let chosen = use_part(&state().frame, |frame| frame.dock_tab);
    let tall = use_part(&state().frame, |frame| frame.dock_tall);
    let simulates = use_part(&state().frame, |frame| frame.simulates.clone());
    let count = use_part(&state().events, Vec::len);
    let shown = props.only.unwrap_or(chosen);
    let tab = |tab: DockTab, word: W| {
        html! {
            <button role="tab" id={format!("dock-{tab:?}")} aria-selected={(shown == tab).to_string()} onclick={move |_| actions::show_dock(tab)}>
                { lang.say(word) }
                if tab == DockTab::Events && count > 0 {
                    <span class="cnt">{ format::grouped(count as u64) }</span>
                }
            </button>
        }
    };
    let taller = lang.say(if tall { W::Minimise } else { W::Maximise });
    html! {
        <section class="panel dock" aria-label={lang.say(W::Dock)}>
            if props.only.is_none() {
                <div class="ptabs">
                    <div role="tablist" class="tabs" aria-label={lang.say(W::Dock)}>
                        { tab(DockTab::Terminal, W::Terminal) }
                        { tab(DockTab::Events, W::Events) }
                    </div>
                    <span class="grow" />
                    <span class="lab simulates">{ lang.fill(W::Simulates, &[&simulates]) }</span>
                    <button class="btn ico sm" aria-label={taller} title={taller} aria-pressed={tall.to_string()}
                        onclick={|_| state().frame.change(|frame| frame.dock_tall = !frame.dock_tall)}>
                        <Glyph icon={Icon::Expand} />
                    </button>
                </div>
            }
            <div class="dockbody">
                <terminal::Terminal shown={shown == DockTab::Terminal} />
                if shown == DockTab::Events {
                    <events::EventTable />
                }
            </div>
        </section>
    }
}
