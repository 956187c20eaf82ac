//! `kubectl cluster-info`, `kubectl cluster-info dump`

use api::request::{LogOptions, Options, Subresource, Verb};
use api::types::{Node, Pod};
use api::{Kind, Kinded, ObjectRef, Request, Response, kinds};
use serde_json::{Value, json};

use super::namespace;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, duration, list, switch, text};
use crate::output::Format;
use crate::resource;
use crate::task::Call;

pub(super) static DUMP_FLAGS: &[Flag] = &[
    switch("all-namespaces", 'A', "Dump all namespaces"),
    list("namespaces", ' ', "The namespaces to dump"),
    text("output-directory", ' ', "Where to write files; standard output when it is - or empty"),
    text("output", 'o', "Output format: yaml, json, …").or("json"),
    duration("pod-running-timeout", "20s", "How long to wait for a Pod"),
];

/// What is dumped of each namespace: how its file is called, and which kind it is.
const DUMPED: [(&str, &str, &str); 7] = [
    ("events", "v1", "Event"),
    ("replication-controllers", "v1", "ReplicationController"),
    ("services", "v1", "Service"),
    ("daemonsets", "apps/v1", "DaemonSet"),
    ("deployments", "apps/v1", "Deployment"),
    ("replicasets", "apps/v1", "ReplicaSet"),
    ("pods", "v1", "Pod"),
];

pub(super) fn run(call: &mut Call, _: &Args) -> Outcome {
    let server = call.state.context.server.clone();
    call.io.line(format!("Kubernetes control plane is running at {server}"));
    call.io.line("");
    call.io.line("To further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.");
    Ok(0)
}

pub(super) fn dump(call: &mut Call, args: &Args) -> Outcome {
    let format = Format::read(call, args, false)?.unwrap_or(Format::Json);
    let end = if args.text("output") == "yaml" { "yaml" } else { "json" };
    let folder = args.some_text("output-directory").filter(|folder| *folder != "-");
    let mut dump = Dump { call, format, folder: folder.map(|folder| folder.trim_end_matches('/').to_owned()) };
    dump.objects(Node::row(), "", &format!("nodes.{end}"))?;
    for space in dump.spaces(args)? {
        for (name, version, kind) in DUMPED {
            let kind = kinds::by_kind(version, kind).expect("a kind of the table");
            let objects = dump.objects(kind, &space, &format!("{space}/{name}.{end}"))?;
            objects.iter().filter_map(|object| object.downcast_ref::<Pod>()).for_each(|pod| dump.logs(pod));
        }
    }
    if let Some(folder) = folder {
        call.io.line(format!("Cluster info dumped to {folder}"));
    }
    Ok(0)
}

/// A dump in the making: to files, or to standard output.
struct Dump<'a, 'b, 'c> {
    call: &'a mut Call<'b, 'c>,
    format: Format,
    folder: Option<String>,
}

impl Dump<'_, '_, '_> {
    fn spaces(&mut self, args: &Args) -> Result<Vec<String>, Failure> {
        if args.is("all-namespaces") {
            let kind = kinds::by_kind("v1", "Namespace").expect("a kind of the table");
            let (all, _) = resource::list(self.call, kind, "", Options::default())?;
            return Ok(all.iter().map(|space| space.name().to_owned()).collect());
        }
        if !args.all("namespaces").is_empty() {
            return Ok(args.all("namespaces").to_vec());
        }
        Ok(vec!["kube-system".into(), namespace(self.call, args)])
    }

    fn objects(&mut self, kind: &'static Kind, space: &str, file: &str) -> Result<Vec<ObjectRef>, Failure> {
        if matches!(self.format, Format::Name) {
            let list = format!("*{}.{}", kind.version, kind.list_kind);
            return Err(Failure::error(format!("list types are not supported by name printing: {list}")));
        }
        let (objects, revision) = resource::list(self.call, kind, space, Options::default())?;
        let bare = |object: &ObjectRef| {
            let mut value = api::wire::form(&**object);
            if let Some(fields) = value.as_object_mut() {
                fields.remove("kind");
                fields.remove("apiVersion");
            }
            if let Some(meta) = value["metadata"].as_object_mut() {
                meta.remove("managedFields");
            }
            value
        };
        let items: Value = objects.iter().map(bare).collect();
        let value = json!({
            "apiVersion": kind.api_version(), "kind": kind.list_kind, "items": items,
            "metadata": { "resourceVersion": revision.to_string() },
        });
        let text = self.format.typed_text(&value)?;
        self.write(file, text);
        Ok(objects)
    }

    fn logs(&mut self, pod: &Pod) {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let space = pod.metadata.namespace.as_deref().unwrap_or_default();
        let spec = pod.spec.iter();
        let all = spec.flat_map(|spec| spec.init_containers.iter().flatten().chain(&spec.containers));
        let mut text = String::new();
        for container in all {
            let of = format!("logs for container {} of pod {space}/{name}", container.name);
            let mut request = Request::new::<Pod>(Verb::Get, space, name).on(Subresource::Log);
            request.options.log = LogOptions { container: container.name.clone(), ..LogOptions::default() };
            let log = match self.call.client.call(request) {
                Ok(Response::Text(log)) => log,
                Ok(_) => String::new(),
                Err(status) => format!("Request log error: {}\n", status.message),
            };
            text.push_str(&format!("==== START {of} ====\n{log}==== END {of} ====\n"));
        }
        self.write(&format!("{space}/{name}/logs.txt"), text);
    }

    fn write(&mut self, file: &str, text: String) {
        match &self.folder {
            Some(folder) => self.call.state.files.write(&format!("{folder}/{file}"), text),
            None => self.call.io.out(&text),
        }
    }
}
