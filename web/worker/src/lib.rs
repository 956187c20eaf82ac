//! The core in a Web Worker: one [`Session`], fed with the page's commands and with wall time.
//!
//! Messages are JSON texts of [`protocol`]. The worker is the only place where the browser's clock meets virtual time.

use std::cell::RefCell;

use gloo_timers::callback::Interval;
use protocol::{Command, Problem, ProblemKind, Report};
use tabernetes::session::Session;
use wasm_bindgen::prelude::*;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

/// One frame, and how much of it the core may take.
const FRAME_MS: u32 = 16;
const BUDGET_MS: f64 = 11.0;

struct Worker {
    session: Session,
    last_tick_ms: f64,
}

thread_local! {
    static WORKER: RefCell<Option<Worker>> = const { RefCell::new(None) };
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = self, js_name = fetchRest)]
    fn fetch_into(core: &JsValue);
}

/// The build leaves in this file what the first minutes run, and has this called before anything else of the core is.
#[wasm_bindgen]
pub fn fetch_rest() {
    fetch_into(&wasm_bindgen::exports());
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn now_ms() -> f64 {
    scope().performance().map(|performance| performance.now()).unwrap_or_default()
}

fn send(reports: &[Report]) {
    for report in reports {
        match serde_json::to_string(report) {
            Ok(text) => {
                // The page may be gone already; there is nobody else to tell.
                let _ = scope().post_message(&JsValue::from_str(&text));
            }
            Err(error) => wasm_bindgen::throw_str(&error.to_string()),
        }
    }
}

/// Starts the core: listens for commands and begins to tick.
#[wasm_bindgen]
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        send(&[Report::Problem { problem: Problem { kind: ProblemKind::CoreFault, message: info.to_string() } }]);
    }));
    WORKER.with_borrow_mut(|worker| {
        *worker = Some(Worker { session: Session::default(), last_tick_ms: now_ms() });
    });
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(|event: MessageEvent| {
        if let Some(text) = event.data().as_string() {
            receive(&text);
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    send(&[Session::greeting()]);
    Interval::new(FRAME_MS, tick).forget();
}

fn receive(text: &str) {
    let command: Command = match serde_json::from_str(text) {
        Ok(command) => command,
        Err(error) => {
            // A page out of another build, kept by some cache.
            let message = format!("the page sent what this core does not know: {error}");
            return send(&[Report::Problem { problem: Problem { kind: ProblemKind::CoreFault, message } }]);
        }
    };
    WORKER.with_borrow_mut(|worker| {
        if let Some(worker) = worker {
            send(&worker.session.handle(command));
        }
    });
}

fn tick() {
    WORKER.with_borrow_mut(|worker| {
        let Some(worker) = worker else { return };
        let now = now_ms();
        let elapsed = (now - worker.last_tick_ms) / 1000.0;
        worker.last_tick_ms = now;
        send(&worker.session.tick(elapsed, || now_ms() - now < BUDGET_MS));
    });
}
