//! `cargo xtask`: builds, serves, tests and measures Tabernetes.
//!
//! It runs natively on a developer's machine and has few dependencies, so that it compiles in seconds; the heavy
//! WebAssembly tools are a workspace of their own (`wasm-tools`), compiled only when a command needs them.
#![expect(clippy::disallowed_methods, reason = "a native tool: it has a clock, threads and an environment")]

mod bench;
mod build;
mod chromium;
mod fresh;
mod npm;
mod serve;
mod test;
mod tidy;
mod wasm_tools;
mod workspace;

use std::process::ExitCode;

use lexopt::ValueExt as _;

const HELP: &str = "\
cargo xtask <command>

  serve [--port 8080] [--dev] [--open]       build the page if needed and serve it on this machine
  build [--dev] [--out dist]                 build the page: static files for any host and any path
  test [NAME…]                               run every test suite, or those named:
                                             fmt tidy clippy native scenarios wasm parity browser
  bench [NAME…] [--target native|wasm|http] [-- KEY=VALUE…]
                                             run the benchmarks, one line each: deploy idle api watch list page
  tidy                                       check file lengths, crate edges and other house rules
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut arguments = lexopt::Parser::from_env();
    let command = match arguments.next()? {
        Some(lexopt::Arg::Value(command)) => command.string()?,
        _ => {
            print!("{HELP}");
            return Ok(());
        }
    };
    match command.as_str() {
        "serve" => serve::run(serve::Options::parse(arguments)?),
        "build" => build::run(&build::Options::parse(arguments)?),
        "test" => test::run(&test::Options::parse(arguments)?),
        "bench" => bench::run(&bench::Options::parse(arguments)?),
        "tidy" => tidy::run(),
        other => anyhow::bail!("there is no command {other:?}\n\n{HELP}"),
    }
}
