//! From a reference to an image, or to the error that containerd gives.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use super::catalogue;
use super::reference::ImageReference;
use super::spec::{Base, Behaviour, ImageSpec, Stop};
use super::tags::tag_matches;
use crate::name_hash::{hash_text, hex_digest};

/// What an image is that no row of the catalogue describes.
static UNKNOWN: ImageSpec = ImageSpec {
    cmd: &["server"],
    programs: &["server"],
    behaviour: Behaviour::Text { body: "Hello from {hostname}\n", content_type: "text/plain" },
    tools: &["curl"],
    startup_ms: 500,
    memory_mb: 30,
    ports: &[8080],
    ports_vary: true,
    is_known: false,
    ..ImageSpec::DEFAULT
};

/// What every image of a hollow node is.
static HOLLOW: ImageSpec = ImageSpec {
    base: Base::Scratch,
    entrypoint: &["hollow"],
    programs: &["hollow"],
    behaviour: Behaviour::Hollow,
    size_kb: 0,
    startup_ms: 0,
    memory_mb: 0,
    stop: Stop::After { ms: 0, code: 0 },
    ..ImageSpec::DEFAULT
};

static BY_REPOSITORY: LazyLock<BTreeMap<&'static str, &'static ImageSpec>> = LazyLock::new(|| {
    catalogue::rows().flat_map(|spec| spec.repositories.iter().map(move |name| (*name, spec))).collect()
});

/// An image as a registry describes it.
#[derive(Clone, Debug)]
pub struct Image {
    /// `sha256:…`, of the configuration.
    pub id: Arc<str>,
    /// `docker.io/library/nginx@sha256:…`.
    pub repository_digest: Arc<str>,
    /// `docker.io/library/nginx:1.27`.
    pub reference: Arc<str>,
    /// The tag, for programs that tell their version.
    pub tag: Arc<str>,
    pub size_bytes: u64,
    pub spec: &'static ImageSpec,
}

impl Image {
    /// The image of a hollow node, which goes by the name that the user wrote; `None` for what is no image's name.
    pub(super) fn hollow(name: &str) -> Option<Image> {
        let reference = ImageReference::parse(name).ok()?;
        let written: Arc<str> = name.into();
        Some(Image {
            id: written.clone(),
            repository_digest: written.clone(),
            reference: written,
            tag: reference.tag.unwrap_or_default().into(),
            size_bytes: 0,
            spec: &HOLLOW,
        })
    }
}

/// What a registry answers.
#[derive(Clone, Debug)]
pub enum Resolution {
    Found(Image),
    Failed(PullError),
}

/// Looks an image up by what the user wrote.
pub fn resolve(image: &str) -> Resolution {
    let reference = match ImageReference::parse(image) {
        Ok(reference) => reference,
        Err(text) => {
            return Resolution::Failed(PullError::InvalidName { image: image.to_owned(), text: text.to_owned() });
        }
    };
    let repository = reference.repository();
    let tag = reference.tag.clone().unwrap_or_default();
    let name = reference.to_string();
    let spec = BY_REPOSITORY.get(repository.as_str()).copied();
    if let Some(spec) = spec
        && reference.tag.is_some()
        && (!tag_matches(spec.tags, &tag) && !is_major_version(&tag) || is_nonsense(&tag))
    {
        return Resolution::Failed(PullError::NotFound { reference: name });
    }
    if spec.is_none() {
        if is_private(&reference) {
            return Resolution::Failed(PullError::Denied { reference: name });
        }
        if is_nonsense(&tag) {
            return Resolution::Failed(PullError::NotFound { reference: name });
        }
    }
    let digest = reference.digest.clone().unwrap_or_else(|| format!("sha256:{}", hex_digest(&name)));
    let size_bytes = match spec {
        Some(spec) => spec.size_kb * 1000 * (97 + hash_text(&tag) % 7) / 100 * base_share(&tag) / 100,
        None => 20_000_000 + hash_text(&repository) % 180_000_000,
    };
    Resolution::Found(Image {
        id: Arc::from(format!("sha256:{}", hex_digest(&format!("config {name}")))),
        repository_digest: Arc::from(format!("{repository}@{digest}")),
        reference: Arc::from(name),
        tag: Arc::from(tag),
        size_bytes,
        spec: spec.unwrap_or(&UNKNOWN),
    })
}

/// Per cent of the usual size that variants on a smaller base have.
fn base_share(tag: &str) -> u64 {
    match () {
        () if tag.contains("alpine") => 35,
        () if tag.contains("slim") => 45,
        () => 100,
    }
}

/// Versions that the catalogue has not heard of yet: `nginx:2`.
fn is_major_version(tag: &str) -> bool {
    (1..=2).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_digit())
}

/// Repositories that do not exist or look private: nonsense or a slip of the pen for an official name, or a name that says
/// so. Any other short name is taken for an image that the user has made.
fn is_private(reference: &ImageReference) -> bool {
    let official = if reference.registry == "docker.io" { reference.path.strip_prefix("library/") } else { None };
    official.is_some_and(|name| is_nonsense(name) || is_slip(name))
        || reference.path.split(['/', '-']).any(|part| part == "private")
}

/// Whether a name is one or two letters away from a known official one.
fn is_slip(name: &str) -> bool {
    const LETTERS_MIN: usize = 4;
    let official = BY_REPOSITORY.keys().filter_map(|known| known.strip_prefix("docker.io/library/"));
    official.filter(|known| known.len() >= LETTERS_MIN).any(|known| (1..=2).contains(&distance(known, name)))
}

/// Levenshtein's: how many letters are changed, added or left out.
fn distance(known: &str, name: &str) -> usize {
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (at, letter) in known.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, other) in name.bytes().enumerate() {
            let changed = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[name.len()]
}

/// Names that tests and tutorials use for what does not exist.
pub(crate) fn is_nonsense(name: &str) -> bool {
    const WORDS: [&str; 10] = [
        "doesnotexist",
        "does-not-exist",
        "nonexistent",
        "non-existent",
        "notfound",
        "not-exist",
        "invalid",
        "bogus",
        "nosuch",
        "not-found",
    ];
    WORDS.iter().any(|word| name.contains(word))
}

/// Why an image could not be pulled. Prints as the kubelet shows it: containerd's gRPC error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullError {
    /// The reference does not parse: the kubelet's `InvalidImageName`. Holds the parser's text.
    InvalidName { image: String, text: String },
    /// The repository exists, the tag does not.
    NotFound { reference: String },
    /// No such repository, or a private one.
    Denied { reference: String },
    /// The registry does not answer.
    Unreachable { reference: String, registry: String },
    /// Docker Hub's pull limit.
    RateLimited { reference: String },
}

impl fmt::Display for PullError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidName { image, text } => write!(f, "couldn't parse image name \"{image}\": {text}"),
            Self::NotFound { reference: r } => write!(
                f,
                "rpc error: code = NotFound desc = failed to pull and unpack image \"{r}\": \
                 failed to resolve reference \"{r}\": {r}: not found"
            ),
            Self::Denied { reference: r } => write!(
                f,
                "rpc error: code = Unknown desc = failed to pull and unpack image \"{r}\": failed to resolve \
                 reference \"{r}\": pull access denied, repository does not exist or may require authorization: \
                 server message: insufficient_scope: authorization failed"
            ),
            Self::Unreachable { reference: r, registry } => {
                let host = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
                write!(
                    f,
                    "rpc error: code = DeadlineExceeded desc = failed to pull and unpack image \"{r}\": failed to \
                     resolve reference \"{r}\": failed to do request: Head \"https://{host}/v2/\": dial tcp: \
                     lookup {host}: i/o timeout"
                )
            }
            Self::RateLimited { reference: r } => write!(
                f,
                "rpc error: code = Unknown desc = failed to pull and unpack image \"{r}\": failed to copy: \
                 httpReadSeeker: failed open: unexpected status code: 429 Too Many Requests - Server message: \
                 toomanyrequests: You have reached your unauthenticated pull rate limit. \
                 https://www.docker.com/increase-rate-limit"
            ),
        }
    }
}

impl std::error::Error for PullError {}

#[cfg(test)]
mod tests {
    use super::{Resolution, resolve};
    use expect_test::{Expect, expect};

    fn check(images: &[&str], expected: Expect) {
        let missing: Vec<&str> =
            images.iter().filter(|image| !matches!(resolve(image), Resolution::Found(_))).copied().collect();
        expected.assert_eq(&missing.join(" "));
    }

    #[test]
    fn images_of_real_manifests_exist() {
        check(
            &[
                "nginx:1.14.2",
                "nginx:1.16.1",
                "nginx:1.27-alpine",
                "nginx:1.29.1-alpine-slim",
                "nginx:stable-perl",
                "nginx:alpine",
                "nginx:mainline-alpine3.22",
                "nginx:1.27.0-bookworm",
                "httpd:2.4",
                "httpd:2.4-alpine",
                "httpd:alpine",
                "busybox",
                "busybox:1.28",
                "busybox:1.36.1",
                "busybox:musl",
                "alpine:3.20.1",
                "ubuntu:24.04",
                "ubuntu:jammy",
                "debian:12-slim",
                "debian:bookworm-slim",
                "redis:6.0.5",
                "redis:7-alpine",
                "redis:7.2.4-bookworm",
                "docker.io/redis:6.0.5",
                "registry.k8s.io/redis:e2e",
                "postgres:16-alpine",
                "postgres:9.6",
                "postgres:15.3",
                "mysql:5.6",
                "mysql:5.7.44",
                "mysql:8.0",
                "mysql:8.0-debian",
                "mysql:9",
                "mariadb:11.4",
                "mariadb:10.6.4-focal",
                "mongo:4.4",
                "mongo:7.0-jammy",
                "memcached:1.6-alpine",
                "rabbitmq:3-management",
                "rabbitmq:3.13-management-alpine",
                "wordpress:4.8-apache",
                "wordpress:6.2.1-apache",
                "wordpress:php8.2-apache",
                "php:8.2-apache",
                "php:7.4-fpm-alpine",
                "python:3.12-slim",
                "python:3.9-slim-buster",
                "node:20-alpine",
                "node:18.17-bookworm-slim",
                "golang:1.22",
                "golang:1.23-alpine3.20",
                "openjdk:17",
                "perl:5.34.0",
                "traefik:v3.1",
                "haproxy:2.9-alpine",
                "envoyproxy/envoy:v1.30.1",
                "curlimages/curl:8.8.0",
                "registry.k8s.io/pause:3.10",
                "registry.k8s.io/e2e-test-images/agnhost:2.53",
                "gcr.io/google-samples/hello-app:2.0",
                "gcr.io/google-samples/gb-frontend:v4",
                "us-docker.pkg.dev/google-samples/containers/gke/gb-frontend:v5",
                "us-central1-docker.pkg.dev/google-samples/microservices-demo/cartservice:v0.10.2",
                "nicolaka/netshoot:v0.13",
                "hashicorp/http-echo:0.2.3",
                "kennethreitz/httpbin",
                "stefanprodan/podinfo:6.7.0",
                "jmalloc/echo-server",
                "registry.k8s.io/ingress-nginx/controller:v1.11.2",
                "registry.k8s.io/coredns/coredns:v1.12.1",
                "coredns/coredns:1.11.3",
                "registry.k8s.io/nginx-slim:0.24",
                "registry.k8s.io/hpa-example",
                "polinux/stress",
                "vish/stress",
                "registry.k8s.io/kube-proxy:v1.36.0",
                "prom/prometheus:v2.53.0",
                "kicbase/echo-server:1.0",
                "registry.k8s.io/e2e-test-images/jessie-dnsutils:1.7",
                "gcr.io/kuar-demo/kuard-amd64:blue",
                "quay.io/fluentd_elasticsearch/fluentd:v5.0.1",
                "mycompany/api:2024-05-01",
                "ghcr.io/team/app",
                "app:2",
                "c:1",
                "web",
                "hello-app",
                "nginx:2",
                "redis:9",
            ],
            expect![[r#""#]],
        );
    }

    #[test]
    fn nonsense_does_not_exist() {
        check(
            &[
                "nginx:1.161",
                "nginx:161",
                "nginx:doesnotexist",
                "ngnix",
                "ngix:1.27",
                "redi",
                "bogus",
                "private-app",
                "team/private:1",
                "app/x:nonexistent",
            ],
            expect![[r#"
                nginx:1.161 nginx:161 nginx:doesnotexist ngnix ngix:1.27 redi bogus private-app team/private:1 app/x:nonexistent"#]],
        );
    }
}
