//! `kubectl expose`

use serde_json::{Map, Value, json};

use super::create::{self, Made};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, text};
use crate::resource::{self, Info, Rules};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-expose"),
    text("port", ' ', "The port of the service"),
    text("target-port", ' ', "The port or port name of the containers"),
    text("name", ' ', "The service's name"),
    text("type", ' ', "ClusterIP, NodePort, LoadBalancer or ExternalName"),
    text("protocol", ' ', "TCP, UDP or SCTP"),
    text("selector", ' ', "The selector of the service"),
    text("labels", 'l', "Labels of the service"),
    text("cluster-ip", ' ', "The cluster IP, or None"),
    text("external-ip", ' ', "An outside address"),
    text("session-affinity", ' ', "None or ClientIP"),
    text("load-balancer-ip", ' ', "The balancer's address"),
    text("overrides", ' ', "JSON to merge into the service"),
    text("override-type", ' ', "merge, strategic or json").or("merge"),
];

/// `a=b,c=d`
pub(super) fn pairs(text: &str) -> Result<Map<String, Value>, Failure> {
    let mut map = Map::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (key, value) =
            part.split_once('=').ok_or_else(|| Failure::error(format!("unexpected label spec: {part}")))?;
        map.insert(key.into(), value.into());
    }
    Ok(map)
}

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    let mut named = args.clone();
    if args.operands.len() == 1 && !args.operands[0].contains('/') && args.all("filename").is_empty() {
        return Err(Failure::error("resource(s) were provided, but no name was specified"));
    }
    named.operands.clone_from(&args.operands);
    let picked = resource::pick(call, &without_selector(&named), Rules::default())?;
    if let Some(failure) = Failure::all(picked.failures) {
        return Err(failure);
    }
    let mut failures = Vec::new();
    // The selector of the first is that of all, as upstream.
    let mut selector = args.some_text("selector").map(pairs).transpose()?;
    for info in &picked.infos {
        let value = super::run::overridden(args, service_of(args, info, &mut selector)?)?;
        if let Err(failure) = create::make(call, args, Made { done: "exposed", ..Made::new(value, "") }) {
            failures.push(failure);
        }
    }
    Failure::all(failures).map_or(Ok(0), Err)
}

/// `--selector` is the service's here, not a filter.
pub(super) fn without_selector(args: &Args) -> Args {
    let mut named = Args::default();
    named.operands.clone_from(&args.operands);
    named.adopt(args, &["filename", "namespace"]);
    // What files hold is taken as it is.
    if resource::names_files(&named) {
        named.put("local", "true".into());
    }
    named
}

fn service_of(args: &Args, info: &Info, selector: &mut Option<Map<String, Value>>) -> Result<Value, Failure> {
    let object = info.object.to_value();
    if selector.is_none() {
        *selector = Some(selector_of(info, &object)?);
    }
    let template = if info.kind.kind == "Pod" { &object["spec"] } else { &object["spec"]["template"]["spec"] };
    let declared: Vec<(i64, String)> = match info.kind.kind {
        "Service" => ports_of(&object["spec"]["ports"], "port"),
        _ => template["containers"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|container| ports_of(&container["ports"], "containerPort"))
            .collect(),
    };
    let ports: Vec<(i64, String)> = match args.some_text("port") {
        Some(text) => {
            let mut ports = Vec::new();
            for part in text.split(',') {
                let port: i64 = part
                    .parse()
                    .map_err(|_| Failure::error(format!("strconv.Atoi: parsing {part:?}: invalid syntax")))?;
                let known = declared.iter().find(|(number, _)| *number == port).map(|(_, protocol)| protocol.clone());
                ports.push((port, known.unwrap_or("TCP".into())));
            }
            ports
        }
        None if declared.is_empty() => {
            return Err(Failure::error("couldn't find port via --port flag or introspection"));
        }
        None => declared,
    };
    let several = ports.len() > 1;
    let entries: Vec<Value> = ports
        .into_iter()
        .enumerate()
        .map(|(at, (port, protocol))| {
            let protocol = args.some_text("protocol").map_or(protocol, str::to_owned);
            let target = match args.some_text("target-port") {
                Some(text) => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
                None => port.into(),
            };
            let mut entry = json!({ "port": port, "protocol": protocol, "targetPort": target });
            if several {
                entry["name"] = format!("port-{}", at + 1).into();
            }
            entry
        })
        .collect();
    let labels = match args.some_text("labels") {
        Some(text) => pairs(text)?,
        None => object["metadata"]["labels"].as_object().cloned().unwrap_or_default(),
    };
    let mut meta = json!({ "creationTimestamp": null, "name": args.some_text("name").unwrap_or(&info.name) });
    if !labels.is_empty() {
        meta["labels"] = labels.into();
    }
    if !matches!(args.text("session-affinity"), "" | "None" | "ClientIP") {
        return Err(Failure::error(format!("unknown session affinity: {}", args.text("session-affinity"))));
    }
    let mut spec = json!({ "ports": entries, "selector": selector });
    for (flag, field) in [
        ("type", "type"),
        ("cluster-ip", "clusterIP"),
        ("session-affinity", "sessionAffinity"),
        ("load-balancer-ip", "loadBalancerIP"),
    ] {
        let is_asked = flag != "load-balancer-ip" || args.text("type") == "LoadBalancer";
        if let Some(text) = args.some_text(flag).filter(|_| is_asked) {
            spec[field] = text.into();
        }
    }
    if let Some(address) = args.some_text("external-ip") {
        spec["externalIPs"] = json!([address]);
    }
    Ok(
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec, "status": { "loadBalancer": {} } }),
    )
}

fn ports_of(list: &Value, field: &str) -> Vec<(i64, String)> {
    let ports = list.as_array().into_iter().flatten();
    ports
        .filter_map(|port| Some((port[field].as_i64()?, port["protocol"].as_str().unwrap_or("TCP").to_owned())))
        .collect()
}

fn selector_of(info: &Info, object: &Value) -> Result<Map<String, Value>, Failure> {
    let labels = match info.kind.kind {
        "Pod" => &object["metadata"]["labels"],
        "Service" | "ReplicationController" => &object["spec"]["selector"],
        "Deployment" | "ReplicaSet" => &object["spec"]["selector"]["matchLabels"],
        _ => {
            return Err(Failure::error(format!("cannot expose a {}", info.kind.kind)));
        }
    };
    let expressions = object["spec"]["selector"]["matchExpressions"].as_array().cloned().unwrap_or_default();
    if info.kind.kind != "Service" && !expressions.is_empty() {
        let shown = expressions.iter().map(|expression| {
            let text = |field: &str| expression[field].as_str().unwrap_or_default().to_owned();
            let values = expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let values = values.collect::<Vec<_>>().join(" ");
            format!("{{Key:{} Operator:{} Values:[{values}]}}", text("key"), text("operator"))
        });
        let shown = shown.collect::<Vec<_>>().join(" ");
        return Err(Failure::error(format!(
            "couldn't retrieve selectors via --selector flag or introspection: couldn't convert expressions - \"[{shown}]\" to \
             map-based selector format"
        )));
    }
    match labels.as_object().filter(|labels| !labels.is_empty()) {
        Some(labels) => Ok(labels.clone()),
        None if info.kind.kind == "Service" => Err(Failure::error(
            "couldn't retrieve selectors via --selector flag or introspection: the service has no pod selector set",
        )),
        None => Err(Failure::error(format!(
            "couldn't retrieve selectors via --selector flag or introspection: the {} has no labels and cannot be exposed",
            info.kind.kind.to_lowercase()
        ))),
    }
}
