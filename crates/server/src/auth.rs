//! Who asks: static bearer tokens, as with `--token-auth-file`.

use std::io::Read as _;
use std::sync::Arc;

use anyhow::Context as _;
use api::{Caller, Reason, Status};
use hyper::HeaderMap;

/// What the trace and the default field manager call these callers where they do not say.
const AGENT: &str = "unknown";

#[derive(Clone, Default)]
pub struct Tokens(Vec<Token>);

#[derive(Clone)]
pub struct Token {
    pub token: String,
    pub user: String,
    groups: Vec<String>,
}

impl Tokens {
    /// `TOKEN=USER[,GROUP…]`
    pub fn add(&mut self, text: &str) -> anyhow::Result<()> {
        let (token, who) = text.split_once('=').context("--token wants TOKEN=USER[,GROUP...]")?;
        let mut names = who.split(',').map(str::to_owned);
        let user = names.next().filter(|user| !user.is_empty()).context("--token names no user")?;
        anyhow::ensure!(!token.is_empty(), "--token has an empty token");
        self.0.push(Token { token: token.into(), user, groups: names.collect() });
        Ok(())
    }

    /// A token that nobody can guess, for the administrator.
    pub fn draw(&mut self) -> anyhow::Result<String> {
        let mut bytes = [0; 16];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes).context("no random numbers")?;
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.add(&format!("{token}=kubernetes-admin,system:masters"))?;
        Ok(token)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first token: the kubeconfig's.
    pub fn admin(&self) -> &Token {
        &self.0[0]
    }

    /// The caller behind an `Authorization` header. Without one it is `system:anonymous`, who has no name here.
    pub fn caller(&self, authorization: &str) -> Result<Caller, Status> {
        if authorization.is_empty() {
            return Ok(anonymous());
        }
        let presented = authorization.strip_prefix("Bearer ").unwrap_or_default().trim();
        let unauthorized = || Status::new(401, Reason::Unauthorized, "Unauthorized");
        let token = self.0.iter().find(|token| same(&token.token, presented)).ok_or_else(unauthorized)?;
        Ok(token.caller())
    }
}

impl Token {
    pub fn caller(&self) -> Caller {
        let groups: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        authenticated(&self.user, &groups)
    }
}

/// Who has no name here.
fn anonymous() -> Caller {
    Caller::new("", &["system:unauthenticated"], AGENT)
}

/// Whom a caller acts as by its `Impersonate-…` headers, which are its own affair unless it is an administrator.
pub fn impersonated(caller: Caller, headers: &HeaderMap) -> Result<Caller, Status> {
    let all = |name: &str| headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    let groups: Vec<&str> = all("impersonate-group").collect();
    let uid = all("impersonate-uid").next();
    let Some(user) = all("impersonate-user").next().filter(|user| !user.is_empty()) else {
        if groups.is_empty() && uid.is_none() {
            return Ok(caller);
        }
        return Err(Status::internal("requested groups or a UID without impersonating a user"));
    };
    if !caller.user.groups.iter().any(|group| group == "system:masters") {
        let impersonator = &caller.user.name;
        let message = format!(
            "users {user:?} is forbidden: User {impersonator:?} cannot impersonate resource \"users\" in API group \"\" at \
             the cluster scope"
        );
        return Err(Status::new(403, Reason::Forbidden, message));
    }
    if user == "system:anonymous" {
        return Ok(anonymous());
    }
    let account = user.strip_prefix("system:serviceaccount:").and_then(|account| account.split_once(':'));
    let of_namespace = account.map(|(namespace, _)| format!("system:serviceaccounts:{namespace}"));
    let groups = match &of_namespace {
        Some(of_namespace) if groups.is_empty() => vec!["system:serviceaccounts", of_namespace],
        _ => groups,
    };
    let mut caller = authenticated(user, &groups);
    Arc::make_mut(&mut caller.user).uid = uid.unwrap_or_default().into();
    Ok(caller)
}

/// Somebody whose name has been proved.
pub fn authenticated(user: &str, groups: &[&str]) -> Caller {
    Caller::new(user, &[groups, &["system:authenticated"]].concat(), AGENT)
}

/// Compares without telling by its duration how much was right.
fn same(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).fold(0, |all, (one, other)| all | (one ^ other));
    one.len() == other.len() && differences == 0
}
