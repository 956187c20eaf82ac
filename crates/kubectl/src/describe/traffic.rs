//! What decides where traffic may go: network policies, endpoint slices, ingress classes. Over JSON.

use serde_json::Value;

use super::events::events;
use super::{Context, Writer, label_selector, text};

/// The words of one direction of a policy.
struct Direction {
    field: &'static str,
    peers: &'static str,
    word: &'static str,
    isolated: &'static str,
    unrestricted: &'static str,
}

const INGRESS: Direction = Direction {
    field: "ingress",
    peers: "from",
    word: "From",
    isolated: "<none> (Selected pods are isolated for ingress connectivity)",
    unrestricted: "From: <any> (traffic not restricted by source)",
};

const EGRESS: Direction = Direction {
    field: "egress",
    peers: "to",
    word: "To",
    isolated: "<none> (Selected pods are isolated for egress connectivity)",
    unrestricted: "To: <any> (traffic not restricted by destination)",
};

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn network_policy(writer: &mut Writer, value: &Value, context: &mut Context) {
    let object = context.info.object.clone();
    super::head(writer, object.meta());
    let created = object.meta().creation_timestamp.as_ref();
    let created = created.map(|time| time.0.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string());
    writer.field(0, "Created on", created.unwrap_or_default());
    super::labels_and_annotations(writer, object.meta());
    let spec = &value["spec"];
    writer.line(0, "Spec:");
    let selected = match label_selector(&spec["podSelector"]).as_str() {
        "<none>" => "<none> (Allowing the specific traffic to all pods in this namespace)".to_owned(),
        selector => selector.to_owned(),
    };
    writer.line(1, format!("PodSelector:     {selected}"));
    let types: Vec<&str> = items(&spec["policyTypes"]).iter().filter_map(Value::as_str).collect();
    for direction in [&INGRESS, &EGRESS] {
        if types.iter().any(|kind| kind.eq_ignore_ascii_case(direction.field)) {
            writer.line(1, format!("Allowing {} traffic:", direction.field));
            rules(writer, items(&spec[direction.field]), direction);
        } else {
            writer.line(1, format!("Not affecting {} traffic", direction.field));
        }
    }
    writer.line(1, format!("Policy Types: {}", types.join(", ")));
}

fn rules(writer: &mut Writer, rules: &[Value], direction: &Direction) {
    if rules.is_empty() {
        writer.line(2, direction.isolated);
    }
    for (at, rule) in rules.iter().enumerate() {
        if at > 0 {
            writer.line(2, "----------");
        }
        let ports = items(&rule["ports"]);
        if ports.is_empty() {
            writer.line(2, "To Port: <any> (traffic allowed to all ports)");
        }
        for port in ports {
            let number = if port["port"].is_null() { "<nil>".into() } else { text(&port["port"]) };
            let protocol = port["protocol"].as_str().unwrap_or("TCP");
            match port["endPort"].as_i64() {
                Some(end) => writer.line(2, format!("To Port Range: {number}-{end}/{protocol}")),
                None => writer.line(2, format!("To Port: {number}/{protocol}")),
            }
        }
        let peers = items(&rule[direction.peers]);
        if peers.is_empty() {
            writer.line(2, direction.unrestricted);
        }
        for peer in peers {
            writer.line(2, format!("{}:", direction.word));
            for (field, title) in [("namespaceSelector", "NamespaceSelector"), ("podSelector", "PodSelector")] {
                if !peer[field].is_null() {
                    writer.line(3, format!("{title}: {}", label_selector(&peer[field])));
                }
            }
            let block = &peer["ipBlock"];
            if !block.is_null() {
                let except: Vec<String> = items(&block["except"]).iter().map(text).collect();
                writer.line(3, "IPBlock:");
                writer.line(4, format!("CIDR: {}", text(&block["cidr"])));
                writer.line(4, format!("Except: {}", except.join(", ")));
            }
        }
    }
}

pub(super) fn endpoint_slice(writer: &mut Writer, value: &Value, context: &mut Context) {
    let object = context.info.object.clone();
    super::head(writer, object.meta());
    super::labels_and_annotations(writer, object.meta());
    writer.field(0, "AddressType", text(&value["addressType"]));
    let unset = |value: &Value| if value.is_null() { "<unset>".to_owned() } else { text(value) };
    let ports = items(&value["ports"]);
    if ports.is_empty() {
        writer.line(0, "Ports: <unset>");
    } else {
        writer.line(0, "Ports:");
        writer.line(1, "Name\tPort\tProtocol");
        writer.line(1, "----\t----\t--------");
    }
    for port in ports {
        let name = port["name"].as_str().filter(|name| !name.is_empty()).unwrap_or("<unset>");
        writer.line(1, format!("{name}\t{}\t{}", unset(&port["port"]), text(&port["protocol"])));
    }
    let endpoints = items(&value["endpoints"]);
    writer.line(0, if endpoints.is_empty() { "Endpoints: <none>" } else { "Endpoints:" });
    for endpoint in endpoints {
        let addresses: Vec<String> = items(&endpoint["addresses"]).iter().map(text).collect();
        writer.line(1, format!("- Addresses:\t{}", super::or_none(Some(&addresses.join(", ")))));
        writer.line(2, "Conditions:");
        writer.field(3, "Ready", unset(&endpoint["conditions"]["ready"]));
        writer.field(2, "Hostname", unset(&endpoint["hostname"]));
        let target = &endpoint["targetRef"];
        if !target.is_null() {
            writer.field(2, "TargetRef", format!("{}/{}", text(&target["kind"]), text(&target["name"])));
        }
        writer.field(2, "NodeName", unset(&endpoint["nodeName"]));
        writer.field(2, "Zone", unset(&endpoint["zone"]));
    }
    events(writer, context);
}

pub(super) fn ingress_class(writer: &mut Writer, value: &Value, context: &mut Context) {
    let object = context.info.object.clone();
    super::head(writer, object.meta());
    super::labels_and_annotations(writer, object.meta());
    writer.field(0, "Controller", text(&value["spec"]["controller"]));
    let parameters = &value["spec"]["parameters"];
    if !parameters.is_null() {
        writer.line(0, "Parameters:");
        for (title, field) in [("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name")] {
            if !parameters[field].is_null() {
                writer.field(1, title, text(&parameters[field]));
            }
        }
    }
    events(writer, context);
}

/// What makes an address, and the ranges addresses come from.
pub(super) fn ip_address(writer: &mut Writer, value: &Value, context: &mut Context) {
    let object = context.info.object.clone();
    writer.field(0, "Name", object.name());
    super::labels_and_annotations(writer, object.meta());
    let parent = &value["spec"]["parentRef"];
    if parent.is_object() {
        writer.line(0, "Parent Reference:");
        for (title, field) in
            [("Group", "group"), ("Resource", "resource"), ("Namespace", "namespace"), ("Name", "name")]
        {
            writer.field(1, title, text(&parent[field]));
        }
    }
    events(writer, context);
}

pub(super) fn service_cidr(writer: &mut Writer, value: &Value, context: &mut Context) {
    let object = context.info.object.clone();
    writer.field(0, "Name", object.name());
    super::labels_and_annotations(writer, object.meta());
    let ranges: Vec<String> = items(&value["spec"]["cidrs"]).iter().map(text).collect();
    writer.field(0, "CIDRs", ranges.join(", "));
    let conditions = items(&value["status"]["conditions"]);
    if !conditions.is_empty() {
        writer.line(0, "Status:");
        writer.line(0, "Conditions:");
        writer.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
        writer.line(1, "----\t------\t------------------\t------\t-------");
        for condition in conditions {
            let mut cells =
                ["type", "status", "lastTransitionTime", "reason", "message"].map(|name| text(&condition[name]));
            cells[2] = super::time_of(&condition["lastTransitionTime"]);
            writer.line(1, cells.join("\t"));
        }
    }
    events(writer, context);
}
