//! What lies over the panes: dialogs, notices, and pages that tell what went wrong.

mod dialog;
mod go;
mod help;
mod notice;
mod share;
mod trouble;

use yew::prelude::*;

use crate::state::{Dialog, state};
use crate::store::use_part;

pub use notice::NoticeBar;
pub use trouble::{Trouble, can_close_trouble};

#[component]
pub fn Dialogs() -> Html {
    match use_part(&state().frame, |frame| frame.dialog) {
        None => Html::default(),
        Some(Dialog::Share) => html! { <share::Share /> },
        Some(Dialog::Help) => html! { <help::Help /> },
        Some(Dialog::Go) => html! { <go::Go /> },
    }
}
