//! `/healthz`, `/livez` and `/readyz`: upstream's checks that have something behind them here. What answers is alive.

use apiserver::route::Answer;

const ALIVE: &[&str] = &["ping", "log", "etcd"];
const READY: &[&str] = &["ping", "log", "etcd", "etcd-readiness", "informer-sync", "shutdown"];

/// `None`: the path is no health check's.
pub fn answer(path: &str, query: &str) -> Option<Answer> {
    let (endpoint, check) = path.strip_prefix('/')?.split_once('/').unwrap_or((path.strip_prefix('/')?, ""));
    let checks = match endpoint {
        "healthz" | "livez" => ALIVE,
        "readyz" => READY,
        _ => return None,
    };
    if !check.is_empty() {
        return Some(if checks.contains(&check) { Answer::text("ok") } else { Answer::page_not_found() });
    }
    let parameters = || query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    if !parameters().any(|(name, _)| name == "verbose") {
        return Some(Answer::text("ok"));
    }
    let excluded: Vec<&str> = parameters().filter(|(name, _)| *name == "exclude").map(|(_, check)| check).collect();
    let line = |check: &&str| match excluded.contains(check) {
        true => format!("[+]{check} excluded: ok\n"),
        false => format!("[+]{check} ok\n"),
    };
    let mut text: String = checks.iter().map(line).collect();
    let unknown: Vec<String> =
        excluded.iter().filter(|check| !checks.contains(*check)).map(|check| format!("{check:?}")).collect();
    if !unknown.is_empty() {
        text += &format!("warn: some health checks cannot be excluded: no matches for {}\n", unknown.join(","));
    }
    Some(Answer::text(format!("{text}{endpoint} check passed\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_told_one_by_one() {
        let text = |path, query| answer(path, query).map(|answer| answer.body);
        assert_eq!(text("/livez", "").as_deref(), Some("ok"));
        assert_eq!(text("/readyz/etcd", "").as_deref(), Some("ok"));
        assert_eq!(text("/livez/none", "").as_deref(), Some("404 page not found\n"));
        let told = "[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\nlivez check passed\n";
        assert_eq!(text("/livez", "verbose&exclude=etcd").as_deref(), Some(told));
        assert_eq!(text("/version", ""), None);
    }
}
