//! `kubectl drain`

use api::request::{Options, Subresource, Verb};
use api::time::SECOND;
use api::types::Pod;
use api::{Kinded, Request, SimTime, meta};
use serde_json::json;

use super::apply::DryRun;
use super::node::{mark, pick};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, duration, int, switch, text};
use crate::resource::{self, Info};
use crate::task::{Call, Cx};

pub(super) static FLAGS: &[Flag] = &[
    switch("force", ' ', "Also Pods that nothing would make again"),
    switch("ignore-daemonsets", ' ', "Leave the Pods of DaemonSets"),
    switch("delete-emptydir-data", ' ', "Also Pods whose local data is lost"),
    switch("disable-eviction", ' ', "Delete instead of evicting: ignores disruption budgets"),
    int("grace-period", ' ', "-1", "Seconds that a Pod has to end by itself"),
    duration("timeout", "0s", "How long to wait"),
    text("selector", 'l', "Label selector of nodes"),
    text("pod-selector", ' ', "Label selector of Pods"),
    int("skip-wait-for-delete-timeout", ' ', "0", "Do not wait for Pods that are deleted for so many seconds"),
    int("chunk-size", ' ', "500", "Objects to ask for at once"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
];

/// A Pod on its way.
struct Evictee {
    namespace: String,
    name: String,
    uid: String,
}

/// The Pods of a node: those to evict, warnings about some, and reasons why others stand in the way.
#[derive(Default)]
struct Plan {
    evictees: Vec<Evictee>,
    ignored: Vec<String>,
    unmanaged: Vec<String>,
    refused_daemons: Vec<String>,
    refused_unmanaged: Vec<String>,
    refused_local: Vec<String>,
}

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    let dry_run = DryRun::read(&args)?;
    if api::selector::Selector::parse(args.text("pod-selector")).is_err() {
        return Err(Failure::error("--pod-selector=<pod_selector> must be a valid label selector"));
    }
    let picking = args.clone();
    let (nodes, failures) = cx.with(move |call| pick(call, &picking, "drain")).await?;
    if let Some(failure) = Failure::all(failures) {
        return Err(failure);
    }
    let timeout = args.duration("timeout");
    let deadline = (timeout > 0).then_some(cx.now().await + timeout);
    // All nodes are closed before the first is emptied, so that no Pod moves from one to the next.
    let closing = nodes.clone();
    cx.with(move |call| closing.iter().try_for_each(|node| mark(call, node, true, dry_run))).await?;
    let mut pending: Vec<(String, Vec<String>)> = Vec::new();
    for node in nodes {
        if let Err(whys) = drain(&cx, &args, &node, dry_run, deadline).await? {
            let why = match whys.as_slice() {
                [only] => only.clone(),
                many => format!("[{}]", many.join(", ")),
            };
            cx.err_line(format!(
                "error: unable to drain node {:?} due to error: {why}, continuing command...",
                node.name
            ))
            .await;
            pending.push((node.name, whys));
        }
    }
    if pending.is_empty() {
        return Ok(0);
    }
    let mut text = String::from("There are pending nodes to be drained:\n");
    for (name, whys) in pending {
        text.push_str(&format!(" {name}\n{}\n", whys.join("\n")));
    }
    Err(Failure::plain(text.trim_end()))
}

/// Empties one node. The inner error stands in the way of this node alone.
async fn drain(
    cx: &Cx,
    args: &Args,
    node: &Info,
    dry_run: DryRun,
    deadline: Option<SimTime>,
) -> Result<Result<(), Vec<String>>, Failure> {
    let planning = args.clone();
    let name = node.name.clone();
    let plan = cx.with(move |call| plan(call, &planning, &name)).await?;
    let why = plan.obstacles();
    if !why.is_empty() {
        return Ok(Err(why));
    }
    let warnings = plan.warnings();
    if !warnings.is_empty() {
        cx.err_line(format!("Warning: {warnings}")).await;
    }
    let grace = args.int("grace-period");
    let evicts = !args.is("disable-eviction");
    let mut waiting = plan.evictees;
    if evicts || dry_run != DryRun::None {
        let doing = if evicts { "evicting" } else { "deleting" };
        for pod in &waiting {
            cx.out(format!("{doing} pod {}/{}{}\n", pod.namespace, pod.name, dry_run.suffix())).await;
        }
    }
    let timeout = args.text("timeout");
    if dry_run == DryRun::None {
        let mut unsent: Vec<usize> = (0..waiting.len()).collect();
        let mut retry_at = cx.now().await;
        let mut is_again = false;
        while !waiting.is_empty() {
            let now = cx.now().await;
            if now >= retry_at && !unsent.is_empty() {
                let mut refused = Vec::new();
                for at in std::mem::take(&mut unsent) {
                    let (space, name) = (waiting[at].namespace.clone(), waiting[at].name.clone());
                    if is_again {
                        cx.out(format!("evicting pod {space}/{name}\n")).await;
                    }
                    if is_again && deadline.is_some_and(|deadline| now >= deadline) {
                        let why = format!(
                            "error when evicting pods/{name:?} -n {space:?}: global timeout reached: {timeout}"
                        );
                        return pending(cx, args, node, why).await;
                    }
                    let sent = cx.with(move |call| remove(call, &space, &name, grace, evicts)).await;
                    if let Err(status) = sent {
                        match status.code {
                            404 => {}
                            429 => {
                                let pod = &waiting[at];
                                cx.err_line(format!(
                                    "error when evicting pods/{:?} -n {:?} (will retry after 5s): {}",
                                    pod.name, pod.namespace, status.message
                                ))
                                .await;
                                refused.push(at);
                            }
                            _ => {
                                let pod = &waiting[at];
                                let why = format!(
                                    "error when evicting pods/{:?} -n {:?}: {}",
                                    pod.name, pod.namespace, status.message
                                );
                                return pending(cx, args, node, why).await;
                            }
                        }
                    }
                }
                unsent = refused;
                is_again = true;
                retry_at = now + 5 * SECOND;
            }
            let mut left = Vec::new();
            let mut still_unsent = Vec::new();
            for (at, pod) in waiting.into_iter().enumerate() {
                let (space, name, uid) = (pod.namespace.clone(), pod.name.clone(), pod.uid.clone());
                let gone = cx.with(move |call| is_gone(call, &space, &name, &uid)).await;
                if gone {
                    let done = if evicts { "evicted" } else { "deleted" };
                    cx.out(format!("pod/{} {done}\n", pod.name)).await;
                    continue;
                }
                if unsent.contains(&at) {
                    still_unsent.push(left.len());
                }
                left.push(pod);
            }
            (waiting, unsent) = (left, still_unsent);
            if waiting.is_empty() {
                break;
            }
            let sent = waiting.iter().enumerate().find(|(at, _)| !unsent.contains(at));
            if let Some((_, pod)) = sent.filter(|_| deadline.is_some_and(|deadline| now >= deadline)) {
                let why = format!(
                    "error when waiting for pod {:?} in namespace {:?} to terminate: global timeout reached: {timeout}",
                    pod.name, pod.namespace
                );
                return pending(cx, args, node, why).await;
            }
            cx.pause(Some(now + POLL_INTERVAL)).await;
        }
    }
    cx.out(format!("node/{} drained{}\n", node.name, dry_run.suffix())).await;
    Ok(Ok(()))
}

/// Says which Pods are left when something went wrong.
async fn pending(cx: &Cx, args: &Args, node: &Info, why: String) -> Result<Result<(), Vec<String>>, Failure> {
    let (planning, name) = (args.clone(), node.name.clone());
    let left = cx.with(move |call| plan(call, &planning, &name)).await?;
    cx.err_line(format!("There are pending pods in node {:?} when an error occurred: {why}", node.name)).await;
    for pod in left.evictees {
        cx.err_line(format!("pod/{}", pod.name)).await;
    }
    Ok(Err(vec![why]))
}

/// How often the leaving Pods are looked for.
const POLL_INTERVAL: SimTime = SECOND;

fn remove(call: &mut Call, space: &str, name: &str, grace: i64, evicts: bool) -> Result<(), api::Status> {
    if !evicts {
        let options = client::DeleteOptions { grace_period: (grace >= 0).then_some(grace), ..Default::default() };
        return call.client.delete::<Pod>(space, name, options);
    }
    let mut body = json!({
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": name, "namespace": space },
    });
    if grace >= 0 {
        body["deleteOptions"] = json!({ "gracePeriodSeconds": grace });
    }
    let request = Request::new::<Pod>(Verb::Create, space, name).on(Subresource::Eviction).body(body);
    call.request(request).map(drop)
}

fn is_gone(call: &mut Call, space: &str, name: &str, uid: &str) -> bool {
    match call.client.get::<Pod>(space, name) {
        Ok(pod) => pod.metadata.uid.as_deref() != Some(uid),
        Err(status) => status.is_not_found(),
    }
}

fn plan(call: &mut Call, args: &Args, node: &str) -> Result<Plan, Failure> {
    let options = Options {
        field_selector: format!("spec.nodeName={node}"),
        label_selector: args.text("pod-selector").into(),
        ..Options::default()
    };
    let (pods, _) = resource::list(call, Pod::row(), "", options)?;
    let mut plan = Plan::default();
    for object in pods {
        let Some(pod) = object.downcast_ref::<Pod>() else { continue };
        // The kubelet's own Pods cannot be evicted.
        if meta::annotation(&pod.metadata, "kubernetes.io/config.mirror").is_some() {
            continue;
        }
        let named = format!("{}/{}", object.namespace(), object.name());
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
        let is_over = matches!(phase, "Succeeded" | "Failed");
        let controller = meta::controller_of(&pod.metadata);
        if controller.is_some_and(|owner| owner.kind == "DaemonSet") && !is_over {
            let list = if args.is("ignore-daemonsets") { &mut plan.ignored } else { &mut plan.refused_daemons };
            list.push(named);
            continue;
        }
        let mut refused = false;
        let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default();
        let has_local = volumes.iter().any(|volume| volume.empty_dir.is_some());
        if has_local && !is_over && !args.is("delete-emptydir-data") {
            plan.refused_local.push(named.clone());
            refused = true;
        }
        if controller.is_none() && !is_over && !refused {
            if args.is("force") {
                plan.unmanaged.push(named);
            } else {
                plan.refused_unmanaged.push(named);
                refused = true;
            }
        }
        if !refused {
            plan.evictees.push(Evictee {
                namespace: object.namespace().into(),
                name: object.name().into(),
                uid: object.uid().into(),
            });
        }
    }
    Ok(plan)
}

impl Plan {
    /// Reasons in upstream's order: those about a Pod that comes first are first.
    fn obstacles(&self) -> Vec<String> {
        let reasons = [
            ("cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)", &self.refused_daemons),
            ("cannot delete Pods with local storage (use --delete-emptydir-data to override)", &self.refused_local),
            // Upstream says it twice.
            (
                "cannot delete cannot delete Pods that declare no controller (use --force to override)",
                &self.refused_unmanaged,
            ),
        ];
        in_order(&reasons)
    }

    fn warnings(&self) -> String {
        let all = [
            ("ignoring DaemonSet-managed Pods", &self.ignored),
            ("deleting Pods that declare no controller", &self.unmanaged),
        ];
        in_order(&all).join("; ")
    }
}

/// What is said of some Pods; whatever is about the first Pod comes first.
fn in_order(texts: &[(&str, &Vec<String>)]) -> Vec<String> {
    let mut shown: Vec<&(&str, &Vec<String>)> = texts.iter().filter(|(_, pods)| !pods.is_empty()).collect();
    shown.sort_by_key(|(_, pods)| pods.first());
    shown.iter().map(|(what, pods)| format!("{what}: {}", pods.join(", "))).collect()
}
