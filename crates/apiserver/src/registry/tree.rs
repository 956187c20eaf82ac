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
    SelfSubjectReview: "authentication.k8s.io", "SelfSubjectReview";
    TokenReview: "authentication.k8s.io", "TokenReview";
    LocalSubjectAccessReview: "authorization.k8s.io", "LocalSubjectAccessReview";
    SelfSubjectAccessReview: "authorization.k8s.io", "SelfSubjectAccessReview";
    SelfSubjectRulesReview: "authorization.k8s.io", "SelfSubjectRulesReview";
    SubjectAccessReview: "authorization.k8s.io", "SubjectAccessReview";
}
