//! The left edge: clients outside the cluster, Ingresses, Services.

use protocol::view::{EndpointState, Ingress, ObjectRef, Service};
use yew::prelude::*;

use super::hover;
use super::layout::Rect;
use crate::icon::{Glyph, Icon};
use crate::state::state;
use crate::store::use_part;
use crate::words::{Lang, W, use_lang};
use crate::{actions, format};

/// Endpoint bars that fit; above it the number says the rest.
const BARS_MAX: usize = 7;
const RULES_MAX: usize = 3;

#[derive(Properties, PartialEq)]
pub struct ClientsProps {
    pub rect: Option<Rect>,
}

fn place(rect: Option<Rect>) -> Option<String> {
    rect.map(|rect| format!("position:absolute;{}", rect.style()))
}

#[component]
pub fn ClientsBox(props: &ClientsProps) -> Html {
    let lang = use_lang();
    let clients = use_part(&state().cluster, |cluster| cluster.clients.clone());
    let failing = clients.failing > 0.0;
    // What failed long ago is not the cluster's state.
    let failed = match clients.failed {
        0 => "s-ready b",
        _ if failing => "s-fail b",
        _ => "lab",
    };
    html! {
        <section class={classes!("edge", failing.then_some("failing"))} style={place(props.rect)} aria-label={lang.say(W::Clients)}>
            <h4><Glyph icon={Icon::Globe} />{ lang.say(W::Clients) }</h4>
            <div class="row" style="gap:6px">
                if clients.rate > 0.0 {
                    <span><b>{ format::rate(clients.rate) }</b>{ " req/s" }</span>
                } else {
                    <span>{ lang.say(W::NoTraffic) }</span>
                }
                <span class="grow" />
                <span class={failed} title={lang.say(W::SinceStart)}>
                    { lang.fill(W::Failed, &[&format::grouped(clients.failed)]) }
                </span>
            </div>
        </section>
    }
}

/// Lines that the rules and the latency take.
pub fn ingress_lines(ingress: &Ingress) -> usize {
    ingress.rules.len().clamp(1, RULES_MAX) + 1
}

#[derive(Properties, PartialEq)]
pub struct BoxProps {
    pub id: AttrValue,
    pub rect: Option<Rect>,
}

#[hook]
fn use_is_selected(kind: &'static str, id: &AttrValue) -> bool {
    let id = id.clone();
    use_part(&state().selection, move |selection| {
        selection.object.as_ref().is_some_and(|object| {
            object.kind == kind && id.split_once('/') == Some((object.namespace.as_str(), object.name.as_str()))
        })
    })
}

fn select(kind: &str, namespace: &str, name: &str) -> Callback<MouseEvent> {
    let object = ObjectRef { kind: kind.into(), namespace: namespace.into(), name: name.into() };
    Callback::from(move |_| actions::select(Some(object.clone())))
}

#[component]
pub fn IngressBox(props: &BoxProps) -> Html {
    let id = props.id.clone();
    let ingress = use_part(&state().cluster, move |cluster| cluster.ingresses.get(id.as_str()).cloned());
    let p99 = use_part(&state().cluster, |cluster| cluster.clients.p99.round() as u32);
    let selected = use_is_selected("Ingress", &props.id);
    let Some(ingress) = ingress else { return Html::default() };
    let rules = ingress.rules.iter().take(RULES_MAX).map(|rule| {
        let host = if rule.host.is_empty() { "*" } else { &rule.host };
        html! { <div class="addr cut">{ format!("{host}{}", rule.path) }</div> }
    });
    html! {
        <button class={classes!("edge", selected.then_some("sel"))} style={place(props.rect)} data-tile={format!("ingress/{}", props.id)}
            onmouseenter={hover::enter(format!("ingress/{}", props.id))} onmouseleave={hover::leave}
            aria-pressed={selected.to_string()} onclick={select("Ingress", &ingress.namespace, &ingress.name)}>
            <h4><Glyph icon={Icon::Ingress} /><span class="cut">{ &ingress.name }</span></h4>
            { for rules }
            <div>{ "p99 " }<b>{ if p99 > 0 { format!("{p99} ms") } else { "–".into() } }</b></div>
        </button>
    }
}

#[component]
pub fn ServiceBox(props: &BoxProps) -> Html {
    let lang = use_lang();
    let id = props.id.clone();
    let service = use_part(&state().cluster, move |cluster| cluster.services.get(id.as_str()).cloned());
    let selected = use_is_selected("Service", &props.id);
    let hovered = use_part(&state().hover, |hover| hover.as_deref()?.strip_prefix("pod/").map(str::to_owned));
    let Some(service) = service else { return Html::default() };
    let none = service.endpoints.is_empty() && service.kind != "ExternalName";
    let bars = service.endpoints.iter().take(BARS_MAX).map(|endpoint| {
        html! {
            <i class={classes!(match endpoint.state {
                EndpointState::Ready => "",
                EndpointState::NotReady => "st",
                EndpointState::Draining => "lv",
            }, (hovered.as_ref() == Some(&endpoint.pod)).then_some("lit"))} />
        }
    });
    html! {
        <button class={classes!("edge", selected.then_some("sel"), none.then_some("none"))} style={place(props.rect)}
            data-tile={format!("service/{}", props.id)}
            onmouseenter={hover::enter(format!("service/{}", props.id))} onmouseleave={hover::leave} aria-pressed={selected.to_string()}
            onclick={select("Service", &service.namespace, &service.name)}>
            <h4><Glyph icon={Icon::Service} /><span class="cut">{ &service.name }</span></h4>
            <div class={classes!("cut", (service.kind != "Headless").then_some("addr"))}>{ address(lang, &service) }</div>
            <div class="eps" aria-hidden="true">
                { for bars }
                if none {
                    <i class="no" /><i class="no" />
                }
            </div>
            if service.kind != "Headless" {
                <div class="say">{ endpoints(lang, &service) }</div>
            }
        </button>
    }
}

fn address(lang: Lang, service: &Service) -> String {
    if service.kind == "Headless" {
        return lang.say(W::Headless).to_owned();
    }
    let port = service.ports.first().map(|port| port.split('/').next().unwrap_or(port)).unwrap_or_default();
    match port {
        "" => service.address.clone(),
        port => format!("{}:{port}", service.address),
    }
}

fn endpoints(lang: Lang, service: &Service) -> String {
    let count = |state: EndpointState| service.endpoints.iter().filter(|endpoint| endpoint.state == state).count();
    let mut parts = vec![(W::NReady, count(EndpointState::Ready))];
    parts.extend([(W::NNotReady, count(EndpointState::NotReady)), (W::NDraining, count(EndpointState::Draining))]);
    if parts.iter().all(|(_, count)| *count == 0) {
        return lang.say(W::NoEndpoints).to_owned();
    }
    let said = parts.into_iter().enumerate().filter(|(index, (_, count))| *index == 0 || *count > 0);
    let texts: Vec<_> = said.map(|(_, (word, count))| lang.fill(word, &[&count.to_string()])).collect();
    texts.join(if lang.is_chinese() { "，" } else { ", " })
}
