//! Tokens of service accounts: POST serviceaccounts/NAME/token makes one, every request that shows it is checked against
//! the account and the object that it is bound to. Upstream: `pkg/serviceaccount` and
//! `pkg/registry/core/serviceaccount/storage/token.go`.
//!
//! A token has the form of a real one (a JWT with upstream's claims) but is signed with HMAC-SHA256, where the usual
//! installation has an RSA key: nobody outside of the simulation can verify it either way.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::status::Details;
use api::types::{Node, Pod, Secret, ServiceAccount};
use api::{Body, Draft, Kinded, ObjectRef, Reason, Request, SimTime, Status, User, time};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use super::Authenticated;
use crate::storage::Storage;
use crate::{ApiServer, Context};

/// `--service-account-issuer`, and the API server's audience.
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
const EXPIRATION_SECONDS: i64 = 3600;
const EXPIRATION_SECONDS_MIN: i64 = 600;
/// What kubelets ask for: such tokens live for a year, so that clients that never read them again go on working.
const KUBELET_EXPIRATION_SECONDS: i64 = 3607;
const EXTENDED_EXPIRATION_SECONDS: i64 = 365 * 24 * 3600;

const POD_NAME: &str = "authentication.kubernetes.io/pod-name";
const POD_UID: &str = "authentication.kubernetes.io/pod-uid";
const NODE_NAME: &str = "authentication.kubernetes.io/node-name";
const NODE_UID: &str = "authentication.kubernetes.io/node-uid";
const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

impl ApiServer {
    /// POST serviceaccounts/NAME/token
    pub(crate) fn request_token(&mut self, context: &Context, mut request: Request) -> Result<ObjectRef, Status> {
        let Body::Json(body) = std::mem::take(&mut request.body) else {
            return Err(Status::bad_request("the request has no TokenRequest"));
        };
        let body = self.admit_part(context, ServiceAccount::row(), &request, body, None)?;
        let (namespace, name) = (&request.namespace, &request.name);
        let account = self.storage.find::<ServiceAccount>(namespace, name);
        let account = account.ok_or_else(|| Status::not_found(ServiceAccount::row(), name))?;
        let spec = body.get("spec").unwrap_or(&Value::Null);
        let given = spec.get("audiences").and_then(Value::as_array);
        let audiences: Vec<String> = match given {
            Some(list) if !list.is_empty() => list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
            _ => vec![ISSUER.into()],
        };
        let seconds = spec.get("expirationSeconds").and_then(Value::as_i64).unwrap_or(EXPIRATION_SECONDS);
        refuse(&check_expiration(seconds))?;
        let reference = spec.get("boundObjectRef").filter(|reference| !reference.is_null());
        let bound = reference.map(|reference| self.bound_object(namespace, name, reference)).transpose()?;
        let is_kubelets =
            seconds == KUBELET_EXPIRATION_SECONDS && audiences == [ISSUER] && bound.as_ref().is_some_and(Bound::is_pod);
        let lasts = if is_kubelets { EXTENDED_EXPIRATION_SECONDS } else { seconds };

        let mut private = json!({
            "namespace": namespace,
            "serviceaccount": { "name": name, "uid": account.metadata.uid },
        });
        for part in bound.iter().flat_map(|bound| &bound.parts) {
            private[part.0] = json!({ "name": part.1, "uid": part.2 });
        }
        let now = seconds_of(context.now);
        if is_kubelets {
            private["warnafter"] = (now + seconds).into();
        }
        let claims = json!({
            "aud": audiences,
            "exp": now + lasts,
            "iat": now,
            "iss": ISSUER,
            "jti": self.rng.uuid(),
            "kubernetes.io": private,
            "nbf": now,
            "sub": format!("system:serviceaccount:{namespace}:{name}"),
        });
        let answer = json!({
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": self.rng.uuid(),
                "creationTimestamp": time::stamp(context.now),
            },
            "spec": { "audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": reference },
            "status": {
                "token": sign(&self.authenticator.key, &claims),
                "expirationTimestamp": time::stamp(context.now + lasts as u64 * time::SECOND),
            },
        });
        Ok(Draft::new(Tree::new(ServiceAccount::ID, answer)).share())
    }

    /// The object that a token is to live and die with.
    fn bound_object(&self, namespace: &str, account: &str, reference: &Value) -> Result<Bound, Status> {
        let text = |field: &str| reference.get(field).and_then(Value::as_str).unwrap_or_default();
        let (kind, name) = (text("kind"), text("name"));
        let mut parts = Vec::new();
        match (text("apiVersion"), kind) {
            ("v1", "Pod") => {
                let pod = self.storage.find::<Pod>(namespace, name);
                let pod = pod.ok_or_else(|| Status::not_found(Pod::row(), name))?;
                let spec = pod.spec.as_ref();
                if spec.and_then(|spec| spec.service_account_name.as_deref()) != Some(account) {
                    return Err(Status::bad_request(format!(
                        "cannot bind token for serviceaccount {account:?} to pod running with different serviceaccount \
                         name."
                    )));
                }
                parts.push(("pod", name.to_owned(), pod.metadata.uid.clone().unwrap_or_default()));
                if let Some(node) = spec.and_then(|spec| spec.node_name.as_deref()).filter(|node| !node.is_empty()) {
                    let uid = self.storage.find::<Node>("", node).and_then(|node| node.metadata.uid.clone());
                    parts.push(("node", node.to_owned(), uid.unwrap_or_default()));
                }
            }
            ("v1", "Node") => {
                let node = self.storage.find::<Node>("", name);
                let node = node.ok_or_else(|| Status::not_found(Node::row(), name))?;
                parts.push(("node", name.to_owned(), node.metadata.uid.clone().unwrap_or_default()));
            }
            ("v1", "Secret") => {
                let secret = self.storage.find::<Secret>(namespace, name);
                let secret = secret.ok_or_else(|| Status::not_found(Secret::row(), name))?;
                parts.push(("secret", name.to_owned(), secret.metadata.uid.clone().unwrap_or_default()));
            }
            (api_version, kind) => {
                let version =
                    if api_version.contains('/') { api_version.to_owned() } else { format!("/{api_version}") };
                let message = format!("cannot bind token to object of type {version}, Kind={kind}");
                return Err(Status::bad_request(message));
            }
        }
        let uid = text("uid");
        if !uid.is_empty() && parts[0].2 != uid {
            let message = format!(
                "Operation cannot be fulfilled on {kind} {name:?}: the UID in the bound object reference ({uid}) does not \
                 match the UID in record. The object might have been deleted and then recreated"
            );
            let mut status = Status::new(409, Reason::Conflict, message);
            status.details = Some(Details { name: name.into(), kind: kind.into(), ..Details::default() });
            return Err(status);
        }
        Ok(Bound { parts })
    }
}

/// What a token is bound to: the claim, the name and the uid of each object.
struct Bound {
    parts: Vec<(&'static str, String, String)>,
}

impl Bound {
    fn is_pod(&self) -> bool {
        self.parts.iter().any(|part| part.0 == "pod")
    }
}

fn check_expiration(seconds: i64) -> Errors {
    let spec = Path::new("spec");
    let path = spec.child("expirationSeconds");
    let mut errors = Errors::new();
    if seconds < EXPIRATION_SECONDS_MIN {
        errors.push(Error::invalid(&path, seconds, "may not specify a duration less than 10 minutes"));
    }
    if seconds > 1 << 32 {
        errors.push(Error::invalid(&path, seconds, "may not specify a duration larger than 2^32 seconds"));
    }
    errors
}

/// `Invalid` of a kind that has no row of its own.
fn refuse(errors: &[Error]) -> Result<(), Status> {
    if errors.is_empty() {
        return Ok(());
    }
    let mut status = Status::invalid(ServiceAccount::row(), "", errors);
    status.message = status.message.replacen("ServiceAccount", "TokenRequest.authentication.k8s.io", 1);
    if let Some(details) = &mut status.details {
        details.kind = "TokenRequest".into();
        details.group = "authentication.k8s.io".into();
    }
    Err(status)
}

fn seconds_of(now: SimTime) -> i64 {
    time::EPOCH_SECONDS + (now / time::SECOND) as i64
}

fn sign(key: &[u8; 32], claims: &Value) -> String {
    let header = BASE64.encode(json!({ "alg": "HS256", "kid": "tabernetes" }).to_string());
    let signed = format!("{header}.{}", BASE64.encode(claims.to_string()));
    let signature = BASE64.encode(hmac_sha256::HMAC::mac(signed.as_bytes(), key));
    format!("{signed}.{signature}")
}

/// `None`: the token is none of ours.
pub(super) fn verify(
    storage: &Storage,
    key: &[u8; 32],
    now: SimTime,
    token: &str,
    audiences: &[String],
) -> Option<Result<Authenticated, String>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let signature = BASE64.decode(signature).ok()?;
    let expected: [u8; 32] = hmac_sha256::HMAC::mac(signed.as_bytes(), key);
    if signature.as_slice() != expected {
        return None;
    }
    let claims = BASE64.decode(signed.split_once('.')?.1).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    Some(holder(storage, now, &claims, audiences))
}

/// Whom a token with a good signature stands for.
fn holder(storage: &Storage, now: SimTime, claims: &Value, wanted: &[String]) -> Result<Authenticated, String> {
    let text = |pointer: &str| claims.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if claims["exp"].as_i64().is_some_and(|end| end < seconds_of(now)) {
        return Err("service account token has expired".into());
    }
    let given: Vec<String> = serde_json::from_value(claims["aud"].clone()).unwrap_or_default();
    let own = [ISSUER.to_owned()];
    let wanted = if wanted.is_empty() { own.as_slice() } else { wanted };
    let audiences: Vec<String> = given.iter().filter(|one| wanted.contains(one)).cloned().collect();
    if audiences.is_empty() {
        return Err(format!(
            "token audiences {} is invalid for the target audiences {}",
            quoted(&given),
            quoted(wanted)
        ));
    }
    let (namespace, name) = (text("/kubernetes.io/namespace"), text("/kubernetes.io/serviceaccount/name"));
    let account = storage.find::<ServiceAccount>(namespace, name);
    let account = account.ok_or_else(|| format!("serviceaccounts {name:?} not found"))?;
    let uid = account.metadata.uid.clone().unwrap_or_default();
    if uid != text("/kubernetes.io/serviceaccount/uid") {
        return Err(format!("service account UID ({uid}) does not match claim"));
    }
    let mut extra = BTreeMap::new();
    extra.insert(CREDENTIAL.to_owned(), vec![format!("JTI={}", text("/jti"))]);
    let mut bound = |what: &str, found: Option<&String>, keys: Option<(&str, &str)>| {
        let name = text(&format!("/kubernetes.io/{what}/name"));
        if name.is_empty() {
            return Ok(());
        }
        let uid = text(&format!("/kubernetes.io/{what}/uid"));
        if found.is_none_or(|found| found != uid) {
            return Err(format!("{what} {name:?} that the token is bound to does not exist"));
        }
        if let Some((name_key, uid_key)) = keys {
            extra.insert(name_key.into(), vec![name.into()]);
            extra.insert(uid_key.into(), vec![uid.into()]);
        }
        Ok(())
    };
    let pod = storage.find::<Pod>(namespace, text("/kubernetes.io/pod/name"));
    bound("pod", pod.and_then(|pod| pod.metadata.uid.as_ref()), Some((POD_NAME, POD_UID)))?;
    let secret = storage.find::<Secret>(namespace, text("/kubernetes.io/secret/name"));
    bound("secret", secret.and_then(|secret| secret.metadata.uid.as_ref()), None)?;
    let node = storage.find::<Node>("", text("/kubernetes.io/node/name"));
    bound("node", node.and_then(|node| node.metadata.uid.as_ref()), Some((NODE_NAME, NODE_UID)))?;
    let groups = vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
    let user = User { name: format!("system:serviceaccount:{namespace}:{name}"), uid, groups, extra };
    Ok(Authenticated { user: Arc::new(user), audiences })
}

fn quoted(list: &[String]) -> String {
    let texts: Vec<String> = list.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", texts.join(" "))
}
