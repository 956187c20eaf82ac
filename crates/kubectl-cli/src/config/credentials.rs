//! How a user proves who it is: a token, a password, a certificate, or what a program says. Upstream:
//! `client-go/plugin/pkg/client/auth`.

use std::io::{IsTerminal as _, Write as _};
use std::process::{Command, Stdio};

use anyhow::bail;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{check, pem};

#[derive(Default)]
pub struct Credentials {
    pub authorization: String,
    pub certificate: Vec<u8>,
    pub key: Vec<u8>,
}

const GROUP: &str = "client.authentication.k8s.io";

pub fn of(user: &Value, cluster: &Value) -> anyhow::Result<Credentials> {
    let field = |name: &str| super::of(user, name);
    let mut credentials = Credentials { certificate: pem(user, "client-certificate")?, ..Credentials::default() };
    if !credentials.certificate.is_empty() {
        credentials.key = pem(user, "client-key")?;
    }
    let (token, name) = (token(user)?, field("username"));
    if !token.is_empty() {
        credentials.authorization = format!("Bearer {token}");
    } else if !name.is_empty() || !field("password").is_empty() {
        credentials.authorization = basic(&name, &field("password"));
    } else if user["exec"].is_object() && credentials.certificate.is_empty() {
        run(&user["exec"], cluster, &mut credentials)?;
    } else if user["auth-provider"].is_object() {
        provided(&user["auth-provider"], &mut credentials)?;
    } else if credentials.certificate.is_empty() {
        credentials.authorization = basic(&ask("Username")?, &ask("Password")?);
    }
    Ok(credentials)
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}

fn token(user: &Value) -> anyhow::Result<String> {
    let (token, file) = (super::of(user, "token"), super::of(user, "tokenFile"));
    if !token.is_empty() || file.is_empty() {
        return Ok(token);
    }
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(why) => bail!("error: {}", check::unopened(&file, &why)),
    }
}

/// Whoever has nothing is asked on the terminal.
fn ask(what: &str) -> anyhow::Result<String> {
    print!("Please enter {what}: ");
    std::io::stdout().flush()?;
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(0) | Err(_) => bail!("error: EOF"),
        Ok(_) => Ok(line.trim_end().to_owned()),
    }
}

/// The plug-ins that kubectl once had in itself: OpenID Connect's is left, with the token that it has been given.
fn provided(provider: &Value, credentials: &mut Credentials) -> anyhow::Result<()> {
    match super::of(provider, "name").as_str() {
        "gcp" => bail!(
            "error: The gcp auth plugin has been removed.\n\
             Please use the \"gke-gcloud-auth-plugin\" kubectl/client-go credential plugin instead.\n\
             See https://cloud.google.com/blog/products/containers-kubernetes/kubectl-auth-changes-in-gke for further \
             details"
        ),
        "azure" => bail!(
            "error: The azure auth plugin has been removed.\n\
             Please use the https://github.com/Azure/kubelogin kubectl/client-go credential plugin instead.\n\
             See https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins for \
             further details"
        ),
        "oidc" => {
            for needed in ["idp-issuer-url", "client-id"] {
                if super::of(&provider["config"], needed).is_empty() {
                    bail!("error: Must provide {needed}");
                }
            }
            match super::of(&provider["config"], "id-token") {
                token if token.is_empty() => bail!(
                    "Unable to connect to the server: No valid id-token, and cannot refresh without refresh-token"
                ),
                token if token.split('.').count() != 3 => {
                    bail!("Unable to connect to the server: ID Token is not a valid JWT")
                }
                token => credentials.authorization = format!("Bearer {token}"),
            }
            Ok(())
        }
        other => bail!("error: no Auth Provider found for name {other:?}"),
    }
}

/// Whether a program may ask on the terminal: the first versions of its interface always let it.
pub fn interactive_mode(program: &Value) -> String {
    match super::of(program, "interactiveMode") {
        mode if mode.is_empty() && super::of(program, "apiVersion") == format!("{GROUP}/v1beta1") => {
            "IfAvailable".into()
        }
        mode => mode,
    }
}

/// Asks a program for credentials.
fn run(program: &Value, cluster: &Value, credentials: &mut Credentials) -> anyhow::Result<()> {
    let version = super::of(program, "apiVersion");
    if ![format!("{GROUP}/v1"), format!("{GROUP}/v1beta1")].contains(&version) {
        bail!("error: exec plugin: invalid apiVersion {version:?}");
    }
    let fail = |why: String| anyhow::anyhow!("Unable to connect to the server: getting credentials: {why}");
    let mode = interactive_mode(program);
    let is_interactive = mode != "Never" && std::io::stdin().is_terminal();
    if mode == "Always" && !is_interactive {
        return Err(fail("exec plugin cannot support interactive mode: standard input is not a terminal".into()));
    }
    let mut asked =
        json!({ "kind": "ExecCredential", "apiVersion": version, "spec": { "interactive": is_interactive } });
    if program["provideClusterInfo"] == true {
        let field = |name: &str| cluster[name].clone();
        asked["spec"]["cluster"] = json!({
            "server": field("server"), "certificate-authority-data": BASE64_STANDARD.encode(pem(cluster, "certificate-authority")?),
        });
    }
    let name = super::of(program, "command");
    let words = program["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let variables = program["env"].as_array().into_iter().flatten();
    let output = Command::new(&name)
        .args(words)
        .envs(variables.map(|variable| (super::of(variable, "name"), super::of(variable, "value"))))
        .env("KUBERNETES_EXEC_INFO", asked.to_string())
        .stdin(if is_interactive { Stdio::inherit() } else { Stdio::null() })
        .stderr(Stdio::inherit())
        .output()
        .map_err(|_| fail(missing(&name, &super::of(program, "installHint"))))?;
    if !output.status.success() {
        let code = output.status.code().unwrap_or(-1);
        return Err(fail(format!("exec: executable {name} failed with exit code {code}")));
    }
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|_| fail(unreadable()))?;
    if !answer.is_object() {
        return Err(fail(unreadable()));
    }
    let said = super::of(&answer, "apiVersion");
    if said != version {
        let said = if said.is_empty() { format!("{GROUP}/__internal") } else { said };
        return Err(fail(format!(
            "exec plugin is configured to use API version {version}, plugin returned version {said}"
        )));
    }
    let status = &answer["status"];
    if !status.is_object() {
        return Err(fail("exec plugin didn't return a status field".into()));
    }
    let field = |name: &str| super::of(status, name);
    if field("token").is_empty() && field("clientCertificateData").is_empty() && field("clientKeyData").is_empty() {
        return Err(fail("exec plugin didn't return a token or cert/key pair".into()));
    }
    if field("clientCertificateData").is_empty() != field("clientKeyData").is_empty() {
        return Err(fail("exec plugin returned only certificate or key, not both".into()));
    }
    if !field("token").is_empty() {
        credentials.authorization = format!("Bearer {}", field("token"));
    }
    credentials.certificate = field("clientCertificateData").into_bytes();
    credentials.key = field("clientKeyData").into_bytes();
    Ok(())
}

fn unreadable() -> String {
    "decoding stdout: couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type \
     struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }"
        .into()
}

fn missing(name: &str, hint: &str) -> String {
    let hint = if hint.is_empty() { String::new() } else { format!("\n\n{hint}") };
    format!(
        "exec: executable {name} not found\n\nIt looks like you are trying to use a client-go credential plugin that is not \
         installed.\n\nTo learn more about this feature, consult the documentation available at:\n      \
         https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins{hint}"
    )
}
