//! Authentication: who asks. Upstream: `apiserver/pkg/authentication` and `pkg/kubeapiserver/authenticator`.
//!
//! Certificates are the transport's affair: it hands the user over. Bearer tokens are static ones or those of service
//! accounts ([`token`]). Whoever shows nothing is `system:anonymous`. Then a caller may ask to be somebody else
//! ([`impersonation`]).

mod impersonation;
pub(crate) mod token;

pub use impersonation::with_implied_groups;

use std::collections::BTreeMap;
use std::sync::Arc;

use api::rng::Rng;
use api::{Caller, Kind, Reason, SimTime, Status, User, kinds};

use crate::ApiServer;
use crate::authorization::{self, RequestInfo};
use crate::flow_control::{Arrival, Flow, Origin};
use crate::route::{Answer, HttpRequest, Shape, refusal};

pub(crate) const AUTHENTICATED: &str = "system:authenticated";
const UNAUTHENTICATED: &str = "system:unauthenticated";
const ANONYMOUS: &str = "system:anonymous";

/// What the trace calls callers who do not say which program they are.
const AGENT: &str = "unknown";

/// What a request over HTTP shows of its sender.
#[derive(Clone, Copy, Debug, Default)]
pub struct Credentials<'a> {
    /// For whom the transport vouches: the subject of a client certificate.
    pub user: Option<&'a User>,
    /// The `Authorization` header.
    pub authorization: &'a str,
    /// Every header whose name begins with `Impersonate-`, in their order.
    pub impersonate: &'a [(String, String)],
}

/// What comes of a request over HTTP before it is looked at.
pub struct Entry {
    pub marks: Marks,
    /// Who has it served, or the answer of those who are refused.
    pub caller: Result<Caller, Answer>,
}

/// What every answer tells of its request, whatever it says: in headers.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    pub audit_id: String,
    /// Absent for who is not known, and for what goes on for as long as its client likes.
    pub flow: Option<Flow>,
}

/// Longer ones that a client sends are cut.
const AUDIT_ID_MAX: usize = 64;

/// What the API server knows of tokens.
#[derive(Clone, Default)]
pub(crate) struct Authenticator {
    /// `--token-auth-file`
    tokens: BTreeMap<String, Arc<User>>,
    /// `--service-account-signing-key-file`: signs and verifies, because the algorithm is symmetric.
    key: [u8; 32],
}

/// Who has shown a token, and for which audiences it is meant.
pub(crate) struct Authenticated {
    pub user: Arc<User>,
    pub audiences: Vec<String>,
}

impl Authenticator {
    pub fn new(mut rng: Rng) -> Authenticator {
        let mut key = [0; 32];
        for part in key.chunks_exact_mut(8) {
            part.copy_from_slice(&rng.next_u64().to_le_bytes());
        }
        Authenticator { tokens: BTreeMap::new(), key }
    }
}

impl ApiServer {
    /// Makes a static bearer token known.
    pub fn add_token(&mut self, token: &str, user: User) {
        self.authenticator.tokens.insert(token.into(), Arc::new(user));
    }

    /// The stages before a request over HTTP is looked at: authentication, impersonation, flow control, authorization. It
    /// takes so long at most, until [`ApiServer::answered`].
    pub fn enter(&mut self, now: SimTime, takes: SimTime, http: &HttpRequest) -> Entry {
        let audit_id = match http.audit_id {
            "" => self.audit_ids.uuid(),
            given => given.chars().take(AUDIT_ID_MAX).collect(),
        };
        let mut marks = Marks { audit_id, flow: None };
        let caller = self.entered(now, takes, http, &mut marks);
        Entry { marks, caller }
    }

    fn entered(
        &mut self,
        now: SimTime,
        takes: SimTime,
        http: &HttpRequest,
        marks: &mut Marks,
    ) -> Result<Caller, Answer> {
        let refused = |status: Status| refusal(&status, Shape::Json);
        let user = self.authenticate(now, &http.credentials).map_err(refused)?;
        let user = self.impersonated(user, http.credentials.impersonate).map_err(refused)?;
        let info = RequestInfo::parse(http.method, http.path);
        let attributes = info.attributes();
        if !attributes.is_long_running() || attributes.verb == "watch" {
            let arrival = Arrival { user: &user, attributes, at: now, takes, origin: Origin::Outside };
            if let Some(schema) = self.flow.classify(&arrival) {
                marks.flow = Some(self.flow.flow(schema));
                let kind = resource(attributes.group, attributes.resource);
                self.take_seats(schema, &arrival, || kind).map_err(|_| Answer::too_many_requests())?;
            }
        }
        authorization::authorize(&self.storage, &user, &attributes).map_err(refused)?;
        Ok(Caller { user, agent: AGENT })
    }

    fn authenticate(&self, now: SimTime, credentials: &Credentials) -> Result<Arc<User>, Status> {
        if let Some(user) = credentials.user {
            return Ok(with_group(user, AUTHENTICATED));
        }
        match bearer(credentials.authorization) {
            None => Ok(Arc::new(User::new(ANONYMOUS, &[UNAUTHENTICATED]))),
            Some(token) => self
                .user_of_token(now, token, &[])
                .map(|found| found.user)
                .map_err(|_| Status::new(401, Reason::Unauthorized, "Unauthorized")),
        }
    }

    /// Who holds a token that is good for one of the audiences; none stands for the API server's own. `Err` is why not.
    pub(crate) fn user_of_token(
        &self,
        now: SimTime,
        token: &str,
        audiences: &[String],
    ) -> Result<Authenticated, String> {
        if let Some(user) = self.authenticator.tokens.get(token) {
            return Ok(Authenticated { user: with_group(user, AUTHENTICATED), audiences: audiences.to_vec() });
        }
        const INVALID: &str = "invalid bearer token";
        match token::verify(&self.storage, &self.authenticator.key, now, token, audiences) {
            Some(Ok(found)) => Ok(Authenticated { user: with_group(&found.user, AUTHENTICATED), ..found }),
            Some(Err(why)) => Err(format!("[{INVALID}, {why}]")),
            None => Err(INVALID.into()),
        }
    }
}

/// The kind as which a resource is kept, whatever the version.
fn resource(group: &str, plural: &str) -> Option<&'static Kind> {
    kinds::KINDS.iter().find(|kind| kind.plural == plural && kind.group == group).map(Kind::stored)
}

/// The token of an `Authorization` header, if there is one.
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn with_group(user: &User, group: &str) -> Arc<User> {
    let mut user = user.clone();
    if !user.is_in(group) {
        user.groups.push(group.into());
    }
    Arc::new(user)
}
