//! The file that tells kubectl where the cluster is and who asks.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use serde_json::json;

use crate::auth::Token;
use crate::tls::Authority;

const NAME: &str = "tabernetes";

/// Readable by its owner alone: it holds a token, or with TLS a key.
pub fn write(file: &Path, server: &str, token: &Token, authority: Option<&Authority>) -> anyhow::Result<()> {
    let data = |pem: &str| base64::engine::general_purpose::STANDARD.encode(pem);
    let (cluster, name, user) = match authority {
        None => (json!({ "server": server }), &token.user, json!({ "token": token.token })),
        Some(Authority { certificate, admin, .. }) => (
            json!({ "server": server, "certificate-authority-data": data(certificate) }),
            &admin.user,
            json!({ "client-certificate-data": data(&admin.certificate), "client-key-data": data(&admin.key) }),
        ),
    };
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": NAME, "cluster": cluster }],
        "users": [{ "name": name, "user": user }],
        "contexts": [{ "name": NAME, "context": { "cluster": NAME, "user": name, "namespace": "default" } }],
        "current-context": NAME,
    });
    let mut open = std::fs::OpenOptions::new();
    open.write(true).create(true).truncate(true).mode(0o600);
    let written = open.open(file).and_then(|mut out| out.write_all(api::yaml::emit(&config).as_bytes()));
    written.with_context(|| format!("cannot write {}", file.display()))
}
