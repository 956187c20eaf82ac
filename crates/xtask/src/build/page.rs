//! `index.html`: the one file that names the others.

use std::fs;

use anyhow::{Context as _, bail};

use super::Asset;
use crate::workspace;

/// The page with every `{{placeholder}}` filled in.
pub fn index_html(assets: &[Asset]) -> anyhow::Result<String> {
    let template = workspace::root().join("index.html");
    let template = fs::read_to_string(&template).with_context(|| template.display().to_string())?;
    fill_in(&template, assets)
}

fn fill_in(template: &str, assets: &[Asset]) -> anyhow::Result<String> {
    let mut page = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (placeholder, after) = after.split_once("}}").context("index.html: a {{ without its }}")?;
        page.push_str(before);
        page.push_str(&value(placeholder.trim(), assets)?);
        rest = after;
    }
    page.push_str(rest);
    Ok(page)
}

fn value(placeholder: &str, assets: &[Asset]) -> anyhow::Result<String> {
    if placeholder == "version" {
        return Ok(workspace::VERSION.to_owned());
    }
    let (name, property) = placeholder.split_once(':').unwrap_or((placeholder, "name"));
    let Some(asset) = assets.iter().find(|asset| asset.name == name) else {
        bail!("index.html names the asset {name:?}, which the build does not make");
    };
    match property {
        "name" => Ok(asset.hashed_name()),
        "size" => Ok(asset.bytes.len().to_string()),
        other => bail!("index.html asks for {other:?} of {name}: only its name and size are known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(template: &str) -> String {
        let assets = [Asset { name: "core.wasm".into(), bytes: b"\0asm".to_vec() }];
        fill_in(template, &assets).unwrap_or_else(|error| format!("error: {error}"))
    }

    #[test]
    fn placeholders_become_names_and_sizes() {
        let hashed = Asset { name: "core.wasm".into(), bytes: b"\0asm".to_vec() }.hashed_name();
        assert_eq!(page("<a {{core.wasm}} {{ core.wasm:size }}>"), format!("<a {hashed} 4>"));
        assert_eq!(page("v{{version}}"), format!("v{}", workspace::VERSION));
    }

    #[test]
    fn unknown_placeholders_are_errors() {
        assert!(page("{{other.js}}").contains("the build does not make"));
        assert!(page("{{core.wasm:colour}}").contains("only its name and size"));
        assert!(page("{{core.wasm").contains("without its }}"));
    }

    #[test]
    fn a_name_changes_with_its_content() {
        let name = |bytes: &[u8]| Asset { name: "a.js".into(), bytes: bytes.to_vec() }.hashed_name();
        assert_eq!(name(b"one"), name(b"one"));
        assert_ne!(name(b"one"), name(b"two"));
    }
}
