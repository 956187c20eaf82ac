//! The node's Lease in `kube-node-lease`, by whose renewal the control plane sees that the node lives.

use std::sync::Arc;

use api::types::{Lease, LeaseSpec, Node, ObjectMeta, OwnerReference};
use api::{Kinded, Request, Response, Verb, object, time};
use client::Client;

use crate::environment::get;
use crate::host::{Host, Timer};
use crate::timing;

const NAMESPACE: &str = "kube-node-lease";

#[derive(Clone, Default)]
pub struct NodeLease {
    latest: Option<Arc<Lease>>,
}

impl NodeLease {
    /// Creates or renews the Lease and sets the next time.
    pub fn renew(&mut self, host: &mut Host, client: &mut Client) {
        let now = client.now();
        host.timers.set(Timer::Lease, now + timing::LEASE_RENEWAL);
        let name = host.config.name.clone();
        for _ in 0..5 {
            let request = match &self.latest {
                Some(lease) => {
                    let mut next = (**lease).clone();
                    if let Some(spec) = &mut next.spec {
                        spec.renew_time = Some(time::micro_stamp(now));
                    }
                    Request::new::<Lease>(Verb::Update, NAMESPACE, &name).body(next)
                }
                None => Request::new::<Lease>(Verb::Create, NAMESPACE, "").body(initial(host, client)),
            };
            match client.call_detached(request) {
                Ok(Response::Object(written)) => {
                    self.latest = object::typed(&written);
                    return;
                }
                Ok(_) => return,
                Err(refusal) if refusal.is_conflict() || refusal.is_already_exists() => {
                    self.latest = get(client, NAMESPACE, &name).ok();
                }
                Err(refusal) => {
                    self.latest = None;
                    client.note("lease", refusal.message);
                    return;
                }
            }
        }
    }

    pub fn forget(&mut self) {
        self.latest = None;
    }
}

fn initial(host: &Host, client: &Client) -> Lease {
    let name = host.config.name.clone();
    let uid = host.node.as_ref().and_then(|node| node.metadata.uid.clone());
    let owner = uid.map(|uid| OwnerReference {
        api_version: <Node as api::k8s_openapi::Resource>::API_VERSION.into(),
        kind: Node::row().kind.into(),
        name: name.clone(),
        uid,
        ..OwnerReference::default()
    });
    Lease {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            namespace: Some(NAMESPACE.into()),
            owner_references: owner.map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(name),
            lease_duration_seconds: Some(timing::LEASE_DURATION_SECONDS),
            renew_time: Some(time::micro_stamp(client.now())),
            ..LeaseSpec::default()
        }),
    }
}
