//! What the pointer rests on: its wires stay, the others step back, and a card tells four facts.

use std::cell::RefCell;
use std::collections::BTreeSet;

use gloo_timers::callback::Timeout;
use protocol::view::Flow;
use yew::prelude::*;

use super::layout::Layout;
use crate::state::{Cluster, state};
use crate::store::use_part;
use crate::words::{W, use_lang};

const DELAY_MS: u32 = 120;
const CARD_WIDTH: f64 = 200.0;
const CARD_GAP: f64 = 8.0;

thread_local! {
    static PENDING: RefCell<Option<Timeout>> = const { RefCell::new(None) };
}

/// `end` as flows name their ends: `pod/default/web-x2k4p`.
pub fn enter(end: String) -> Callback<MouseEvent> {
    Callback::from(move |_| {
        let end = end.clone();
        PENDING.set(Some(Timeout::new(DELAY_MS, move || state().hover.change(|hover| *hover = Some(end)))));
    })
}

pub fn leave(_: MouseEvent) {
    PENDING.set(None);
    if state().hover.read(Option::is_some) {
        state().hover.change(|hover| *hover = None);
    }
}

/// Keys of the flows that lead to `end` or on from it.
pub fn lit(cluster: &Cluster, end: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut spread = |start: &str, next: fn(&Flow) -> (&str, &str)| {
        let mut ends = vec![start.to_owned()];
        while let Some(at) = ends.pop() {
            for flow in cluster.flows.values() {
                let (near, far) = next(flow);
                if near == at && keys.insert(flow.key.clone()) {
                    ends.push(far.to_owned());
                }
            }
        }
    };
    spread(end, |flow| (&flow.from, &flow.to));
    spread(end, |flow| (&flow.to, &flow.from));
    keys
}

/// Whether the Pod under the pointer mounts this claim.
#[hook]
pub fn use_mounts(claim: &AttrValue) -> bool {
    let hovered = use_part(&state().hover, Clone::clone);
    let claim = claim.clone();
    use_part(&state().cluster, move |cluster| {
        let pod = hovered.as_deref().and_then(|end| cluster.pods.get(end.strip_prefix("pod/")?));
        pod.is_some_and(|pod| pod.claims.iter().any(|mounted| *mounted == *claim))
    })
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub layout: Layout,
}

/// Four facts beside the tile, never over it.
#[component]
pub fn HoverCard(props: &Props) -> Html {
    let lang = use_lang();
    let end = use_part(&state().hover, Clone::clone);
    let key = end.as_deref().and_then(|end| end.strip_prefix("pod/")).map(str::to_owned);
    let wanted = key.clone();
    let pod = use_part(&state().cluster, move |cluster| cluster.pods.get(wanted.as_ref()?).cloned());
    let layout = props.layout.clone();
    let rect = use_part(&state().cluster, move |cluster| {
        let (node, column, row) = cluster.slot_of(key.as_ref()?)?;
        layout.tile(node, column, row)
    });
    let rate = use_part(&state().cluster, move |cluster| match &end {
        Some(end) => cluster.flows.values().filter(|flow| flow.to == *end).map(|flow| flow.rate).sum::<f32>(),
        None => 0.0,
    });
    let (Some(pod), Some(rect)) = (pod, rect) else { return Html::default() };
    let right = rect.right() + CARD_GAP;
    let x = if right + CARD_WIDTH < props.layout.width { right } else { rect.x - CARD_GAP - CARD_WIDTH };
    let fact = |label: &str, value: String| html! { <><dt>{ label.to_owned() }</dt><dd class="cut">{ value }</dd></> };
    html! {
        <div class="hovercard" aria-hidden="true" style={format!("left:{x:.0}px;top:{:.0}px;width:{CARD_WIDTH}px", rect.y - 6.0)}>
            <b class="cut">{ &pod.name }</b>
            <dl>
                { fact("STATUS", pod.status.clone()) }
                { fact("READY", format!("{}/{}", pod.ready, pod.containers)) }
                { fact("IP", if pod.ip.is_empty() { "–".into() } else { pod.ip.clone() }) }
                { fact(lang.say(W::Traffic), lang.fill(W::PerSecond, &[&crate::format::rate(rate)])) }
            </dl>
        </div>
    }
}
