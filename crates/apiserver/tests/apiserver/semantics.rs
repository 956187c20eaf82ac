//! Requests as HTTP has them: methods, paths, query parameters and options.

use apiserver::route::HttpRequest;
use serde_json::{Value, json};

use crate::http::Cluster;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const THINGS: &str = "/apis/example.com/v1/namespaces/default/things";

/// With a ConfigMap, and a kind of custom resources.
fn cluster() -> Cluster {
    let mut cluster = Cluster::new();
    cluster.create(MAPS, json!({ "metadata": { "name": "c" } }));
    let schema = json!({ "openAPIV3Schema": { "type": "object" } });
    let spec = json!({
        "group": "example.com", "scope": "Namespaced", "names": { "plural": "things", "kind": "Thing" },
        "versions": [{ "name": "v1", "served": true, "storage": true, "schema": schema }],
    });
    let definition = json!({ "metadata": { "name": "things.example.com" }, "spec": spec });
    cluster.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
    cluster
}

/// What comes of requests, a line each.
fn outcomes(requests: &[(&str, &str)]) -> String {
    let mut cluster = cluster();
    let outcome = |(method, path): &(&str, &str)| {
        let body = match *method {
            "POST" | "PUT" => r#"{ "metadata": { "name": "new" } }"#,
            "PATCH" => "{}",
            _ => "",
        };
        let content_type = if *method == "PATCH" { "application/merge-patch+json" } else { "" };
        let answer = cluster.send(HttpRequest { method, path, body, content_type, ..HttpRequest::default() });
        let message =
            answer.body["message"].as_str().unwrap_or(if answer.code < 300 { "" } else { answer.text.trim() });
        format!("{} {message}", answer.code).trim().to_owned()
    };
    requests.iter().map(outcome).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_resource_has_its_methods() {
    let not_allowed = "405 the server does not allow this method on the requested resource";
    let requests = [
        ("DELETE", "/api/v1/namespaces"),
        ("POST", "/api/v1/pods"),
        ("DELETE", "/api/v1/pods"),
        ("GET", "/apis/authorization.k8s.io/v1/subjectaccessreviews"),
        ("GET", "/api/v1/namespaces/default/finalize"),
        ("POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests/x/approval"),
        ("GET", "/api/v1/namespaces/default/pods/x/binding"),
        ("PUT", "/api/v1/componentstatuses/x"),
    ];
    assert_eq!(outcomes(&requests), [not_allowed; 8].join("\n"));
}

#[test]
fn custom_resources_have_a_handler_of_their_own() {
    let requests = [
        ("GET", "/apis/example.com/v1/namespaces/default/things/x/status"),
        ("PUT", THINGS),
        ("POST", "/apis/example.com/v1/things"),
        ("GET", "/apis/example.com/v1/things"),
        ("GET", "/apis/example.com/v9/namespaces/default/things"),
        ("GET", "/apis/apps/v9/namespaces/default/deployments"),
    ];
    assert_eq!(
        outcomes(&requests),
        "404 things.example.com \"x\" not found\n400 name must be provided\n404 404 page not found\n200\n404 404 page not \
         found\n404 the server could not find the requested resource"
    );
}

#[test]
fn numbers_and_truth_values_are_read_as_go_reads_them() {
    let of = |query: &str| outcomes(&[("GET", &format!("{MAPS}?{query}"))]);
    assert_eq!(of("limit="), "400 strconv.ParseInt: parsing \"\": invalid syntax");
    assert_eq!(of("timeoutSeconds=9223372036854775808").rsplit(": ").next(), Some("value out of range"));
    assert_eq!(of("watch=FALSE&limit=-1"), "200");
    assert_eq!(
        of("watch=yes&sendInitialEvents=0&resourceVersionMatch=Exact"),
        "422 ListOptions.meta.k8s.io \"\" is invalid: [resourceVersionMatch: Forbidden: sendInitialEvents requires setting \
         resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: \"Exact\": supported values: \
         \"NotOlderThan\"]"
    );
    let revision = |revision: &str| outcomes(&[("GET", &format!("{MAPS}/c?resourceVersion={revision}"))]);
    assert_eq!(revision("0"), "200");
    assert!(revision("x").starts_with("500 resourceVersion: Invalid value: \"x\": strconv.ParseUint"));
    assert!(revision("999999").starts_with("504 Timeout: Too large resource version: 999999, current: "));
}

#[test]
fn all_mistakes_of_options_are_told() {
    let requests = [
        ("POST", format!("{MAPS}?dryRun=All&dryRun=x&fieldManager=a%07&fieldValidation=x")),
        ("POST", format!("{MAPS}?dryRun=")),
        ("PATCH", format!("{MAPS}/c?force=")),
        ("DELETE", format!("{MAPS}/c?propagationPolicy=Never&orphanDependents=false&dryRun=Some")),
    ];
    assert_eq!(
        outcomes(&requests.each_ref().map(|(method, path)| (*method, path.as_str()))),
        "422 CreateOptions.meta.k8s.io \"\" is invalid: [fieldManager: Invalid value: \"a\\a\": invalid character U+0007 (at \
         position 1), dryRun: Unsupported value: [\"All\",\"x\"]: supported values: \"All\", fieldValidation: Unsupported \
         value: \"x\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"]\n\
         422 CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"\"]: supported values: \"All\"\n\
         422 PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch\n\
         422 DeleteOptions.meta.k8s.io \"\" is invalid: [propagationPolicy: Invalid value: \"Never\": orphanDependents and \
         deletionPropagation cannot be both set, propagationPolicy: Unsupported value: \"Never\": supported values: \
         \"Foreground\", \"Background\", \"Orphan\", \"nil\", dryRun: Unsupported value: [\"Some\"]: supported values: \"All\"]"
    );
}

#[test]
fn a_deletion_goes_by_its_body_or_its_query() {
    let mut cluster = cluster();
    let mut delete = |path: &str, body: &str, content_type: &str| {
        let answer = cluster.send(HttpRequest { method: "DELETE", path, body, content_type, ..HttpRequest::default() });
        format!("{} {}", answer.code, answer.body["message"].as_str().unwrap_or_default())
    };
    let path = format!("{MAPS}/c");
    assert_eq!(delete(&path, "{", ""), "500 couldn't get version/kind; json parse error: unexpected end of JSON input");
    assert!(
        delete(&path, "7", "").starts_with("500 couldn't get version/kind; json parse error: json: cannot unmarshal")
    );
    assert_eq!(
        delete(&path, r#"{ "gracePeriodSeconds": "x" }"#, ""),
        "500 json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64"
    );
    assert!(delete(&path, "{}", "text/plain").starts_with("415 the body of the request was in an unknown format"));
    // The body says nothing of a dry run.
    assert_eq!(delete(&format!("{path}?dryRun=All"), "{}", ""), "200 ");
    assert_eq!(delete(&path, "", ""), "404 configmaps \"c\" not found");
}

#[test]
fn dependents_are_orphaned_in_the_older_way_too() {
    let mut cluster = cluster();
    let body = json!({ "orphanDependents": true });
    let answer = cluster.ask("DELETE", &format!("{MAPS}/c"), body);
    assert_eq!(answer.body["metadata"]["finalizers"], json!(["orphan"]));
}

#[test]
fn a_table_holds_what_was_asked_for() {
    let mut cluster = cluster();
    let path = format!("{MAPS}?includeObject=All");
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let answer = cluster.send(HttpRequest { method: "GET", path: &path, accept, ..HttpRequest::default() });
    assert_eq!(
        answer.body["message"],
        "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be 'Metadata', 'Object', \
         'None', or empty"
    );
    assert_eq!(cluster.ask("GET", &path, Value::Null).code, 200);
}

#[test]
fn pods_are_selected_by_the_node_s_older_name() {
    let requests =
        [("GET", "/api/v1/pods?fieldSelector=spec.host=n"), ("GET", "/api/v1/pods?fieldSelector=spec.hosts=n")];
    assert_eq!(outcomes(&requests), "200\n400 field label not supported: spec.hosts");
}

#[test]
fn events_of_the_newer_group_are_checked_more_strictly() {
    const OLD: &str = "/api/v1/namespaces/default/events";
    const NEW: &str = "/apis/events.k8s.io/v1/namespaces/default/events";
    let mut cluster = Cluster::new();
    cluster.create(OLD, json!({ "metadata": { "name": "A_b" }, "involvedObject": { "namespace": "default" } }));
    let event = |name: &str| {
        json!({
            "metadata": { "name": name }, "regarding": { "kind": "Pod", "namespace": "default" }, "reason": "Up",
            "eventTime": "2026-01-01T00:00:00.000000Z", "action": "Start", "type": "Normal",
            "reportingController": "a.b/c", "reportingInstance": "c",
        })
    };
    let mut bad = event("A_b");
    (bad["type"], bad["deprecatedCount"], bad["series"]) = ("Odd".into(), 1.into(), json!({ "count": 1 }));
    let fields = |answer: Value| -> Vec<String> {
        let causes = answer["details"]["causes"].as_array().cloned().unwrap_or_default();
        causes.iter().map(|cause| cause["field"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let answer = cluster.ask("POST", NEW, bad).body;
    let expected = ["metadata.name", "series.count", "series.lastObservedTime", "type", "count"];
    assert_eq!(fields(answer), expected);

    let mut made = cluster.create(NEW, event("e"));
    made["reason"] = "Down".into();
    let answer = cluster.ask("PUT", &format!("{NEW}/e"), made).body;
    assert_eq!(answer["details"]["causes"][0]["message"], "Invalid value: \"Down\": field is immutable");
    assert_eq!(fields(answer), ["reason", "reason"]);
}

#[test]
fn clients_get_the_form_that_they_like_most() {
    let mut cluster = cluster();
    let path = format!("{MAPS}/c");
    let mut begins = |accept: &str| {
        let answer = cluster.send(HttpRequest { method: "GET", path: &path, accept, ..HttpRequest::default() });
        let word = answer.text.split_whitespace().next().unwrap_or_default();
        format!("{} {}", answer.code, word.chars().take(15).collect::<String>())
    };
    let (json, yaml, table) = (r#"200 {"kind":"Config"#, "200 apiVersion:", r#"200 {"kind":"Table""#);
    let table_first = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    assert_eq!(begins(""), json);
    assert_eq!(begins(table_first), table);
    assert_eq!(begins("application/yaml, application/json;q=0.9"), yaml);
    assert_eq!(begins("application/yaml;q=0.5, application/json"), json);
    assert_eq!(begins("*/*, application/yaml"), yaml);
    assert_eq!(begins("text/html, */*;q=0.1"), json);
    assert!(begins("text/html").starts_with("406"));
}
