//! The bar below the text: how it differs from the cluster, what applying it did, and the button.

use std::collections::BTreeSet;

use protocol::Applied;
use yew::prelude::*;

use super::text;
use crate::state::desk::{APPLY_MAX, DRY_RUN_MAX, Desk, Tally};
use crate::state::state;
use crate::store::use_part;
use crate::words::{Lang, W, use_lang};
use crate::{actions, browser, format};

#[derive(Clone, PartialEq)]
enum Said {
    Nothing,
    Applying,
    Applied { text: String, line: Option<u32> },
    Differs(String),
    Same,
    New,
    Long { text: String, refused: bool },
}

#[component]
pub fn ApplyBar() -> Html {
    let lang = use_lang();
    let said = use_part(&state().desk, move |desk| say(lang, desk));
    let disabled = use_part(&state().desk, |desk| {
        desk.applying || desk.tab().is_none_or(|tab| tab.text.trim().is_empty() || tab.text.len() > APPLY_MAX)
    });
    let mac = browser::window().navigator().user_agent().unwrap_or_default().contains("Mac");
    let text = match &said {
        Said::Nothing => html! {},
        Said::Applying => html! { <span class="delta">{ lang.say(W::Applying) }</span> },
        Said::Applied { text, line: None } => html! { <span class="delta done">{ text }</span> },
        Said::Applied { text, line: Some(line) } => {
            let line = *line;
            html! { <button class="delta refused" onclick={move |_| text::go_to(line)}>{ text }</button> }
        }
        Said::Differs(text) => html! { <span class="delta"><i />{ text }</span> },
        Said::Same => html! { <span class="delta mut">{ lang.say(W::SameAsCluster) }</span> },
        Said::New => html! { <span class="delta"><i class="add" />{ lang.say(W::NotAppliedYet) }</span> },
        Said::Long { text, refused } => {
            html! { <span class={classes!("delta", refused.then_some("refused"))}>{ text }</span> }
        }
    };
    html! {
        <div class="apply">
            <div class="grow" role="status">{ text }</div>
            <button class="btn ink" {disabled} onclick={|_| actions::apply()}>
                { lang.say(W::Apply) }<span class="key">{ if mac { "⌘ ⏎" } else { "Ctrl ⏎" } }</span>
            </button>
        </div>
    }
}

fn say(lang: Lang, desk: &Desk) -> Said {
    let Some(tab) = desk.tab() else { return Said::Nothing };
    let size = || format::size(tab.text.len());
    if tab.text.len() > APPLY_MAX {
        return Said::Long { text: lang.fill(W::TooLongToApply, &[&size()]), refused: true };
    }
    if desk.applying {
        return Said::Applying;
    }
    if let Some(applied) = desk.applied.as_ref().filter(|applied| applied.file == tab.name) {
        return Said::Applied { text: summary(lang, applied), line: first_refused(applied) };
    }
    if tab.text.len() > DRY_RUN_MAX {
        return Said::Long { text: lang.fill(W::TooLongToCheck, &[&size()]), refused: false };
    }
    match (&tab.baseline, desk.changed_lines) {
        (None, _) if tab.text.trim().is_empty() => Said::Nothing,
        (None, _) => Said::New,
        (Some(baseline), 0) if *baseline == tab.text => Said::Same,
        (Some(_), 1) => Said::Differs(lang.say(W::OneLineDiffers).to_owned()),
        (Some(_), lines) => Said::Differs(lang.fill(W::LinesDiffer, &[&lines.to_string()])),
    }
}

fn first_refused(applied: &Applied) -> Option<u32> {
    let refused = |object: &&protocol::AppliedObject| matches!(object.outcome, protocol::Outcome::Refused { .. });
    applied.objects.iter().find(refused).map(|object| object.line)
}

/// `3 created, 1 configured`
fn summary(lang: Lang, applied: &Applied) -> String {
    let tally = Tally::of(applied);
    let parts = [
        (W::Created, tally.created),
        (W::Configured, tally.configured),
        (W::Unchanged, tally.unchanged),
        (W::Refused, tally.refused),
    ];
    let said: Vec<_> = (parts.into_iter().filter(|(_, count)| *count > 0))
        .map(|(word, count)| lang.fill(word, &[&count.to_string()]))
        .collect();
    let comma = if lang.is_chinese() { "，" } else { ", " };
    let kinds: BTreeSet<&str> = applied
        .objects
        .iter()
        .filter(|applied| applied.is_only_stored)
        .filter_map(|applied| applied.object.as_ref())
        .map(|object| object.kind.as_str())
        .collect();
    let kinds: Vec<&str> = kinds.into_iter().collect();
    match (said.len(), kinds.len()) {
        (0, _) => lang.say(W::NothingInFile).to_owned(),
        (_, 0) => said.join(comma),
        _ => format!("{} · {}", said.join(comma), lang.fill(W::OnlyStored, &[&kinds.join(comma)])),
    }
}
