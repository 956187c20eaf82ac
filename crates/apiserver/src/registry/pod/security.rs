//! Security contexts of Pods and containers.

use api::field::{Error, Errors, Path};
use api::types::{AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext};

use super::containers;
use super::windows::options as windows_options;
use crate::registry::go_diff;
use crate::registry::rules::{list, one_of};
use crate::registry::volume_sources::descending_path;

const ID: &str = "must be between 0 and 2147483647, inclusive";
const SYSCTL: &str = "must have at most 253 characters and match regex \
     ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

pub(super) fn pod(spec: &PodSpec, spec_path: &Path, errors: &mut Errors) {
    let Some(context) = &spec.security_context else { return };
    let path = spec_path.child("securityContext");
    id(context.fs_group, &path.child("fsGroup"), errors);
    id(context.run_as_user, &path.child("runAsUser"), errors);
    id(context.run_as_group, &path.child("runAsGroup"), errors);
    for (index, group) in list(&context.supplemental_groups).iter().enumerate() {
        let path = path.child("supplementalGroups");
        id(Some(*group), &path.index(index), errors);
    }
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        let why = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.push(Error::invalid(&path.child("shareProcessNamespace"), true, why));
    }
    sysctls(spec, &path.child("sysctls"), errors);
    if let Some(policy) = context.fs_group_change_policy.as_deref() {
        let supported = &["Always", "OnRootMismatch"];
        one_of(policy, supported, &path.child("fsGroupChangePolicy"), errors);
    }
    if let Some(profile) = &context.seccomp_profile {
        seccomp(profile, &path.child("seccompProfile"), errors);
    }
    if let Some(options) = &context.windows_options {
        windows_options(options, &path.child("windowsOptions"), errors);
    }
    if let Some(profile) = &context.app_armor_profile {
        app_armor(profile, &path.child("appArmorProfile"), errors);
    }
    if let Some(policy) = &context.supplemental_groups_policy {
        one_of(policy, &["Merge", "Strict"], &path.child("supplementalGroupsPolicy"), errors);
    }
    if let Some(policy) = &context.se_linux_change_policy {
        // `MountOption` needs a feature gate that is off.
        one_of(policy, &["Recursive"], &path.child("seLinuxChangePolicy"), errors);
    }
}

/// What a Pod cannot ask of the operating system that it names.
pub(super) fn for_system(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let Some(os) = spec.os.as_ref() else { return };
    match os.name.as_str() {
        "windows" => windows(spec, path, errors),
        "linux" => {
            let why = "windows options cannot be set for a linux pod";
            if spec.security_context.as_ref().is_some_and(|context| context.windows_options.is_some()) {
                errors.push(Error::forbidden(&path.child("securityContext").child("windowsOptions"), why));
            }
            each_context(spec, path, |context, path| {
                if context.windows_options.is_some() {
                    errors.push(Error::forbidden(&path.child("windowsOptions"), why));
                }
            });
        }
        _ => {}
    }
}

fn windows(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let mut forbid = |path: &Path, fields: &[(&str, bool)]| {
        for (name, _) in fields.iter().filter(|(_, is_set)| *is_set) {
            errors.push(Error::forbidden(&path.child(name), "cannot be set for a windows pod"));
        }
    };
    let none = PodSecurityContext::default();
    let context = spec.security_context.as_ref().unwrap_or(&none);
    forbid(
        &path.child("securityContext"),
        &[
            ("appArmorProfile", context.app_armor_profile.is_some()),
            ("seLinuxOptions", context.se_linux_options.is_some()),
        ],
    );
    forbid(
        path,
        &[
            ("hostUsers", spec.host_users.is_some()),
            ("hostPID", spec.host_pid == Some(true)),
            ("hostIPC", spec.host_ipc == Some(true)),
        ],
    );
    forbid(
        &path.child("securityContext"),
        &[
            ("seccompProfile", context.seccomp_profile.is_some()),
            ("fsGroup", context.fs_group.is_some()),
            ("fsGroupChangePolicy", context.fs_group_change_policy.is_some()),
            ("sysctls", !list(&context.sysctls).is_empty()),
        ],
    );
    forbid(path, &[("shareProcessNamespace", spec.share_process_namespace.is_some())]);
    forbid(
        &path.child("securityContext"),
        &[
            ("runAsUser", context.run_as_user.is_some()),
            ("runAsGroup", context.run_as_group.is_some()),
            ("supplementalGroups", context.supplemental_groups.is_some()),
            ("supplementalGroupsPolicy", context.supplemental_groups_policy.is_some()),
            ("seLinuxChangePolicy", context.se_linux_change_policy.is_some()),
        ],
    );
    each_context(spec, path, |context, path| {
        forbid(
            path,
            &[
                ("appArmorProfile", context.app_armor_profile.is_some()),
                ("seLinuxOptions", context.se_linux_options.is_some()),
                ("seccompProfile", context.seccomp_profile.is_some()),
                ("capabilities", context.capabilities.is_some()),
                ("readOnlyRootFilesystem", context.read_only_root_filesystem.is_some()),
                ("privileged", context.privileged.is_some()),
                ("allowPrivilegeEscalation", context.allow_privilege_escalation.is_some()),
                ("procMount", context.proc_mount.is_some()),
                ("runAsUser", context.run_as_user.is_some()),
                ("runAsGroup", context.run_as_group.is_some()),
            ],
        );
    });
}

fn each_context(spec: &PodSpec, path: &Path, mut visit: impl FnMut(&SecurityContext, &Path)) {
    containers::each(spec, path, |container, path| {
        if let Some(context) = &container.security_context {
            visit(context, &path.child("securityContext"));
        }
    });
}

fn id(id: Option<i64>, path: &Path, errors: &mut Errors) {
    if let Some(id) = id.filter(|id| !(0..=i64::from(i32::MAX)).contains(id)) {
        errors.push(Error::invalid(path, id, ID));
    }
}

fn sysctls(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let Some(context) = &spec.security_context else { return };
    let sysctls = list(&context.sysctls);
    for (index, sysctl) in sysctls.iter().enumerate() {
        let path = path.index(index);
        let name = sysctl.name.as_str();
        if name.is_empty() {
            errors.push(Error::required(&path.child("name"), ""));
        } else if !is_sysctl(name) {
            errors.push(Error::invalid(&path.child("name"), name, SYSCTL));
        } else if sysctls[..index].iter().any(|other| other.name == name) {
            errors.push(Error::duplicate(&path.child("name"), name));
        }
        let why = match namespace(name) {
            Some("net") if spec.host_network == Some(true) => "may not be specified when 'hostNetwork' is true",
            Some("ipc") if spec.host_ipc == Some(true) => "may not be specified when 'hostIPC' is true",
            _ => continue,
        };
        errors.push(Error::invalid(&path.child("name"), name, why));
    }
}

/// The namespace of the kernel that a setting belongs to: upstream's `sysctl.GetNamespace`.
fn namespace(sysctl: &str) -> Option<&'static str> {
    let name = sysctl.replace('/', ".");
    let is_message_or_memory = ["kernel.shm", "kernel.msg", "fs.mqueue."].iter().any(|start| name.starts_with(start));
    if name == "kernel.sem" || is_message_or_memory {
        Some("ipc")
    } else if name.starts_with("net.") {
        Some("net")
    } else {
        None
    }
}

fn is_sysctl(name: &str) -> bool {
    let is_segment = |segment: &str| {
        let bytes = segment.as_bytes();
        let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        bytes.first().is_some_and(alphanumeric)
            && bytes.last().is_some_and(alphanumeric)
            && bytes.iter().all(|byte| alphanumeric(byte) || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split(['.', '/']).all(is_segment)
}

pub(super) fn container(context: &SecurityContext, host_users: bool, path: &Path, errors: &mut Errors) {
    id(context.run_as_user, &path.child("runAsUser"), errors);
    id(context.run_as_group, &path.child("runAsGroup"), errors);
    if let Some(mount) = context.proc_mount.as_deref() {
        one_of(mount, &["Default", "Unmasked"], &path.child("procMount"), errors);
        if host_users && mount == "Unmasked" {
            let why = "`hostUsers` must be false to use `Unmasked`";
            errors.push(Error::invalid(&path.child("procMount"), mount, why));
        }
    }
    if let Some(profile) = &context.seccomp_profile {
        seccomp(profile, &path.child("seccompProfile"), errors);
    }
    if context.allow_privilege_escalation == Some(false) {
        let shown = || go_diff::compact("core.v1.SecurityContext", context);
        if context.privileged == Some(true) {
            let why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.push(Error::invalid_verbatim(path, shown(), why));
        }
        let added = context.capabilities.iter().flat_map(|capabilities| list(&capabilities.add));
        for _ in added.filter(|capability| *capability == "CAP_SYS_ADMIN") {
            let why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.push(Error::invalid_verbatim(path, shown(), why));
        }
    }
    if let Some(options) = &context.windows_options {
        windows_options(options, &path.child("windowsOptions"), errors);
    }
    if let Some(profile) = &context.app_armor_profile {
        app_armor(profile, &path.child("appArmorProfile"), errors);
    }
}

fn profile_type(kind: &str, missing: &str, path: &Path, errors: &mut Errors) {
    let supported = &["Localhost", "RuntimeDefault", "Unconfined"];
    match kind {
        "" => errors.push(Error::required(&path.child("type"), missing)),
        kind => one_of(kind, supported, &path.child("type"), errors),
    }
}

fn seccomp(profile: &SeccompProfile, path: &Path, errors: &mut Errors) {
    profile_type(&profile.type_, "type is required when seccompProfile is set", path, errors);
    let local_path = path.child("localhostProfile");
    match (profile.type_.as_str(), profile.localhost_profile.as_deref()) {
        ("Localhost", None) => {
            errors.push(Error::required(&local_path, "must be set when seccomp type is Localhost"));
        }
        ("Localhost", Some(local)) => descending_path(local, &local_path, errors),
        (_, Some(_)) => {
            let shown = go_diff::compact("core.v1.SeccompProfile", profile);
            let why = "can only be set when seccomp type is Localhost";
            errors.push(Error::invalid_verbatim(&local_path, shown, why));
        }
        _ => {}
    }
}

pub(super) fn app_armor(profile: &AppArmorProfile, path: &Path, errors: &mut Errors) {
    const PATH_BYTES_MAX: usize = 4095;
    let local_path = path.child("localhostProfile");
    match (profile.type_.as_str(), profile.localhost_profile.as_deref()) {
        ("Localhost", local) => {
            let name = local.unwrap_or_default();
            if name.trim() != name {
                errors.push(Error::invalid(&local_path, name, "must not be padded with whitespace"));
            } else if name.is_empty() {
                errors.push(Error::required(&local_path, "must be set when AppArmor type is Localhost"));
            }
            if name.len() > PATH_BYTES_MAX {
                errors.push(Error::too_long(&local_path, PATH_BYTES_MAX));
            }
        }
        ("RuntimeDefault" | "Unconfined", Some(local)) => {
            errors.push(Error::invalid(&local_path, local, "can only be set when AppArmor type is Localhost"));
        }
        (kind, _) => profile_type(kind, "type is required when appArmorProfile is set", path, errors),
    }
}
