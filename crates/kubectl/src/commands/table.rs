//! The rows of the table of commands, in the order of `kubectl --help`.

use super::{Command, Group, Operands, Run};
use super::{
    annotate, api_resources, apply, attach, autoscale, cluster_info, completion, copy, create, debug, delete, describe,
    diff, drain, edit, events, exec, explain, expose, get, kustomize, label, logs, meta_update, node, patch, plugin,
    replace, run, scale, serve, taint, version, wait,
};
use crate::flags::{FILES, PRINT};

/// A row without aliases, flags and subcommands.
const fn row(name: &'static str, group: Group, summary: &'static str, run: Run) -> Command {
    Command {
        name,
        aliases: &[],
        group,
        summary,
        usage: "",
        flags: &[],
        operands: Operands::None,
        run,
        subcommands: &[],
    }
}

/// A command that may have to wait.
macro_rules! later {
    ($function:path) => {
        Run::Later(|cx, args| Box::pin($function(cx, args)))
    };
}

mod groups;

use groups::{APPLY, AUTH, CERTIFICATE, CLUSTER_INFO, CONFIG, CREATE, PLUGIN, ROLLOUT, SET, TOP};

const RESOURCES: &str = "(TYPE NAME | TYPE/NAME) [options]";
const ANY: Group = Group::Other;

pub(crate) static COMMANDS: &[Command] = &[
    Command {
        usage: "-f FILENAME [options]",
        flags: &[create::FLAGS, FILES, create::MADE, create::NEW],
        subcommands: CREATE,
        ..row("create", Group::Beginner, "Create a resource from a file or from stdin", later!(create::run))
    },
    Command {
        usage: "(TYPE NAME | TYPE/NAME) [--port=port] [--target-port=number-or-name] [options]",
        flags: &[expose::FLAGS, FILES, create::MADE],
        operands: Operands::Resources,
        ..row("expose", Group::Beginner, "Expose a resource as a new Kubernetes service", Run::Now(expose::run))
    },
    Command {
        usage: "NAME --image=image [options] [-- COMMAND] [args...]",
        flags: &[run::FLAGS, FILES, create::MADE],
        ..row("run", Group::Beginner, "Run a particular image on the cluster", later!(run::run))
    },
    Command { subcommands: SET, ..row("set", Group::Beginner, "Set specific features on objects", Run::Group) },
    Command {
        usage: "TYPE [--recursive=FALSE|TRUE] [options]",
        flags: &[explain::FLAGS],
        operands: Operands::Types,
        ..row("explain", Group::Intermediate, "Get documentation for a resource", Run::Now(explain::run))
    },
    Command {
        usage: "(TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags] [options]",
        flags: &[get::FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("get", Group::Intermediate, "Display one or many resources", later!(get::run))
    },
    Command {
        usage: RESOURCES,
        flags: &[edit::FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("edit", Group::Intermediate, "Edit a resource on the server", later!(edit::run))
    },
    Command {
        usage: "([-f FILENAME] | TYPE [(NAME | -l label | --all)]) [options]",
        flags: &[delete::FLAGS, FILES],
        operands: Operands::Resources,
        ..row(
            "delete",
            Group::Intermediate,
            "Delete resources by file names, stdin, resources and names, or by resources and label selector",
            later!(delete::run),
        )
    },
    Command {
        usage: "SUBCOMMAND [options]",
        subcommands: ROLLOUT,
        ..row("rollout", Group::Deploy, "Manage the rollout of one or many resources", Run::Group)
    },
    Command {
        usage: "--replicas=COUNT (-f FILENAME | TYPE NAME) [options]",
        flags: &[scale::FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row(
            "scale",
            Group::Deploy,
            "Set a new size for a deployment, replica set, or replication controller",
            Run::Now(scale::run),
        )
    },
    Command {
        usage: "(-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [options]",
        flags: &[autoscale::FLAGS, FILES, create::MADE],
        operands: Operands::Resources,
        ..row(
            "autoscale",
            Group::Deploy,
            "Auto-scale a deployment, replica set, stateful set, or replication controller",
            Run::Now(autoscale::run),
        )
    },
    Command {
        subcommands: CERTIFICATE,
        usage: "SUBCOMMAND [options]",
        ..row("certificate", Group::Cluster, "Modify certificate resources", Run::Group)
    },
    Command {
        subcommands: CLUSTER_INFO,
        ..row("cluster-info", Group::Cluster, "Display cluster information", Run::Now(cluster_info::run))
    },
    Command { subcommands: TOP, ..row("top", Group::Cluster, "Display resource (CPU/memory) usage", Run::Group) },
    Command {
        usage: "NODE [options]",
        flags: &[node::FLAGS],
        operands: Operands::Names("nodes"),
        ..row("cordon", Group::Cluster, "Mark node as unschedulable", Run::Now(node::cordon))
    },
    Command {
        usage: "NODE [options]",
        flags: &[node::FLAGS],
        operands: Operands::Names("nodes"),
        ..row("uncordon", Group::Cluster, "Mark node as schedulable", Run::Now(node::uncordon))
    },
    Command {
        usage: "NODE [options]",
        flags: &[drain::FLAGS],
        operands: Operands::Names("nodes"),
        ..row("drain", Group::Cluster, "Drain node in preparation for maintenance", later!(drain::run))
    },
    Command {
        usage: "NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... [options]",
        flags: &[taint::FLAGS, PRINT],
        operands: Operands::Resources,
        ..row("taint", Group::Cluster, "Update the taints on one or more nodes", Run::Now(taint::run))
    },
    Command {
        usage: "(-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME) [options]",
        flags: &[describe::FLAGS, FILES],
        operands: Operands::Resources,
        ..row(
            "describe",
            Group::Troubleshooting,
            "Show details of a specific resource or group of resources",
            Run::Now(describe::run),
        )
    },
    Command {
        usage: "[-f] [-p] (POD | TYPE/NAME) [-c CONTAINER] [options]",
        flags: &[logs::FLAGS],
        operands: Operands::Pods,
        ..row("logs", Group::Troubleshooting, "Print the logs for a container in a pod", later!(logs::run))
    },
    Command {
        usage: "(POD | TYPE/NAME) -c CONTAINER [options]",
        flags: &[attach::FLAGS],
        operands: Operands::Pods,
        ..row("attach", Group::Troubleshooting, "Attach to a running container", later!(attach::run))
    },
    Command {
        usage: "(POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...] [options]",
        flags: &[exec::FLAGS],
        operands: Operands::Pods,
        ..row("exec", Group::Troubleshooting, "Execute a command in a container", later!(exec::run))
    },
    Command {
        usage: "TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
        flags: &[serve::FORWARD_FLAGS],
        operands: Operands::Pods,
        ..row(
            "port-forward",
            Group::Troubleshooting,
            "Forward one or more local ports to a pod",
            later!(serve::port_forward),
        )
    },
    Command {
        flags: &[serve::PROXY_FLAGS],
        ..row("proxy", Group::Troubleshooting, "Run a proxy to the Kubernetes API server", later!(serve::proxy))
    },
    Command {
        usage: "<file-spec-src> <file-spec-dest> [options]",
        flags: &[copy::FLAGS],
        ..row("cp", Group::Troubleshooting, "Copy files and directories to and from containers", later!(copy::run))
    },
    Command { subcommands: AUTH, ..row("auth", Group::Troubleshooting, "Inspect authorization", Run::Group) },
    Command {
        flags: &[debug::FLAGS],
        operands: Operands::Pods,
        ..row("debug", Group::Troubleshooting, "Debug Pods and nodes", later!(debug::run))
    },
    Command {
        usage: "[(-o|--output=)json|yaml|…] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]",
        flags: &[events::FLAGS, PRINT],
        ..row("events", Group::Troubleshooting, "List events", later!(events::run))
    },
    Command {
        usage: "-f FILENAME [options]",
        flags: &[diff::FLAGS, FILES],
        ..row("diff", Group::Advanced, "Diff the live version against a would-be applied version", later!(diff::run))
    },
    Command {
        usage: "(-f FILENAME | -k DIRECTORY) [options]",
        flags: &[apply::FLAGS, FILES, PRINT],
        subcommands: APPLY,
        ..row(
            "apply",
            Group::Advanced,
            "Apply a configuration to a resource by file name or stdin",
            Run::Now(apply::run),
        )
    },
    Command {
        usage: "(-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE] [options]",
        flags: &[patch::FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("patch", Group::Advanced, "Update fields of a resource", Run::Now(patch::run))
    },
    Command {
        usage: "-f FILENAME [options]",
        flags: &[replace::FLAGS, FILES, PRINT],
        ..row("replace", Group::Advanced, "Replace a resource by file name or stdin", Run::Now(replace::run))
    },
    Command {
        usage: "([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=delete|--for condition=available] [options]",
        flags: &[wait::FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("wait", Group::Advanced, "Wait for a specific condition on one or many resources", later!(wait::run))
    },
    Command {
        usage: "DIR [options]",
        flags: &[kustomize::FLAGS],
        ..row(
            "kustomize",
            Group::Advanced,
            "Build a kustomization target from a directory or URL",
            Run::Now(kustomize::run),
        )
    },
    Command {
        usage: "(-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [options]",
        flags: &[meta_update::FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("label", Group::Settings, "Update the labels on a resource", Run::Now(label::run))
    },
    Command {
        usage: "(-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [options]",
        flags: &[meta_update::FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("annotate", Group::Settings, "Update the annotations on a resource", Run::Now(annotate::run))
    },
    row("completion", Group::Settings, "Output shell completion code", Run::Now(completion::completion)),
    Command {
        flags: &[api_resources::FLAGS],
        ..row(
            "api-resources",
            Group::Other,
            "Print the supported API resources on the server",
            Run::Now(api_resources::run),
        )
    },
    row(
        "api-versions",
        Group::Other,
        "Print the supported API versions on the server, in the form of \"group/version\"",
        Run::Now(api_resources::versions),
    ),
    Command {
        subcommands: CONFIG,
        usage: "SUBCOMMAND [options]",
        ..row("config", Group::Other, "Modify kubeconfig files", Run::Group)
    },
    row("alpha", Group::Other, "Commands that may change", Run::Now(plugin::alpha)),
    Command {
        subcommands: PLUGIN,
        usage: "[flags] [options]",
        ..row("plugin", Group::Other, "Look for plugins", Run::Group)
    },
    row("options", Group::Other, "List the flags that every command has", Run::Now(version::options)),
    Command {
        flags: &[version::FLAGS],
        ..row("version", Group::Other, "Print the client and server version information", Run::Now(version::run))
    },
];
