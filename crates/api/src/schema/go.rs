//! How upstream's Go types are called, where decoding errors show it.

use super::Type;

/// Fields whose Go type is a named string, map or list: type and field, Go name.
const NAMED: &[(&str, &str, &str)] = &[
    ("core.v1.PodSpec", "restartPolicy", "v1.RestartPolicy"),
    ("core.v1.PodSpec", "dnsPolicy", "v1.DNSPolicy"),
    ("core.v1.PodSpec", "preemptionPolicy", "v1.PreemptionPolicy"),
    ("core.v1.PodSpec", "overhead", "v1.ResourceList"),
    ("core.v1.PodStatus", "phase", "v1.PodPhase"),
    ("core.v1.PodStatus", "qosClass", "v1.PodQOSClass"),
    ("core.v1.PodCondition", "type", "v1.PodConditionType"),
    ("core.v1.PodCondition", "status", "v1.ConditionStatus"),
    ("core.v1.Container", "imagePullPolicy", "v1.PullPolicy"),
    ("core.v1.Container", "restartPolicy", "v1.ContainerRestartPolicy"),
    ("core.v1.Container", "terminationMessagePolicy", "v1.TerminationMessagePolicy"),
    ("core.v1.EphemeralContainer", "imagePullPolicy", "v1.PullPolicy"),
    ("core.v1.EphemeralContainer", "terminationMessagePolicy", "v1.TerminationMessagePolicy"),
    ("core.v1.ContainerPort", "protocol", "v1.Protocol"),
    ("core.v1.HTTPGetAction", "scheme", "v1.URIScheme"),
    ("core.v1.ResourceRequirements", "limits", "v1.ResourceList"),
    ("core.v1.ResourceRequirements", "requests", "v1.ResourceList"),
    ("core.v1.VolumeResourceRequirements", "limits", "v1.ResourceList"),
    ("core.v1.VolumeResourceRequirements", "requests", "v1.ResourceList"),
    ("core.v1.VolumeMount", "mountPropagation", "v1.MountPropagationMode"),
    ("core.v1.VolumeMount", "recursiveReadOnly", "v1.RecursiveReadOnlyMode"),
    ("core.v1.Toleration", "operator", "v1.TolerationOperator"),
    ("core.v1.Toleration", "effect", "v1.TaintEffect"),
    ("core.v1.Taint", "effect", "v1.TaintEffect"),
    ("core.v1.NodeSelectorRequirement", "operator", "v1.NodeSelectorOperator"),
    ("core.v1.TopologySpreadConstraint", "whenUnsatisfiable", "v1.UnsatisfiableConstraintAction"),
    ("core.v1.HostPathVolumeSource", "type", "v1.HostPathType"),
    ("core.v1.EmptyDirVolumeSource", "medium", "v1.StorageMedium"),
    ("core.v1.SeccompProfile", "type", "v1.SeccompProfileType"),
    ("core.v1.ServiceSpec", "type", "v1.ServiceType"),
    ("core.v1.ServiceSpec", "sessionAffinity", "v1.ServiceAffinity"),
    ("core.v1.ServiceSpec", "externalTrafficPolicy", "v1.ServiceExternalTrafficPolicy"),
    ("core.v1.ServiceSpec", "internalTrafficPolicy", "v1.ServiceInternalTrafficPolicy"),
    ("core.v1.ServiceSpec", "ipFamilyPolicy", "v1.IPFamilyPolicy"),
    ("core.v1.ServiceSpec", "ipFamilies", "[]v1.IPFamily"),
    ("core.v1.ServicePort", "protocol", "v1.Protocol"),
    ("core.v1.Secret", "type", "v1.SecretType"),
    ("core.v1.PersistentVolumeSpec", "capacity", "v1.ResourceList"),
    ("core.v1.PersistentVolumeSpec", "accessModes", "[]v1.PersistentVolumeAccessMode"),
    ("core.v1.PersistentVolumeSpec", "persistentVolumeReclaimPolicy", "v1.PersistentVolumeReclaimPolicy"),
    ("core.v1.PersistentVolumeSpec", "volumeMode", "v1.PersistentVolumeMode"),
    ("core.v1.PersistentVolumeClaimSpec", "accessModes", "[]v1.PersistentVolumeAccessMode"),
    ("core.v1.PersistentVolumeClaimSpec", "volumeMode", "v1.PersistentVolumeMode"),
    ("core.v1.NodeStatus", "capacity", "v1.ResourceList"),
    ("core.v1.NodeStatus", "allocatable", "v1.ResourceList"),
    ("core.v1.ResourceQuotaSpec", "hard", "v1.ResourceList"),
    ("core.v1.NamespaceSpec", "finalizers", "[]v1.FinalizerName"),
    ("apps.v1.DeploymentStrategy", "type", "v1.DeploymentStrategyType"),
    ("apps.v1.DaemonSetUpdateStrategy", "type", "v1.DaemonSetUpdateStrategyType"),
    ("apps.v1.StatefulSetUpdateStrategy", "type", "v1.StatefulSetUpdateStrategyType"),
    ("apps.v1.StatefulSetSpec", "podManagementPolicy", "v1.PodManagementPolicyType"),
    ("meta.v1.LabelSelectorRequirement", "operator", "v1.LabelSelectorOperator"),
    ("networking.v1.HTTPIngressPath", "pathType", "v1.PathType"),
    ("networking.v1.NetworkPolicySpec", "policyTypes", "[]v1.PolicyType"),
    ("batch.v1.CronJobSpec", "concurrencyPolicy", "v1.ConcurrencyPolicy"),
    ("batch.v1.JobSpec", "completionMode", "v1.CompletionMode"),
    ("storage.v1.StorageClass", "reclaimPolicy", "v1.PersistentVolumeReclaimPolicy"),
    ("storage.v1.StorageClass", "volumeBindingMode", "v1.VolumeBindingMode"),
];

/// The Go type of a field, as `encoding/json` prints it.
pub(crate) fn go_type(type_name: &str, field: &str, ty: Type) -> String {
    let named = NAMED.iter().find(|(owner, name, _)| *owner == type_name && *name == field);
    match named {
        Some((_, _, go)) => (*go).to_owned(),
        None => plain(ty),
    }
}

/// The Go type of an element of a field that holds a list or a map.
pub(crate) fn go_element(type_name: &str, field: &str, ty: Type) -> String {
    let whole = NAMED.iter().find(|(owner, name, _)| *owner == type_name && *name == field);
    match whole.and_then(|(_, _, go)| go.strip_prefix("[]")) {
        Some(element) => element.to_owned(),
        None => plain(ty),
    }
}

fn plain(ty: Type) -> String {
    match ty {
        Type::String | Type::Time | Type::MicroTime | Type::Quantity | Type::Any => "string".into(),
        Type::Bool => "bool".into(),
        Type::Int32 | Type::IntOrString => "int32".into(),
        Type::Int64 => "int64".into(),
        Type::Float => "float64".into(),
        Type::Bytes => "[]uint8".into(),
        Type::Struct(name) => short(name).to_owned(),
        Type::List(inner) => format!("[]{}", plain(inner.get())),
        Type::Map(inner) => format!("map[string]{}", plain(inner.get())),
    }
}

/// `core.v1.Container` as `v1.Container`.
fn short(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, rest)| rest)
}
