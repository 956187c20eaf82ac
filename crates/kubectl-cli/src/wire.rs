//! Connections that leave HTTP behind: bytes both ways, in the clear or over TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned};

use crate::config::{Settings, Tls};

trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// A connection on which reading never waits.
pub struct Wire {
    stream: Box<dyn Stream>,
}

/// How often a quiet connection is looked at, and one that takes no more is tried again.
pub const PAUSE: Duration = Duration::from_millis(2);

impl Wire {
    pub fn over(socket: TcpStream) -> io::Result<Wire> {
        socket.set_nonblocking(true)?;
        Ok(Wire { stream: Box::new(socket) })
    }

    /// To the API server.
    pub fn open(settings: &Settings) -> io::Result<Wire> {
        let server = settings.context.server.trim_end_matches('/');
        let (scheme, address) = server.split_once("://").unwrap_or(("http", server));
        let host = address.split('/').next().unwrap_or_default();
        let port = if scheme == "https" { 443 } else { 80 };
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let mut socket = TcpStream::connect(if has_port { host.to_owned() } else { format!("{host}:{port}") })?;
        if scheme == "http" {
            return Wire::over(socket);
        }
        let name = match settings.tls.name.as_str() {
            "" => host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']),
            name => name,
        };
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let config = client_config(&settings.tls)?;
        let mut session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        session.complete_io(&mut socket)?;
        socket.set_nonblocking(true)?;
        Ok(Wire { stream: Box::new(StreamOwned::new(session, socket)) })
    }

    /// What has come; `None` at the end.
    pub fn read(&mut self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; 16 * 1024];
        match self.stream.read(&mut bytes) {
            Ok(0) => None,
            Ok(length) => {
                bytes.truncate(length);
                Some(bytes)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Some(Vec::new()),
            Err(_) => None,
        }
    }

    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(length) => bytes = &bytes[length..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
                Err(error) => return Err(error),
            }
        }
        loop {
            match self.stream.flush() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
                other => return other,
            }
        }
    }
}

/// The certificates of a PEM text.
pub fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).flatten().collect()
}

fn client_config(tls: &Tls) -> io::Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let builder = if tls.is_insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
    } else {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates(&tls.authority));
        builder.with_root_certificates(roots)
    };
    if tls.certificate.is_empty() {
        return Ok(builder.with_no_client_auth());
    }
    let key = PrivateKeyDer::from_pem_slice(&tls.key).map_err(io::Error::other)?;
    builder.with_client_auth_cert(certificates(&tls.certificate), key).map_err(io::Error::other)
}

/// `--insecure-skip-tls-verify`: whoever answers is believed.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
