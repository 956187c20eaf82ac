//! Nodes and Namespaces.

use std::collections::BTreeMap;

use api::quantity::{Amount, Format};
use api::request::Options;
use api::types::{Namespace, Node, Pod, Quantity};
use api::{Kinded, table};

use super::events::events;
use super::{Context, Writer, annotations, labels, time};
use crate::resource;

pub(super) fn describe(writer: &mut Writer, node: &Node, context: &mut Context) {
    let name = node.metadata.name.clone().unwrap_or_default();
    let no_status = Default::default();
    let status = node.status.as_ref().unwrap_or(&no_status);
    let spec = node.spec.as_ref();
    writer.field(0, "Name", &name);
    let cells = table::cells(Node::row(), node, 0);
    writer.field(0, "Roles", cells.get(2).map(ToString::to_string).unwrap_or_default());
    labels(writer, 0, node.metadata.labels.as_ref());
    annotations(writer, 0, node.metadata.annotations.as_ref());
    writer.field(0, "CreationTimestamp", time(node.metadata.creation_timestamp.as_ref()));
    let taints: Vec<String> = spec
        .and_then(|spec| spec.taints.as_deref())
        .unwrap_or_default()
        .iter()
        .map(|taint| match taint.value.as_deref().filter(|value| !value.is_empty()) {
            Some(value) => format!("{}={value}:{}", taint.key, taint.effect),
            None => format!("{}:{}", taint.key, taint.effect),
        })
        .collect();
    writer.list(0, "Taints", &taints);
    writer.field(0, "Unschedulable", spec.and_then(|spec| spec.unschedulable).unwrap_or_default());
    lease(writer, context, &name);
    writer.line(0, "Conditions:");
    writer.line(1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
    writer.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
    for condition in status.conditions.iter().flatten() {
        writer.line(
            1,
            format!(
                "{} \t{} \t{} \t{} \t{} \t{}",
                condition.type_,
                condition.status,
                time(condition.last_heartbeat_time.as_ref()),
                time(condition.last_transition_time.as_ref()),
                condition.reason.as_deref().unwrap_or_default(),
                condition.message.as_deref().unwrap_or_default()
            ),
        );
    }
    writer.line(0, "Addresses:");
    status.addresses.iter().flatten().for_each(|address| writer.field(1, &address.type_, &address.address));
    for (title, amounts) in [("Capacity", &status.capacity), ("Allocatable", &status.allocatable)] {
        writer.line(0, format!("{title}:"));
        amounts.iter().flatten().for_each(|(resource, amount)| writer.field(1, resource, &amount.0));
    }
    let no_info = Default::default();
    let info = status.node_info.as_ref().unwrap_or(&no_info);
    writer.line(0, "System Info:");
    for (title, text) in [
        ("Machine ID", &info.machine_id),
        ("System UUID", &info.system_uuid),
        ("Boot ID", &info.boot_id),
        ("Kernel Version", &info.kernel_version),
        ("OS Image", &info.os_image),
        ("Operating System", &info.operating_system),
        ("Architecture", &info.architecture),
        ("Container Runtime Version", &info.container_runtime_version),
        ("Kubelet Version", &info.kubelet_version),
        ("Kube-Proxy Version", &info.kube_proxy_version),
    ] {
        writer.field(1, title, text);
    }
    if let Some(range) = spec.and_then(|spec| spec.pod_cidr.as_deref()) {
        writer.field(0, "PodCIDR", range);
        let all = spec.and_then(|spec| spec.pod_cidrs.clone()).unwrap_or_default();
        writer.field(0, "PodCIDRs", all.join(","));
    }
    if let Some(id) = spec.and_then(|spec| spec.provider_id.as_deref()) {
        writer.field(0, "ProviderID", id);
    }
    pods(writer, context, &name, status.allocatable.as_ref());
    events(writer, context);
}

fn lease(writer: &mut Writer, context: &mut Context, node: &str) {
    use api::types::Lease;
    let Ok(lease) = context.call.client.get::<Lease>("kube-node-lease", node) else {
        return writer.line(0, format!("Lease:\tFailed to get lease: leases.coordination.k8s.io {node:?} not found"));
    };
    let spec = lease.spec.as_ref();
    writer.line(0, "Lease:");
    writer.field(1, "HolderIdentity", spec.and_then(|spec| spec.holder_identity.as_deref()).unwrap_or("<unset>"));
    let moment = |time: Option<&api::types::MicroTime>| {
        time.map_or("<unset>".to_owned(), |time| time.0.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string())
    };
    writer.field(1, "AcquireTime", moment(spec.and_then(|spec| spec.acquire_time.as_ref())));
    writer.field(1, "RenewTime", moment(spec.and_then(|spec| spec.renew_time.as_ref())));
}

type Amounts = BTreeMap<String, Quantity>;

/// What a Pod's containers ask for together; an init container counts when it asks for more than all others.
fn total(pod: &Pod, of: fn(&api::types::ResourceRequirements) -> Option<&Amounts>, resource: &str) -> i128 {
    let Some(spec) = &pod.spec else { return 0 };
    let amount = |container: &api::types::Container| {
        let amounts = container.resources.as_ref().and_then(of);
        amounts.and_then(|amounts| amounts.get(resource)).map_or(0, |quantity| Amount::of(quantity).0)
    };
    let main: i128 = spec.containers.iter().map(amount).sum();
    let init = spec.init_containers.iter().flatten().map(amount).max().unwrap_or_default();
    main.max(init)
}

fn pods(writer: &mut Writer, context: &mut Context, node: &str, allocatable: Option<&Amounts>) {
    let options = Options {
        field_selector: format!("spec.nodeName={node},status.phase!=Failed,status.phase!=Succeeded"),
        ..Options::default()
    };
    let listed = resource::list(context.call, Pod::row(), "", options);
    let pods = listed.map(|(pods, _)| pods).unwrap_or_default();
    let pods: Vec<&Pod> = pods.iter().filter_map(|pod| pod.downcast_ref()).collect();
    let now = context.call.client.now();
    writer.line(0, format!("Non-terminated Pods:\t({} in total)", pods.len()));
    writer.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    writer.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    let capacity =
        |resource: &str| allocatable.and_then(|all| all.get(resource)).map_or(0, |quantity| Amount::of(quantity).0);
    let share = |amount: i128, resource: &str| match capacity(resource) {
        0 => 0,
        whole => amount * 100 / whole,
    };
    let format_of = |resource: &str| if resource == "memory" { Format::BinarySi } else { Format::DecimalSi };
    let shown = |amount: i128, resource: &str| {
        format!("{} ({}%)", Amount(amount).format(format_of(resource)), share(amount, resource))
    };
    fn requests_of(resources: &api::types::ResourceRequirements) -> Option<&Amounts> {
        resources.requests.as_ref()
    }
    fn limits_of(resources: &api::types::ResourceRequirements) -> Option<&Amounts> {
        resources.limits.as_ref()
    }
    let mut sums: BTreeMap<(&str, bool), i128> = BTreeMap::new();
    for pod in pods {
        let mut cells = Vec::new();
        for resource in ["cpu", "memory"] {
            let (request, limit) = (total(pod, requests_of, resource), total(pod, limits_of, resource));
            *sums.entry((resource, false)).or_default() += request;
            *sums.entry((resource, true)).or_default() += limit;
            cells.extend([shown(request, resource), shown(limit, resource)]);
        }
        writer.line(
            1,
            format!(
                "{}\t{}\t\t{}\t{}",
                pod.metadata.namespace.as_deref().unwrap_or_default(),
                pod.metadata.name.as_deref().unwrap_or_default(),
                cells.join("\t"),
                table::age::of(&pod.metadata, now)
            ),
        );
    }
    writer.line(0, "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)");
    writer.line(1, "Resource\tRequests\tLimits");
    writer.line(1, "--------\t--------\t------");
    let huge = allocatable.into_iter().flatten().map(|(name, _)| name.as_str());
    let huge = huge.filter(|name| name.starts_with("hugepages-"));
    for resource in ["cpu", "memory", "ephemeral-storage"].into_iter().chain(huge) {
        let sum = |limit: bool| sums.get(&(resource, limit)).copied().unwrap_or_default();
        writer.line(1, format!("{resource}\t{}\t{}", shown(sum(false), resource), shown(sum(true), resource)));
    }
}

pub(super) fn describe_namespace(writer: &mut Writer, namespace: &Namespace, context: &mut Context) {
    writer.field(0, "Name", namespace.metadata.name.as_deref().unwrap_or_default());
    super::labels_and_annotations(writer, &namespace.metadata);
    let phase = namespace.status.as_ref().and_then(|status| status.phase.as_deref());
    writer.field(0, "Status", phase.unwrap_or_default());
    if let Some(conditions) = namespace.status.as_ref().and_then(|status| status.conditions.as_ref()) {
        writer.line(0, "Conditions:\n  Type\tStatus\tLastTransitionTime\tReason\tMessage\n  ----\t------\t------------------\t------\t-------");
        for condition in conditions {
            writer.line(
                1,
                format!(
                    "{}\t{}\t{}\t{}\t{}",
                    condition.type_,
                    condition.status,
                    time(condition.last_transition_time.as_ref()),
                    condition.reason.as_deref().unwrap_or_default(),
                    condition.message.as_deref().unwrap_or_default()
                ),
            );
        }
    }
    super::limits::of_namespace(writer, context);
}
