//! The page's scripts and styles, bundled by esbuild: one file per entry, so that the rare ones load when first used.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use super::Asset;
use super::wasm::Compiled;
use crate::{npm, workspace};

/// Bundles `web/styles/main.css`, each `web/js/*.js`, and the page's own wasm-bindgen script.
pub fn bundle(shell: &Shell, compiled: &[Compiled], dev: bool) -> anyhow::Result<Vec<Asset>> {
    let mut assets = Vec::new();
    for (name, entry) in entries(compiled)? {
        let bytes = esbuild(shell, compiled, &entry, dev)?;
        assets.push(Asset { name, bytes });
    }
    Ok(assets)
}

/// Asset names and the files that they are made from, in the order of the names.
fn entries(compiled: &[Compiled]) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let web = workspace::root().join("web");
    let mut entries = vec![("styles.css".to_owned(), web.join("styles/main.css"))];
    for file in fs::read_dir(web.join("js"))? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "js") {
            entries.push((file_name(&file), file));
        }
    }
    entries.extend(compiled.iter().filter(|unit| unit.package == "web").map(|unit| {
        let name = file_name(&unit.script);
        (name, unit.script.clone())
    }));
    entries.sort();
    Ok(entries)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn esbuild(shell: &Shell, compiled: &[Compiled], entry: &Path, dev: bool) -> anyhow::Result<Vec<u8>> {
    let esbuild = npm::program("web", "esbuild");
    let mut options: Vec<OsString> = vec!["--log-level=warning".into(), "--target=es2022".into()];
    options.push(if dev { "--sourcemap=inline".into() } else { "--minify".into() });
    if entry.extension().is_some_and(|extension| extension == "js") {
        options.push("--format=esm".into());
    }
    for unit in compiled {
        // A script imports its wasm's JavaScript as `worker-glue`, wherever the build has put that.
        let mut alias = OsString::from(format!("--alias:{}-glue=", unit.package));
        alias.push(&unit.script);
        options.push(alias);
    }
    // wasm-bindgen's snippets lie below the target folder and import npm packages all the same.
    let packages = workspace::root().join("web/node_modules");
    Ok(cmd!(shell, "{esbuild} {entry} --bundle {options...}").env("NODE_PATH", packages).quiet().output()?.stdout)
}
