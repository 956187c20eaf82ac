//! Kinds whose objects are JSON trees.

use serde_json::Value;

use super::config::created_at;
use super::format::or_unset;
use super::{AGE, CREATED_AT, Cell, Column, NAME, Printer, age, boolean, col, int, tree_printer};
use crate::object::{Object, Tree};
use crate::time::SimTime;

const DRIVER: &[Column] = &[
    NAME,
    boolean("AttachRequired"),
    boolean("PodInfoOnMount"),
    boolean("StorageCapacity"),
    col("TokenRequests"),
    boolean("RequiresRepublish"),
    col("Modes"),
    AGE,
];
const CSI_NODE: &[Column] = &[NAME, int("Drivers"), AGE];
const CAPACITY: &[Column] = &[NAME, col("StorageClassName"), col("Capacity")];
const ATTACHMENT: &[Column] =
    &[NAME, Column { format: "name", ..col("Attacher") }, col("PV"), col("Node"), boolean("Attached"), AGE];
const ATTRIBUTES_CLASS: &[Column] = &[NAME, col("DriverName"), AGE];
const WEBHOOKS: &[Column] = &[NAME, int("Webhooks"), AGE];
const VALIDATING_POLICY: &[Column] = &[NAME, int("Validations"), col("ParamKind"), AGE];
const MUTATING_POLICY: &[Column] = &[NAME, int("Mutations"), col("ParamKind"), AGE];
const POLICY_BINDING: &[Column] = &[NAME, col("PolicyName"), col("ParamRef"), AGE];
const DEFINITION: &[Column] = &[NAME, CREATED_AT];
const API_SERVICE: &[Column] = &[NAME, col("Service"), col("Available"), AGE];
const SIGNING_REQUEST: &[Column] =
    &[NAME, AGE, col("SignerName"), col("Requestor"), col("RequestedDuration"), col("Condition")];
const FLOW_SCHEMA: &[Column] =
    &[NAME, col("PriorityLevel"), col("MatchingPrecedence"), col("DistinguisherMethod"), AGE, col("MissingPL")];
const PRIORITY_LEVEL: &[Column] =
    &[NAME, col("Type"), col("NominalConcurrencyShares"), col("Queues"), col("HandSize"), col("QueueLengthLimit"), AGE];
/// Upstream's rows have a cell for the age too.
const IP_ADDRESS: &[Column] = &[NAME, col("ParentRef")];
const SERVICE_CIDR: &[Column] = &[NAME, col("CIDRs"), AGE];
const RESOURCE_CLAIM: &[Column] = &[NAME, col("State"), AGE];
const RESOURCE_SLICE: &[Column] = &[NAME, col("Node"), col("Driver"), col("Pool"), AGE];
const SCALE: &[Column] = &[NAME, int("Desired"), int("Available"), AGE];
const COMPONENT_STATUS: &[Column] = &[NAME, col("Status"), col("Message"), col("Error")];

const ADMISSION: &str = "admissionregistration.k8s.io";
const STORAGE: &str = "storage.k8s.io";
const FLOW: &str = "flowcontrol.apiserver.k8s.io";
const NETWORKING: &str = "networking.k8s.io";

pub(super) static PRINTERS: &[Printer] = &[
    tree_printer!(STORAGE, "CSIDriver", DRIVER, driver),
    tree_printer!(STORAGE, "CSINode", CSI_NODE, csi_node),
    tree_printer!(STORAGE, "CSIStorageCapacity", CAPACITY, capacity),
    tree_printer!(STORAGE, "VolumeAttachment", ATTACHMENT, attachment),
    tree_printer!(STORAGE, "VolumeAttributesClass", ATTRIBUTES_CLASS, attributes_class),
    tree_printer!(ADMISSION, "MutatingWebhookConfiguration", WEBHOOKS, webhooks),
    tree_printer!(ADMISSION, "ValidatingWebhookConfiguration", WEBHOOKS, webhooks),
    tree_printer!(ADMISSION, "ValidatingAdmissionPolicy", VALIDATING_POLICY, validating_policy),
    tree_printer!(ADMISSION, "MutatingAdmissionPolicy", MUTATING_POLICY, mutating_policy),
    tree_printer!(ADMISSION, "ValidatingAdmissionPolicyBinding", POLICY_BINDING, policy_binding),
    tree_printer!(ADMISSION, "MutatingAdmissionPolicyBinding", POLICY_BINDING, policy_binding),
    tree_printer!("apiextensions.k8s.io", "CustomResourceDefinition", DEFINITION, definition),
    tree_printer!("apiregistration.k8s.io", "APIService", API_SERVICE, api_service),
    tree_printer!("certificates.k8s.io", "CertificateSigningRequest", SIGNING_REQUEST, signing_request),
    tree_printer!(FLOW, "FlowSchema", FLOW_SCHEMA, flow_schema),
    tree_printer!(FLOW, "PriorityLevelConfiguration", PRIORITY_LEVEL, priority_level),
    tree_printer!(NETWORKING, "IPAddress", IP_ADDRESS, ip_address),
    tree_printer!(NETWORKING, "ServiceCIDR", SERVICE_CIDR, service_cidr),
    tree_printer!("resource.k8s.io", "ResourceClaim", RESOURCE_CLAIM, resource_claim),
    tree_printer!("resource.k8s.io", "ResourceSlice", RESOURCE_SLICE, resource_slice),
    tree_printer!("", "ComponentStatus", COMPONENT_STATUS, component_status),
    tree_printer!("autoscaling", "Scale", SCALE, scale),
];

fn scale(object: &Tree, now: SimTime) -> Vec<Cell> {
    let count = |pointer: &str| object.at(pointer).and_then(Value::as_i64).unwrap_or_default().into();
    vec![name(object), count("/spec/replicas"), count("/status/replicas"), aged(object, now)]
}

fn name(object: &Tree) -> Cell {
    object.meta().name.as_deref().unwrap_or_default().into()
}

fn aged(object: &Tree, now: SimTime) -> Cell {
    age::of(object.meta(), now).into()
}

fn text(object: &Tree, pointer: &str) -> Cell {
    object.text(pointer).into()
}

fn number(object: &Tree, pointer: &str) -> i64 {
    object.at(pointer).and_then(Value::as_i64).unwrap_or_default()
}

fn flag(object: &Tree, pointer: &str) -> bool {
    object.at(pointer).and_then(Value::as_bool).unwrap_or_default()
}

fn list<'a>(object: &'a Tree, pointer: &str) -> &'a [Value] {
    object.at(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The texts of a list, with commas.
fn joined<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    values.filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}

fn driver(object: &Tree, now: SimTime) -> Vec<Cell> {
    let requests = object.at("/spec/tokenRequests").and_then(Value::as_array);
    let requests = requests.map(|all| joined(all.iter().filter_map(|request| request.get("audience"))));
    let modes = joined(list(object, "/spec/volumeLifecycleModes").iter());
    vec![
        name(object),
        object.at("/spec/attachRequired").and_then(Value::as_bool).unwrap_or(true).into(),
        flag(object, "/spec/podInfoOnMount").into(),
        flag(object, "/spec/storageCapacity").into(),
        requests.unwrap_or_else(|| "<unset>".into()).into(),
        flag(object, "/spec/requiresRepublish").into(),
        if modes.is_empty() { "<none>".into() } else { modes.into() },
        aged(object, now),
    ]
}

fn csi_node(object: &Tree, now: SimTime) -> Vec<Cell> {
    vec![name(object), list(object, "/spec/drivers").len().into(), aged(object, now)]
}

fn capacity(object: &Tree, _: SimTime) -> Vec<Cell> {
    vec![name(object), text(object, "/storageClassName"), or_unset(Some(object.text("/capacity"))).into()]
}

fn attachment(object: &Tree, now: SimTime) -> Vec<Cell> {
    vec![
        name(object),
        text(object, "/spec/attacher"),
        text(object, "/spec/source/persistentVolumeName"),
        text(object, "/spec/nodeName"),
        flag(object, "/status/attached").into(),
        aged(object, now),
    ]
}

fn attributes_class(object: &Tree, now: SimTime) -> Vec<Cell> {
    let mut name = object.meta().name.clone().unwrap_or_default();
    if crate::meta::annotation(object.meta(), "volumeattributesclass.alpha.kubernetes.io/is-default-class")
        == Some("true")
    {
        name.push_str(" (default)");
    }
    vec![name.into(), text(object, "/driverName"), aged(object, now)]
}

fn webhooks(object: &Tree, now: SimTime) -> Vec<Cell> {
    vec![name(object), list(object, "/webhooks").len().into(), aged(object, now)]
}

fn validating_policy(object: &Tree, now: SimTime) -> Vec<Cell> {
    policy(object, "/spec/validations", now)
}

fn mutating_policy(object: &Tree, now: SimTime) -> Vec<Cell> {
    policy(object, "/spec/mutations", now)
}

fn policy(object: &Tree, rules: &str, now: SimTime) -> Vec<Cell> {
    let kind = match object.at("/spec/paramKind").filter(|kind| !kind.is_null()) {
        Some(_) => format!("{}/{}", object.text("/spec/paramKind/apiVersion"), object.text("/spec/paramKind/kind")),
        None => "<unset>".into(),
    };
    vec![name(object), list(object, rules).len().into(), kind.into(), aged(object, now)]
}

fn policy_binding(object: &Tree, now: SimTime) -> Vec<Cell> {
    let (namespace, wanted) = (object.text("/spec/paramRef/namespace"), object.text("/spec/paramRef/name"));
    let parameters = match object.at("/spec/paramRef/selector").filter(|selector| !selector.is_null()) {
        _ if !wanted.is_empty() => format!("{}/{wanted}", if namespace.is_empty() { "*" } else { namespace }),
        Some(selector) => selector_text(selector),
        None => "<unset>".into(),
    };
    vec![name(object), text(object, "/spec/policyName"), parameters.into(), aged(object, now)]
}

/// A selector as the protocol buffers' code prints it.
fn selector_text(selector: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let labels: String = labels.map(|(key, value)| format!("{key}: {},", text(value))).collect();
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    let expressions = expressions.map(|one| {
        let values: Vec<String> = one["values"].as_array().into_iter().flatten().map(text).collect();
        let (key, operator) = (text(&one["key"]), text(&one["operator"]));
        format!("LabelSelectorRequirement{{Key:{key},Operator:{operator},Values:[{}],}},", values.join(" "))
    });
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{}}},}}",
        expressions.collect::<String>()
    )
}

fn definition(object: &Tree, _: SimTime) -> Vec<Cell> {
    vec![name(object), created_at(object.meta())]
}

/// A condition of the object's status.
fn condition<'a>(object: &'a Tree, kind: &str) -> Option<&'a Value> {
    list(object, "/status/conditions").iter().find(|condition| condition["type"] == kind)
}

fn api_service(object: &Tree, now: SimTime) -> Vec<Cell> {
    let service = match object.at("/spec/service").filter(|service| !service.is_null()) {
        Some(_) => format!("{}/{}", object.text("/spec/service/namespace"), object.text("/spec/service/name")),
        None => "Local".into(),
    };
    let available = condition(object, "Available").map_or("Unknown".to_owned(), |available| {
        let text = |field: &str| available[field].as_str().unwrap_or_default();
        match text("status") {
            "True" => "True".into(),
            status => format!("{status} ({})", text("reason")),
        }
    });
    vec![name(object), service.into(), available.into(), aged(object, now)]
}

fn signing_request(object: &Tree, now: SimTime) -> Vec<Cell> {
    let duration = match number(object, "/spec/expirationSeconds") {
        0 => "<none>".into(),
        seconds => age::human(seconds),
    };
    let has = |kind: &str| condition(object, kind).is_some();
    let mut state = match (has("Approved"), has("Denied")) {
        (_, true) => "Denied",
        (true, false) => "Approved",
        (false, false) => "Pending",
    }
    .to_owned();
    if has("Failed") {
        state.push_str(",Failed");
    }
    if !object.text("/status/certificate").is_empty() {
        state.push_str(",Issued");
    }
    let signer = match object.text("/spec/signerName") {
        "" => "<none>",
        signer => signer,
    };
    vec![name(object), aged(object, now), signer.into(), text(object, "/spec/username"), duration.into(), state.into()]
}

fn flow_schema(object: &Tree, now: SimTime) -> Vec<Cell> {
    let method = match object.text("/spec/distinguisherMethod/type") {
        "" => "<none>",
        method => method,
    };
    let missing =
        condition(object, "Dangling").map_or("?", |condition| condition["status"].as_str().unwrap_or_default());
    vec![
        name(object),
        text(object, "/spec/priorityLevelConfiguration/name"),
        number(object, "/spec/matchingPrecedence").into(),
        method.into(),
        aged(object, now),
        missing.into(),
    ]
}

fn priority_level(object: &Tree, now: SimTime) -> Vec<Cell> {
    let count =
        |pointer: &str| object.at(pointer).and_then(Value::as_i64).map_or_else(|| Cell::from("<none>"), Cell::from);
    const QUEUING: &str = "/spec/limited/limitResponse/queuing";
    vec![
        name(object),
        text(object, "/spec/type"),
        count("/spec/limited/nominalConcurrencyShares"),
        count(&format!("{QUEUING}/queues")),
        count(&format!("{QUEUING}/handSize")),
        count(&format!("{QUEUING}/queueLengthLimit")),
        aged(object, now),
    ]
}

fn ip_address(object: &Tree, now: SimTime) -> Vec<Cell> {
    let of = |field: &str| object.text(&format!("/spec/parentRef/{field}"));
    if object.at("/spec/parentRef").is_none() {
        return vec![name(object), "<none>".into(), aged(object, now)];
    }
    let with = |sign: &str, field: &str| match of(field) {
        "" => String::new(),
        text => format!("{sign}{text}"),
    };
    let resource = (of("resource").to_owned() + &with(".", "group")).to_lowercase();
    let parent = resource + &with("/", "namespace") + "/" + of("name");
    vec![name(object), parent.into(), aged(object, now)]
}

fn service_cidr(object: &Tree, now: SimTime) -> Vec<Cell> {
    vec![name(object), joined(list(object, "/spec/cidrs").iter()).into(), aged(object, now)]
}

fn resource_claim(object: &Tree, now: SimTime) -> Vec<Cell> {
    let mut states = Vec::new();
    if crate::meta::is_being_deleted(object.meta()) {
        states.push("deleted");
    }
    match object.at("/status/allocation").filter(|allocation| !allocation.is_null()) {
        None if states.is_empty() => states.push("pending"),
        None => {}
        Some(_) => {
            states.push("allocated");
            if !list(object, "/status/reservedFor").is_empty() {
                states.push("reserved");
            }
        }
    }
    vec![name(object), states.join(",").into(), aged(object, now)]
}

fn resource_slice(object: &Tree, now: SimTime) -> Vec<Cell> {
    vec![
        name(object),
        text(object, "/spec/nodeName"),
        text(object, "/spec/driver"),
        text(object, "/spec/pool/name"),
        aged(object, now),
    ]
}

fn component_status(object: &Tree, _: SimTime) -> Vec<Cell> {
    let healthy = list(object, "/conditions").iter().find(|condition| condition["type"] == "Healthy");
    let of = |field: &str| healthy.and_then(|condition| condition[field].as_str()).unwrap_or_default();
    let status = match of("status") {
        "True" => "Healthy",
        "False" => "Unhealthy",
        _ => "Unknown",
    };
    vec![name(object), status.into(), of("message").into(), of("error").into()]
}
