//! Containers and Pod templates.

use api::types::{Container, ContainerState, ContainerStatus, EnvVar, PodSpec, PodTemplateSpec, Probe, Toleration};
use api::types::{IntOrString, Pod};

use super::volume::volumes;
use super::{Writer, annotations, labels, time};

pub(crate) fn pod_template(writer: &mut Writer, template: Option<&PodTemplateSpec>) {
    writer.line(0, "Pod Template:");
    let Some(template) = template else {
        return writer.line(1, "<unset>");
    };
    let meta = template.metadata.as_ref();
    labels(writer, 1, meta.and_then(|meta| meta.labels.as_ref()));
    if let Some(own) = meta.and_then(|meta| meta.annotations.as_ref()).filter(|own| !own.is_empty()) {
        annotations(writer, 1, Some(own));
    }
    let none = PodSpec::default();
    let spec = template.spec.as_ref().unwrap_or(&none);
    if let Some(account) = spec.service_account_name.as_deref().filter(|account| !account.is_empty()) {
        writer.field(1, "Service Account", account);
    }
    let of = Containers { indent: 1, pod: None, statuses: &[] };
    if let Some(init) = spec.init_containers.as_ref().filter(|init| !init.is_empty()) {
        of.write(writer, "Init Containers", init);
    }
    of.write(writer, "Containers", &spec.containers);
    volumes(writer, spec.volumes.as_deref().unwrap_or_default(), 1);
    if let Some(class) = spec.priority_class_name.as_deref().filter(|class| !class.is_empty()) {
        writer.field(1, "Priority Class Name", class);
    }
    placement(writer, spec, 1);
}

/// Where the Pods may go.
pub(super) fn placement(writer: &mut Writer, spec: &PodSpec, level: usize) {
    for (at, constraint) in spec.topology_spread_constraints.iter().flatten().enumerate() {
        let text = format!(
            "{}:{} when max skew {} is exceeded for selector {}",
            constraint.topology_key,
            constraint.when_unsatisfiable,
            constraint.max_skew,
            super::selector(constraint.label_selector.as_ref())
        );
        if at == 0 {
            writer.field(level, "Topology Spread Constraints", text)
        } else {
            writer.line(level, format!("\t{text}"))
        }
    }
    let node: Vec<String> =
        spec.node_selector.iter().flatten().map(|(name, value)| format!("{name}={value}")).collect();
    writer.list(level, "Node-Selectors", &node);
    let mut all: Vec<&Toleration> = spec.tolerations.iter().flatten().collect();
    all.sort_by_key(|toleration| toleration.key.as_deref().unwrap_or_default());
    let shown: Vec<String> = all.into_iter().map(toleration).collect();
    writer.list(level, "Tolerations", &shown);
}

fn toleration(toleration: &Toleration) -> String {
    let mut text = toleration.key.clone().unwrap_or_default();
    let value = toleration.value.as_deref().unwrap_or_default();
    if !value.is_empty() {
        text.push_str(&format!("={value}"));
    }
    if let Some(effect) = toleration.effect.as_deref().filter(|effect| !effect.is_empty()) {
        text.push_str(&format!(":{effect}"));
    }
    if toleration.operator.as_deref() == Some("Exists") && value.is_empty() {
        text.push_str(if text.is_empty() { "op=Exists" } else { " op=Exists" });
    }
    if let Some(seconds) = toleration.toleration_seconds {
        text.push_str(&format!(" for {seconds}s"));
    }
    text
}

/// How a list of containers is shown: in a Pod with their statuses, in a template one space further in.
pub(super) struct Containers<'a> {
    pub indent: usize,
    pub pod: Option<&'a Pod>,
    pub statuses: &'a [ContainerStatus],
}

impl Containers<'_> {
    pub fn write(&self, writer: &mut Writer, title: &str, containers: &[Container]) {
        if containers.is_empty() {
            return writer.line(self.indent, format!("{title}: <none>"));
        }
        writer.line(self.indent, format!("{title}:"));
        for container in containers {
            let space = if self.indent > 0 { " " } else { "" };
            writer.line(1, format!("{space}{}:", container.name));
            self.container(writer, container);
        }
    }

    fn container(&self, writer: &mut Writer, container: &Container) {
        let status = self.statuses.iter().find(|status| status.name == container.name);
        if let Some(status) = status {
            writer.field(2, "Container ID", status.container_id.as_deref().unwrap_or_default());
        }
        writer.field(2, "Image", container.image.as_deref().unwrap_or_default());
        if let Some(status) = status {
            writer.field(2, "Image ID", &status.image_id);
        }
        ports(writer, container);
        for (title, words) in [("Command", &container.command), ("Args", &container.args)] {
            if let Some(words) = words.as_ref().filter(|words| !words.is_empty()) {
                writer.line(2, format!("{title}:"));
                words.iter().flat_map(|word| word.split('\n')).for_each(|line| writer.line(3, line));
            }
        }
        if let Some(status) = status {
            describe_status(writer, status);
        }
        let resources = container.resources.as_ref();
        for (title, amounts) in [
            ("Limits", resources.and_then(|resources| resources.limits.as_ref())),
            ("Requests", resources.and_then(|resources| resources.requests.as_ref())),
        ] {
            if let Some(amounts) = amounts.filter(|amounts| !amounts.is_empty()) {
                writer.line(2, format!("{title}:"));
                amounts.iter().for_each(|(name, quantity)| writer.field(3, name, &quantity.0));
            }
        }
        for (title, probe) in [
            ("Liveness", &container.liveness_probe),
            ("Readiness", &container.readiness_probe),
            ("Startup", &container.startup_probe),
        ] {
            if let Some(probe) = probe {
                writer.field(2, title, describe_probe(probe));
            }
        }
        self.environment(writer, container);
        mounts(writer, container);
    }

    fn environment(&self, writer: &mut Writer, container: &Container) {
        if let Some(sources) = container.env_from.as_ref().filter(|sources| !sources.is_empty()) {
            writer.line(2, "Environment Variables from:");
            for source in sources {
                let (name, kind, optional) = match (&source.config_map_ref, &source.secret_ref) {
                    (Some(map), _) => (&map.name, "ConfigMap", map.optional),
                    (_, Some(secret)) => (&secret.name, "Secret", secret.optional),
                    _ => continue,
                };
                let prefix = match source.prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
                    Some(prefix) => format!(" with prefix '{prefix}'"),
                    None => String::new(),
                };
                writer.line(3, format!("{name}\t{kind}{prefix}\tOptional: {}", optional.unwrap_or_default()));
            }
        }
        let variables = container.env.as_deref().unwrap_or_default();
        if variables.is_empty() {
            return writer.field(2, "Environment", "<none>");
        }
        writer.line(2, "Environment:");
        for variable in variables {
            writer.line(3, format!("{}:\t{}", variable.name, self.value_of(variable, container)));
        }
    }

    fn value_of(&self, variable: &EnvVar, container: &Container) -> String {
        let Some(source) = &variable.value_from else {
            return variable.value.as_deref().unwrap_or_default().replace('\n', "\n      \t");
        };
        if let Some(field) = &source.field_ref {
            let meta = self.pod.map(|pod| &pod.metadata);
            let value = match field.field_path.as_str() {
                "metadata.name" => meta.and_then(|meta| meta.name.clone()),
                "metadata.namespace" => meta.and_then(|meta| meta.namespace.clone()),
                "metadata.uid" => meta.and_then(|meta| meta.uid.clone()),
                _ => None,
            };
            let version = field.api_version.as_deref().unwrap_or("v1");
            return format!("{} ({version}:{})", value.unwrap_or_default(), field.field_path);
        }
        if let Some(field) = &source.resource_field_ref {
            let resources = container.resources.as_ref();
            let (list, name) = field.resource.split_once('.').unwrap_or(("", &field.resource));
            let amounts = match list {
                "limits" => resources.and_then(|resources| resources.limits.as_ref()),
                _ => resources.and_then(|resources| resources.requests.as_ref()),
            };
            let value =
                amounts.and_then(|amounts| amounts.get(name)).map_or("node allocatable", |value| value.0.as_str());
            return format!("{value} ({})", field.resource);
        }
        if let Some(key) = &source.secret_key_ref {
            let optional = key.optional.unwrap_or_default();
            return format!("<set to the key '{}' in secret '{}'>\tOptional: {optional}", key.key, key.name);
        }
        if let Some(key) = &source.config_map_key_ref {
            let optional = key.optional.unwrap_or_default();
            return format!("<set to the key '{}' of config map '{}'>\tOptional: {optional}", key.key, key.name);
        }
        String::new()
    }
}

fn ports(writer: &mut Writer, container: &Container) {
    let ports = container.ports.as_deref().unwrap_or_default();
    let shown: Vec<String> = ports
        .iter()
        .map(|port| format!("{}/{}", port.container_port, port.protocol.as_deref().unwrap_or("TCP")))
        .collect();
    let hosts: Vec<String> = ports
        .iter()
        .map(|port| format!("{}/{}", port.host_port.unwrap_or_default(), port.protocol.as_deref().unwrap_or("TCP")))
        .collect();
    let (title, host_title) = if ports.len() > 1 { ("Ports", "Host Ports") } else { ("Port", "Host Port") };
    writer.field(2, title, super::or_none(Some(&shown.join(", "))));
    writer.field(2, host_title, super::or_none(Some(&hosts.join(", "))));
}

fn describe_status(writer: &mut Writer, status: &ContainerStatus) {
    describe_state(writer, "State", status.state.as_ref());
    if let Some(last) = status.last_state.as_ref().filter(|last| last.terminated.is_some()) {
        describe_state(writer, "Last State", Some(last));
    }
    writer.field(2, "Ready", if status.ready { "True" } else { "False" });
    writer.field(2, "Restart Count", status.restart_count);
}

fn describe_state(writer: &mut Writer, title: &str, state: Option<&ContainerState>) {
    if let Some(running) = state.and_then(|state| state.running.as_ref()) {
        writer.field(2, title, "Running");
        writer.field(3, "Started", time(running.started_at.as_ref()));
    } else if let Some(ended) = state.and_then(|state| state.terminated.as_ref()) {
        writer.field(2, title, "Terminated");
        if let Some(reason) = ended.reason.as_deref().filter(|reason| !reason.is_empty()) {
            writer.field(3, "Reason", reason);
        }
        if let Some(message) = ended.message.as_deref().filter(|message| !message.is_empty()) {
            writer.field(3, "Message", message);
        }
        writer.field(3, "Exit Code", ended.exit_code);
        if let Some(signal) = ended.signal.filter(|signal| *signal > 0) {
            writer.field(3, "Signal", signal);
        }
        writer.field(3, "Started", time(ended.started_at.as_ref()));
        writer.field(3, "Finished", time(ended.finished_at.as_ref()));
    } else {
        writer.field(2, title, "Waiting");
        let reason = state.and_then(|state| state.waiting.as_ref()?.reason.as_deref());
        if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
            writer.field(3, "Reason", reason);
        }
    }
}

fn port_text(port: &IntOrString) -> String {
    match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    }
}

fn describe_probe(probe: &Probe) -> String {
    let timing = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        probe.initial_delay_seconds.unwrap_or_default(),
        probe.timeout_seconds.unwrap_or(1),
        probe.period_seconds.unwrap_or(10),
        probe.success_threshold.unwrap_or(1),
        probe.failure_threshold.unwrap_or(3)
    );
    let action = if let Some(exec) = &probe.exec {
        format!("exec [{}]", exec.command.as_deref().unwrap_or_default().join(" "))
    } else if let Some(get) = &probe.http_get {
        let scheme = get.scheme.as_deref().unwrap_or("HTTP").to_lowercase();
        let host = get.host.as_deref().unwrap_or_default();
        let path = get.path.as_deref().unwrap_or("/");
        format!("http-get {scheme}://{host}:{}{path}", port_text(&get.port))
    } else if let Some(socket) = &probe.tcp_socket {
        format!("tcp-socket {}:{}", socket.host.as_deref().unwrap_or_default(), port_text(&socket.port))
    } else if let Some(grpc) = &probe.grpc {
        format!("grpc <pod>:{} {}", grpc.port, grpc.service.as_deref().unwrap_or_default())
    } else {
        "unknown".into()
    };
    format!("{action} {timing}")
}

fn mounts(writer: &mut Writer, container: &Container) {
    let mut mounts: Vec<_> = container.volume_mounts.iter().flatten().collect();
    if mounts.is_empty() {
        return writer.field(2, "Mounts", "<none>");
    }
    mounts.sort_by_key(|mount| &mount.mount_path);
    writer.line(2, "Mounts:");
    for mount in mounts {
        let mut flags = if mount.read_only == Some(true) { "ro".to_owned() } else { "rw".to_owned() };
        if let Some(path) = mount.sub_path.as_deref().filter(|path| !path.is_empty()) {
            flags.push_str(&format!(",path={path:?}"));
        }
        writer.line(3, format!("{} from {} ({flags})", mount.mount_path, mount.name));
    }
}
