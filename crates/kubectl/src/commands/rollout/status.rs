//! `kubectl rollout status`

use api::ObjectRef;
use api::request::{Verb, WatchKind};
use api::types::{DaemonSet, Deployment, StatefulSet};
use api::{Kind, Request};

use super::super::namespace;
use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::resource;
use crate::task::Cx;

/// How far a rollout is: the line to print, and whether it is done.
type State = Result<(String, bool), Failure>;

pub(in crate::commands) async fn run(cx: Cx, args: Args) -> Outcome {
    let watches = args.is("watch");
    let timeout = args.duration("timeout");
    if args.int("revision") < 0 {
        return Err(Failure::error(format!("revision must be a positive integer: {}", args.int("revision"))));
    }
    let picking = args.clone();
    let picked = cx.with(move |call| super::pick(call, &picking)).await?;
    if let Some(failure) = Failure::all(picked.failures) {
        return Err(failure);
    }
    if picked.infos.is_empty() {
        let args = args.clone();
        return cx
            .with(move |call| {
                let text = format!("No resources found in {} namespace.", namespace(call, &args));
                call.io.err_line(text);
                Ok(0)
            })
            .await;
    }
    let deadline = (timeout > 0).then_some(cx.now().await + timeout);
    for info in picked.infos {
        let wanted = args.int("revision");
        let kind = info.kind;
        let (line, done) = state(kind, &info.object, wanted)?;
        cx.out(line).await;
        if done || !watches {
            continue;
        }
        let revision = info.object.revision();
        let (space, name) = (info.namespace.clone(), info.name.clone());
        let watch = cx
            .with(move |call| {
                let mut request = Request::of(Verb::Watch, kind.id, resource::scope(kind, &space), "");
                request.options.field_selector = format!("metadata.name={name}");
                request.options.resource_version = revision.to_string();
                call.watch(request)
            })
            .await?;
        let mut done = false;
        while !done {
            cx.tick(deadline).await;
            for event in cx.with(move |call| call.client.watch_events(watch)).await {
                if done || event.object.name() != info.name || event.kind == WatchKind::Bookmark {
                    continue;
                }
                if event.kind == WatchKind::Deleted {
                    return Err(Failure::error("object has been deleted"));
                }
                let (line, finished) = state(kind, &event.object, wanted)?;
                cx.out(line).await;
                done = finished;
            }
            let now = cx.now().await;
            if !done && deadline.is_some_and(|deadline| deadline <= now) {
                return Err(Failure::error("timed out waiting for the condition"));
            }
        }
        cx.with(move |call| call.close_watch(watch)).await;
    }
    Ok(0)
}

fn state(kind: &Kind, object: &ObjectRef, revision: i64) -> State {
    if let Some(deployment) = object.downcast_ref::<Deployment>() {
        return deployment_state(deployment, revision);
    }
    if let Some(set) = any::<StatefulSet>(object) {
        return stateful_set_state(set);
    }
    if let Some(set) = any::<DaemonSet>(object) {
        return daemon_set_state(set);
    }
    Err(Failure::error(format!("no status viewer has been implemented for {}", kind.kind)))
}

/// The typed object, whether or not its kind is in the table of kinds.
fn any<T: 'static>(object: &ObjectRef) -> Option<&T> {
    (&**object as &dyn std::any::Any).downcast_ref()
}

fn deployment_state(object: &Deployment, revision: i64) -> State {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let own: i64 = api::meta::annotation(&object.metadata, "deployment.kubernetes.io/revision")
        .and_then(|text| text.parse().ok())
        .unwrap_or_default();
    if revision > 0 && own != revision {
        return Err(Failure::error(format!(
            "desired revision ({revision}) is different from the running revision ({own})"
        )));
    }
    let none = Default::default();
    let status = object.status.as_ref().unwrap_or(&none);
    if object.metadata.generation.unwrap_or_default() > status.observed_generation.unwrap_or_default() {
        return Ok(("Waiting for deployment spec update to be observed...\n".into(), false));
    }
    let progressing = status.conditions.iter().flatten().find(|condition| condition.type_ == "Progressing");
    if progressing.is_some_and(|condition| condition.reason.as_deref() == Some("ProgressDeadlineExceeded")) {
        return Err(Failure::error(format!("deployment {name:?} exceeded its progress deadline")));
    }
    let desired = object.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or_default();
    let (replicas, updated, available) = (
        status.replicas.unwrap_or_default(),
        status.updated_replicas.unwrap_or_default(),
        status.available_replicas.unwrap_or_default(),
    );
    let waiting = |text: String| Ok((format!("Waiting for deployment {name:?} rollout to finish: {text}...\n"), false));
    if updated < desired {
        return waiting(format!("{updated} out of {desired} new replicas have been updated"));
    }
    if replicas > updated {
        return waiting(format!("{} old replicas are pending termination", replicas - updated));
    }
    if available < updated {
        return waiting(format!("{available} of {updated} updated replicas are available"));
    }
    Ok((format!("deployment {name:?} successfully rolled out\n"), true))
}

fn stateful_set_state(object: &StatefulSet) -> State {
    let none = Default::default();
    let status = object.status.as_ref().unwrap_or(&none);
    let spec = object.spec.as_ref();
    let strategy = spec.and_then(|spec| spec.update_strategy.as_ref());
    if strategy.and_then(|strategy| strategy.type_.as_deref()).unwrap_or("RollingUpdate") != "RollingUpdate" {
        return Err(Failure::error("rollout status is only available for RollingUpdate strategy type"));
    }
    let observed = status.observed_generation.unwrap_or_default();
    if observed == 0 || object.metadata.generation.unwrap_or_default() > observed {
        return Ok(("Waiting for statefulset spec update to be observed...\n".into(), false));
    }
    let replicas = spec.and_then(|spec| spec.replicas);
    let ready = status.ready_replicas.unwrap_or_default();
    if let Some(replicas) = replicas.filter(|replicas| ready < *replicas) {
        return Ok((format!("Waiting for {} pods to be ready...\n", replicas - ready), false));
    }
    let updated = status.updated_replicas.unwrap_or_default();
    let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    if let (Some(replicas), Some(partition)) = (replicas, rolling.map(|rolling| rolling.partition.unwrap_or_default()))
    {
        let wanted = replicas - partition;
        if updated < wanted {
            let text = format!(
                "Waiting for partitioned roll out to finish: {updated} out of {wanted} new pods have been updated...\n"
            );
            return Ok((text, false));
        }
        return Ok((format!("partitioned roll out complete: {updated} new pods have been updated...\n"), true));
    }
    if status.update_revision != status.current_revision {
        let revision = status.update_revision.as_deref().unwrap_or_default();
        let text =
            format!("waiting for statefulset rolling update to complete {updated} pods at revision {revision}...\n");
        return Ok((text, false));
    }
    let current = status.current_replicas.unwrap_or_default();
    let revision = status.current_revision.as_deref().unwrap_or_default();
    Ok((format!("statefulset rolling update complete {current} pods at revision {revision}...\n"), true))
}

fn daemon_set_state(object: &DaemonSet) -> State {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let strategy = object.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref()?.type_.as_deref());
    if strategy.unwrap_or("RollingUpdate") != "RollingUpdate" {
        return Err(Failure::error("rollout status is only available for RollingUpdate strategy type"));
    }
    let none = Default::default();
    let status = object.status.as_ref().unwrap_or(&none);
    if object.metadata.generation.unwrap_or_default() > status.observed_generation.unwrap_or_default() {
        return Ok(("Waiting for daemon set spec update to be observed...\n".into(), false));
    }
    let desired = status.desired_number_scheduled;
    let updated = status.updated_number_scheduled.unwrap_or_default();
    let available = status.number_available.unwrap_or_default();
    let waiting = |text: String| Ok((format!("Waiting for daemon set {name:?} rollout to finish: {text}...\n"), false));
    if updated < desired {
        return waiting(format!("{updated} out of {desired} new pods have been updated"));
    }
    if available < desired {
        return waiting(format!("{available} of {desired} updated pods are available"));
    }
    Ok((format!("daemon set {name:?} successfully rolled out\n"), true))
}
