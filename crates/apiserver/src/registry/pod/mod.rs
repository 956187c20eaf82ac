//! Pod.

use api::types::*;

use crate::strategy::Strategy;

impl Strategy for Pod {
    const HAS_GENERATION: bool = true;
    const FIELDS: &'static [&'static str] = &[
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ];

    fn prepare_for_create(&mut self) {
        self.status = Some(PodStatus { phase: Some("Pending".into()), ..PodStatus::default() });
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        if self.spec != old.spec {
            self.spec.clone_from(&old.spec);
        }
    }

    fn same_generation(&self, old: &Self) -> bool {
        self.spec == old.spec
    }

    fn validate_name(_name: &str, _prefix: bool) -> Vec<String> {
        Vec::new()
    }

    fn field(&self, name: &str) -> std::borrow::Cow<'_, str> {
        let spec = self.spec.as_ref();
        let status = self.status.as_ref();
        let text = match name {
            "spec.nodeName" => spec.and_then(|spec| spec.node_name.as_deref()),
            "spec.restartPolicy" => spec.and_then(|spec| spec.restart_policy.as_deref()),
            "spec.schedulerName" => spec.and_then(|spec| spec.scheduler_name.as_deref()),
            "spec.serviceAccountName" => spec.and_then(|spec| spec.service_account_name.as_deref()),
            "status.phase" => status.and_then(|status| status.phase.as_deref()),
            "status.podIP" => status.and_then(|status| status.pod_ip.as_deref()),
            _ => None,
        };
        text.unwrap_or_default().into()
    }
}
