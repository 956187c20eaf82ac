//! The timeline: what was done, what is under way, what went wrong, and how much traffic there was.

use protocol::view::{Mark, MarkKind};
use yew::prelude::*;

use super::scale::Scale;
use crate::format;
use crate::size::use_size;
use crate::state::state;
use crate::store::use_part;
use crate::words::{Lang, W, use_lang};

/// The graph has no more points than this, however long the run.
const POINTS_MAX: usize = 300;
const LABEL_WIDTH: f64 = 6.2;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub mini: bool,
}

#[component]
pub fn Timeline(props: &Props) -> Html {
    let lang = use_lang();
    let pane = use_node_ref();
    let (width, height) = use_size(&pane);
    let version = use_part(&state().timeline, |timeline| timeline.version);
    let last = use_part(&state().timeline, |timeline| {
        timeline.marks.iter().filter(|mark| mark.kind == MarkKind::Planned).map(|mark| mark.at).max().unwrap_or(0)
    });
    let scale = use_part(&state().clock, move |clock| Scale::new(width, clock.now, last));
    let hover = use_state_eq(|| None::<f64>);
    let onpointermove = {
        let hover = hover.setter();
        Callback::from(move |event: PointerEvent| hover.set(Some(f64::from(event.offset_x()))))
    };
    let onpointerleave = {
        let hover = hover.setter();
        Callback::from(move |_: PointerEvent| hover.set(None))
    };
    html! {
        <div class="scrub" ref={pane} role="img" aria-label={lang.say(W::Timeline)} {onpointermove} {onpointerleave}>
            if width > 0.0 {
                <Marks {scale} {height} {version} mini={props.mini} />
                <Playhead {scale} {height} />
                if let Some(x) = *hover {
                    <Hover {scale} {x} />
                }
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct MarksProps {
    scale: Scale,
    height: f64,
    version: u32,
    mini: bool,
}

#[component]
fn Marks(props: &MarksProps) -> Html {
    let lang = use_lang();
    let (scale, height) = (props.scale, props.height);
    let (marks, traffic) = state().timeline.read(|timeline| (timeline.marks.clone(), timeline.traffic.clone()));
    let now = state().clock.read(|clock| clock.now);
    let ticks = scale.ticks().into_iter().map(|at| {
        let x = scale.x(at);
        html! {<>
            <path d={format!("M{x:.1} 0v4")} stroke="var(--line-2)" />
            <text class="m tick" x={(x + 3.0).to_string()} y="9.5">{ format::moment(at) }</text>
        </>}
    });
    // Spans that lie on one another share one label: the first one's.
    let mut labelled = 0.0;
    let spans = marks.iter().filter(|mark| matches!(mark.kind, MarkKind::Rollout | MarkKind::Trouble)).map(|mark| {
        let (from, to) = (scale.x(mark.at), scale.x(mark.until.unwrap_or(now).max(mark.at)));
        let width = mark.label.chars().count() as f64 * LABEL_WIDTH * 0.85;
        let fits = mark.kind == MarkKind::Trouble && !props.mini && from >= labelled && width < to - from;
        if fits {
            labelled = to;
        }
        span(mark, (from, to), fits, props.mini)
    });
    let spans: Vec<Html> = spans.collect();
    html! {
        <svg aria-hidden="true">
            if !props.mini {
                { for ticks }
            }
            { graph(&traffic, scale, height) }
            { for spans }
            { for flags(&marks, scale, height, props.mini) }
            <title>{ lang.say(W::Timeline) }</title>
        </svg>
    }
}

/// A bar from start to end; one that goes on ends at the playhead, which draws over it.
fn span(mark: &Mark, (x, end): (f64, f64), labelled: bool, mini: bool) -> Html {
    let (y, colour) = match mark.kind {
        MarkKind::Trouble => (if mini { 18 } else { 37 }, "var(--wait)"),
        _ => (if mini { 12 } else { 27 }, "var(--start)"),
    };
    let width = (end - x).max(2.0);
    html! {<>
        <rect x={x.to_string()} y={y.to_string()} width={width.to_string()} height="8" rx="1.5" fill={colour} opacity=".26" />
        <path d={format!("M{:.1} {y}v8", x + 1.0)} stroke={colour} stroke-width="2" />
        if labelled {
            <text class="span" x={(x + 6.0).to_string()} y={format!("{}", f64::from(y) + 7.2)}>{ &mark.label }</text>
        }
    </>}
}

/// Flags of actions, with as many labels as have room.
fn flags(marks: &[Mark], scale: Scale, height: f64, mini: bool) -> Vec<Html> {
    let mut flags: Vec<&Mark> =
        marks.iter().filter(|mark| matches!(mark.kind, MarkKind::Action | MarkKind::Planned)).collect();
    flags.sort_by_key(|mark| mark.at);
    let top = if mini { 4.0 } else { 12.0 };
    let mut drawn = Vec::new();
    for (index, mark) in flags.iter().enumerate() {
        let x = scale.x(mark.at);
        let room = flags.get(index + 1).map_or(scale.width, |next| scale.x(next.at)) - x - 14.0;
        let letters = (room / LABEL_WIDTH) as usize;
        let planned = mark.kind == MarkKind::Planned;
        let label = match mark.label.chars().count() {
            count if count <= letters => mark.label.clone(),
            _ if letters >= 8 => mark.label.chars().take(letters - 1).chain(['…']).collect(),
            _ => String::new(),
        };
        drawn.push(html! {
            <g class={if planned { "flag planned" } else { "flag" }}>
                <path class="pole" d={format!("M{x:.1} {top}V{height}")} />
                <path class="cloth" d={format!("M{x:.1} {}h7l-2.2 3.5 2.2 3.5h-7z", top + 2.0)} />
                if !label.is_empty() {
                    <text x={(x + 10.0).to_string()} y={format!("{}", top + 9.3)}>{ label }</text>
                }
            </g>
        });
    }
    drawn
}

fn graph(traffic: &[(u64, f32)], scale: Scale, height: f64) -> Html {
    let most = traffic.iter().map(|(_, rate)| *rate).fold(0.0, f32::max);
    if most <= 0.0 {
        return Html::default();
    }
    let tall = (height * 0.28).min(19.0);
    let step = traffic.len().div_ceil(POINTS_MAX).max(1);
    let points: Vec<String> = (traffic.chunks(step))
        .filter_map(|chunk| {
            let peak = chunk.iter().map(|(_, rate)| *rate).fold(0.0, f32::max);
            let (at, _) = chunk.first()?;
            Some(format!("{:.1} {:.1}", scale.x(*at), height - f64::from(peak / most) * tall))
        })
        .collect();
    let (Some((first, _)), Some((last, _))) = (traffic.first(), traffic.last()) else { return Html::default() };
    let line = points.join(" ");
    html! {<>
        <path d={format!("M{:.1} {height}L{line}L{:.1} {height}z", scale.x(*first), scale.x(*last))} fill="var(--ink-3)" opacity=".16" />
        <path d={format!("M{line}")} fill="none" stroke="var(--ink-3)" stroke-width="1.2" />
    </>}
}

#[derive(Properties, PartialEq)]
struct PlayheadProps {
    scale: Scale,
    height: f64,
}

/// Now, and the future behind it. Alone in its own drawing, since it moves with every frame.
#[component]
fn Playhead(props: &PlayheadProps) -> Html {
    let scale = props.scale;
    // Half a pixel is all that the eye can follow.
    let half_px = use_part(&state().clock, move |clock| (scale.x(clock.now) * 2.0) as u32);
    let x = f64::from(half_px) / 2.0;
    let rate = use_part(&state().cluster, |cluster| cluster.clients.rate.round() as u32);
    html! {
        <svg aria-hidden="true">
            <defs>
                <pattern id="future" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <path d="M0 0v6" stroke="var(--line)" stroke-width="1.5" />
                </pattern>
            </defs>
            <rect x={x.to_string()} y="0" width={(scale.width - x).max(0.0).to_string()} height={props.height.to_string()} fill="url(#future)" opacity=".55" />
            if rate > 0 {
                <text class="now" x={(x - 5.0).to_string()} y={(props.height - 4.0).to_string()} text-anchor="end">{ format!("{rate} req/s") }</text>
            }
            <path d={format!("M{x} 0V{}", props.height)} stroke="var(--ink)" stroke-width="1.5" />
            <path d={format!("M{} 0h10v6l-5 5-5-5z", x - 5.0)} fill="var(--ink)" />
        </svg>
    }
}

#[derive(Properties, PartialEq)]
struct HoverProps {
    scale: Scale,
    x: f64,
}

/// The moment under the pointer and what is marked near it.
#[component]
fn Hover(props: &HoverProps) -> Html {
    let lang = use_lang();
    let scale = props.scale;
    let at = scale.at(props.x);
    let near = state().timeline.read(|timeline| {
        let touches = |mark: &&Mark| match (mark.kind, mark.until) {
            (MarkKind::Rollout | MarkKind::Trouble, until) => mark.at <= at && until.is_none_or(|until| at <= until),
            _ => (scale.x(mark.at) - props.x).abs() < 8.0,
        };
        timeline.marks.iter().filter(touches).map(|mark| told(lang, mark)).collect::<Vec<_>>()
    });
    let now = state().clock.read(|clock| clock.now);
    let side = if props.x > scale.width - 240.0 {
        format!("right:{:.0}px", scale.width - props.x + 8.0)
    } else {
        format!("left:{:.0}px", props.x + 8.0)
    };
    html! {<>
        <span class="hairline" style={format!("left:{:.0}px", props.x)} />
        <span class="hovered" style={side}>
            <b class="mono">{ format::exact_moment(at) }</b>
            { for near.iter().filter(|_| at <= now || !near.is_empty()).map(|text| html! { <span>{ text }</span> }) }
        </span>
    </>}
}

fn told(lang: Lang, mark: &Mark) -> String {
    match (mark.kind, mark.until) {
        (MarkKind::Planned, _) => format!("{} ({})", mark.label, lang.say(W::Planned)),
        (MarkKind::Rollout | MarkKind::Trouble, Some(until)) => {
            format!("{}, {}", mark.label, format::duration(until.saturating_sub(mark.at)))
        }
        _ => mark.label.clone(),
    }
}
