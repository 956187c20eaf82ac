//! `-f URL`: manifests of other servers.

use ureq::Agent;

use crate::config::Tls;
use crate::connection::{text, tls_config, why_unreachable};

/// Where systems keep the authorities that they trust.
const AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The text behind an address, or the line that says why there is none.
pub fn fetch(url: &str) -> Result<String, String> {
    let authority = AUTHORITIES.iter().find_map(|path| std::fs::read(path).ok()).unwrap_or_default();
    let config = Agent::config_builder().http_status_as_error(false);
    let config = config.tls_config(tls_config(&Tls { authority, ..Tls::default() }));
    let response = Agent::new_with_config(config.build()).get(url).call();
    let address = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let response = response.map_err(|error| why_unreachable(address, &error))?;
    let status = response.status();
    if status.as_u16() == 200 {
        return Ok(text(response));
    }
    let code = status.as_u16();
    Err(format!("error: unable to read URL {url:?}, server reported {status}, status code={code}"))
}
