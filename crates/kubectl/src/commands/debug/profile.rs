//! What a profile of `kubectl debug` allows its container, and what it takes away from a copy. Upstream:
//! `kubectl/pkg/cmd/debug/profiles.go`.

use api::Kinded as _;
use api::types::Pod;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::flags::Args;
use crate::task::Call;

/// Where the container runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Beside,
    Copy,
    Node,
}

const NAMES: [&str; 6] = ["legacy", "general", "baseline", "netadmin", "restricted", "sysadmin"];

/// Fields of a container that are the command's own business.
const NOT_CUSTOM: [&str; 5] = ["name", "command", "image", "lifecycle", "volumeDevices"];

pub(super) fn check(profile: &str) -> Result<(), Failure> {
    match NAMES.contains(&profile) {
        true => Ok(()),
        false => Err(Failure::error(format!("unknown profile: {profile}"))),
    }
}

/// The fields of a container that `--custom` names.
pub(super) fn custom(call: &Call, args: &Args) -> Result<Option<Value>, Failure> {
    let Some(path) = args.some_text("custom") else { return Ok(None) };
    let text = call.state.files.read(path).ok_or_else(|| {
        Failure::error(format!(
            "must pass a container spec json file for custom profile: open {path}: no such file or directory"
        ))
    })?;
    let read = api::yaml::parse_lenient(&text)
        .map_err(|why| Failure::error(format!("{path} does not contain a valid container spec: {why}")))?;
    let value = read.into_iter().next().map(|document| document.value).unwrap_or_default();
    if NOT_CUSTOM.iter().any(|field| !value[*field].is_null()) {
        return Err(Failure::error(
            "name, command, image, lifecycle and volume devices are not modifiable via custom profile",
        ));
    }
    Ok(Some(value))
}

/// Gives the container of this name what the profile and `--custom` want. `list`: where it is among the Pod's.
pub(super) fn apply(
    call: &Call,
    args: &Args,
    pod: &mut Value,
    [list, name]: [&str; 2],
    style: Style,
) -> Result<(), Failure> {
    let profile = args.text("profile");
    match style {
        Style::Copy => {
            take_away(args, pod);
            if profile != "legacy" && pod["spec"]["shareProcessNamespace"].is_null() {
                pod["spec"]["shareProcessNamespace"] = true.into();
            }
        }
        Style::Node => {
            if matches!(profile, "legacy" | "general" | "sysadmin") {
                pod["spec"]["volumes"] = json!([{ "name": "host-root", "hostPath": { "path": "/" } }]);
                container(pod, list, name)["volumeMounts"] = json!([{ "name": "host-root", "mountPath": "/host" }]);
            }
            if matches!(profile, "legacy" | "general" | "netadmin" | "sysadmin") {
                ["hostIPC", "hostNetwork", "hostPID"].into_iter().for_each(|field| pod["spec"][field] = true.into());
            }
        }
        Style::Beside => {}
    }
    let context = &mut container(pod, list, name)["securityContext"];
    match profile {
        "general" if style != Style::Node => add(context, &["SYS_PTRACE"]),
        "netadmin" => add(context, &["NET_ADMIN", "NET_RAW"]),
        "sysadmin" => context["privileged"] = true.into(),
        "restricted" => {
            context["allowPrivilegeEscalation"] = false.into();
            context["capabilities"]["drop"] = json!(["ALL"]);
            context["runAsNonRoot"] = true.into();
            context["seccompProfile"] = json!({ "type": "RuntimeDefault" });
        }
        _ if context.is_null() => {
            container(pod, list, name).as_object_mut().map(|fields| fields.remove("securityContext"));
        }
        _ => {}
    }
    if let Some(mut custom) = custom(call, args)? {
        custom["name"] = name.into();
        let patch = json!({ "spec": { list: [custom] } });
        *pod = api::patch::strategic(Pod::row(), pod.take(), patch)?;
    }
    Ok(())
}

/// Upstream's warning: a Pod whose user is not root has no use for capabilities.
pub(super) fn warn(call: &mut Call, pod: &Value, container: &Value) {
    let context = &container["securityContext"];
    let user = |context: &Value| context["runAsUser"].as_i64();
    let allowed = context["privileged"] == true
        || context["capabilities"]["add"].as_array().is_some_and(|added| !added.is_empty());
    let is_root = user(&pod["spec"]["securityContext"]).unwrap_or(0) == 0 || user(context) == Some(0);
    if allowed && !is_root {
        call.io.err_line(
            "Warning: Non-root user is configured for the entire target Pod, and some capabilities granted by debug profile \
             may not work. Please consider using \"--custom\" with a custom profile that specifies \
             \"securityContext.runAsUser: 0\".",
        );
    }
}

/// The container of this name, which is there.
pub(super) fn container<'a>(pod: &'a mut Value, list: &str, name: &str) -> &'a mut Value {
    let at = pod["spec"][list].as_array().and_then(|all| all.iter().position(|one| one["name"] == name));
    &mut pod["spec"][list][at.unwrap_or_default()]
}

fn add(context: &mut Value, capabilities: &[&str]) {
    let mut all = context["capabilities"]["add"].as_array().cloned().unwrap_or_default();
    all.extend(capabilities.iter().map(|one| Value::from(*one)));
    context["capabilities"]["add"] = all.into();
}

/// What a copy does not take over.
fn take_away(args: &Args, pod: &mut Value) {
    // The old profile knows labels alone.
    let is_old = args.text("profile") == "legacy";
    let forget = |place: &mut Value, field: &str| {
        place.as_object_mut().map(|fields| fields.remove(field));
    };
    if !args.is("keep-labels") {
        forget(&mut pod["metadata"], "labels");
    }
    if is_old {
        return;
    }
    if !args.is("keep-annotations") {
        forget(&mut pod["metadata"], "annotations");
    }
    if !args.is("keep-init-containers") {
        forget(&mut pod["spec"], "initContainers");
    }
    for (flag, probe) in
        [("keep-liveness", "livenessProbe"), ("keep-readiness", "readinessProbe"), ("keep-startup", "startupProbe")]
    {
        let containers = pod["spec"]["containers"].as_array_mut().into_iter().flatten();
        containers.filter(|_| !args.is(flag)).for_each(|container| forget(container, probe));
    }
}
