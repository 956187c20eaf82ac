//! A bar at the top of the map: what stands and what can be done about it.

use yew::prelude::*;

use crate::icon::{Glyph, Icon};
use crate::state::{Notice, state};
use crate::store::use_part;
use crate::words::{W, use_lang};
use crate::{actions, format};

fn dismiss() {
    state().frame.change(|frame| frame.notice = None);
}

#[component]
pub fn NoticeBar() -> Html {
    let lang = use_lang();
    let notice = use_part(&state().frame, |frame| frame.notice.clone());
    let button =
        |word: W, act: fn()| html! { <button class="btn sm line" onclick={move |_| act()}>{ lang.say(word) }</button> };
    match notice {
        None => Html::default(),
        Some(Notice::Hidden(at)) => html! {
            <div class="bar ink" role="status">
                <Glyph icon={Icon::Pause} />
                <span><b>{ lang.fill(W::HiddenBar, &[&format::moment(at)]) }</b>{ if lang.is_chinese() { "" } else { " " } }{ lang.say(W::HiddenWhile) }</span>
                <span class="grow" />
                { button(W::ResumeWord, || actions::run(true)) }
            </div>
        },
        Some(Notice::Edited(_)) => html! {
            <div class="bar" role="status">
                <Glyph icon={Icon::Edit} />
                <span class="cut">{ lang.say(W::EditedBar) }</span>
                <span class="grow" />
                { button(W::StartOver, actions::start_over) }
                { button(W::KeepEdits, dismiss) }
            </div>
        },
        Some(Notice::Link) => html! {
            <div class="bar" role="status">
                <Glyph icon={Icon::Share} />
                <span class="cut">{ lang.say(W::LinkBar) }</span>
                <span class="grow" />
                { button(W::BackToWork, || { actions::back_to_work(); }) }
                <button class="btn ico sm" aria-label={lang.say(W::Close)} onclick={|_| dismiss()}><Glyph icon={Icon::Close} /></button>
            </div>
        },
    }
}
