//! How a client of this program knows that it speaks to its node: on this machine by the very
//! certificate in the file the node names, elsewhere by the certificates an operator names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError as Refused, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};
use thiserror::Error;

use super::served::certificates;
use super::{CertificateError, provider};

/// What a client trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// No TLS: a node on this machine that serves without it.
    Plain,
    /// The certificate that stands first in a file, and no other, whatever its names and its time.
    Exactly(PathBuf),
    /// Whatever the certificates of a file vouch for under this host's name.
    Roots {
        /// The file.
        file: PathBuf,
        /// The host that is asked for.
        host: String,
    },
}

/// Why a client cannot even try.
#[derive(Debug, Error)]
pub(crate) enum TrustError {
    /// What is to be trusted does not read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A certificate of the file vouches for nothing.
    #[error("{} 中的证书不能用来信任", path.display())]
    NoRoot {
        /// The file.
        path: PathBuf,
        /// What the library says.
        #[source]
        source: Error,
    },
    /// The host has no name a certificate could have.
    #[error("主机名 {host} 不成立")]
    NoName {
        /// The host.
        host: String,
        /// What the library says.
        #[source]
        source: InvalidDnsNameError,
    },
}

impl Trust {
    /// How to begin TLS for a protocol of ALPN (RFC 7301), and the name to ask for; `None` without TLS.
    pub(crate) fn begin(
        &self,
        protocol: &[u8],
    ) -> Result<Option<(Arc<ClientConfig>, ServerName<'static>)>, TrustError> {
        match self {
            Self::Plain => Ok(None),
            Self::Exactly(file) => {
                let certificate = certificates(file)?.swap_remove(0);
                let provider = provider();
                let verifier = Arc::new(Pinned {
                    certificate,
                    provider,
                });
                let config = versions()
                    .dangerous()
                    .with_custom_certificate_verifier(verifier)
                    .with_no_client_auth();
                Ok(Some((speaking(protocol, config), name("localhost")?)))
            }
            Self::Roots { file, host } => {
                let roots = roots(file)?;
                let config = versions()
                    .with_root_certificates(roots)
                    .with_no_client_auth();
                Ok(Some((speaking(protocol, config), name(host)?)))
            }
        }
    }
}

fn versions() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("the provider has suites for both")
}

fn speaking(protocol: &[u8], mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config)
}

fn name(host: &str) -> Result<ServerName<'static>, TrustError> {
    ServerName::try_from(host.to_owned()).map_err(|source| {
        let host = host.to_owned();
        TrustError::NoName { host, source }
    })
}

fn roots(file: &Path) -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|source| {
            let path = file.to_owned();
            TrustError::NoRoot { path, source }
        })?;
    }
    Ok(roots)
}

/// Believes one certificate, and that whoever answers holds its key.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *end_entity == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Refused::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
