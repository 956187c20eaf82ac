//! HTTPS with a certificate authority of the server's own, and who a client certificate stands for: one of the server's, or
//! one that the cluster has signed.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Context as _;
use api::User;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The names under which Pods know the API server.
const NAMES: [&str; 5] =
    ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"];
/// The first address of the Services' range.
const SERVICE_ADDRESS: &str = "10.96.0.1";

/// A new certificate authority. It signs what the server shows and what the administrator shows, and then forgets its key.
pub struct Authority {
    pub acceptor: TlsAcceptor,
    /// What clients verify the server by, in PEM.
    pub certificate: String,
    pub admin: ClientCertificate,
}

/// In PEM.
pub struct ClientCertificate {
    pub user: String,
    pub certificate: String,
    pub key: String,
}

impl Authority {
    /// `address` is where the server listens; `clients` is the authority that signs what clients ask the cluster for.
    pub fn new(address: IpAddr, clients: &tabernetes::Authority) -> anyhow::Result<Authority> {
        let mut params = subject("kubernetes-ca", &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let root = params.self_signed(&key)?;
        let issuer = Issuer::new(params, key);

        let addresses = [address.to_string(), "127.0.0.1".into(), "::1".into(), SERVICE_ADDRESS.into()];
        let names = NAMES.map(str::to_owned).into_iter().chain(addresses);
        let mut params = subject("kube-apiserver", &names.collect::<Vec<_>>())?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let chain = vec![params.signed_by(&key, &issuer)?.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;

        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone())?;
        roots.add(clients.certificate().into())?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let verifier = verifier.allow_unauthenticated().build()?;
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = config.with_client_cert_verifier(verifier).with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Authority {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate: root.pem(),
            admin: ClientCertificate::new("kubernetes-admin", "system:masters", &issuer)?,
        })
    }
}

impl ClientCertificate {
    fn new(user: &str, group: &str, issuer: &Issuer<KeyPair>) -> anyhow::Result<ClientCertificate> {
        let mut params = subject(user, &[])?;
        params.distinguished_name.push(DnType::OrganizationName, group);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, issuer)?.pem();
        Ok(ClientCertificate { user: user.into(), certificate, key: key.serialize_pem() })
    }
}

fn subject(name: &str, names: &[String]) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

/// The common name is the user, the organizations are its groups. The certificate has been verified.
pub fn user(certificate: &CertificateDer) -> anyhow::Result<User> {
    let (_, certificate) = X509Certificate::from_der(certificate)?;
    let subject = certificate.subject();
    let user = subject.iter_common_name().next().context("the certificate names nobody")?.as_str()?;
    let groups: Vec<&str> = subject.iter_organization().filter_map(|group| group.as_str().ok()).collect();
    Ok(User::new(user, &groups))
}
