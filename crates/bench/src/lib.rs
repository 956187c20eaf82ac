//! Runs of the core that are measured (`deploy`, `idle`, `api`, `watch`, `list`) or compared between machines (`trace`).
//!
//! A run is prepared first and then started, so that only what matters is measured. It reads no clock: the native
//! programs (`main.rs` and `bin/heap.rs`) and the WebAssembly one (`run.mjs`, in Node) measure time and memory around it
//! and print the same line, `NAME target=… KEY=VALUE…`. `bin/http` sends the requests of `api` to a server.

mod deploy;
mod door;
mod idle;
mod list;
mod parameters;
pub mod requests;
pub mod trace;
mod watch;

use std::process::ExitCode;

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

pub use parameters::Parameters;

/// A run that is ready to start. It returns what it found as ` KEY=VALUE` pairs, and keeps its cluster: taking one down is
/// no part of what is measured.
type Run = Box<dyn FnMut() -> String>;

#[wasm_bindgen]
pub struct Prepared {
    /// The parameters that the run goes by, the defaults included.
    description: String,
    run: Run,
}

#[wasm_bindgen]
impl Prepared {
    #[wasm_bindgen(getter)]
    pub fn description(&self) -> String {
        self.description.clone()
    }

    pub fn start(&mut self) -> String {
        (self.run)()
    }
}

/// Prepares the run `name`; `parameters` are `KEY=VALUE` words, each with a default.
///
/// # Errors
///
/// Says in English which name or parameter is unknown or unreadable.
#[wasm_bindgen]
pub fn prepare(name: &str, parameters: &str) -> Result<Prepared, String> {
    let mut parameters = Parameters::parse(parameters)?;
    let run = match name {
        "api" => requests::prepare(&mut parameters)?,
        "deploy" => deploy::prepare(&mut parameters)?,
        "idle" => idle::prepare(&mut parameters)?,
        "list" => list::prepare(&mut parameters)?,
        "trace" => trace::prepare(&mut parameters)?,
        "watch" => watch::prepare(&mut parameters)?,
        other => {
            return Err(format!("there is no benchmark {other:?}: there are api, deploy, idle, list, trace and watch"));
        }
    };
    Ok(Prepared { description: parameters.finish()?, run })
}

/// A program around one run: its arguments are the run's name and parameters, and `measure` gives the line to print.
pub fn main(measure: impl FnOnce(&str, &mut Prepared) -> String) -> ExitCode {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_default();
    match prepare(&name, &words.collect::<Vec<_>>().join(" ")) {
        Ok(mut prepared) => {
            println!("{}", measure(&name, &mut prepared));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// This instance's `WebAssembly.Memory`, whose size `run.mjs` reports.
#[wasm_bindgen]
pub fn own_memory() -> JsValue {
    wasm_bindgen::memory()
}
