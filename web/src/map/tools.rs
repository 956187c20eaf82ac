//! The bar above the map: what is shown, and how large.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::icon::{Glyph, Icon};
use crate::state::{Prefs, state};
use crate::store::use_part;
use crate::words::{W, use_lang};

const ZOOM_STEP: f64 = 1.2;
pub const ZOOM_MIN: f64 = 0.4;
pub const ZOOM_MAX: f64 = 2.0;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub fit: Callback<()>,
    /// The narrow window's list: nothing to zoom.
    pub list: bool,
}

pub fn zoom_by(steps: i32) {
    state().frame.change(|frame| {
        let now = if frame.zoom > 0.0 { frame.zoom } else { 1.0 };
        frame.zoom = (now * ZOOM_STEP.powi(steps)).clamp(ZOOM_MIN, ZOOM_MAX);
    });
}

#[component]
pub fn Tools(props: &Props) -> Html {
    let lang = use_lang();
    let namespaces = use_part(&state().cluster, |cluster| cluster.namespaces.clone());
    let namespace = use_part(&state().frame, |frame| frame.namespace.clone());
    let (filter, filtering) = use_part(&state().frame, |frame| (frame.filter.clone(), frame.filtering));
    let prefs = use_part(&state().prefs, |prefs| (prefs.show_traffic, prefs.show_storage, prefs.show_system));
    let toggle = |word: W, on: bool, change: fn(&mut Prefs)| {
        let onclick = move |_: MouseEvent| {
            state().prefs.change(|prefs| {
                change(prefs);
                prefs.save();
            });
        };
        html! {
            <button class={classes!("btn", "sm", "toggle", on.then_some("on"))} aria-pressed={on.to_string()} {onclick}>
                if on {
                    <Glyph icon={Icon::Check} />
                }
                { lang.say(word) }
            </button>
        }
    };
    let onchange = |event: Event| {
        if let Some(chosen) = event.target_dyn_into::<web_sys::HtmlSelectElement>() {
            state().frame.change(|frame| frame.namespace = chosen.value());
        }
    };
    let oninput = |event: InputEvent| {
        if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
            state().frame.change(|frame| frame.filter = input.value());
        }
    };
    let leave = |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            state().frame.change(|frame| {
                frame.filtering = false;
                frame.filter.clear();
            });
            crate::browser::focus("[data-map]");
        }
    };
    let open = filtering || !filter.is_empty();
    html! {
        <div class="panel maptools" role="toolbar" aria-label={lang.say(W::Map)}>
            <label class="pick">
                <span class="vh">{ lang.say(W::Namespace) }</span>
                <select {onchange}>
                    <option value="" selected={namespace.is_empty()}>{ lang.say(W::AllNamespaces) }</option>
                    { for namespaces.iter().map(|name| html! {
                        <option value={name.clone()} selected={*name == namespace}>{ name }</option>
                    }) }
                </select>
                <Glyph icon={Icon::Down} />
            </label>
            if open {
                <label class="field filter">
                    <Glyph icon={Icon::Filter} />
                    <input type="text" data-filter="" value={filter} placeholder={lang.say(W::FilterHint)}
                        aria-label={lang.say(W::Filter)} spellcheck="false" {oninput} onkeydown={leave} />
                </label>
            } else {
                <button class="btn sm" onclick={|_| start_filter()}>
                    <Glyph icon={Icon::Filter} />{ lang.say(W::Filter) }<kbd>{ "/" }</kbd>
                </button>
            }
            <span class="grow" />
            <span class="lab showing">{ lang.say(W::Show) }</span>
            if !props.list {
                { toggle(W::Traffic, prefs.0, |prefs| prefs.show_traffic = !prefs.show_traffic) }
                { toggle(W::Storage, prefs.1, |prefs| prefs.show_storage = !prefs.show_storage) }
            }
            { toggle(W::SystemPods, prefs.2, |prefs| prefs.show_system = !prefs.show_system) }
            if !props.list {
                <span class="seg zoomer">
                    <button aria-label={lang.say(W::ZoomOut)} title={lang.say(W::ZoomOut)} onclick={|_| zoom_by(-1)}>{ "−" }</button>
                    <button data-fit="" onclick={props.fit.reform(|_: MouseEvent| ())}>{ lang.say(W::Fit) }</button>
                    <button aria-label={lang.say(W::ZoomIn)} title={lang.say(W::ZoomIn)} onclick={|_| zoom_by(1)}>{ "+" }</button>
                </span>
            }
        </div>
    }
}

pub fn start_filter() {
    state().frame.change(|frame| frame.filtering = true);
    gloo_timers::callback::Timeout::new(0, || crate::browser::focus("[data-filter]")).forget();
}
