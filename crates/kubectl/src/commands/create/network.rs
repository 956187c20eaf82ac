//! `kubectl create service`, `ingress`

use std::collections::BTreeSet;

use api::validate::{dns1123_subdomain, port_name, port_number};
use serde_json::{Map, Value, json};

use super::{Made, make, name, require};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, go_reason, int, list, text};
use crate::task::Call;

pub(in crate::commands) static SERVICE_FLAGS: &[Flag] = &[list("tcp", ' ', "Port pairs: port[:targetPort]")];
pub(in crate::commands) static CLUSTER_IP_FLAGS: &[Flag] = &[text("clusterip", ' ', "The cluster IP, or None")];
pub(in crate::commands) static NODE_PORT_FLAGS: &[Flag] =
    &[list("tcp", ' ', "Port pairs: port[:targetPort]"), int("node-port", ' ', "0", "The port on each node")];
pub(in crate::commands) static EXTERNAL_FLAGS: &[Flag] =
    &[list("tcp", ' ', "Port pairs: port[:targetPort]"), text("external-name", ' ', "The outside name of the service")];
pub(in crate::commands) static INGRESS_FLAGS: &[Flag] = &[
    array("rule", ' ', "host/path=service:port[,tls[=secret]]"),
    text("class", ' ', "Ingress class"),
    array("annotation", ' ', "annotation=value"),
    text("default-backend", ' ', "service:port for what no rule matches"),
];

fn service(call: &mut Call, args: &Args, name: &str, kind: &str, refused: &'static str) -> Outcome {
    let ports = ports(args)?;
    if ports.is_empty() && kind != "ExternalName" && args.text("clusterip") != "None" {
        return Err(Failure::error("at least one tcp port specifier must be provided"));
    }
    let mut spec = Map::from_iter([("selector".to_owned(), json!({ "app": name })), ("type".to_owned(), kind.into())]);
    if !ports.is_empty() {
        spec.insert("ports".into(), ports.into());
    }
    if let Some(address) = args.some_text("clusterip") {
        spec.insert("clusterIP".into(), address.into());
    }
    if let Some(outside) = args.some_text("external-name") {
        spec.insert("externalName".into(), outside.into());
    }
    let value = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "creationTimestamp": null, "name": name, "labels": { "app": name } },
        "spec": spec,
        "status": { "loadBalancer": {} },
    });
    make(call, args, Made::new(value, refused))
}

fn ports(args: &Args) -> Result<Vec<Value>, Failure> {
    let mut ports = Vec::new();
    for text in args.all("tcp") {
        // Upstream looks at the first two parts alone.
        let mut parts = text.split(':');
        let (port, target) = (parts.next().unwrap_or_default(), parts.next());
        let number: u16 = port
            .parse()
            .map_err(|error| Failure::error(format!("strconv.ParseUint: parsing {port:?}: {}", go_reason(&error))))?;
        let target_value = match target.map(|target| (target, target.parse::<i32>())) {
            None => Value::from(number),
            Some((_, Ok(target))) => match port_number(target) {
                None => Value::from(target),
                Some(why) => return Err(Failure::error(why)),
            },
            Some((target, Err(_))) => match port_name(target).as_slice() {
                [] => Value::from(target),
                complaints => return Err(Failure::error(complaints.join(","))),
            },
        };
        let mut value = json!({
            "name": text.replace(':', "-"), "port": number, "protocol": "TCP", "targetPort": target_value,
        });
        if args.given("node-port") {
            value["nodePort"] = args.int("node-port").into();
        }
        ports.push(value);
    }
    Ok(ports)
}

pub(in crate::commands) fn cluster_ip(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create service clusterip")?;
    service(call, args, &name, "ClusterIP", "failed to create ClusterIP service: ")
}

pub(in crate::commands) fn node_port(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create service nodeport")?;
    service(call, args, &name, "NodePort", "failed to create NodePort service: ")
}

pub(in crate::commands) fn load_balancer(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create service loadbalancer")?;
    service(call, args, &name, "LoadBalancer", "failed to create LoadBalancer service: ")
}

pub(in crate::commands) fn external_name(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create service externalname")?;
    require(args, &["external-name"])?;
    if !dns1123_subdomain(args.text("external-name")).is_empty() {
        return Err(Failure::error(format!("invalid service external name {}", args.text("external-name"))));
    }
    service(call, args, &name, "ExternalName", "failed to create ExternalName service: ")
}

/// `service:port`
fn backend(text: &str) -> Option<Value> {
    let (service, port) = text.split_once(':')?;
    // What follows is not looked at.
    let port = port.split(':').next().unwrap_or_default();
    let port = match port.parse::<i32>() {
        Ok(number) => json!({ "number": number }),
        Err(_) => json!({ "name": port }),
    };
    (!service.is_empty()).then(|| json!({ "service": { "name": service, "port": port } }))
}

pub(in crate::commands) fn ingress(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create ingress")?;
    if args.all("rule").is_empty() && args.some_text("default-backend").is_none() {
        return Err(Failure::error(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        ));
    }
    let mut spec = Map::new();
    if let Some(class) = args.some_text("class") {
        spec.insert("ingressClassName".into(), class.into());
    }
    if let Some(text) = args.some_text("default-backend") {
        let refuse = || Failure::error("default-backend should be in format servicename:serviceport");
        spec.insert("defaultBackend".into(), backend(text).ok_or_else(refuse)?);
    }
    let (rules, tls) = rules(args.all("rule"))?;
    if !rules.is_empty() {
        spec.insert("rules".into(), rules.into());
    }
    if !tls.is_empty() {
        spec.insert("tls".into(), tls.into());
    }
    let mut meta = json!({ "creationTimestamp": null, "name": name });
    for text in args.all("annotation") {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            Failure::error(format!("annotation {text} is invalid and should be in format key=[value]"))
        })?;
        meta["annotations"][key] = value.into();
    }
    let value = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": meta,
        "spec": spec,
        "status": { "loadBalancer": {} },
    });
    make(call, args, Made::new(value, "failed to create ingress: "))
}

type RulesAndTls = (Vec<Value>, Vec<Value>);

/// The rules of `host/path=service:port,tls=secret`, those of one host together.
fn rules(texts: &[String]) -> Result<RulesAndTls, Failure> {
    let (mut rules, mut tls): RulesAndTls = Default::default();
    let mut hosts = BTreeSet::new();
    for text in texts {
        let invalid = || {
            Failure::error(format!(
                "rule {text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            ))
        };
        let (place, rest) = text.split_once('=').ok_or_else(invalid)?;
        let (host, path) = place.split_once('/').ok_or_else(invalid)?;
        let (target, secret) = match rest.split(',').collect::<Vec<_>>().as_slice() {
            [target, tls] => (*target, Some(tls.split('=').nth(1).unwrap_or_default())),
            parts => (parts[0], None),
        };
        let (path, path_type) = match path.strip_suffix('*') {
            Some(prefix) => (format!("/{prefix}"), "Prefix"),
            None => (format!("/{path}"), "Exact"),
        };
        let entry = json!({
            "path": path, "pathType": path_type, "backend": backend(target).ok_or_else(invalid)?,
        });
        let known = rules.iter_mut().find(|rule: &&mut Value| rule["host"].as_str().unwrap_or_default() == host);
        match known.and_then(|rule| rule["http"]["paths"].as_array_mut()) {
            Some(paths) => paths.push(entry),
            None => {
                let mut rule = json!({ "http": { "paths": [entry] } });
                if !host.is_empty() {
                    rule["host"] = host.into();
                }
                rules.push(rule);
            }
        }
        let Some(secret) = secret.filter(|_| hosts.insert(host)) else { continue };
        // The hosts of one secret stand together.
        let same = |entry: &&mut Value| entry["secretName"].as_str().unwrap_or_default() == secret;
        if let Some(entry) = tls.iter_mut().find(same) {
            match entry["hosts"].as_array_mut() {
                Some(hosts) => hosts.push(host.into()),
                None => entry["hosts"] = json!([host]),
            }
            continue;
        }
        let mut entry = Map::new();
        if !host.is_empty() {
            entry.insert("hosts".into(), json!([host]));
        }
        if !secret.is_empty() {
            entry.insert("secretName".into(), secret.into());
        }
        if !entry.is_empty() {
            tls.push(entry.into());
        }
    }
    Ok((rules, tls))
}
