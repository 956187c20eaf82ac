//! What Pods on Windows may ask for.

use api::field::{Error, Errors, Path};
use api::types::{PodSpec, WindowsSecurityContextOptions};
use api::validate::dns1123_subdomain;

use super::containers;
use crate::registry::rules::complain;

const CREDENTIALS_KIB_MAX: usize = 64;
const DOMAIN_LENGTH_MAX: usize = 256;
const USER_LENGTH_MAX: usize = 104;

/// `validateWindowsSecurityContextOptions`
pub(super) fn options(options: &WindowsSecurityContextOptions, path: &Path, errors: &mut Errors) {
    if let Some(name) = &options.gmsa_credential_spec_name {
        complain(errors, &path.child("gmsaCredentialSpecName"), name, dns1123_subdomain(name));
    }
    if let Some(credentials) = &options.gmsa_credential_spec {
        let path = path.child("gmsaCredentialSpec");
        if credentials.is_empty() {
            errors.push(Error::invalid(&path, "", "gmsaCredentialSpec cannot be an empty string"));
        } else if credentials.len() > CREDENTIALS_KIB_MAX * 1024 {
            let why = format!("gmsaCredentialSpec size must be under {CREDENTIALS_KIB_MAX} KiB");
            errors.push(Error::invalid(&path, credentials.as_str(), why));
        }
    }
    if let Some(name) = &options.run_as_user_name {
        let complaints = user_name(name).into_iter().map(|why| format!("runAsUserName{why}")).collect();
        complain(errors, &path.child("runAsUserName"), name, complaints);
    }
}

/// What is wrong with a user's name, which a domain may stand before.
fn user_name(name: &str) -> Vec<String> {
    if name.is_empty() {
        return vec![" cannot be an empty string".into()];
    }
    if name.chars().any(|one| one.is_ascii_control()) {
        return vec![" cannot contain control characters".into()];
    }
    let (domain, user) = match name.split('\\').collect::<Vec<_>>()[..] {
        [user] => (None, user),
        [domain, user] => (Some(domain), user),
        _ => return vec![" cannot contain more than one backslash".into()],
    };
    let mut complaints = Vec::new();
    if domain.is_some_and(|domain| domain.len() >= DOMAIN_LENGTH_MAX) {
        complaints.push(format!("'s Domain length must be under {DOMAIN_LENGTH_MAX} characters"));
    }
    if domain.is_some_and(|domain| !is_net_bios(domain) && !is_dns(domain)) {
        complaints.push("'s Domain doesn't match the NetBios nor the DNS format".into());
    }
    if user.is_empty() {
        complaints.push("'s User cannot be empty".into());
    } else if user.len() > USER_LENGTH_MAX {
        complaints.push(format!("'s User length must not be longer than {USER_LENGTH_MAX} characters"));
    }
    if !user.is_empty() && user.chars().all(|one| matches!(one, '.' | ' ')) {
        complaints.push("'s User cannot contain only periods or spaces".into());
    }
    if user.contains(['"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']']) {
        complaints.push("'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]".into());
    }
    complaints
}

fn is_net_bios(domain: &str) -> bool {
    (1..=15).contains(&domain.chars().count())
        && !domain.starts_with('.')
        && !domain.contains(['\\', '/', ':', '*', '?', '"', '<', '>', '|'])
}

fn is_dns(domain: &str) -> bool {
    domain.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// `validateWindowsHostProcessPod`: all containers are processes of the node, or none.
pub(super) fn host_processes(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let context = spec.security_context.as_ref();
    let of_pod = context.and_then(|context| context.windows_options.as_ref()?.host_process);
    let (mut count, mut processes) = (0, 0);
    containers::each(spec, path, |container, path| {
        let context = container.security_context.as_ref();
        let own = context.and_then(|context| context.windows_options.as_ref()?.host_process);
        if let (Some(of_pod), Some(own)) = (of_pod, own)
            && of_pod != own
        {
            let why = format!("pod hostProcess value must be identical if both are specified, was {of_pod}");
            let path = path.child("securityContext");
            errors.push(Error::invalid(&path.child("windowsOptions").child("hostProcess"), own, why));
        }
        count += 1;
        processes += usize::from(own.or(of_pod) == Some(true));
    });
    if processes == 0 {
        return;
    }
    if processes != count {
        let why = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        errors.push(Error::invalid(path, "", why));
    }
    if spec.host_network != Some(true) {
        let why = "hostNetwork must be true if pod contains any hostProcess containers";
        errors.push(Error::invalid(&path.child("hostNetwork"), false, why));
    }
}
