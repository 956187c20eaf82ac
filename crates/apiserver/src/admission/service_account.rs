//! ServiceAccount: every Pod runs as one, with its token mounted.

use api::types::{
    ConfigMapProjection, Container, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath, ObjectFieldSelector, Pod,
    ProjectedVolumeSource, ServiceAccount, ServiceAccountTokenProjection, Volume, VolumeMount, VolumeProjection,
};
use api::{Object, Status, Verb};

use super::Attributes;
use crate::storage::Storage;

const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(super) fn admit(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    _old: Option<&dyn Object>,
) -> Result<(), Status> {
    if attributes.verb != Verb::Create {
        return Ok(());
    }
    let Some(pod) = object.downcast_mut::<Pod>() else { return Ok(()) };
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let Some(spec) = pod.spec.as_mut() else { return Ok(()) };
    let account = spec.service_account_name.get_or_insert_with(|| "default".into()).clone();
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
