//! The object's events, in the API's own words, newest first.

use protocol::{EventLine, Inspection};
use yew::prelude::*;

use super::Name;
use crate::format;
use crate::icon::{Glyph, Icon};
use crate::store::Row;
use crate::words::{W, use_lang};

#[derive(Properties, PartialEq)]
pub struct Props {
    pub inspection: Row<Inspection>,
}

#[component]
pub fn Events(props: &Props) -> Html {
    let lang = use_lang();
    let inspection = &props.inspection;
    if inspection.events.is_empty() {
        return html! { <p class="note">{ lang.say(W::NoEvents) }</p> };
    }
    let line = |event: &EventLine| {
        let times = if event.count > 1 { format!(" ×{}", event.count) } else { String::new() };
        html! {
            <li class={classes!("evt", event.warning.then_some("warn"))}>
                <span class="mark"><Glyph icon={if event.warning { Icon::Warning } else { Icon::Check }} /></span>
                <b>{ &event.reason }<span class="mut">{ times }</span></b>
                <time>{ format::exact_moment(event.at) }</time>
                <p>{ &event.message }</p>
                <small>
                    { &event.source }
                    if event.object != inspection.object {
                        { ", " }<Name object={event.object.clone()}>{ format!("{} {}", event.object.kind, event.object.name) }</Name>
                    }
                </small>
            </li>
        }
    };
    html! { <ol class="in evts">{ for inspection.events.iter().rev().map(line) }</ol> }
}
