//! The editor's file tabs: choose, add, close, rename with a double click or F2.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::files;
use crate::icon::{Glyph, Icon};
use crate::state::state;
use crate::store::use_part;
use crate::words::{W, use_lang};
use crate::{actions, browser};

#[component]
pub fn Tabs() -> Html {
    let lang = use_lang();
    let (tabs, active) = use_part(&state().desk, |desk| {
        (desk.files.iter().map(|tab| (tab.name.clone(), tab.differs())).collect::<Vec<_>>(), desk.active)
    });
    let renaming = use_state_eq(|| None::<usize>);
    let tab = |index: usize, name: &str, differs: bool| {
        if *renaming == Some(index) {
            return html! { <Rename key={format!("rename {name}")} name={name.to_owned()} done={finish(index, renaming.setter())} /> };
        }
        let start = {
            let renaming = renaming.setter();
            Callback::from(move |()| renaming.set(Some(index)))
        };
        let onkeydown = {
            let start = start.clone();
            let count = tabs.len();
            Callback::from(move |event: KeyboardEvent| match event.key().as_str() {
                "F2" => start.emit(()),
                "Delete" if count > 1 => close(index),
                "ArrowLeft" => show(index.saturating_sub(1)),
                "ArrowRight" => show((index + 1).min(count - 1)),
                _ => {}
            })
        };
        let selected = index == active;
        html! {
            <div key={name.to_owned()} class="filetab" aria-selected={selected.to_string()} role="presentation">
                <button role="tab" aria-selected={selected.to_string()} tabindex={if selected { "0" } else { "-1" }} title={name.to_owned()}
                    data-file-tab={index.to_string()} onclick={move |_| show(index)} ondblclick={start.reform(|_: MouseEvent| ())} {onkeydown}>
                    <span class="cut">{ name }</span>
                    if differs {
                        <span class="dot" title={lang.say(W::Differs)}><span class="vh">{ lang.say(W::Differs) }</span></span>
                    }
                </button>
                if selected && tabs.len() > 1 {
                    <button class="shut" aria-label={lang.fill(W::CloseFile, &[name])} title={lang.fill(W::CloseFile, &[name])} onclick={move |_| close(index)}>
                        <Glyph icon={Icon::Close} />
                    </button>
                }
            </div>
        }
    };
    html! {
        <div class="ptabs files">
            <div class="scroll" role="tablist" aria-label={lang.say(W::Manifests)}>
                { for tabs.iter().enumerate().map(|(index, (name, differs))| tab(index, name, *differs)) }
            </div>
            <button class="btn ico sm" aria-label={lang.say(W::NewFile)} title={lang.say(W::NewFile)} onclick={|_| add()}><Glyph icon={Icon::Plus} /></button>
            <button class="btn ico sm" aria-label={lang.say(W::OpenFile)} title={lang.say(W::OpenFile)} onclick={|_| files::choose()}><Glyph icon={Icon::Upload} /></button>
        </div>
    }
}

fn show(index: usize) {
    state().desk.change(|desk| {
        if desk.active != index && index < desk.files.len() {
            desk.active = index;
            desk.shown_anew();
        }
    });
    gloo_timers::callback::Timeout::new(0, move || browser::focus(&format!("[data-file-tab='{index}']"))).forget();
}

fn add() {
    state().desk.change(|desk| {
        desk.add("new.yaml", String::new());
        desk.edited = true;
    });
    actions::keep_work();
}

fn close(index: usize) {
    state().desk.change(|desk| {
        if desk.files.len() < 2 || index >= desk.files.len() {
            return;
        }
        desk.files.remove(index);
        desk.active = desk.active.min(desk.files.len() - 1);
        desk.edited = true;
        desk.shown_anew();
    });
    actions::keep_work();
}

fn finish(index: usize, renaming: UseStateSetter<Option<usize>>) -> Callback<Option<String>> {
    Callback::from(move |name: Option<String>| {
        renaming.set(None);
        let Some(name) = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) else { return };
        state().desk.change(|desk| {
            let same = desk.files.get(index).is_some_and(|tab| tab.name == name);
            if same {
                return;
            }
            let name = desk.free_name(&name);
            if let Some(tab) = desk.files.get_mut(index) {
                tab.name = name;
            }
            desk.edited = true;
            desk.shown_anew();
        });
        actions::keep_work();
    })
}

#[derive(Properties, PartialEq)]
struct RenameProps {
    name: String,
    /// The new name; `None` keeps the old one.
    done: Callback<Option<String>>,
}

#[component]
fn Rename(props: &RenameProps) -> Html {
    let lang = use_lang();
    let input = use_node_ref();
    {
        let input = input.clone();
        use_effect_with((), move |()| {
            if let Some(input) = input.cast::<HtmlInputElement>() {
                let _focused = input.focus();
                input.select();
            }
        });
    }
    let value = {
        let input = input.clone();
        move || input.cast::<HtmlInputElement>().map(|input| input.value())
    };
    let onkeydown = {
        let (done, value) = (props.done.clone(), value.clone());
        Callback::from(move |event: KeyboardEvent| {
            event.stop_propagation();
            match event.key().as_str() {
                "Enter" => done.emit(value()),
                "Escape" => done.emit(None),
                _ => {}
            }
        })
    };
    let onblur = {
        let done = props.done.clone();
        Callback::from(move |_: FocusEvent| done.emit(value()))
    };
    html! {
        <input ref={input} class="rename" type="text" value={props.name.clone()} spellcheck="false"
            aria-label={lang.fill(W::Rename, &[&props.name])} {onkeydown} {onblur} />
    }
}
