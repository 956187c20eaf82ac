//! Why the object is as it is: the chain of causes, what it led to, and where the time went.

use protocol::{Cause, CauseMark, Inspection};
use yew::prelude::*;

use super::{Name, ObjectMark};
use crate::format;
use crate::store::Row;
use crate::words::{W, use_lang};

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
                { chain(why) }
            }
            if !effects.is_empty() {
                <div class="sec led"><span>{ lang.say(W::WhatItLedTo) }</span><span class="lab">{ counted(effects.len(), W::OneEffect, W::Effects) }</span></div>
                { chain(effects) }
            }
        </div>
    }
}

/// The first line has its moment, the others how much later they came; after a long gap the moment again.
fn chain(causes: &[Cause]) -> Html {
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
        let text = html! { <h5>{ &cause.text }</h5> };
        html! {
            <li>
                <span class={classes!("dot", dot)} />
                if let Some(object) = &cause.object {
                    <Name object={object.clone()}>{ text }</Name>
                } else {
                    { text }
                }
                <time title={format::exact_moment(cause.at)}>{ time }</time>
                if !cause.detail.is_empty() {
                    <p>
                        if let Some(object) = cause.object.clone().filter(|object| object.kind == "Pod") {
                            <ObjectMark {object} />
                        }
                        <span>{ &cause.detail }</span>
                    </p>
                }
            </li>
        }
    });
    html! { <ol class="chain">{ for lines }</ol> }
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
    let spoken: Vec<_> = phases.iter().map(|(name, ns)| format!("{name} {}", format::duration(*ns))).collect();
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
