//! What the page asks of the browser, with an answer for each way in which a browser may refuse.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Document, HtmlElement, Storage, Window};

use crate::words::Lang;

pub fn window() -> Window {
    web_sys::window().expect("the page runs in a window")
}

pub fn document() -> Document {
    window().document().expect("a window has a document")
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

pub fn stored(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// False where the browser keeps nothing for this page, or nothing more.
pub fn store(key: &str, value: &str) -> bool {
    storage().is_some_and(|storage| storage.set_item(key, value).is_ok())
}

pub fn media(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|list| list.matches())
}

/// The page's own language, as `theme.js` has set it before the first paint.
pub fn language() -> Lang {
    match root().lang().as_str() {
        "zh-CN" => Lang::Zh,
        _ => Lang::En,
    }
}

pub fn root() -> HtmlElement {
    document()
        .document_element()
        .and_then(|element| element.dyn_into().ok())
        .expect("an HTML document has an HTML root")
}

/// Milliseconds since the page was opened.
pub fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// The fragment without its `#`.
pub fn fragment() -> String {
    window().location().hash().unwrap_or_default().trim_start_matches('#').to_owned()
}

/// The page's address without query and fragment.
pub fn address() -> String {
    let location = window().location();
    let origin = location.origin().unwrap_or_default();
    format!("{origin}{}", location.pathname().unwrap_or_default())
}

pub fn is_embed() -> bool {
    root().class_list().contains("embed")
}

pub fn copy(text: &str) {
    // A refusal (no permission, no secure context) leaves the text selected in its field, to be copied by hand.
    let _promise = window().navigator().clipboard().write_text(text);
}

pub fn download(name: &str, text: &str) {
    let parts = js_sys::Array::of1(&text.into());
    let Ok(blob) = web_sys::Blob::new_with_str_sequence(&parts) else { return };
    let Ok(url) = web_sys::Url::create_object_url_with_blob(&blob) else { return };
    if let Some(link) = document().create_element("a").ok().and_then(|link| link.dyn_into::<HtmlElement>().ok()) {
        let named = link.set_attribute("download", name).and_then(|()| link.set_attribute("href", &url));
        if named.is_ok() {
            link.click();
        }
    }
    // The click has taken hold of the blob; the address is not needed any longer.
    let _revoked = web_sys::Url::revoke_object_url(&url);
}

pub fn focus(selector: &str) {
    if let Some(element) = document().query_selector(selector).ok().flatten()
        && let Ok(element) = element.dyn_into::<HtmlElement>()
    {
        let _focused = element.focus();
    }
}

/// Takes the fragment off the address without a new entry in the history and without a `hashchange`.
pub fn clear_fragment() {
    let Ok(history) = window().history() else { return };
    let location = window().location();
    let plain = format!("{}{}", location.pathname().unwrap_or_default(), location.search().unwrap_or_default());
    let _replaced = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&plain));
}

/// The plain HTML of the first paint gives way to the page.
pub fn dismiss_skeleton() {
    if let Some(skeleton) = document().get_element_by_id("loading") {
        skeleton.remove();
    }
}

/// Sets a mark that tests and benchmarks wait for.
pub fn mark(name: &str) {
    if let Some(performance) = window().performance() {
        // A browser that keeps no marks still shows the page.
        let _marked = performance.mark(name);
    }
}

/// Runs once, before the browser draws its next frame.
pub fn next_frame(run: impl FnOnce() + 'static) {
    let run = Closure::once_into_js(run);
    // A window always takes a frame request.
    let _requested = window().request_animation_frame(run.unchecked_ref());
}
