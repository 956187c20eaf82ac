//! The core in a real worker: it plays an example, and what it says survives the way to the page.
#![cfg(target_family = "wasm")]

use protocol::view::Lamp;
use protocol::{Command, Report, Source};
use tabernetes::session::Session;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const SECOND: u64 = 1_000_000_000;

fn guestbook() -> (Session, Vec<Report>) {
    let mut session = Session::default();
    let mut reports = session.handle(Command::Open { source: Source::Example { id: "guestbook".into() } });
    reports.extend(session.run_to(40 * SECOND));
    (session, reports)
}

#[wasm_bindgen_test]
fn the_guestbook_serves_its_visitors() {
    let (session, reports) = guestbook();
    let pods = reports.iter().filter_map(|report| match report {
        Report::View { view } => Some(&view.pods.set),
        _ => None,
    });
    let ready = pods.flatten().filter(|pod| pod.lamp == Lamp::Ready);
    let mut names: Vec<&str> = ready.map(|pod| pod.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() >= 6, "{names:?}");
    assert!(session.cluster().traffic().clients.succeeded > 100);
}

#[wasm_bindgen_test]
fn reports_survive_the_way_to_the_page() {
    let (_, reports) = guestbook();
    for report in reports {
        let text = serde_json::to_string(&report).expect("a report is JSON");
        assert_eq!(serde_json::from_str::<Report>(&text).expect("the page reads it"), report);
    }
}
