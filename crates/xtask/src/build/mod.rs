//! `cargo xtask build`: the page as static files.
//!
//! Every asset carries its content's hash in its name; `index.html` alone names assets, relative to itself. So the
//! folder works under any path of any static host, and everything but `index.html` may be cached for ever.

mod compress;
mod page;
mod scripts;
mod split;
mod wasm;

use std::fs;
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::{fresh, npm, wasm_tools, workspace};

/// Published beside the page, under a name that editors can be told.
const SCENARIO_SCHEMA: &str = "crates/protocol/scenario.v1.schema.json";

pub struct Options {
    /// Compile quickly instead of small: unoptimised, with debug info, not compressed.
    pub dev: bool,
    /// The folder to write, relative to the repository.
    pub out: PathBuf,
}

impl Options {
    pub fn parse(mut arguments: lexopt::Parser) -> anyhow::Result<Options> {
        let mut options = Options { dev: false, out: "dist".into() };
        while let Some(argument) = arguments.next()? {
            match argument {
                lexopt::Arg::Long("dev") => options.dev = true,
                lexopt::Arg::Long("out") => options.out = arguments.value()?.into(),
                _ => return Err(argument.unexpected().into()),
            }
        }
        Ok(options)
    }
}

/// One file of the page.
pub struct Asset {
    /// What `index.html` calls it between braces, such as `worker.js`.
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Asset {
    /// The file's name with its content's hash before the extension: `worker.3fa9c1d20b7e6a54.js`.
    pub fn hashed_name(&self) -> String {
        let mut hasher = rustc_hash::FxHasher::default();
        hasher.write(&self.bytes);
        let (stem, extension) = self.name.rsplit_once('.').unwrap_or((&self.name, "bin"));
        format!("{stem}.{:016x}.{extension}", hasher.finish())
    }
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let shell = workspace::shell()?;
    fresh::wasm_target(&shell)?;
    npm::install(&shell, "web")?;
    let tools = wasm_tools::install(&shell)?;

    let compiled = wasm::compile(&shell, &tools, options.dev)?;
    let mut assets = scripts::bundle(&shell, &compiled, options.dev)?;
    // Undivided, the core never asks for its rest.
    let rest = if options.dev { Vec::new() } else { split::run(&shell, wasm::core(&compiled)?)? };
    assets.push(Asset { name: "worker_rest.wasm".into(), bytes: rest });
    for unit in &compiled {
        let bytes = fs::read(&unit.wasm).with_context(|| unit.wasm.display().to_string())?;
        assets.push(Asset { name: format!("{}_bg.wasm", unit.package), bytes });
    }
    let index = page::index_html(&assets)?;

    let out = workspace::root().join(&options.out);
    write(&out, &index, &assets)?;
    if !options.dev {
        compress::every_file(&shell, &out)?;
    }
    Ok(())
}

/// Makes the folder hold exactly these files: what an earlier build left would be published too. Compressed copies of
/// unchanged files stay, since a name stands for its content.
fn write(out: &Path, index: &str, assets: &[Asset]) -> anyhow::Result<()> {
    fs::create_dir_all(out)?;
    let names: Vec<String> = assets.iter().map(Asset::hashed_name).collect();
    for file in fs::read_dir(out)? {
        let file = file?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let original = name.trim_end_matches(".br").trim_end_matches(".gz");
        if !names.iter().any(|kept| kept == original) {
            fs::remove_file(&file).with_context(|| format!("{} is not a file of the page", file.display()))?;
        }
    }
    for (name, asset) in names.iter().zip(assets) {
        fs::write(out.join(name), &asset.bytes)?;
    }
    fs::write(out.join("index.html"), index)?;
    fs::copy(workspace::root().join(SCENARIO_SCHEMA), out.join("scenario.v1.schema.json"))?;
    // Tells GitHub Pages to serve the files as they are.
    Ok(fs::write(out.join(".nojekyll"), "")?)
}
