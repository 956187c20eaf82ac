//! The checks of the Pod Security Standards. Upstream: `pod-security-admission/policy`, one function a check.

use std::collections::BTreeSet;

use api::types::{Capabilities, LifecycleHandler, ObjectMeta, PodSpec, Probe, SecurityContext, Volume};

use super::Level;

/// What is checked: a Pod, or a template of one.
pub(super) struct Subject<'a> {
    pub meta: &'a ObjectMeta,
    pub spec: &'a PodSpec,
}

pub(super) struct Violation {
    pub reason: String,
    detail: String,
}

/// `hostPort (container "c" uses hostPort 80), …`
pub(super) fn described(violations: &[Violation]) -> String {
    let one = |violation: &Violation| match violation.detail.as_str() {
        "" => violation.reason.clone(),
        detail => format!("{} ({detail})", violation.reason),
    };
    violations.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// One check: the minor version since which it is part of its level.
struct Check {
    since: u32,
    level: Level,
    /// A stricter check takes its place in the restricted level, since that minor version.
    replaced_since: Option<u32>,
    run: fn(&Subject, u32) -> Option<Violation>,
}

const fn baseline(run: fn(&Subject, u32) -> Option<Violation>) -> Check {
    Check { since: 0, level: Level::Baseline, replaced_since: None, run }
}

const fn restricted(since: u32, run: fn(&Subject, u32) -> Option<Violation>) -> Check {
    Check { since, level: Level::Restricted, replaced_since: None, run }
}

/// In the order in which violations are listed.
const CHECKS: &[Check] = &[
    baseline(app_armor_profile),
    Check { replaced_since: Some(22), ..baseline(default_capabilities) },
    baseline(host_namespaces),
    Check { replaced_since: Some(0), ..baseline(host_path_volumes) },
    baseline(host_ports),
    Check { since: 34, ..baseline(probe_hosts) },
    baseline(privileged),
    Check { replaced_since: Some(35), ..baseline(proc_mount_outside_of_user_namespaces) },
    baseline(selinux_options),
    Check { replaced_since: Some(19), ..baseline(no_bad_seccomp) },
    baseline(sysctls),
    baseline(host_process),
    restricted(8, privilege_escalation),
    restricted(22, dropped_capabilities),
    restricted(35, proc_mount),
    restricted(0, volume_types),
    restricted(0, run_as_non_root),
    restricted(23, run_as_user),
    restricted(19, seccomp),
];

/// The minor version that "latest" stands for: the last that changed a check.
const LATEST: u32 = 35;

pub(super) fn evaluate(level: Level, version: Option<u32>, subject: &Subject) -> Vec<Violation> {
    let version = version.unwrap_or(LATEST).min(LATEST);
    let is_replaced =
        |check: &Check| level == Level::Restricted && check.replaced_since.is_some_and(|since| since <= version);
    let checks = CHECKS.iter().filter(|check| check.level <= level && check.since <= version && !is_replaced(check));
    checks.filter_map(|check| (check.run)(subject, version)).collect()
}

/// What the checks look at in a container of any sort.
struct Container<'a> {
    name: &'a str,
    security: Option<&'a SecurityContext>,
    ports: Vec<i32>,
    probes: Vec<&'a Probe>,
    handlers: Vec<&'a LifecycleHandler>,
}

impl Subject<'_> {
    fn containers(&self) -> Vec<Container<'_>> {
        let spec = self.spec;
        let mut all = Vec::new();
        for container in spec.init_containers.iter().flatten().chain(&spec.containers) {
            let lifecycle = container.lifecycle.as_ref();
            let handlers = lifecycle.into_iter().flat_map(|one| [one.post_start.as_ref(), one.pre_stop.as_ref()]);
            let probes = [&container.liveness_probe, &container.readiness_probe, &container.startup_probe];
            all.push(Container {
                name: &container.name,
                security: container.security_context.as_ref(),
                ports: container.ports.iter().flatten().filter_map(|port| port.host_port).collect(),
                probes: probes.into_iter().filter_map(Option::as_ref).collect(),
                handlers: handlers.flatten().collect(),
            });
        }
        for container in spec.ephemeral_containers.iter().flatten() {
            all.push(Container {
                name: &container.name,
                security: container.security_context.as_ref(),
                ports: container.ports.iter().flatten().filter_map(|port| port.host_port).collect(),
                probes: Vec::new(),
                handlers: Vec::new(),
            });
        }
        all
    }

    /// The names of the containers whose security context is not as it should be.
    fn containers_where(&self, is_bad: impl Fn(Option<&SecurityContext>) -> bool) -> Vec<String> {
        let containers = self.containers().into_iter();
        containers.filter(|container| is_bad(container.security)).map(|container| container.name.to_owned()).collect()
    }

    /// With users of its own, a Pod may do more since that minor version.
    fn has_user_namespace(&self, version: u32) -> bool {
        version >= 35 && self.spec.host_users == Some(false)
    }

    fn is_windows(&self) -> bool {
        self.spec.os.as_ref().is_some_and(|os| os.name == "windows")
    }
}

/// `"a", "b"`
fn quoted<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| format!("\"{}\"", item.as_ref())).collect::<Vec<_>>().join(", ")
}

fn plural<'a>(one: &'a str, many: &'a str, count: usize) -> &'a str {
    if count == 1 { one } else { many }
}

/// `containers "a", "b"`
fn containers(names: &[String]) -> String {
    format!("{} {}", plural("container", "containers", names.len()), quoted(names))
}

fn violation(reason: &str, detail: String) -> Option<Violation> {
    Some(Violation { reason: reason.into(), detail })
}

/// `pod and containers "a", "b"`: who has set something.
fn setters(pod: bool, names: &[String]) -> Vec<String> {
    let mut setters = Vec::new();
    if pod {
        setters.push("pod".to_owned());
    }
    if !names.is_empty() {
        setters.push(containers(names));
    }
    setters
}

fn app_armor_profile(subject: &Subject, _: u32) -> Option<Violation> {
    let is_bad = |kind: &str| !matches!(kind, "RuntimeDefault" | "Localhost");
    let mut values = BTreeSet::new();
    let pod = subject.spec.security_context.as_ref().and_then(|security| security.app_armor_profile.as_ref());
    let pod = pod.map(|profile| profile.type_.as_str()).filter(|kind| is_bad(kind));
    values.extend(pod.map(str::to_owned));
    let mut names = Vec::new();
    for container in subject.containers() {
        let profile = container.security.and_then(|security| security.app_armor_profile.as_ref());
        if let Some(profile) = profile.filter(|profile| is_bad(&profile.type_)) {
            names.push(container.name.to_owned());
            values.insert(profile.type_.clone());
        }
    }
    let mut setters = setters(pod.is_some(), &names);
    let annotations = subject.meta.annotations.iter().flatten().filter(|(key, value)| {
        let is_allowed = matches!(value.as_str(), "" | "runtime/default") || value.starts_with("localhost/");
        key.starts_with("container.apparmor.security.beta.kubernetes.io/") && !is_allowed
    });
    let annotations: Vec<String> = annotations.map(|(key, value)| format!("{key}={value:?}")).collect();
    if !annotations.is_empty() {
        setters.push(plural("annotation", "annotations", annotations.len()).into());
    }
    if setters.is_empty() {
        return None;
    }
    let values: Vec<String> = values.into_iter().chain(annotations).collect();
    let reason = plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values.len());
    let detail = format!("{} must not set AppArmor profile type to {}", setters.join(" and "), quoted(&values));
    violation(reason, detail)
}

const DEFAULT_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

fn capabilities(security: Option<&SecurityContext>) -> Option<&Capabilities> {
    security?.capabilities.as_ref()
}

/// The containers that add other capabilities, in words.
fn adds_beyond(subject: &Subject, allowed: &[&str]) -> Option<String> {
    let added = |security: Option<&SecurityContext>| {
        let added = capabilities(security).into_iter().flat_map(|capabilities| capabilities.add.iter().flatten());
        added.filter(|name| !allowed.contains(&name.as_str())).cloned().collect::<BTreeSet<String>>()
    };
    let names = subject.containers_where(|security| !added(security).is_empty());
    let bad: BTreeSet<String> = subject.containers().iter().flat_map(|container| added(container.security)).collect();
    let detail =
        format!("{} must not include {} in securityContext.capabilities.add", containers(&names), quoted(&bad));
    (!names.is_empty()).then_some(detail)
}

fn default_capabilities(subject: &Subject, _: u32) -> Option<Violation> {
    violation("non-default capabilities", adds_beyond(subject, &DEFAULT_CAPABILITIES)?)
}

fn dropped_capabilities(subject: &Subject, version: u32) -> Option<Violation> {
    if subject.is_windows() && version >= 25 {
        return None;
    }
    let drops_all = |capabilities: &Capabilities| capabilities.drop.iter().flatten().any(|name| name == "ALL");
    let names = subject.containers_where(|security| !capabilities(security).is_some_and(drops_all));
    let mut details = Vec::new();
    if !names.is_empty() {
        details.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", containers(&names)));
    }
    details.extend(adds_beyond(subject, &["NET_BIND_SERVICE"]));
    if details.is_empty() { None } else { violation("unrestricted capabilities", details.join("; ")) }
}

fn host_namespaces(subject: &Subject, _: u32) -> Option<Violation> {
    let spec = subject.spec;
    let set = [("hostNetwork", spec.host_network), ("hostPID", spec.host_pid), ("hostIPC", spec.host_ipc)];
    let set = set.iter().filter(|(_, value)| *value == Some(true)).map(|(name, _)| format!("{name}=true"));
    let set: Vec<String> = set.collect();
    if set.is_empty() { None } else { violation("host namespaces", set.join(", ")) }
}

fn host_path_volumes(subject: &Subject, _: u32) -> Option<Violation> {
    let volumes = subject.spec.volumes.iter().flatten().filter(|volume| volume.host_path.is_some());
    let names: Vec<&String> = volumes.map(|volume| &volume.name).collect();
    let detail = format!("{} {}", plural("volume", "volumes", names.len()), quoted(&names));
    if names.is_empty() { None } else { violation("hostPath volumes", detail) }
}

fn host_ports(subject: &Subject, _: u32) -> Option<Violation> {
    let mut names = Vec::new();
    let mut ports = BTreeSet::new();
    for container in subject.containers() {
        let used: Vec<String> = container.ports.iter().filter(|port| **port != 0).map(ToString::to_string).collect();
        if !used.is_empty() {
            names.push(container.name.to_owned());
            ports.extend(used);
        }
    }
    let what = plural("hostPort", "hostPorts", ports.len());
    let listed: Vec<String> = ports.into_iter().collect();
    let detail = format!("{} {} {what} {}", containers(&names), plural("uses", "use", names.len()), listed.join(", "));
    if names.is_empty() { None } else { violation("hostPort", detail) }
}

fn probe_hosts(subject: &Subject, _: u32) -> Option<Violation> {
    let mut names = BTreeSet::new();
    let mut hosts = BTreeSet::new();
    for container in subject.containers() {
        let probes = container.probes.iter().flat_map(|probe| {
            let http = probe.http_get.as_ref().and_then(|get| get.host.clone());
            [http, probe.tcp_socket.as_ref().and_then(|socket| socket.host.clone())]
        });
        let handlers = container.handlers.iter().flat_map(|handler| {
            let http = handler.http_get.as_ref().and_then(|get| get.host.clone());
            [http, handler.tcp_socket.as_ref().and_then(|socket| socket.host.clone())]
        });
        let used: Vec<String> = probes.chain(handlers).flatten().filter(|host| !host.is_empty()).collect();
        if !used.is_empty() {
            names.insert(container.name.to_owned());
            hosts.extend(used);
        }
    }
    let what = plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.len());
    let names: Vec<String> = names.into_iter().collect();
    let detail = format!("{} {} {what} {}", containers(&names), plural("uses", "use", names.len()), quoted(&hosts));
    if names.is_empty() { None } else { violation("probe or lifecycle host", detail) }
}

fn privileged(subject: &Subject, _: u32) -> Option<Violation> {
    let names = subject.containers_where(|security| security.and_then(|one| one.privileged) == Some(true));
    let detail = format!("{} must not set securityContext.privileged=true", containers(&names));
    if names.is_empty() { None } else { violation("privileged", detail) }
}

fn proc_mount(subject: &Subject, _: u32) -> Option<Violation> {
    let of = |security: Option<&SecurityContext>| {
        security.and_then(|one| one.proc_mount.clone()).filter(|value| value != "Default")
    };
    let names = subject.containers_where(|security| of(security).is_some());
    let values: BTreeSet<String> = subject.containers().iter().filter_map(|container| of(container.security)).collect();
    let detail = format!("{} must not set securityContext.procMount to {}", containers(&names), quoted(&values));
    if names.is_empty() { None } else { violation("procMount", detail) }
}

fn proc_mount_outside_of_user_namespaces(subject: &Subject, version: u32) -> Option<Violation> {
    if subject.has_user_namespace(version) { None } else { proc_mount(subject, version) }
}

fn selinux_options(subject: &Subject, version: u32) -> Option<Violation> {
    let is_type_bad = |kind: &str| match kind {
        "" | "container_t" | "container_init_t" | "container_kvm_t" => false,
        "container_engine_t" => version < 31,
        _ => true,
    };
    let is_set = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let is_bad = |options: &api::types::SELinuxOptions| {
        is_type_bad(options.type_.as_deref().unwrap_or_default()) || is_set(&options.user) || is_set(&options.role)
    };
    let of = |security: Option<&SecurityContext>| {
        security.and_then(|one| one.se_linux_options.clone()).filter(|options| is_bad(options))
    };
    let pod = subject.spec.security_context.as_ref().and_then(|one| one.se_linux_options.clone()).filter(is_bad);
    let names = subject.containers_where(|security| of(security).is_some());
    let setters = setters(pod.is_some(), &names);
    if setters.is_empty() {
        return None;
    }
    let containers = subject.containers();
    let all: Vec<_> = pod.into_iter().chain(containers.iter().filter_map(|container| of(container.security))).collect();
    let types = all.iter().filter_map(|options| options.type_.as_ref()).filter(|kind| is_type_bad(kind));
    let types: BTreeSet<&String> = types.collect();
    let mut data = Vec::new();
    if !types.is_empty() {
        data.push(format!("{} {}", plural("type", "types", types.len()), quoted(&types)));
    }
    if all.iter().any(|options| is_set(&options.user)) {
        data.push("user may not be set".into());
    }
    if all.iter().any(|options| is_set(&options.role)) {
        data.push("role may not be set".into());
    }
    let detail = format!("{} set forbidden securityContext.seLinuxOptions: {}", setters.join(" and "), data.join("; "));
    violation("seLinuxOptions", detail)
}

fn is_seccomp_bad(kind: &str) -> bool {
    !matches!(kind, "RuntimeDefault" | "Localhost")
}

/// What stood in annotations before there was a field.
fn no_bad_seccomp_annotation(subject: &Subject) -> Option<Violation> {
    let is_allowed =
        |value: &str| matches!(value, "runtime/default" | "docker/default") || value.starts_with("localhost/");
    let containers = subject.containers();
    let keys = containers.iter().map(|one| format!("container.seccomp.security.alpha.kubernetes.io/{}", one.name));
    let keys: BTreeSet<String> = keys.chain(["seccomp.security.alpha.kubernetes.io/pod".to_owned()]).collect();
    let bad = keys.iter().filter_map(|key| {
        let value = api::meta::annotation(subject.meta, key).filter(|value| !is_allowed(value))?;
        Some(format!("{key}={value:?}"))
    });
    let bad: Vec<String> = bad.collect();
    let what = plural("annotation", "annotations", bad.len());
    if bad.is_empty() { None } else { violation("seccompProfile", format!("forbidden {what} {}", bad.join(", "))) }
}

fn no_bad_seccomp(subject: &Subject, version: u32) -> Option<Violation> {
    if version < 19 {
        return no_bad_seccomp_annotation(subject);
    }
    let of = |security: Option<&SecurityContext>| {
        let profile = security.and_then(|one| one.seccomp_profile.as_ref());
        profile.map(|profile| profile.type_.clone()).filter(|kind| is_seccomp_bad(kind))
    };
    let pod = subject.spec.security_context.as_ref().and_then(|one| one.seccomp_profile.as_ref());
    let pod = pod.map(|profile| profile.type_.clone()).filter(|kind| is_seccomp_bad(kind));
    let names = subject.containers_where(|security| of(security).is_some());
    let setters = setters(pod.is_some(), &names);
    if setters.is_empty() {
        return None;
    }
    let containers = subject.containers();
    let values = pod.into_iter().chain(containers.iter().filter_map(|container| of(container.security)));
    let values: BTreeSet<String> = values.collect();
    let setters = setters.join(" and ");
    violation(
        "seccompProfile",
        format!("{setters} must not set securityContext.seccompProfile.type to {}", quoted(&values)),
    )
}

fn seccomp(subject: &Subject, version: u32) -> Option<Violation> {
    if subject.is_windows() && version >= 25 {
        return None;
    }
    if let Some(bad) = no_bad_seccomp(subject, version) {
        return Some(bad);
    }
    if subject.spec.security_context.as_ref().is_some_and(|one| one.seccomp_profile.is_some()) {
        return None;
    }
    let names = subject.containers_where(|security| security.is_none_or(|one| one.seccomp_profile.is_none()));
    let wanted = "must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"";
    let detail = format!("pod or {} {wanted}", containers(&names));
    if names.is_empty() { None } else { violation("seccompProfile", detail) }
}

/// Each with the minor version since which it is allowed.
const SYSCTLS: [(&str, u32); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

fn sysctls(subject: &Subject, version: u32) -> Option<Violation> {
    let set = subject.spec.security_context.iter().flat_map(|security| security.sysctls.iter().flatten());
    let is_allowed = |name: &str| SYSCTLS.iter().any(|(allowed, since)| *allowed == name && *since <= version);
    let bad: Vec<&str> = set.map(|sysctl| sysctl.name.as_str()).filter(|name| !is_allowed(name)).collect();
    if bad.is_empty() { None } else { violation("forbidden sysctls", bad.join(", ")) }
}

fn host_process(subject: &Subject, _: u32) -> Option<Violation> {
    let pod = subject.spec.security_context.as_ref().and_then(|one| one.windows_options.as_ref());
    let pod = pod.and_then(|options| options.host_process) == Some(true);
    let names = subject
        .containers_where(|security| security.and_then(|one| one.windows_options.as_ref()?.host_process) == Some(true));
    let setters = setters(pod, &names);
    let detail = format!("{} must not set securityContext.windowsOptions.hostProcess=true", setters.join(" and "));
    if setters.is_empty() { None } else { violation("hostProcess", detail) }
}

fn privilege_escalation(subject: &Subject, version: u32) -> Option<Violation> {
    if subject.is_windows() && version >= 25 {
        return None;
    }
    let names =
        subject.containers_where(|security| security.and_then(|one| one.allow_privilege_escalation) != Some(false));
    let detail = format!("{} must set securityContext.allowPrivilegeEscalation=false", containers(&names));
    if names.is_empty() { None } else { violation("allowPrivilegeEscalation != false", detail) }
}

/// The type of a volume that the restricted level forbids.
fn forbidden_type(volume: &Volume) -> Option<&'static str> {
    let types = [
        ("hostPath", volume.host_path.is_some()),
        ("gcePersistentDisk", volume.gce_persistent_disk.is_some()),
        ("awsElasticBlockStore", volume.aws_elastic_block_store.is_some()),
        ("gitRepo", volume.git_repo.is_some()),
        ("nfs", volume.nfs.is_some()),
        ("iscsi", volume.iscsi.is_some()),
        ("glusterfs", volume.glusterfs.is_some()),
        ("rbd", volume.rbd.is_some()),
        ("flexVolume", volume.flex_volume.is_some()),
        ("cinder", volume.cinder.is_some()),
        ("cephfs", volume.cephfs.is_some()),
        ("flocker", volume.flocker.is_some()),
        ("fc", volume.fc.is_some()),
        ("azureFile", volume.azure_file.is_some()),
        ("vsphereVolume", volume.vsphere_volume.is_some()),
        ("quobyte", volume.quobyte.is_some()),
        ("azureDisk", volume.azure_disk.is_some()),
        ("portworxVolume", volume.portworx_volume.is_some()),
        ("scaleIO", volume.scale_io.is_some()),
        ("storageos", volume.storageos.is_some()),
        ("photonPersistentDisk", volume.photon_persistent_disk.is_some()),
    ];
    types.iter().find(|(_, is_set)| *is_set).map(|(name, _)| *name)
}

fn volume_types(subject: &Subject, _: u32) -> Option<Violation> {
    let bad = subject.spec.volumes.iter().flatten();
    let bad: Vec<(&String, &str)> = bad.filter_map(|volume| Some((&volume.name, forbidden_type(volume)?))).collect();
    let types: BTreeSet<&str> = bad.iter().map(|(_, kind)| *kind).collect();
    let detail = format!(
        "{} {} {} {} {}",
        plural("volume", "volumes", bad.len()),
        quoted(bad.iter().map(|(name, _)| name)),
        plural("uses", "use", bad.len()),
        plural("restricted volume type", "restricted volume types", types.len()),
        quoted(&types),
    );
    if bad.is_empty() { None } else { violation("restricted volume types", detail) }
}

fn run_as_non_root(subject: &Subject, version: u32) -> Option<Violation> {
    if subject.has_user_namespace(version) {
        return None;
    }
    let pod = subject.spec.security_context.as_ref().and_then(|security| security.run_as_non_root);
    let of = |security: Option<&SecurityContext>| security.and_then(|security| security.run_as_non_root);
    let setters = setters(pod == Some(false), &subject.containers_where(|security| of(security) == Some(false)));
    const REASON: &str = "runAsNonRoot != true";
    if !setters.is_empty() {
        return violation(REASON, format!("{} must not set securityContext.runAsNonRoot=false", setters.join(" and ")));
    }
    let names = subject.containers_where(|security| of(security).is_none() && pod != Some(true));
    let detail = format!("pod or {} must set securityContext.runAsNonRoot=true", containers(&names));
    if names.is_empty() { None } else { violation(REASON, detail) }
}

fn run_as_user(subject: &Subject, version: u32) -> Option<Violation> {
    if subject.has_user_namespace(version) {
        return None;
    }
    let pod = subject.spec.security_context.as_ref().and_then(|security| security.run_as_user) == Some(0);
    let names = subject.containers_where(|security| security.and_then(|one| one.run_as_user) == Some(0));
    let setters = setters(pod, &names);
    if setters.is_empty() {
        None
    } else {
        violation("runAsUser=0", format!("{} must not set runAsUser=0", setters.join(" and ")))
    }
}
