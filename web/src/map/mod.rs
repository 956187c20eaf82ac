//! The cluster as a map: control plane above, clients and Services on the left, nodes and their Pods, volumes below.

mod canvas;
mod claim;
mod control_plane;
mod edge;
mod empty;
mod hover;
pub mod layout;
mod navigate;
mod node;
mod pod;
pub mod slots;
mod tools;
mod wires;

use std::collections::BTreeMap;

use protocol::view::{Ingress, Pod, Service};
use yew::prelude::*;

use crate::size::use_size;
use crate::state::{Cluster, state};
use crate::store::{Row, use_part};
use crate::words::{W, use_lang};
use crate::{actions, browser};

use claim::ClaimPair;
use control_plane::ControlPlaneStrip;
use edge::{ClientsBox, IngressBox, ServiceBox};
use empty::Empty;
use layout::{Inventory, Layout};
use node::NodeCard;
use tools::Tools;
pub use tools::start_filter;
use wires::Wires;

/// Below this width a node is a row of tiles in a list, and there are no wires.
pub const LIST_BELOW: f64 = 640.0;
/// Above so many Pods tiles give way to marks on a canvas.
const TILES_MAX: usize = 400;

/// What of the cluster is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub namespace: String,
    /// In lower case.
    pub text: String,
}

impl Filter {
    pub fn passes_namespace(&self, namespace: &str) -> bool {
        self.namespace.is_empty() || self.namespace == namespace
    }

    pub fn passes(&self, pod: &Pod) -> bool {
        self.text.is_empty()
            || [&pod.name, &pod.owner, &pod.status, &pod.node, &pod.ip, &pod.namespace]
                .iter()
                .any(|field| field.to_lowercase().contains(&self.text))
    }
}

#[component]
pub fn Map() -> Html {
    let lang = use_lang();
    let pane = use_node_ref();
    let (width, height) = use_size(&pane);
    let filter = use_part(&state().frame, |frame| Filter {
        namespace: frame.namespace.clone(),
        text: frame.filter.trim().to_lowercase(),
    });
    let (traffic, storage, system) =
        use_part(&state().prefs, |prefs| (prefs.show_traffic, prefs.show_storage, prefs.show_system));
    let zoom = use_part(&state().frame, |frame| if frame.zoom > 0.0 { frame.zoom } else { 1.0 });
    let embed = browser::is_embed();

    use_effect_with(system, |system| {
        let system = *system;
        state().cluster.change(|cluster| cluster.set_show_system(system, browser::now_ms()));
    });

    let chosen = filter.clone();
    let inventory = use_part(&state().cluster, move |cluster| {
        take_inventory(cluster, &chosen, width / zoom, storage, system, embed)
    });
    let many = use_part(&state().cluster, |cluster| cluster.visible_pods() > TILES_MAX);
    let empty = use_part(&state().cluster, |cluster| cluster.is_empty() && !cluster.nodes.is_empty());
    let text = filter.clone();
    let nothing = use_part(&state().cluster, move |cluster| {
        !text.text.is_empty() && !cluster.pods.values().any(|pod| text.passes(pod))
    });
    let list = width > 0.0 && width < LIST_BELOW && !embed;
    let layout = use_memo((inventory.clone(), list), |(inventory, _)| Layout::of(inventory));

    let onkeydown = Callback::from(navigate::on_key);
    let onclick = Callback::from(|event: MouseEvent| {
        // A click on the map itself, not on something on it.
        if navigate::is_background(&event) {
            actions::select(None);
        }
    });
    let fit = {
        let (content_width, content_height) = (layout.width, layout.height);
        Callback::from(move |()| {
            state().cluster.change(Cluster::fit_slots);
            let scale = (height / content_height).min(1.0).max(width / content_width * 0.5).clamp(0.4, 1.0);
            state().frame.change(|frame| frame.zoom = scale);
        })
    };
    let nodes: Vec<AttrValue> = inventory.nodes.iter().map(|(name, _)| name.clone().into()).collect();
    let card = |name: &AttrValue| {
        let rect = (!list).then(|| layout.nodes.get(name.as_str()).copied()).flatten();
        html! { <NodeCard key={name.to_string()} name={name.clone()} {rect} filter={filter.clone()} canvas={many} /> }
    };
    let boxes = html! {<>
        if inventory.clients {
            <ClientsBox rect={layout.clients.filter(|_| !list)} />
        }
        { for inventory.ingresses.iter().map(|(id, _)| html! {
            <IngressBox key={format!("i/{id}")} id={id.clone()} rect={layout.ingresses.get(id).copied().filter(|_| !list)} />
        }) }
        { for inventory.services.iter().map(|(id, _)| html! {
            <ServiceBox key={format!("s/{id}")} id={id.clone()} rect={layout.services.get(id).copied().filter(|_| !list)} />
        }) }
    </>};
    html! {
        <div class="mapframe">
            if !embed {
                <Tools {fit} {list} />
            }
            <div ref={pane} class={classes!("map", list.then_some("list"), embed.then_some("flat"))} tabindex="-1"
                role="group" aria-label={lang.say(W::Map)} data-map="" {onkeydown} {onclick}>
                if width > 0.0 {
                    if list {
                        if !inventory.compact {
                            <ControlPlaneStrip rect={None::<layout::Rect>} />
                        }
                        <div class="boxes">{ boxes }</div>
                        { for nodes.iter().map(card) }
                    } else {
                        <div class="zoom" style={format!("width:{0:.0}px;height:{1:.0}px", layout.width * zoom, layout.height * zoom)}>
                            <div class="plane" style={format!("width:{:.0}px;height:{:.0}px;transform:scale({zoom})", layout.width, layout.height)}>
                                if !inventory.compact {
                                    <ControlPlaneStrip rect={layout.control_plane} />
                                }
                                { boxes }
                                { for nodes.iter().map(card) }
                                if let Some(rect) = layout.storage.filter(|_| storage) {
                                    <claim::StorageLabel {rect} />
                                }
                                { for layout.claims.iter().map(|(id, rect)| html! {
                                    <ClaimPair key={format!("c/{id}")} id={id.clone()} rect={*rect} />
                                }) }
                                <Wires layout={(*layout).clone()} traffic={traffic && !many} {storage} />
                                <hover::HoverCard layout={(*layout).clone()} />
                            </div>
                        </div>
                    }
                }
                if empty && !embed {
                    <Empty />
                }
                if nothing {
                    <div class="mapnote" role="status">
                        <span>{ lang.fill(W::NothingMatches, &[&filter.text]) }</span>
                        <button class="btn sm line" onclick={|_| state().frame.change(|frame| frame.filter.clear())}>
                            { lang.say(W::ClearFilter) }
                        </button>
                    </div>
                }
            </div>
        </div>
    }
}

fn take_inventory(
    cluster: &Cluster,
    filter: &Filter,
    width: f64,
    storage: bool,
    system: bool,
    embed: bool,
) -> Inventory {
    let shown = |namespace: &str| filter.passes_namespace(namespace) && (system || namespace != "kube-system");
    let is_api = |service: &Service| service.namespace == "default" && service.name == "kubernetes";
    let ingresses = cluster.ingresses.values().filter(|row| shown(&row.namespace));
    let services = cluster.services.values().filter(|row| shown(&row.namespace) && (system || !is_api(row)));
    let mounted_at: BTreeMap<&str, &str> = cluster
        .pods
        .values()
        .filter(|pod| !pod.node.is_empty())
        .flat_map(|pod| pod.claims.iter().map(|claim| (claim.as_str(), pod.node.as_str())))
        .collect();
    let volume_node =
        |claim: &str| cluster.volumes.values().find(|row| row.claim == claim).map(|row| row.node.as_str());
    let claims = cluster.claims.values().filter(|row| storage && !embed && shown(&row.namespace)).map(|row| {
        let node = mounted_at.get(row.key.as_str()).copied().or_else(|| volume_node(&row.key));
        (row.key.clone(), node.unwrap_or_default().to_owned())
    });
    let ingresses: Vec<&Row<Ingress>> = ingresses.collect();
    let mut services: Vec<_> = services.collect();
    // The nearer to the clients, the higher: an Ingress's backends, then what is open to the outside, then the rest.
    services.sort_by_key(|row| {
        let routed = ingresses.iter().flat_map(|ingress| &ingress.rules).any(|rule| rule.service == row.key);
        let outside = matches!(row.kind.as_str(), "NodePort" | "LoadBalancer");
        (!routed, !outside, row.kind == "Headless")
    });
    let services = services.into_iter().map(|row| (row.key.clone(), row.kind != "Headless")).collect();
    let ingresses: Vec<_> = ingresses.iter().map(|row| (row.key.clone(), edge::ingress_lines(row))).collect();
    let many = cluster.visible_pods() > TILES_MAX;
    let rows = |node: &str| match cluster.slot_rows(node) {
        rows if many => canvas::tile_rows(rows * slots::Slots::COLUMNS),
        rows => rows,
    };
    Inventory {
        width,
        compact: embed,
        clients: !ingresses.is_empty() || cluster.clients.rate > 0.0 || cluster.clients.succeeded > 0,
        ingresses,
        services,
        nodes: cluster.nodes.iter().map(|node| (node.name.clone(), rows(&node.name))).collect(),
        claims: claims.collect(),
    }
}
