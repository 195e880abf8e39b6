//! TLS of the API: the certificate a node makes for itself at its first start or is given by its
//! operator, taken up again when its file changes; and how a client of this program trusts one.

mod error;
mod own;
mod served;
mod trust;
mod validity;

pub(crate) use error::CertificateError;
pub(crate) use own::{OWN_CERTIFICATE, own_certificate, own_files};
pub(crate) use served::{CertificateFiles, Loaded, Served};
pub(crate) use trust::Trust;
pub(crate) use validity::{WARNING_DAYS, end_of_file};

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// Names of HTTP in ALPN (RFC 7301, RFC 9113).
pub(crate) const HTTP_1: &[u8] = b"http/1.1";
pub(crate) const HTTP_2: &[u8] = b"h2";

/// The one library that does the mathematics of TLS here, whatever else is linked in.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
