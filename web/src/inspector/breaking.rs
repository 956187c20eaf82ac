//! The ways to break an object, and to mend it.

use protocol::Act;
use protocol::view::{ComponentState, ObjectRef};
use yew::prelude::*;

use crate::actions;
use crate::icon::{Glyph, Icon};
use crate::state::state;
use crate::store::use_part;
use crate::words::{W, use_lang};

#[derive(Properties, PartialEq)]
pub struct Props {
    pub object: ObjectRef,
}

#[component]
pub fn Breaking(props: &Props) -> Html {
    let lang = use_lang();
    let ways = match props.object.kind.as_str() {
        "Node" => html! { <NodeWays name={props.object.name.clone()} /> },
        "Deployment" | "StatefulSet" | "DaemonSet" => html! {<>
            { kubectl(lang.say(W::Restart), Icon::Restart, "rollout restart", &props.object) }
            { kubectl(lang.say(W::Delete), Icon::Trash, "delete", &props.object) }
        </>},
        _ => kubectl(lang.say(W::Delete), Icon::Trash, "delete", &props.object),
    };
    html! {
        <section>
            <h3>{ lang.say(W::BreakIt) }</h3>
            <div class="brk">{ ways }</div>
        </section>
    }
}

fn way(text: &str, icon: Icon, onclick: Callback<MouseEvent>) -> Html {
    html! { <button class="btn sm line" {onclick}><Glyph {icon} />{ text }</button> }
}

fn kubectl(text: &str, icon: Icon, verb: &'static str, object: &ObjectRef) -> Html {
    let object = object.clone();
    way(text, icon, Callback::from(move |_| actions::kubectl(verb, &object)))
}

fn act(text: &str, icon: Icon, act: Act) -> Html {
    way(text, icon, Callback::from(move |_| actions::act(act.clone())))
}

fn line(text: &str, icon: Icon, line: String) -> Html {
    way(text, icon, Callback::from(move |_| actions::run_line(line.clone())))
}

#[derive(Properties, PartialEq)]
struct NodeProps {
    name: AttrValue,
}

#[component]
fn NodeWays(props: &NodeProps) -> Html {
    let lang = use_lang();
    let name = props.name.clone();
    let (cordoned, off) = use_part(&state().cluster, move |cluster| {
        let node = cluster.nodes.iter().find(|node| node.name == *name);
        node.map(|node| (node.cordoned, node.powered_off)).unwrap_or_default()
    });
    let kubelet = format!("kubelet/{}", props.name);
    let component = kubelet.clone();
    let paused = use_part(&state().cluster, move |cluster| cluster.component(&component) == ComponentState::Paused);
    let (name, node) = (&props.name, props.name.to_string());
    html! {<>
        if cordoned {
            { line(lang.say(W::Uncordon), Icon::Check, format!("kubectl uncordon {name}")) }
        } else {
            { line(lang.say(W::Cordon), Icon::Block, format!("kubectl cordon {name}")) }
        }
        { line(lang.say(W::Evict), Icon::Flag, format!("kubectl drain {name} --ignore-daemonsets --delete-emptydir-data")) }
        if paused {
            { act(lang.say(W::ResumeKubelet), Icon::Play, Act::Resume { component: kubelet }) }
        } else if !off {
            { act(lang.say(W::PauseKubelet), Icon::Pause, Act::Pause { component: kubelet }) }
        }
        if off {
            { act(lang.say(W::PowerOn), Icon::Power, Act::PowerOn { node }) }
        } else {
            { act(lang.say(W::PowerOff), Icon::Power, Act::PowerOff { node }) }
        }
    </>}
}
