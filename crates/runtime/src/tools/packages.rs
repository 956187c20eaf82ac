//! Package managers, as far as they bring the tools of this crate.

use super::run::{After, Call};
use crate::SECOND;

/// Packages and the commands in them.
const PACKAGES: &[(&str, &[&str])] = &[
    ("curl", &["curl"]),
    ("wget", &["wget"]),
    ("bind-tools", &["nslookup", "dig"]),
    ("dnsutils", &["nslookup", "dig"]),
    ("bind9-dnsutils", &["nslookup", "dig"]),
    ("iputils-ping", &["ping"]),
    ("iputils", &["ping"]),
    ("netcat-openbsd", &["nc"]),
    ("netcat", &["nc"]),
    ("netcat-traditional", &["nc"]),
    ("procps", &["ps", "free", "uptime"]),
    ("stress", &["stress"]),
    ("redis-tools", &["redis-cli"]),
    ("redis", &["redis-cli"]),
    ("mysql-client", &["mysql", "mysqladmin"]),
    ("default-mysql-client", &["mysql", "mysqladmin"]),
    ("postgresql-client", &["psql", "pg_isready"]),
];

/// `apk add …`, `apt-get install …`; everything else succeeds and does nothing.
pub fn install(call: &mut Call<'_, '_, '_, '_>) -> After {
    const UPDATE_NS: u64 = 2 * SECOND;
    const PACKAGE_NS: u64 = 3 * SECOND;
    let words: Vec<String> = call.args[1..].iter().filter(|word| !word.starts_with('-')).cloned().collect();
    let now = call.task.now();
    let is_apk = call.name() == "apk";
    match words.first().map(String::as_str) {
        Some("add" | "install") => {
            for name in &words[1..] {
                let commands = PACKAGES.iter().find(|row| row.0 == name).map_or(&[][..], |row| row.1);
                for command in commands {
                    let _ = call.task.view().make_dir_all("/usr/bin");
                    let _ = call.task.view().write(&format!("/usr/bin/{command}"), b"");
                }
                let line = if is_apk { format!("Installing {name}\n") } else { format!("Setting up {name} ...\n") };
                call.out.push_str(&line);
            }
            if is_apk {
                call.out.push_str("OK\n");
            }
            After::Delay(now + PACKAGE_NS * words.len() as u64, 0)
        }
        Some("update") => {
            call.out.push_str(if is_apk { "OK\n" } else { "Reading package lists...\n" });
            After::Delay(now + UPDATE_NS, 0)
        }
        _ => After::Exit(0),
    }
}
