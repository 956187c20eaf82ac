//! The object's facts in sections, and the ways to break it.

use protocol::Inspection;
use yew::prelude::*;

use super::breaking::Breaking;
use crate::store::Row;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub inspection: Row<Inspection>,
}

#[component]
pub fn Summary(props: &Props) -> Html {
    let inspection = &props.inspection;
    let rows = |rows: &[(String, String)]| {
        html! {
            <dl class="kvs">
                { for rows.iter().map(|(label, value)| html! { <><dt>{ label }</dt><dd class={state_class(value)}>{ value }</dd></> }) }
            </dl>
        }
    };
    html! {
        <div class="in">
            { rows(&inspection.facts) }
            { for inspection.sections.iter().map(|(title, lines)| html! { <section><h3>{ title }</h3>{ rows(lines) }</section> }) }
            if inspection.deleted.is_none() {
                <Breaking object={inspection.object.clone()} />
            }
        </div>
    }
}

/// Words that are a state take its colour.
fn state_class(value: &str) -> Option<&'static str> {
    match value.split([' ', ',']).next().unwrap_or_default() {
        "Running" | "Ready" | "Bound" | "Active" | "Available" => Some("s-ready"),
        "Pending" | "Waiting" => Some("s-wait"),
        "Failed" | "CrashLoopBackOff" | "Error" | "NotReady" | "Lost" | "OOMKilled" | "ImagePullBackOff" => {
            Some("s-fail")
        }
        "Terminating" => Some("s-leave"),
        _ => None,
    }
}
