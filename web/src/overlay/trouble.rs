//! Pages in the place of the map: a link that cannot be opened, a core that stopped. Each has a way on.

use protocol::{Problem, ProblemKind};
use yew::prelude::*;

use crate::state::{Phase, state};
use crate::store::use_part;
use crate::top::examples;
use crate::words::{W, use_lang};
use crate::{actions, browser, format};

/// Whether there is a running cluster below the page.
pub fn can_close_trouble() -> bool {
    let problem = state().frame.read(|frame| matches!(frame.phase, Phase::Problem(_)));
    problem && state().cluster.read(|cluster| !cluster.nodes.is_empty())
}

#[component]
pub fn Trouble() -> Html {
    match use_part(&state().frame, |frame| frame.phase.clone()) {
        Phase::Loading | Phase::Running => Html::default(),
        Phase::Problem(problem) => html! { <ProblemPage {problem} /> },
        Phase::Fault(text) => html! { <FaultPage {text} /> },
    }
}

#[derive(Properties, PartialEq)]
struct ProblemProps {
    problem: Problem,
}

#[component]
fn ProblemPage(props: &ProblemProps) -> Html {
    let lang = use_lang();
    let (title, text) = match props.problem.kind {
        ProblemKind::LinkCutShort => (W::CutShort, W::CutShortText),
        ProblemKind::LinkCorrupt => (W::Corrupt, W::CorruptText),
        ProblemKind::TooNew => (W::TooNew, W::TooNewText),
        ProblemKind::FileUnreadable => (W::Unreadable, W::UnreadableText),
        ProblemKind::CoreFault => (W::Stopped, W::StoppedText),
    };
    let running = can_close_trouble();
    let own = actions::has_own_work();
    html! {
        <div class="trouble" role="alert">
            <div class="mid">
                <h3>{ lang.say(title) }</h3>
                <p>{ &props.problem.message }{ " " }{ lang.say(text) }</p>
                <div class="row">
                    if props.problem.kind == ProblemKind::TooNew {
                        <button class="btn ink" onclick={|_| reload()}>{ lang.say(W::Reload) }</button>
                    } else {
                        <button class="btn ink" onclick={|_| examples::open_menu()}>{ lang.say(W::BrowseExamples) }</button>
                    }
                    if running {
                        <button class="btn line" onclick={|_| actions::close_problem()}>{ lang.say(W::BackToCluster) }</button>
                    } else if own {
                        <button class="btn line" onclick={|_| { actions::back_to_work(); }}>{ lang.say(W::BackToWork) }</button>
                    } else {
                        <button class="btn line" onclick={|_| actions::open_example(actions::DEFAULT_EXAMPLE)}>{ lang.say(W::StartDefault) }</button>
                    }
                </div>
            </div>
        </div>
    }
}

fn reload() {
    // A page that cannot reload stays as it is, with the message.
    let _reloaded = browser::window().location().reload();
}

#[derive(Properties, PartialEq)]
struct FaultProps {
    text: String,
}

#[component]
fn FaultPage(props: &FaultProps) -> Html {
    let lang = use_lang();
    let now = use_part(&state().clock, |clock| clock.now);
    let download = |_: MouseEvent| {
        let files = state().desk.read(|desk| desk.files());
        let text: Vec<String> = files.iter().map(|file| format!("# {}\n{}", file.name, file.text.trim_end())).collect();
        browser::download("manifests.yaml", &(text.join("\n---\n") + "\n"));
    };
    html! {
        <div class="trouble" role="alert">
            <div class="mid">
                <h3>{ lang.fill(W::Stopped, &[&format::exact_moment(now)]) }</h3>
                <p>{ lang.say(W::StoppedText) }</p>
                <pre class="words">{ &props.text }</pre>
                <div class="row">
                    <button class="btn ink" onclick={|_| reload()}>{ lang.say(W::Reload) }</button>
                    <button class="btn line" onclick={download}>{ lang.say(W::DownloadManifests) }</button>
                </div>
            </div>
        </div>
    }
}
