//! A Pod's tile.

use protocol::view::{ObjectRef, Pod};
use yew::prelude::*;

use super::hover;
use crate::actions;
use crate::lamp::{self, LampMark};
use crate::store::Row;
use crate::words::{W, use_lang};

/// Letters of a name that fit beside the mark.
const ONE_LINE_MAX: usize = 8;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub pod: Row<Pod>,
    pub selected: bool,
    /// Not what the filter asks for.
    #[prop_or_default]
    pub dim: bool,
}

pub fn object(pod: &Pod) -> ObjectRef {
    ObjectRef { kind: "Pod".into(), namespace: pod.namespace.clone(), name: pod.name.clone() }
}

#[component]
pub fn PodTile(props: &Props) -> Html {
    let lang = use_lang();
    let pod = &props.pod;
    let onclick = {
        let pod = pod.clone();
        Callback::from(move |_: MouseEvent| actions::select(Some(object(&pod))))
    };
    let name = lamp::full_name(lang, pod);
    let waiting = pod.node.is_empty();
    html! {
        <button class={classes!("pod", lamp::tile_class(&pod.lamp), props.selected.then_some("sel"), props.dim.then_some("dim"))}
            aria-label={name} aria-pressed={props.selected.to_string()} data-tile={pod.key.clone()} {onclick}
            onmouseenter={hover::enter(format!("pod/{}", pod.key))} onmouseleave={hover::leave}>
            <LampMark lamp={pod.lamp.clone()} />
            <span class="nm"><b class={(pod.title.chars().count() > ONE_LINE_MAX).then_some("long")}>{ &pod.title }</b><i>{ second_line(pod) }</i></span>
            if let Some(revision) = pod.revision {
                <span class={classes!("rev", pod.newest_revision.then_some("new"), is_low(pod).then_some("low"))}>{ format!("v{revision}") }</span>
            }
            if pod.restarts > 0 {
                <span class="re" title={lang.fill(W::Restarts, &[&pod.restarts.to_string()])}>
                    <svg width="9" height="9" viewBox="0 0 10 10" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round">
                        <path d="M8.6 5A3.6 3.6 0 1 1 6.9 1.9M6.4.6l.9 1.5-1.6.7" />
                    </svg>
                    { pod.restarts }
                </span>
            }
            if !waiting && pod.cpu > 0.0 {
                <span class="use" style={format!("width:{:.0}%", (pod.cpu * 100.0).clamp(2.0, 100.0))} />
            }
            if !pod.probes.is_empty() && pod.restarts == 0 {
                <span class="pr" title={lang.say(W::LastProbes)}>
                    { for pod.probes.iter().map(|passed| html! { <i class={(!passed).then_some("no")} /> }) }
                </span>
            }
        </button>
    }
}

/// A name of one line that leaves no room beside it for the revision.
fn is_low(pod: &Pod) -> bool {
    (6..=ONE_LINE_MAX).contains(&pod.title.chars().count())
}

/// What tells the Pod apart; where it has init containers to run, how far they are.
fn second_line(pod: &Pod) -> String {
    match pod.lamp {
        protocol::view::Lamp::Init { done, of } => format!("init {done}/{of}"),
        _ => pod.suffix.clone(),
    }
}
