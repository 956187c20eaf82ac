//! Which lists a strategic merge patch merges item by item, and by which key: upstream's `patchStrategy` tags.

/// How a strategic merge patch treats a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListMerge {
    /// The patch's list takes the place of the old one.
    Replace,
    /// Items of the same key are merged.
    ByKey(&'static str),
    /// A set of strings or numbers.
    Primitive,
}

use ListMerge::{ByKey, Primitive};

/// Type, field, how it merges. Lists that are not here are replaced.
const LISTS: &[(&str, &str, ListMerge)] = &[
    ("meta.v1.ObjectMeta", "ownerReferences", ByKey("uid")),
    ("meta.v1.ObjectMeta", "finalizers", Primitive),
    ("core.v1.PodSpec", "volumes", ByKey("name")),
    ("core.v1.PodSpec", "initContainers", ByKey("name")),
    ("core.v1.PodSpec", "containers", ByKey("name")),
    ("core.v1.PodSpec", "ephemeralContainers", ByKey("name")),
    ("core.v1.PodSpec", "imagePullSecrets", ByKey("name")),
    ("core.v1.PodSpec", "hostAliases", ByKey("ip")),
    ("core.v1.PodSpec", "topologySpreadConstraints", ByKey("topologyKey")),
    ("core.v1.PodSpec", "schedulingGates", ByKey("name")),
    ("core.v1.PodSpec", "resourceClaims", ByKey("name")),
    ("core.v1.PodStatus", "conditions", ByKey("type")),
    ("core.v1.PodStatus", "podIPs", ByKey("ip")),
    ("core.v1.PodStatus", "hostIPs", ByKey("ip")),
    ("core.v1.PodStatus", "resourceClaimStatuses", ByKey("name")),
    ("core.v1.Container", "ports", ByKey("containerPort")),
    ("core.v1.Container", "env", ByKey("name")),
    ("core.v1.Container", "volumeMounts", ByKey("mountPath")),
    ("core.v1.Container", "volumeDevices", ByKey("devicePath")),
    ("core.v1.EphemeralContainer", "ports", ByKey("containerPort")),
    ("core.v1.EphemeralContainer", "env", ByKey("name")),
    ("core.v1.EphemeralContainer", "volumeMounts", ByKey("mountPath")),
    ("core.v1.EphemeralContainer", "volumeDevices", ByKey("devicePath")),
    ("core.v1.ContainerStatus", "volumeMounts", ByKey("mountPath")),
    ("core.v1.ContainerStatus", "allocatedResourcesStatus", ByKey("name")),
    ("core.v1.ServiceSpec", "ports", ByKey("port")),
    ("core.v1.ServiceStatus", "conditions", ByKey("type")),
    ("core.v1.ServiceAccount", "secrets", ByKey("name")),
    ("core.v1.NodeSpec", "podCIDRs", Primitive),
    ("core.v1.NodeStatus", "conditions", ByKey("type")),
    ("core.v1.NodeStatus", "addresses", ByKey("type")),
    ("core.v1.NamespaceStatus", "conditions", ByKey("type")),
    ("core.v1.PersistentVolumeClaimStatus", "conditions", ByKey("type")),
    ("core.v1.ReplicationControllerStatus", "conditions", ByKey("type")),
    ("apps.v1.DeploymentStatus", "conditions", ByKey("type")),
    ("apps.v1.ReplicaSetStatus", "conditions", ByKey("type")),
    ("apps.v1.StatefulSetStatus", "conditions", ByKey("type")),
    ("apps.v1.DaemonSetStatus", "conditions", ByKey("type")),
    ("batch.v1.JobStatus", "conditions", ByKey("type")),
    ("autoscaling.v2.HorizontalPodAutoscalerStatus", "conditions", ByKey("type")),
    ("policy.v1.PodDisruptionBudgetStatus", "conditions", ByKey("type")),
    ("storage.v1.CSINodeSpec", "drivers", ByKey("name")),
    ("core.v1.ComponentStatus", "conditions", ByKey("type")),
    ("flowcontrol.v1.FlowSchemaStatus", "conditions", ByKey("type")),
    ("flowcontrol.v1.PriorityLevelConfigurationStatus", "conditions", ByKey("type")),
    ("networking.v1.ServiceCIDRStatus", "conditions", ByKey("type")),
    ("resource.v1.ResourceClaimStatus", "reservedFor", ByKey("uid")),
    ("apiregistration.v1.APIServiceStatus", "conditions", ByKey("type")),
    ("apiextensions.v1.JSONSchemaProps", "x-kubernetes-validations", ByKey("rule")),
    ("admissionregistration.v1.MutatingAdmissionPolicySpec", "matchConditions", ByKey("name")),
    ("admissionregistration.v1.ValidatingAdmissionPolicySpec", "matchConditions", ByKey("name")),
    ("admissionregistration.v1.ValidatingAdmissionPolicySpec", "variables", ByKey("name")),
    ("admissionregistration.v1.MutatingWebhook", "matchConditions", ByKey("name")),
    ("admissionregistration.v1.ValidatingWebhook", "matchConditions", ByKey("name")),
    ("admissionregistration.v1.MutatingWebhookConfiguration", "webhooks", ByKey("name")),
    ("admissionregistration.v1.ValidatingWebhookConfiguration", "webhooks", ByKey("name")),
];

/// Unions: a patch that sets one member lists in `$retainKeys` those that stay.
const RETAIN_KEYS: &[(&str, &str)] = &[
    ("core.v1.PodSpec", "volumes"),
    ("core.v1.PodSpec", "resourceClaims"),
    ("core.v1.PodStatus", "resourceClaimStatuses"),
    ("apps.v1.DeploymentSpec", "strategy"),
];

pub fn list_merge(type_name: &str, field: &str) -> ListMerge {
    let row = LISTS.iter().find(|(owner, name, _)| *owner == type_name && *name == field);
    row.map_or(ListMerge::Replace, |(_, _, merge)| *merge)
}

/// Whether patches of the field carry `$retainKeys`: upstream's strategy `retainKeys`.
pub fn replaces_other_keys(type_name: &str, field: &str) -> bool {
    RETAIN_KEYS.contains(&(type_name, field))
}
