//! Tools that tell about or act on the machine and its processes.

use super::run::{After, Call};
use crate::process::Task;
use crate::{NodeConfig, SECOND, Signal, SimTime};

type ToolCall<'t, 'k, 'h, 'a> = Call<'t, 'k, 'h, 'a>;

pub fn succeed(_: &mut ToolCall<'_, '_, '_, '_>) -> After {
    After::Exit(0)
}

pub fn fail(_: &mut ToolCall<'_, '_, '_, '_>) -> After {
    After::Exit(1)
}

pub fn sleep(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let mut total: SimTime = 0;
    for word in &call.args[1..] {
        match parse_duration(word) {
            Some(ns) => total = total.saturating_add(ns),
            None => {
                call.complain(&format!("invalid number '{word}'"));
                return After::Exit(1);
            }
        }
    }
    After::Delay(call.task.now().saturating_add(total), 0)
}

/// `5`, `0.5`, `2m`, `infinity`.
fn parse_duration(text: &str) -> Option<SimTime> {
    if text == "infinity" || text == "inf" {
        return Some(SimTime::MAX / 4);
    }
    let (digits, unit) = match text.char_indices().last()? {
        (at, 's') => (&text[..at], 1),
        (at, 'm') => (&text[..at], 60),
        (at, 'h') => (&text[..at], 3600),
        (at, 'd') => (&text[..at], 86400),
        _ => (text, 1),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || digits.is_empty() {
        return None;
    }
    let whole: SimTime = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let ns = whole.checked_mul(SECOND)?.checked_add(fraction.parse().ok()?)?;
    ns.checked_mul(unit)
}

pub fn date(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let format = call.args[1..].iter().find_map(|word| word.strip_prefix('+'));
    let iso = call.args[1..].iter().any(|word| word.starts_with("-I"));
    let format = format.unwrap_or(if iso { "%Y-%m-%d" } else { "%a %b %e %H:%M:%S UTC %Y" });
    let now = call.task.now();
    call.out = format_date(call.task.host.node, now, format) + "\n";
    After::Exit(0)
}

/// A moment in UTC, by `strftime`'s letters.
pub fn format_date(node: &NodeConfig, time: SimTime, format: &str) -> String {
    const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let seconds = node.epoch_unix_seconds + i64::try_from(time / SECOND).unwrap_or(0);
    let (days, second) = (seconds.div_euclid(86400), seconds.rem_euclid(86400));
    let (year, month, day) = civil_from_days(days);
    let day_name = DAYS[usize::try_from(days.rem_euclid(7)).unwrap_or(0)];
    let month_name = MONTHS[usize::try_from(month - 1).unwrap_or(0).min(11)];
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let mut result = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            result.push(c);
            continue;
        }
        let text = match chars.next() {
            Some('Y') => year.to_string(),
            Some('y') => format!("{:02}", year % 100),
            Some('m') => format!("{month:02}"),
            Some('d') => format!("{day:02}"),
            Some('e') => format!("{day:>2}"),
            Some('H') => format!("{hour:02}"),
            Some('I') => format!("{:02}", (hour + 11) % 12 + 1),
            Some('M') => format!("{minute:02}"),
            Some('S') => format!("{second:02}"),
            Some('N') => format!("{:09}", time % SECOND),
            Some('s') => seconds.to_string(),
            Some('a') => day_name[..3].to_owned(),
            Some('A') => day_name.to_owned(),
            Some('b') => month_name[..3].to_owned(),
            Some('B') => month_name.to_owned(),
            Some('F') => format!("{year}-{month:02}-{day:02}"),
            Some('T') => format!("{hour:02}:{minute:02}:{second:02}"),
            Some('p') => if hour < 12 { "AM" } else { "PM" }.to_owned(),
            Some('Z') => "UTC".to_owned(),
            Some('z') => "+0000".to_owned(),
            Some('n') => "\n".to_owned(),
            Some('%') => "%".to_owned(),
            Some(other) => format!("%{other}"),
            None => "%".to_owned(),
        };
        result.push_str(&text);
    }
    result
}

/// Year, month and day of a number of days since 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

pub fn env(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    call.out = call.task.info().env.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    After::Exit(0)
}

pub fn printenv(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let Some(name) = call.args.get(1) else { return env(call) };
    match call.task.env(name) {
        Some(value) => {
            call.out = format!("{value}\n");
            After::Exit(0)
        }
        None => After::Exit(1),
    }
}

pub fn hostname(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let sandbox = call.task.host.sandbox;
    call.out = match call.args.get(1).map(String::as_str) {
        Some("-i" | "-I") => format!("{}\n", sandbox.ip.clone().unwrap_or_default()),
        _ => format!("{}\n", sandbox.hostname),
    };
    After::Exit(0)
}

pub fn whoami(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let uid = call.task.host.uid;
    if uid == 0 {
        call.out = "root\n".to_owned();
        return After::Exit(0);
    }
    match call.task.host.image.user_name(uid) {
        Some(name) => call.out = format!("{name}\n"),
        None => {
            call.complain(&format!("unknown uid {uid}"));
            return After::Exit(1);
        }
    }
    After::Exit(0)
}

pub fn id(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let uid = call.task.host.uid;
    if call.args.get(1).is_some_and(|flag| flag == "-u" || flag == "-g") {
        call.out = format!("{uid}\n");
        return After::Exit(0);
    }
    let name = if uid == 0 { Some("root") } else { call.task.host.image.user_name(uid) };
    call.out = match name {
        Some(name) => format!("uid={uid}({name}) gid={uid}({name}) groups={uid}({name})\n"),
        None => format!("uid={uid} gid=0(root) groups=0(root)\n"),
    };
    After::Exit(0)
}

pub fn uname(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (flags, _, _) = call.flags("");
    let node = call.task.host.node;
    let all = format!(
        "Linux {} {} #1 SMP PREEMPT_DYNAMIC {} GNU/Linux",
        call.task.host.sandbox.hostname, node.kernel_version, node.machine
    );
    let part = match flags.chars().next() {
        Some('a') => all,
        Some('r') => node.kernel_version.clone(),
        Some('m' | 'p') => node.machine.clone(),
        Some('n') => call.task.host.sandbox.hostname.clone(),
        _ => "Linux".to_owned(),
    };
    call.out = part + "\n";
    After::Exit(0)
}

pub fn nproc(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    call.out = format!("{}\n", call.task.host.node.cpu_milli / 1000);
    After::Exit(0)
}

pub fn free(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let total = call.task.host.node.memory_bytes / 1024;
    call.out = format!(
        "              total        used        free\nMem:     {total:>10} {:>10} {:>10}\n",
        total / 4,
        total - total / 4
    );
    After::Exit(0)
}

pub fn uptime(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let minutes = call.task.now() / (60 * SECOND);
    let clock = format_date(call.task.host.node, call.task.now(), "%H:%M:%S");
    call.out = format!(" {clock} up {}:{:02},  load average: 0.00, 0.00, 0.00\n", minutes / 60, minutes % 60);
    After::Exit(0)
}

pub fn pwd(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    call.out = format!("{}\n", call.task.info().cwd);
    After::Exit(0)
}

pub fn which(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let mut status = 0;
    for name in &call.args[1..] {
        match super::which(call.task, name) {
            Some(path) => call.out.push_str(&format!("{path}\n")),
            None => status = 1,
        }
    }
    After::Exit(status)
}

pub fn ps(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let now = call.task.now();
    let user = if call.task.host.uid == 0 { "root".to_owned() } else { call.task.host.uid.to_string() };
    call.out.push_str("PID   USER     TIME  COMMAND\n");
    let rows: Vec<String> = call
        .task
        .kernel
        .infos()
        .filter(|info| info.exit_code.is_none())
        .map(|info| {
            let minutes = now.saturating_sub(info.started_at) / (60 * SECOND) / 1000;
            format!("{:>5} {user:<8} {:>2}:00 {}\n", info.pid, minutes, info.argv.join(" "))
        })
        .collect();
    call.out.push_str(&rows.concat());
    After::Exit(0)
}

pub fn kill(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let mut signal = Some(Signal::Term);
    let mut status = 0;
    for word in &call.args[1..] {
        if let Some(name) = word.strip_prefix('-') {
            signal = Signal::parse(name);
            continue;
        }
        let at = call.task.now();
        let sent = match (word.parse().ok(), signal) {
            (Some(pid), Some(signal)) => call.task.kernel.signal(pid, signal, false, at, call.task.host),
            _ => false,
        };
        if !sent {
            call.complain(&format!("can't kill pid {word}: No such process"));
            status = 1;
        }
    }
    After::Exit(status)
}

/// `stress --vm-bytes 250M --cpu 2 --timeout 60`, as in the pages on resource limits.
pub fn stress(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let value = |names: &[&str]| {
        let at = call.args.iter().position(|arg| names.contains(&arg.as_str()))?;
        call.args.get(at + 1).cloned()
    };
    let (memory_bytes, busy) = stress_load(call.args);
    let timeout = value(&["--timeout", "-t"]).and_then(|text| parse_duration(&text));
    call.out = format!("stress: info: [{}] dispatching hogs\n", call.task.pid);
    let until = timeout.map(|ns| call.task.now().saturating_add(ns));
    After::Load { memory_bytes, until: until.or(busy.then_some(SimTime::MAX)) }
}

/// Memory in bytes, and whether a CPU is kept busy, of a `stress` command line (both programs of that name).
pub fn stress_load(args: &[String]) -> (u64, bool) {
    let value = |names: &[&str]| {
        let at = args.iter().position(|arg| names.contains(&arg.as_str()))?;
        args.get(at + 1).cloned()
    };
    let bytes = value(&["--vm-bytes", "-mem-total", "--mem-total"]).map_or(0, |text| {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let shift = match text[digits.len()..].chars().next() {
            Some('K' | 'k') => 10,
            Some('M' | 'm') => 20,
            Some('G' | 'g') => 30,
            _ => 0,
        };
        digits.parse::<u64>().unwrap_or(0).saturating_mul(1 << shift)
    });
    let workers = value(&["--vm", "-m"]).and_then(|n| n.parse::<u64>().ok()).unwrap_or(1).max(1);
    (bytes.saturating_mul(workers), value(&["--cpu", "-c", "-cpus", "--cpus"]).is_some())
}

/// `perl -Mbignum=bpi -wle 'print bpi(2000)'`: the digits of pi, after the time that they take. Of other scripts it
/// knows those that print a literal.
pub fn perl(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    const DIGITS_MAX: usize = 10_000;
    let is_script = |switch: &String| switch.starts_with('-') && !switch.starts_with("-M") && switch.ends_with('e');
    let Some(at) = call.args.iter().position(is_script) else { return After::Exit(0) };
    let ends_lines = call.args[at].contains('l');
    let script = call.args.get(at + 1).map_or("", String::as_str).trim().trim_end_matches(';');
    let Some(printed) = script.strip_prefix("print").map(str::trim) else { return After::Exit(0) };
    let digits = printed.strip_prefix("bpi(").and_then(|rest| rest.strip_suffix(')')?.trim().parse::<usize>().ok());
    let text = match digits {
        Some(digits) => pi_digits(digits.clamp(1, DIGITS_MAX)),
        None => perl_literal(printed),
    };
    call.out = if ends_lines { text + "\n" } else { text };
    let Some(digits) = digits else { return After::Exit(0) };
    call.task.charge(digits.clamp(1, DIGITS_MAX) as u64 * 2_500_000);
    After::Delay(call.task.now(), 0)
}

/// What a quoted string or a number prints as.
fn perl_literal(text: &str) -> String {
    let within = |quote| text.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
    match within('"') {
        Some(quoted) => quoted.replace("\\n", "\n").replace("\\t", "\t"),
        None => within('\'').unwrap_or(text).to_owned(),
    }
}

/// Pi to that many digits by the spigot of Rabinowitz and Wagon.
fn pi_digits(digits: usize) -> String {
    let length = digits * 10 / 3 + 16;
    let mut remainders = vec![2_u64; length];
    let mut result = String::with_capacity(digits + 8);
    let (mut nines, mut held) = (0, None);
    while result.len() < digits + 2 {
        let mut carry = 0;
        for index in (1..length).rev() {
            let divisor = 2 * index as u64 + 1;
            let value = remainders[index] * 10 + carry * (index as u64 + 1);
            remainders[index] = value % divisor;
            carry = value / divisor;
        }
        let value = remainders[0] * 10 + carry;
        remainders[0] = value % 10;
        let digit = value / 10;
        match digit {
            9 => nines += 1,
            _ => {
                let up = digit == 10;
                result.extend(held.map(|held: u64| digit_char(held + u64::from(up))));
                let filler = if up { '0' } else { '9' };
                result.extend(std::iter::repeat_n(filler, nines));
                nines = 0;
                held = Some(if up { 0 } else { digit });
            }
        }
    }
    result.truncate(digits);
    if result.len() > 1 {
        result.insert(1, '.');
    }
    result
}

fn digit_char(digit: u64) -> char {
    u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit % 10, 10)).unwrap_or('0')
}

/// `nginx -t`, `-v`, and `-s` with a signal for the server.
pub fn nginx_control(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    const CONFIG: &str = "/etc/nginx/nginx.conf";
    let Some(at) = call.args.iter().position(|arg| arg == "-s") else {
        if call.args.iter().any(|arg| arg == "-v" || arg == "-V") {
            call.err = "nginx version: nginx\n".to_owned();
        } else if call.task.view().exists(CONFIG) {
            call.err = format!(
                "nginx: the configuration file {CONFIG} syntax is ok\nnginx: configuration file {CONFIG} test is successful\n"
            );
        } else {
            call.err = format!("nginx: [emerg] open() \"{CONFIG}\" failed (2: No such file or directory)\n");
            return After::Exit(1);
        }
        return After::Exit(0);
    };
    let signal = match call.args.get(at + 1).map(String::as_str) {
        Some("quit") => Signal::Quit,
        Some("reload" | "reopen") => Signal::Hup,
        Some("stop") => Signal::Term,
        _ => {
            call.err = "nginx: invalid option: \"-s\"\n".to_owned();
            return After::Exit(1);
        }
    };
    let now = call.task.now();
    call.task.kernel.signal(1, signal, false, now, call.task.host);
    After::Exit(0)
}

/// Files that the kernel makes up.
pub fn proc_file(task: &Task<'_, '_, '_>, path: &str) -> Option<String> {
    let host = &task.host;
    Some(match path {
        "/proc/version" => format!("Linux version {}\n", host.node.kernel_version),
        "/proc/uptime" => format!("{}.00 0.00\n", task.now() / SECOND),
        "/proc/loadavg" => "0.00 0.00 0.00 1/100 1\n".to_owned(),
        "/proc/meminfo" => format!("MemTotal: {:>15} kB\n", host.node.memory_bytes / 1024),
        "/proc/cpuinfo" => (0..host.node.cpu_milli / 1000).map(|cpu| format!("processor\t: {cpu}\n\n")).collect(),
        "/sys/fs/cgroup/memory.max" => {
            host.memory_limit_bytes.map_or_else(|| "max\n".to_owned(), |bytes| format!("{bytes}\n"))
        }
        "/sys/fs/cgroup/cpu.max" => {
            host.cpu_limit_milli.map_or_else(|| "max 100000\n".to_owned(), |milli| format!("{} 100000\n", milli * 100))
        }
        "/proc/1/cmdline" => task.kernel.info(1)?.argv.join("\0"),
        _ => return None,
    })
}
