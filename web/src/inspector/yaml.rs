//! The object as YAML, keys and values told apart.

use yew::prelude::*;

use crate::words::{W, use_lang};

/// Lines drawn at most; the clipboard gets them all.
const LINES_MAX: usize = 2000;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub text: String,
}

#[component]
pub fn Yaml(props: &Props) -> Html {
    let lang = use_lang();
    let lines = props.text.lines().take(LINES_MAX).map(|line| {
        let (key, value) = split(line);
        html! { <div>{ key }<b>{ value }</b></div> }
    });
    html! {
        <div class="y" role="document" aria-label={format!("YAML {}", lang.say(W::Inspector))}>{ for lines }</div>
    }
}

/// A line's key with its colon, and its value.
fn split(line: &str) -> (&str, &str) {
    let trimmed = line.trim_start_matches([' ', '-']);
    let is_key = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || "./-_\"'$%".contains(c));
    match trimmed.find(':') {
        Some(at) if is_key(&trimmed[..at]) => line.split_at(line.len() - trimmed.len() + at + 1),
        _ => (&line[..line.len() - trimmed.len()], trimmed),
    }
}
