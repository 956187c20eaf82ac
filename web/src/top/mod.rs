//! The top bar.

pub mod examples;

use yew::prelude::*;

use crate::icon::{Brand, Glyph, Icon};
use crate::state::prefs::Theme;
use crate::state::{Dialog, state};
use crate::store::use_part;
use crate::words::{Lang, W, use_lang};
use crate::{actions, browser};

use examples::Examples;

#[component]
pub fn TopBar() -> Html {
    let lang = use_lang();
    let title = use_part(&state().frame, |frame| frame.title.clone());
    let edited = use_part(&state().desk, |desk| desk.edited);
    let dark = use_part(&state().prefs, |prefs| prefs.dark());
    let choose = |chosen: Lang| {
        move |_: MouseEvent| {
            state().prefs.change(|prefs| {
                prefs.lang = Some(chosen);
                prefs.save();
            });
        }
    };
    let retheme = move |_: MouseEvent| {
        state().prefs.change(|prefs| {
            prefs.theme = Some(if dark { Theme::Light } else { Theme::Dark });
            prefs.save();
        });
    };
    let theme = lang.say(if dark { W::LightTheme } else { W::DarkTheme });
    html! {
        <header class="top">
            <a class="brand" href={browser::address()}><Brand /><span>{ "Tabernetes" }</span></a>
            <div class="scen">
                <span class="cut name" title={title.get(lang.is_chinese()).to_owned()}>{ title.get(lang.is_chinese()) }</span>
                if edited {
                    <span class="lab">{ lang.say(W::Edited) }</span>
                }
            </div>
            <span class="grow" />
            <div class="acts">
                <Examples />
                <button class="btn line" title={lang.say(W::Share)} onclick={|_| actions::open_share()}>
                    <Glyph icon={Icon::Share} /><span class="wide">{ lang.say(W::Share) }</span>
                </button>
                <span class="seg langs" role="radiogroup" aria-label={lang.say(W::Language)}>
                    <button role="radio" lang="en" aria-checked={(lang == Lang::En).to_string()} onclick={choose(Lang::En)}>{ "EN" }</button>
                    <button role="radio" lang="zh-CN" aria-checked={lang.is_chinese().to_string()} onclick={choose(Lang::Zh)}>{ "中文" }</button>
                </span>
                <button class="btn ico" aria-label={theme} title={theme} onclick={retheme}>
                    <Glyph icon={if dark { Icon::Sun } else { Icon::Moon }} />
                </button>
                <button class="btn ico keyshelp" aria-label={lang.say(W::Help)} title={format!("{} (?)", lang.say(W::Help))}
                    onclick={|_| actions::dialog(Some(Dialog::Help))}>
                    <Glyph icon={Icon::Help} />
                </button>
            </div>
        </header>
    }
}
