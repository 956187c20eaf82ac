//! The simulated cluster behind HTTP: what kubectl, client libraries and `curl` can talk to.
//!
//! A thin shell without behaviour of its own. [`http`] reads requests and writes answers; the cluster lives on one thread
//! ([`actor`]), which paces virtual time against the wall clock ([`pace`]) and serves requests between events, through the
//! same pipeline that the page's kubectl and the components use.
#![expect(clippy::disallowed_methods, reason = "a native program: it has a clock, threads and an environment")]

mod actor;
mod auth;
mod http;
mod kubeconfig;
mod options;
mod pace;
mod stream;
mod websocket;

use std::process::ExitCode;

use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use options::Options;

fn main() -> ExitCode {
    let options = match Options::parse() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("server: {error:#}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let result = runtime.block_on(serve(options));
    // Connections and the cluster's thread have nothing to save: whoever asks the server to stop does not wait for them.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let listener = TcpListener::bind(&options.listen)
        .await
        .map_err(|error| anyhow::anyhow!("cannot listen on {}: {error}", options.listen))?;
    let address = listener.local_addr()?;
    let server = format!("http://{address}");
    if let Some(file) = &options.kubeconfig {
        kubeconfig::write(file, &server, options.tokens.admin())?;
    }
    let cluster = actor::start(options.cluster(), options.speed);
    let door = http::Door::new(cluster, options.tokens, address.ip().is_loopback());
    println!("ready: Kubernetes v1.36, {} nodes, {server}{}", options.nodes, options.ready_note);
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = terminated.recv() => return Ok(()),
            _ = interrupted.recv() => return Ok(()),
        };
        let _ = stream.set_nodelay(true);
        let door = door.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| door.clone().serve(request));
            let connection = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            // A connection that breaks is its client's affair.
            let _ = connection.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
        });
    }
}
