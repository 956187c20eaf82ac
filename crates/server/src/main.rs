//! The simulated cluster behind HTTP: what kubectl, client libraries and `curl` can talk to.
//!
//! A thin shell without behaviour of its own. [`http`] reads requests and writes answers, in JSON, YAML or protobuf
//! ([`protobuf`]); the cluster lives on one thread ([`actor`]), which paces virtual time against the wall clock ([`pace`]) and
//! serves requests between events, through the same pipeline that the page's kubectl and the components use. Watches and
//! followed logs go on as [`stream`]s, exec and port-forward as connections of their own ([`streaming`]). What describes the
//! server itself and costs the page nothing is here as well: [`openapi`], [`health`], [`metrics`].
#![expect(clippy::disallowed_methods, reason = "a native program: it has a clock, threads and an environment")]

mod actor;
mod auth;
mod flow_control;
mod health;
mod http;
mod kubeconfig;
mod metrics;
mod openapi;
mod options;
mod pace;
mod protobuf;
mod proxy;
mod stream;
mod streaming;
mod tls;

use std::process::ExitCode;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use mimalloc::MiMalloc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use http::Door;
use options::Options;
use tls::Authority;

/// A client that has not finished its TLS handshake by then is not heard.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Nor one that has not finished its headers by then: upstream's `ReadHeaderTimeout`.
const HEADERS_MAX: Duration = Duration::from_secs(32);
/// After a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The core is made of many small texts, for which the system's allocator takes twice the time.
#[global_allocator]
static HEAP: MiMalloc = MiMalloc;

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
    let mut config = options.cluster();
    let key = auth::draw_key()?;
    config.signing_key = Some(key);
    let clients = tabernetes::Authority::new(&key);
    let authority = options.tls.then(|| Authority::new(address.ip(), &clients)).transpose()?;
    config.root_certificate = authority.as_ref().map(|authority| authority.certificate.clone());
    let server = format!("{}://{address}", if options.tls { "https" } else { "http" });
    if let Some(file) = &options.kubeconfig {
        kubeconfig::write(file, &server, options.tokens.admin(), authority.as_ref())?;
    }
    let acceptor = authority.map(|authority| authority.acceptor);
    let cluster = actor::start(config, options.speed, &options.tokens);
    let trusts_loopback = address.ip().is_loopback() && !options.tls;
    let door = Door::new(cluster, options.tokens, trusts_loopback);
    println!("ready: Kubernetes v1.36, {} nodes, {server}{}", options.nodes, options.ready_note);
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // Too many open files, most likely: those that are there go on, and close in time.
                Err(_) => {
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            _ = terminated.recv() => return Ok(()),
            _ = interrupted.recv() => return Ok(()),
        };
        let _ = stream.set_nodelay(true);
        tokio::spawn(welcome(stream, acceptor.clone(), door.clone()));
    }
}

/// Serves a connection to its end, be it plain or TLS.
async fn welcome(stream: TcpStream, acceptor: Option<TlsAcceptor>, door: Door) {
    let Some(acceptor) = acceptor else { return carry(stream, door).await };
    let Ok(Ok(stream)) = timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await else { return };
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let user = certificate.and_then(|certificate| tls::user(certificate).ok());
    carry(stream, door.of(user)).await;
}

async fn carry(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, door: Door) {
    let service = hyper::service::service_fn(move |request| door.clone().serve(request));
    let mut connection = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    connection.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS_MAX);
    // A connection that breaks is its client's affair.
    let _ = connection.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
}
