//! Claims to devices, and what becomes of them.

use serde_json::{Value, json};

use crate::http::Cluster;

const CLAIMS: &str = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims";

fn claim(name: &str, fields: Value) -> Value {
    let mut exactly = json!({ "deviceClassName": "gpu.example.com" });
    exactly.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let devices = json!({ "requests": [{ "name": "gpu", "exactly": exactly }] });
    json!({ "metadata": { "name": name }, "spec": { "devices": devices } })
}

#[test]
fn administrators_claim_devices_in_marked_namespaces() {
    let mut cluster = Cluster::new();
    let admin = json!({ "adminAccess": true });
    assert_eq!(
        cluster.refused("POST", CLAIMS, claim("a", admin.clone())),
        "422 ResourceClaim.resource.k8s.io \"a\" is invalid: spec.devices.requests[0].adminAccess: Forbidden: admin access \
         to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace"
    );
    let labels = json!({ "resource.kubernetes.io/admin-access": "true" });
    cluster.create("/api/v1/namespaces", json!({ "metadata": { "name": "admins", "labels": labels } }));
    cluster.create(&CLAIMS.replace("default", "admins"), claim("a", admin));
}

/// The complaints about the status of an allocated device.
fn complaints(device: Value) -> String {
    let mut cluster = Cluster::new();
    let mut object = cluster.create(CLAIMS, claim("c", json!({})));
    let mut device = device;
    for (field, value) in [("driver", "gpu.example.com"), ("pool", "p"), ("device", "d")] {
        device[field] = value.into();
    }
    let result = json!({ "request": "gpu", "driver": "gpu.example.com", "pool": "p", "device": "d" });
    object["status"] = json!({ "allocation": { "devices": { "results": [result] } }, "devices": [device] });
    let answer = cluster.ask("PUT", &format!("{CLAIMS}/c/status"), object);
    let causes = answer.body["details"]["causes"].as_array().cloned().unwrap_or_default();
    let line = |cause: &Value| {
        let field = cause["field"].as_str().unwrap_or_default().replace("status.devices[0].", "");
        format!("{field}: {}", cause["message"].as_str().unwrap_or_default())
    };
    causes.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_status_of_a_device_is_checked() {
    let sound = json!({
        "type": "Ready", "status": "True", "reason": "Up:Now", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let network = json!({ "interfaceName": "eth0", "ips": ["10.0.0.1/24", "fd00::1/64"] });
    assert_eq!(complaints(json!({ "conditions": [sound.clone()], "networkData": network })), "");

    let network = json!({ "hardwareAddress": "a".repeat(129), "ips": ["10.0.0.1", "FD00::1/64", "fd00::1/64"] });
    assert_eq!(
        complaints(json!({ "networkData": network })),
        "networkData.hardwareAddress: Too long: may not be more than 128 bytes\n\
         networkData.ips[0]: Invalid value: \"10.0.0.1\": must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or \
         2001:db8::1/64)\n\
         networkData.ips[1]: Invalid value: \"FD00::1/64\": must be in canonical form (\"fd00::1/64\")\n\
         networkData.ips[2]: Duplicate value: \"fd00::1/64\""
    );
    let mut odd = sound.clone();
    (odd["status"], odd["reason"], odd["lastTransitionTime"]) = ("Maybe".into(), "7".into(), Value::Null);
    assert_eq!(
        complaints(json!({ "conditions": [sound, odd] })),
        "conditions[1].type: Duplicate value: \"Ready\"\n\
         conditions[1].status: Unsupported value: \"Maybe\": supported values: \"False\", \"True\", \"Unknown\"\n\
         conditions[1].lastTransitionTime: Required value: must be set\n\
         conditions[1].reason: Invalid value: \"7\": a condition reason must start with alphabetic character, optionally \
         followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. \
         'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is \
         '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"
    );
}

#[test]
fn an_attachment_may_have_its_volume_inline() {
    let mut cluster = Cluster::new();
    let path = "/apis/storage.k8s.io/v1/volumeattachments";
    let attach = |volume: Value| {
        let spec = json!({ "attacher": "a.example.com", "nodeName": "n", "source": { "inlineVolumeSpec": volume } });
        json!({ "metadata": { "name": "a" }, "spec": spec })
    };
    let volume = json!({ "capacity": { "storage": "1Gi" }, "storageClassName": "x", "hostPath": { "path": "/a" } });
    let causes = cluster.ask("POST", path, attach(volume)).body["details"]["causes"].clone();
    let fields: Vec<&str> = causes.as_array().unwrap().iter().map(|cause| cause["field"].as_str().unwrap()).collect();
    let inline = ["capacity", "csi", "accessModes", "storageClassName"];
    assert_eq!(fields, inline.map(|field| format!("spec.source.inlineVolumeSpec.{field}")));
    let csi = json!({ "driver": "a.example.com", "volumeHandle": "h" });
    cluster.create(path, attach(json!({ "csi": csi, "accessModes": ["ReadWriteOnce"] })));
}
