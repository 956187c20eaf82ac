//! The core does the same in a browser as natively: `cargo xtask test parity` passes the native hashes in.
#![cfg(target_family = "wasm")]

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test]
fn the_browser_leaves_the_traces_of_a_native_run() {
    let native = option_env!("NATIVE_HASHES").expect("compile this by `cargo xtask test parity`");
    let browser: Vec<String> = [1, 2, 3].map(|seed| format!("{:016x}", bench::trace::hash(seed))).into();
    assert_eq!(browser.join(" "), native);
}
