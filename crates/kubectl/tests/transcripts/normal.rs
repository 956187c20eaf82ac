//! The normal form in which recordings and our own output are compared: the rules of the corpus.

use regex_lite::Regex;

const AGE_COLUMNS: [&str; 5] = ["AGE", "Age", "LAST SEEN", "DURATION", "LAST SCHEDULE"];
const HOST_COLUMNS: [&str; 4] = ["VERSION", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME"];

/// Rules without context, in their order.
const RULES: &[(&str, &str)] = &[
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6,9}(Z|[+-]\d\d:\d\d)", "<microtime>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", "<time>"),
    (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<date>"),
    (r#"(resourceVersion"?: ")\d+"#, "${1}<rv>"),
    (r"(Resource Version:\s+)\d+", "${1}<rv>"),
    (
        r"(?m)^(\s*)(Machine ID|System UUID|Boot ID|Kernel Version|OS Image|Kubelet Version|Container Runtime Version|Operating System|Architecture|Kube-Proxy Version):.*$",
        "$1$2: <host>",
    ),
];
const LATE_RULES: &[(&str, &str)] = &[
    (r#"(?m)^(\s*(- )?"?(containerID|imageID|Container ID|Image ID)"?:).*$"#, "$1 <id>"),
    (r"(://)[0-9a-f]{16,64}\b", "${1}<id>"),
];
const PROGRESS: &str = r"^(Waiting for .*(rollout|roll out|to finish|spec update to be observed|pods to be ready|to be updated|partitioned).*|partitioned roll out .*|waiting for statefulset rolling update.*)";

fn regex(text: &str) -> Regex {
    Regex::new(text).expect("a rule of this file")
}

/// Replaces matches whose neighbours satisfy `fits`.
fn replace(text: &str, pattern: &Regex, fits: impl Fn(&str, &str, &str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(found) = pattern.find_at(text, at) {
        out.push_str(&text[at..found.start()]);
        match fits(&text[..found.start()], found.as_str(), &text[found.end()..]) {
            Some(replacement) => {
                out.push_str(&replacement);
                at = found.end();
            }
            None => {
                let first = text[found.start()..].chars().next().map_or(1, char::len_utf8);
                out.push_str(&text[found.start()..found.start() + first]);
                at = found.start() + first;
            }
        }
        if at >= text.len() {
            break;
        }
    }
    out.push_str(&text[at.min(text.len())..]);
    out
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_alphanumeric(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_ascii_alphanumeric())
}

fn hashes(text: &str) -> String {
    replace(text, &regex("[4-9bcdf]{7,10}"), |before, _, after| {
        let inside = is_alphanumeric(before.chars().next_back()) || is_alphanumeric(after.chars().next());
        (!inside).then(|| "<hash>".into())
    })
}

fn pod_suffixes(text: &str) -> String {
    let pattern = regex("-[bcdfghjklmnpqrstvwxz2456789]{5}");
    replace(text, &pattern, |before, _, after| {
        let next = after.chars().next();
        let named = before.chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric() || c == '>');
        (named && !is_word(next) && !matches!(next, Some('-' | '.'))).then(|| "-<rand>".into())
    })
}

fn durations(text: &str) -> String {
    let pattern = regex(r"\d+(y\d+d|d\d+h|h\d+m|m\d+s|[dhs])");
    let text = replace(text, &pattern, |before, _, after| {
        let last = before.chars().next_back();
        let bad = is_word(last) || matches!(last, Some('.' | ':' | '=' | '/' | '-'));
        let next = after.chars().next();
        (!bad && !is_word(next) && next != Some('/')).then(|| "<age>".into())
    });
    let text = regex(r"<age> \(x\d+ over <age>\)").replace_all(&text, "<age>").into_owned();
    regex(r"\(<age> ago\)").replace_all(&text, "(<age>)").into_owned()
}

fn cells(line: &str) -> Vec<String> {
    regex(r" {2,}|\t+").split(line.trim()).map(str::to_owned).collect()
}

/// The normal form of a command's output. `given` is what the case itself says.
pub fn normal(text: &str, given: &str) -> Vec<String> {
    let mut text = text.trim_end_matches('\n').to_owned();
    for (pattern, replacement) in RULES {
        text = regex(pattern).replace_all(&text, *replacement).into_owned();
    }
    let kept = |value: &str| given.contains(value);
    text = replace(&text, &regex(r":3[0-2]\d{3}/(TCP|UDP)"), |before, found, _| {
        let (port, protocol) = found[1..].split_once('/')?;
        let digit = before.chars().next_back().is_some_and(|c| c.is_ascii_digit());
        (digit && !kept(port)).then(|| format!(":<nodePort>/{protocol}"))
    });
    text = replace(&text, &regex(r"nodePort: 3[0-2]\d{3}"), |_, found, _| {
        (!kept(&found[10..])).then(|| "nodePort: <nodePort>".into())
    });
    text = replace(&text, &regex(r"(\d{1,3}\.){3}\d{1,3}"), |before, found, after| {
        let inside = is_word(before.chars().next_back()) || is_word(after.chars().next());
        (!inside && !kept(found)).then(|| "<ip>".into())
    });
    text = pod_suffixes(&hashes(&text));
    for (pattern, replacement) in LATE_RULES {
        text = regex(pattern).replace_all(&text, *replacement).into_owned();
    }
    let progress = regex(PROGRESS);
    let mut header: Option<(usize, Vec<usize>, Vec<usize>)> = None;
    let mut out: Vec<String> = Vec::new();
    let age = regex(r"^(\d+[ydhms](\d+[dhms])?|<unknown>|<none>|<invalid>)( ago)?( \(x\d+ over \S+\))?$");
    for line in text.split('\n').filter(|line| !progress.is_match(line)) {
        let mut line = line.to_owned();
        let mut row = cells(&line);
        let positions = |names: &[&str]| -> Vec<usize> {
            row.iter().enumerate().filter(|(_, cell)| names.contains(&cell.as_str())).map(|(at, _)| at).collect()
        };
        let ages = positions(&AGE_COLUMNS);
        if !ages.is_empty() {
            header = Some((row.len(), ages, positions(&HOST_COLUMNS)));
        } else if line.trim().is_empty() {
            header = None;
        } else if let Some((length, ages, hosts)) = &header
            && row.len() == *length
        {
            for at in ages {
                if age.is_match(&row[*at]) {
                    row[*at] = "<age>".into();
                }
            }
            hosts.iter().for_each(|at| row[*at] = "<host>".into());
            line = format!("{}{}", if line.starts_with(' ') { "  " } else { "" }, row.join("  "));
        }
        line = durations(&line);
        out.push(regex(" {2,}").replace_all(line.trim_end(), "  ").into_owned());
    }
    sort_events(out)
}

/// The events of one description come in no particular order within one second.
fn sort_events(lines: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut lines = lines.into_iter().peekable();
    while let Some(line) = lines.next() {
        let begins = regex(r"^\s*Type\s+Reason\s+Age\s+From\s+Message$").is_match(&line);
        out.push(line);
        if begins {
            out.extend(lines.next());
            let mut block = Vec::new();
            while let Some(row) = lines.next_if(|row| !row.trim().is_empty()) {
                block.push(row);
            }
            block.sort();
            block.dedup();
            out.extend(block);
        }
    }
    out
}
