//! What an installer puts into a new cluster beside the control plane.

use api::{Body, Request, Verb};
use serde_json::{Value, json};

use crate::cluster::Cluster;

impl Cluster {
    /// A default StorageClass, a default IngressClass, and the DNS Service: each with the component that it is for.
    pub(crate) fn install_addons(&mut self) {
        let config =
            controllers::Config { controllers: self.config.controllers.clone(), ..controllers::Config::default() };
        for (_, object) in objects().into_iter().filter(|(component, _)| config.runs(component)) {
            let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
            let row = api::kinds::by_kind(&text("/apiVersion"), &text("/kind")).expect("add-ons are of known kinds");
            let mut request = Request::of(Verb::Create, row.id, &text("/metadata/namespace"), "");
            request.body = Body::Json(object);
            let context = apiserver::Context::new(0, api::Caller::admin("installer"), api::CauseId::default());
            self.server.handle(&context, request).expect("add-ons are valid");
        }
    }
}

/// With the name of the component that acts on it.
fn objects() -> [(&'static str, Value); 3] {
    [
        (
            "csi-provisioner",
            json!({
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {
                    "name": "standard",
                    "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
                },
                "provisioner": storage::DRIVER,
                "reclaimPolicy": "Delete",
                "volumeBindingMode": "WaitForFirstConsumer",
                "allowVolumeExpansion": true,
            }),
        ),
        (
            "ingress-nginx",
            json!({
                "apiVersion": "networking.k8s.io/v1",
                "kind": "IngressClass",
                "metadata": {
                    "name": "nginx",
                    "annotations": { "ingressclass.kubernetes.io/is-default-class": "true" },
                },
                "spec": { "controller": network::ingress::CONTROLLER },
            }),
        ),
        (
            "coredns",
            json!({
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {
                    "name": "kube-dns",
                    "namespace": "kube-system",
                    "labels": { "k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS" },
                },
                "spec": {
                    "clusterIP": "10.96.0.10",
                    "selector": { "k8s-app": "kube-dns" },
                    "ports": [
                        { "name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53 },
                        { "name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53 },
                    ],
                },
            }),
        ),
    ]
}
