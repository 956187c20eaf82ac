//! What kube-rs does in a day: server-side apply, a reflector over a watcher, logs, exec, a port-forward, a finalizer.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, AttachParams, DeleteParams, ListParams, LogParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::finalizer::{Event, finalizer};
use kube::runtime::{WatchStreamExt as _, controller::Action, reflector, wait, watcher};
use kube::{Client, Config};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let file = std::env::args().nth(1).context("usage: kube-rs-client KUBECONFIG")?;
    let config = Config::from_custom_kubeconfig(Kubeconfig::read_from(file)?, &KubeConfigOptions::default()).await?;
    let client = Client::try_from(config)?;
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    let maps: Api<ConfigMap> = Api::default_namespaced(client);

    let (reader, writer) = reflector::store();
    let watch = watcher(pods.clone(), watcher::Config::default()).default_backoff().reflect(writer).applied_objects();
    let watching = tokio::spawn(watch.try_for_each(|_| async { Ok(()) }));

    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "web", "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "web", "image": "nginx:1.27" }] },
    });
    let applied = pods.patch("web", &PatchParams::apply("kube-rs-client"), &Patch::Apply(&pod)).await?;
    ensure!(applied.metadata.name.as_deref() == Some("web"));
    let running = wait::await_condition(pods.clone(), "web", wait::conditions::is_pod_running());
    tokio::time::timeout(PATIENCE, running).await.context("the Pod does not come to run")??;
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

    let map: ConfigMap = serde_json::from_value(json!({ "metadata": { "name": "settings" } }))?;
    let map = maps.create(&PostParams::default(), &map).await?;
    const FINALIZER: &str = "example.com/kube-rs-client";
    let reconcile = async |event: Event<ConfigMap>| {
        let (Event::Apply(_) | Event::Cleanup(_)) = event;
        Ok::<_, std::convert::Infallible>(Action::await_change())
    };
    finalizer(&maps, FINALIZER, map.into(), reconcile).await?;
    maps.delete("settings", &DeleteParams::default()).await?;
    let map = maps.get("settings").await?;
    ensure!(map.metadata.deletion_timestamp.is_some(), "the finalizer does not hold");
    finalizer(&maps, FINALIZER, map.into(), reconcile).await?;
    ensure!(maps.get_opt("settings").await?.is_none(), "the finalizer is gone, the object is not");

    let list = pods.list(&ListParams::default().limit(1)).await?;
    ensure!(list.items.len() == 1);
    pods.delete("web", &DeleteParams::default()).await?;
    watching.abort();
    println!("ok");
    Ok(())
}
