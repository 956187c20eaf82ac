//! GET of one object and of lists.

use api::request::List;
use api::{Kind, ObjectRef, Request, Status};

use crate::ApiServer;
use crate::fields::Filter;

impl ApiServer {
    /// Looks into the store past the pipeline, for those who draw the cluster and not for its components.
    pub fn peek<T: api::Object + api::Kinded>(&self, namespace: &str, name: &str) -> Option<&T> {
        self.storage.find(namespace, name)
    }

    pub(crate) fn get(&self, kind: &'static Kind, request: &Request) -> Result<ObjectRef, Status> {
        let found = self.storage.get(kind, &request.namespace, &request.name);
        found.cloned().ok_or_else(|| Status::not_found(kind, &request.name))
    }

    pub(crate) fn list(&self, kind: &'static Kind, request: &Request) -> Result<List, Status> {
        let filter = Filter::of(kind, request)?;
        let options = &request.options;
        let page = Page::of(request)?;
        let revision = page.as_ref().map_or(self.storage.revision(), |page| page.revision);
        let exact = options.resource_version_match == "Exact" || page.is_some();
        let mut items: Vec<ObjectRef> = if exact {
            let at = page.as_ref().map_or(options.resource_version.parse().unwrap_or(revision), |page| page.revision);
            self.storage.range_at(kind, &request.namespace, at).map_err(|error| expired(error, at, revision))?
        } else {
            self.storage.range(kind, &request.namespace).into_iter().cloned().collect()
        };
        if let Some(page) = &page {
            let after = |item: &ObjectRef| api::meta::key(item.meta()).as_str() > page.after.as_str();
            items.retain(after);
        }
        items.retain(|item| filter.matches(&**item));
        let mut list = List { kind: kind.id, revision, items, continue_token: String::new(), remaining: None };
        let limit = options.limit as usize;
        if limit > 0 && list.items.len() > limit {
            let remaining = list.items.len() - limit;
            list.items.truncate(limit);
            let last = list.items.last().map(|item| api::meta::key(item.meta())).unwrap_or_default();
            list.continue_token = Page { revision, after: last }.token();
            list.remaining = filter.is_everything().then_some(remaining as u64);
        }
        Ok(list)
    }
}

/// Where a chunked list goes on. The token is opaque to clients; ours is `REVISION:KEY`.
struct Page {
    revision: u64,
    after: String,
}

impl Page {
    fn of(request: &Request) -> Result<Option<Page>, Status> {
        let token = &request.options.continue_token;
        if token.is_empty() {
            return Ok(None);
        }
        let parsed = token.split_once(':').and_then(|(revision, after)| Some((revision.parse().ok()?, after)));
        let Some((revision, after)) = parsed else {
            return Err(Status::bad_request("continue key is not valid: illegal base64 data at input byte 0"));
        };
        Ok(Some(Page { revision, after: after.into() }))
    }

    fn token(&self) -> String {
        format!("{}:{}", self.revision, self.after)
    }
}

fn expired(error: etcd::Error, at: u64, current: u64) -> Status {
    match error {
        etcd::Error::Future => {
            Status::new(504, api::Reason::Timeout, format!("Too large resource version: {at}, current: {current}"))
        }
        _ => Status::expired("The provided continue parameter is too old to display a consistent list result."),
    }
}
