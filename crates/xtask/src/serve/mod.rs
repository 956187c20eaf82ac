//! `cargo xtask serve`: the built page on this machine.

mod site;

use std::path::PathBuf;

use anyhow::anyhow;
use lexopt::ValueExt as _;
use xshell::cmd;

pub use site::Site;

use crate::{build, workspace};

pub struct Options {
    port: u16,
    dev: bool,
    open: bool,
}

impl Options {
    pub fn parse(mut arguments: lexopt::Parser) -> anyhow::Result<Options> {
        let mut options = Options { port: 8080, dev: false, open: false };
        while let Some(argument) = arguments.next()? {
            match argument {
                lexopt::Arg::Long("port") => options.port = arguments.value()?.parse()?,
                lexopt::Arg::Long("dev") => options.dev = true,
                lexopt::Arg::Long("open") => options.open = true,
                _ => return Err(argument.unexpected().into()),
            }
        }
        Ok(options)
    }
}

pub fn run(options: Options) -> anyhow::Result<()> {
    let out = PathBuf::from(if options.dev { "target/dist-dev" } else { "dist" });
    build::run(&build::Options { dev: options.dev, out: out.clone() })?;
    let address = format!("127.0.0.1:{}", options.port);
    let server = tiny_http::Server::http(&address).map_err(|error| anyhow!("cannot serve on {address}: {error}"))?;
    let url = format!("http://localhost:{}/", options.port);
    println!("\nTabernetes runs at {url}\nCtrl+C stops serving it.");
    if options.open {
        open(&url)?;
    }
    Site { folder: workspace::root().join(out), mount: "/".to_owned() }.serve(&server);
    Ok(())
}

fn open(url: &str) -> anyhow::Result<()> {
    let shell = workspace::shell()?;
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    if cmd!(shell, "{program} {url}").quiet().ignore_stderr().run().is_err() {
        println!("No browser could be opened here: please open the address yourself.");
    }
    Ok(())
}
