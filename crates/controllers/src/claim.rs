//! Adoption and release: upstream's `ControllerRefManager`.

use std::sync::Arc;

use api::selector::Selector;
use api::{Kinded, Object, PatchKind, Status, meta};
use client::Client;
use serde_json::json;

/// Of `candidates` those that `owner` controls: it keeps its own that match, lets go of its own that do not, and adopts
/// orphans that do.
pub fn claim<C: Kinded + Object, T: Kinded + Object>(
    client: &mut Client,
    owner: &C,
    selector: &Selector,
    candidates: Vec<Arc<T>>,
) -> Result<Vec<Arc<T>>, Status> {
    let mut claimer = Claimer { owner, selector, may_adopt: None };
    let mut claimed = Vec::with_capacity(candidates.len());
    let mut result = Ok(());
    for object in candidates {
        match claimer.claims(client, object.metadata(), |client, patch| {
            let meta = object.metadata();
            let (namespace, name) = (meta.namespace.as_deref(), meta.name.as_deref());
            let namespace = namespace.unwrap_or_default();
            client.patch::<T>(namespace, name.unwrap_or_default(), PatchKind::StrategicMerge, patch).map(drop)
        }) {
            Ok(true) => claimed.push(object),
            Ok(false) => {}
            Err(status) => result = Err(status),
        }
    }
    result.map(|()| claimed)
}

struct Claimer<'a, C> {
    owner: &'a C,
    selector: &'a Selector,
    /// Whether the owner still exists, asked of the API server before the first adoption.
    may_adopt: Option<Result<(), Status>>,
}

impl<C: Kinded + Object> Claimer<'_, C> {
    fn claims(
        &mut self,
        client: &mut Client,
        object: &api::types::ObjectMeta,
        patch: impl FnOnce(&mut Client, serde_json::Value) -> Result<(), Status>,
    ) -> Result<bool, Status> {
        let owner = self.owner.metadata();
        let matches = self.selector.matches(meta::labels(object));
        if let Some(controller) = meta::controller_of(object) {
            if Some(&controller.uid) != owner.uid.as_ref() {
                return Ok(false);
            }
            if matches || meta::is_being_deleted(owner) {
                return Ok(matches);
            }
            let released = patch(
                client,
                json!({ "metadata": {
                    "uid": object.uid,
                    "ownerReferences": [{ "$patch": "delete", "uid": owner.uid }],
                } }),
            );
            return match released {
                Err(status) if !status.is_not_found() && !status.is_invalid() => Err(status),
                _ => Ok(false),
            };
        }
        if meta::is_being_deleted(owner) || !matches || meta::is_being_deleted(object) {
            return Ok(false);
        }
        self.check_may_adopt(client)?;
        let reference = meta::controller_reference(self.owner);
        let adopted = patch(client, json!({ "metadata": { "uid": object.uid, "ownerReferences": [reference] } }));
        match adopted {
            Err(status) if status.is_not_found() => Ok(false),
            Err(status) => Err(status),
            Ok(()) => Ok(true),
        }
    }

    fn check_may_adopt(&mut self, client: &mut Client) -> Result<(), Status> {
        if self.may_adopt.is_none() {
            self.may_adopt = Some(self.ask_whether_owner_lives(client));
        }
        self.may_adopt.clone().unwrap_or(Ok(()))
    }

    fn ask_whether_owner_lives(&self, client: &mut Client) -> Result<(), Status> {
        let cached = self.owner.metadata();
        let (namespace, name) =
            (cached.namespace.as_deref().unwrap_or_default(), cached.name.as_deref().unwrap_or_default());
        let fresh = client.get::<C>(namespace, name)?;
        let meta = fresh.metadata();
        if meta.uid != cached.uid {
            return Err(Status::internal(format!("original {} {namespace}/{name} is gone", C::KIND)));
        }
        if meta::is_being_deleted(meta) {
            return Err(Status::internal(format!("{namespace}/{name} has just been deleted")));
        }
        Ok(())
    }
}
