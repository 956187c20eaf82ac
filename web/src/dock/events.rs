//! The cluster's events as a table, newest last. Only the rows in view are drawn.

use protocol::EventLine;
use web_sys::Element;
use yew::prelude::*;

use crate::size::use_size;
use crate::state::state;
use crate::store::{Row, use_part};
use crate::words::{W, use_lang};
use crate::{actions, format};

const ROW: f64 = 24.0;
/// Rows drawn above and below what is in view.
const MARGIN: usize = 10;

#[component]
pub fn EventTable() -> Html {
    let lang = use_lang();
    let pane = use_node_ref();
    let (_, height) = use_size(&pane);
    let top = use_state_eq(|| 0.0);
    let stick = use_mut_ref(|| true);
    let namespace = use_part(&state().frame, |frame| frame.namespace.clone());
    let chosen = namespace.clone();
    let shown = move |event: &EventLine| {
        chosen.is_empty() || event.object.namespace.is_empty() || event.object.namespace == chosen
    };
    let count_shown = shown.clone();
    let count = use_part(&state().events, move |events| events.iter().filter(|event| count_shown(event)).count());
    let first = ((*top / ROW) as usize).saturating_sub(MARGIN);
    let rows = (height / ROW).ceil() as usize + 2 * MARGIN;
    let events: Vec<Row<EventLine>> = state()
        .events
        .read(|events| events.iter().filter(|event| shown(event)).skip(first).take(rows).cloned().collect());
    let onscroll = {
        let (top, stick, pane) = (top.setter(), stick.clone(), pane.clone());
        Callback::from(move |_: Event| {
            if let Some(pane) = pane.cast::<Element>() {
                let end = pane.scroll_height() - pane.client_height();
                *stick.borrow_mut() = pane.scroll_top() + 8 >= end;
                top.set(f64::from(pane.scroll_top()));
            }
        })
    };
    {
        // New events are followed for as long as the reader is at the end.
        let pane = pane.clone();
        use_effect_with((count, height as u32), move |_| {
            if let Some(pane) = pane.cast::<Element>().filter(|_| *stick.borrow()) {
                pane.set_scroll_top(pane.scroll_height());
            }
        });
    }
    html! {
        <div class="events" ref={pane} {onscroll} role="table" aria-label={lang.say(W::Events)} aria-rowcount={count.to_string()} tabindex="0">
            <div class="erow head" role="row">
                { for [W::ColTime, W::ColType, W::ColReason, W::ColObject, W::ColMessage].iter().map(|word| html! {
                    <span role="columnheader">{ lang.say(*word) }</span>
                }) }
            </div>
            if count == 0 {
                <p class="note">{ lang.say(W::NoEventsYet) }</p>
            }
            <div class="body" style={format!("height:{}px", count as f64 * ROW)}>
                { for events.iter().enumerate().map(|(index, event)| line(first + index, event)) }
            </div>
        </div>
    }
}

fn line(index: usize, event: &Row<EventLine>) -> Html {
    let onclick = {
        let event = event.clone();
        Callback::from(move |_: MouseEvent| actions::select(Some(event.object.clone())))
    };
    let kind = if event.warning { "Warning" } else { "Normal" };
    let times = if event.count > 1 { format!(" ×{}", event.count) } else { String::new() };
    let object = format!("{}/{}", event.object.kind.to_lowercase(), event.object.name);
    html! {
        <div key={index} class={classes!("erow", event.warning.then_some("warn"))} role="row" aria-rowindex={(index + 1).to_string()}
            style={format!("top:{}px", index as f64 * ROW)} {onclick}>
            <time role="cell">{ format::exact_moment(event.at) }</time>
            <span role="cell" class="type">{ kind }</span>
            <span role="cell" class="cut">{ format!("{}{times}", event.reason) }</span>
            <span role="cell" class="cut mono"><button title={object.clone()}>{ object }</button></span>
            <span role="cell" class="cut" title={event.message.clone()}>{ &event.message }</span>
        </div>
    }
}
