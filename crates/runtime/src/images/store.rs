//! The images that a node has.

use crate::SimTime;
use std::fmt;

/// An image as resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `sha256:…`, of the configuration.
    pub id: String,
}

/// An image on the node, for `node.status.images` and image garbage collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageStatus {
    pub id: String,
    /// `docker.io/library/nginx:1.27`.
    pub tags: Vec<String>,
    /// `docker.io/library/nginx@sha256:…`.
    pub digests: Vec<String>,
    pub size_bytes: u64,
    /// The default user of its containers; `None` for a user name.
    pub uid: Option<u32>,
    pub user_name: String,
    pub pulled_at: SimTime,
    pub last_used_at: SimTime,
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
