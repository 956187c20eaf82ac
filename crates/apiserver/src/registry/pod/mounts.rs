//! Where containers mount volumes.

use api::field::{Error, Errors, Path};
use api::types::{Volume, VolumeDevice, VolumeMount};

use crate::registry::rules::{one_of, text};
use crate::registry::volume_sources::descending_path;

const PROPAGATIONS: &[&str] = &["Bidirectional", "HostToContainer", "None"];

pub(super) fn mounts(
    mounts: &[VolumeMount],
    devices: &[VolumeDevice],
    volumes: &[&Volume],
    is_privileged: bool,
    path: &Path,
    errors: &mut Errors,
) {
    for (index, mount) in mounts.iter().enumerate() {
        let item = path.index(index);
        volume_name(&mount.name, volumes, &item, errors);
        if mount.mount_path.is_empty() {
            errors.push(Error::required(&item.child("mountPath"), ""));
        }
        if mounts[..index].iter().any(|other| other.mount_path == mount.mount_path) {
            errors.push(Error::invalid(&item.child("mountPath"), mount.mount_path.as_str(), "must be unique"));
        }
        if devices.iter().any(|device| device.name == mount.name) {
            let why = "must not already exist in volumeDevices";
            errors.push(Error::invalid(&item.child("name"), mount.name.as_str(), why));
        }
        if last_of_each(devices, |device| &device.name).any(|device| device.device_path == mount.mount_path) {
            let why = "must not already exist as a path in volumeDevices";
            errors.push(Error::invalid(&item.child("mountPath"), mount.mount_path.as_str(), why));
        }
        let (sub_path, expression) = (text(&mount.sub_path), text(&mount.sub_path_expr));
        if !sub_path.is_empty() {
            descending_path(sub_path, &path.child("subPath"), errors);
        }
        if !expression.is_empty() {
            if !sub_path.is_empty() {
                let why = "subPathExpr and subPath are mutually exclusive";
                errors.push(Error::invalid(&item.child("subPathExpr"), expression, why));
            }
            descending_path(expression, &path.child("subPathExpr"), errors);
        }
        if let Some(propagation) = &mount.mount_propagation {
            let path = path.child("mountPropagation");
            one_of(propagation, PROPAGATIONS, &path, errors);
            if propagation == "Bidirectional" && !is_privileged {
                let why = "Bidirectional mount propagation is available only to privileged containers";
                errors.push(Error::forbidden(&path, why));
            }
        }
        read_only_below(mount, &path.child("recursiveReadOnly"), errors);
    }
}

fn read_only_below(mount: &VolumeMount, path: &Path, errors: &mut Errors) {
    match text(&mount.recursive_read_only) {
        "" | "Disabled" => {}
        "Enabled" | "IfPossible" => {
            if mount.read_only != Some(true) {
                errors.push(Error::forbidden(path, "may only be specified when readOnly is true"));
            }
            if !matches!(text(&mount.mount_propagation), "" | "None") {
                let why = "may only be specified when mountPropagation is None or not specified";
                errors.push(Error::forbidden(path, why));
            }
        }
        other => errors.push(Error::not_supported(path, other, &["Disabled", "Enabled", "IfPossible"])),
    }
}

fn volume_name(name: &str, volumes: &[&Volume], path: &Path, errors: &mut Errors) {
    if name.is_empty() {
        errors.push(Error::required(&path.child("name"), ""));
    }
    if !volumes.iter().any(|volume| volume.name == name) {
        errors.push(Error::not_found(&path.child("name"), name));
    }
}

pub(super) fn devices(
    devices: &[VolumeDevice],
    mounts: &[VolumeMount],
    volumes: &[&Volume],
    path: &Path,
    errors: &mut Errors,
) {
    for (index, device) in devices.iter().enumerate() {
        let path = path.index(index);
        if device.name.is_empty() {
            errors.push(Error::required(&path.child("name"), ""));
        }
        let volume = volumes.iter().find(|volume| volume.name == device.name);
        if !device.name.is_empty() && devices[..index].iter().any(|other| other.name == device.name) {
            errors.push(Error::invalid(&path.child("name"), device.name.as_str(), "must be unique"));
        }
        match volume {
            None => errors.push(Error::not_found(&path.child("name"), device.name.as_str())),
            Some(volume) if volume.persistent_volume_claim.is_none() && volume.ephemeral.is_none() => {
                let why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.push(Error::invalid(&path.child("name"), device.name.as_str(), why));
            }
            Some(_) => {}
        }
        if device.device_path.is_empty() {
            errors.push(Error::required(&path.child("devicePath"), ""));
        }
        let leaves = |device: &VolumeDevice| device.device_path.split('/').any(|part| part == "..");
        let device_path = path.child("devicePath");
        if devices[..index].iter().any(|other| other.device_path == device.device_path && !leaves(other)) {
            errors.push(Error::invalid(&device_path, device.device_path.as_str(), "must be unique"));
        }
        if leaves(device) {
            let why = "can not contain backsteps ('..')";
            errors.push(Error::invalid(&device_path, device.device_path.as_str(), why));
        }
        if mounts.iter().any(|mount| mount.name == device.name) {
            let why = "must not already exist in volumeMounts";
            errors.push(Error::invalid(&path.child("name"), device.name.as_str(), why));
        }
        if last_of_each(mounts, |mount| &mount.name).any(|mount| mount.mount_path == device.device_path) {
            let why = "must not already exist as a path in volumeMounts";
            errors.push(Error::invalid(&device_path, device.device_path.as_str(), why));
        }
    }
}

/// Upstream looks at paths in a map by name, where the last of a name is left.
fn last_of_each<T>(items: &[T], name: impl Fn(&T) -> &String) -> impl Iterator<Item = &T> {
    items.iter().enumerate().filter_map(move |(index, item)| {
        let is_last = !items[index + 1..].iter().any(|other| name(other) == name(item));
        is_last.then_some(item)
    })
}
