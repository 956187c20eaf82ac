//! ServiceAccount: every Pod runs as one, with its token mounted.

use api::types::{
    ConfigMapProjection, Container, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath, ObjectFieldSelector, Pod,
    PodSpec, ProjectedVolumeSource, ServiceAccount, ServiceAccountTokenProjection, Volume, VolumeMount,
    VolumeProjection,
};
use api::{Object, Status, Subresource, Verb};

use super::Attributes;
use crate::storage::Storage;

const MIRROR: &str = "kubernetes.io/config.mirror";
const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(super) fn admit(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    _old: Option<&dyn Object>,
) -> Result<(), Status> {
    if attributes.verb != Verb::Create || !attributes.is(Subresource::None) {
        return Ok(());
    }
    let Some(pod) = object.downcast_mut::<Pod>() else { return Ok(()) };
    if api::meta::annotation(&pod.metadata, MIRROR).is_some() {
        return Ok(());
    }
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let Some(spec) = pod.spec.as_mut() else { return Ok(()) };
    let account = spec.service_account_name.clone().filter(|name| !name.is_empty()).unwrap_or("default".into());
    spec.service_account_name = Some(account.clone());
    spec.service_account = Some(account.clone());
    let Some(account) = storage.find::<ServiceAccount>(&attributes.request.namespace, &account) else {
        let namespace = &attributes.request.namespace;
        let why =
            format!("error looking up service account {namespace}/{account}: serviceaccount {account:?} not found");
        return Err(Status::forbidden(attributes.kind, name, &why));
    };
    if spec.image_pull_secrets.as_ref().is_none_or(Vec::is_empty) {
        spec.image_pull_secrets = account.image_pull_secrets.clone().filter(|secrets| !secrets.is_empty());
    }
    let mounts = spec.automount_service_account_token.or(account.automount_service_account_token).unwrap_or(true);
    if mounts {
        mount_token(spec, &suffix_of(name));
    }
    Ok(())
}

/// What a Pod may refer to that only mirrors one of its node, or whose account names the secrets that it may use.
pub(super) fn validate(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    _old: Option<&dyn Object>,
) -> Result<(), Status> {
    let Some(pod) = object.downcast_ref::<Pod>() else { return Ok(()) };
    let Some(spec) = &pod.spec else { return Ok(()) };
    if attributes.verb != Verb::Create || !attributes.is(Subresource::None) {
        return Ok(());
    }
    let refusal = if api::meta::annotation(&pod.metadata, MIRROR).is_some() {
        bad_mirror(spec).map(str::to_owned)
    } else {
        let account = spec.service_account_name.as_deref().unwrap_or_default();
        let account = storage.find::<ServiceAccount>(&attributes.request.namespace, account);
        account.filter(|account| is_limited(account)).and_then(|account| unlisted_secret(spec, account))
    };
    refusal.map_or(Ok(()), |why| Err(Status::forbidden(attributes.kind, object.name(), &why)))
}

fn bad_mirror(spec: &PodSpec) -> Option<&'static str> {
    let sources = spec.volumes.iter().flatten().filter_map(|volume| volume.projected.as_ref());
    let mut sources = sources.flat_map(|projected| projected.sources.iter().flatten());
    if spec.service_account_name.as_deref().is_some_and(|name| !name.is_empty()) {
        Some("a mirror pod may not reference service accounts")
    } else if !secrets(spec).is_empty() || spec.image_pull_secrets.as_ref().is_some_and(|all| !all.is_empty()) {
        Some("a mirror pod may not reference secrets")
    } else if sources.any(|source| source.service_account_token.is_some()) {
        Some("a mirror pod may not use ServiceAccountToken volume projections")
    } else {
        None
    }
}

fn is_limited(account: &ServiceAccount) -> bool {
    let value = api::meta::annotation(&account.metadata, "kubernetes.io/enforce-mountable-secrets");
    value.is_some_and(|value| matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"))
}

/// Each secret that volumes and containers use, and how, in words.
fn secrets(spec: &PodSpec) -> Vec<(String, &str)> {
    let volumes = spec.volumes.iter().flatten().filter_map(|volume| volume.secret.as_ref()?.secret_name.as_deref());
    let mut used: Vec<(String, &str)> = volumes.map(|name| ("volume with".to_owned(), name)).collect();
    let inits = spec.init_containers.iter().flatten().map(|container| ("init container", container));
    for (what, container) in inits.chain(spec.containers.iter().map(|container| ("container", container))) {
        let own = &container.name;
        for variable in container.env.iter().flatten() {
            if let Some(from) = variable.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref()) {
                used.push((format!("{what} {own} with envVar {} referencing", variable.name), &from.name));
            }
        }
        for from in container.env_from.iter().flatten().filter_map(|from| from.secret_ref.as_ref()) {
            used.push((format!("{what} {own} with envFrom referencing"), &from.name));
        }
    }
    used
}

fn unlisted_secret(spec: &PodSpec, account: &ServiceAccount) -> Option<String> {
    let account_name = account.metadata.name.as_deref().unwrap_or_default();
    let is_listed = |name: &str| {
        let listed = account.secrets.iter().flatten();
        listed.filter_map(|secret| secret.name.as_deref()).any(|listed| listed == name)
    };
    if let Some((what, name)) = secrets(spec).into_iter().find(|(_, name)| !is_listed(name)) {
        let but = format!("is not allowed because service account {account_name} does not reference that secret");
        return Some(format!("{what} secret.secretName=\"{name}\" {but}"));
    }
    let listed = |name: &str| account.image_pull_secrets.iter().flatten().any(|listed| listed.name == name);
    let mut pulled = spec.image_pull_secrets.iter().flatten().enumerate();
    let (index, secret) = pulled.find(|(_, secret)| !listed(&secret.name))?;
    let but = format!("is not allowed because service account {account_name} does not reference that imagePullSecret");
    Some(format!("imagePullSecrets[{index}].name=\"{}\" {but}", secret.name))
}

/// Five characters that tell the token volumes of Pods apart, derived from the Pod's own name.
fn suffix_of(name: &str) -> String {
    let seed = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    api::rng::Rng::new(seed).name_suffix()
}

fn mount_token(spec: &mut api::types::PodSpec, suffix: &str) {
    let name = format!("kube-api-access-{suffix}");
    let mut mounted = false;
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        mounted |= mount_into(container, &name);
    }
    if mounted {
        spec.volumes.get_or_insert_default().push(token_volume(name));
    }
}

fn mount_into(container: &mut Container, volume: &str) -> bool {
    let mounts = container.volume_mounts.get_or_insert_default();
    if mounts.iter().any(|mount| mount.mount_path == MOUNT_PATH) {
        return false;
    }
    mounts.push(VolumeMount {
        name: volume.into(),
        mount_path: MOUNT_PATH.into(),
        read_only: Some(true),
        ..VolumeMount::default()
    });
    true
}

fn token_volume(name: String) -> Volume {
    let token = VolumeProjection {
        service_account_token: Some(ServiceAccountTokenProjection {
            expiration_seconds: Some(3607),
            path: "token".into(),
            audience: None,
        }),
        ..VolumeProjection::default()
    };
    let authority = VolumeProjection {
        config_map: Some(ConfigMapProjection {
            name: "kube-root-ca.crt".into(),
            items: Some(vec![KeyToPath { key: "ca.crt".into(), path: "ca.crt".into(), mode: None }]),
            optional: None,
        }),
        ..VolumeProjection::default()
    };
    let namespace = VolumeProjection {
        downward_api: Some(DownwardAPIProjection {
            items: Some(vec![DownwardAPIVolumeFile {
                path: "namespace".into(),
                field_ref: Some(ObjectFieldSelector {
                    api_version: Some("v1".into()),
                    field_path: "metadata.namespace".into(),
                }),
                ..DownwardAPIVolumeFile::default()
            }]),
        }),
        ..VolumeProjection::default()
    };
    Volume {
        name,
        projected: Some(ProjectedVolumeSource {
            default_mode: Some(0o644),
            sources: Some(vec![token, authority, namespace]),
        }),
        ..Volume::default()
    }
}
