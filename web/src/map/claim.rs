//! A claim and its volume, joined where they are bound.

use protocol::view::ObjectRef;
use yew::prelude::*;

use super::hover;
use super::layout::Rect;
use crate::actions;
use crate::state::state;
use crate::store::use_part;
use crate::words::{W, use_lang};

#[derive(Properties, PartialEq)]
pub struct Props {
    pub id: AttrValue,
    pub rect: Rect,
}

#[component]
pub fn ClaimPair(props: &Props) -> Html {
    let lang = use_lang();
    let id = props.id.clone();
    let claim = use_part(&state().cluster, move |cluster| cluster.claims.get(id.as_str()).cloned());
    let id = props.id.clone();
    let volume = use_part(&state().cluster, move |cluster| {
        let claim = cluster.claims.get(id.as_str())?;
        cluster.volumes.get(&claim.volume).cloned()
    });
    let selected = use_part(&state().selection, |selection| selection.object.clone());
    let linked = hover::use_mounts(&props.id);
    let Some(claim) = claim else { return Html::default() };
    let is_selected =
        |kind: &str, name: &str| selected.as_ref().is_some_and(|object| object.kind == kind && object.name == name);
    let select = |kind: &str, namespace: &str, name: &str| {
        let object = ObjectRef { kind: kind.into(), namespace: namespace.into(), name: name.into() };
        Callback::from(move |_: MouseEvent| actions::select(Some(object.clone())))
    };
    let state_class = match claim.phase.as_str() {
        "Bound" => "",
        "Lost" => "lost",
        _ => "wait",
    };
    let claim_selected = is_selected("PersistentVolumeClaim", &claim.name);
    html! {
        <div class={classes!("vol", state_class, linked.then_some("linked"))} style={format!("position:absolute;{}", props.rect.style())}>
            <button class={claim_selected.then_some("sel")} data-tile={format!("claim/{}", props.id)} title={claim.name.clone()}
                aria-pressed={claim_selected.to_string()} onclick={select("PersistentVolumeClaim", &claim.namespace, &claim.name)}>
                <b class="cut">{ &claim.name }</b>
                { format!("{} {}", claim.size, claim.access) }
            </button>
            if let Some(volume) = volume {
                <i class={classes!((claim.phase == "Bound").then_some("bound"))} />
                <button class={is_selected("PersistentVolume", &volume.name).then_some("sel")} title={volume.name.clone()}
                    data-tile={format!("volume/{}", volume.name)} aria-pressed={is_selected("PersistentVolume", &volume.name).to_string()}
                    onclick={select("PersistentVolume", "", &volume.name)}>
                    <b class="cut mono">{ short(&volume.name) }</b>
                    { &volume.phase }
                </button>
            } else {
                <i class="open" />
                <div class="novol">{ &claim.phase }<br />{ lang.say(W::NoVolumeYet) }</div>
            }
        </div>
    }
}

/// A generated name `pvc-<uid>` by its first digits, as far as it fits.
fn short(name: &str) -> &str {
    match name.strip_prefix("pvc-") {
        Some(uid) if uid.len() == 36 => &name[..12],
        _ => name,
    }
}

#[derive(Properties, PartialEq)]
pub struct LabelProps {
    pub rect: Rect,
}

#[component]
pub fn StorageLabel(props: &LabelProps) -> Html {
    let lang = use_lang();
    let class = use_part(&state().cluster, |cluster| {
        cluster.volumes.values().next().map(|volume| (volume.class.clone(), volume.reclaim.clone()))
    });
    html! {
        <div class="zone" style={format!("position:absolute;{}", props.rect.style())}>
            <b>{ lang.say(W::Storage) }</b>
            if let Some((class, reclaim)) = class.filter(|(class, _)| !class.is_empty()) {
                <span>{ lang.fill(W::StorageClass, &[&class, &reclaim]) }</span>
            }
        </div>
    }
}
