//! A Pod's mark: fill is readiness, outline is its place in life, shape is the verdict.

use std::f64::consts::TAU;

use protocol::view::{Lamp, Pod};
use yew::prelude::*;

use crate::state::state;
use crate::store::use_part;
use crate::words::{Lang, W, use_lang};

/// How the tile around the mark is drawn.
pub fn tile_class(lamp: &Lamp) -> &'static str {
    match lamp {
        Lamp::Unscheduled => "wait",
        Lamp::Init { .. } | Lamp::Pulling { .. } | Lamp::Starting => "start",
        Lamp::Terminating { .. } => "leave",
        Lamp::CrashLoop | Lamp::CannotStart | Lamp::Failed => "fail",
        Lamp::NotReadyYet | Lamp::NoLongerReady | Lamp::Ready | Lamp::Succeeded | Lamp::Unknown => "",
    }
}

/// The token of the mark's colour, for where CSS classes do not reach: canvases and dots.
pub fn colour(lamp: &Lamp) -> &'static str {
    match lamp {
        Lamp::Ready => "--ready",
        Lamp::Init { .. } | Lamp::Pulling { .. } | Lamp::Starting | Lamp::NotReadyYet => "--start",
        Lamp::Unscheduled | Lamp::NoLongerReady => "--wait",
        Lamp::CrashLoop | Lamp::CannotStart | Lamp::Failed => "--fail",
        Lamp::Terminating { .. } => "--leave",
        Lamp::Succeeded | Lamp::Unknown => "--done",
    }
}

pub fn name(lang: Lang, lamp: &Lamp) -> String {
    let word = match lamp {
        Lamp::Unscheduled => W::StateUnscheduled,
        Lamp::Init { done, of } => return lang.fill(W::StateInit, &[&done.to_string(), &of.to_string()]),
        Lamp::Pulling { .. } => W::StatePulling,
        Lamp::Starting => W::StateStarting,
        Lamp::NotReadyYet => W::StateNotReadyYet,
        Lamp::NoLongerReady => W::StateNoLongerReady,
        Lamp::Ready => W::StateReady,
        Lamp::Terminating { .. } => W::StateTerminating,
        Lamp::CrashLoop => W::StateCrashLoop,
        Lamp::CannotStart => W::StateCannotStart,
        Lamp::Failed => W::StateFailed,
        Lamp::Succeeded => W::StateSucceeded,
        Lamp::Unknown => W::StateUnknown,
    };
    lang.say(word).to_owned()
}

/// The full name of a Pod for screen readers: what it is, how it is, where it is.
pub fn full_name(lang: Lang, pod: &Pod) -> String {
    let state = name(lang, &pod.lamp);
    let mut text = match pod.node.as_str() {
        "" => lang.fill(W::PodWaiting, &[&pod.name, &state]),
        node => lang.fill(W::PodName, &[&pod.name, &state, node]),
    };
    if let Some(revision) = pod.revision {
        let comma = if lang.is_chinese() { "，" } else { ", " };
        text = text + comma + &lang.fill(W::WithRevision, &[&revision.to_string()]);
    }
    if pod.restarts > 0 {
        let comma = if lang.is_chinese() { "，" } else { ", " };
        text = text + comma + &lang.fill(W::Restarts, &[&pod.restarts.to_string()]);
    }
    text
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lamp: Lamp,
    /// Width and height in px.
    #[prop_or(17)]
    pub size: u32,
}

#[component]
pub fn LampMark(props: &Props) -> Html {
    let lang = use_lang();
    let title = name(lang, &props.lamp);
    let (class, shape) = match &props.lamp {
        Lamp::Unscheduled => (
            "g-wait",
            html! { <circle class="ln" cx="10" cy="10" r="6.8" stroke-dasharray="3.05 2.3" style="stroke-linecap:butt" /> },
        ),
        Lamp::Init { done, of } => ("g-init", init_arcs(*done, (*of).max(1))),
        Lamp::Pulling { share } => (
            "g-pull",
            html! {<>
                <circle class="tr" cx="10" cy="10" r="7.4" />
                <path class="ln" d={arc(7.4, 0.0, f64::from(*share).clamp(0.02, 0.999))} />
                <path class="ln" style="stroke-width:1.6" d="M10 6.6v6M7.6 10.4l2.4 2.4 2.4-2.4" />
            </>},
        ),
        Lamp::Starting => (
            "g-start turn",
            html! {<>
                <circle class="tr" cx="10" cy="10" r="6.8" />
                <path class="ln" d="M10 3.2A6.8 6.8 0 1 1 3.53 12.1" />
            </>},
        ),
        Lamp::NotReadyYet => ("g-unready", half_disc()),
        Lamp::NoLongerReady => ("g-unready again", half_disc()),
        Lamp::Ready => ("g-ready", html! { <circle class="fl" cx="10" cy="10" r="7.5" /> }),
        Lamp::Terminating { since, until } => {
            ("g-leave", html! { <Grace since={*since} until={*until} number={props.size >= 15} /> })
        }
        Lamp::CrashLoop => (
            "g-crash",
            html! {<>
                <path class="fl" d="M8.6 2.9a1.6 1.6 0 0 1 2.8 0l7 12.4a1.5 1.5 0 0 1-1.4 2.3H3a1.5 1.5 0 0 1-1.4-2.3z" />
                <path class="mk" d="M10 7.6v4M10 14.6v.1" />
            </>},
        ),
        Lamp::CannotStart => (
            "g-bad",
            html! {<>
                <path class="ln" style="stroke-width:1.8" d="M8.8 3.4a1.4 1.4 0 0 1 2.4 0l6.5 11.5a1.3 1.3 0 0 1-1.2 2H3.5a1.3 1.3 0 0 1-1.2-2z" />
                <path class="ln" style="stroke-width:1.8" d="M10 8v3.4M10 14.2v.1" />
            </>},
        ),
        Lamp::Failed => ("g-fail", square("M7.2 7.2l5.6 5.6M12.8 7.2l-5.6 5.6")),
        Lamp::Succeeded => ("g-done", square("M6.4 10.3l2.5 2.5 4.8-5.2")),
        Lamp::Unknown => (
            "g-lost",
            html! {<>
                <path class="ln" style="stroke-width:1.6" stroke-dasharray="2.6 2" d="M10 1.8l8.2 8.2-8.2 8.2L1.8 10z" />
                <text x="10" y="13.2" style="font-size:9.5px">{ "?" }</text>
            </>},
        ),
    };
    let size = match props.lamp {
        Lamp::Terminating { .. } if props.size == 17 => 20,
        _ => props.size,
    }
    .to_string();
    html! {
        <svg class={classes!("g", class)} width={size.clone()} height={size} viewBox="0 0 20 20" role="img">
            <title>{ title }</title>
            { shape }
        </svg>
    }
}

#[derive(Properties, PartialEq)]
struct GraceProps {
    since: u64,
    until: u64,
    number: bool,
}

/// The emptying ring: its own component, so that the clock redraws the ring and not the tile.
#[component]
fn Grace(props: &GraceProps) -> Html {
    let (since, until) = (props.since, props.until);
    // Eight steps a second are smooth enough at this size.
    let eighths = use_part(&state().clock, move |clock| until.saturating_sub(clock.now) / 125_000_000);
    let total = (until.saturating_sub(since) / 125_000_000).max(1);
    let share = (eighths as f64 / total as f64).clamp(0.0, 0.999);
    html! {<>
        <circle class="tr" cx="10" cy="10" r="8" />
        if share > 0.0 {
            <path class="ln" d={arc(8.0, 1.0 - share, 1.0)} />
        }
        if props.number {
            <text x="10" y="13.1">{ eighths.div_ceil(8) }</text>
        }
    </>}
}

fn half_disc() -> Html {
    html! {<>
        <circle class="ln" cx="10" cy="10" r="6.6" />
        <path class="fl" d="M10 3.4a6.6 6.6 0 0 0 0 13.2z" />
    </>}
}

fn square(mark: &'static str) -> Html {
    html! {<>
        <rect class="fl" x="2.8" y="2.8" width="14.4" height="14.4" rx="3" />
        <path class="mk" d={mark} />
    </>}
}

/// One arc per init container, those that are done in full colour.
fn init_arcs(done: u32, of: u32) -> Html {
    let shown = of.min(8);
    let gap = if shown > 1 { 0.05 } else { 0.0 };
    let arcs = (0..shown).map(|index| {
        let from = f64::from(index) / f64::from(shown) + gap / 2.0;
        let to = (f64::from(index + 1) / f64::from(shown) - gap / 2.0).min(from + 0.999);
        let class = if index < done { "ln" } else { "tr" };
        html! { <path class={class} style="stroke-width:3;stroke-linecap:butt" d={arc(6.6, from, to)} /> }
    });
    html! { <>{ for arcs }</> }
}

/// An arc about the middle of the 20 px grid, clockwise, from and to in turns from twelve o'clock.
fn arc(radius: f64, from: f64, to: f64) -> String {
    let point = |turn: f64| (10.0 + radius * (turn * TAU).sin(), 10.0 - radius * (turn * TAU).cos());
    let ((x0, y0), (x1, y1)) = (point(from), point(to));
    let large = u8::from(to - from > 0.5);
    format!("M{x0:.2} {y0:.2}A{radius} {radius} 0 {large} 1 {x1:.2} {y1:.2}")
}
