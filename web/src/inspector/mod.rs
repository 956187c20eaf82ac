//! What is known of the selected object.

mod breaking;
mod events;
mod summary;
mod why;
mod yaml;

use protocol::Inspection;
use protocol::view::ObjectRef;
use yew::prelude::*;

use crate::icon::{Glyph, Icon};
use crate::lamp::LampMark;
use crate::state::{Cluster, InspectorTab, state};
use crate::store::{Row, use_part};
use crate::words::{Lang, W, use_lang};
use crate::{actions, browser, format};

/// Facts in the header; the summary has them all.
const FACTS_MAX: usize = 3;

#[component]
pub fn Inspector() -> Html {
    let lang = use_lang();
    let object = use_part(&state().selection, |selection| selection.object.clone());
    let inspection = use_part(&state().selection, |selection| selection.inspection.clone());
    let tab = use_part(&state().selection, |selection| selection.tab);
    let Some(object) = object else {
        return html! {
            <aside class="panel inspector" aria-label={lang.say(W::Inspector)}>
                <p class="note nothing">{ lang.say(W::SelectNothing) }</p>
            </aside>
        };
    };
    let body = match &inspection {
        None => html! { <p class="note">{ lang.say(W::Looking) }</p> },
        Some(inspection) => match tab {
            InspectorTab::Summary => html! { <summary::Summary inspection={inspection.clone()} /> },
            InspectorTab::Yaml => html! { <yaml::Yaml text={inspection.yaml.clone()} /> },
            InspectorTab::Events => html! { <events::Events inspection={inspection.clone()} /> },
            InspectorTab::Why => html! { <why::Why inspection={inspection.clone()} /> },
        },
    };
    html! {
        <aside class="panel inspector" aria-label={lang.say(W::Inspector)}>
            <Head object={object.clone()} inspection={inspection.clone()} />
            <div class="ptabs" role="tablist" aria-label={lang.say(W::Inspector)}>
                { for InspectorTab::ALL.iter().map(|it| tab_button(lang, *it, tab, inspection.as_ref())) }
            </div>
            <div class="ibody" role="tabpanel" tabindex="0" key={format!("{}/{}/{}/{tab:?}", object.kind, object.namespace, object.name)}>{ body }</div>
            <Foot {object} {inspection} {tab} />
        </aside>
    }
}

fn tab_button(lang: Lang, tab: InspectorTab, chosen: InspectorTab, inspection: Option<&Row<Inspection>>) -> Html {
    let word = match tab {
        InspectorTab::Summary => W::Summary,
        InspectorTab::Yaml => return button("YAML", tab, chosen, 0),
        InspectorTab::Events => W::Events,
        InspectorTab::Why => W::Why,
    };
    let count = match tab {
        InspectorTab::Events => inspection.map_or(0, |inspection| inspection.events.len()),
        _ => 0,
    };
    button(lang.say(word), tab, chosen, count)
}

fn button(text: &'static str, tab: InspectorTab, chosen: InspectorTab, count: usize) -> Html {
    html! {
        <button role="tab" aria-selected={(tab == chosen).to_string()} onclick={move |_| actions::inspector_tab(tab)}>
            { text }
            if count > 0 {
                <span class="cnt">{ count }</span>
            }
        </button>
    }
}

#[derive(Properties, PartialEq)]
struct HeadProps {
    object: ObjectRef,
    inspection: Option<Row<Inspection>>,
}

#[component]
fn Head(props: &HeadProps) -> Html {
    let lang = use_lang();
    let object = &props.object;
    let inspection = props.inspection.as_deref();
    let owner = inspection.and_then(|inspection| inspection.owner.clone());
    let facts = inspection.map(|inspection| &inspection.facts[..]).unwrap_or_default();
    let deleted = inspection.and_then(|inspection| inspection.deleted);
    html! {
        <div class={classes!("ihead", deleted.map(|_| "gone"))}>
            <div class="row">
                <ObjectMark object={object.clone()} size=18 />
                <h2 class="grow cut" title={object.name.clone()}>{ &object.name }</h2>
                <button class="btn ico sm" aria-label={lang.say(W::Close)} title={lang.say(W::Close)} onclick={|_| actions::select(None)}>
                    <Glyph icon={Icon::Close} />
                </button>
            </div>
            <div class="lab of">
                if object.namespace.is_empty() {
                    { &object.kind }
                } else {
                    { lang.fill(W::InNamespace, &[&object.kind]) }{ " " }<b class="sub">{ &object.namespace }</b>
                }
                if let Some(owner) = owner {
                    { if lang.is_chinese() { "，" } else { ", " } }{ lang.say(W::OwnedBy) }{ " " }<Name object={owner.clone()}>{ format!("{} {}", owner.kind, owner.name) }</Name>
                }
            </div>
            if let Some(at) = deleted {
                <div class="deleted"><span class="tag leave">{ lang.fill(W::DeletedAt, &[&format::exact_moment(at)]) }</span></div>
            }
            <dl class="facts">
                { for facts.iter().take(FACTS_MAX).map(|(label, value)| html! { <div><dt>{ label }</dt><dd class="cut" title={value.clone()}>{ value }</dd></div> }) }
            </dl>
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub struct MarkProps {
    pub object: ObjectRef,
    #[prop_or(13)]
    pub size: u32,
}

/// The object's mark: a Pod's lamp, else its kind's icon.
#[component]
pub fn ObjectMark(props: &MarkProps) -> Html {
    let object = props.object.clone();
    let lamp = use_part(&state().cluster, move |cluster: &Cluster| {
        (object.kind == "Pod")
            .then(|| cluster.pods.get(&format!("{}/{}", object.namespace, object.name)))?
            .map(|pod| pod.lamp.clone())
    });
    match lamp {
        Some(lamp) => html! { <LampMark {lamp} size={props.size} /> },
        None => html! { <span class="kindmark"><Glyph icon={kind_icon(&props.object.kind)} /></span> },
    }
}

pub fn kind_icon(kind: &str) -> Icon {
    match kind {
        "Node" => Icon::Node,
        "Service" | "EndpointSlice" | "Endpoints" => Icon::Service,
        "Ingress" => Icon::Ingress,
        "PersistentVolume" | "PersistentVolumeClaim" | "StorageClass" => Icon::Volume,
        _ => Icon::Workload,
    }
}

#[derive(Properties, PartialEq)]
pub struct NameProps {
    pub object: ObjectRef,
    pub children: Html,
}

/// A name that leads to its object.
#[component]
pub fn Name(props: &NameProps) -> Html {
    let object = props.object.clone();
    html! { <button class="ref" onclick={move |_| actions::select(Some(object.clone()))}>{ props.children.clone() }</button> }
}

#[derive(Properties, PartialEq)]
struct FootProps {
    object: ObjectRef,
    inspection: Option<Row<Inspection>>,
    tab: InspectorTab,
}

#[component]
fn Foot(props: &FootProps) -> Html {
    let lang = use_lang();
    let copied = use_state_eq(|| false);
    let gone = props.inspection.as_ref().is_none_or(|inspection| inspection.deleted.is_some());
    let act = |word: W, icon: Icon, run: fn(&ObjectRef)| {
        let object = props.object.clone();
        html! { <button class="btn sm" onclick={move |_| run(&object)}><Glyph {icon} />{ lang.say(word) }</button> }
    };
    let copy = {
        let (inspection, tab, copied) = (props.inspection.clone(), props.tab, copied.setter());
        Callback::from(move |_: MouseEvent| {
            let Some(inspection) = &inspection else { return };
            browser::copy(&as_text(lang, inspection, tab));
            copied.set(true);
            let copied = copied.clone();
            gloo_timers::callback::Timeout::new(1500, move || copied.set(false)).forget();
        })
    };
    html! {
        <div class="ifoot">
            <button class="btn sm" disabled={props.inspection.is_none()} onclick={copy}>
                <Glyph icon={if *copied { Icon::Check } else { Icon::Copy }} />{ lang.say(if *copied { W::Copied } else { W::Copy }) }
            </button>
            <span class="grow" />
            if !gone {
                { act(W::Describe, Icon::Eye, |object| actions::kubectl("describe", object)) }
                if props.object.kind == "Pod" {
                    { act(W::Logs, Icon::Menu, actions::logs) }
                    { act(W::Shell, Icon::Prompt, actions::shell) }
                }
            }
        </div>
    }
}

/// The tab as plain text, for the clipboard.
fn as_text(lang: Lang, inspection: &Inspection, tab: InspectorTab) -> String {
    let mut text = String::new();
    match tab {
        InspectorTab::Yaml => text.push_str(&inspection.yaml),
        InspectorTab::Summary => {
            for (label, value) in &inspection.facts {
                text += &format!("{label}: {value}\n");
            }
            for (title, rows) in &inspection.sections {
                text += &format!("\n{title}\n");
                for (label, value) in rows {
                    text += &format!("  {label}: {value}\n");
                }
            }
        }
        InspectorTab::Events => {
            for event in &inspection.events {
                text += &format!("{}  {}  {}\n", format::exact_moment(event.at), event.reason, event.message);
            }
        }
        InspectorTab::Why => {
            for cause in inspection.why.iter().chain(&inspection.effects) {
                let (deed, detail) = (why::deed(lang, cause), why::detail(lang, cause));
                text += &format!("{}  {deed}  {detail}\n", format::exact_moment(cause.at));
            }
        }
    }
    text
}
