//! Hashes in names and labels, equal to upstream's: `pod-template-hash`, `controller-revision-hash`.

mod go_text;

use api::types::PodTemplateSpec;
use serde_json::Value;

/// Upstream's alphabet for names: no vowels and nothing that looks like one.
const ALPHANUMERICS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

const FNV_OFFSET: u32 = 2_166_136_261;
const FNV_PRIME: u32 = 16_777_619;

fn fnv1a(seed: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(FNV_PRIME))
}

fn fnv1(bytes: &[u8]) -> u32 {
    bytes.iter().fold(FNV_OFFSET, |hash, byte| hash.wrapping_mul(FNV_PRIME) ^ u32::from(*byte))
}

/// Writes text in the safe alphabet, each character by its code modulo 27. Upstream: `rand.SafeEncodeString`.
pub fn safe_encode(text: &str) -> String {
    text.bytes().map(|byte| char::from(ALPHANUMERICS[usize::from(byte) % ALPHANUMERICS.len()])).collect()
}

/// The hash of a template in the names of ReplicaSets and of a DaemonSet's revisions. Upstream:
/// `controller.ComputeHash`, over how Go prints the struct. The count is that of collisions so far.
pub fn of_template(template: &PodTemplateSpec, collision_count: i32) -> String {
    let value = api::wire::value_of(template);
    let mut hash = fnv1a(FNV_OFFSET, go_text::of_template(&value).as_bytes());
    if collision_count > 0 {
        hash = fnv1a(hash, &i64::from(collision_count).to_le_bytes());
    }
    safe_encode(&hash.to_string())
}

/// The hash in the names of a StatefulSet's revisions. Upstream: `history.HashControllerRevision`, over the stored JSON.
pub fn of_revision(data: &Value, collision_count: i32) -> String {
    let text = format!("{}{collision_count}", api::wire::go_document(data));
    safe_encode(&fnv1(text.as_bytes()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What the API server makes of a template with this container.
    fn template(container: &Value) -> PodTemplateSpec {
        let mut template = json!({
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "containers": [{
                    "resources": {},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                    "imagePullPolicy": "IfNotPresent",
                }],
                "restartPolicy": "Always",
                "terminationGracePeriodSeconds": 30,
                "dnsPolicy": "ClusterFirst",
                "securityContext": {},
                "schedulerName": "default-scheduler",
            },
        });
        let fields = template["spec"]["containers"][0].as_object_mut().expect("an object");
        fields.extend(container.as_object().expect("an object").clone());
        serde_json::from_value(template).expect("a template")
    }

    #[test]
    fn names_use_the_safe_alphabet() {
        assert_eq!(safe_encode("0123456789"), "456789bcdf");
    }

    #[test]
    fn templates_hash_as_on_a_real_cluster() {
        let app = |image: &str| {
            let ports = json!([{"containerPort": 8080, "protocol": "TCP"}]);
            template(&json!({"name": "app", "image": image, "ports": ports}))
        };
        for (image, hash) in [("app:1", "f798c7cfb"), ("app:2", "65497b9567"), ("app:3", "8d4577c7d")] {
            assert_eq!(of_template(&app(image), 0), hash, "{image}");
        }
        let nginx = template(&json!({
            "name": "nginx",
            "image": "nginx:1.28",
            "ports": [{"containerPort": 80, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}},
        }));
        assert_eq!(of_template(&nginx, 0), "85c894db4");
        assert_ne!(of_template(&nginx, 1), "85c894db4", "a collision changes the hash");
    }

    #[test]
    fn the_collision_count_belongs_to_a_revision_s_hash() {
        let data = json!({"spec": {"template": {"$patch": "replace"}}});
        assert_ne!(of_revision(&data, 0), of_revision(&data, 1));
    }
}
