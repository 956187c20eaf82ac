//! The root CA publisher: every namespace has the bundle by which Pods trust the API server.

use api::types::{ConfigMap, ObjectMeta};
use api::x509::{CERTIFICATE, encode_pem};
use api::{Status, meta};
use client::Client;

use crate::caches::{Caches, Seen};
use crate::certificates::Authority;
use crate::controller::{Event, Queue, Reconciler};
use crate::manager::Config;
use crate::service_account::is_active;

#[derive(Clone)]
pub struct RootCaPublisher {
    /// In PEM.
    bundle: String,
}

impl RootCaPublisher {
    pub fn new(config: &Config) -> RootCaPublisher {
        let own = || encode_pem(CERTIFICATE, &Authority::new(&config.signing_key).certificate());
        RootCaPublisher { bundle: config.root_certificate.clone().unwrap_or_else(own) }
    }
}

const NAME: &str = "kube-root-ca.crt";
const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
     endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across \
     distributions of Kubernetes clusters.";

impl Reconciler for RootCaPublisher {
    type Key = String;
    const NAME: &'static str = "root-ca-certificate-publisher-controller";
    const KIND: &'static str = "Namespace";

    fn observe(&mut self, event: &Event, _caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::Namespace(_, Some(namespace)) => queue.add(meta::key(&namespace.metadata)),
            Seen::ConfigMap(Some(map), _) if map.metadata.name.as_deref() == Some(NAME) => {
                queue.add(map.metadata.namespace.clone().unwrap_or_default());
            }
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        _queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        if !caches.namespaces.get(key).is_some_and(|namespace| is_active(namespace)) {
            return Ok(());
        }
        let data = Some([("ca.crt".to_owned(), self.bundle.clone())].into());
        match caches.config_maps.find(key, NAME) {
            Some(found) if found.data == data => Ok(()),
            Some(found) => client.update(ConfigMap { data, ..(**found).clone() }).map(drop),
            None => {
                let metadata = ObjectMeta {
                    name: Some(NAME.into()),
                    namespace: Some(key.clone()),
                    annotations: Some([("kubernetes.io/description".to_owned(), DESCRIPTION.to_owned())].into()),
                    ..ObjectMeta::default()
                };
                match client.create(ConfigMap { metadata, data, ..ConfigMap::default() }) {
                    Err(status) if !status.is_already_exists() => Err(status),
                    _ => Ok(()),
                }
            }
        }
    }
}
