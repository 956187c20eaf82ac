//! The pipeline's common behaviour, through the components' client.

use api::types::{ConfigMap, Pod, ServiceAccount};
use api::{Body, Kinded, Request, Response, Subresource, Verb};
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

/// The generic code checks it as a new object's and as a change, the kind's own rules in their own order.
#[test]
fn a_change_s_metadata_is_checked_more_than_once() {
    let mut local = Local::new(1);
    create(&mut local, ConfigMap::ID, config("one")).unwrap();
    let lease = json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": "one" } });
    create(&mut local, api::types::Lease::ID, lease).unwrap();
    let fields = |status: api::Status| {
        let causes = status.details.unwrap_or_default().causes;
        causes.into_iter().map(|cause| cause.field.to_string()).collect::<Vec<_>>()
    };
    let label = || Some([("a b".to_owned(), String::new())].into());

    let mut changed = (*local.client().get::<ConfigMap>("default", "one").unwrap()).clone();
    changed.metadata.labels = label();
    changed.metadata.finalizers = Some(vec!["a b/c".into()]);
    let status = local.client().update(changed).unwrap_err();
    let (labels, finalizers) = ("metadata.labels", "metadata.finalizers");
    assert_eq!(fields(status), [labels, finalizers, labels, labels, labels, finalizers]);

    let mut changed = (*local.client().get::<api::types::Lease>("default", "one").unwrap()).clone();
    changed.metadata.labels = label();
    changed.metadata.finalizers = Some(vec!["a b/c".into()]);
    assert_eq!(fields(local.client().update(changed).unwrap_err()), [labels, finalizers, labels, labels]);
}

#[test]
fn a_bound_pod_is_deleted_gracefully() {
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

#[test]
fn a_service_s_address_is_an_object() {
    use api::types::Service;
    let mut local = Local::new(1);
    let service = |name: &str, spec: serde_json::Value| json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": name }, "spec": spec });
    let ports = json!([{ "port": 80 }]);
    create(&mut local, Service::ID, service("web", json!({ "clusterIP": "10.96.0.77", "ports": ports }))).unwrap();
    create(&mut local, Service::ID, service("headless", json!({ "clusterIP": "None", "ports": ports }))).unwrap();

    let addresses = api::kinds::by_kind("networking.k8s.io/v1", "IPAddress").unwrap().id;
    let found = |local: &mut Local, name: &str| {
        let request = api::Request::of(api::Verb::Get, addresses, "", name);
        match local.client().call(request) {
            Ok(api::Response::Object(object)) => Some(object.to_value()),
            _ => None,
        }
    };
    let of = |address: &serde_json::Value| address["spec"]["parentRef"]["name"].clone();
    assert_eq!(found(&mut local, "10.96.0.1").as_ref().map(of), Some(json!("kubernetes")));
    let address = found(&mut local, "10.96.0.77").expect("the address of web");
    let parent = json!({ "resource": "services", "namespace": "default", "name": "web" });
    assert_eq!(address["spec"]["parentRef"], parent);
    assert_eq!(address["metadata"]["labels"]["ipaddress.kubernetes.io/ip-family"], "IPv4");

    let mut changed = (*local.client().get::<Service>("default", "web").unwrap()).clone();
    let spec = changed.spec.get_or_insert_default();
    spec.type_ = Some("ExternalName".into());
    spec.external_name = Some("example.com".into());
    (spec.cluster_ip, spec.cluster_ips) = (None, None);
    local.client().update(changed).unwrap();
    assert_eq!(found(&mut local, "10.96.0.77"), None, "it is given back");

    create(&mut local, Service::ID, service("next", json!({ "clusterIP": "10.96.0.77", "ports": ports }))).unwrap();
    assert!(found(&mut local, "10.96.0.77").is_some());
    local.client().delete::<Service>("default", "next", DeleteOptions::default()).unwrap();
    assert_eq!(found(&mut local, "10.96.0.77"), None);

    let made = |local: &mut Local, name: &str, spec: serde_json::Value| {
        let object = json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "IPAddress", "metadata": { "name": name }, "spec": spec,
        });
        create(local, addresses, object).map(|object| object.name().to_owned()).map_err(|status| status.message)
    };
    let refused = "IPAddress.networking.k8s.io \"fd00::0\" is invalid: [metadata.name: Invalid value: \"fd00::0\": must be in \
                   canonical form (\"fd00::\"), spec.parentRef: Required value]";
    assert_eq!(made(&mut local, "fd00::0", json!({})), Err(refused.to_owned()));
    let parent = json!({ "parentRef": { "group": "gateway.networking.k8s.io", "resource": "gateways", "name": "a" } });
    assert_eq!(made(&mut local, "fd00::", parent).as_deref(), Ok("fd00::"));
}

#[test]
fn an_evicted_pod_says_why_it_goes() {
    let mut local = Local::new(1);
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" } });
    create(&mut local, ServiceAccount::ID, account).unwrap();
    let spec = json!({ "nodeName": "n", "containers": [{ "name": "c", "image": "i" }] });
    create(
        &mut local,
        Pod::ID,
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" }, "spec": spec }),
    )
    .unwrap();
    let mut evict = |options: Value| {
        let eviction = json!({ "metadata": { "name": "p" }, "deleteOptions": options });
        let request = Request::of(Verb::Create, Pod::ID, "default", "p").on(Subresource::Eviction);
        local.client().call(request.body(Body::Json(eviction))).map(drop)
    };
    let refused = evict(json!({ "preconditions": { "uid": "another" } })).unwrap_err();
    assert!(refused.is_conflict(), "{refused}");
    evict(json!({ "dryRun": ["All"] })).unwrap();
    evict(json!({ "gracePeriodSeconds": 5 })).unwrap();

    let pod = local.client().get::<Pod>("default", "p").unwrap();
    assert_eq!(pod.metadata.deletion_grace_period_seconds, Some(5));
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let shown = conditions.iter().map(|condition| (condition.type_.as_str(), condition.reason.as_deref()));
    assert_eq!(shown.collect::<Vec<_>>(), [("DisruptionTarget", Some("EvictionByEvictionAPI"))]);
}
