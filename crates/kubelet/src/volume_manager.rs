//! A Pod's volumes: made or waited for before its containers start, kept up to date, taken down after the last one.

use api::quantity::Amount;
use api::types::{
    ConfigMap, DownwardAPIVolumeFile, KeyToPath, PersistentVolume, PersistentVolumeClaim, Pod, ProjectedVolumeSource,
    Secret, Volume,
};
use api::{Object, SimTime};
use client::{Client, EventType};
use runtime::{Mount, VolumeId};

use crate::disks::Disks;
use crate::environment::{self, get, problem};
use crate::host::{Host, PodId};
use crate::pod_worker::PodWorker;
use crate::{format, timing};

#[derive(Clone, Default)]
pub struct PodVolumes {
    volumes: Vec<PodVolume>,
    /// Names the hidden directories of projected content.
    serial: u64,
}

#[derive(Clone)]
struct PodVolume {
    name: String,
    id: VolumeId,
    /// Position in `spec.volumes`.
    index: usize,
    mounted: bool,
    /// The PersistentVolume whose disk it is.
    disk: Option<String>,
    failures: u32,
    retry_at: SimTime,
    mirrors: bool,
    read_only: bool,
}

pub enum VolumesReady {
    Yes,
    NotBefore(SimTime),
    /// Waiting in this sync is no use.
    Never(String),
}

/// Why a volume is not mounted yet.
enum MountError {
    /// `MountVolume.SetUp failed for volume …`, tried again with a growing delay.
    SetUp(String),
    /// The volume cannot even be looked for.
    Process(String),
    /// The core has not brought the disk yet.
    Attaching,
}

/// A file of a volume: path, content, permission bits.
type Files = Vec<(String, Vec<u8>, u32)>;

impl PodVolumes {
    pub fn of(id: PodId, pod: &Pod) -> PodVolumes {
        let Some(spec) = &pod.spec else { return PodVolumes::default() };
        let volumes = spec.volumes.iter().flatten().enumerate().map(|(index, volume)| PodVolume {
            name: volume.name.clone(),
            id: VolumeId::new(format!("pod-{}/{}", id.0, volume.name)),
            index,
            mounted: false,
            disk: None,
            failures: 0,
            retry_at: 0,
            mirrors: mirrors_objects(volume),
            read_only: is_read_only(volume),
        });
        PodVolumes { volumes: volumes.collect(), serial: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.volumes.is_empty()
    }

    pub fn is_ready(&self) -> bool {
        self.volumes.iter().all(|volume| volume.mounted)
    }

    /// Whether a volume shows API objects that may change. The account's own volume does not count: it never does.
    pub fn mirrors_objects(&self) -> bool {
        self.volumes.iter().any(|volume| volume.mirrors && volume.mounted)
    }
}

fn mirrors_objects(volume: &Volume) -> bool {
    let is_account = volume.projected.as_ref().is_some_and(|projected| {
        projected.sources.iter().flatten().any(|source| source.service_account_token.is_some())
    });
    volume.config_map.is_some()
        || volume.secret.is_some()
        || volume.downward_api.is_some()
        || volume.projected.is_some() && !is_account
}

fn is_read_only(volume: &Volume) -> bool {
    mirrors_objects(volume)
        || volume.projected.is_some()
        || volume.persistent_volume_claim.as_ref().is_some_and(|claim| claim.read_only == Some(true))
}

impl PodWorker {
    /// Tries to mount what is not mounted.
    pub fn mount_volumes(&mut self, host: &mut Host, client: &mut Client) -> VolumesReady {
        let now = client.now();
        let pod = self.pod.clone();
        let mut earliest = SimTime::MAX;
        let mut problems = Vec::new();
        for number in 0..self.volumes.volumes.len() {
            let volume = &self.volumes.volumes[number];
            if volume.mounted {
                continue;
            }
            if now < volume.retry_at {
                earliest = earliest.min(volume.retry_at);
                continue;
            }
            let Some(source) = pod.spec.as_ref().and_then(|spec| spec.volumes.as_ref()?.get(volume.index)) else {
                continue;
            };
            match self.mount(host, client, number, source) {
                Ok(()) => self.volumes.volumes[number].mounted = true,
                Err(MountError::Attaching) => earliest = earliest.min(now + timing::VOLUME_POLL),
                Err(MountError::Process(text)) => problems.push((source.name.clone(), text)),
                Err(MountError::SetUp(text)) => {
                    let message = format!("MountVolume.SetUp failed for volume {:?} : {text}", source.name);
                    client.note("volume", message.clone());
                    self.event(host, client, EventType::Warning, "FailedMount", message);
                    let volume = &mut self.volumes.volumes[number];
                    let delay = (timing::MOUNT_RETRY << volume.failures.min(10)).min(timing::MOUNT_RETRY_MAX);
                    volume.failures += 1;
                    volume.retry_at = now + delay;
                    earliest = earliest.min(volume.retry_at);
                }
            }
        }
        if !problems.is_empty() {
            let unmounted: Vec<&str> = self
                .volumes
                .volumes
                .iter()
                .filter(|volume| !volume.mounted)
                .map(|volume| volume.name.as_str())
                .collect();
            let names: Vec<&String> = problems.iter().map(|(name, _)| name).collect();
            let texts: Vec<&str> = problems.iter().map(|(_, text)| text.as_str()).collect();
            return VolumesReady::Never(format!(
                "unmounted volumes={}, unattached volumes=[], failed to process volumes={}: {}",
                format::list(&unmounted),
                format::list(&names),
                texts.join("; ")
            ));
        }
        if self.volumes.is_ready() { VolumesReady::Yes } else { VolumesReady::NotBefore(earliest) }
    }

    fn mount(
        &mut self,
        host: &mut Host,
        client: &mut Client,
        number: usize,
        source: &Volume,
    ) -> Result<(), MountError> {
        let now = client.now();
        let id = self.volumes.volumes[number].id.clone();
        if let Some(claim) = &source.persistent_volume_claim {
            return self.mount_claim(host, client, number, &claim.claim_name);
        }
        if source.ephemeral.is_some() {
            let name = [self.pod.metadata.name.as_deref().unwrap_or_default(), "-", &source.name].concat();
            return self.mount_claim(host, client, number, &name);
        }
        if let Some(host_path) = &source.host_path {
            let path = host_path.path.as_str();
            let id = VolumeId::new(["host:", path].concat());
            let must_exist = match host_path.type_.as_deref().unwrap_or_default() {
                "Directory" => Some("a directory"),
                "File" => Some("a file"),
                _ => None,
            };
            if let Some(what) = must_exist.filter(|_| !host.runtime.volumes().contains(&id)) {
                return Err(MountError::SetUp(format!("hostPath type check failed: {path} is not {what}")));
            }
            host.runtime.volumes_mut().create(&id, None);
            self.volumes.volumes[number].id = id;
            return Ok(());
        }
        if let Some(files) = self.files_of(host, client, source).map_err(MountError::SetUp)? {
            return self.project(host, number, &files, now).map_err(MountError::SetUp);
        }
        // An empty directory: as asked for, or in place of a kind of volume that is not simulated.
        let limit = source.empty_dir.as_ref().and_then(|empty_dir| empty_dir.size_limit.as_ref());
        let limit = limit.map(|limit| Amount::of(limit).units().max(0) as u64).filter(|&limit| limit > 0);
        host.runtime.volumes_mut().create(&id, limit);
        Ok(())
    }

    fn project(&mut self, host: &mut Host, number: usize, files: &Files, now: SimTime) -> Result<(), String> {
        self.volumes.serial += 1;
        let volumes = host.runtime.volumes_mut();
        let id = &self.volumes.volumes[number].id;
        volumes.create(id, None);
        volumes.project(id, files, self.volumes.serial, now).map_err(|error| error.to_string())
    }

    fn mount_claim(
        &mut self,
        host: &mut Host,
        client: &mut Client,
        number: usize,
        name: &str,
    ) -> Result<(), MountError> {
        let namespace = self.namespace().to_owned();
        let failed = |text: String| MountError::Process(format!("error processing PVC {namespace}/{name}: {text}"));
        let claim = get::<PersistentVolumeClaim>(client, &namespace, name)
            .map_err(|status| failed(format!("failed to fetch PVC from API server: {}", status.message)))?;
        if api::meta::is_being_deleted(&claim.metadata) {
            return Err(failed("PVC is being deleted".into()));
        }
        let bound = claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound");
        let volume = claim.spec.as_ref().and_then(|spec| spec.volume_name.clone()).filter(|name| !name.is_empty());
        let Some(volume) = volume.filter(|_| bound) else { return Err(failed("PVC is not bound".into())) };
        let object = get::<PersistentVolume>(client, "", &volume)
            .map_err(|status| failed(format!("failed to fetch PV {volume} from API server: {}", status.message)))?;
        let spec = object.spec.as_ref();
        let path = spec
            .and_then(|spec| spec.host_path.as_ref().map(|source| &source.path))
            .or_else(|| spec.and_then(|spec| spec.local.as_ref().map(|source| &source.path)));
        if let Some(path) = path {
            let id = VolumeId::new(["host:", path].concat());
            host.runtime.volumes_mut().create(&id, None);
            self.volumes.volumes[number].id = id;
            return Ok(());
        }
        let volume = (*object).meta().name.clone().unwrap_or(volume);
        self.volumes.volumes[number].disk = Some(volume.clone());
        self.volumes.volumes[number].id = Disks::volume_id(&volume);
        if host.disks.want(&host.runtime, &volume, self.id) { Ok(()) } else { Err(MountError::Attaching) }
    }

    /// The files of a volume that shows API objects; `None` for other volumes.
    fn files_of(&self, host: &Host, client: &mut Client, volume: &Volume) -> Result<Option<Files>, String> {
        const DEFAULT_MODE: i32 = 0o644;
        let mut files = Files::new();
        if let Some(source) = &volume.config_map {
            let mode = source.default_mode.unwrap_or(DEFAULT_MODE);
            let optional = source.optional == Some(true);
            self.add_config_map(client, &source.name, &source.items, mode, optional, &mut files)?;
        } else if let Some(source) = &volume.secret {
            let mode = source.default_mode.unwrap_or(DEFAULT_MODE);
            let name = source.secret_name.as_deref().unwrap_or_default();
            self.add_secret(client, name, &source.items, mode, source.optional == Some(true), &mut files)?;
        } else if let Some(source) = &volume.downward_api {
            let mode = source.default_mode.unwrap_or(DEFAULT_MODE);
            self.add_downward(host, source.items.iter().flatten(), mode, &mut files)?;
        } else if let Some(source) = &volume.projected {
            self.add_projected(host, client, source, &mut files)?;
        } else {
            return Ok(None);
        }
        Ok(Some(files))
    }

    fn add_projected(
        &self,
        host: &Host,
        client: &mut Client,
        source: &ProjectedVolumeSource,
        files: &mut Files,
    ) -> Result<(), String> {
        let mode = source.default_mode.unwrap_or(0o644);
        for part in source.sources.iter().flatten() {
            if let Some(part) = &part.config_map {
                self.add_config_map(client, &part.name, &part.items, mode, part.optional == Some(true), files)?;
            } else if let Some(part) = &part.secret {
                self.add_secret(client, &part.name, &part.items, mode, part.optional == Some(true), files)?;
            } else if let Some(part) = &part.downward_api {
                self.add_downward(host, part.items.iter().flatten(), mode, files)?;
            } else if let Some(part) = &part.service_account_token {
                let account = self.spec().and_then(|spec| spec.service_account_name.as_deref()).unwrap_or("default");
                let token = format!("simulated.{}.{account}.{}", self.namespace(), self.uid());
                files.push((part.path.clone(), token.into_bytes(), mode as u32));
            }
        }
        Ok(())
    }

    fn add_config_map(
        &self,
        client: &mut Client,
        name: &str,
        items: &Option<Vec<KeyToPath>>,
        mode: i32,
        optional: bool,
        files: &mut Files,
    ) -> Result<(), String> {
        let map = match get::<ConfigMap>(client, self.namespace(), name) {
            Ok(map) => map,
            Err(status) if status.is_not_found() && optional => return Ok(()),
            Err(status) => return Err(problem("configmap", name, &status)),
        };
        let texts = map.data.iter().flatten().map(|(key, text)| (key.as_str(), text.as_bytes()));
        let bytes = map.binary_data.iter().flatten().map(|(key, bytes)| (key.as_str(), bytes.0.as_slice()));
        select("config", texts.chain(bytes), items, mode, optional, files)
    }

    fn add_secret(
        &self,
        client: &mut Client,
        name: &str,
        items: &Option<Vec<KeyToPath>>,
        mode: i32,
        optional: bool,
        files: &mut Files,
    ) -> Result<(), String> {
        let secret = match get::<Secret>(client, self.namespace(), name) {
            Ok(secret) => secret,
            Err(status) if status.is_not_found() && optional => return Ok(()),
            Err(status) => return Err(problem("secret", name, &status)),
        };
        let data = secret.data.iter().flatten().map(|(key, bytes)| (key.as_str(), bytes.0.as_slice()));
        select("secret", data, items, mode, optional, files)
    }

    fn add_downward<'a>(
        &self,
        host: &Host,
        items: impl Iterator<Item = &'a DownwardAPIVolumeFile>,
        mode: i32,
        files: &mut Files,
    ) -> Result<(), String> {
        for item in items {
            let text = match (&item.field_ref, &item.resource_field_ref) {
                (Some(selector), _) => self.field(host, selector)?,
                (None, Some(selector)) => {
                    let first = self.spec().and_then(|spec| spec.containers.first());
                    let Some(first) = first else { continue };
                    environment::resource_field(&self.pod, &host.config, first, selector)?
                }
                (None, None) => String::new(),
            };
            files.push((item.path.clone(), text.into_bytes(), item.mode.unwrap_or(mode) as u32));
        }
        Ok(())
    }

    /// Brings volumes that show API objects up to date. Objects that are gone leave what was there.
    pub fn refresh_volumes(&mut self, host: &mut Host, client: &mut Client) {
        let now = client.now();
        let pod = self.pod.clone();
        for number in 0..self.volumes.volumes.len() {
            let volume = &self.volumes.volumes[number];
            if !volume.mirrors || !volume.mounted {
                continue;
            }
            let Some(source) = pod.spec.as_ref().and_then(|spec| spec.volumes.as_ref()?.get(volume.index)) else {
                continue;
            };
            let written = match self.files_of(host, client, source) {
                Ok(Some(files)) => self.project(host, number, &files, now),
                Ok(None) => Ok(()),
                Err(text) => Err(text),
            };
            if let Err(text) = written {
                let message = format!("MountVolume.SetUp failed for volume {:?} : {text}", source.name);
                self.event(host, client, EventType::Warning, "FailedMount", message);
            }
        }
    }

    /// The container's mounts. All volumes are there.
    pub fn mounts_of(&self, container: &api::types::Container, env: &[(String, String)]) -> Result<Vec<Mount>, String> {
        let mut mounts = Vec::new();
        for mount in container.volume_mounts.iter().flatten() {
            let volume = self.volumes.volumes.iter().find(|volume| volume.name == mount.name);
            let Some(volume) = volume else {
                return Err(format!(
                    "cannot find volume {:?} to mount into container {:?}",
                    mount.name, container.name
                ));
            };
            let sub_path = match mount.sub_path_expr.as_deref().filter(|path| !path.is_empty()) {
                Some(path) => environment::expand(path, env),
                None => mount.sub_path.clone().unwrap_or_default(),
            };
            mounts.push(Mount {
                path: mount.mount_path.clone(),
                volume: volume.id.clone(),
                sub_path,
                read_only: mount.read_only == Some(true) || volume.read_only,
            });
        }
        Ok(mounts)
    }

    /// Takes the volumes down: disks go back to the core, directories of the Pod are lost, those of the node stay.
    pub fn unmount_volumes(&mut self, host: &mut Host) {
        for volume in &mut self.volumes.volumes {
            volume.mounted = false;
            if let Some(disk) = volume.disk.take() {
                host.disks.release(&mut host.runtime, &disk, self.id);
            } else if volume.id.0.starts_with("pod-") {
                host.runtime.volumes_mut().remove(&volume.id);
            }
        }
    }
}

/// All keys, or those that `items` lists under the paths that it gives them.
fn select<'a>(
    kind: &str,
    data: impl Iterator<Item = (&'a str, &'a [u8])>,
    items: &Option<Vec<KeyToPath>>,
    mode: i32,
    optional: bool,
    files: &mut Files,
) -> Result<(), String> {
    let Some(items) = items.as_ref().filter(|items| !items.is_empty()) else {
        files.extend(data.map(|(key, bytes)| (key.to_owned(), bytes.to_vec(), mode as u32)));
        return Ok(());
    };
    let data: Vec<(&str, &[u8])> = data.collect();
    for item in items {
        match data.iter().find(|(key, _)| *key == item.key) {
            Some((_, bytes)) => {
                files.push((item.path.clone(), bytes.to_vec(), item.mode.unwrap_or(mode) as u32));
            }
            None if optional => {}
            None => return Err(format!("references non-existent {kind} key: {}", item.key)),
        }
    }
    Ok(())
}
