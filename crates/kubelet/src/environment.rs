//! A container's environment: `env`, `envFrom`, `$(VAR)`, the Downward API and the variables of Services.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::quantity::Amount;
use api::types::{
    ConfigMap, Container, EnvVarSource, ObjectFieldSelector, Pod, ResourceFieldSelector, Secret, Service,
};
use api::{Kinded, Object, Request, Response, Status, Verb, meta, object};
use client::Client;

use crate::config::NodeConfig;
use crate::host::Host;
use crate::pod_worker::PodWorker;

/// Reads an object that a Pod names. Upstream's managers have it at hand from a watch, so the worker does not wait.
pub fn get<T: Kinded + Object>(client: &mut Client, namespace: &str, name: &str) -> Result<Arc<T>, Status> {
    match client.call_detached(Request::new::<T>(Verb::Get, namespace, name))? {
        Response::Object(found) => object::typed(&found).ok_or_else(|| Status::internal("an object of another kind")),
        _ => Err(Status::internal("no object")),
    }
}

/// `configmap "x" not found`: the kubelet names these kinds in the singular.
pub fn problem(kind: &str, name: &str, status: &Status) -> String {
    if status.is_not_found() { format!("{kind} {name:?} not found") } else { status.message.clone() }
}

impl PodWorker {
    /// The environment in its order; a later variable replaces an earlier one of the same name.
    pub fn environment(
        &self,
        host: &mut Host,
        client: &mut Client,
        container: &Container,
    ) -> Result<Vec<(String, String)>, String> {
        let mut env = Vec::new();
        self.add_sources(client, container, &mut env)?;
        let services = service_variables(host, &self.pod);
        for variable in container.env.iter().flatten() {
            let value = match (&variable.value, &variable.value_from) {
                (Some(value), _) if !value.is_empty() => {
                    Some(expand_with(value, |name| find(&env, name).or_else(|| services.get(name).cloned())))
                }
                (_, Some(source)) => self.value_of(host, client, container, source)?,
                _ => Some(String::new()),
            };
            if let Some(value) = value {
                set(&mut env, &variable.name, value);
            }
        }
        for (name, value) in &*services {
            if !env.iter().any(|(known, _)| known == name) {
                env.push((name.clone(), value.clone()));
            }
        }
        Ok(env)
    }

    fn add_sources(
        &self,
        client: &mut Client,
        container: &Container,
        env: &mut Vec<(String, String)>,
    ) -> Result<(), String> {
        for source in container.env_from.iter().flatten() {
            let prefix = source.prefix.as_deref().unwrap_or_default();
            if let Some(reference) = &source.config_map_ref {
                match get::<ConfigMap>(client, self.namespace(), &reference.name) {
                    Ok(map) => {
                        for (key, value) in map.data.iter().flatten() {
                            set(env, &[prefix, key].concat(), value.clone());
                        }
                    }
                    Err(status) if status.is_not_found() && reference.optional == Some(true) => {}
                    Err(status) => return Err(problem("configmap", &reference.name, &status)),
                }
            } else if let Some(reference) = &source.secret_ref {
                match get::<Secret>(client, self.namespace(), &reference.name) {
                    Ok(secret) => {
                        for (key, value) in secret.data.iter().flatten() {
                            set(env, &[prefix, key].concat(), String::from_utf8_lossy(&value.0).into_owned());
                        }
                    }
                    Err(status) if status.is_not_found() && reference.optional == Some(true) => {}
                    Err(status) => return Err(problem("secret", &reference.name, &status)),
                }
            }
        }
        Ok(())
    }

    /// `None`: an optional source that is not there.
    fn value_of(
        &self,
        host: &Host,
        client: &mut Client,
        container: &Container,
        source: &EnvVarSource,
    ) -> Result<Option<String>, String> {
        if let Some(selector) = &source.field_ref {
            return self.field(host, selector).map(Some);
        }
        if let Some(selector) = &source.resource_field_ref {
            return resource_field(&self.pod, &host.config, container, selector).map(Some);
        }
        let namespace = self.namespace();
        if let Some(selector) = &source.config_map_key_ref {
            let optional = selector.optional == Some(true);
            let map = match get::<ConfigMap>(client, namespace, &selector.name) {
                Ok(map) => map,
                Err(status) if status.is_not_found() && optional => return Ok(None),
                Err(status) => return Err(problem("configmap", &selector.name, &status)),
            };
            return match map.data.as_ref().and_then(|data| data.get(&selector.key)) {
                Some(value) => Ok(Some(value.clone())),
                None if optional => Ok(None),
                None => Err(format!("couldn't find key {} in ConfigMap {namespace}/{}", selector.key, selector.name)),
            };
        }
        if let Some(selector) = &source.secret_key_ref {
            let optional = selector.optional == Some(true);
            let secret = match get::<Secret>(client, namespace, &selector.name) {
                Ok(secret) => secret,
                Err(status) if status.is_not_found() && optional => return Ok(None),
                Err(status) => return Err(problem("secret", &selector.name, &status)),
            };
            return match secret.data.as_ref().and_then(|data| data.get(&selector.key)) {
                Some(value) => Ok(Some(String::from_utf8_lossy(&value.0).into_owned())),
                None if optional => Ok(None),
                None => Err(format!("couldn't find key {} in Secret {namespace}/{}", selector.key, selector.name)),
            };
        }
        Ok(Some(String::new()))
    }

    /// The Downward API's fields.
    pub fn field(&self, host: &Host, selector: &ObjectFieldSelector) -> Result<String, String> {
        let spec = self.spec();
        let host_ip = host.config.ip.clone();
        Ok(match selector.field_path.as_str() {
            "spec.nodeName" => host.config.name.clone(),
            "spec.serviceAccountName" => spec.and_then(|spec| spec.service_account_name.clone()).unwrap_or_default(),
            "status.hostIP" | "status.hostIPs" => host_ip,
            "status.podIP" | "status.podIPs" => self.ip().unwrap_or_default().to_owned(),
            path => metadata_field(&self.pod, path)?,
        })
    }
}

/// `metadata.name`, `metadata.labels['app']`, all labels as lines of `key="value"` …
pub fn metadata_field(pod: &Pod, path: &str) -> Result<String, String> {
    let metadata = &pod.metadata;
    let lines = |map: &Option<BTreeMap<String, String>>| {
        let lines: Vec<String> = map.iter().flatten().map(|(key, value)| format!("{key}={value:?}")).collect();
        lines.join("\n")
    };
    let subscript = |prefix: &str| path.strip_prefix(prefix)?.strip_prefix("['")?.strip_suffix("']");
    if let Some(key) = subscript("metadata.labels") {
        return Ok(meta::label(metadata, key).unwrap_or_default().into());
    }
    if let Some(key) = subscript("metadata.annotations") {
        return Ok(meta::annotation(metadata, key).unwrap_or_default().into());
    }
    Ok(match path {
        "metadata.name" => metadata.name.clone().unwrap_or_default(),
        "metadata.namespace" => metadata.namespace.clone().unwrap_or_default(),
        "metadata.uid" => metadata.uid.clone().unwrap_or_default(),
        "metadata.labels" => lines(&metadata.labels),
        "metadata.annotations" => lines(&metadata.annotations),
        _ => return Err(format!("unsupported fieldPath: {path}")),
    })
}

/// Requests and limits. A limit that is not set is what the node can allocate.
pub fn resource_field(
    pod: &Pod,
    node: &NodeConfig,
    container: &Container,
    selector: &ResourceFieldSelector,
) -> Result<String, String> {
    let named = selector.container_name.as_deref().filter(|name| !name.is_empty());
    let container = match named {
        Some(name) => pod
            .spec
            .as_ref()
            .and_then(|spec| {
                spec.containers.iter().chain(spec.init_containers.iter().flatten()).find(|c| c.name == name)
            })
            .ok_or_else(|| format!("container {name} not found"))?,
        None => container,
    };
    let (list, resource) = selector.resource.split_once('.').unwrap_or(("", ""));
    let resources = container.resources.as_ref();
    let amount = match list {
        "limits" => resources.and_then(|resources| resources.limits.as_ref()?.get(resource)).map(Amount::of),
        "requests" => Some(
            resources
                .and_then(|resources| resources.requests.as_ref()?.get(resource))
                .map(Amount::of)
                .unwrap_or_default(),
        ),
        _ => return Err(format!("unsupported container resource: {}", selector.resource)),
    };
    let divisor = selector.divisor.as_ref().map(Amount::of).filter(|divisor| divisor.0 > 0);
    let divisor = divisor.unwrap_or(Amount::from_units(1));
    let amount = amount.unwrap_or_else(|| match resource {
        "cpu" => Amount(i128::from(node.cpu_milli) * 1_000_000),
        "memory" => Amount::from_units(node.memory_bytes as i64),
        _ => Amount::from_units(node.ephemeral_storage_bytes as i64),
    });
    let quotient = amount.0.div_euclid(divisor.0) + i128::from(amount.0.rem_euclid(divisor.0) != 0);
    Ok(quotient.to_string())
}

fn find(env: &[(String, String)], name: &str) -> Option<String> {
    env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

fn set(env: &mut Vec<(String, String)>, name: &str, value: String) {
    match env.iter_mut().find(|(known, _)| known == name) {
        Some(entry) => entry.1 = value,
        None => env.push((name.into(), value)),
    }
}

/// Replaces `$(NAME)`; `$$` is a dollar sign, and what is not known stays as it is.
pub fn expand(text: &str, env: &[(String, String)]) -> String {
    expand_with(text, |name| find(env, name))
}

fn expand_with(text: &str, value_of: impl Fn(&str) -> Option<String>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(tail) = rest.strip_prefix('$') {
            result.push('$');
            rest = tail;
        } else if let Some((name, tail)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match value_of(name) {
                Some(value) => result.push_str(&value),
                None => result.push_str(&format!("$({name})")),
            }
            rest = tail;
        } else {
            result.push('$');
        }
    }
    result.push_str(rest);
    result
}

/// The variables of the namespace's Services (unless `enableServiceLinks` is off) and of `default/kubernetes`. Kept until
/// a Service changes: the Pods of a namespace all have the same.
fn service_variables(host: &mut Host, pod: &Pod) -> Arc<BTreeMap<String, String>> {
    let linked = pod.spec.as_ref().is_none_or(|spec| spec.enable_service_links != Some(false));
    let namespace = if linked { pod.metadata.namespace.as_deref().unwrap_or_default() } else { "" };
    if let Some(known) = host.service_variables.get(namespace) {
        return known.clone();
    }
    let mut variables = BTreeMap::new();
    if let Some(master) = host.services.get("default/kubernetes") {
        add_service(&mut variables, master);
    }
    if linked {
        for service in host.services.in_namespace(namespace) {
            add_service(&mut variables, service);
        }
    }
    let variables = Arc::new(variables);
    host.service_variables.insert(namespace.into(), variables.clone());
    variables
}

fn add_service(variables: &mut BTreeMap<String, String>, service: &Service) {
    let Some(spec) = &service.spec else { return };
    let ip = spec.cluster_ip.as_deref().unwrap_or_default();
    let Some(ports) = spec.ports.as_ref().filter(|ports| !ports.is_empty()) else { return };
    if ip.is_empty() || ip == "None" {
        return;
    }
    let upper = |text: &str| text.to_ascii_uppercase().replace('-', "_");
    let name = upper(service.metadata.name.as_deref().unwrap_or_default());
    variables.insert(format!("{name}_SERVICE_HOST"), ip.into());
    variables.insert(format!("{name}_SERVICE_PORT"), ports[0].port.to_string());
    for port in ports {
        if let Some(port_name) = port.name.as_deref().filter(|name| !name.is_empty()) {
            variables.insert(format!("{name}_SERVICE_PORT_{}", upper(port_name)), port.port.to_string());
        }
    }
    for (number, port) in ports.iter().enumerate() {
        let protocol = port.protocol.as_deref().unwrap_or("TCP");
        let url = format!("{}://{ip}:{}", protocol.to_ascii_lowercase(), port.port);
        if number == 0 {
            variables.insert(format!("{name}_PORT"), url.clone());
        }
        let prefix = format!("{name}_PORT_{}_{}", port.port, protocol.to_ascii_uppercase());
        variables.insert(format!("{prefix}_PROTO"), protocol.to_ascii_lowercase());
        variables.insert(format!("{prefix}_PORT"), port.port.to_string());
        variables.insert(format!("{prefix}_ADDR"), ip.into());
        variables.insert(prefix, url);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_expanded() {
        let env = vec![("A".to_owned(), "1".to_owned()), ("B".to_owned(), "two".to_owned())];
        let cases = [
            ("$(A) and $(B)", "1 and two"),
            ("$(C) stays", "$(C) stays"),
            ("$$(A) is escaped", "$(A) is escaped"),
            ("100$", "100$"),
            ("$A is for the shell", "$A is for the shell"),
            ("$(A", "$(A"),
        ];
        for (text, expected) in cases {
            assert_eq!(expand(text, &env), expected);
        }
    }
}
