//! Who may do what, as clients over HTTP meet it.

use api::k8s_openapi::ByteString;
use api::time::SECOND;
use api::{CauseId, SimTime, User};
use apiserver::authentication::Credentials;
use apiserver::route::{self, HttpRequest, Route};
use apiserver::{ApiServer, Context, discovery};
use serde_json::{Value, json};

struct Cluster {
    server: ApiServer,
    now: SimTime,
}

/// How a client shows who it is.
#[derive(Clone, Default)]
struct Client {
    user: Option<User>,
    token: String,
    impersonate: Vec<(String, String)>,
}

fn user(name: &str, groups: &[&str]) -> Client {
    Client { user: Some(User::new(name, groups)), ..Client::default() }
}

fn admin() -> Client {
    Client { user: Some(User::admin()), ..Client::default() }
}

fn token(token: &str) -> Client {
    Client { token: format!("Bearer {token}"), ..Client::default() }
}

impl Cluster {
    fn new() -> Cluster {
        let mut cluster = Cluster { server: ApiServer::new(1), now: SECOND };
        cluster.create("/api/v1/namespaces/default/serviceaccounts", json!({ "metadata": { "name": "default" } }));
        cluster
    }

    fn ask(&mut self, client: &Client, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.now += SECOND;
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let credentials =
            Credentials { user: client.user.as_ref(), authorization: &client.token, impersonate: &client.impersonate };
        let http = HttpRequest { method, path, body: &body, credentials, ..HttpRequest::default() };
        let answer = match self.server.enter(self.now, 0, &http).caller {
            Err(answer) => answer,
            Ok(caller) => match route::parse(&self.server.kinds(), &http) {
                Err(answer) => answer,
                Ok(Route::Other(path)) => discovery::serve(&self.server.kinds(), method, &path, ""),
                Ok(Route::Resource(resource, request)) => {
                    let context = Context::new(self.now, caller, CauseId::default());
                    let result = self.server.handle_authorized(&context, *request);
                    let warnings = self.server.take_warnings();
                    route::answer(&resource, result, self.server.was_created(), warnings, self.now)
                }
            },
        };
        (answer.code, serde_json::from_str(&answer.body).unwrap_or_default())
    }

    fn create(&mut self, path: &str, body: Value) -> Value {
        let (code, answer) = self.ask(&admin(), "POST", path, body);
        assert_eq!(code, 201, "{answer}");
        answer
    }

    /// The message of a refusal.
    fn refused(&mut self, client: &Client, method: &str, path: &str, body: Value) -> String {
        let (code, answer) = self.ask(client, method, path, body);
        assert!(code >= 400, "{answer}");
        answer["message"].as_str().unwrap_or_default().to_owned()
    }

    fn pod(&mut self, name: &str, spec: Value) -> Value {
        let mut spec = spec;
        spec["containers"] = json!([{ "name": "c", "image": "nginx" }]);
        let pod = json!({ "metadata": { "name": name }, "spec": spec });
        self.create("/api/v1/namespaces/default/pods", pod)
    }
}

#[test]
fn a_token_lives_and_dies_with_the_pod_that_it_is_bound_to() {
    let mut cluster = Cluster::new();
    let uid = cluster.pod("web", json!({}))["metadata"]["uid"].clone();
    let reference = json!({ "apiVersion": "v1", "kind": "Pod", "name": "web", "uid": uid });
    let path = "/api/v1/namespaces/default/serviceaccounts/default/token";
    let answer = cluster.create(path, json!({ "spec": { "boundObjectRef": reference } }));
    let client = token(answer["status"]["token"].as_str().unwrap());

    let who = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let (code, answer) = cluster.ask(&client, "POST", who, json!({}));
    assert_eq!(
        (code, &answer["status"]["userInfo"]["username"]),
        (201, &json!("system:serviceaccount:default:default"))
    );
    let extra = &answer["status"]["userInfo"]["extra"];
    assert_eq!(extra["authentication.kubernetes.io/pod-name"], json!(["web"]));

    cluster.ask(&admin(), "DELETE", "/api/v1/namespaces/default/pods/web", Value::Null);
    assert_eq!(cluster.refused(&client, "POST", who, json!({})), "Unauthorized");
}

#[test]
fn a_token_is_for_its_audience_and_its_time() {
    let mut cluster = Cluster::new();
    let path = "/api/v1/namespaces/default/serviceaccounts/default/token";
    let answer = cluster.create(path, json!({ "spec": { "audiences": ["vault"], "expirationSeconds": 600 } }));
    let text = answer["status"]["token"].as_str().unwrap().to_owned();
    assert_eq!(cluster.refused(&token(&text), "GET", "/api", Value::Null), "Unauthorized");

    let reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
    let review = json!({ "spec": { "token": text, "audiences": ["vault", "other"] } });
    assert_eq!(cluster.create(reviews, review.clone())["status"]["audiences"], json!(["vault"]));
    cluster.now += 601 * SECOND;
    let status = cluster.create(reviews, review)["status"].clone();
    assert_eq!(status["error"], "[invalid bearer token, service account token has expired]");
}

#[test]
fn nobody_acts_as_another_without_the_right_to() {
    let mut cluster = Cluster::new();
    let mut jane = user("jane", &[]);
    jane.impersonate = vec![("Impersonate-User".into(), "root".into())];
    assert_eq!(
        cluster.refused(&jane, "GET", "/api/v1/nodes", Value::Null),
        "users \"root\" is forbidden: User \"jane\" cannot impersonate resource \"users\" in API group \"\" at the cluster \
         scope"
    );
}

#[test]
fn a_kubelet_reads_what_its_pods_need() {
    let mut cluster = Cluster::new();
    cluster.create("/api/v1/namespaces/default/secrets", json!({ "metadata": { "name": "s" } }));
    let kubelet = user("system:node:node-1", &["system:nodes"]);
    let path = "/api/v1/namespaces/default/secrets/s";
    assert_eq!(
        cluster.refused(&kubelet, "GET", path, Value::Null),
        "secrets \"s\" is forbidden: User \"system:node:node-1\" cannot get resource \"secrets\" in API group \"\" in the \
         namespace \"default\": no relationship found between node 'node-1' and this object"
    );
    let volumes = json!([{ "name": "v", "secret": { "secretName": "s" } }]);
    cluster.pod("web", json!({ "nodeName": "node-1", "volumes": volumes }));
    assert_eq!(cluster.ask(&kubelet, "GET", path, Value::Null).0, 200);

    cluster.create("/api/v1/nodes", json!({ "metadata": { "name": "node-2" } }));
    let node = "/api/v1/nodes/node-2";
    let body = json!({ "metadata": { "name": "node-2", "labels": { "a": "b" } } });
    assert_eq!(
        cluster.refused(&kubelet, "PUT", node, body),
        "nodes \"node-2\" is forbidden: node \"node-1\" is not allowed to modify node \"node-2\""
    );
}

/// `openssl req -new -subj "/O=developers/O=testers/CN=jane"`
const REQUEST: &str = include_str!("../../../api/testdata/jane.csr");

#[test]
fn who_approves_a_certificate_must_be_allowed_to_for_its_signer() {
    let mut cluster = Cluster::new();
    let rules = json!([{
        "apiGroups": ["certificates.k8s.io"],
        "resources": ["certificatesigningrequests/approval"],
        "verbs": ["update"],
    }]);
    cluster.create(
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        json!({ "metadata": { "name": "r" }, "rules": rules }),
    );
    cluster.create(
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        json!({
            "metadata": { "name": "r" },
            "subjects": [{ "kind": "User", "name": "jane" }],
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r" },
        }),
    );
    let requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    let spec =
        json!({ "signerName": "example.com/mine", "usages": ["client auth"], "request": ByteString(REQUEST.into()) });
    let mut request = cluster.create(requests, json!({ "metadata": { "name": "c" }, "spec": spec }));
    assert_eq!(request["spec"]["username"], "kubernetes-admin");
    let broken =
        json!({ "signerName": "kubernetes.io/legacy-unknown", "usages": ["client auth"], "request": "LS0tCg==" });
    assert_eq!(
        cluster.refused(&admin(), "POST", requests, json!({ "metadata": { "name": "d" }, "spec": broken })),
        "CertificateSigningRequest.certificates.k8s.io \"d\" is invalid: [spec.request: Invalid value: \"LS0tCg==\": PEM \
         block type must be CERTIFICATE REQUEST, spec.signerName: Invalid value: \"kubernetes.io/legacy-unknown\": the \
         legacy signerName is not allowed via this API version]"
    );
    request["status"]["conditions"] =
        json!([{ "type": "Approved", "status": "True", "reason": "Fine", "message": "" }]);
    let approval = format!("{requests}/c/approval");
    assert_eq!(
        cluster.refused(&user("jane", &[]), "PUT", &approval, request.clone()),
        "certificatesigningrequests.certificates.k8s.io \"c\" is forbidden: user not permitted to approve requests with \
         signerName \"example.com/mine\""
    );
    let (code, answer) = cluster.ask(&admin(), "PUT", &approval, request);
    assert_eq!(code, 200, "{answer}");
    assert!(answer["status"]["conditions"][0]["lastUpdateTime"].is_string());
}

#[test]
fn what_baseline_forbids_is_listed_in_the_order_of_the_checks() {
    let mut cluster = Cluster::new();
    let labels = json!({ "pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/enforce-version": "v1.30" });
    cluster.create("/api/v1/namespaces", json!({ "metadata": { "name": "tight", "labels": labels } }));
    cluster.create("/api/v1/namespaces/tight/serviceaccounts", json!({ "metadata": { "name": "default" } }));
    let pod = json!({ "metadata": { "name": "p" }, "spec": {
        "securityContext": { "sysctls": [{ "name": "kernel.msgmax", "value": "1" }] },
        "containers": [
            { "name": "a", "image": "i", "securityContext": { "seccompProfile": { "type": "Unconfined" } } },
            { "name": "b", "image": "i", "securityContext": { "seLinuxOptions": { "user": "u", "type": "spc_t" } } },
        ],
    } });
    assert_eq!(
        cluster.refused(&admin(), "POST", "/api/v1/namespaces/tight/pods", pod),
        "pods \"p\" is forbidden: violates PodSecurity \"baseline:v1.30\": seLinuxOptions (container \"b\" set forbidden \
         securityContext.seLinuxOptions: type \"spc_t\"; user may not be set), seccompProfile (container \"a\" must not set \
         securityContext.seccompProfile.type to \"Unconfined\"), forbidden sysctls (kernel.msgmax)"
    );
}

#[test]
fn who_connects_to_a_pod_needs_the_right_to_its_subresource() {
    let mut cluster = Cluster::new();
    cluster.pod("web", json!({}));
    let grant = |cluster: &mut Cluster, name: &str, verbs: Value, resources: Value| {
        let rules = json!([{ "apiGroups": [""], "resources": resources, "verbs": verbs }]);
        cluster.create(
            "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
            json!({ "metadata": { "name": name }, "rules": rules }),
        );
        cluster.create(
            "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
            json!({
                "metadata": { "name": name },
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
                "subjects": [{ "kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name }],
            }),
        );
    };
    grant(&mut cluster, "reader", json!(["get", "list"]), json!(["pods", "pods/log", "pods/exec"]));
    grant(&mut cluster, "operator", json!(["get", "create"]), json!(["pods/exec", "pods/attach", "pods/portforward"]));
    let may = |cluster: &mut Cluster, who: &str, method: &str, subresource: &str| {
        let path = format!("/api/v1/namespaces/default/pods/web/{subresource}");
        cluster.ask(&user(who, &[]), method, &path, Value::Null).0 != 403
    };
    assert!(may(&mut cluster, "reader", "GET", "log"));
    assert!(!may(&mut cluster, "operator", "GET", "log"));
    for subresource in ["exec", "attach", "portforward"] {
        assert!(may(&mut cluster, "operator", "GET", subresource), "{subresource}");
        assert!(may(&mut cluster, "operator", "POST", subresource), "{subresource}");
        assert!(!may(&mut cluster, "operator", "GET", "proxy/index.html"), "a proxy is another subresource");
    }
    // A WebSocket is opened by GET, and makes something all the same.
    let path = "/api/v1/namespaces/default/pods/web/exec?command=ls";
    let refused = cluster.refused(&user("reader", &[]), "GET", path, Value::Null);
    let text = "pods \"web\" is forbidden: User \"reader\" cannot create resource \"pods/exec\" in API group \"\" in the \
                namespace \"default\"";
    assert_eq!(refused, text);
}

#[test]
fn the_old_path_of_a_watch_is_a_watch() {
    let mut cluster = Cluster::new();
    let jane = user("jane", &[]);
    let refused = cluster.refused(&jane, "GET", "/api/v1/watch/namespaces/default/pods/web", Value::Null);
    let text = "pods \"web\" is forbidden: User \"jane\" cannot watch resource \"pods\" in API group \"\" in the namespace \
                \"default\"";
    assert_eq!(refused, text);
    assert_eq!(cluster.ask(&admin(), "POST", "/api/v1/watch/namespaces/default/pods", json!({})).0, 405);
    assert_eq!(cluster.ask(&admin(), "GET", "/api/v1/watch/namespaces/default/pods/web/status", Value::Null).0, 404);
    let open = cluster.server.open_watches();
    assert_eq!(cluster.ask(&admin(), "GET", "/api/v1/watch/namespaces/default/pods", Value::Null).0, 200);
    assert_eq!(cluster.server.open_watches(), open + 1);
}

#[test]
fn a_group_of_another_server_says_what_is_missing() {
    let mut cluster = Cluster::new();
    let services = "/apis/apiregistration.k8s.io/v1/apiservices";
    let mut spec =
        json!({ "group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100 });
    spec["service"] = json!({ "namespace": "default", "name": "metrics" });
    let path = "/apis/metrics.k8s.io/v1beta1/nodes?limit=1";
    assert!(cluster.server.aggregated(path).is_none());
    cluster.create(services, json!({ "metadata": { "name": "v1beta1.metrics.k8s.io" }, "spec": spec }));
    let answer = cluster.server.aggregated(path).expect("somebody serves it");
    assert_eq!((answer.code, answer.body.as_str()), (503, "service unavailable\n"));
    assert!(cluster.server.aggregated("/apis/apps/v1/deployments").is_none());

    let condition = |cluster: &mut Cluster| {
        let path = format!("{services}/v1beta1.metrics.k8s.io");
        let condition = cluster.ask(&admin(), "GET", &path, Value::Null).1["status"]["conditions"][0].clone();
        let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        format!("{}={} {}: {}", text("type"), text("status"), text("reason"), text("message"))
    };
    assert_eq!(
        condition(&mut cluster),
        "Available=False ServiceNotFound: service/metrics in \"default\" is not present"
    );
    let service = |port: u16| json!({ "metadata": { "name": "metrics" }, "spec": { "clusterIP": "10.96.0.99", "ports": [{ "name": "https", "port": port }] } });
    cluster.create("/api/v1/namespaces/default/services", service(80));
    assert_eq!(
        condition(&mut cluster),
        "Available=False ServicePortError: service/metrics in \"default\" is not listening on port 443"
    );
    cluster.ask(&admin(), "DELETE", "/api/v1/namespaces/default/services/metrics", Value::Null);
    cluster.create("/api/v1/namespaces/default/services", service(443));
    assert_eq!(
        condition(&mut cluster),
        "Available=False EndpointsNotFound: cannot find endpointslices for service/metrics in \"default\""
    );
    let mut slice = json!({
        "metadata": { "name": "metrics-1", "labels": { "kubernetes.io/service-name": "metrics" } },
        "addressType": "IPv4",
        "endpoints": [{ "addresses": ["10.244.0.9"], "conditions": { "ready": false } }],
        "ports": [{ "name": "https", "port": 4443, "protocol": "TCP" }],
    });
    let slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    cluster.create(slices, slice.clone());
    assert_eq!(
        condition(&mut cluster),
        "Available=False MissingEndpoints: endpoints for service/metrics in \"default\" have no addresses with port name \
         \"https\""
    );
    slice["endpoints"][0]["conditions"]["ready"] = true.into();
    cluster.ask(&admin(), "PUT", &format!("{slices}/metrics-1"), slice);
    assert!(condition(&mut cluster).starts_with(
        "Available=False FailedDiscoveryCheck: failing or missing response from https://10.96.0.99:443/apis/metrics.k8s.io/v1beta1: "
    ));
}

#[test]
fn who_writes_policies_may_read_their_parameters() {
    const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies";
    let mut cluster = Cluster::new();
    let rule = |resources: Value, verbs: Value| json!({ "apiGroups": ["*"], "resources": resources, "verbs": verbs });
    for (name, rules) in
        [("writer", rule(json!(["*"]), json!(["create"]))), ("reader", rule(json!(["*"]), json!(["*"])))]
    {
        let role = json!({ "metadata": { "name": name }, "rules": [rules] });
        cluster.create("/apis/rbac.authorization.k8s.io/v1/clusterroles", role);
        let subject = json!({ "kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name });
        let binding = json!({
            "metadata": { "name": name }, "subjects": [subject],
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name },
        });
        cluster.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding);
    }
    let (writer, reader) = (user("writer", &["staff"]), user("reader", &[]));
    let constraint =
        json!({ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"] });
    let policy = json!({
        "metadata": { "name": "p" },
        "spec": {
            "paramKind": { "apiVersion": "v1", "kind": "ConfigMap" }, "reinvocationPolicy": "Never",
            "matchConstraints": { "resourceRules": [constraint] },
            "mutations": [{ "patchType": "JSONPatch", "jsonPatch": { "expression": "[JSONPatch{}]" } }],
        },
    });
    assert_eq!(
        cluster.refused(&writer, "POST", POLICIES, policy.clone()),
        "MutatingAdmissionPolicy.admissionregistration.k8s.io \"p\" is invalid: spec.paramKind: Forbidden: user &{writer  \
         [staff system:authenticated] map[]} must have \"get\" permission on all objects of the referenced paramKind \
         (kind=ConfigMap, apiVersion=v1)"
    );
    assert_eq!(cluster.ask(&reader, "POST", POLICIES, policy).0, 201);
    let binding = json!({
        "metadata": { "name": "p" },
        "spec": { "policyName": "p", "paramRef": { "name": "a", "namespace": "default", "parameterNotFoundAction": "Deny" } },
    });
    let bindings = POLICIES.replace("policies", "policybindings");
    assert_eq!(
        cluster.refused(&writer, "POST", &bindings, binding.clone()),
        "MutatingAdmissionPolicyBinding.admissionregistration.k8s.io \"p\" is invalid: spec.paramRef: Forbidden: user get \
         does not have \"&{writer  [staff system:authenticated] map[]}\" permission on the object referenced by paramRef"
    );
    assert_eq!(cluster.ask(&reader, "POST", &bindings, binding).0, 201);
}
