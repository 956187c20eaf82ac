//! xterm.js in the page. What the core answers before the terminal is loaded waits for it.

use std::cell::RefCell;

use protocol::{Command, Completion, TerminalOutput};
use wasm_bindgen::prelude::*;
use web_sys::Element;
use yew::prelude::*;

use crate::state::state;
use crate::store::use_part;
use crate::words::{W, use_lang};
use crate::{actions, browser, core};

const HISTORY_KEY: &str = "tabernetes.history";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = tabernetes, js_name = loadTerminal, catch)]
    async fn load_terminal() -> Result<JsValue, JsValue>;

    type TerminalModule;
    #[wasm_bindgen(method)]
    fn create(
        this: &TerminalModule,
        host: &Element,
        popup: &Element,
        on: &JsValue,
        texts: &JsValue,
        history: &str,
    ) -> Xterm;

    #[derive(Clone)]
    type Xterm;
    #[wasm_bindgen(method)]
    fn output(this: &Xterm, text: &str, error: bool, done: bool, prompt: Option<&str>, clear: bool);
    #[wasm_bindgen(method)]
    fn echo(this: &Xterm, line: &str);
    #[wasm_bindgen(method)]
    fn completions(this: &Xterm, request: u32, list: &str);
    #[wasm_bindgen(method)]
    fn reset(this: &Xterm);
    #[wasm_bindgen(method)]
    fn retheme(this: &Xterm);
    #[wasm_bindgen(method)]
    fn focus(this: &Xterm);
    #[wasm_bindgen(method)]
    fn destroy(this: &Xterm);
}

type Said = Box<dyn FnOnce(&Xterm)>;

thread_local! {
    static XTERM: RefCell<Option<Xterm>> = const { RefCell::new(None) };
    static WAITING: RefCell<Vec<Said>> = const { RefCell::new(Vec::new()) };
}

fn tell(say: impl FnOnce(&Xterm) + 'static) {
    match XTERM.with_borrow(Clone::clone) {
        Some(xterm) => say(&xterm),
        None => WAITING.with_borrow_mut(|waiting| waiting.push(Box::new(say))),
    }
}

pub fn output(output: TerminalOutput) {
    tell(move |xterm| {
        xterm.output(&output.text, output.error, output.done, output.prompt.as_deref(), output.clear);
    });
}

pub fn echo(line: &str) {
    let line = line.to_owned();
    tell(move |xterm| xterm.echo(&line));
}

pub fn completions(request: u32, completions: &[Completion]) {
    if let Ok(list) = serde_json::to_string(completions) {
        tell(move |xterm| xterm.completions(request, &list));
    }
}

pub fn reset() {
    WAITING.with_borrow_mut(Vec::clear);
    if let Some(xterm) = XTERM.with_borrow(Clone::clone) {
        xterm.reset();
    }
}

pub fn focus() {
    tell(Xterm::focus);
}

fn object(entries: Vec<(&str, JsValue)>) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in entries {
        // Setting a property of a plain object cannot fail.
        let _set = js_sys::Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}

fn callbacks() -> JsValue {
    let run = Closure::<dyn FnMut(String)>::new(|line| core::send(Command::Terminal { line }));
    let interrupt = Closure::<dyn FnMut()>::new(|| core::send(Command::Interrupt));
    let complete = Closure::<dyn FnMut(u32, String, usize)>::new(|request, line: String, cursor| {
        // JS counts UTF-16 units, the protocol bytes.
        let cursor = line.char_indices().map(|(at, _)| at).nth(cursor).unwrap_or(line.len());
        core::send(Command::Complete { request, line, cursor });
    });
    let is_name =
        Closure::<dyn FnMut(String) -> bool>::new(|word: String| state().cluster.read(|it| it.find(&word).is_some()));
    let select = Closure::<dyn FnMut(String)>::new(|word: String| {
        if let Some(object) = state().cluster.read(|cluster| cluster.find(&word)) {
            actions::select(Some(object));
        }
    });
    let history = Closure::<dyn FnMut(String)>::new(|list: String| {
        browser::store(HISTORY_KEY, &list);
    });
    object(vec![
        ("run", run.into_js_value()),
        ("interrupt", interrupt.into_js_value()),
        ("complete", complete.into_js_value()),
        ("isName", is_name.into_js_value()),
        ("select", select.into_js_value()),
        ("history", history.into_js_value()),
    ])
}

fn texts() -> JsValue {
    let lang = browser::language();
    let words = [
        ("accept", W::TermAccept),
        ("choose", W::TermChoose),
        ("history", W::TermHistory),
        ("search", W::TermSearch),
        ("label", W::Terminal),
    ];
    object(words.into_iter().map(|(name, word)| (name, lang.say(word).into())).collect())
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub shown: bool,
}

#[component]
pub fn Terminal(props: &Props) -> Html {
    let lang = use_lang();
    let host = use_node_ref();
    let popup = use_node_ref();
    let failed = use_state_eq(|| None::<String>);
    let dark = use_part(&state().prefs, |prefs| prefs.dark());
    {
        let (host, popup, failed) = (host.clone(), popup.clone(), failed.setter());
        use_effect_with((), move |()| {
            wasm_bindgen_futures::spawn_local(async move {
                match load_terminal().await {
                    Ok(module) => {
                        let (Some(host), Some(popup)) = (host.cast::<Element>(), popup.cast::<Element>()) else {
                            return;
                        };
                        let history = browser::stored(HISTORY_KEY).unwrap_or_default();
                        let module = module.unchecked_into::<TerminalModule>();
                        let xterm = module.create(&host, &popup, &callbacks(), &texts(), &history);
                        XTERM.set(Some(xterm.clone()));
                        for say in WAITING.take() {
                            say(&xterm);
                        }
                    }
                    Err(error) => failed.set(Some(format!("{error:?}"))),
                }
            });
            || {
                if let Some(xterm) = XTERM.take() {
                    xterm.destroy();
                }
            }
        });
    }
    use_effect_with(dark, |_| {
        // After the root's theme has changed, which the tokens follow.
        gloo_timers::callback::Timeout::new(0, || {
            if let Some(xterm) = XTERM.with_borrow(Clone::clone) {
                xterm.retheme();
            }
        })
        .forget();
    });
    html! {
        <div class="term" hidden={!props.shown} role="region" aria-label={lang.say(W::Terminal)}>
            <div class="xhost" ref={host} />
            <div class="comp-pop" ref={popup} hidden=true />
            if let Some(error) = &*failed {
                <p class="note">{ error }</p>
            }
        </div>
    }
}
