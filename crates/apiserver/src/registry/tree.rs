//! Kinds that are stored and served and need no rules of their own beyond the common ones.

use crate::strategy::TreeStrategy;

macro_rules! plain {
    ($($name:ident: $group:literal, $kind:literal $(, $flag:ident)*;)*) => {$(
        pub(super) struct $name;

        impl TreeStrategy for $name {
            const GROUP: &'static str = $group;
            const KIND: &'static str = $kind;
            $(const $flag: bool = true;)*
        }
    )*};
}

plain! {
    Binding: "", "Binding";
    ComponentStatus: "", "ComponentStatus";
    AutoscalerV1: "autoscaling", "HorizontalPodAutoscaler";
    EventV1: "events.k8s.io", "Event";
    IpAddress: "networking.k8s.io", "IPAddress";
    ServiceCidr: "networking.k8s.io", "ServiceCIDR", HAS_STATUS, HAS_GENERATION;
    CsiDriver: "storage.k8s.io", "CSIDriver";
    CsiNode: "storage.k8s.io", "CSINode";
    CsiStorageCapacity: "storage.k8s.io", "CSIStorageCapacity";
    VolumeAttachment: "storage.k8s.io", "VolumeAttachment", HAS_STATUS;
    VolumeAttributesClass: "storage.k8s.io", "VolumeAttributesClass";
    ValidatingWebhookConfiguration: "admissionregistration.k8s.io", "ValidatingWebhookConfiguration", HAS_GENERATION;
    MutatingWebhookConfiguration: "admissionregistration.k8s.io", "MutatingWebhookConfiguration", HAS_GENERATION;
    ValidatingAdmissionPolicy: "admissionregistration.k8s.io", "ValidatingAdmissionPolicy", HAS_STATUS, HAS_GENERATION;
    ValidatingAdmissionPolicyBinding: "admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", HAS_GENERATION;
    MutatingAdmissionPolicy: "admissionregistration.k8s.io", "MutatingAdmissionPolicy", HAS_GENERATION;
    MutatingAdmissionPolicyBinding: "admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", HAS_GENERATION;
    CustomResourceDefinition: "apiextensions.k8s.io", "CustomResourceDefinition", HAS_STATUS, HAS_GENERATION;
    ApiService: "apiregistration.k8s.io", "APIService", HAS_STATUS;
    CertificateSigningRequest: "certificates.k8s.io", "CertificateSigningRequest", HAS_STATUS;
    FlowSchema: "flowcontrol.apiserver.k8s.io", "FlowSchema", HAS_STATUS, HAS_GENERATION;
    PriorityLevelConfiguration: "flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", HAS_STATUS, HAS_GENERATION;
    DeviceClass: "resource.k8s.io", "DeviceClass", HAS_GENERATION;
    ResourceClaim: "resource.k8s.io", "ResourceClaim", HAS_STATUS;
    ResourceClaimTemplate: "resource.k8s.io", "ResourceClaimTemplate";
    ResourceSlice: "resource.k8s.io", "ResourceSlice", HAS_GENERATION;
    SelfSubjectReview: "authentication.k8s.io", "SelfSubjectReview";
    TokenReview: "authentication.k8s.io", "TokenReview";
    LocalSubjectAccessReview: "authorization.k8s.io", "LocalSubjectAccessReview";
    SelfSubjectAccessReview: "authorization.k8s.io", "SelfSubjectAccessReview";
    SelfSubjectRulesReview: "authorization.k8s.io", "SelfSubjectRulesReview";
    SubjectAccessReview: "authorization.k8s.io", "SubjectAccessReview";
}
