//! A node's card: header with meters, slots with tiles, footer.

use protocol::view::{ComponentState, Node, NodeReady, ObjectRef, Pod};
use yew::prelude::*;

use super::Filter;
use super::canvas::PodCanvas;
use super::layout::Rect;
use super::pod::PodTile;
use crate::lamp::LampMark;
use crate::state::state;
use crate::store::{Row, use_part};
use crate::words::{Lang, W, use_lang};
use crate::{actions, format};

/// A Lease is renewed every 10 s; a node that is silent for longer than this is worth a word.
const SYSTEM_MARKS_MAX: usize = 4;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub name: AttrValue,
    /// `None` in the list of a narrow window.
    pub rect: Option<Rect>,
    pub filter: Filter,
    /// Too many Pods for tiles.
    pub canvas: bool,
}

#[component]
pub fn NodeCard(props: &Props) -> Html {
    let lang = use_lang();
    let name = props.name.clone();
    let node = use_part(&state().cluster, move |cluster| cluster.nodes.iter().find(|node| node.name == *name).cloned());
    let name = props.name.clone();
    let tiles = use_part(&state().cluster, move |cluster| cluster.tiles(&name));
    let name = props.name.clone();
    let system = use_part(&state().cluster, move |cluster| cluster.system_pods(&name));
    let name = props.name.clone();
    let kubelet = use_part(&state().cluster, move |cluster| cluster.component(&format!("kubelet/{name}")));
    let selected = use_part(&state().selection, |selection| selection.object.clone());
    let Some(node) = node else { return Html::default() };

    let is_selected = selected.as_ref().is_some_and(|object| object.kind == "Node" && object.name == node.name);
    let is_pod = |pod: &Pod| {
        selected
            .as_ref()
            .is_some_and(|object| object.kind == "Pod" && object.name == pod.name && object.namespace == pod.namespace)
    };
    let shown = |pod: &Row<Pod>| props.filter.passes_namespace(&pod.namespace);
    let tile = |slot: Option<&Row<Pod>>, index: usize| match slot.filter(|pod| shown(pod)) {
        Some(pod) => html! {
            <PodTile key={pod.key.clone()} pod={pod.clone()} selected={is_pod(pod)} dim={!props.filter.passes(pod)} />
        },
        None if props.rect.is_some() => html! { <div key={format!("slot {index}")} class="slot" /> },
        None => Html::default(),
    };
    html! {
        <article class={classes!("node", card_class(&node, kubelet), is_selected.then_some("sel"))}
            style={props.rect.map(|rect| format!("position:absolute;{}", rect.style()))} aria-label={node.name.clone()}>
            <Header node={node.clone()} {kubelet} />
            if props.canvas && props.rect.is_some() {
                <PodCanvas pods={tiles.iter().flatten().filter(|pod| shown(pod)).cloned().collect::<Vec<_>>()} filter={props.filter.clone()} />
            } else {
                <div class="slots">
                    { for tiles.iter().enumerate().map(|(index, slot)| tile(slot.as_ref(), index)) }
                </div>
            }
            <div class="sys">
                <span class="cidr">{ &node.pod_cidr }</span>
                <span class="grow" />
                { for system.iter().take(SYSTEM_MARKS_MAX).map(|pod| html! { <LampMark lamp={pod.lamp.clone()} size=9 /> }) }
                <span>{ lang.fill(W::NSystem, &[&system.len().max(node.system_pods as usize).to_string()]) }</span>
            </div>
        </article>
    }
}

fn card_class(node: &Node, kubelet: ComponentState) -> Classes {
    let paused = matches!(kubelet, ComponentState::Paused | ComponentState::Killed);
    classes!(
        (node.powered_off || node.ready != NodeReady::Ready).then_some("down"),
        node.cordoned.then_some("cordoned"),
        (paused && !node.powered_off).then_some("paused"),
    )
}

#[derive(Properties, PartialEq)]
struct HeaderProps {
    node: Row<Node>,
    kubelet: ComponentState,
}

#[component]
fn Header(props: &HeaderProps) -> Html {
    let lang = use_lang();
    let node = &props.node;
    let lease = node.lease;
    let silent = use_part(&state().clock, move |clock| clock.now.saturating_sub(lease) / 1_000_000_000);
    let onclick = {
        let name = node.name.clone();
        Callback::from(move |_: MouseEvent| {
            actions::select(Some(ObjectRef { kind: "Node".into(), namespace: String::new(), name: name.clone() }));
        })
    };
    let tag = tag(lang, node, props.kubelet, silent);
    html! {
        <header>
            <button class="hd" {onclick} data-tile={format!("node/{}", node.name)}>
                { beat(node, props.kubelet) }
                <h3 class="cut">{ &node.name }</h3>
                <span class="grow" />
                if let Some((class, text)) = tag {
                    <span class={classes!("tag", class)}>{ text }</span>
                } else {
                    <span class="lab">{ format!("{}/{} {}", node.pods, node.pods_max, lang.say(W::Pods)) }</span>
                }
            </button>
            <Meter label="cpu" requested={share(node.cpu_requested, node.cpu_allocatable)} used={share(node.cpu_used, node.cpu_allocatable)}
                text={format!("{} / {}", format::cores(node.cpu_requested), format::cores(node.cpu_allocatable))} />
            <Meter label="mem" requested={share(node.memory_requested, node.memory_allocatable)} used={share(node.memory_used, node.memory_allocatable)}
                text={format!("{} / {}Gi", format::gib(node.memory_requested), format::gib(node.memory_allocatable))} />
        </header>
    }
}

/// The heartbeat: a new dot with each Lease, so that its animation starts again.
fn beat(node: &Node, kubelet: ComponentState) -> Html {
    match node.ready {
        _ if node.powered_off => html! { <span class="hb hollow fail" /> },
        _ if kubelet == ComponentState::Paused => html! { <span class="hb bars" /> },
        NodeReady::Ready => html! { <span key={node.lease} class="hb" /> },
        NodeReady::NotReady | NodeReady::Unknown => html! { <span class="hb hollow fail" /> },
    }
}

fn tag(lang: Lang, node: &Node, kubelet: ComponentState, silent: u64) -> Option<(&'static str, String)> {
    match node {
        node if node.powered_off => Some(("fail", lang.say(W::PoweredOff).to_owned())),
        _ if kubelet == ComponentState::Paused => Some(("wait", lang.say(W::KubeletPaused).to_owned())),
        node if node.ready == NodeReady::Unknown && silent > 0 && node.lease > 0 => {
            Some(("fail", lang.fill(W::SilentFor, &[&format::rough_duration(silent * 1_000_000_000)])))
        }
        node if node.ready != NodeReady::Ready => Some(("fail", "NotReady".to_owned())),
        node if node.cordoned => Some(("line", lang.say(W::NoSchedule).to_owned())),
        _ => None,
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 }
}

#[derive(Properties, PartialEq)]
struct MeterProps {
    label: AttrValue,
    /// Percent.
    requested: f64,
    used: f64,
    text: String,
}

#[component]
fn Meter(props: &MeterProps) -> Html {
    let lang = use_lang();
    let requested = props.requested.min(100.0);
    html! {
        <div class="meter">
            <span>{ &props.label }</span>
            <span class="bar" role="meter" aria-label={lang.fill(W::Requested, &[&props.label])} aria-valuemin="0"
                aria-valuemax="100" aria-valuenow={format!("{requested:.0}")} aria-valuetext={props.text.clone()}>
                <i style={format!("width:{requested:.0}%")} />
                <u style={format!("left:{:.0}%", props.used.min(99.0))} title={lang.say(W::InUse)} />
            </span>
            <span class="num">{ &props.text }</span>
        </div>
    }
}
