//! The line to the core: commands out, reports in.

use std::panic::PanicHookInfo;

use protocol::{Command, Report};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = tabernetes, js_name = listen)]
    fn js_listen(report: &Closure<dyn FnMut(String)>, fault: &Closure<dyn FnMut(String)>);
    #[wasm_bindgen(js_namespace = tabernetes, js_name = send)]
    fn js_send(command: &str);
    #[wasm_bindgen(js_namespace = tabernetes, js_name = pageFault)]
    fn js_page_fault(text: &str);
}

/// Hears the core for as long as the page lives.
pub fn listen(mut report: impl FnMut(Report) + 'static, mut fault: impl FnMut(String) + 'static) {
    let report = Closure::new(move |text: String| match serde_json::from_str(&text) {
        Ok(heard) => report(heard),
        Err(error) => {
            let error = format!("the core said what the page cannot read: {error}");
            web_sys::console::error_2(&error.into(), &text.into());
        }
    });
    let fault = Closure::new(move |text: String| fault(text));
    js_listen(&report, &fault);
    report.forget();
    fault.forget();
}

pub fn send(command: Command) {
    match serde_json::to_string(&command) {
        Ok(text) => js_send(&text),
        Err(error) => web_sys::console::error_1(&error.to_string().into()),
    }
}

/// A panic of the page itself ends in the plain HTML fault page, never in a blank one.
pub fn panicked(info: &PanicHookInfo<'_>) {
    web_sys::console::error_1(&info.to_string().into());
    js_page_fault(&info.to_string());
}
