//! Image references, normalised as Docker does it. Upstream: `github.com/distribution/reference`.

use std::fmt;

/// A normalised reference such as `docker.io/library/nginx:1.27` or `quay.io/app@sha256:…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageReference {
    /// Registry host with port: `docker.io`, `localhost:5000`.
    pub registry: String,
    /// Path in the registry: `library/nginx`.
    pub path: String,
    /// `latest` unless given; `None` when there is a digest and no tag.
    pub tag: Option<String>,
    /// `sha256:…`.
    pub digest: Option<String>,
}

impl ImageReference {
    /// Parses what a user wrote. The error is the text after `couldn't parse image name "…": `.
    ///
    /// # Errors
    ///
    /// `invalid reference format`, `… repository name must be lowercase`, and the like.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const INVALID: &str = "invalid reference format";
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(INVALID);
        }
        let slash = rest.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match rest[slash..].split_once(':') {
            Some((_, tag)) => (&rest[..rest.len() - tag.len() - 1], Some(tag)),
            None => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(INVALID);
        }
        let (registry, path) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path.to_owned()),
            Some(_) => ("docker.io", name.to_owned()),
            None => ("docker.io", format!("library/{name}")),
        };
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        if name.is_empty() || !is_host(registry) {
            return Err(INVALID);
        }
        if path.chars().any(|c| c.is_ascii_uppercase()) {
            return Err("invalid reference format: repository name must be lowercase");
        }
        if !path.split('/').all(is_path_component) {
            return Err(INVALID);
        }
        let path = if registry == "docker.io" && !path.contains('/') { format!("library/{path}") } else { path };
        if registry.len() + path.len() + 1 > 255 {
            return Err("repository name must not be more than 255 characters");
        }
        let tag = tag.or(if digest.is_none() { Some("latest") } else { None });
        Ok(Self { registry: registry.to_owned(), path, tag: tag.map(str::to_owned), digest: digest.map(str::to_owned) })
    }

    /// Registry and path: `docker.io/library/nginx`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.registry, self.path)
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    !algorithm.is_empty() && hex.len() >= 32 && hex.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
    let label = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    name.split('.').all(label) && port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

/// Lower-case letters and digits, separated by one `.`, one or two `_`, or any number of `-`.
fn is_path_component(text: &str) -> bool {
    let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    if !alphanumeric(first) || !alphanumeric(last) {
        return false;
    }
    bytes
        .split(alphanumeric)
        .all(|separator| matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::ImageReference;
    use expect_test::{Expect, expect};

    fn check(input: &[&str], expected: Expect) {
        let lines: Vec<String> = input
            .iter()
            .map(|text| match ImageReference::parse(text) {
                Ok(reference) => format!("{text} -> {reference}\n"),
                Err(error) => format!("{text} -> ERROR {error}\n"),
            })
            .collect();
        expected.assert_eq(&lines.concat());
    }

    #[test]
    fn normalises() {
        check(
            &[
                "nginx",
                "nginx:1.27",
                "bitnami/redis",
                "localhost:5000/app",
                "localhost/app:v1",
                "quay.io/a/b_c--d/e.f:2",
                "index.docker.io/nginx",
                "docker.io/nginx",
                "nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            ],
            expect![[r#"
                nginx -> docker.io/library/nginx:latest
                nginx:1.27 -> docker.io/library/nginx:1.27
                bitnami/redis -> docker.io/bitnami/redis:latest
                localhost:5000/app -> localhost:5000/app:latest
                localhost/app:v1 -> localhost/app:v1
                quay.io/a/b_c--d/e.f:2 -> quay.io/a/b_c--d/e.f:2
                index.docker.io/nginx -> docker.io/library/nginx:latest
                docker.io/nginx -> docker.io/library/nginx:latest
                nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef -> docker.io/library/nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
            "#]],
        );
    }

    #[test]
    fn rejects() {
        check(
            &["", "Nginx", "nginx:", "nginx:a b", "nginx:la:test", "a//b", "-a", "nginx@sha256:12", "a..b", "[x]"],
            expect![[r#"
                 -> ERROR invalid reference format
                Nginx -> ERROR invalid reference format: repository name must be lowercase
                nginx: -> ERROR invalid reference format
                nginx:a b -> ERROR invalid reference format
                nginx:la:test -> ERROR invalid reference format
                a//b -> ERROR invalid reference format
                -a -> ERROR invalid reference format
                nginx@sha256:12 -> ERROR invalid reference format
                a..b -> ERROR invalid reference format
                [x] -> ERROR invalid reference format
            "#]],
        );
    }
}
