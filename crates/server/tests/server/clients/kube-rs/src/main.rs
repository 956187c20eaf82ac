//! What kube-rs does in a day: server-side apply, a reflector over a watcher, logs, exec, a port-forward, and a
//! controller with a finalizer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::api::{Api, AttachParams, DeleteParams, ListParams, LogParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::finalizer::{self, Event, finalizer};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{Controller, WatchStreamExt as _, controller::Action, reflector, watcher};
use kube::{Client, Config, Resource as _};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PATIENCE: Duration = Duration::from_secs(60);
const MANAGER: &str = "kube-rs-client";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let file = std::env::args().nth(1).context("usage: kube-rs-client KUBECONFIG")?;
    let config = Config::from_custom_kubeconfig(Kubeconfig::read_from(file)?, &KubeConfigOptions::default()).await?;
    let client = Client::try_from(config)?;
    let pods: Api<Pod> = Api::default_namespaced(client.clone());

    let (reader, writer) = reflector::store();
    let watch = watcher(pods.clone(), watcher::Config::default()).default_backoff().reflect(writer).applied_objects();
    let watching = tokio::spawn(watch.try_for_each(|_| async { Ok(()) }));

    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "web", "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "web", "image": "nginx:1.27" }] },
    });
    let applied = pods.patch("web", &PatchParams::apply(MANAGER), &Patch::Apply(&pod)).await?;
    ensure!(applied.metadata.name.as_deref() == Some("web"));
    in_time(await_condition(pods.clone(), "web", conditions::is_pod_running())).await.context("the Pod runs")??;
    reader.wait_until_ready().await?;
    ensure!(reader.state().iter().any(|pod| pod.metadata.name.as_deref() == Some("web")), "the reflector has no Pod");

    let log = pods.logs("web", &LogParams::default()).await?;
    ensure!(log.contains("start worker process"), "{log}");

    let mut session = pods.exec("web", ["sh", "-c", "echo hello; exit 3"], &AttachParams::default()).await?;
    let mut said = String::new();
    session.stdout().context("standard output")?.read_to_string(&mut said).await?;
    let status = session.take_status().context("a status")?.await.context("an end")?;
    ensure!(said == "hello\n" && status.reason.as_deref() == Some("NonZeroExitCode"), "{said} {status:?}");

    let mut forward = pods.portforward("web", &[80]).await?;
    let mut stream = forward.take_stream(80).context("a stream")?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n").await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    ensure!(page.starts_with("HTTP/1.1 200 OK"), "{page}");

    let list = pods.list(&ListParams::default().limit(1)).await?;
    ensure!(list.items.len() == 1);
    pods.delete("web", &DeleteParams::default()).await?;
    watching.abort();
    control(client).await?;
    println!("ok");
    Ok(())
}

/// A controller keeps a Secret beside every ConfigMap, and takes it away before the ConfigMap goes.
async fn control(client: Client) -> anyhow::Result<()> {
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let secrets: Api<Secret> = Api::default_namespaced(client.clone());
    let settings = watcher::Config::default().labels("app=settings");
    let controller = Controller::new(maps.clone(), settings).owns(secrets.clone(), watcher::Config::default());
    let retry = |_, _: &finalizer::Error<kube::Error>, _| Action::requeue(Duration::from_millis(100));
    let controller = controller.run(reconcile, retry, Arc::new(client)).for_each(|_| async {});
    let controlling = tokio::spawn(controller);

    let map = json!({ "metadata": { "name": "settings", "labels": { "app": "settings" } } });
    let map = maps.create(&PostParams::default(), &serde_json::from_value(map)?).await?;
    let is_there = || |secret: Option<&Secret>| secret.is_some();
    let secret = in_time(await_condition(secrets.clone(), "settings", is_there())).await.context("a Secret")??;
    let uid = secret.and_then(|secret| secret.metadata.uid).context("a uid")?;
    secrets.delete("settings", &DeleteParams::default()).await?;
    let is_another = |secret: Option<&Secret>| secret.is_some_and(|secret| secret.metadata.uid.as_ref() != Some(&uid));
    in_time(await_condition(secrets.clone(), "settings", is_another)).await.context("another Secret")??;

    maps.delete("settings", &DeleteParams::default()).await?;
    let is_gone = conditions::is_deleted(map.metadata.uid.as_deref().context("a uid")?);
    in_time(await_condition(maps.clone(), "settings", is_gone)).await.context("the ConfigMap goes")??;
    ensure!(secrets.get_opt("settings").await?.is_none(), "the finalizer did not hold the ConfigMap");
    controlling.abort();
    Ok(())
}

async fn reconcile(map: Arc<ConfigMap>, client: Arc<Client>) -> Result<Action, finalizer::Error<kube::Error>> {
    let maps: Api<ConfigMap> = Api::default_namespaced(Client::clone(&client));
    let secrets: Api<Secret> = Api::default_namespaced(Client::clone(&client));
    finalizer(&maps, "example.com/kube-rs-client", map, async |event| {
        match event {
            Event::Apply(map) => {
                let name = map.metadata.name.as_deref().unwrap_or_default();
                let secret = json!({
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": { "name": name, "ownerReferences": [map.controller_owner_ref(&())] },
                });
                secrets.patch(name, &PatchParams::apply(MANAGER), &Patch::Apply(&secret)).await?;
            }
            Event::Cleanup(map) => {
                let name = map.metadata.name.as_deref().unwrap_or_default();
                secrets.delete(name, &DeleteParams::default()).await?;
            }
        }
        Ok(Action::await_change())
    })
    .await
}

fn in_time<F: Future>(future: F) -> tokio::time::Timeout<F> {
    tokio::time::timeout(PATIENCE, future)
}
