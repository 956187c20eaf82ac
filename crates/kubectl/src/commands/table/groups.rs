//! The commands that belong to another: `create deployment`, `rollout status`.

use super::super::{Command, Operands, Run};
use super::super::{
    apply, auth, certificate, cluster_info, config, create, edit, plugin, reconcile, rollout, set, top,
};
use super::{ANY, RESOURCES, row};
use crate::flags::{FILES, PRINT};

pub(super) static CREATE: &[Command] = &[
    Command {
        usage: "NAME --role=NAME|--clusterrole=NAME [options]",
        flags: &[create::rbac::BINDING_FLAGS, create::MADE, create::NEW],
        ..row("clusterrolebinding", ANY, "Create a cluster role binding", Run::Now(create::rbac::cluster_role_binding))
    },
    Command {
        usage: "NAME --verb=verb --resource=resource [options]",
        flags: &[create::rbac::CLUSTER_ROLE_FLAGS, create::rbac::ROLE_FLAGS, create::MADE, create::NEW],
        ..row("clusterrole", ANY, "Create a cluster role", Run::Now(create::rbac::cluster_role))
    },
    Command {
        aliases: &["cm"],
        usage: "NAME [--from-file=[key=]source] [--from-literal=key1=value1] [options]",
        flags: &[create::config::DATA_FLAGS, create::MADE, create::NEW],
        ..row("configmap", ANY, "Create a config map from files or values", Run::Now(create::config::config_map))
    },
    Command {
        aliases: &["cj"],
        usage: "NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [options]",
        flags: &[create::workload::CRON_JOB_FLAGS, create::MADE, create::NEW],
        ..row("cronjob", ANY, "Create a cron job", Run::Now(create::workload::cron_job))
    },
    Command {
        aliases: &["deploy"],
        usage: "NAME --image=image -- [COMMAND] [args...] [options]",
        flags: &[create::workload::DEPLOYMENT_FLAGS, create::MADE, create::NEW],
        ..row("deployment", ANY, "Create a deployment", Run::Now(create::workload::deployment))
    },
    Command {
        aliases: &["ing"],
        usage: "NAME --rule=host/path=service:port[,tls[=secret]] [options]",
        flags: &[create::network::INGRESS_FLAGS, create::MADE, create::NEW],
        ..row("ingress", ANY, "Create an ingress", Run::Now(create::network::ingress))
    },
    Command {
        usage: "NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...] [options]",
        flags: &[create::workload::JOB_FLAGS, create::MADE, create::NEW],
        ..row("job", ANY, "Create a job", Run::Now(create::workload::job))
    },
    Command {
        aliases: &["ns"],
        usage: "NAME [options]",
        flags: &[create::MADE, create::NEW],
        ..row("namespace", ANY, "Create a namespace", Run::Now(create::config::namespace))
    },
    Command {
        aliases: &["pdb"],
        usage: "NAME --selector=SELECTOR --min-available=N [options]",
        flags: &[create::config::BUDGET_FLAGS, create::MADE, create::NEW],
        ..row("poddisruptionbudget", ANY, "Create a disruption budget", Run::Now(create::config::disruption_budget))
    },
    Command {
        aliases: &["pc"],
        usage: "NAME --value=VALUE [options]",
        flags: &[create::config::PRIORITY_FLAGS, create::MADE, create::NEW],
        ..row("priorityclass", ANY, "Create a priority class", Run::Now(create::config::priority_class))
    },
    Command {
        aliases: &["resourcequota"],
        usage: "NAME [--hard=key1=value1,key2=value2] [options]",
        flags: &[create::config::QUOTA_FLAGS, create::MADE, create::NEW],
        ..row("quota", ANY, "Create a resource quota", Run::Now(create::config::quota))
    },
    Command {
        usage: "NAME --verb=verb --resource=resource [options]",
        flags: &[create::rbac::ROLE_FLAGS, create::MADE, create::NEW],
        ..row("role", ANY, "Create a role", Run::Now(create::rbac::role))
    },
    Command {
        usage: "NAME --role=NAME|--clusterrole=NAME [options]",
        flags: &[create::rbac::ROLE_REF_FLAGS, create::rbac::BINDING_FLAGS, create::MADE, create::NEW],
        ..row("rolebinding", ANY, "Create a role binding", Run::Now(create::rbac::role_binding))
    },
    Command { subcommands: SECRET, ..row("secret", ANY, "Create a secret", Run::Group) },
    Command { aliases: &["svc"], subcommands: SERVICE, ..row("service", ANY, "Create a service", Run::Group) },
    Command {
        aliases: &["sa"],
        usage: "NAME [options]",
        flags: &[create::MADE, create::NEW],
        ..row("serviceaccount", ANY, "Create a service account", Run::Now(create::config::service_account))
    },
    Command {
        usage: "SERVICE_ACCOUNT_NAME [options]",
        flags: &[create::config::TOKEN_FLAGS, PRINT],
        operands: Operands::Names("serviceaccounts"),
        ..row("token", ANY, "Ask for a service account's token", Run::Now(create::config::token))
    },
];

static SECRET: &[Command] = &[
    Command {
        usage: "NAME --docker-username=user --docker-password=password [options]",
        flags: &[create::config::REGISTRY_FLAGS, create::MADE, create::NEW],
        ..row("docker-registry", ANY, "Create a registry secret", Run::Now(create::config::secret_registry))
    },
    Command {
        usage: "NAME [--from-file=[key=]source] [--from-literal=key1=value1] [options]",
        flags: &[create::config::SECRET_FLAGS, create::config::DATA_FLAGS, create::MADE, create::NEW],
        ..row("generic", ANY, "Create a secret from files or values", Run::Now(create::config::secret_generic))
    },
    Command {
        usage: "NAME --cert=path --key=path [options]",
        flags: &[create::config::TLS_FLAGS, create::MADE, create::NEW],
        ..row("tls", ANY, "Create a TLS secret", Run::Now(create::config::secret_tls))
    },
];

static SERVICE: &[Command] = &[
    Command {
        usage: "NAME [--tcp=port:targetPort] [options]",
        flags: &[create::network::CLUSTER_IP_FLAGS, create::network::SERVICE_FLAGS, create::MADE, create::NEW],
        ..row("clusterip", ANY, "Create a ClusterIP service", Run::Now(create::network::cluster_ip))
    },
    Command {
        usage: "NAME --external-name=name [options]",
        flags: &[create::network::EXTERNAL_FLAGS, create::MADE, create::NEW],
        ..row("externalname", ANY, "Create an ExternalName service", Run::Now(create::network::external_name))
    },
    Command {
        usage: "NAME [--tcp=port:targetPort] [options]",
        flags: &[create::network::SERVICE_FLAGS, create::MADE, create::NEW],
        ..row("loadbalancer", ANY, "Create a LoadBalancer service", Run::Now(create::network::load_balancer))
    },
    Command {
        usage: "NAME [--tcp=port:targetPort] [options]",
        flags: &[create::network::NODE_PORT_FLAGS, create::MADE, create::NEW],
        ..row("nodeport", ANY, "Create a NodePort service", Run::Now(create::network::node_port))
    },
];

pub(super) static SET: &[Command] = &[
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

pub(super) static ROLLOUT: &[Command] = &[
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
        flags: &[rollout::UNDO_FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("undo", ANY, "Undo a previous rollout", Run::Now(rollout::update::undo))
    },
];

pub(super) static CONFIG: &[Command] = &[
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
        flags: &[config::property::FLAGS],
        ..row("set", ANY, "Set a value", Run::Now(config::property::set))
    },
    Command {
        flags: &[config::CLUSTER_FLAGS],
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
        flags: &[config::CREDENTIALS_FLAGS],
        ..row("set-credentials", ANY, "Change a user", Run::Now(config::set_credentials))
    },
    Command {
        usage: "PROPERTY_NAME [options]",
        ..row("unset", ANY, "Remove a value", Run::Now(config::property::unset))
    },
    Command {
        aliases: &["use"],
        usage: "CONTEXT_NAME [options]",
        ..row("use-context", ANY, "Use a context", Run::Now(config::use_context))
    },
    Command { flags: &[config::VIEW_FLAGS, PRINT], ..row("view", ANY, "Show the kubeconfig", Run::Now(config::view)) },
];

pub(super) static APPLY: &[Command] = &[
    Command {
        usage: RESOURCES,
        flags: &[edit::LAST_APPLIED_FLAGS, FILES, PRINT],
        operands: Operands::Resources,
        ..row("edit-last-applied", ANY, "Edit what was applied last", later!(edit::last_applied))
    },
    Command {
        usage: "-f FILENAME [options]",
        flags: &[apply::SET_LAST_FLAGS, FILES, PRINT],
        ..row("set-last-applied", ANY, "Set what was applied last", Run::Now(apply::set_last_applied))
    },
    Command {
        usage: RESOURCES,
        flags: &[apply::VIEW_FLAGS, FILES],
        operands: Operands::Resources,
        ..row("view-last-applied", ANY, "View what was applied last", Run::Now(apply::view_last_applied))
    },
];

pub(super) static AUTH: &[Command] = &[
    Command {
        usage: "VERB [TYPE | TYPE/NAME | NONRESOURCEURL] [options]",
        flags: &[auth::CAN_I_FLAGS],
        ..row("can-i", ANY, "Check whether an action is allowed", Run::Now(auth::can_i))
    },
    Command {
        usage: "-f FILENAME [options]",
        flags: &[reconcile::FLAGS, FILES, PRINT],
        ..row("reconcile", ANY, "Give roles and bindings what they lack", Run::Now(reconcile::run))
    },
    Command { flags: &[auth::WHOAMI_FLAGS, PRINT], ..row("whoami", ANY, "Show who you are", Run::Now(auth::whoami)) },
];

pub(super) static CLUSTER_INFO: &[Command] = &[Command {
    flags: &[cluster_info::DUMP_FLAGS, PRINT],
    ..row("dump", ANY, "Dump what helps to find out what is wrong", Run::Now(cluster_info::dump))
}];

pub(super) static CERTIFICATE: &[Command] = &[
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

pub(super) static PLUGIN: &[Command] = &[Command {
    flags: &[plugin::FLAGS],
    ..row("list", ANY, "List the programs that are plugins", Run::Now(plugin::list))
}];

pub(super) static TOP: &[Command] = &[
    Command {
        aliases: &["nodes", "no"],
        flags: &[top::NODE_FLAGS, top::FLAGS],
        operands: Operands::Names("nodes"),
        ..row("node", ANY, "Show nodes' use of resources", Run::Now(top::node))
    },
    Command {
        aliases: &["pods", "po"],
        flags: &[top::POD_FLAGS, top::FLAGS],
        operands: Operands::Names("pods"),
        ..row("pod", ANY, "Show Pods' use of resources", Run::Now(top::pod))
    },
];
