//! Acting as somebody else: the `Impersonate-…` headers. Upstream: `apiserver/pkg/endpoints/filters/impersonation`.

use std::sync::Arc;

use api::{Reason, Status, User};

use super::{ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED};
use crate::ApiServer;
use crate::authorization::{self, Attributes};

const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

impl ApiServer {
    /// The user as whom a request is served: its sender, or the one whom he may impersonate.
    pub(super) fn impersonated(&self, user: Arc<User>, headers: &[(String, String)]) -> Result<Arc<User>, Status> {
        if headers.is_empty() {
            return Ok(user);
        }
        let wanted = wanted(headers);
        if wanted.name.is_empty() {
            let message = "requested impersonation without impersonating a user";
            return Err(Status::new(500, Reason::InternalError, message));
        }
        let may = |group: &str, resource: &str, subresource: &str, namespace: &str, name: &str| {
            let verb = "impersonate";
            let attributes = Attributes { verb, group, resource, subresource, namespace, name, path: None };
            authorization::check(&self.storage, &user, &attributes)
        };
        let account = wanted.name.strip_prefix(SERVICE_ACCOUNT).and_then(|rest| rest.split_once(':'));
        match account {
            Some((namespace, name)) => may("", "serviceaccounts", "", namespace, name)?,
            None => may("", "users", "", "", &wanted.name)?,
        }
        for group in &wanted.groups {
            may("", "groups", "", "", group)?;
        }
        for (key, values) in &wanted.extra {
            for value in values {
                may("authentication.k8s.io", "userextras", key, "", value)?;
            }
        }
        if !wanted.uid.is_empty() {
            may("authentication.k8s.io", "uids", "", "", &wanted.uid)?;
        }
        Ok(Arc::new(with_implied_groups(wanted)))
    }
}

fn wanted(headers: &[(String, String)]) -> User {
    let mut wanted = User::default();
    for (name, value) in headers {
        let name = name.to_lowercase();
        match name.strip_prefix("impersonate-").unwrap_or_default() {
            "user" => wanted.name.clone_from(value),
            "group" => wanted.groups.push(value.clone()),
            "uid" => wanted.uid.clone_from(value),
            other => {
                if let Some(key) = other.strip_prefix("extra-") {
                    wanted.extra.entry(crate::route::decoded(key)).or_default().push(value.clone());
                }
            }
        }
    }
    wanted
}

/// A service account is in its groups, and everybody is either authenticated or not.
pub fn with_implied_groups(mut user: User) -> User {
    let account = user.name.strip_prefix(SERVICE_ACCOUNT).and_then(|rest| rest.split_once(':'));
    if let Some((namespace, _)) = account.filter(|_| user.groups.is_empty()) {
        user.groups = vec!["system:serviceaccounts".into(), format!("system:serviceaccounts:{namespace}")];
    }
    if user.name == ANONYMOUS {
        if !user.is_in(UNAUTHENTICATED) {
            user.groups.push(UNAUTHENTICATED.into());
        }
    } else if !user.is_in(AUTHENTICATED) && !user.is_in(UNAUTHENTICATED) {
        user.groups.push(AUTHENTICATED.into());
    }
    user
}
