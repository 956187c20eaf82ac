//! What server-side apply owns as one, and how it tells the items of lists apart: upstream's markers `+listType`,
//! `+listMapKey`, `+mapType` and `+structType`, and which structs Go writes though they hold nothing.

use serde_json::{Map, Value};

use super::{Type, field, fields};

/// How server-side apply treats a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListTopology {
    /// One owner.
    Atomic,
    /// Scalars, each with owners of its own.
    Set,
    /// Items that are told apart by some of their fields.
    Keyed(&'static [&'static str]),
}

use ListTopology::{Keyed, Set};

/// Type, field, how its items are told apart; in their order. Lists that are not here are atomic.
const LISTS: &[(&str, &str, ListTopology)] = &[
    ("admissionregistration.v1.MutatingAdmissionPolicySpec", "matchConditions", Keyed(&["name"])),
    ("admissionregistration.v1.MutatingWebhook", "matchConditions", Keyed(&["name"])),
    ("admissionregistration.v1.MutatingWebhookConfiguration", "webhooks", Keyed(&["name"])),
    ("admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec", "validationActions", Set),
    ("admissionregistration.v1.ValidatingAdmissionPolicySpec", "matchConditions", Keyed(&["name"])),
    ("admissionregistration.v1.ValidatingAdmissionPolicySpec", "variables", Keyed(&["name"])),
    ("admissionregistration.v1.ValidatingAdmissionPolicyStatus", "conditions", Keyed(&["type"])),
    ("admissionregistration.v1.ValidatingWebhook", "matchConditions", Keyed(&["name"])),
    ("admissionregistration.v1.ValidatingWebhookConfiguration", "webhooks", Keyed(&["name"])),
    ("apiextensions.v1.CustomResourceDefinitionStatus", "conditions", Keyed(&["type"])),
    ("apiregistration.v1.APIServiceStatus", "conditions", Keyed(&["type"])),
    ("apps.v1.DaemonSetStatus", "conditions", Keyed(&["type"])),
    ("apps.v1.DeploymentStatus", "conditions", Keyed(&["type"])),
    ("apps.v1.ReplicaSetStatus", "conditions", Keyed(&["type"])),
    ("apps.v1.StatefulSetStatus", "conditions", Keyed(&["type"])),
    ("autoscaling.v2.HorizontalPodAutoscalerStatus", "conditions", Keyed(&["type"])),
    ("batch.v1.PodFailurePolicyOnExitCodesRequirement", "values", Set),
    ("batch.v1.UncountedTerminatedPods", "failed", Set),
    ("batch.v1.UncountedTerminatedPods", "succeeded", Set),
    ("certificates.v1.CertificateSigningRequestStatus", "conditions", Keyed(&["type"])),
    ("core.v1.ComponentStatus", "conditions", Keyed(&["type"])),
    ("core.v1.Container", "env", Keyed(&["name"])),
    ("core.v1.Container", "ports", Keyed(&["containerPort", "protocol"])),
    ("core.v1.Container", "volumeDevices", Keyed(&["devicePath"])),
    ("core.v1.Container", "volumeMounts", Keyed(&["mountPath"])),
    ("core.v1.ContainerRestartRuleOnExitCodes", "values", Set),
    ("core.v1.ContainerStatus", "allocatedResourcesStatus", Keyed(&["name"])),
    ("core.v1.ContainerStatus", "volumeMounts", Keyed(&["mountPath"])),
    ("core.v1.EphemeralContainer", "env", Keyed(&["name"])),
    ("core.v1.EphemeralContainer", "ports", Keyed(&["containerPort", "protocol"])),
    ("core.v1.EphemeralContainer", "volumeDevices", Keyed(&["devicePath"])),
    ("core.v1.EphemeralContainer", "volumeMounts", Keyed(&["mountPath"])),
    ("core.v1.NamespaceStatus", "conditions", Keyed(&["type"])),
    ("core.v1.NodeAllocatableResourceClaimStatus", "containers", Set),
    ("core.v1.NodeSpec", "podCIDRs", Set),
    ("core.v1.NodeStatus", "addresses", Keyed(&["type"])),
    ("core.v1.NodeStatus", "conditions", Keyed(&["type"])),
    ("core.v1.PersistentVolumeClaimStatus", "conditions", Keyed(&["type"])),
    ("core.v1.PodSpec", "containers", Keyed(&["name"])),
    ("core.v1.PodSpec", "ephemeralContainers", Keyed(&["name"])),
    ("core.v1.PodSpec", "hostAliases", Keyed(&["ip"])),
    ("core.v1.PodSpec", "imagePullSecrets", Keyed(&["name"])),
    ("core.v1.PodSpec", "initContainers", Keyed(&["name"])),
    ("core.v1.PodSpec", "resourceClaims", Keyed(&["name"])),
    ("core.v1.PodSpec", "schedulingGates", Keyed(&["name"])),
    ("core.v1.PodSpec", "topologySpreadConstraints", Keyed(&["topologyKey", "whenUnsatisfiable"])),
    ("core.v1.PodSpec", "volumes", Keyed(&["name"])),
    ("core.v1.PodStatus", "conditions", Keyed(&["type"])),
    ("core.v1.PodStatus", "podIPs", Keyed(&["ip"])),
    ("core.v1.PodStatus", "resourceClaimStatuses", Keyed(&["name"])),
    ("core.v1.ReplicationControllerStatus", "conditions", Keyed(&["type"])),
    ("core.v1.ResourceRequirements", "claims", Keyed(&["name"])),
    ("core.v1.ResourceStatus", "resources", Keyed(&["resourceID"])),
    ("core.v1.ServiceAccount", "secrets", Keyed(&["name"])),
    ("core.v1.ServiceSpec", "ports", Keyed(&["port", "protocol"])),
    ("core.v1.ServiceStatus", "conditions", Keyed(&["type"])),
    ("discovery.v1.Endpoint", "addresses", Set),
    ("flowcontrol.v1.FlowSchemaStatus", "conditions", Keyed(&["type"])),
    ("flowcontrol.v1.NonResourcePolicyRule", "nonResourceURLs", Set),
    ("flowcontrol.v1.NonResourcePolicyRule", "verbs", Set),
    ("flowcontrol.v1.PriorityLevelConfigurationStatus", "conditions", Keyed(&["type"])),
    ("flowcontrol.v1.ResourcePolicyRule", "apiGroups", Set),
    ("flowcontrol.v1.ResourcePolicyRule", "namespaces", Set),
    ("flowcontrol.v1.ResourcePolicyRule", "resources", Set),
    ("flowcontrol.v1.ResourcePolicyRule", "verbs", Set),
    ("meta.v1.ObjectMeta", "finalizers", Set),
    ("meta.v1.ObjectMeta", "ownerReferences", Keyed(&["uid"])),
    ("networking.v1.ServiceCIDRStatus", "conditions", Keyed(&["type"])),
    ("policy.v1.PodDisruptionBudgetStatus", "conditions", Keyed(&["type"])),
    ("resource.v1.AllocatedDeviceStatus", "conditions", Keyed(&["type"])),
    ("resource.v1.ResourceClaimStatus", "devices", Keyed(&["driver", "device", "pool", "shareID"])),
    ("resource.v1.ResourceClaimStatus", "reservedFor", Keyed(&["uid"])),
    ("storage.v1.CSIDriverSpec", "volumeLifecycleModes", Set),
    ("storage.v1.CSINodeSpec", "drivers", Keyed(&["name"])),
];

/// Structs that are owned as a whole, in their order.
const ATOMIC_STRUCTS: &[&str] = &[
    "admissionregistration.v1.MatchResources",
    "admissionregistration.v1.NamedRuleWithOperations",
    "admissionregistration.v1.ParamKind",
    "admissionregistration.v1.ParamRef",
    "admissionregistration.v1.Variable",
    "autoscaling.v1.CrossVersionObjectReference",
    "core.v1.ConfigMapKeySelector",
    "core.v1.EndpointAddress",
    "core.v1.EndpointPort",
    "core.v1.FileKeySelector",
    "core.v1.LocalObjectReference",
    "core.v1.NodeSelector",
    "core.v1.NodeSelectorTerm",
    "core.v1.ObjectFieldSelector",
    "core.v1.ObjectReference",
    "core.v1.ResourceFieldSelector",
    "core.v1.ScopeSelector",
    "core.v1.SecretKeySelector",
    "core.v1.SecretReference",
    "core.v1.TopologySelectorTerm",
    "core.v1.TypedLocalObjectReference",
    "discovery.v1.EndpointPort",
    "meta.v1.LabelSelector",
    "meta.v1.OwnerReference",
    "networking.v1.ServiceBackendPort",
    "rbac.v1.RoleRef",
    "rbac.v1.Subject",
];

/// Maps that are owned as a whole, in their order.
const ATOMIC_MAPS: &[(&str, &str)] = &[
    ("core.v1.PodSpec", "nodeSelector"),
    ("core.v1.ReplicationControllerSpec", "selector"),
    ("core.v1.ServiceSpec", "selector"),
    ("node.v1.Scheduling", "nodeSelector"),
];

/// Structs that upstream's types hold by value, and lists that they write as `null` when there are none: where an object
/// that is being created has them already. Besides these, `metadata`, `spec` and `status` of every kind.
const BY_VALUE: &[(&str, &str)] = &[
    ("apiextensions.v1.CustomResourceDefinitionSpec", "names"),
    ("apps.v1.DaemonSetSpec", "template"),
    ("apps.v1.DaemonSetSpec", "updateStrategy"),
    ("apps.v1.DeploymentSpec", "strategy"),
    ("apps.v1.DeploymentSpec", "template"),
    ("apps.v1.ReplicaSetSpec", "template"),
    ("apps.v1.StatefulSetSpec", "template"),
    ("apps.v1.StatefulSetSpec", "updateStrategy"),
    ("autoscaling.v2.HorizontalPodAutoscalerSpec", "scaleTargetRef"),
    ("batch.v1.CronJobSpec", "jobTemplate"),
    ("batch.v1.JobSpec", "template"),
    ("batch.v1.JobTemplateSpec", "metadata"),
    ("batch.v1.JobTemplateSpec", "spec"),
    ("core.v1.Event", "source"),
    ("core.v1.PersistentVolumeClaimSpec", "resources"),
    ("core.v1.PodSpec", "containers"),
    ("core.v1.PodTemplate", "template"),
    ("core.v1.PodTemplateSpec", "metadata"),
    ("core.v1.PodTemplateSpec", "spec"),
    ("core.v1.NodeDaemonEndpoints", "kubeletEndpoint"),
    ("core.v1.NodeStatus", "daemonEndpoints"),
    ("core.v1.NodeStatus", "nodeInfo"),
    ("core.v1.ServiceStatus", "loadBalancer"),
    ("events.v1.Event", "deprecatedSource"),
    ("networking.v1.IngressStatus", "loadBalancer"),
    ("storage.v1.CSINodeSpec", "drivers"),
    ("storage.v1.VolumeAttachmentSpec", "source"),
];

pub fn list_topology(type_name: &str, field: &str) -> ListTopology {
    let found = LISTS.binary_search_by_key(&(type_name, field), |(owner, name, _)| (*owner, *name));
    found.map_or(ListTopology::Atomic, |at| LISTS[at].2)
}

pub fn is_atomic_struct(type_name: &str) -> bool {
    ATOMIC_STRUCTS.binary_search(&type_name).is_ok()
}

pub fn is_atomic_map(type_name: &str, field: &str) -> bool {
    ATOMIC_MAPS.binary_search(&(type_name, field)).is_ok()
}

/// What stands for a key field that an item leaves out: the field's default, or else Go's zero value.
pub fn key_default(type_name: &str, name: &str) -> Option<Value> {
    match (field(type_name, name)?.ty, name) {
        (_, "protocol") => Some("TCP".into()),
        (Type::String, _) => Some("".into()),
        (Type::Int32 | Type::Int64, _) => Some(0.into()),
        _ => None,
    }
}

/// Puts what Go writes of an empty object into one that lacks it.
pub fn fill_by_value(kind_type: &'static str, object: &mut Value) {
    fill(kind_type, object, |_, name| matches!(name, "metadata" | "spec" | "status"));
}

fn fill(type_name: &'static str, object: &mut Value, is_by_value: fn(&str, &str) -> bool) {
    let Value::Object(entries) = object else { return };
    for field in fields(type_name).iter().filter(|field| is_by_value(type_name, field.name)) {
        match field.ty {
            Type::Struct(inner) => {
                let value = entries.entry(field.name).or_insert_with(|| Value::Object(Map::new()));
                fill(inner, value, |owner, name| BY_VALUE.contains(&(owner, name)));
            }
            _ => {
                entries.entry(field.name).or_insert(Value::Null);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tables_are_sorted_and_name_what_exists() {
        assert!(LISTS.is_sorted_by_key(|(owner, name, _)| (*owner, *name)));
        assert!(ATOMIC_STRUCTS.is_sorted());
        assert!(ATOMIC_MAPS.is_sorted());
        let known = |owner: &str| !fields(owner).is_empty();
        for (owner, name, topology) in LISTS.iter().filter(|(owner, _, _)| known(owner)) {
            let Some(Type::List(items)) = field(owner, name).map(|field| field.ty) else {
                panic!("{owner}.{name} is no list")
            };
            if let (Keyed(keys), Type::Struct(item)) = (topology, items.get()) {
                assert!(keys.iter().all(|key| field(item, key).is_some()), "{item} has {keys:?}");
            }
        }
        let by_value = BY_VALUE.iter().chain(ATOMIC_MAPS);
        for (owner, name) in by_value.filter(|(owner, _)| known(owner)) {
            assert!(field(owner, name).is_some(), "{owner} has {name}");
        }
    }

    #[test]
    fn what_go_writes_of_an_empty_deployment() {
        let mut object = json!({});
        fill_by_value("apps.v1.Deployment", &mut object);
        let template = json!({"metadata": {}, "spec": {"containers": null}});
        let expected = json!({"metadata": {}, "spec": {"strategy": {}, "template": template}, "status": {}});
        assert_eq!(object, expected);
    }
}
