//! What becomes of one object.

use api::types::{ObjectMeta, OwnerReference};
use api::{Kind, ObjectRef, Patch, PatchKind, Propagation, Request, Response, Status, Verb};
use client::Client;
use serde_json::{Value, json};

use super::graph::{FOREGROUND, Node, ORPHAN};
use super::{GarbageCollector, Key};
use crate::controller::Queue;

/// An object's owners by what they mean for it.
#[derive(Default)]
struct Owners {
    /// Exist and stay.
    solid: Vec<OwnerReference>,
    /// Do not exist.
    dangling: Vec<OwnerReference>,
    /// Are waiting for their dependents to go.
    waiting: Vec<OwnerReference>,
}

impl GarbageCollector {
    pub(super) fn attempt_to_delete(
        &mut self,
        uid: &str,
        client: &mut Client,
        queue: &mut Queue<Key>,
    ) -> Result<(), Status> {
        let Some(node) = self.graph.get(uid).cloned() else { return Ok(()) };
        if node.being_deleted && !node.deleting_dependents {
            return Ok(());
        }
        let Some(latest) = get(client, &node)?.filter(|latest| latest.uid() == uid) else {
            return self.forget(uid, &node, queue);
        };
        if node.is_virtual {
            // The watch will tell of it.
            return Ok(());
        }
        if node.deleting_dependents {
            return self.wait_for_dependents(uid, &node, client, queue);
        }
        let owners = latest.meta().owner_references.as_deref().unwrap_or_default();
        if owners.is_empty() {
            return Ok(());
        }
        let owners = self.classify(&node, owners, client)?;
        if !owners.solid.is_empty() {
            let gone: Vec<&OwnerReference> = owners.dangling.iter().chain(&owners.waiting).collect();
            return if gone.is_empty() { Ok(()) } else { remove_owners(client, &node, uid, &gone) };
        }
        if !owners.waiting.is_empty() && !node.dependents.is_empty() {
            self.break_cycle(uid, &node, client)?;
            return delete(client, &node, &latest, Propagation::Foreground);
        }
        let finalizers = latest.meta().finalizers.as_deref().unwrap_or_default();
        let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
        let policy = match (has(ORPHAN), has(FOREGROUND)) {
            (true, _) => Propagation::Orphan,
            (_, true) => Propagation::Foreground,
            _ => Propagation::Background,
        };
        delete(client, &node, &latest, policy)
    }

    /// The object does not exist although somebody refers to it.
    fn forget(&mut self, uid: &str, node: &Node, queue: &mut Queue<Key>) -> Result<(), Status> {
        if node.is_virtual {
            self.absent.insert(uid.into());
            for dependent in &node.dependents {
                queue.add(Key::Delete(dependent.clone()));
            }
        }
        self.graph.remove(uid, queue);
        Ok(())
    }

    /// Foreground deletion: the owner may go when nothing that blocks it is left.
    fn wait_for_dependents(
        &self,
        uid: &str,
        node: &Node,
        client: &mut Client,
        queue: &mut Queue<Key>,
    ) -> Result<(), Status> {
        let mut blocked = false;
        for dependent in &node.dependents {
            let Some(other) = self.graph.get(dependent).filter(|other| other.blocks(uid)) else { continue };
            blocked = true;
            if !other.deleting_dependents {
                queue.add(Key::Delete(dependent.clone()));
            }
        }
        if blocked { Ok(()) } else { remove_finalizer(client, node, FOREGROUND) }
    }

    fn classify(&mut self, node: &Node, owners: &[OwnerReference], client: &mut Client) -> Result<Owners, Status> {
        let mut result = Owners::default();
        for owner in owners {
            if self.absent.contains(owner.uid.as_str()) {
                result.dangling.push(owner.clone());
                continue;
            }
            let kind = self.graph.custom.by_kind(&owner.api_version, &owner.kind);
            // An owner of an unknown kind may be a custom resource whose definition comes back.
            let Some(kind) = kind else {
                result.solid.push(owner.clone());
                continue;
            };
            match get_owner(client, kind, &node.namespace, owner)? {
                None => {
                    self.absent.insert(owner.uid.as_str().into());
                    result.dangling.push(owner.clone());
                }
                Some(found) if waits_for_dependents(found.meta()) => result.waiting.push(owner.clone()),
                Some(_) => result.solid.push(owner.clone()),
            }
        }
        Ok(result)
    }

    /// Two objects that wait for each other would wait for ever: this one stops blocking its owners.
    fn break_cycle(&self, uid: &str, node: &Node, client: &mut Client) -> Result<(), Status> {
        let waits = |dependent: &super::Uid| self.graph.get(dependent).is_some_and(|other| other.deleting_dependents);
        if !node.dependents.iter().any(waits) {
            return Ok(());
        }
        let references = node.owners.iter().map(|owner| OwnerReference {
            block_owner_deletion: owner.block_owner_deletion.map(|_| false),
            ..owner.clone()
        });
        let references: Vec<OwnerReference> = references.collect();
        patch(client, node, json!({ "metadata": { "ownerReferences": references, "uid": uid } }))
    }

    pub(super) fn attempt_to_orphan(&mut self, uid: &str, client: &mut Client) -> Result<(), Status> {
        let Some(node) = self.graph.get(uid).cloned() else { return Ok(()) };
        for dependent in &node.dependents {
            let Some(other) = self.graph.get(dependent) else { continue };
            match patch(
                client,
                other,
                json!({ "metadata": {
                    "ownerReferences": [{ "$patch": "delete", "uid": uid }],
                    "uid": dependent,
                } }),
            ) {
                Err(status) if !status.is_not_found() => return Err(status),
                _ => {}
            }
        }
        remove_finalizer(client, &node, ORPHAN)
    }
}

fn waits_for_dependents(meta: &ObjectMeta) -> bool {
    meta.deletion_timestamp.is_some() && meta.finalizers.iter().flatten().any(|finalizer| finalizer == FOREGROUND)
}

fn get(client: &mut Client, node: &Node) -> Result<Option<ObjectRef>, Status> {
    let Some(kind) = node.kind else { return Ok(None) };
    found(client.call(Request::of(Verb::Get, kind, &node.namespace, &node.name)))
}

fn get_owner(
    client: &mut Client,
    kind: &Kind,
    namespace: &str,
    owner: &OwnerReference,
) -> Result<Option<ObjectRef>, Status> {
    let namespace = if kind.namespaced { namespace } else { "" };
    let found = found(client.call(Request::of(Verb::Get, kind.id, namespace, &owner.name)))?;
    Ok(found.filter(|found| found.uid() == owner.uid))
}

fn found(response: Result<Response, Status>) -> Result<Option<ObjectRef>, Status> {
    match response {
        Ok(Response::Object(object)) => Ok(Some(object)),
        Ok(_) => Ok(None),
        Err(status) if status.is_not_found() => Ok(None),
        Err(status) => Err(status),
    }
}

fn delete(client: &mut Client, node: &Node, latest: &ObjectRef, policy: Propagation) -> Result<(), Status> {
    let Some(kind) = node.kind else { return Ok(()) };
    let mut request = Request::of(Verb::Delete, kind, &node.namespace, &node.name);
    request.options.propagation = Some(policy);
    request.options.precondition_uid = Some(latest.uid().into());
    request.options.precondition_revision = latest.meta().resource_version.clone();
    gone_is_fine(client.call(request))
}

fn patch(client: &mut Client, node: &Node, value: Value) -> Result<(), Status> {
    let Some(kind) = node.kind else { return Ok(()) };
    let request = Request::of(Verb::Patch, kind, &node.namespace, &node.name);
    client.call(request.body(Patch { kind: PatchKind::StrategicMerge, value })).map(drop)
}

fn remove_owners(client: &mut Client, node: &Node, uid: &str, gone: &[&OwnerReference]) -> Result<(), Status> {
    let removed: Vec<Value> = gone.iter().map(|owner| json!({ "$patch": "delete", "uid": owner.uid })).collect();
    patch(client, node, json!({ "metadata": { "ownerReferences": removed, "uid": uid } }))
}

fn remove_finalizer(client: &mut Client, node: &Node, finalizer: &str) -> Result<(), Status> {
    let Some(latest) = get(client, node)? else { return Ok(()) };
    let finalizers = latest.meta().finalizers.as_deref().unwrap_or_default();
    let left: Vec<&String> = finalizers.iter().filter(|other| *other != finalizer).collect();
    if left.len() == finalizers.len() {
        return Ok(());
    }
    let metadata = json!({ "resourceVersion": latest.meta().resource_version, "finalizers": left });
    let Some(kind) = node.kind else { return Ok(()) };
    let request = Request::of(Verb::Patch, kind, &node.namespace, &node.name);
    let value = json!({ "metadata": metadata });
    gone_is_fine(client.call(request.body(Patch { kind: PatchKind::Merge, value })))
}

fn gone_is_fine(response: Result<Response, Status>) -> Result<(), Status> {
    match response {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(()),
    }
}
