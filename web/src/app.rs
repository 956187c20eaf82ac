//! The frame: which panes there are at which width, and what concerns the whole page.

use protocol::Command;
use wasm_bindgen::prelude::*;
use yew::prelude::*;

use crate::deck::Deck;
use crate::dock::Dock;
use crate::editor::Editor;
use crate::editor::files::DropTarget;
use crate::icon::{Brand, Glyph, Icon};
use crate::inspector::Inspector;
use crate::map::Map;
use crate::overlay::{Dialogs, NoticeBar, Trouble};
use crate::splitter::{Edge, Splitter};
use crate::state::frame::{DockTab, Pane};
use crate::state::work::Origin;
use crate::state::{Notice, Phase, state};
use crate::store::use_part;
use crate::top::TopBar;
use crate::words::{Lang, W, use_lang};
use crate::{actions, browser, core, keys, reports};

const RAIL_BELOW: f64 = 1280.0;
const TABS_BELOW: f64 = 1024.0;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    /// Editor, map, inspector side by side.
    Wide,
    /// The editor folds to a rail, the inspector is a drawer over the map.
    Rail,
    /// One pane at a time.
    Tabs,
    Embed,
}

#[component]
pub fn App() -> Html {
    let lang = use_part(&state().prefs, |prefs| prefs.language());
    let dark = use_part(&state().prefs, |prefs| prefs.dark());
    use_effect_with((), |()| {
        keys::listen();
        listen_to_page();
        reports::connect();
    });
    use_effect_with((lang, dark), |(lang, dark)| {
        let root = browser::root();
        root.set_lang(lang.tag());
        // The root element takes any attribute.
        let _set = root.set_attribute("data-theme", if *dark { "dark" } else { "light" });
    });
    html! {
        <ContextProvider<Lang> context={lang}>
            <DropTarget><Shell /></DropTarget>
        </ContextProvider<Lang>>
    }
}

#[component]
fn Shell() -> Html {
    let shape = use_shape();
    let frame = html! {<>
        <Trouble />
        <Dialogs />
        <Spoken />
    </>};
    match shape {
        Shape::Embed => {
            html! { <div class="app embedded"><EmbedHead /><NoticeBar /><Map /><Deck mini=true />{ frame }</div> }
        }
        Shape::Tabs => html! { <div class="app tabs"><TopBar /><Panes />{ frame }<Deck mini=true /></div> },
        Shape::Wide => html! { <div class="app"><TopBar /><Body rail=false /><Deck />{ frame }</div> },
        Shape::Rail => html! { <div class="app"><TopBar /><Body rail=true /><Deck />{ frame }</div> },
    }
}

/// The page's shape, by the width of its window.
#[hook]
fn use_shape() -> Shape {
    let measure = || {
        let width = browser::window().inner_width().ok().and_then(|width| width.as_f64()).unwrap_or(1440.0);
        match width {
            _ if browser::is_embed() => Shape::Embed,
            width if width < TABS_BELOW => Shape::Tabs,
            width if width < RAIL_BELOW => Shape::Rail,
            _ => Shape::Wide,
        }
    };
    let shape = use_state_eq(measure);
    {
        let shape = shape.setter();
        use_effect_with((), move |()| on_window("resize", move || shape.set(measure())));
    }
    *shape
}

#[derive(Properties, PartialEq)]
struct BodyProps {
    rail: bool,
}

#[component]
fn Body(props: &BodyProps) -> Html {
    let lang = use_lang();
    let (open, hidden) = use_part(&state().frame, |frame| (frame.editor_open, frame.inspector_hidden));
    let tall = use_part(&state().frame, |frame| frame.dock_tall);
    let closed = use_part(&state().frame, |frame| frame.dock_closed);
    let selected = use_part(&state().selection, |selection| selection.object.is_some());
    let sizes = use_part(&state().prefs, |prefs| (prefs.editor_width, prefs.inspector_width, prefs.dock_height));
    let editor = open.unwrap_or(!props.rail);
    let inspector = !hidden && (selected || !props.rail);
    let variable = |name: &str, size: Option<f64>| size.map(|px| format!("{name}:{px:.0}px;")).unwrap_or_default();
    let style = variable("--w-editor", sizes.0) + &variable("--w-inspector", sizes.1) + &variable("--h-dock", sizes.2);
    html! {
        <main class={classes!("body", props.rail.then_some("drawer"), editor.then_some("with-editor"), inspector.then_some("with-inspector"))} {style}>
            if editor {
                <div class="side left">
                    <Editor />
                    <Splitter edge={Edge::Editor} />
                </div>
            } else {
                <button class="rail" title={format!("{} (b)", lang.say(W::ShowEditor))} onclick={|_| actions::show_editor()}>
                    <Glyph icon={Icon::Edit} /><span>{ lang.say(W::Manifests) }</span>
                </button>
            }
            <section class={classes!("centre", tall.then_some("tall"), closed.then_some("nodock"))}>
                <NoticeBar />
                <Map />
                if !closed {
                    <div class="below">
                        <Splitter edge={Edge::Dock} />
                        <Dock />
                    </div>
                }
            </section>
            if inspector {
                <div class="side right">
                    <Splitter edge={Edge::Inspector} />
                    <Inspector />
                </div>
            }
        </main>
    }
}

/// A narrow window: one pane at a time, the inspector as a sheet from below.
#[component]
fn Panes() -> Html {
    let lang = use_lang();
    let pane = use_part(&state().frame, |frame| frame.pane);
    let selected = use_part(&state().selection, |selection| selection.object.is_some());
    let hidden = use_part(&state().frame, |frame| frame.inspector_hidden);
    let simulates = use_part(&state().frame, |frame| frame.simulates.clone());
    let tab = |it: Pane, text: &str| {
        html! {
            <button role="tab" aria-selected={(it == pane).to_string()} onclick={move |_| state().frame.change(|frame| frame.pane = it)}>
                { text.to_owned() }
            </button>
        }
    };
    html! {
        <main class="panes">
            <div class="ptabs">
                <div role="tablist" class="tabs">
                    { tab(Pane::Map, lang.say(W::Map)) }
                    { tab(Pane::Yaml, "YAML") }
                    { tab(Pane::Terminal, lang.say(W::Terminal)) }
                    { tab(Pane::Events, lang.say(W::Events)) }
                </div>
                <span class="grow" />
                <span class="lab simulates">{ lang.fill(W::Simulates, &[&simulates]) }</span>
            </div>
            <NoticeBar />
            <div class="pane">
                { match pane {
                    Pane::Map => html! { <Map /> },
                    Pane::Yaml => html! { <Editor /> },
                    Pane::Terminal => html! { <Dock only={Some(DockTab::Terminal)} /> },
                    Pane::Events => html! { <Dock only={Some(DockTab::Events)} /> },
                } }
            </div>
            if selected && !hidden && pane != Pane::Yaml {
                <div class="sheet"><Inspector /></div>
            }
        </main>
    }
}

#[component]
fn EmbedHead() -> Html {
    let lang = use_lang();
    let title = use_part(&state().frame, |frame| frame.title.clone());
    let simulates = use_part(&state().frame, |frame| frame.simulates.clone());
    let href = match browser::fragment().as_str() {
        "" => browser::address(),
        fragment => format!("{}#{fragment}", browser::address()),
    };
    html! {
        <header class="eh">
            <Brand />
            <span class="cut">{ title.get(lang.is_chinese()) }</span>
            <span class="grow" />
            <span class="lab simulates">{ lang.fill(W::Simulates, &[&simulates]) }</span>
            <a class="btn sm" {href} target="_blank" rel="noopener">{ lang.say(W::OpenInTabernetes) }<Glyph icon={Icon::Expand} /></a>
        </header>
    }
}

/// What changed about the selection, for screen readers: at most one sentence every two seconds.
#[component]
fn Spoken() -> Html {
    let lang = use_lang();
    let spoken = use_state_eq(String::new);
    let now = use_part(&state().selection, move |selection| {
        let object = selection.object.as_ref()?;
        let pod =
            state().cluster.read(|cluster| cluster.pods.get(&format!("{}/{}", object.namespace, object.name)).cloned());
        match pod.filter(|_| object.kind == "Pod") {
            Some(pod) => Some(crate::lamp::full_name(lang, &pod)),
            None => Some(format!("{} {}", object.kind, object.name)),
        }
    });
    let waiting = use_mut_ref(|| None::<gloo_timers::callback::Timeout>);
    {
        let spoken = spoken.setter();
        use_effect_with(now, move |now| {
            let text = now.clone().unwrap_or_default();
            *waiting.borrow_mut() = Some(gloo_timers::callback::Timeout::new(400, move || spoken.set(text)));
        });
    }
    html! { <div class="vh" aria-live="polite" role="status">{ &*spoken }</div> }
}

/// Hears an event of the window; the returned closure stops that.
fn on_window(event: &'static str, heard: impl Fn() + 'static) -> impl FnOnce() {
    let listener = Closure::<dyn FnMut()>::new(heard);
    let _added = browser::window().add_event_listener_with_callback(event, listener.as_ref().unchecked_ref());
    move || {
        let _removed = browser::window().remove_event_listener_with_callback(event, listener.as_ref().unchecked_ref());
        drop(listener);
    }
}

/// The address, the tab's visibility and the page's end, for as long as the page lives.
fn listen_to_page() {
    std::mem::forget(on_window("hashchange", || {
        let fragment = browser::fragment();
        if !fragment.is_empty() {
            actions::open(Origin::Link(fragment));
        }
    }));
    std::mem::forget(on_window("pagehide", actions::keep_work));
    let listener = Closure::<dyn FnMut()>::new(|| {
        let hidden = browser::document().hidden();
        let clock = state().clock.read(Clone::clone);
        let running = state().frame.read(|frame| frame.phase == Phase::Running);
        if hidden && clock.running && running {
            state().frame.change(|frame| frame.notice = Some(Notice::Hidden(clock.now)));
        }
        core::send(Command::Hidden { hidden });
    });
    let _added =
        browser::document().add_event_listener_with_callback("visibilitychange", listener.as_ref().unchecked_ref());
    listener.forget();
}
