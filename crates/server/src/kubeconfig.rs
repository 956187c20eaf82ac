//! The file that tells kubectl where the cluster is and who asks.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use crate::auth::Token;

const NAME: &str = "tabernetes";

/// Readable by its owner alone: it holds a token.
pub fn write(file: &Path, server: &str, token: &Token) -> anyhow::Result<()> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": NAME, "cluster": { "server": server } }],
        "users": [{ "name": token.user, "user": { "token": token.token } }],
        "contexts": [{ "name": NAME, "context": { "cluster": NAME, "user": token.user, "namespace": "default" } }],
        "current-context": NAME,
    });
    let mut open = std::fs::OpenOptions::new();
    open.write(true).create(true).truncate(true).mode(0o600);
    let written = open.open(file).and_then(|mut out| out.write_all(api::yaml::emit(&config).as_bytes()));
    written.with_context(|| format!("cannot write {}", file.display()))
}
