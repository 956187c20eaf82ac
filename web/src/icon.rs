//! The interface's line icons on a 16 px grid.

use yew::prelude::*;

macro_rules! icons {
    ($($name:ident: $($path:literal)+;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Icon { $($name),* }

        impl Icon {
            fn paths(self) -> &'static [&'static str] {
                match self { $(Icon::$name => &[$($path),+]),* }
            }
        }
    };
}

icons! {
    Examples: "M3.5 2.5h2.5a1 1 0 0 1 1 1v2.5a1 1 0 0 1-1 1h-2.5a1 1 0 0 1-1-1v-2.5a1 1 0 0 1 1-1zM10 2.5h2.5a1 1 0 0 1 1 1v2.5a1 1 0 0 1-1 1h-2.5a1 1 0 0 1-1-1v-2.5a1 1 0 0 1 1-1zM3.5 9h2.5a1 1 0 0 1 1 1v2.5a1 1 0 0 1-1 1h-2.5a1 1 0 0 1-1-1v-2.5a1 1 0 0 1 1-1zM10 9h2.5a1 1 0 0 1 1 1v2.5a1 1 0 0 1-1 1h-2.5a1 1 0 0 1-1-1v-2.5a1 1 0 0 1 1-1z";
    Share: "M6.5 9.5l3-3M7.5 4.8l1.6-1.6a2.6 2.6 0 0 1 3.7 3.7l-1.6 1.6M8.5 11.2l-1.6 1.6a2.6 2.6 0 0 1-3.7-3.7l1.6-1.6";
    Moon: "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z";
    Sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6z" "M8 1.6v1.2M8 13.2v1.2M1.6 8h1.2M13.2 8h1.2M3.5 3.5l.8.8M11.7 11.7l.8.8M3.5 12.5l.8-.8M11.7 4.3l.8-.8";
    Help: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z" "M6.2 6.3a1.9 1.9 0 1 1 2.7 1.9c-.6.3-.9.6-.9 1.3" "M8 11.6v.1";
    Menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11";
    Down: "M4.5 6.5L8 10l3.5-3.5";
    Plus: "M8 3v10M3 8h10";
    Close: "M4 4l8 8M12 4l-8 8";
    Check: "M3 8.5l3.2 3.2L13 4.8";
    Filter: "M2.5 3.5h11l-4.2 5v4l-2.6 1.2V8.5z";
    Warning: "M8 2.6l6 10.8H2z" "M8 6.6v3M8 11.5v.1";
    Step: "M3.5 3.5v9l6.5-4.5z" "M12.5 3.5v9";
    Play: "M4.5 2.8v10.4L13 8z";
    Pause: "M4.5 2.5h1.2a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-1.2a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1zM10.3 2.5h1.2a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-1.2a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1z";
    Power: "M8 2.5v5" "M4.7 4.6a5 5 0 1 0 6.6 0";
    Globe: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2z" "M2.2 8h11.6M8 2.2c2 1.8 2.6 3.8 2.6 5.8S10 12 8 13.8C6 12 5.4 10 5.4 8S6 4 8 2.2z";
    Ingress: "M2 8h7.5M6.5 5l3 3-3 3" "M12.5 2.5v11";
    Service: "M3.5 6.3a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4zM12.5 1.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4zM12.5 6.3a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4zM12.5 10.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4z" "M5.2 8h5.6M5 7.2l5.9-3M5 8.8l5.9 3";
    Volume: "M3 4.2c0-1 2.2-1.7 5-1.7s5 .7 5 1.7v7.6c0 1-2.2 1.7-5 1.7s-5-.7-5-1.7zM3 4.2c0 1 2.2 1.7 5 1.7s5-.7 5-1.7M3 8c0 1 2.2 1.7 5 1.7s5-.7 5-1.7";
    Node: "M3.5 3h9a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1z" "M5 10.2h3M11 10.2v.1";
    Workload: "M8 2l5.2 3v6L8 14l-5.2-3V5z" "M2.8 5L8 8l5.2-3M8 8v6";
    Copy: "M7 5.5h5a1.5 1.5 0 0 1 1.5 1.5v5a1.5 1.5 0 0 1-1.5 1.5H7A1.5 1.5 0 0 1 5.5 12V7A1.5 1.5 0 0 1 7 5.5z" "M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2";
    Eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8z" "M8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4z";
    Prompt: "M3 4.5L6.5 8 3 11.5M8 12h5";
    Flag: "M4 14V2.5M4 3h7.5l-1.7 2.7L11.5 8.5H4";
    Download: "M8 2.5v7.5M5 7.2L8 10.2l3-3M3 13.5h10";
    Upload: "M8 10.5V3M5 5.8L8 2.8l3 3M3 13.5h10";
    Expand: "M9.5 2.5h4v4M6.5 13.5h-4v-4M13.5 2.5L9.3 6.7M2.5 13.5l4.2-4.2";
    Restart: "M13 8a5 5 0 1 1-1.6-3.7M11.7 1.8v2.7H9";
    Trash: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9";
    Edit: "M10.8 2.8l2.4 2.4L6 12.4l-3 .6.6-3z";
    Block: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2z" "M4 4l8 8";
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub icon: Icon,
}

#[component]
pub fn Glyph(props: &Props) -> Html {
    html! {
        <svg class="i" viewBox="0 0 16 16" aria-hidden="true">
            { for props.icon.paths().iter().map(|path| html! { <path d={*path} /> }) }
        </svg>
    }
}

#[component]
pub fn Brand() -> Html {
    html! {
        <svg viewBox="0 0 22 22" aria-hidden="true">
            <path fill="currentColor" d="M0 19.5c2.2 0 3.3-1.2 3.3-3.4V7.6C3.3 4.9 5 3 7.8 3h6.4c2.8 0 4.5 1.9 4.5 4.6v8.5c0 2.2 1.1 3.4 3.3 3.4z" />
            <path fill="var(--surface)" d="M11 6.8l3.6 1.73.88 3.89L13 15.54H9l-2.48-3.12.88-3.89z" />
            <circle cx="11" cy="11.4" r="1.5" fill="var(--ready)" />
        </svg>
    }
}
