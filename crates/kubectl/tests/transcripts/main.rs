//! Replays the recordings of a real kubectl and cluster against ours. Skipped where the corpus is not at hand.

mod cluster;
mod normal;
mod terminal;

use std::path::{Path, PathBuf};

use cluster::Cluster;
use kubectl::Session;
use normal::normal;

/// Where the corpus is: beside the repository.
fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/oracle/transcripts")
}

/// Cases that pass: they must not stop to.
const PASSING: &[&str] = &[
    "api-resources",
    "apply-change-and-prune-fields",
    "apply-deployment",
    "apply-dry-run",
    "apply-immutable-change",
    "apply-invalid-manifests",
    "apply-server-side",
    "auth-can-i",
    "autoscale",
    "crd-session",
    "create-net-dry-run",
    "create-real-objects",
    "create-workloads-dry-run",
    "describe-config",
    "describe-job-cronjob",
    "describe-pending-pod",
    "describe-pod",
    "describe-rbac",
    "describe-statefulset-daemonset",
    "diff",
    "drain",
    "edit-noop-and-delete-variants",
    "expose-and-run",
    "get-all-and-namespaces",
    "get-errors",
    "get-output-formats",
    "get-raw-and-discovery",
    "get-yaml-pod",
    "job-from-cronjob",
    "label-annotate",
    "namespace-lifecycle",
    "rollout-change-cause",
    "rollout-daemonset",
    "rollout-pause-resume",
    "rollout-statefulset",
    "run-dry-run",
    "taint-cordon",
    "wait",
];

struct Step {
    command: String,
    stdout: Vec<String>,
    stderr: Vec<String>,
    code: i32,
}

fn parse(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.into(), stdout: Vec::new(), stderr: Vec::new(), code: 0 });
            continue;
        }
        let Some(step) = steps.last_mut() else { continue };
        if let Some(text) = line.strip_prefix("2> ") {
            step.stderr.push(text.into());
        } else if let Some(code) = line.strip_prefix("? ").and_then(|text| text.parse().ok()) {
            step.code = code;
        } else {
            step.stdout.push(line.into());
        }
    }
    for step in &mut steps {
        while step.stdout.last().is_some_and(String::is_empty) {
            step.stdout.pop();
        }
    }
    steps
}

/// All differences of one case.
fn replay(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("transcript.txt")).expect("a transcript");
    let steps = parse(&text);
    let mut cluster = Cluster::new();
    let mut session = Session::new();
    let mut given: String = steps.iter().map(|step| step.command.clone() + "\n").collect();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != "transcript.txt" {
            let file = std::fs::read_to_string(entry.path()).unwrap_or_default();
            given.push_str(&file);
            session.put_file(&name, &file);
        }
    }
    cluster.line(&mut session, "kubectl create ns oracle-ns");
    session.set_namespace("oracle-ns");
    let mut differences = Vec::new();
    for step in steps {
        let (stdout, stderr, code) = cluster.line(&mut session, &step.command);
        let stdout = stdout.replace("https://127.0.0.1:6443", "<server>");
        if code != step.code {
            differences.push(format!(
                "`{}`: exit code: want {}, got {code} ({})",
                step.command,
                step.code,
                stderr.trim()
            ));
        }
        for (what, wanted, got) in
            [("stdout", step.stdout.join("\n"), stdout), ("stderr", step.stderr.join("\n"), stderr)]
        {
            let (wanted, got) = (normal(&wanted, &given), normal(&got, &given));
            if wanted != got {
                let at = (0..wanted.len().max(got.len())).find(|at| wanted.get(*at) != got.get(*at)).unwrap_or(0);
                let shown = |lines: &[String]| lines.get(at).cloned().unwrap_or("<end>".into());
                differences.push(format!(
                    "`{}` {what} line {}: want {:?}, got {:?}",
                    step.command,
                    at + 1,
                    shown(&wanted),
                    shown(&got)
                ));
            }
        }
    }
    differences
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Lines that a real kubectl 1.33 and ours were given against this server: what the real one printed.
#[test]
fn lines_print_what_the_real_kubectl_prints() {
    let folders = folders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compared"));
    assert!(!folders.is_empty());
    let mut differences = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        differences.extend(replay(&folder).into_iter().map(|difference| format!("{name}: {difference}")));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn transcripts_replay_as_recorded() {
    let folders = folders(&corpus());
    if folders.is_empty() {
        return;
    }
    let (mut passed, mut broken) = (0, Vec::new());
    let total = folders.len();
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let differences = replay(&folder);
        if differences.is_empty() {
            passed += 1;
            println!("pass {name}");
            continue;
        }
        println!("FAIL {name}");
        for difference in &differences {
            println!("     {difference}");
        }
        if PASSING.contains(&name.as_str()) {
            broken.push(name);
        }
    }
    println!("{passed} of {total} passed");
    assert!(broken.is_empty(), "no longer as recorded: {broken:?}");
}
