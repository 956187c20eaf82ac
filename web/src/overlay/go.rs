//! `:` goes to an object by its kind and name.

use protocol::view::ObjectRef;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::dialog::Frame;
use crate::actions;
use crate::inspector::ObjectMark;
use crate::state::state;
use crate::store::use_part;
use crate::words::{W, use_lang};

const SHOWN_MAX: usize = 12;

#[component]
pub fn Go() -> Html {
    let lang = use_lang();
    let text = use_state_eq(String::new);
    let at = use_state_eq(|| 0usize);
    let typed = text.to_lowercase();
    let found = use_part(&state().cluster, move |cluster| find(cluster.objects(), &typed));
    let chosen = (*at).min(found.len().saturating_sub(1));
    let oninput = {
        let (text, at) = (text.setter(), at.setter());
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                text.set(input.value());
                at.set(0);
            }
        })
    };
    let go = |object: ObjectRef| {
        actions::dialog(None);
        actions::select(Some(object));
    };
    let onkeydown = {
        let (found, at) = (found.clone(), at.setter());
        Callback::from(move |event: KeyboardEvent| {
            match event.key().as_str() {
                "ArrowDown" => at.set((chosen + 1).min(found.len().saturating_sub(1))),
                "ArrowUp" => at.set(chosen.saturating_sub(1)),
                "Enter" => {
                    if let Some(object) = found.get(chosen) {
                        go(object.clone());
                    }
                }
                _ => return,
            }
            event.prevent_default();
        })
    };
    html! {
        <Frame title={lang.say(W::GoTo).to_owned()} class="go">
            <input class="field" type="text" role="combobox" aria-expanded="true" aria-controls="go-list" placeholder={lang.say(W::GoHint)}
                aria-label={lang.say(W::GoTo)} aria-activedescendant={format!("go-{chosen}")} spellcheck="false" {oninput} {onkeydown} />
            <div class="golist" id="go-list" role="listbox">
                { for found.iter().enumerate().map(|(index, object)| {
                    let target = object.clone();
                    html! {
                        <div id={format!("go-{index}")} role="option" aria-selected={(index == chosen).to_string()} onclick={move |_| go(target.clone())}>
                            <ObjectMark object={object.clone()} />
                            <span class="mono cut">{ &object.name }</span>
                            <span class="lab">{ if object.namespace.is_empty() { object.kind.clone() } else { format!("{}, {}", object.kind, object.namespace) } }</span>
                        </div>
                    }
                }) }
                if found.is_empty() {
                    <p class="note">{ lang.fill(W::NothingFound, &[&text]) }</p>
                }
            </div>
        </Frame>
    }
}

/// Objects whose kind, namespace and name contain every word that was typed.
fn find(objects: impl Iterator<Item = ObjectRef>, typed: &str) -> Vec<ObjectRef> {
    let words: Vec<&str> = typed.split_whitespace().collect();
    let fits = |object: &ObjectRef| {
        let whole = format!("{} {} {}", object.kind, object.namespace, object.name).to_lowercase();
        words.iter().all(|word| whole.contains(word) || short(object, word))
    };
    objects.filter(fits).take(SHOWN_MAX).collect()
}

fn short(object: &ObjectRef, word: &str) -> bool {
    match word {
        "svc" => object.kind == "Service",
        "pvc" => object.kind == "PersistentVolumeClaim",
        "pv" => object.kind == "PersistentVolume",
        "sts" => object.kind == "StatefulSet",
        "ds" => object.kind == "DaemonSet",
        "rs" => object.kind == "ReplicaSet",
        "no" => object.kind == "Node",
        "pods" => object.kind == "Pod",
        "nodes" => object.kind == "Node",
        _ => false,
    }
}
