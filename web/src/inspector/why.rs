//! Why the object is as it is: the chain of causes, what it led to, and where the time went.

use protocol::{Cause, CauseMark, Deed, Inspection, Phase};
use yew::prelude::*;

use super::{Name, ObjectMark};
use crate::format;
use crate::store::Row;
use crate::words::{Lang, W, use_lang};

/// A phase below this share of the whole gets no label of its own.
const LABEL_SHARE_MIN: f64 = 0.18;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub inspection: Row<Inspection>,
}

#[component]
pub fn Why(props: &Props) -> Html {
    let lang = use_lang();
    let Inspection { why, effects, .. } = &*props.inspection;
    let counted = |count: usize, one: W, many: W| match count {
        1 => lang.say(one).to_owned(),
        count => lang.fill(many, &[&count.to_string()]),
    };
    html! {
        <div class="why">
            <Phases inspection={props.inspection.clone()} />
            if why.is_empty() && effects.is_empty() {
                <p class="note">{ lang.say(W::NoCause) }</p>
            }
            if !why.is_empty() {
                <div class="sec"><span>{ lang.say(W::WhyItIs) }</span><span class="lab">{ counted(why.len(), W::OneCause, W::Causes) }</span></div>
                { chain(lang, why) }
            }
            if !effects.is_empty() {
                <div class="sec led"><span>{ lang.say(W::WhatItLedTo) }</span><span class="lab">{ counted(effects.len(), W::OneEffect, W::Effects) }</span></div>
                { chain(lang, effects) }
            }
        </div>
    }
}

/// The first line has its moment, the others how much later they came; after a long gap the moment again.
fn chain(lang: Lang, causes: &[Cause]) -> Html {
    let mut before = None::<u64>;
    let lines = causes.iter().map(|cause| {
        let time = match before {
            Some(before) if cause.at >= before && cause.at - before < 5_000_000_000 => {
                format!("+{}", format::duration(cause.at - before))
            }
            _ => format::exact_moment(cause.at),
        };
        before = Some(cause.at);
        let dot = match cause.mark {
            CauseMark::Action => "act",
            CauseMark::Step => "",
            CauseMark::Ready => "here",
            CauseMark::Trouble => "bad",
            CauseMark::Leaving => "leaving",
        };
        let text = html! { <h5>{ deed(lang, cause) }</h5> };
        let detail = detail(lang, cause);
        html! {
            <li>
                <span class={classes!("dot", dot)} />
                if let Some(object) = &cause.object {
                    <Name object={object.clone()}>{ text }</Name>
                } else {
                    { text }
                }
                <time title={format::exact_moment(cause.at)}>{ time }</time>
                if !detail.is_empty() {
                    <p>
                        if let Some(object) = cause.object.clone().filter(|object| object.kind == "Pod") {
                            <ObjectMark {object} />
                        }
                        <span>{ detail }</span>
                    </p>
                }
            </li>
        }
    });
    html! { <ol class="chain">{ for lines }</ol> }
}

/// What happened, in a few words.
pub fn deed(lang: Lang, cause: &Cause) -> String {
    let word = match &cause.deed {
        Deed::Ran { what } => return lang.fill(W::YouRan, &[what]),
        Deed::Step { name } => return step(lang, name),
        Deed::Ready => return lang.say(W::BecameReady).to_owned(),
        Deed::Created => W::WasCreated,
        Deed::Changed => W::WasChanged,
        Deed::Scaled => W::WasScaled,
        Deed::Bound => W::WasBound,
        Deed::Evicted => W::WasEvicted,
        Deed::Deleted => W::WasDeleted,
    };
    let object = cause.object.as_ref().map(|object| format!("{} {}", object.kind, object.name));
    lang.fill(word, &[&object.unwrap_or_default()])
}

/// Who did it, and what the component says of it.
pub fn detail(lang: Lang, cause: &Cause) -> String {
    let mut parts = Vec::new();
    if !cause.by.is_empty() {
        parts.push(lang.fill(W::DoneBy, &[&cause.by]));
    }
    if let Some(revision) = cause.revision {
        parts.push(lang.fill(W::AtRevision, &[&revision.to_string()]));
    }
    if cause.deed == Deed::Ready {
        parts.push(lang.say(W::GetsTraffic).to_owned());
    }
    if !cause.detail.is_empty() {
        parts.push(cause.detail.clone());
    }
    parts.join(if lang.is_chinese() { "，" } else { ", " })
}

/// A component's step under the name that the page has for it, or else under its own.
fn step(lang: Lang, name: &str) -> String {
    let word = match name {
        "scheduled" => W::StepScheduled,
        "failed" => W::StepUnscheduled,
        "image" => W::StepImage,
        "sandbox" => W::StepSandbox,
        "volume" => W::StepVolume,
        "container" => W::StepContainer,
        "back-off" => W::StepBackOff,
        "probe" => W::StepProbe,
        "preStop hook" => W::StepPreStop,
        "retry" => W::StepRetry,
        "keeps its finalizer" => W::StepFinalizer,
        "status" => W::StepStatus,
        "delete pod" => W::StepDeletion,
        other => return other.to_owned(),
    };
    lang.say(word).to_owned()
}

fn phase(phase: Phase) -> W {
    match phase {
        Phase::Scheduling => W::PhaseScheduling,
        Phase::Volumes => W::PhaseVolumes,
        Phase::Sandbox => W::PhaseSandbox,
        Phase::ImagePull => W::PhaseImagePull,
        Phase::Start => W::PhaseStart,
        Phase::Readiness => W::PhaseReadiness,
    }
}

#[component]
fn Phases(props: &Props) -> Html {
    let lang = use_lang();
    let phases = &props.inspection.phases;
    let total: u64 = phases.iter().map(|(_, ns)| *ns).sum();
    if total == 0 {
        return Html::default();
    }
    let share = |ns: u64| ns as f64 / total as f64;
    let ready = props.inspection.why.iter().any(|cause| cause.mark == CauseMark::Ready);
    let spoken: Vec<_> =
        phases.iter().map(|(name, ns)| format!("{} {}", lang.say(phase(*name)), format::duration(*ns))).collect();
    html! {<>
        <div class="sec">
            <span>{ lang.say(if ready { W::FromCreation } else { W::PhasesSoFar }) }</span>
            <span class="mono">{ format::duration(total) }</span>
        </div>
        <div class="spent" role="img" aria-label={spoken.join(", ")}>
            { for phases.iter().zip(&spoken).enumerate().map(|(index, ((_, ns), title))| html! {
                <i class={(index % 2 == 1).then_some("p")} style={format!("flex:{:.4}", share(*ns))} title={title.clone()} />
            }) }
        </div>
        <div class="spentl" aria-hidden="true">
            { for phases.iter().zip(&spoken).map(|((_, ns), text)| html! {
                <span class="cut" style={format!("flex:{:.4}", share(*ns))}>{ if share(*ns) >= LABEL_SHARE_MIN { text.as_str() } else { "" } }</span>
            }) }
        </div>
    </>}
}
