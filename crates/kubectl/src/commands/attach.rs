//! `kubectl attach`, and how `kubectl run -it` follows its Pod.

use api::Response;
use api::request::{ExecOptions, Subresource, Verb};
use api::types::Pod;

use super::logs::pods_of;
use super::namespace;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, duration, switch, text};
use crate::task::Cx;

pub(super) static FLAGS: &[Flag] = &[
    text("container", 'c', "The container"),
    switch("stdin", 'i', "Pass the keyboard on"),
    switch("tty", 't', "The keyboard is a terminal"),
    switch("quiet", 'q', "Print only what the program prints"),
    duration("pod-running-timeout", "1m0s", "How long to wait for a Pod"),
];

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    let word = match args.operands.as_slice() {
        [] => return Err(Failure::error("at least 1 argument is required for attach")),
        [word] => word.clone(),
        [kind, name] => format!("{kind}/{name}"),
        many => {
            return Err(Failure::error(format!(
                "expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {}: [{}]",
                many.len(),
                many.join(" ")
            )));
        }
    };
    let picking = args.clone();
    let (space, name) = cx
        .with(move |call| {
            let space = namespace(call, &picking);
            let pods = pods_of(call, &space, &word, "attach to")?;
            let Some(pod) = pods.first() else { return Err(Failure::error("no pods found")) };
            let (name, value) = (pod.name().to_owned(), pod.to_value());
            let container = picking.text("container");
            let lists = ["containers", "initContainers", "ephemeralContainers"];
            let mut known = lists.iter().flat_map(|list| value["spec"][*list].as_array().into_iter().flatten());
            if !container.is_empty() && !known.any(|known| known["name"] == container) {
                return Err(Failure::error(format!(
                    "cannot attach to the container: container {container} not found in pod {name}"
                )));
            }
            if value["spec"]["nodeName"].as_str().unwrap_or_default().is_empty() {
                call.io.err_line("If you don't see a command prompt, try pressing enter.");
                return Err(api::Status::bad_request(format!("pod {name} does not have a host assigned")).into());
            }
            Ok((space, name))
        })
        .await?;
    follow(&cx, &args, &space, &name).await
}

/// Waits until the Pod's container runs or has ended, and shows what it prints.
pub(super) async fn follow(cx: &Cx, args: &Args, space: &str, name: &str) -> Outcome {
    let deadline = cx.now().await + args.duration("pod-running-timeout");
    loop {
        let (space, pod) = (space.to_owned(), name.to_owned());
        let phase = cx
            .with(move |call| call.client.get::<Pod>(&space, &pod))
            .await
            .map(|pod| pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default())?;
        if phase != "Pending" {
            break;
        }
        if cx.now().await > deadline {
            return Err(Failure::error("timed out waiting for the condition"));
        }
        cx.sleep(100 * api::time::MILLISECOND).await;
    }
    if !args.is("quiet") && args.is("stdin") {
        cx.err_line("If you don't see a command prompt, try pressing enter.").await;
    }
    let (space, pod) = (space.to_owned(), name.to_owned());
    let (stdin, tty) = (args.is("stdin"), args.is("tty"));
    let container = args.text("container").to_owned();
    let stream = cx
        .with(move |call| {
            let mut request = api::Request::new::<Pod>(Verb::Create, &space, &pod).on(Subresource::Attach);
            request.body = api::Body::Exec(ExecOptions { container, stdin, tty, ..ExecOptions::default() });
            match call.client.call(request) {
                Ok(Response::Stream(stream)) => {
                    call.keep_stream(stream);
                    call.io.reads_input = stdin;
                    call.io.interrupts_stream = tty;
                    Ok(Some(stream))
                }
                // A container that has ended already has only its log.
                _ => {
                    let request = api::Request::new::<Pod>(Verb::Get, &space, &pod).on(Subresource::Log);
                    match call.client.call(request)? {
                        Response::Text(text) => call.io.out(&text),
                        _ => return Err(api::Status::internal("the server answered without a log")),
                    }
                    Ok(None)
                }
            }
        })
        .await?;
    let Some(stream) = stream else { return Ok(0) };
    loop {
        let end = cx
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
                output.end
            })
            .await;
        match end {
            None => cx.tick(None).await,
            Some(Ok(0)) => return Ok(0),
            Some(Ok(code)) => return Err(Failure::Exit(code)),
            Some(Err(status)) => return Err(status.into()),
        }
    }
}
