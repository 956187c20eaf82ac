//! The time deck: transport, clock, speed, timeline.

mod scale;
mod timeline;

use protocol::Speed;
use protocol::view::Clock;
use yew::prelude::*;

use crate::icon::{Glyph, Icon};
use crate::state::state;
use crate::store::use_part;
use crate::words::{Lang, W, use_lang};
use crate::{actions, format};

pub use timeline::Timeline;

#[derive(Properties, PartialEq)]
pub struct Props {
    /// The reduced page and narrow windows: no step, two speeds.
    #[prop_or_default]
    pub mini: bool,
}

#[component]
pub fn Deck(props: &Props) -> Html {
    html! {
        <footer class={classes!("deck", props.mini.then_some("mini"))}>
            <div class="transport">
                <PlayButton />
                if !props.mini {
                    <StepButton />
                }
                <VirtualClock />
                <Speeds mini={props.mini} />
            </div>
            <Timeline mini={props.mini} />
        </footer>
    }
}

#[component]
fn PlayButton() -> Html {
    let lang = use_lang();
    let running = use_part(&state().clock, |clock| clock.running);
    let label = lang.say(if running { W::PauseTime } else { W::Play });
    html! {
        <button class="play" aria-label={label} title={label} onclick={|_| actions::toggle_run()}>
            <Glyph icon={if running { Icon::Pause } else { Icon::Play }} />
        </button>
    }
}

#[component]
fn StepButton() -> Html {
    let label = use_lang().say(W::Step);
    html! {
        <button class="btn ico line" aria-label={label} title={label} onclick={|_| actions::step()}><Glyph icon={Icon::Step} /></button>
    }
}

#[component]
fn VirtualClock() -> Html {
    let lang = use_lang();
    let now = use_part(&state().clock, |clock| clock.now / 1_000_000 * 1_000_000);
    let note = use_part(&state().clock, move |clock| note(lang, clock));
    html! {
        <div class="clock" role="timer" aria-live="off">
            { format::moment(now) }<span class="ms">{ format::thousandths(now) }</span>
            <small>{ note }</small>
        </div>
    }
}

fn note(lang: Lang, clock: &Clock) -> String {
    match (clock.running, clock.actual, clock.speed) {
        (true, Some(actual), Some(asked)) if actual < asked * 0.9 => {
            lang.fill(W::SlowTime, &[&format!("{actual:.1}"), &format!("{asked:.0}")])
        }
        (true, ..) => lang.say(W::LiveTime).to_owned(),
        (false, ..) if clock.settled => lang.say(W::SettledTime).to_owned(),
        (false, ..) => lang.say(W::PausedTime).to_owned(),
    }
}

#[derive(Properties, PartialEq)]
struct SpeedsProps {
    mini: bool,
}

#[component]
fn Speeds(props: &SpeedsProps) -> Html {
    let lang = use_lang();
    let speed = use_part(&state().clock, |clock| clock.speed);
    let shown = if props.mini { &actions::SPEEDS[..2] } else { &actions::SPEEDS[..] };
    let radio = |chosen: bool, text: String, title: &str, speed: Speed| {
        html! {
            <button role="radio" aria-checked={chosen.to_string()} title={title.to_owned()} onclick={move |_| actions::speed(speed)}>{ text }</button>
        }
    };
    html! {
        <span class="seg speeds" role="radiogroup" aria-label={lang.say(W::Speed)}>
            { for shown.iter().map(|factor| radio(speed == Some(*factor), format!("{factor:.0}×"), "", Speed::Times { factor: *factor })) }
            if !props.mini {
                { radio(speed.is_none(), lang.say(W::UntilSettled).to_owned(), lang.say(W::UntilSettledHint), Speed::UntilSettled) }
            }
        </span>
    }
}
