//! The share dialog: a link that holds the whole scenario, and the same as a file.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::dialog::Frame;
use crate::icon::{Glyph, Icon};
use crate::state::frame::ShareLink;
use crate::state::state;
use crate::store::use_part;
use crate::words::{W, use_lang};
use crate::{actions, browser, format};

/// Some chat apps cut longer links.
const LINK_SAFE_MAX: usize = 2000;

#[component]
pub fn Share() -> Html {
    let lang = use_lang();
    let share = use_part(&state().frame, |frame| frame.share.clone());
    let has_selection = use_part(&state().selection, |selection| selection.object.is_some());
    let copied = use_state_eq(|| None::<&'static str>);
    let field = use_node_ref();
    let title = lang.fill(W::ShareTitle, &[&format::exact_moment(share.at)]);
    let link = share.fragment.as_ref().map(|fragment| format!("{}#{fragment}", browser::address()));
    let option = |word: W, checked: bool, change: fn(&mut ShareLink)| {
        let onchange = move |_: Event| {
            state().frame.change(|frame| {
                change(&mut frame.share);
                frame.share.fragment = None;
            });
            actions::ask_link();
        };
        html! {
            <label class="opt"><input type="checkbox" {checked} {onchange} /><span>{ lang.say(word) }</span></label>
        }
    };
    let copy = |text: Option<String>, which: &'static str| {
        let (copied, field) = (copied.clone(), field.clone());
        Callback::from(move |_: MouseEvent| {
            let Some(text) = &text else { return };
            if let Some(field) = field.cast::<HtmlInputElement>() {
                field.select();
            }
            browser::copy(text);
            copied.set(Some(which));
        })
    };
    let length = link.as_ref().map(|link| link.chars().count());
    let said = match length {
        None => html! { lang.say(W::MakingLink) },
        Some(length) if length > LINK_SAFE_MAX => {
            html! { <><Glyph icon={Icon::Warning} />{ lang.fill(W::LinkLong, &[&format::grouped(length as u64)]) }</> }
        }
        Some(length) => {
            html! { <><Glyph icon={Icon::Check} />{ lang.fill(W::LinkFits, &[&format::grouped(length as u64)]) }</> }
        }
    };
    let embed = share.fragment.as_ref().map(|fragment| {
        format!(
            "<iframe src=\"{}?embed=1#{fragment}\" width=\"720\" height=\"420\" style=\"border:0\" title=\"Tabernetes\" loading=\"lazy\"></iframe>",
            browser::address()
        )
    });
    let text = |which: &'static str, word: W| lang.say(if *copied == Some(which) { W::Copied } else { word });
    html! {
        <Frame title={title.clone()} class="share">
            <h3>{ title }</h3>
            <div class="row">
                <input ref={field.clone()} class="field grow mono" type="text" readonly=true aria-label={lang.say(W::Share)} value={link.clone().unwrap_or_default()} />
                <button class="btn ink" disabled={link.is_none()} onclick={copy(link.clone(), "link")}>{ text("link", W::CopyLink) }</button>
            </div>
            <div class={classes!("row", "lab", "fits", length.is_some_and(|length| length > LINK_SAFE_MAX).then_some("s-wait"))} role="status">{ said }</div>
            { option(W::OpenPaused, share.paused, |share| share.paused = !share.paused) }
            if has_selection {
                { option(W::KeepSelection, share.selection, |share| share.selection = !share.selection) }
            }
            <div class="row more">
                <button class="btn sm line" onclick={|_| actions::export()}><Glyph icon={Icon::Download} />{ lang.say(W::ScenarioFile) }</button>
                <button class="btn sm line" disabled={embed.is_none()} onclick={copy(embed, "embed")}>{ text("embed", W::EmbedCode) }</button>
                <span class="grow" />
                <button class="btn sm" onclick={|_| actions::dialog(None)}>{ lang.say(W::Close) }</button>
            </div>
        </Frame>
    }
}
