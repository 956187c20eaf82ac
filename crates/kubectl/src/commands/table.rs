//! The rows of the table of commands, in the order of `kubectl --help`.

use super::{Command, Group, Operands, Run};
use super::{
    annotate, api_resources, apply, attach, auth, autoscale, certificate, config, copy, create, debug, delete,
    describe, diff, drain, edit, events, exec, explain, expose, get, kustomize, label, logs, meta_update, node, patch,
    replace, rollout, run, scale, set, taint, top, unsupported, version, wait,
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

const RESOURCES: &str = "(TYPE NAME | TYPE/NAME) [options]";
const ANY: Group = Group::Other;

static CREATE: &[Command] = &[
    Command {
        usage: "NAME --role=NAME|--clusterrole=NAME [options]",
        flags: &[create::rbac::BINDING_FLAGS, create::MADE],
        ..row("clusterrolebinding", ANY, "Create a cluster role binding", Run::Now(create::rbac::cluster_role_binding))
    },
    Command {
        usage: "NAME --verb=verb --resource=resource [options]",
        flags: &[create::rbac::ROLE_FLAGS, create::MADE],
        ..row("clusterrole", ANY, "Create a cluster role", Run::Now(create::rbac::cluster_role))
    },
    Command {
        aliases: &["cm"],
        usage: "NAME [--from-file=[key=]source] [--from-literal=key1=value1] [options]",
        flags: &[create::config::DATA_FLAGS, create::MADE],
        ..row("configmap", ANY, "Create a config map from files or values", Run::Now(create::config::config_map))
    },
    Command {
        aliases: &["cj"],
        usage: "NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [options]",
        flags: &[create::workload::CRON_JOB_FLAGS, create::MADE],
        ..row("cronjob", ANY, "Create a cron job", Run::Now(create::workload::cron_job))
    },
    Command {
        aliases: &["deploy"],
        usage: "NAME --image=image -- [COMMAND] [args...] [options]",
        flags: &[create::workload::DEPLOYMENT_FLAGS, create::MADE],
        ..row("deployment", ANY, "Create a deployment", Run::Now(create::workload::deployment))
    },
    Command {
        aliases: &["ing"],
        usage: "NAME --rule=host/path=service:port[,tls[=secret]] [options]",
        flags: &[create::network::INGRESS_FLAGS, create::MADE],
        ..row("ingress", ANY, "Create an ingress", Run::Now(create::network::ingress))
    },
    Command {
        usage: "NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...] [options]",
        flags: &[create::workload::JOB_FLAGS, create::MADE],
        ..row("job", ANY, "Create a job", Run::Now(create::workload::job))
    },
    Command {
        aliases: &["ns"],
        usage: "NAME [options]",
        flags: &[create::MADE],
        ..row("namespace", ANY, "Create a namespace", Run::Now(create::config::namespace))
    },
    Command {
        aliases: &["pdb"],
        usage: "NAME --selector=SELECTOR --min-available=N [options]",
        flags: &[create::config::BUDGET_FLAGS, create::MADE],
        ..row("poddisruptionbudget", ANY, "Create a disruption budget", Run::Now(create::config::disruption_budget))
    },
    Command {
        aliases: &["pc"],
        usage: "NAME --value=VALUE [options]",
        flags: &[create::config::PRIORITY_FLAGS, create::MADE],
        ..row("priorityclass", ANY, "Create a priority class", Run::Now(create::config::priority_class))
    },
    Command {
        aliases: &["resourcequota"],
        usage: "NAME [--hard=key1=value1,key2=value2] [options]",
        flags: &[create::config::QUOTA_FLAGS, create::MADE],
        ..row("quota", ANY, "Create a resource quota", Run::Now(create::config::quota))
    },
    Command {
        usage: "NAME --verb=verb --resource=resource [options]",
        flags: &[create::rbac::ROLE_FLAGS, create::MADE],
        ..row("role", ANY, "Create a role", Run::Now(create::rbac::role))
    },
    Command {
        usage: "NAME --role=NAME|--clusterrole=NAME [options]",
        flags: &[create::rbac::BINDING_FLAGS, create::MADE],
        ..row("rolebinding", ANY, "Create a role binding", Run::Now(create::rbac::role_binding))
    },
    Command { subcommands: SECRET, ..row("secret", ANY, "Create a secret", Run::Group) },
    Command { aliases: &["svc"], subcommands: SERVICE, ..row("service", ANY, "Create a service", Run::Group) },
    Command {
        aliases: &["sa"],
        usage: "NAME [options]",
        flags: &[create::MADE],
        ..row("serviceaccount", ANY, "Create a service account", Run::Now(create::config::service_account))
    },
    Command {
        usage: "SERVICE_ACCOUNT_NAME [options]",
        flags: &[create::config::TOKEN_FLAGS, create::MADE],
        operands: Operands::Names("serviceaccounts"),
        ..row("token", ANY, "Ask for a service account's token", Run::Now(create::config::token))
    },
];

static SECRET: &[Command] = &[
    Command {
        usage: "NAME --docker-username=user --docker-password=password [options]",
        flags: &[create::config::REGISTRY_FLAGS, create::MADE],
        ..row("docker-registry", ANY, "Create a registry secret", Run::Now(create::config::secret_registry))
    },
    Command {
        usage: "NAME [--from-file=[key=]source] [--from-literal=key1=value1] [options]",
        flags: &[create::config::SECRET_FLAGS, create::config::DATA_FLAGS, create::MADE],
        ..row("generic", ANY, "Create a secret from files or values", Run::Now(create::config::secret_generic))
    },
    Command {
        usage: "NAME --cert=path --key=path [options]",
        flags: &[create::config::TLS_FLAGS, create::MADE],
        ..row("tls", ANY, "Create a TLS secret", Run::Now(create::config::secret_tls))
    },
];

static SERVICE: &[Command] = &[
    Command {
        usage: "NAME [--tcp=port:targetPort] [options]",
        flags: &[create::network::SERVICE_FLAGS, create::MADE],
        ..row("clusterip", ANY, "Create a ClusterIP service", Run::Now(create::network::cluster_ip))
    },
    Command {
        usage: "NAME --external-name=name [options]",
        flags: &[create::network::EXTERNAL_FLAGS, create::MADE],
        ..row("externalname", ANY, "Create an ExternalName service", Run::Now(create::network::external_name))
    },
    Command {
        usage: "NAME [--tcp=port:targetPort] [options]",
        flags: &[create::network::SERVICE_FLAGS, create::MADE],
        ..row("loadbalancer", ANY, "Create a LoadBalancer service", Run::Now(create::network::load_balancer))
    },
    Command {
        usage: "NAME [--tcp=port:targetPort] [options]",
        flags: &[create::network::NODE_PORT_FLAGS, create::MADE],
        ..row("nodeport", ANY, "Create a NodePort service", Run::Now(create::network::node_port))
    },
];

static SET: &[Command] = &[
    Command {
        usage: "RESOURCE/NAME KEY_1=VAL_1 ... [options]",
        flags: &[set::FLAGS, FILES, PRINT, set::ENV_FLAGS],
        operands: Operands::Resources,
        ..row("env", ANY, "Change environment variables", Run::Now(set::env))
    },
    Command {
        usage: "(TYPE NAME | TYPE/NAME) CONTAINER=IMAGE ... [options]",
        flags: &[set::FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("image", ANY, "Change images", Run::Now(set::image))
    },
    Command {
        usage: "(TYPE NAME | TYPE/NAME) --limits=… --requests=… [options]",
        flags: &[set::FLAGS, FILES, PRINT, set::RESOURCES_FLAGS],
        operands: Operands::Resources,
        ..row("resources", ANY, "Change requests and limits", Run::Now(set::resources))
    },
    Command {
        usage: "(-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version] [options]",
        flags: &[set::account::SELECTOR_FLAGS, set::FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("selector", ANY, "Set the selector on a service", Run::Now(set::account::selector))
    },
    Command {
        aliases: &["sa"],
        usage: "(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT [options]",
        flags: &[set::FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row(
            "serviceaccount",
            ANY,
            "Update the service account of a resource",
            Run::Now(set::account::service_account),
        )
    },
    Command {
        usage: "(-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] [--serviceaccount=namespace:name] [options]",
        flags: &[set::account::SUBJECT_FLAGS, set::FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("subject", ANY, "Update the subjects of a binding", Run::Now(set::account::subject))
    },
];

static ROLLOUT: &[Command] = &[
    Command {
        usage: RESOURCES,
        flags: &[rollout::HISTORY_FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("history", ANY, "View rollout history", Run::Now(rollout::history::run))
    },
    Command {
        usage: RESOURCES,
        flags: &[rollout::UPDATE_FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("pause", ANY, "Mark the provided resource as paused", Run::Now(rollout::update::pause))
    },
    Command {
        usage: RESOURCES,
        flags: &[rollout::UPDATE_FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("restart", ANY, "Restart a resource", Run::Now(rollout::update::restart))
    },
    Command {
        usage: RESOURCES,
        flags: &[rollout::UPDATE_FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("resume", ANY, "Resume a paused resource", Run::Now(rollout::update::resume))
    },
    Command {
        usage: RESOURCES,
        flags: &[rollout::STATUS_FLAGS, FILES],
        operands: Operands::Resources,
        ..row("status", ANY, "Show the status of the rollout", later!(rollout::status::run))
    },
    Command {
        usage: RESOURCES,
        flags: &[rollout::UPDATE_FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("undo", ANY, "Undo a previous rollout", Run::Now(rollout::update::undo))
    },
];

static CONFIG: &[Command] = &[
    row("current-context", ANY, "Show the current context", Run::Now(config::current_context)),
    Command {
        usage: "NAME [options]",
        ..row("delete-cluster", ANY, "Remove a cluster", Run::Now(config::delete_cluster))
    },
    Command {
        usage: "NAME [options]",
        ..row("delete-context", ANY, "Remove a context", Run::Now(config::delete_context))
    },
    Command { usage: "NAME [options]", ..row("delete-user", ANY, "Remove a user", Run::Now(config::delete_user)) },
    row("get-clusters", ANY, "List clusters", Run::Now(config::get_clusters)),
    Command {
        flags: &[config::CONTEXTS_FLAGS],
        ..row("get-contexts", ANY, "List contexts", Run::Now(config::get_contexts))
    },
    row("get-users", ANY, "List users", Run::Now(config::get_users)),
    Command {
        usage: "CONTEXT_NAME NEW_NAME [options]",
        ..row("rename-context", ANY, "Rename a context", Run::Now(config::rename_context))
    },
    Command {
        usage: "PROPERTY_NAME PROPERTY_VALUE [options]",
        ..row("set", ANY, "Set a value", Run::Now(config::set))
    },
    Command {
        usage: "NAME [--server=server] [options]",
        ..row("set-cluster", ANY, "Change a cluster", Run::Now(config::set_cluster))
    },
    Command {
        usage: "[NAME | --current] [--namespace=namespace] [options]",
        flags: &[config::SET_FLAGS],
        ..row("set-context", ANY, "Change a context", Run::Now(config::set_context))
    },
    Command {
        usage: "NAME [--token=token] [options]",
        ..row("set-credentials", ANY, "Change a user", Run::Now(config::set_credentials))
    },
    Command { usage: "PROPERTY_NAME [options]", ..row("unset", ANY, "Remove a value", Run::Now(config::unset)) },
    Command {
        aliases: &["use"],
        usage: "CONTEXT_NAME [options]",
        ..row("use-context", ANY, "Use a context", Run::Now(config::use_context))
    },
    Command { flags: &[config::VIEW_FLAGS, PRINT], ..row("view", ANY, "Show the kubeconfig", Run::Now(config::view)) },
];

static APPLY: &[Command] = &[
    Command {
        usage: "-f FILENAME [options]",
        flags: &[apply::SET_LAST_FLAGS, FILES, PRINT],
        ..row("set-last-applied", ANY, "Set what was applied last", Run::Now(apply::set_last_applied))
    },
    Command {
        usage: RESOURCES,
        flags: &[apply::VIEW_FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("view-last-applied", ANY, "View what was applied last", Run::Now(apply::view_last_applied))
    },
];

static AUTH: &[Command] = &[
    Command {
        usage: "VERB [TYPE | TYPE/NAME | NONRESOURCEURL] [options]",
        flags: &[auth::CAN_I_FLAGS],
        ..row("can-i", ANY, "Check whether an action is allowed", Run::Now(auth::can_i))
    },
    Command { flags: &[auth::WHOAMI_FLAGS, PRINT], ..row("whoami", ANY, "Show who you are", Run::Now(auth::whoami)) },
];

static CERTIFICATE: &[Command] = &[
    Command {
        usage: "(-f FILENAME | NAME) [options]",
        flags: &[certificate::FLAGS, FILES, PRINT],
        operands: Operands::Names("certificatesigningrequests"),
        ..row("approve", ANY, "Approve a certificate signing request", Run::Now(certificate::approve))
    },
    Command {
        usage: "(-f FILENAME | NAME) [options]",
        flags: &[certificate::FLAGS, FILES, PRINT],
        operands: Operands::Names("certificatesigningrequests"),
        ..row("deny", ANY, "Deny a certificate signing request", Run::Now(certificate::deny))
    },
];

static TOP: &[Command] = &[
    Command {
        aliases: &["nodes", "no"],
        flags: &[top::FLAGS],
        operands: Operands::Names("nodes"),
        ..row("node", ANY, "Show nodes' use of resources", Run::Now(top::run))
    },
    Command {
        aliases: &["pods", "po"],
        flags: &[top::FLAGS],
        operands: Operands::Names("pods"),
        ..row("pod", ANY, "Show Pods' use of resources", Run::Now(top::run))
    },
];

pub(crate) static COMMANDS: &[Command] = &[
    Command {
        usage: "-f FILENAME [options]",
        flags: &[create::FLAGS, FILES, create::MADE],
        subcommands: CREATE,
        ..row("create", Group::Beginner, "Create a resource from a file or from stdin", Run::Now(create::run))
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
    row("cluster-info", Group::Cluster, "Display cluster information", Run::Now(api_resources::cluster_info)),
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
        flags: &[unsupported::FLAGS],
        operands: Operands::Pods,
        ..row(
            "port-forward",
            Group::Troubleshooting,
            "Forward one or more local ports to a pod",
            Run::Now(unsupported::port_forward),
        )
    },
    Command {
        flags: &[unsupported::FLAGS],
        ..row("proxy", Group::Troubleshooting, "Run a proxy to the Kubernetes API server", Run::Now(unsupported::proxy))
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
        ..row("diff", Group::Advanced, "Diff the live version against a would-be applied version", Run::Now(diff::run))
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
    row("completion", Group::Settings, "Output shell completion code", Run::Now(unsupported::completion)),
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
    row("options", Group::Other, "List the flags that every command has", Run::Now(version::options)),
    Command {
        flags: &[version::FLAGS],
        ..row("version", Group::Other, "Print the client and server version information", Run::Now(version::run))
    },
];
