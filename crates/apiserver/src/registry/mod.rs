//! The kinds' rules: one file, or folder, each. Upstream: `pkg/registry/*/*/strategy.go`, `pkg/apis/*/v1/defaults.go` and
//! `pkg/apis/*/validation`.
//!
//! Adding a kind: a row in `api::kinds`, a file here, and a line in [`STRATEGIES`].

mod addresses;
mod admission_policy;
pub(crate) mod admission_rules;
pub(crate) mod api_service;
pub(crate) mod certificate_signing_request;
mod conditions;
mod config_map;
mod controller_revision;
mod cron_job;
mod csi;
mod daemon_set;
mod deployment;
mod endpoint_slice;
mod endpoints;
pub(crate) mod event;
pub(crate) mod flow_control;
mod go_diff;
mod horizontal_pod_autoscaler;
mod ingress;
mod ingress_class;
mod job;
mod job_policies;
mod lease;
mod limit_range;
mod namespace;
mod network_policy;
mod node;
mod persistent_volume;
mod persistent_volume_claim;
pub mod pod;
mod pod_disruption_budget;
mod pod_template;
mod pod_template_object;
mod priority_class;
mod quota_names;
mod rbac;
mod replica_set;
mod replication_controller;
pub(crate) mod resource;
mod resource_quota;
mod rules;
mod runtime_class;
mod secret;
pub(crate) mod service;
mod service_account;
mod service_changes;
pub(crate) mod service_network;
mod service_warnings;
mod stateful_set;
mod storage_class;
mod tree;
mod volume_sources;
pub(crate) mod webhook_configuration;

use api::types::*;
use api::{KindId, Object};

pub(crate) use rules::subdomain_name;

use crate::strategy::Rules;

/// In the order of `api::kinds`.
static STRATEGIES: &[Rules] = &[
    Rules::of::<Namespace>(),
    Rules::of::<Node>(),
    Rules::of::<Pod>(),
    Rules::of::<Service>(),
    Rules::of::<Endpoints>(),
    Rules::of::<EndpointSlice>(),
    Rules::of::<ConfigMap>(),
    Rules::of::<Secret>(),
    Rules::of::<ServiceAccount>(),
    Rules::of::<PersistentVolume>(),
    Rules::of::<PersistentVolumeClaim>(),
    Rules::of::<StorageClass>(),
    Rules::of::<Event>(),
    Rules::of::<Lease>(),
    Rules::of::<Deployment>(),
    Rules::of::<ReplicaSet>(),
    Rules::of::<StatefulSet>(),
    Rules::of::<ControllerRevision>(),
    Rules::of::<Ingress>(),
    Rules::of::<IngressClass>(),
    Rules::of::<PriorityClass>(),
    Rules::of::<PodDisruptionBudget>(),
    Rules::of::<PodTemplate>(),
    Rules::of::<ReplicationController>(),
    Rules::of::<ResourceQuota>(),
    Rules::of::<LimitRange>(),
    Rules::tree::<tree::Binding>(),
    Rules::tree::<tree::ComponentStatus>(),
    Rules::of::<DaemonSet>(),
    Rules::of::<Job>(),
    Rules::of::<CronJob>(),
    Rules::of::<HorizontalPodAutoscaler>(),
    Rules::tree::<tree::AutoscalerV1>(),
    Rules::tree::<tree::EventV1>(),
    Rules::of::<NetworkPolicy>(),
    Rules::tree::<service_network::IpAddress>(),
    Rules::tree::<service_network::ServiceCidr>(),
    Rules::of::<Role>(),
    Rules::of::<RoleBinding>(),
    Rules::of::<ClusterRole>(),
    Rules::of::<ClusterRoleBinding>(),
    Rules::tree::<csi::CsiDriver>(),
    Rules::tree::<csi::CsiNode>(),
    Rules::tree::<csi::CsiStorageCapacity>(),
    Rules::tree::<csi::VolumeAttachment>(),
    Rules::tree::<csi::VolumeAttributesClass>(),
    Rules::of::<RuntimeClass>(),
    Rules::tree::<webhook_configuration::Validating>(),
    Rules::tree::<webhook_configuration::Mutating>(),
    Rules::tree::<admission_policy::Validating>(),
    Rules::tree::<admission_policy::ValidatingBinding>(),
    Rules::tree::<admission_policy::Mutating>(),
    Rules::tree::<admission_policy::MutatingBinding>(),
    Rules::tree::<crate::custom::definition::CustomResourceDefinition>(),
    Rules::tree::<api_service::ApiService>(),
    Rules::tree::<certificate_signing_request::CertificateSigningRequest>(),
    Rules::tree::<flow_control::FlowSchema>(),
    Rules::tree::<flow_control::PriorityLevelConfiguration>(),
    Rules::tree::<resource::DeviceClass>(),
    Rules::tree::<resource::ResourceClaim>(),
    Rules::tree::<resource::ResourceClaimTemplate>(),
    Rules::tree::<resource::ResourceSlice>(),
    Rules::tree::<tree::SelfSubjectReview>(),
    Rules::tree::<tree::TokenReview>(),
    Rules::tree::<tree::LocalSubjectAccessReview>(),
    Rules::tree::<tree::SelfSubjectAccessReview>(),
    Rules::tree::<tree::SelfSubjectRulesReview>(),
    Rules::tree::<tree::SubjectAccessReview>(),
];

/// The rules of a built-in kind.
pub fn rules(kind: KindId) -> &'static Rules {
    &STRATEGIES[kind.0 as usize]
}

/// Whether an object that is being deleted may go once it has no `metadata.finalizers`. A namespace has finalizers of its
/// own in `spec`.
pub fn finishes_without_finalizers(object: &dyn Object) -> bool {
    let Some(namespace) = object.downcast_ref::<Namespace>() else { return true };
    namespace.spec.as_ref().and_then(|spec| spec.finalizers.as_ref()).is_none_or(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_in_the_order_of_the_kinds() {
        for (index, row) in api::kinds::KINDS.iter().enumerate() {
            assert_eq!(row.id, KindId(index as u32));
            let rules = rules(row.id);
            assert_eq!((rules.group, rules.kind), (row.group, row.kind));
        }
        assert_eq!(STRATEGIES.len(), api::kinds::KINDS.len());
    }
}
