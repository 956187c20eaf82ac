//! GET of one object and of lists.

use api::field::{Error, Path};
use api::request::List;
use api::status::{Cause, Details};
use api::{Kind, ObjectRef, Reason, Request, Status};

use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use base64::{DecodeError, Engine};
use serde_json::json;

use crate::fields::Filter;
use crate::{ApiServer, storage};

impl ApiServer {
    /// Looks into the store past the pipeline, for those who draw the cluster and not for its components.
    pub fn peek<T: api::Object + api::Kinded>(&self, namespace: &str, name: &str) -> Option<&T> {
        self.storage.find(namespace, name)
    }

    /// The same for all objects of a kind.
    pub fn peek_all<T: api::Object + api::Kinded>(&self) -> impl Iterator<Item = &T> {
        self.storage.all()
    }

    pub(crate) fn get(&self, kind: &'static Kind, request: &Request) -> Result<ObjectRef, Status> {
        self.check_revision(&request.options.resource_version)?;
        let found = self.storage.get(kind, &request.namespace, &request.name);
        found.cloned().ok_or_else(|| Status::not_found(kind, &request.name))
    }

    pub(crate) fn list(&self, kind: &'static Kind, request: &Request) -> Result<List, Status> {
        let filter = Filter::of(self.rules(kind, request), request)?;
        let options = &request.options;
        let page = Page::of(request)?;
        let revision = page.as_ref().map_or(self.storage.revision(), |page| page.revision);
        self.check_revision(&options.resource_version)?;
        let exact = options.resource_version_match == "Exact" || page.is_some();
        let at = exact
            .then(|| page.as_ref().map_or(options.resource_version.parse().unwrap_or(revision), |page| page.revision));
        let matches = |item: &ObjectRef| filter.matches(&**item);
        let part = storage::Page {
            after: page.as_ref().map(|page| page.after.as_str()),
            limit: if options.limit > 0 { options.limit as usize } else { usize::MAX },
            at,
            matches: (!filter.is_everything()).then_some(&matches),
        };
        let (items, more) = self
            .storage
            .page(kind, &request.namespace, &part)
            .map_err(|error| expired(error, at.unwrap_or(revision), revision))?;
        let mut list = List { kind: kind.id, revision, items, continue_token: String::new(), remaining: None };
        if more > 0 {
            let last = list.items.last().map(|item| api::meta::key(item.meta())).unwrap_or_default();
            list.continue_token = Page { revision, after: last }.token();
            list.remaining = filter.is_everything().then_some(more as u64);
        }
        Ok(list)
    }

    /// Nobody is shown what is still to come.
    fn check_revision(&self, text: &str) -> Result<(), Status> {
        let wanted = revision_of(text)?;
        if wanted > self.storage.revision() { Err(too_large(wanted, self.storage.revision())) } else { Ok(()) }
    }
}

/// The revision that a client names; none is 0.
pub(crate) fn revision_of(text: &str) -> Result<u64, Status> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        let why = format!("strconv.ParseUint: parsing {text:?}: invalid syntax");
        let error = Error::invalid(&Path::new("resourceVersion"), text, why);
        Status::new(500, Reason::Unknown, error.to_string())
    })
}

/// A revision that is still to come.
fn too_large(wanted: u64, current: u64) -> Status {
    let message = format!("Timeout: Too large resource version: {wanted}, current: {current}");
    let cause = Cause {
        reason: "ResourceVersionTooLarge".into(),
        message: "Too large resource version".into(),
        field: String::new(),
    };
    let details = Details { causes: vec![cause], retry_after_seconds: 1, ..Details::default() };
    Status { details: Some(details), ..Status::new(504, Reason::Timeout, message) }
}

/// As Go reads it: leftover bits at the end do not matter.
const BASE64: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// Where a chunked list goes on. Opaque to clients; JSON in base64, as upstream's tokens are.
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
        if !request.options.resource_version.is_empty() && request.options.resource_version != "0" {
            return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
        }
        let refuse =
            |why: String| Status::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
        let bytes = BASE64
            .decode(token)
            .map_err(|error| refuse(format!("illegal base64 data at input byte {}", bad_byte(&error))))?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let bad = char::from(bytes[error.valid_up_to()]);
            refuse(format!("invalid character '\\u{:04x}' looking for beginning of value", bad as u32))
        })?;
        let key = api::json::parse(text).map_err(refuse)?.value;
        let revision = key["rv"].as_u64().ok_or_else(|| refuse("incorrect encoded start resourceVersion".into()))?;
        Ok(Some(Page { revision, after: key["start"].as_str().unwrap_or_default().into() }))
    }

    fn token(&self) -> String {
        let key = json!({ "v": "meta.k8s.io/v1", "rv": self.revision, "start": self.after });
        BASE64.encode(key.to_string())
    }
}

/// Where a token stops to be base64.
fn bad_byte(error: &DecodeError) -> usize {
    match error {
        DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => *at,
        DecodeError::InvalidLength(length) => *length,
        DecodeError::InvalidPadding => 0,
    }
}

fn expired(error: etcd::Error, at: u64, current: u64) -> Status {
    match error {
        etcd::Error::Future => too_large(at, current),
        _ => Status::expired("The provided continue parameter is too old to display a consistent list result."),
    }
}
