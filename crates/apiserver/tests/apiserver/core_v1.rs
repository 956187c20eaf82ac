//! What the core kinds refuse and warn about, in upstream's words and order: one case of each family of rules. Upstream:
//! `pkg/apis/core/validation`, `pkg/api/{pod,service}/warnings.go`.

use api::time::SECOND;
use api::{Body, Caller, CauseId, Kind, Kinded, Request, Response, SimTime, Status, Subresource, Verb, kinds};
use apiserver::{ApiServer, Context};
use serde_json::{Value, json};

struct Cluster {
    server: ApiServer,
    now: SimTime,
}

impl Cluster {
    fn new() -> Cluster {
        let mut cluster = Cluster { server: ApiServer::new(1), now: SECOND };
        let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" } });
        cluster.send(Verb::Create, account).expect("an account");
        cluster
    }

    fn send(&mut self, verb: Verb, object: Value) -> Result<Value, Status> {
        self.now += SECOND;
        let text = |field: &str| object[field].as_str().unwrap_or_default();
        let kind: &Kind = kinds::by_kind(text("apiVersion"), text("kind")).expect("a known kind");
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let name = if verb == Verb::Create { "" } else { name };
        let mut request = Request::of(verb, kind.id, if kind.namespaced { "default" } else { "" }, name);
        request.body = Body::Json(object);
        let context = Context::new(self.now, Caller::admin("test"), CauseId(self.now));
        match self.server.handle(&context, request)? {
            Response::Object(object) => Ok(object.to_value()),
            other => panic!("an object was expected, not {other:?}"),
        }
    }

    /// What is wrong, a line a cause.
    fn refusal(&mut self, verb: Verb, object: Value) -> Vec<String> {
        let Err(status) = self.send(verb, object) else { return Vec::new() };
        let causes = status.details.map(|details| details.causes).unwrap_or_default();
        if causes.is_empty() {
            return vec![status.message];
        }
        // The examples of the commonest complaints are left out.
        let line = |text: String| text.split_once(" (e.g.").map_or(text.clone(), |(start, _)| start.to_owned());
        causes.iter().map(|cause| line(format!("{}: {}", cause.field, cause.message))).collect()
    }
}

fn object(kind: &str, spec: Value) -> Value {
    json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": "x" }, "spec": spec })
}

/// A Pod whose container and specification have these fields besides.
fn pod(container: Value, spec: Value) -> Value {
    let mut own = json!({ "name": "c", "image": "i" });
    own.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    let mut whole = json!({ "containers": [own] });
    whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    object("Pod", whole)
}

fn container(fields: Value) -> Value {
    pod(fields, json!({}))
}

fn volume(source: Value) -> Value {
    let mut volume = json!({ "name": "v" });
    volume.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
    pod(json!({}), json!({ "volumes": [volume] }))
}

fn refused(cases: &[(Value, &[&str])]) {
    let mut cluster = Cluster::new();
    for (object, expected) in cases {
        let got = cluster.refusal(Verb::Create, object.clone());
        assert_eq!(got, *expected, "of {object}");
    }
}

#[test]
fn volumes() {
    refused(&[
        (
            volume(json!({ "iscsi": { "targetPortal": "", "iqn": "bad", "lun": 256 } })),
            &[
                "spec.volumes[0].iscsi.targetPortal: Required value",
                "spec.volumes[0].iscsi.iqn: Invalid value: \"bad\": must be valid format starting with iqn, eui, or naa",
                "spec.volumes[0].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive",
            ],
        ),
        (
            volume(
                json!({ "azureDisk": { "diskName": "d", "diskURI": "http://x", "kind": "Managed", "cachingMode": "Odd" } }),
            ),
            &[
                "spec.volumes[0].azureDisk.cachingMode: Unsupported value: \"Odd\": supported values: \"None\", \"ReadOnly\", \"ReadWrite\"",
                "spec.volumes[0].azureDisk.diskURI: Unsupported value: \"http://x\": supported values: \"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}\"",
            ],
        ),
        (
            volume(json!({ "csi": { "driver": "a_b", "nodePublishSecretRef": {} } })),
            &[
                "spec.volumes[0].csi.driver: Invalid value: \"a_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
                "spec.volumes[0].csi.nodePublishSecretRef.name: Required value",
            ],
        ),
        (
            volume(json!({ "image": { "reference": "", "pullPolicy": "Odd" } })),
            &[
                "spec.volumes[0].image.reference: Required value",
                "spec.volumes[0].image.pullPolicy: Unsupported value: \"Odd\": supported values: \"Always\", \"IfNotPresent\", \"Never\"",
            ],
        ),
        (
            volume(
                json!({ "downwardAPI": { "items": [{ "path": "../a", "fieldRef": { "fieldPath": "spec.odd" } }] } }),
            ),
            &[
                "spec.volumes[0].downwardAPI.path: Invalid value: \"../a\": must not contain '..'",
                "spec.volumes[0].downwardAPI.fieldRef.fieldPath: Invalid value: \"spec.odd\": error converting fieldPath: field label not supported: spec.odd",
            ],
        ),
        (
            volume(json!({ "projected": { "sources": [
            { "secret": { "name": "s", "items": [{ "key": "k", "path": "p" }] } },
            { "configMap": { "name": "c", "items": [{ "key": "k", "path": "p" }] } },
            { "serviceAccountToken": { "path": "", "expirationSeconds": 1 } },
        ] } })),
            &[
                "spec.volumes[0].projected: Invalid value: \"c\": conflicting duplicate paths",
                "spec.volumes[0].projected.sources[2].serviceAccountToken.expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes",
                "spec.volumes[0].projected.path: Required value",
            ],
        ),
        (
            volume(json!({ "ephemeral": { "volumeClaimTemplate": { "metadata": { "name": "n" }, "spec": {} } } })),
            &[
                "spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set",
                "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required",
                "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value",
            ],
        ),
    ]);
}

#[test]
fn containers() {
    refused(&[
        (
            container(
                json!({ "env": [{ "name": "A", "value": "x", "valueFrom": { "configMapKeyRef": { "key": "k" } } }] }),
            ),
            &[
                "spec.containers[0].env[0].valueFrom.configMapKeyRef.name: Invalid value: \"\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
                "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty",
            ],
        ),
        (
            container(
                json!({ "env": [{ "name": "A", "valueFrom": { "fileKeyRef": { "volumeName": "v", "path": "../p", "key": "=" } } }] }),
            ),
            &[
                "spec.containers[0].env[0].valueFrom.fileKeyRef.key: Invalid value: \"=\": a valid environment variable name must consist only of printable ASCII characters other than '='",
                "spec.containers[0].env[0].valueFrom.fileKeyRef.path: Invalid value: \"../p\": must not contain '..'",
                "spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Not found: \"v\"",
            ],
        ),
        (
            container(
                json!({ "env": [{ "name": "A", "valueFrom": { "fieldRef": { "fieldPath": "metadata.labels['a b']" } } }] }),
            ),
            &[
                "spec.containers[0].env[0].valueFrom.fieldRef: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            ],
        ),
        (
            container(json!({ "envFrom": [{ "prefix": "=", "configMapRef": {} , "secretRef": { "name": "s" } }] })),
            &[
                "spec.containers[0].envFrom[0].prefix: Invalid value: \"=\": a valid environment variable name must consist only of printable ASCII characters other than '='",
                "spec.containers[0].envFrom[0].configMapRef.name: Required value",
                "spec.containers[0].envFrom: Invalid value: \"\": may not have more than one field specified at a time",
            ],
        ),
        (
            container(
                json!({ "resources": { "claims": [{ "name": "a" }, { "name": "a" }], "limits": { "cpu": "-1", "odd": "1" } } }),
            ),
            &[
                "spec.containers[0].resources.limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0",
                "spec.containers[0].resources.limits[odd]: Invalid value: \"odd\": must be a standard resource type or fully qualified",
                "spec.containers[0].resources.limits[odd]: Invalid value: \"odd\": must be a standard resource for containers",
                "spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0",
                "spec.containers[0].resources.requests[odd]: Invalid value: \"odd\": must be a standard resource type or fully qualified",
                "spec.containers[0].resources.requests[odd]: Invalid value: \"odd\": must be a standard resource for containers",
                "spec.containers[0].resources.claims[0]: Not found: \"a\": must be one of the names in pod.spec.resourceClaims which is empty",
                "spec.containers[0].resources.claims[1]: Duplicate value: \"a\"",
                "spec.containers[0].resources.claims[1]: Not found: \"a\": must be one of the names in pod.spec.resourceClaims which is empty",
            ],
        ),
        (
            container(
                json!({ "restartPolicyRules": [{ "action": "Odd", "exitCodes": { "operator": "In", "values": [] } }] }),
            ),
            &[
                "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used",
                "spec.containers[0].restartPolicyRules[0].action: Unsupported value: \"Odd\": supported values: \"Restart\", \"RestartAllContainers\"",
            ],
        ),
        (
            container(
                json!({ "volumeMounts": [{ "name": "v", "mountPath": "/a" }, { "name": "v", "mountPath": "/a", "subPathExpr": "..", "subPath": "b" }] }),
            ),
            &[
                "spec.containers[0].volumeMounts[0].name: Not found: \"v\"",
                "spec.containers[0].volumeMounts[1].name: Not found: \"v\"",
                "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique",
                "spec.containers[0].volumeMounts[1].subPathExpr: Invalid value: \"..\": subPathExpr and subPath are mutually exclusive",
                "spec.containers[0].volumeMounts.subPathExpr: Invalid value: \"..\": must not contain '..'",
            ],
        ),
        (
            container(
                json!({ "securityContext": { "privileged": true, "allowPrivilegeEscalation": false, "procMount": "Odd", "runAsUser": -1 } }),
            ),
            &[
                "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
                "spec.containers[0].securityContext.procMount: Unsupported value: \"Odd\": supported values: \"Default\", \"Unmasked\"",
                "spec.containers[0].securityContext: Invalid value: {\"Capabilities\":null,\"Privileged\":true,\"SELinuxOptions\":null,\"WindowsOptions\":null,\"RunAsUser\":-1,\"RunAsGroup\":null,\"RunAsNonRoot\":null,\"ReadOnlyRootFilesystem\":null,\"AllowPrivilegeEscalation\":false,\"ProcMount\":\"Odd\",\"SeccompProfile\":null,\"AppArmorProfile\":null}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
            ],
        ),
    ]);
}

#[test]
fn pods() {
    refused(&[
        (
            pod(json!({}), json!({ "hostUsers": false, "hostNetwork": true, "hostPID": true })),
            &[
                "spec.hostNetwork: Forbidden: when `hostUsers` is false",
                "spec.HostPID: Forbidden: when `hostUsers` is false",
            ],
        ),
        (
            pod(json!({}), json!({ "hostnameOverride": "a_b", "setHostnameAsFQDN": true })),
            &[
                "spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true",
                "spec.hostnameOverride: Invalid value: \"a_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
            ],
        ),
        (
            pod(
                json!({}),
                json!({ "os": { "name": "windows" }, "hostPID": true, "securityContext": { "runAsUser": 1, "fsGroup": 1 } }),
            ),
            &[
                "spec.hostPID: Forbidden: cannot be set for a windows pod",
                "spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod",
                "spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod",
            ],
        ),
        (
            pod(json!({}), json!({ "securityContext": { "windowsOptions": { "hostProcess": true } } })),
            &[
                "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers",
            ],
        ),
        (
            pod(
                json!({}),
                json!({ "resources": { "limits": { "cpu": "1", "odd": "1" }, "requests": { "cpu": "2" } } }),
            ),
            &[
                "spec.resources.limits[odd]: Invalid value: \"odd\": must be a standard resource type or fully qualified",
                "spec.resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1",
            ],
        ),
        (
            pod(
                json!({}),
                json!({ "resourceClaims": [{ "name": "a" }, { "name": "a", "resourceClaimName": "c", "resourceClaimTemplateName": "t" }] }),
            ),
            &[
                "spec.resourceClaims[0]: Invalid value: {\"Name\":\"a\",\"ResourceClaimName\":null,\"ResourceClaimTemplateName\":null}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
                "spec.resourceClaims[1].name: Duplicate value: \"a\"",
                "spec.resourceClaims[1]: Invalid value: {\"Name\":\"a\",\"ResourceClaimName\":\"c\",\"ResourceClaimTemplateName\":\"t\"}: at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
            ],
        ),
        (
            pod(
                json!({}),
                json!({ "topologySpreadConstraints": [{ "maxSkew": 0, "topologyKey": "", "whenUnsatisfiable": "Odd", "nodeTaintsPolicy": "Odd", "matchLabelKeys": ["a"] }] }),
            ),
            &[
                "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
                "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
                "spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"Odd\": supported values: \"DoNotSchedule\", \"ScheduleAnyway\"",
                "spec.topologySpreadConstraints[0].nodeTaintsPolicy: Unsupported value: \"Odd\": supported values: \"Honor\", \"Ignore\"",
                "spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
            ],
        ),
        (
            pod(
                json!({}),
                json!({ "affinity": { "podAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [{ "topologyKey": "", "namespaces": ["a_b"], "matchLabelKeys": ["a"] }] } } }),
            ),
            &[
                "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespace: Invalid value: \"a_b\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
                "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
                "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty",
                "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: \"\": name part must be non-empty",
                "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            ],
        ),
        (
            pod(
                json!({}),
                json!({ "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [{ "matchFields": [{ "key": "metadata.name", "operator": "In", "values": ["a", "b"] }] }] } } } }),
            ),
            &[
                "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
            ],
        ),
        (
            pod(
                json!({}),
                json!({ "securityContext": { "fsGroupChangePolicy": "Odd", "seLinuxChangePolicy": "MountOption", "seccompProfile": { "type": "Odd" }, "appArmorProfile": { "type": "Localhost" }, "sysctls": [{ "name": "kernel.shm", "value": "" }] }, "hostIPC": true }),
            ),
            &[
                "spec.securityContext.sysctls[0].name: Invalid value: \"kernel.shm\": may not be specified when 'hostIPC' is true",
                "spec.securityContext.fsGroupChangePolicy: Unsupported value: \"Odd\": supported values: \"Always\", \"OnRootMismatch\"",
                "spec.securityContext.seccompProfile.type: Unsupported value: \"Odd\": supported values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\"",
                "spec.securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost",
                "spec.securityContext.seLinuxChangePolicy: Unsupported value: \"MountOption\": supported values: \"Recursive\"",
            ],
        ),
    ]);
}

#[test]
fn others() {
    let meta = |kind: &str, extra: Value| {
        let mut object = json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": "x" } });
        object.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        object
    };
    refused(&[
        (
            object(
                "Node",
                json!({ "taints": [{ "key": "a", "effect": "Odd" }, { "key": "b", "effect": "NoSchedule" }, { "key": "b", "effect": "NoSchedule" }], "podCIDRs": ["10.0.0.0/24", "10.1.0.0/24"] }),
            ),
            &[
                "metadata.taints[0].effect: Unsupported value: \"Odd\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"",
                "metadata.taints[2]: Duplicate value: {\"Key\":\"b\",\"Value\":\"\",\"Effect\":\"NoSchedule\",\"TimeAdded\":null}: taints must be unique by key and effect pair",
                "spec.podCIDRs: Invalid value: [\"10.0.0.0/24\",\"10.1.0.0/24\"]: may specify no more than one CIDR for each IP family",
            ],
        ),
        (
            object(
                "PersistentVolumeClaim",
                json!({ "accessModes": ["ReadWriteOncePod", "ReadWriteOnce"], "volumeMode": "Odd", "resources": { "requests": { "storage": "1Gi" } }, "dataSource": { "kind": "Pod", "name": "p" }, "volumeAttributesClassName": "" }),
            ),
            &[
                "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
                "spec.volumeMode: Unsupported value: \"Odd\": supported values: \"Block\", \"Filesystem\"",
            ],
        ),
        (
            object(
                "PersistentVolume",
                json!({ "accessModes": [], "capacity": { "storage": "1Gi", "cpu": "1" }, "local": { "path": "" }, "hostPath": { "path": "/a" }, "volumeMode": "Odd" }),
            ),
            &[
                "spec.accessModes: Required value",
                "spec.capacity: Unsupported value: {\"cpu\":\"1\",\"storage\":\"1Gi\"}: supported values: \"storage\"",
                "spec.local: Forbidden: may not specify more than 1 volume type",
                "spec.volumeMode: Unsupported value: \"Odd\": supported values: \"Block\", \"Filesystem\"",
            ],
        ),
        (
            object(
                "Service",
                json!({ "type": "LoadBalancer", "ports": [{ "port": 80, "protocol": "Odd", "appProtocol": "a b" }], "loadBalancerClass": "a b", "externalIPs": ["127.0.0.1"], "sessionAffinity": "ClientIP", "sessionAffinityConfig": { "clientIP": { "timeoutSeconds": 0 } }, "trafficDistribution": "Odd", "internalTrafficPolicy": "Odd" }),
            ),
            &[
                "spec.ports[0].protocol: Unsupported value: \"Odd\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
                "spec.ports[0].appProtocol: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400",
                "spec.externalIPs[0]: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128)",
                "spec.loadBalancerClass: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
                "spec.internalTrafficPolicy: Unsupported value: \"Odd\": supported values: \"Cluster\", \"Local\"",
                "spec.trafficDistribution: Unsupported value: \"Odd\": supported values: \"PreferClose\", \"PreferSameZone\", \"PreferSameNode\"",
            ],
        ),
        (
            object(
                "ResourceQuota",
                json!({ "hard": { "pods": "1.5", "requests.storage": "1" }, "scopes": ["Terminating", "NotTerminating", "Odd"], "scopeSelector": { "matchExpressions": [{ "scopeName": "PriorityClass", "operator": "In", "values": [] }] } }),
            ),
            &[
                "spec.hard[pods]: Invalid value: \"1500m\": must be an integer",
                "spec.scopes: Invalid value: [\"Terminating\",\"NotTerminating\",\"Odd\"]: unsupported scope applied to resource",
                "spec.scopes: Invalid value: [\"Terminating\",\"NotTerminating\",\"Odd\"]: unsupported scope applied to resource",
                "spec.scopes: Invalid value: [\"Terminating\",\"NotTerminating\",\"Odd\"]: unsupported scope",
                "spec.scopes: Invalid value: [\"Terminating\",\"NotTerminating\",\"Odd\"]: conflicting scopes",
                "spec.scopeSelector.matchExpressions: Invalid value: {\"MatchExpressions\":[{\"ScopeName\":\"PriorityClass\",\"Operator\":\"In\",\"Values\":null}]}: unsupported scope applied to resource",
                "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
            ],
        ),
        (
            object(
                "LimitRange",
                json!({ "limits": [{ "type": "Container", "min": { "cpu": "2" }, "max": { "cpu": "1" }, "default": { "cpu": "3" } }, { "type": "Container" }] }),
            ),
            &[
                "spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1",
                "spec.limits[0].defaultRequest[cpu]: Invalid value: \"3\": default request value 3 is greater than max value 1",
                "spec.limits[0].default[cpu]: Invalid value: \"1\": default value 3 is greater than max value 1",
                "spec.limits[1].type: Duplicate value: \"Container\"",
            ],
        ),
        (
            meta(
                "Secret",
                json!({ "type": "kubernetes.io/dockerconfigjson", "data": { ".dockerconfigjson": "WzFd" } }),
            ),
            &[
                "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": json: cannot unmarshal array into Go value of type map[string]interface {}",
            ],
        ),
        (
            meta("Secret", json!({ "type": "kubernetes.io/service-account-token" })),
            &["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
        ),
        (
            meta(
                "Endpoints",
                json!({ "subsets": [{ "addresses": [{ "ip": "127.0.0.1" }, { "ip": "a" }], "ports": [{ "port": 0, "protocol": "Odd" }, { "port": 1 }] }] }),
            ),
            &[
                "subsets[0].addresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128)",
                "subsets[0].addresses[1].ip: Invalid value: \"a\": must be a valid IP address,",
                "subsets[0].addresses[1].ip: Invalid value: \"a\": must be a valid IP address",
                "subsets[0].ports[0].name: Required value",
                "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
                "subsets[0].ports[0].protocol: Unsupported value: \"Odd\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
                "subsets[0].ports[1].name: Required value",
            ],
        ),
        (
            meta("Namespace", json!({ "spec": { "finalizers": ["odd", "a b"] } })),
            &[
                "spec.finalizers: Invalid value: \"odd\": name is neither a standard finalizer name nor is it fully qualified",
                "spec.finalizers: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
                "spec.finalizers: Invalid value: \"a b\": name is neither a standard finalizer name nor is it fully qualified",
            ],
        ),
    ]);
}

#[test]
fn changes() {
    let service = |fields: Value| {
        let mut spec = json!({ "selector": { "a": "b" }, "ports": [{ "port": 80 }] });
        spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        object("Service", spec)
    };
    let gated = |gates: Value| pod(json!({}), json!({ "schedulingGates": gates }));
    let quota = |scopes: Value| object("ResourceQuota", json!({ "hard": { "pods": "1" }, "scopes": scopes }));
    let cases: &[(Value, Value, &[&str])] = &[
        (
            service(json!({})),
            service(json!({ "clusterIP": "10.96.7.7", "clusterIPs": ["10.96.7.7"] })),
            &["spec.clusterIPs[0]: Invalid value: [\"10.96.7.7\"]: may not change once set"],
        ),
        (
            service(json!({ "type": "LoadBalancer", "loadBalancerClass": "a.b/c" })),
            service(json!({ "type": "LoadBalancer", "loadBalancerClass": "a.b/d" })),
            &["spec.loadBalancerClass: Invalid value: \"a.b/d\": may not change once set"],
        ),
        (
            gated(json!([{ "name": "a" }])),
            gated(json!([{ "name": "b" }])),
            &["spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'"],
        ),
        (
            quota(json!(["Terminating"])),
            quota(json!(["NotTerminating"])),
            &["spec.scopes: Invalid value: [\"NotTerminating\"]: field is immutable"],
        ),
    ];
    for (old, new, expected) in cases {
        let mut cluster = Cluster::new();
        cluster.send(Verb::Create, old.clone()).expect("a sound object");
        let mut got = cluster.refusal(Verb::Update, new.clone());
        // A Pod's other differences come last.
        got.truncate(expected.len());
        assert_eq!(got, *expected, "of {new}");
    }
}

#[test]
fn warnings() {
    let port = |port: u16, name: &str| json!({ "containerPort": port, "name": name });
    let cases: &[(Value, &[&str])] = &[
        (
            container(json!({ "ports": [port(80, "a"), port(80, "b")] })),
            &["spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]"],
        ),
        (
            container(json!({ "env": [{ "name": "A", "value": "1" }, { "name": "A", "value": "2" }] })),
            &["spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped when using apply"],
        ),
        (
            pod(json!({}), json!({ "hostAliases": [{ "ip": "1.2.3.04" }] })),
            &[
                "spec.hostAliases[0].ip: non-standard IP address \"1.2.3.04\" will be considered invalid in a future Kubernetes release: use \"1.2.3.4\"",
            ],
        ),
        (volume(json!({ "projected": { "sources": [{}] } })), &["volume \"v\" (Projected) has no sources provided"]),
        (
            object("Service", json!({ "externalIPs": ["1.2.3.4"], "ports": [{ "port": 80 }] })),
            &["spec.externalIPs is deprecated and may no longer be implemented in some clusters"],
        ),
        (
            object("Service", json!({ "trafficDistribution": "PreferClose", "ports": [{ "port": 80 }] })),
            &["spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\""],
        ),
    ];
    for (object, expected) in cases {
        let mut cluster = Cluster::new();
        cluster.send(Verb::Create, object.clone()).expect("a sound object");
        assert_eq!(cluster.server.take_warnings(), *expected, "of {object}");
    }
}

#[test]
fn admission() {
    let mut cluster = Cluster::new();
    let limits = json!([{ "type": "Pod", "min": { "cpu": "1" }, "max": { "memory": "1Gi" } }]);
    cluster.send(Verb::Create, object("LimitRange", json!({ "limits": limits }))).expect("a range");
    assert_eq!(
        cluster.refusal(Verb::Create, container(json!({}))),
        [
            "pods \"x\" is forbidden: [minimum cpu usage per Pod is 1.  No request is specified, maximum memory usage per Pod is 1Gi.  No limit is specified]"
        ]
    );
    let mut cluster = Cluster::new();
    let from = json!({ "secretKeyRef": { "name": "s", "key": "k" } });
    let mut mirror = container(json!({ "env": [{ "name": "A", "valueFrom": from }] }));
    mirror["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "m" });
    mirror["spec"]["nodeName"] = "n".into();
    let refusal = "pods \"x\" is forbidden: a mirror pod may not reference secrets";
    assert_eq!(cluster.refusal(Verb::Create, mirror), [refusal]);
}

#[test]
fn bindings() {
    let mut cluster = Cluster::new();
    cluster.send(Verb::Create, container(json!({}))).expect("a Pod");
    let mut node = object("Node", json!({}));
    let zone = "topology.kubernetes.io/zone";
    node["metadata"] = json!({ "name": "n", "labels": { zone: "east", "other": "o" } });
    cluster.send(Verb::Create, node).expect("a node");
    let mut bind = |name: &str, uid: &str, target: Value| {
        let mut request = Request::of(Verb::Create, api::types::Pod::ID, "default", "x");
        request.subresource = Subresource::Binding;
        let meta = json!({ "name": name, "uid": uid, "labels": { "zone": "a" } });
        request.body = Body::Json(json!({ "apiVersion": "v1", "kind": "Binding", "metadata": meta, "target": target }));
        let context = Context::new(2 * SECOND, Caller::admin("test"), CauseId(2));
        cluster.server.handle(&context, request).err().map(|status| (status.code, status.message))
    };
    let node = json!({ "kind": "Node", "name": "n" });
    let cases = [
        ("y", "", node.clone(), Some((400, "name in URL does not match name in Binding object"))),
        (
            "x",
            "",
            json!({ "kind": "Odd" }),
            Some((
                500,
                "[target.kind: Unsupported value: \"Odd\": supported values: \"Node\", \"<empty>\", target.name: Required value]",
            )),
        ),
        ("x", "", node.clone(), None),
        (
            "x",
            "",
            node,
            Some((409, "Operation cannot be fulfilled on pods/binding \"x\": pod x is already assigned to node \"n\"")),
        ),
    ];
    for (name, uid, target, expected) in cases {
        assert_eq!(bind(name, uid, target), expected.map(|(code, why)| (code, why.to_owned())));
    }
    let pod = cluster.server.peek::<api::types::Pod>("default", "x").expect("a Pod");
    assert_eq!(json!(pod.metadata.labels), json!({ "zone": "a", zone: "east" }));
}
