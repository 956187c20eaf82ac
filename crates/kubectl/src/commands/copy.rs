//! `kubectl cp`: one file of text into a container or out of it. Upstream runs `tar` there; here it is `cat`.

use super::exec;
use crate::failure::{Failure, Outcome};
use crate::flags::{self, Args, Flag, int, switch, text};
use crate::shell::Sink;
use crate::task::Cx;

pub(super) static FLAGS: &[Flag] = &[
    text("container", 'c', "The container"),
    switch("no-preserve", ' ', "Do not keep owner and mode"),
    int("retries", ' ', "0", "How often to try again"),
];

static EXEC: &[&[Flag]] = &[exec::FLAGS];

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    let [from, to] = args.operands.as_slice() else {
        return Err(Failure::error("source and destination are required"));
    };
    for spec in [from, to] {
        let Some((pod, path)) = spec.split_once(':') else { continue };
        if pod.matches('/').count() > 1 {
            return Err(Failure::error("filespec must match the canonical format: [[namespace/]pod:]file/path"));
        }
        if path.is_empty() {
            return Err(Failure::error("filepath can not be empty"));
        }
    }
    match (from.split_once(':'), to.split_once(':')) {
        (Some(_), Some(_)) => Err(Failure::error("one of src or dest must be a local file specification")),
        (None, None) => Err(Failure::error("one of src or dest must be a remote file specification")),
        (Some((pod, path)), None) => download(&cx, &args, pod, path, to.clone()).await,
        (None, Some((pod, path))) => upload(&cx, &args, pod, path, from.clone()).await,
    }
}

/// The arguments of the `exec` that does the work. A Pod may carry its namespace: `shop/web:/etc/x`.
fn exec_args(args: &Args, pod: &str, command: &[&str]) -> Result<Args, Failure> {
    let (space, pod) = pod.split_once('/').map_or((None, pod), |(space, pod)| (Some(space), pod));
    let mut words = vec![pod.to_owned(), "-i".into()];
    if let Some(space) = space.or(args.some_text("namespace")) {
        words.push(format!("--namespace={space}"));
    }
    if let Some(container) = args.some_text("container") {
        words.push(format!("--container={container}"));
    }
    words.push("--".into());
    words.extend(command.iter().map(|word| (*word).to_owned()));
    flags::parse(&words, EXEC).map_err(Failure::error)
}

async fn download(cx: &Cx, args: &Args, pod: &str, path: &str, to: String) -> Outcome {
    let exec_args = exec_args(args, pod, &["cat", path])?;
    cx.with(|call| call.io.sinks.push(Sink { captures: true, ..Sink::default() })).await;
    let outcome = exec::run(cx.clone(), exec_args).await;
    let text = cx.with(|call| call.io.pop_sink()).await;
    outcome?;
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    cx.with(move |call| {
        let to = if call.state.files.list(&to).is_some() { format!("{}/{name}", to.trim_end_matches('/')) } else { to };
        call.state.files.write(&to, text);
    })
    .await;
    Ok(0)
}

async fn upload(cx: &Cx, args: &Args, pod: &str, path: &str, from: String) -> Outcome {
    let name = from.rsplit('/').next().unwrap_or_default().to_owned();
    let missing = Failure::error(format!("{from} doesn't exist in local filesystem"));
    let Some(text) = cx.with(move |call| call.state.files.read(&from)).await else { return Err(missing) };
    let script = "if [ -d \"$1\" ]; then cat > \"$1/$2\"; else cat > \"$1\"; fi";
    let exec_args = exec_args(args, pod, &["sh", "-c", script, "sh", path, &name])?;
    cx.with(move |call| call.io.stdin = Some(text)).await;
    exec::run(cx.clone(), exec_args).await
}
