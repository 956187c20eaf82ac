//! `kubectl exec`

use api::request::{ExecOptions, Subresource, Verb};
use api::types::{Pod, PodSpec};
use api::{Body, Request, Response};

use super::logs::{default_container, pods_of};
use super::namespace;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, duration, switch, text};
use crate::manifest;
use crate::resource;
use crate::task::{Call, Cx};

pub(super) static FLAGS: &[Flag] = &[
    text("container", 'c', "The container"),
    crate::flags::list("filename", 'f', "A file that names the object"),
    switch("stdin", 'i', "Pass the keyboard on"),
    switch("tty", 't', "The keyboard is a terminal"),
    switch("quiet", 'q', "Print only what the program prints"),
    duration("pod-running-timeout", "1m0s", "How long to wait for a Pod"),
];

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    let stream = cx.with(move |call| open(call, &args)).await?;
    loop {
        let output = cx
            .with(move |call| {
                if std::mem::take(&mut call.io.interrupted) {
                    call.client.stream_write(stream, None);
                }
                let typed = std::mem::take(&mut call.io.typed);
                if !typed.is_empty() {
                    call.client.stream_write(stream, Some(&typed));
                }
                let output = call.client.stream_read(stream);
                call.io.out(&output.stdout);
                call.io.err(&output.stderr);
                output
            })
            .await;
        match output.end {
            None => cx.tick(None).await,
            Some(result) => {
                cx.with(move |call| call.close_stream(stream)).await;
                return match result {
                    Ok(0) => Ok(0),
                    Ok(code) => {
                        cx.err_line(format!("command terminated with exit code {code}")).await;
                        Err(Failure::Exit(code))
                    }
                    Err(status) if status.reason.as_str().is_empty() => Err(Failure::error(status.message)),
                    Err(status) => Err(status.into()),
                };
            }
        }
    }
}

fn open(call: &mut Call, args: &Args) -> Result<api::request::StreamId, Failure> {
    let before = args.before_dash();
    let named = match resource::names_files(args) && before.is_empty() {
        true => match manifest::read(call, args)?.as_slice() {
            [manifest] => Some(resource::full_name(manifest.kind, &manifest.name)),
            _ => return Err(Failure::error("cannot exec into multiple objects at a time")),
        },
        false => before.first().cloned(),
    };
    let Some(word) = &named else {
        return Err(Failure::error("pod, type/name or --filename must be specified"));
    };
    let mut command = args.after_dash().to_vec();
    if args.dash_at.is_none() && before.len() > 1 {
        return Err(Failure::usage(
            "kubectl exec",
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead",
        ));
    }
    if command.is_empty() {
        return Err(Failure::error("you must specify at least one command for the container"));
    }
    let space = namespace(call, args);
    if args.duration("pod-running-timeout") == 0 {
        return Err(Failure::usage("kubectl exec", "--pod-running-timeout must be higher than zero"));
    }
    let pods = pods_of(call, &space, word, "attach to")?;
    let Some(pod) = pods.first().and_then(|pod| pod.downcast_ref::<Pod>()) else {
        return Err(Failure::error("no pods found"));
    };
    let name = pod.metadata.name.clone().unwrap_or_default();
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
    if matches!(phase, "Succeeded" | "Failed") {
        return Err(Failure::error(format!(
            "cannot exec into a container in a completed pod; current phase is {phase}"
        )));
    }
    let names: Vec<String> = pod.spec.as_ref().map(container_names).unwrap_or_default();
    let container = match args.some_text("container") {
        Some(container) => container.to_owned(),
        None => {
            let default = default_container(pod);
            if names.len() > 1 && !args.is("quiet") {
                call.io.err_line(format!("Defaulted container {default:?} out of: {}", names.join(", ")));
            }
            default
        }
    };
    let tty = args.is("tty");
    let stdin = args.is("stdin");
    let piped = call.io.stdin.take();
    if tty && stdin && piped.is_some() {
        call.io.err_line("Unable to use a TTY - input is not a terminal or the right kind of file");
    }
    let options = ExecOptions { container, command: std::mem::take(&mut command), stdin, tty: tty && stdin };
    let mut request = Request::new::<Pod>(Verb::Create, &space, &name).on(Subresource::Exec);
    request.body = Body::Exec(options);
    match call.client.call(request)? {
        Response::Stream(stream) => {
            call.keep_stream(stream);
            if let Some(text) = piped.filter(|_| stdin) {
                call.client.stream_write(stream, Some(&text));
            }
            call.io.reads_input = stdin;
            call.io.interrupts_stream = tty;
            Ok(stream)
        }
        _ => Err(Failure::error("the server answered without a stream")),
    }
}

/// How a message lists a Pod's containers: those that ran first last, and what they are.
fn container_names(spec: &PodSpec) -> Vec<String> {
    let main = spec.containers.iter().map(|container| container.name.clone());
    let init = spec.init_containers.iter().flatten().map(|container| format!("{} (init)", container.name));
    let ephemeral = spec.ephemeral_containers.iter().flatten().map(|container| format!("{} (ephem)", container.name));
    main.chain(ephemeral).chain(init).collect()
}
