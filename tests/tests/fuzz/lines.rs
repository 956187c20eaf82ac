//! Lines for the terminal: kubectl with flags and values of every sort, and the shell around it.

use apiserver::local::Local;
use kubectl::Session;

use crate::choices::Choices;
use crate::manifests::SAMPLES;
use crate::runner::{Outcome, check};

/// A line that waits longer than this is interrupted, in seconds of virtual time.
const SECONDS_MAX: u64 = 20;
/// What a line may print, in bytes.
const OUTPUT_MAX: usize = 20 << 20;

const VERBS: &[&str] = &[
    "get",
    "describe",
    "create",
    "apply",
    "delete",
    "edit",
    "patch",
    "label",
    "annotate",
    "scale",
    "autoscale",
    "rollout",
    "set",
    "expose",
    "run",
    "logs",
    "exec",
    "attach",
    "port-forward",
    "cp",
    "top",
    "taint",
    "cordon",
    "uncordon",
    "drain",
    "wait",
    "explain",
    "api-resources",
    "api-versions",
    "version",
    "cluster-info",
    "config",
    "auth",
    "diff",
    "replace",
    "events",
    "debug",
    "kustomize",
    "completion",
    "certificate",
    "options",
    "proxy",
    "plugin",
    "help",
    "alpha",
    "",
];
const WORDS: &[&str] = &[
    "pods",
    "pod/sample",
    "sample",
    "deploy",
    "deployment/sample",
    "all",
    "nodes",
    "cm",
    "configmap",
    "secret",
    "generic",
    "status",
    "history",
    "undo",
    "restart",
    "image",
    "resources",
    "env",
    "can-i",
    "list",
    "whoami",
    "view",
    "use-context",
    "c=nginx:1",
    "a=b",
    "a-",
    "key=v:NoSchedule",
    "widgets",
    "widgets/sample",
    "pods,svc",
    "crd",
    "role",
    "ns",
    "token",
    "clusterrole",
    "quota",
    "job",
    "cronjob",
    "service",
    "clusterip",
    "pod.spec.containers",
    "jobs.batch",
    "--",
    "-",
    "sh",
    "80:80",
    "sample:/etc/a",
    "get",
    "create",
    "*",
    "/healthz",
    "sa",
    "ingress",
    "pdb",
    "priorityclass",
];
const FLAGS: &[&str] = &[
    "-o",
    "-o=",
    "--output",
    "-n",
    "--namespace=",
    "-A",
    "-l",
    "--selector=",
    "--field-selector=",
    "--sort-by=",
    "-f",
    "-k",
    "-w",
    "--watch",
    "--show-labels",
    "-L",
    "--no-headers",
    "--all",
    "--force",
    "--grace-period=",
    "--cascade=",
    "--wait=",
    "--timeout=",
    "--dry-run=",
    "--server-side",
    "--overwrite",
    "--replicas=",
    "--current-replicas=",
    "--image=",
    "--port=",
    "--type=",
    "-p",
    "--patch=",
    "--from-literal=",
    "--from-file=",
    "--from-env-file=",
    "--tail=",
    "--since=",
    "-c",
    "--for=",
    "--verb=",
    "--resource=",
    "--as=",
    "--as-group=",
    "--min=",
    "--max=",
    "--cpu-percent=",
    "--limits=",
    "--requests=",
    "--subresource=",
    "--template=",
    "--raw=",
    "--chunk-size=",
    "--field-manager=",
    "--validate=",
    "--prune",
    "-R",
    "-h",
    "--containers",
    "--to-revision=",
    "--schedule=",
    "--rule=",
    "--tcp=",
    "--hard=",
    "--overrides=",
    "--labels=",
    "--env=",
    "-i",
    "-t",
    "--rm",
    "--restart=",
    "--command",
    "-v=",
    "--ignore-not-found",
    "--recursive",
    "--api-group=",
    "--context=",
];
const VALUES: &[&str] = &[
    "yaml",
    "json",
    "name",
    "wide",
    "jsonpath={.items[*].metadata.name}",
    "jsonpath='{range .items[*]}{.metadata.name}{end}'",
    "go-template='{{range .items}}{{.metadata.name}}{{end}}'",
    "custom-columns=N:.metadata.name,S:.status.phase",
    "jsonpath={.items[?(@.metadata.name==\"sample\")]}",
    "go-template={{.a.b.c | len}}",
    "go-template={{printf \"%d\" .x}}",
    "go-template={{index .items 99}}",
    "go-template={{if eq .a .b}}{{else}}{{with $x := .}}{{$x}}{{end}}{{end}}",
    "'{\"spec\":{\"replicas\":2}}'",
    "'[{\"op\":\"remove\",\"path\":\"/spec\"}]'",
    "merge",
    "strategic",
    "client",
    "server",
    "none",
    "default",
    "sample",
    "app=web",
    "metadata.name=sample",
    ".metadata.name",
    "file.yaml",
    "broken.yaml",
    ".",
    "1",
    "condition=Ready",
    "delete",
    "jsonpath={.status.phase}=Running",
    "5s",
    "0",
    "cpu=1,memory=1Gi",
    "orphan",
    "foreground",
];
/// The shell around it.
const GLUE: &[&str] =
    &[" | ", " > ", " >> ", " && ", " || ", "; ", " <<E\na\nE\n", " $(", ")", " 2>&1", " \"", " '", " $X", " `", "\n"];

#[test]
fn lines_of_every_sort_end_and_break_nothing() {
    let broken = "apiVersion: v1\nkind: [\n";
    let samples: String = SAMPLES.iter().map(|sample| format!("---\n{}", api::yaml::emit(sample))).collect();
    check(1500, |choices| {
        let mut local = Local::new(1);
        let mut session = Session::new();
        session.put_file("file.yaml", &samples);
        session.put_file("broken.yaml", broken);
        if choices.percent(70) {
            run(&mut session, &mut local, "kubectl apply -f file.yaml")?;
        }
        let text = some(choices);
        if choices.percent(20) {
            let cursor = (0..=text.len()).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            session.complete(&text, cursor, &mut local.client());
        }
        run(&mut session, &mut local, &text).map_err(|why| format!("{text:?}: {why}"))
    });
}

fn some(choices: &mut Choices) -> String {
    let mut text = command(choices);
    while choices.percent(15) {
        text += choices.pick(GLUE);
        text += &command(choices);
    }
    if choices.percent(5) { choices.damage(&text) } else { text }
}

fn command(choices: &mut Choices) -> String {
    let mut text = format!("kubectl {}", choices.text_like(VERBS));
    for _ in 0..choices.below(6) {
        text.push(' ');
        if choices.percent(55) {
            text += choices.pick(FLAGS);
            if choices.percent(80) {
                text += if text.ends_with('=') { "" } else { " " };
                text += &choices.text_like(VALUES);
            }
        } else {
            text += &choices.text_like(WORDS);
        }
    }
    text
}

/// Types a line and lets virtual time pass until it ends.
fn run(session: &mut Session, local: &mut Local, line: &str) -> Outcome {
    let mut running = session.start(line);
    let end = local.now + SECONDS_MAX * api::time::SECOND;
    let mut printed = 0;
    for _ in 0..10_000 {
        let progress = running.poll(&mut local.client());
        printed += progress.output.iter().map(|piece| piece.text.len()).sum::<usize>();
        if printed > OUTPUT_MAX {
            return Err("prints without an end".into());
        }
        if progress.exit.is_some() {
            return Ok(());
        }
        if progress.edit.is_some() {
            running.edited(None);
        }
        if progress.reads_input {
            running.input("y\n");
        }
        if local.now >= end {
            running.interrupt();
        }
        local.now = progress.wake.unwrap_or(local.now).clamp(local.now + 1, local.now + api::time::SECOND);
    }
    Err("does not end, though it was interrupted".into())
}
