//! `cargo xtask test`: every suite, with what a fresh machine lacks installed on the way.
//!
//! A suite that fails does not stop the others; the summary names each with its time.

mod browser;
mod native;
mod style;
mod wasm;

use std::time::{Duration, Instant};

use anyhow::bail;
use lexopt::ValueExt as _;
use xshell::Shell;

use crate::{tidy, workspace};

struct Suite {
    name: &'static str,
    run: fn(&Shell) -> anyhow::Result<()>,
}

/// In the order in which they run: what fails fast comes first.
const SUITES: &[Suite] = &[
    Suite { name: "fmt", run: style::fmt },
    Suite { name: "tidy", run: |_| tidy::run() },
    Suite { name: "clippy", run: style::clippy },
    Suite { name: "native", run: native::units },
    Suite { name: "scenarios", run: native::scenarios },
    Suite { name: "wasm", run: wasm::units },
    Suite { name: "parity", run: wasm::parity },
    Suite { name: "browser", run: browser::run },
];

pub struct Options {
    suites: Vec<&'static Suite>,
}

impl Options {
    pub fn parse(mut arguments: lexopt::Parser) -> anyhow::Result<Options> {
        let mut suites = Vec::new();
        while let Some(argument) = arguments.next()? {
            let lexopt::Arg::Value(name) = argument else { return Err(argument.unexpected().into()) };
            let name = name.string()?;
            let Some(suite) = SUITES.iter().find(|suite| suite.name == name) else {
                let names: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
                bail!("there is no test suite {name:?}: there are {}", names.join(" "));
            };
            suites.push(suite);
        }
        if suites.is_empty() {
            suites.extend(SUITES);
        }
        Ok(Options { suites })
    }
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let shell = workspace::shell()?;
    let outcomes: Vec<Outcome> = options.suites.iter().map(|suite| Outcome::of(suite, &shell)).collect();
    println!();
    for outcome in &outcomes {
        println!("{outcome}");
    }
    let failed = outcomes.iter().filter(|outcome| outcome.error.is_some()).count();
    println!("suites: {} passed, {failed} failed", outcomes.len() - failed);
    if failed > 0 {
        bail!("{failed} test suites failed");
    }
    Ok(())
}

struct Outcome {
    name: &'static str,
    time: Duration,
    error: Option<anyhow::Error>,
}

impl Outcome {
    fn of(suite: &Suite, shell: &Shell) -> Outcome {
        println!("\n=== {} ===", suite.name);
        let start = Instant::now();
        let error = (suite.run)(shell).err();
        if let Some(error) = &error {
            println!("{}: {error:#}", suite.name);
        }
        Outcome { name: suite.name, time: start.elapsed(), error }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:10} {:6.1} s  ", self.name, self.time.as_secs_f64())?;
        match &self.error {
            None => write!(formatter, "ok"),
            Some(error) => write!(formatter, "FAILED: {error:#}"),
        }
    }
}
