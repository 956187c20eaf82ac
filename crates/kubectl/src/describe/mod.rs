//! `kubectl describe`: one function for each kind, over a text with tabs that is aligned at its end. Kinds without one
//! are described field by field.

mod config;
mod events;
mod generic;
mod limits;
mod network;
mod node;
mod pod;
mod rbac;
mod request;
pub(crate) mod rules;
mod storage;
mod template;
mod traffic;
mod volume;
mod workload;

use std::any::Any;
use std::collections::BTreeMap;

use api::types::*;
use api::{meta, table};
use serde_json::Value;

use crate::output::align;
use crate::resource::Info;
use crate::task::Call;
pub(crate) use events::interval;
pub(crate) use template::pod_template;

/// A description in the making.
#[derive(Default)]
pub(crate) struct Writer {
    text: String,
}

impl Writer {
    /// A line at a level of two spaces each.
    pub fn line(&mut self, level: usize, text: impl AsRef<str>) {
        self.text.extend(std::iter::repeat_n("  ", level));
        self.text.push_str(text.as_ref());
        self.text.push('\n');
    }

    /// `Name:\tvalue`
    pub fn field(&mut self, level: usize, name: &str, value: impl std::fmt::Display) {
        self.line(level, format!("{name}:\t{value}"));
    }

    /// Several values under one name, one a line; `<none>` for none.
    pub fn list(&mut self, level: usize, name: &str, values: &[String]) {
        if values.is_empty() {
            return self.field(level, name, "<none>");
        }
        for (at, value) in values.iter().enumerate() {
            if at == 0 { self.field(level, name, value) } else { self.line(0, format!("\t{value}")) }
        }
    }

    /// The text with its tabs.
    pub fn raw(self) -> String {
        self.text
    }
}

/// What a describer may ask the server.
pub(crate) struct Context<'a, 'b, 'c> {
    pub call: &'a mut Call<'b, 'c>,
    pub info: &'a Info,
    pub show_events: bool,
}

/// The description of an object.
pub(crate) fn describe(call: &mut Call, info: &Info, show_events: bool) -> String {
    let mut writer = Writer::default();
    let mut context = Context { call, info, show_events };
    let any = &*info.object as &dyn Any;
    macro_rules! describers {
        ($($type:ty => $describe:path,)*) => {
            $(if let Some(object) = any.downcast_ref::<$type>() {
                $describe(&mut writer, object, &mut context);
                return align(&writer.text, 0, 2);
            })*
        };
    }
    describers! {
        Pod => pod::describe,
        Node => node::describe,
        Namespace => node::describe_namespace,
        Deployment => workload::deployment,
        ReplicaSet => workload::replica_set,
        StatefulSet => workload::stateful_set,
        DaemonSet => workload::daemon_set,
        Job => workload::job,
        CronJob => workload::cron_job,
        Service => network::service,
        Endpoints => network::endpoints,
        Ingress => network::ingress,
        ConfigMap => config::config_map,
        Secret => config::secret,
        ServiceAccount => config::service_account,
        PersistentVolume => storage::volume,
        PersistentVolumeClaim => storage::claim,
        StorageClass => storage::class,
        Role => rbac::role,
        ClusterRole => rbac::cluster_role,
        RoleBinding => rbac::role_binding,
        ClusterRoleBinding => rbac::cluster_role_binding,
    }
    let by_value: Option<OfValue> = match (info.kind.group, info.kind.kind) {
        ("", "ReplicationController") => Some(workload::replication_controller),
        ("", "ResourceQuota") => Some(limits::quota),
        ("", "LimitRange") => Some(limits::limit_range),
        ("policy", "PodDisruptionBudget") => Some(limits::disruption_budget),
        ("scheduling.k8s.io", "PriorityClass") => Some(limits::priority_class),
        ("autoscaling", "HorizontalPodAutoscaler") => Some(limits::autoscaler),
        ("networking.k8s.io", "NetworkPolicy") => Some(traffic::network_policy),
        ("networking.k8s.io", "IngressClass") => Some(traffic::ingress_class),
        ("networking.k8s.io", "ServiceCIDR") => Some(traffic::service_cidr),
        ("networking.k8s.io", "IPAddress") => Some(traffic::ip_address),
        ("discovery.k8s.io", "EndpointSlice") => Some(traffic::endpoint_slice),
        ("storage.k8s.io", "CSINode") => Some(storage::csi_node),
        ("storage.k8s.io", "VolumeAttributesClass") => Some(storage::attributes_class),
        ("certificates.k8s.io", "CertificateSigningRequest") => Some(request::certificate_request),
        _ => None,
    };
    match by_value {
        Some(describe) => describe(&mut writer, &info.object.to_value(), &mut context),
        None => generic::describe(&mut writer, &mut context),
    }
    align(&writer.text, 0, 2)
}

/// Describes an object by its JSON.
type OfValue = fn(&mut Writer, &Value, &mut Context);

/// A field as text: empty when it is missing.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A `LabelSelector` in its JSON form.
fn label_selector(value: &Value) -> String {
    let parsed: Option<LabelSelector> = serde_json::from_value(value.clone()).ok();
    selector(parsed.as_ref())
}

fn name_of(meta: &ObjectMeta) -> &str {
    meta.name.as_deref().unwrap_or_default()
}

/// Name and namespace, with which most descriptions begin.
fn head(writer: &mut Writer, meta: &ObjectMeta) {
    writer.field(0, "Name", name_of(meta));
    if let Some(namespace) = meta.namespace.as_deref().filter(|namespace| !namespace.is_empty()) {
        writer.field(0, "Namespace", namespace);
    }
}

fn labels(writer: &mut Writer, level: usize, labels: Option<&BTreeMap<String, String>>) {
    let shown: Vec<String> = labels.into_iter().flatten().map(|(name, value)| format!("{name}={value}")).collect();
    writer.list(level, "Labels", &shown);
}

/// Annotations longer than this are cut.
const ANNOTATION_MAX: usize = 140;

fn annotations(writer: &mut Writer, level: usize, annotations: Option<&BTreeMap<String, String>>) {
    let mut shown = Vec::new();
    for (name, value) in annotations.into_iter().flatten().filter(|(name, _)| *name != crate::apply::LAST_APPLIED) {
        let value = value.trim_end_matches('\n');
        let too_long = value.chars().count() + name.len() + 2 > ANNOTATION_MAX;
        if !too_long && !value.contains('\n') {
            shown.push(format!("{name}: {value}"));
            continue;
        }
        shown.push(format!("{name}:"));
        for line in value.lines() {
            let cut: String = line.chars().take(ANNOTATION_MAX - 2).collect();
            shown.push(if cut.len() < line.len() { format!("  {cut}...") } else { format!("  {line}") });
        }
    }
    writer.list(level, "Annotations", &shown);
}

fn labels_and_annotations(writer: &mut Writer, meta: &ObjectMeta) {
    labels(writer, 0, meta.labels.as_ref());
    annotations(writer, 0, meta.annotations.as_ref());
}

fn controlled_by(writer: &mut Writer, meta: &ObjectMeta) {
    if let Some(owner) = meta::controller_of(meta) {
        writer.field(0, "Controlled By", format!("{}/{}", owner.kind, owner.name));
    }
}

/// A moment as descriptions write it: `Sun, 22 Nov 2026 11:22:12 +0000`.
fn time(time: Option<&Time>) -> String {
    time.map(|time| time.0.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()).unwrap_or_default()
}

/// The same of a field.
fn time_of(value: &Value) -> String {
    time(serde_json::from_value(value.clone()).ok().as_ref())
}

fn or_none(text: Option<&str>) -> &str {
    text.filter(|text| !text.is_empty()).unwrap_or("<none>")
}

/// `a=b,c=d`, or `<none>`.
fn selector_map(labels: Option<&BTreeMap<String, String>>) -> String {
    let shown: Vec<String> = labels.into_iter().flatten().map(|(name, value)| format!("{name}={value}")).collect();
    or_none(Some(&shown.join(","))).to_owned()
}

/// Labels or annotations on one line, as upstream's `labels.FormatLabels` writes them.
fn format_labels(labels: Option<&BTreeMap<String, String>>) -> String {
    selector_map(labels)
}

fn selector(selector: Option<&LabelSelector>) -> String {
    table::label_selector(selector)
}
