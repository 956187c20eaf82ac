//! The wires of the map: control from above, traffic from the left, data from below.

use std::collections::BTreeMap;

use protocol::view::{Claim, Flow};
use yew::prelude::*;

use super::layout::{Layout, Rect};
use crate::state::{Cluster, state};
use crate::store::{Row, use_part};
use crate::words::{W, use_lang};

/// Dots are drawn on so many wires at most; the others stay plain lines.
const DOTTED_MAX: usize = 60;
const RADIUS: f64 = 5.0;
/// From here on time runs too fast for dots: the rate becomes the wire's width.
const DOTS_SPEED_MAX: f64 = 20.0;

#[derive(Clone, PartialEq)]
struct Wire {
    key: String,
    path: String,
    flow: Row<Flow>,
    /// Where a failing wire's cross goes.
    end: (f64, f64),
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub layout: Layout,
    pub traffic: bool,
    pub storage: bool,
}

#[component]
pub fn Wires(props: &Props) -> Html {
    let lang = use_lang();
    let layout = props.layout.clone();
    let show = props.traffic;
    let wires = use_part(&state().cluster, move |cluster| if show { traffic(cluster, &layout) } else { Vec::new() });
    let layout = props.layout.clone();
    let show = props.storage;
    let volumes = use_part(&state().cluster, move |cluster| if show { volumes(cluster, &layout) } else { Vec::new() });
    let fast = use_part(&state().clock, |clock| clock.speed.is_none_or(|speed| speed >= DOTS_SPEED_MAX));
    let still = use_part(&state().clock, |clock| !clock.running);
    let api_rate = use_part(&state().cluster, |cluster| cluster.control_plane.requests_per_second > 0.0);
    let hovered = use_part(&state().hover, Clone::clone);
    let lit = use_part(&state().cluster, move |cluster| hovered.as_ref().map(|end| super::hover::lit(cluster, end)));
    // A Pod without traffic leaves every wire as it is.
    let lit = lit.filter(|lit| !lit.is_empty());
    let bus = bus(&props.layout);
    html! {
        <svg class={classes!("wires", fast.then_some("fast"), still.then_some("still"))} aria-hidden="true"
            style={format!("width:{}px;height:{}px", props.layout.width, props.layout.height)}>
            { for bus.iter().map(|path| html! { <path class="w w-api" d={path.clone()} /> }) }
            if api_rate && !fast {
                { for bus_dots(&props.layout).into_iter().map(|path| html! { <path class="w-dot api" d={path} /> }) }
            }
            { for volumes.into_iter().map(|(key, path, class)| html! { <path {key} class={classes!("w", class)} d={path} /> }) }
            { for wires.iter().enumerate().map(|(index, wire)| draw(wire, lit.as_ref().is_some_and(|lit| !lit.contains(&wire.key)), index < DOTTED_MAX && !fast, fast, &lang.fill(W::PerSecond, &[&crate::format::rate(wire.flow.rate)]))) }
            { for props.layout.rows.iter().flat_map(|top| ports(&props.layout, *top, !wires.is_empty())) }
        </svg>
    }
}

fn draw(wire: &Wire, dim: bool, dots: bool, fast: bool, rate: &str) -> Html {
    let flow = &wire.flow;
    let failing = flow.failing > 0.0;
    let class = match flow {
        flow if flow.draining => "w-drain",
        _ if failing => "w-fail",
        _ => "w-live",
    };
    let width = fast.then(|| format!("stroke-width:{:.1}", 1.5 + (1.0 + flow.rate).ln() * 0.5));
    html! {
        <g key={wire.key.clone()} class={classes!("wire", dim.then_some("dim"))}>
            <path class={classes!("w", class)} style={width} d={wire.path.clone()} />
            if dots && !flow.draining && flow.rate > 0.0 {
                <path class={classes!("w-dot", failing.then_some("fail"), density(flow.rate))} d={wire.path.clone()} />
                <text class="rate" x={(wire.end.0 + 2.0).to_string()} y={(wire.end.1 - 6.0).to_string()}>{ rate }</text>
            }
            if failing {
                <path class="w-cross" d={format!("M{:.1} {:.1}l7 7m0-7l-7 7", wire.end.0 - 3.5, wire.end.1 - 3.5)} />
            }
        </g>
    }
}

/// Dots stand closer on a busier wire, by the logarithm of its rate.
fn density(rate: f32) -> &'static str {
    match rate {
        rate if rate < 3.0 => "thin",
        rate if rate < 60.0 => "",
        _ => "dense",
    }
}

fn traffic(cluster: &Cluster, layout: &Layout) -> Vec<Wire> {
    let mut wires = Vec::new();
    for flow in cluster.flows.values() {
        let Some(from) = left_end(layout, &flow.from) else { continue };
        let drawn = match flow.to.strip_prefix("pod/") {
            Some(pod) => to_pod(cluster, layout, from, pod),
            None => left_end(layout, &flow.to).map(|to| down(layout, from, to)),
        };
        if let Some((path, end)) = drawn {
            wires.push(Wire { key: flow.key.clone(), path, flow: flow.clone(), end });
        }
    }
    wires
}

fn left_end(layout: &Layout, end: &str) -> Option<Rect> {
    match end.split_once('/') {
        None => layout.clients,
        Some(("ingress", key)) => layout.ingresses.get(key).copied(),
        Some(("service", key)) => layout.services.get(key).copied(),
        Some(_) => None,
    }
}

/// From one box of the left edge to another: straight down to the next one, else around the outside.
fn down(layout: &Layout, from: Rect, to: Rect) -> (String, (f64, f64)) {
    let end = (to.middle_x(), to.y - 4.0);
    if to.y > from.y && to.y - from.bottom() < 30.0 {
        let x = from.middle_x();
        return (format!("M{x} {}V{}", from.bottom(), to.y), end);
    }
    let x = layout.measures.padding / 2.0;
    let path = format!(
        "M{} {:.1}H{:.1}Q{x} {:.1} {x} {:.1}V{:.1}Q{x} {:.1} {:.1} {:.1}H{}",
        from.x,
        from.middle_y(),
        x + 4.0,
        from.middle_y(),
        from.middle_y() + 4.0,
        to.middle_y() - 4.0,
        to.middle_y(),
        x + 4.0,
        to.middle_y(),
        to.x,
    );
    (path, (x, to.middle_y()))
}

/// Along the channel, the node's rail and the bridge between its columns.
fn to_pod(cluster: &Cluster, layout: &Layout, from: Rect, pod: &str) -> Option<(String, (f64, f64))> {
    let (node, column, row) = cluster.slot_of(pod)?;
    let card = layout.nodes.get(node)?;
    let tile = layout.tile(node, column, row)?;
    let channel = from.right() + layout.measures.channel / 2.0;
    let rail = layout.rail(card);
    let (start, bridge, y) = (from.middle_y(), card.middle_x(), tile.middle_y());
    let r = RADIUS;
    // Up or down the channel.
    let turn = if start > rail { -r } else { r };
    let (edge, approach) = if column == 0 { (tile.right(), -4.0) } else { (tile.x, 4.0) };
    let path = format!(
        "M{} {start:.1}H{:.1}Q{channel:.1} {start:.1} {channel:.1} {:.1}V{:.1}Q{channel:.1} {rail:.1} {:.1} {rail:.1}\
         H{:.1}Q{bridge:.1} {rail:.1} {bridge:.1} {:.1}V{:.1}Q{bridge:.1} {y:.1} {:.1} {y:.1}H{edge:.1}",
        from.right(),
        channel - r,
        start + turn,
        rail - turn,
        channel + r,
        bridge - r,
        rail + r,
        y - 4.0,
        bridge + approach,
    );
    Some((path, (bridge, (rail + y) / 2.0)))
}

/// Where the rail enters each node.
fn ports(layout: &Layout, top: f64, any: bool) -> Vec<Html> {
    if !any {
        return Vec::new();
    }
    let entry = |card: &&Rect| card.y == top;
    let port = |card: &Rect| {
        let (x, y) = (card.x - 3.5, layout.rail(card) - 3.5);
        html! { <rect class="port" x={x.to_string()} y={y.to_string()} width="7" height="7" rx="1.5" /> }
    };
    layout.nodes.values().filter(entry).map(port).collect()
}

/// The API bus: from the control plane down to each node, one line above each row.
fn bus(layout: &Layout) -> Vec<String> {
    let Some(control) = layout.control_plane else { return Vec::new() };
    let source = control.x + control.width * 0.36;
    let mut paths = Vec::new();
    let mut above = control.bottom();
    for (index, top) in layout.rows.iter().enumerate() {
        let y = top - layout.measures.bus_gap / 2.0 - 2.0;
        let drops: Vec<f64> = layout.nodes.values().filter(|card| card.y == *top).map(|card| card.x + 13.0).collect();
        let side = layout.width - layout.measures.padding / 2.0;
        let (left, right) = drops.iter().fold((source, source), |(low, high), x| (low.min(*x), high.max(*x)));
        if index == 0 {
            paths.push(format!("M{source:.1} {above}V{y}"));
            let right = if layout.rows.len() > 1 { side } else { right };
            paths.push(format!("M{left:.1} {y}H{right:.1}"));
        } else {
            paths.push(format!("M{side:.1} {above}V{y}H{left:.1}"));
        }
        paths.extend(drops.iter().map(|x| format!("M{x:.1} {y}V{}", top + 7.0)));
        above = y;
    }
    paths
}

fn bus_dots(layout: &Layout) -> Vec<String> {
    let (Some(control), Some(top)) = (layout.control_plane, layout.rows.first()) else { return Vec::new() };
    let source = control.x + control.width * 0.36;
    let y = top - layout.measures.bus_gap / 2.0 - 2.0;
    let first_row: Vec<f64> = layout.nodes.values().filter(|card| card.y == *top).map(|card| card.x + 13.0).collect();
    let there =
        first_row.iter().step_by(2).map(|x| format!("M{source:.1} {}V{y}H{x:.1}V{}", control.bottom(), top + 7.0));
    let back = first_row
        .iter()
        .skip(1)
        .step_by(2)
        .map(|x| format!("M{x:.1} {}V{y}H{source:.1}V{}", top + 7.0, control.bottom()));
    there.chain(back).collect()
}

/// Pod to claim: key, path, class.
fn volumes(cluster: &Cluster, layout: &Layout) -> Vec<(String, String, &'static str)> {
    let mut wires = BTreeMap::new();
    for pod in cluster.pods.values() {
        for key in &pod.claims {
            let Some((node, column, row)) = cluster.slot_of(&pod.key) else { continue };
            let (Some(tile), Some(claim)) = (layout.tile(node, column, row), layout.claims.get(key)) else { continue };
            if claim.y < tile.bottom() || claim.x > tile.right() || claim.right() < tile.x {
                continue;
            }
            let bound = cluster.claims.get(key).is_some_and(|claim: &Row<Claim>| claim.phase == "Bound");
            let class = if bound { "w-mount" } else { "w-mount wait" };
            let x = tile.x + 7.0;
            wires.insert(format!("{}>{key}", pod.key), (format!("M{x:.1} {:.1}V{:.1}", tile.bottom(), claim.y), class));
        }
    }
    wires.into_iter().map(|(key, (path, class))| (key, path, class)).collect()
}
