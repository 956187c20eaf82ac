//! The service account controller: every namespace has a `default` account.

use api::types::{Namespace, ObjectMeta, ServiceAccount};
use api::{Status, meta};
use client::Client;

use crate::caches::{Caches, Seen};
use crate::controller::{Event, Queue, Reconciler};

#[derive(Clone, Default)]
pub struct ServiceAccountController;

const NAME: &str = "default";

impl Reconciler for ServiceAccountController {
    type Key = String;
    const NAME: &'static str = "serviceaccount-controller";
    const KIND: &'static str = "Namespace";

    fn observe(&mut self, event: &Event, _caches: &Caches, queue: &mut Queue<String>) {
        match &event.seen {
            Seen::Namespace(_, Some(namespace)) => queue.add(meta::key(&namespace.metadata)),
            Seen::ServiceAccount(Some(account), None) => {
                queue.add(account.metadata.namespace.clone().unwrap_or_default());
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
        let active = caches.namespaces.get(key).is_some_and(|namespace| is_active(namespace));
        if !active || caches.service_accounts.find(key, NAME).is_some() {
            return Ok(());
        }
        let metadata = ObjectMeta { name: Some(NAME.into()), namespace: Some(key.clone()), ..ObjectMeta::default() };
        match client.create(ServiceAccount { metadata, ..ServiceAccount::default() }) {
            Err(status) if !status.is_already_exists() => Err(status),
            _ => Ok(()),
        }
    }
}

pub(crate) fn is_active(namespace: &Namespace) -> bool {
    namespace.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Active")
}
