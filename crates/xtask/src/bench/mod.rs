//! `cargo xtask bench`: one line of `KEY=VALUE` for each run.

mod page;

use std::path::PathBuf;

use anyhow::bail;
use lexopt::ValueExt as _;
use xshell::{Shell, cmd};

use crate::{fresh, wasm_tools, workspace};

/// What `crates/bench` measures when no name is given; the page comes after.
const CORE: &[&str] = &["deploy", "idle", "api", "watch", "list"];
/// What `api` measures, a run each, when no verb is given.
const VERBS: &[&str] = &["create", "get", "list", "merge", "strategic", "json", "apply"];
const PAGE: &str = "page";
const TARGETS: &[&str] = &["native", "wasm", "http"];

const WASM: &str = "wasm32-unknown-unknown";

pub struct Options {
    names: Vec<String>,
    native: bool,
    wasm: bool,
    /// Over connections to a server, where a run has requests.
    http: bool,
    /// `KEY=VALUE` words, handed on.
    parameters: Vec<String>,
}

impl Options {
    pub fn parse(mut arguments: lexopt::Parser) -> anyhow::Result<Options> {
        let mut options = Options { names: Vec::new(), native: true, wasm: true, http: true, parameters: Vec::new() };
        while let Some(argument) = arguments.next()? {
            match argument {
                lexopt::Arg::Long("target") => {
                    let target = arguments.value()?.string()?;
                    if !TARGETS.contains(&target.as_str()) {
                        bail!("--target is one of {}, not {target:?}", TARGETS.join(", "));
                    }
                    let is = |one: &str| target == one;
                    (options.native, options.wasm, options.http) = (is("native"), is("wasm"), is("http"));
                }
                lexopt::Arg::Value(word) => {
                    let word = word.string()?;
                    let words = if word.contains('=') { &mut options.parameters } else { &mut options.names };
                    words.push(word);
                }
                _ => return Err(argument.unexpected().into()),
            }
        }
        if options.names.is_empty() {
            options.names = CORE.iter().chain(&[PAGE]).map(|name| (*name).to_owned()).collect();
        }
        Ok(options)
    }
}

impl Options {
    /// The parameters of each run that a name stands for.
    fn runs(&self, name: &str) -> Vec<Vec<String>> {
        if name != "api" || self.parameters.iter().any(|word| word.starts_with("verb=")) {
            return vec![self.parameters.clone()];
        }
        VERBS.iter().map(|verb| [&[format!("verb={verb}")], self.parameters.as_slice()].concat()).collect()
    }
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let shell = workspace::shell()?;
    for name in &options.names {
        if name == PAGE {
            page::run(&shell)?;
            continue;
        }
        for parameters in options.runs(name) {
            if options.native {
                native(&shell, name, &parameters)?;
            }
            if options.wasm {
                wasm(&shell, name, &parameters)?;
            }
            if options.http && name == "api" {
                http(&shell, &parameters)?;
            }
        }
    }
    Ok(())
}

/// The time first, and the memory of a second run: counting it takes time of its own.
fn native(shell: &Shell, name: &str, parameters: &[String]) -> anyhow::Result<()> {
    let run = |program: &str| {
        cmd!(shell, "cargo run --quiet --release --package bench --bin {program} -- {name} {parameters...}")
            .quiet()
            .read()
    };
    println!("{} {}", run("bench")?, run("heap")?);
    Ok(())
}

/// The server and its clients share the machine.
fn http(shell: &Shell, parameters: &[String]) -> anyhow::Result<()> {
    cmd!(shell, "cargo build --quiet --release --package server").quiet().run()?;
    let server = workspace::target().join("release/server");
    Ok(cmd!(shell, "cargo run --quiet --release --package bench --bin http -- {server} {parameters...}")
        .quiet()
        .run()?)
}

/// Compiled as the page's worker is, run by Node's V8, which is Chromium's.
fn wasm(shell: &Shell, name: &str, parameters: &[String]) -> anyhow::Result<()> {
    let script = node_module(shell)?;
    Ok(cmd!(shell, "node crates/bench/run.mjs {script} {name} {parameters...}").quiet().run()?)
}

fn node_module(shell: &Shell) -> anyhow::Result<PathBuf> {
    fresh::wasm_target(shell)?;
    fresh::node(shell)?;
    let wasm_bindgen = wasm_tools::install(shell)?.join("wasm-bindgen");
    cmd!(shell, "cargo build --quiet --package bench --lib --target {WASM} --profile wasm").quiet().run()?;
    let built = workspace::target().join(WASM).join("wasm");
    let (input, out) = (built.join("bench.wasm"), built.join("bound/bench"));
    cmd!(shell, "{wasm_bindgen} {input} --target nodejs --no-typescript --out-dir {out}").quiet().run()?;
    Ok(out.join("bench.js"))
}
