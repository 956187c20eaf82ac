//! References from one object to another, by name: they follow when the other is renamed.

use serde_json::Value;

use super::resource::{Identity, Resource};
use super::text;

/// Where a kind's names stand. Paths of Pods are relative to their spec; lists are walked through.
struct Site {
    /// The kind that is named.
    kind: &'static str,
    /// Who names it; `Pod` means everything that has a Pod template.
    by: &'static str,
    path: &'static str,
}

const fn site(kind: &'static str, by: &'static str, path: &'static str) -> Site {
    Site { kind, by, path }
}

const SITES: &[Site] = &[
    site("ConfigMap", "Pod", "volumes/configMap/name"),
    site("ConfigMap", "Pod", "volumes/projected/sources/configMap/name"),
    site("ConfigMap", "Pod", "containers/env/valueFrom/configMapKeyRef/name"),
    site("ConfigMap", "Pod", "containers/envFrom/configMapRef/name"),
    site("ConfigMap", "Pod", "initContainers/env/valueFrom/configMapKeyRef/name"),
    site("ConfigMap", "Pod", "initContainers/envFrom/configMapRef/name"),
    site("Secret", "Pod", "volumes/secret/secretName"),
    site("Secret", "Pod", "volumes/projected/sources/secret/name"),
    site("Secret", "Pod", "containers/env/valueFrom/secretKeyRef/name"),
    site("Secret", "Pod", "containers/envFrom/secretRef/name"),
    site("Secret", "Pod", "initContainers/env/valueFrom/secretKeyRef/name"),
    site("Secret", "Pod", "initContainers/envFrom/secretRef/name"),
    site("Secret", "Pod", "imagePullSecrets/name"),
    site("Secret", "ServiceAccount", "imagePullSecrets/name"),
    site("Secret", "ServiceAccount", "secrets/name"),
    site("Secret", "Ingress", "spec/tls/secretName"),
    site("ServiceAccount", "Pod", "serviceAccountName"),
    site("PersistentVolumeClaim", "Pod", "volumes/persistentVolumeClaim/claimName"),
    site("PersistentVolume", "PersistentVolumeClaim", "spec/volumeName"),
    site("StorageClass", "PersistentVolumeClaim", "spec/storageClassName"),
    site("StorageClass", "PersistentVolume", "spec/storageClassName"),
    site("StorageClass", "StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"),
    site("PriorityClass", "Pod", "priorityClassName"),
    site("RuntimeClass", "Pod", "runtimeClassName"),
    site("IngressClass", "Ingress", "spec/ingressClassName"),
    site("Service", "StatefulSet", "spec/serviceName"),
    site("Service", "Ingress", "spec/defaultBackend/service/name"),
    site("Service", "Ingress", "spec/rules/http/paths/backend/service/name"),
    site("Service", "APIService", "spec/service/name"),
    site("Service", "ValidatingWebhookConfiguration", "webhooks/clientConfig/service/name"),
    site("Service", "MutatingWebhookConfiguration", "webhooks/clientConfig/service/name"),
];

/// The path of the Pod's spec in kinds that have one.
pub(super) fn pod_spec(kind: &str) -> Option<&'static str> {
    match kind {
        "Pod" => Some("spec"),
        "CronJob" => Some("spec/jobTemplate/spec/template/spec"),
        "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet" | "DaemonSet" | "Job" => {
            Some("spec/template/spec")
        }
        "PodTemplate" => Some("template/spec"),
        _ => None,
    }
}

/// Follows a path, through all items of lists, and hands over what is at its end.
pub(super) fn walk(value: &mut Value, path: &str, change: &mut dyn FnMut(&mut Value)) {
    if let Value::Array(items) = value {
        items.iter_mut().for_each(|item| walk(item, path, change));
        return;
    }
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Some(inner) = value.get_mut(first) else { return };
    match rest {
        Some(rest) => walk(inner, rest, change),
        None => change(inner),
    }
}

/// Makes references follow: `before` holds the identities that the resources had, in their order.
pub(super) fn fix(resources: &mut [Resource], before: &[Identity]) {
    let moved: Vec<(Identity, Identity)> = before
        .iter()
        .zip(resources.iter().map(Resource::identity))
        .filter(|(old, new)| *old != new)
        .map(|(old, new)| (old.clone(), new))
        .collect();
    if moved.is_empty() {
        return;
    }
    let renamed = |kind: &str, name: &str| {
        let found = moved.iter().find(|(old, _)| old.kind == kind && old.name == name);
        found.map(|(_, new)| Value::from(new.name.clone()))
    };
    for resource in resources {
        let own = resource.kind().to_owned();
        for site in SITES {
            let path = match (site.by, pod_spec(&own)) {
                ("Pod", Some(spec)) => format!("{spec}/{}", site.path),
                (by, _) if by == own => site.path.to_owned(),
                _ => continue,
            };
            walk(&mut resource.value, &path, &mut |name| {
                if let Some(new) = renamed(site.kind, text(name)) {
                    *name = new;
                }
            });
        }
        // These say themselves what kind they name.
        for path in ["roleRef", "subjects", "spec/scaleTargetRef"] {
            follow(&mut resource.value, path, &moved);
        }
    }
}

fn follow(value: &mut Value, path: &str, moved: &[(Identity, Identity)]) {
    let mut change = |target: &mut Value| {
        let namespace = target.get("namespace").map(|namespace| text(namespace).to_owned());
        let names = |old: &Identity| {
            old.kind == text(&target["kind"])
                && old.name == text(&target["name"])
                && namespace.as_ref().is_none_or(|namespace| {
                    *namespace == old.namespace || (old.namespace.is_empty() && namespace == "default")
                })
        };
        let Some((_, new)) = moved.iter().find(|(old, _)| names(old)) else { return };
        target["name"] = new.name.clone().into();
        if namespace.is_some() && !new.namespace.is_empty() {
            target["namespace"] = new.namespace.clone().into();
        }
    };
    walk(value, path, &mut |found| match found {
        Value::Array(items) => items.iter_mut().for_each(&mut change),
        one => change(one),
    });
}
