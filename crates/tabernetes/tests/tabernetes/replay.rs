//! A link opens the same cluster; bad input leaves the running one alone.

use protocol::scenario::SavedView;
use protocol::{Command, Outcome, ProblemKind, Report, Source, Speed};
use tabernetes::session::Session;

const SECOND: u64 = 1_000_000_000;

fn open(source: Source) -> (Session, Vec<Report>) {
    let mut session = Session::default();
    let reports = session.handle(Command::Open { source });
    (session, reports)
}

fn guestbook() -> Session {
    open(Source::Example { id: "guestbook".into() }).0
}

fn link(session: &mut Session) -> String {
    let view = SavedView { paused: true, ..SavedView::default() };
    let reports = session.handle(Command::Share { view });
    let found = reports.into_iter().find_map(|report| match report {
        Report::Link { fragment } => Some(fragment),
        _ => None,
    });
    found.expect("sharing answers with a link")
}

/// Lets virtual time pass in uneven frames, as a browser does.
fn frames(session: &mut Session, frames: usize, wall_seconds: f64) {
    for frame in 0..frames {
        let mut events = 0;
        session.tick(wall_seconds * (1.0 + (frame % 3) as f64 / 2.0), || {
            events += 1;
            events < 5
        });
    }
}

#[test]
fn a_link_opens_the_same_cluster_at_the_same_moment() {
    let mut session = guestbook();
    frames(&mut session, 200, 0.016);
    session.handle(Command::Speed { speed: Speed::Times { factor: 20.0 } });
    frames(&mut session, 60, 0.016);
    session.handle(Command::Terminal { line: "kubectl set image deploy/frontend php-redis=nginx:1.28".into() });
    session.handle(Command::Terminal { line: "kubectl rollout status deploy/frontend".into() });
    frames(&mut session, 40, 0.016);
    session.handle(Command::Interrupt);
    session.handle(Command::Terminal { line: "kubectl delete pod -l role=leader".into() });
    frames(&mut session, 90, 0.016);
    session.handle(Command::Act { act: protocol::Act::PowerOff { node: "node-2".into() } });
    frames(&mut session, 100, 0.016);
    session.handle(Command::Run { running: false });

    let fragment = link(&mut session);
    let (copy, reports) = open(Source::Link { fragment });
    assert!(matches!(reports.first(), Some(Report::Opened { .. })), "{:?}", reports.first());
    assert_eq!(copy.cluster().now(), session.cluster().now());
    assert_eq!(copy.cluster().trace().hash(), session.cluster().trace().hash());
}

#[test]
fn a_broken_link_leaves_the_running_cluster_alone() {
    let mut session = guestbook();
    session.run_to(20 * SECOND);
    let before = session.cluster().trace().hash();
    let fragment = link(&mut session);
    let cut = fragment[..fragment.len() / 3].to_owned();
    for (fragment, kind) in [
        (cut, ProblemKind::LinkCutShort),
        (fragment.replacen("v1.", "v9.", 1), ProblemKind::TooNew),
        (fragment.replacen("v1.d.", "v1.d.%", 1), ProblemKind::LinkCorrupt),
    ] {
        let reports = session.handle(Command::Open { source: Source::Link { fragment } });
        let problem = reports.iter().find_map(|report| match report {
            Report::Problem { problem } => Some(problem.kind),
            _ => None,
        });
        assert_eq!(problem, Some(kind));
    }
    assert_eq!(session.cluster().trace().hash(), before);
}

fn refusal(session: &mut Session, text: &str) -> String {
    let reports = session.handle(Command::DryRun { request: 1, text: text.into() });
    for report in reports {
        if let Report::DryRun { applied, .. } = report {
            for object in applied.objects {
                if let Outcome::Refused { message, .. } = object.outcome {
                    return message;
                }
            }
        }
    }
    String::new()
}

#[test]
fn what_cannot_be_applied_is_refused_in_words() {
    let mut session = guestbook();
    session.run_to(10 * SECOND);
    let bomb = format!(
        "a: &a [{0}]\nb: &b [{1}]\nc: &c [{2}]\nd: &d [{3}]\ne: [{4}]\n",
        vec!["x"; 20].join(","),
        vec!["*a"; 20].join(","),
        vec!["*b"; 20].join(","),
        vec!["*c"; 20].join(","),
        vec!["*d"; 20].join(",")
    );
    let deep = "a: ".to_owned() + &"[".repeat(20_000);
    let long =
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: big}}\ndata: {{a: {}}}\n", "x".repeat(5 << 20));
    let cases = [
        ("kind: Pod\n  bad: [", "yaml"),
        (bomb.as_str(), ""),
        (deep.as_str(), ""),
        (long.as_str(), ""),
        ("apiVersion: v1\nkind: Nonsense\nmetadata: {name: x}\n", "Nonsense"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\u{1}b\"}\n", ""),
        ("just a text", ""),
        ("- 1\n- 2\n", ""),
    ];
    for (text, expected) in cases {
        let message = refusal(&mut session, text);
        let shown: String = text.chars().take(40).collect();
        assert!(!message.is_empty(), "{shown:?} was accepted");
        assert!(message.contains(expected), "{shown:?}: {message}");
    }
}

#[test]
fn two_thousand_documents_are_applied() {
    let mut session = guestbook();
    session.run_to(10 * SECOND);
    let documents: Vec<String> = (0..2000)
        .map(|number| {
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: config-{number}}}\ndata: {{n: \"{number}\"}}\n")
        })
        .collect();
    let command = Command::Apply { file: "many.yaml".into(), text: documents.join("---\n") };
    let applied = session.handle(command).into_iter().find_map(|report| match report {
        Report::Applied { applied } => Some(applied),
        _ => None,
    });
    let objects = applied.expect("applying answers").objects;
    assert_eq!(objects.len(), 2000);
    assert!(objects.iter().all(|object| object.outcome == Outcome::Created));
}
