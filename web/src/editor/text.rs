//! CodeMirror in the page: the text of the active file, and the API server's answers under its lines.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use protocol::{Applied, Outcome};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use web_sys::Element;
use yew::prelude::*;

use crate::state::desk::{DRY_RUN_MAX, Tab};
use crate::state::state;
use crate::store::use_part;
use crate::words::{Lang, W, use_lang};
use crate::{actions, browser, reports};

const DRY_RUN_DELAY_MS: u32 = 300;
const KEEP_DELAY_MS: u32 = 800;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = tabernetes, js_name = loadEditor, catch)]
    async fn load_editor() -> Result<JsValue, JsValue>;

    type EditorModule;
    #[wasm_bindgen(method)]
    fn create(this: &EditorModule, host: &Element, on: &JsValue, label: &str) -> CodeMirror;

    #[derive(Clone)]
    type CodeMirror;
    #[wasm_bindgen(method)]
    fn open(this: &CodeMirror, name: &str, text: &str, baseline: Option<&str>) -> u32;
    #[wasm_bindgen(method)]
    fn baseline(this: &CodeMirror, text: Option<&str>) -> u32;
    #[wasm_bindgen(method)]
    fn answers(this: &CodeMirror, list: &str);
    #[wasm_bindgen(method, js_name = goTo)]
    fn go_to(this: &CodeMirror, line: u32);
    #[wasm_bindgen(method)]
    fn destroy(this: &CodeMirror);
}

thread_local! {
    static EDITOR: RefCell<Option<CodeMirror>> = const { RefCell::new(None) };
}

pub fn go_to(line: u32) {
    EDITOR.with_borrow(|editor| {
        if let Some(editor) = editor {
            editor.go_to(line);
        }
    });
}

/// What is typed now is checked and kept a moment later, once.
struct Timers {
    dry_run: Option<Timeout>,
    keep: Option<Timeout>,
}

fn typed(timers: &RefCell<Timers>, text: String, changed_lines: u32) {
    let small = text.len() <= DRY_RUN_MAX;
    state().desk.change(|desk| {
        let active = desk.active;
        if let Some(tab) = desk.files.get_mut(active) {
            tab.text = text;
        }
        desk.changed_lines = changed_lines;
        desk.applied = None;
        desk.edited = true;
        if !small {
            desk.checked = None;
        }
    });
    let mut timers = timers.borrow_mut();
    timers.dry_run = small.then(|| Timeout::new(DRY_RUN_DELAY_MS, reports::ask_dry_run));
    timers.keep = Some(Timeout::new(KEEP_DELAY_MS, actions::keep_work));
}

/// The editor's callbacks, as one JS object.
fn callbacks() -> JsValue {
    let timers = Rc::new(RefCell::new(Timers { dry_run: None, keep: None }));
    let change = Closure::<dyn FnMut(String, u32)>::new(move |text, lines| typed(&timers, text, lines));
    let apply = Closure::<dyn FnMut()>::new(actions::apply);
    let leave = Closure::<dyn FnMut()>::new(|| browser::focus(".editor [role=tab][aria-selected=true]"));
    let on = js_sys::Object::new();
    for (name, callback) in
        [("change", change.into_js_value()), ("apply", apply.into_js_value()), ("leave", leave.into_js_value())]
    {
        // Setting a property of a plain object cannot fail.
        let _set = js_sys::Reflect::set(&on, &name.into(), &callback);
    }
    on.into()
}

#[component]
pub fn Text() -> Html {
    let lang = use_lang();
    let host = use_node_ref();
    let editor = use_state(|| None::<CodeMirror>);
    let failed = use_state_eq(|| None::<String>);
    let generation = use_part(&state().desk, |desk| desk.generation);
    let checked = use_part(&state().desk, |desk| desk.checked.clone());
    let baseline = use_part(&state().desk, |desk| desk.tab().and_then(|tab| tab.baseline.clone()));

    {
        let (host, editor, failed) = (host.clone(), editor.setter(), failed.setter());
        use_effect_with((), move |()| {
            wasm_bindgen_futures::spawn_local(async move {
                match load_editor().await {
                    Ok(module) => {
                        let Some(host) = host.cast::<Element>() else { return };
                        let label = browser::language().say(W::EditorLabel);
                        let made = module.unchecked_into::<EditorModule>().create(&host, &callbacks(), label);
                        EDITOR.set(Some(made.clone()));
                        editor.set(Some(made));
                    }
                    Err(error) => failed.set(Some(format!("{error:?}"))),
                }
            });
            || {
                if let Some(editor) = EDITOR.take() {
                    editor.destroy();
                }
            }
        });
    }
    {
        let editor = editor.clone();
        use_effect_with((generation, editor.is_some()), move |_| {
            let Some(editor) = &*editor else { return };
            let Some(Tab { name, text, baseline }) = state().desk.read(|desk| desk.tab().cloned()) else { return };
            let lines = editor.open(&name, &text, baseline.as_deref());
            state().desk.change(|desk| desk.changed_lines = lines);
            if baseline.as_deref() != Some(&text) {
                reports::ask_dry_run();
            }
        });
    }
    {
        let editor = editor.clone();
        use_effect_with(baseline, move |baseline| {
            if let Some(editor) = &*editor {
                let lines = editor.baseline(baseline.as_deref());
                state().desk.change(|desk| desk.changed_lines = lines);
            }
        });
    }
    {
        let editor = editor.clone();
        use_effect_with((checked, lang, editor.is_some()), move |(checked, lang, _)| {
            let Some(editor) = &*editor else { return };
            let list = checked.as_ref().map(|applied| answers(*lang, applied)).unwrap_or_default();
            editor.answers(&serde_json::to_string(&list).unwrap_or_default());
        });
    }
    html! {
        <div class="code" ref={host}>
            if let Some(error) = &*failed {
                <p class="note">{ error }</p>
            }
        </div>
    }
}

/// One block under a line.
#[derive(Serialize)]
struct Answer {
    line: u32,
    title: String,
    message: String,
    warning: bool,
}

fn answers(lang: Lang, applied: &Applied) -> Vec<Answer> {
    let mut answers = Vec::new();
    for object in &applied.objects {
        if let Outcome::Refused { code, reason, message } = &object.outcome {
            let title = match code {
                0 => lang.say(W::NotAppliable).to_owned(),
                code => lang.fill(W::FromApiServer, &[&code.to_string(), reason]),
            };
            answers.push(Answer { line: object.line, title, message: message.clone(), warning: false });
        }
        answers.extend(object.warnings.iter().map(|warning| Answer {
            line: object.line,
            title: lang.say(W::WarningFrom).to_owned(),
            message: warning.clone(),
            warning: true,
        }));
    }
    answers
}
