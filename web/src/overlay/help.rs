//! All keys.

use yew::prelude::*;

use super::dialog::Frame;
use crate::icon::{Glyph, Icon};
use crate::keys::HELP;
use crate::words::{W, use_lang};
use crate::{actions, browser};

#[component]
pub fn Help() -> Html {
    let lang = use_lang();
    let mac = browser::window().navigator().user_agent().unwrap_or_default().contains("Mac");
    let key = |key: &str| if mac { key.replace("Ctrl", "⌘") } else { key.to_owned() };
    html! {
        <Frame title={lang.say(W::Help).to_owned()} class="help">
            <div class="row"><h3 class="grow">{ lang.say(W::Help) }</h3>
                <button class="btn ico sm" aria-label={lang.say(W::Close)} onclick={|_| actions::dialog(None)}><Glyph icon={Icon::Close} /></button>
            </div>
            <div class="groups">
                { for HELP.iter().map(|(group, rows)| html! {
                    <section>
                        <h4>{ lang.say(*group) }</h4>
                        <dl>
                            { for rows.iter().map(|(keys, word)| html! {
                                <div><dt>{ for keys.iter().map(|it| html! { <kbd>{ key(it) }</kbd> }) }</dt><dd>{ lang.say(*word) }</dd></div>
                            }) }
                        </dl>
                    </section>
                }) }
            </div>
        </Frame>
    }
}
