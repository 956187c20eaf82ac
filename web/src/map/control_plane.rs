//! The control plane as a strip: each component with its own numbers, and the Pods that wait in the scheduler.

use protocol::Act;
use protocol::view::{ComponentState, Pod};
use yew::prelude::*;

use super::layout::Rect;
use super::pod::PodTile;
use crate::icon::{Glyph, Icon};
use crate::state::state;
use crate::store::{Row, use_part};
use crate::words::{W, use_lang};
use crate::{actions, format};

/// Waiting Pods that get a tile; the number says the rest.
const WAITING_MAX: usize = 2;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub rect: Option<Rect>,
}

#[component]
pub fn ControlPlaneStrip(props: &Props) -> Html {
    let lang = use_lang();
    let plane = use_part(&state().cluster, |cluster| cluster.control_plane.clone());
    let wide = props.rect.is_some_and(|rect| rect.width > 900.0);
    let shown = if wide { WAITING_MAX + 1 } else { 1 };
    let waiting = use_part(&state().cluster, move |cluster| {
        let pods = cluster.control_plane.waiting.iter().filter_map(|key| cluster.pods.get(key));
        pods.take(shown).cloned().collect::<Vec<Row<Pod>>>()
    });
    let selected = use_part(&state().selection, |selection| selection.object.clone());
    let total = plane.active + plane.backoff + plane.unschedulable;
    let more = (total as usize).saturating_sub(waiting.len());
    let tile = |pod: &Row<Pod>| {
        let selected = selected
            .as_ref()
            .is_some_and(|object| object.kind == "Pod" && object.name == pod.name && object.namespace == pod.namespace);
        html! { <PodTile key={pod.key.clone()} pod={pod.clone()} {selected} /> }
    };
    html! {
        <div class={classes!("cp", wide.then_some("wide"))} style={props.rect.map(|rect| format!("position:absolute;{}", rect.style()))}
            role="group" aria-label={lang.say(W::ControlPlane)}>
            <ComponentBox name="etcd" title="etcd" can_pause=false>
                <div class="etcd">
                    <div class="m lead">{ lang.say(W::Revision) }<b>{ format::grouped(plane.revision) }</b></div>
                    <div class="m">{ lang.say(W::ObjectsStored) }<b>{ format::grouped(plane.objects) }</b></div>
                </div>
            </ComponentBox>
            <ComponentBox name="kube-apiserver" title="kube-apiserver" can_pause=false>
                <div class="row req">
                    <span class="big">{ format::rate(plane.requests_per_second) }<span class="lab">{ " req/s" }</span></span>
                    <Sparkline values={plane.request_history.clone()} />
                </div>
                <div class="kv">
                    <span><b>{ plane.watches }</b>{ format!(" {}", lang.say(W::Watches)) }</span>
                    <span>{ "p99 " }<b>{ format!("{:.0} ms", plane.request_p99) }</b></span>
                </div>
            </ComponentBox>
            <ComponentBox name="kube-controller-manager" title={lang.say(W::Controllers)}>
                <div class="kv"><span>{ format!("{} ", lang.say(W::WorkQueues)) }<b>{ plane.queued_work }</b></span></div>
                <div class="kv"><span class="cut">
                    { if plane.working_on.is_empty() { lang.say(W::Idle).to_owned() } else { lang.fill(W::Syncing, &[&plane.working_on]) } }
                </span></div>
            </ComponentBox>
            <ComponentBox name="kube-scheduler" title={lang.say(W::Scheduler)}>
                <div class="kv col">
                    <span>{ "active " }<b>{ plane.active }</b></span>
                    <span>{ "backoff " }<b>{ plane.backoff }</b></span>
                    <span>{ "unschedulable " }<b>{ plane.unschedulable }</b></span>
                </div>
                <div class="queue">
                    { for waiting.iter().map(tile) }
                    if more > 0 && !waiting.is_empty() {
                        <span class="more">{ format!("+{more}") }<span class="vh">{ lang.fill(W::MoreWait, &[&more.to_string()]) }</span></span>
                    }
                </div>
            </ComponentBox>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ComponentProps {
    /// As the core calls it.
    name: AttrValue,
    title: AttrValue,
    #[prop_or(true)]
    can_pause: bool,
    children: Html,
}

#[component]
fn ComponentBox(props: &ComponentProps) -> Html {
    let lang = use_lang();
    let name = props.name.clone();
    let component = use_part(&state().cluster, move |cluster| cluster.component(&name));
    let paused = component == ComponentState::Paused;
    let (class, beat) = match component {
        ComponentState::Running => ("", "beat"),
        ComponentState::Paused => ("paused", "beat bars"),
        ComponentState::Killed => ("killed", "beat hollow fail"),
        ComponentState::Slow => ("slow", "beat hollow wait"),
    };
    let onclick = {
        let component = props.name.to_string();
        Callback::from(move |_: MouseEvent| {
            let component = component.clone();
            actions::act(if paused { Act::Resume { component } } else { Act::Pause { component } });
        })
    };
    let label = lang.fill(if paused { W::Resume } else { W::Pause }, &[&props.name]);
    html! {
        <section class={classes!("comp", class)}>
            <h4>
                <span class={beat} />
                { &props.title }
                if paused {
                    <span class="tag wait">{ lang.say(W::PausedByYou) }</span>
                } else if component == ComponentState::Killed {
                    <span class="tag fail">{ lang.say(W::Killed) }</span>
                }
            </h4>
            if props.can_pause {
                <span class="ctl">
                    <button aria-label={label.clone()} title={label} aria-pressed={paused.to_string()} {onclick}>
                        <Glyph icon={if paused { Icon::Play } else { Icon::Pause }} />
                    </button>
                </span>
            }
            { props.children.clone() }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct SparklineProps {
    values: Vec<f32>,
}

#[component]
fn Sparkline(props: &SparklineProps) -> Html {
    const WIDTH: f32 = 76.0;
    const HEIGHT: f32 = 18.0;
    if props.values.len() < 2 {
        return Html::default();
    }
    let top = props.values.iter().copied().fold(1.0, f32::max);
    let step = WIDTH / (props.values.len() - 1) as f32;
    let points: Vec<String> = (props.values.iter().enumerate())
        .map(|(index, value)| format!("{:.1},{:.1}", index as f32 * step, HEIGHT - 1.0 - value / top * (HEIGHT - 3.0)))
        .collect();
    html! {
        <svg width="76" height="18" aria-hidden="true" class="spark">
            <polyline points={points.join(" ")} fill="none" stroke="var(--ink-3)" stroke-width="1.2" />
        </svg>
    }
}
