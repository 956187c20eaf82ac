//! The pipeline's common behaviour, through the components' client.

use api::types::{ConfigMap, Pod};
use api::{Body, Request, Response, Verb};
use apiserver::local::Local;
use client::DeleteOptions;
use serde_json::{Value, json};

fn create(local: &mut Local, kind: api::KindId, value: Value) -> Result<api::ObjectRef, api::Status> {
    let mut request = Request::of(Verb::Create, kind, "default", "");
    request.body = Body::Json(value);
    match local.client().call(request)? {
        Response::Object(object) => Ok(object),
        other => panic!("{other:?}"),
    }
}

fn config(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "a": "1" } })
}

#[test]
fn an_object_lives() {
    let mut local = Local::new(1);
    use api::Kinded;
    let made = create(&mut local, ConfigMap::ID, config("one")).unwrap();
    assert!(made.revision() > 0);
    assert!(create(&mut local, ConfigMap::ID, config("one")).unwrap_err().is_already_exists());

    let mut changed = (*local.client().get::<ConfigMap>("default", "one").unwrap()).clone();
    changed.data.get_or_insert_default().insert("b".into(), "2".into());
    let stale = changed.clone();
    let written = local.client().update(changed).unwrap();
    assert!(local.client().update(stale).unwrap_err().is_conflict());
    let again = local.client().update((*written).clone()).unwrap();
    assert_eq!(
        again.metadata.resource_version, written.metadata.resource_version,
        "a change of nothing writes nothing"
    );

    local.client().delete::<ConfigMap>("default", "one", DeleteOptions::default()).unwrap();
    let status = local.client().get::<ConfigMap>("default", "one").unwrap_err();
    assert_eq!(status.message, "configmaps \"one\" not found");
}

#[test]
fn a_bound_pod_is_deleted_gracefully() {
    use api::Kinded;
    let mut local = Local::new(1);
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" } });
    create(&mut local, api::types::ServiceAccount::ID, account).unwrap();
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web" },
        "spec": { "containers": [{ "name": "web", "image": "nginx" }] },
    });
    create(&mut local, Pod::ID, pod).unwrap();
    let pod = local.client().get::<Pod>("default", "web").unwrap();
    local.client().bind(&pod, "node-1").unwrap();
    assert!(local.client().bind(&pod, "node-2").unwrap_err().is_conflict());

    local.client().delete::<Pod>("default", "web", DeleteOptions::default()).unwrap();
    let pod = local.client().get::<Pod>("default", "web").unwrap();
    assert_eq!(pod.metadata.deletion_grace_period_seconds, Some(30));
    let now = DeleteOptions { grace_period: Some(0), ..DeleteOptions::default() };
    local.client().delete::<Pod>("default", "web", now).unwrap();
    assert!(local.client().get::<Pod>("default", "web").unwrap_err().is_not_found());
}
