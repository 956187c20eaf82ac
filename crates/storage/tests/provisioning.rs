//! A claim gets a disk, and the disk goes with it.

use api::time::SECOND;
use api::types::{Event, Namespace, PersistentVolume, PersistentVolumeClaim, StorageClass};
use api::{Body, Kinded, Object, Request, Verb};
use apiserver::local::Local;
use client::{Client, Component, DeleteOptions};
use controllers::{Config, ControllerManager};
use serde_json::{Value, json};
use storage::{DRIVER, Provisioner};

fn create<T: Kinded>(client: &mut Client, namespace: &str, object: Value) {
    let request = Request::new::<T>(Verb::Create, namespace, "").body(Body::Json(object));
    client.call(request).expect("the object is valid");
}

fn phase(object: &dyn Object) -> String {
    object.to_value()["status"]["phase"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_claim_is_bound_to_a_new_disk_that_goes_with_it() {
    let mut local = Local::new(1);
    let mut manager = ControllerManager::new(&Config::default());
    let mut provisioner = Provisioner::default();
    let mut run = |local: &mut Local, seconds: u64| {
        let components: &mut [&mut dyn Component] = &mut [&mut manager, &mut provisioner];
        local.run_for(components, seconds * SECOND);
    };

    let mut client = local.client();
    create::<Namespace>(
        &mut client,
        "",
        json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" },
        }),
    );
    create::<StorageClass>(
        &mut client,
        "",
        json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": { "name": "fast" },
            "provisioner": DRIVER, "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate",
        }),
    );
    create::<PersistentVolumeClaim>(
        &mut client,
        "shop",
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "data", "namespace": "shop" },
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "fast",
                "resources": { "requests": { "storage": "2Gi" } },
            },
        }),
    );

    run(&mut local, 1);
    let claim = local.client().get::<PersistentVolumeClaim>("shop", "data").expect("the claim exists");
    assert_ne!(phase(&*claim), "Bound", "making a disk takes time");

    run(&mut local, 10);
    let claim = local.client().get::<PersistentVolumeClaim>("shop", "data").expect("the claim exists");
    assert_eq!(phase(&*claim), "Bound");
    let volumes = local.client().list::<PersistentVolume>("", Default::default()).expect("volumes can be listed");
    assert_eq!(volumes.len(), 1);
    let events = local.client().list::<Event>("shop", Default::default()).expect("events can be listed");
    let mut reasons: Vec<&str> = events.iter().filter_map(|event| event.reason.as_deref()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["ExternalProvisioning", "Provisioning", "ProvisioningSucceeded"]);

    local
        .client()
        .delete::<PersistentVolumeClaim>("shop", "data", DeleteOptions::default())
        .expect("it can be deleted");
    run(&mut local, 30);
    let volumes = local.client().list::<PersistentVolume>("", Default::default()).expect("volumes can be listed");
    assert!(volumes.is_empty(), "{:?}", volumes.iter().map(|volume| phase(&**volume)).collect::<Vec<_>>());
}
