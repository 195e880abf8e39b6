//! `[http]`: where the API is, and its certificate. It carries tokens and personal data, so without TLS
//! it binds to loopback only, and only where the file says so.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Spanned;
use tongban_api::{Rates, Said};

use crate::tls::CertificateFiles;

/// Asked more often than this a second, one caller is a fault of the configuration.
const PER_SECOND: std::ops::RangeInclusive<u32> = 1..=1_000_000;

/// Hosts and addresses an own certificate is made for, at most.
const NAMES_MAX: usize = 32;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HttpSection {
    /// Address and port of the API; port 0 lets the system choose.
    pub(super) listen: Spanned<SocketAddr>,
    /// Whether it is served over TLS.
    pub(super) tls: Switch,
    /// A certificate given by the operator, PEM; without one the node makes its own.
    pub(super) certificate: Option<Spanned<PathBuf>>,
    /// Its key, PEM.
    pub(super) key: Option<Spanned<PathBuf>>,
    /// Hosts and addresses beside this machine's own that an own certificate is made for.
    pub(super) names: Spanned<Vec<String>>,
    /// How often one token may read, a second.
    pub(super) reads_per_second: Option<Spanned<u32>>,
    /// How often one token may create and act, a second.
    pub(super) orders_per_second: Option<Spanned<u32>>,
}

/// On or off, in words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Switch {
    #[default]
    On,
    Off,
}

/// What the API is served over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HttpLine {
    /// Without TLS, on loopback.
    Plain,
    /// With a certificate the node makes for itself, for these names too.
    Own {
        /// Hosts and addresses.
        names: Vec<String>,
    },
    /// With a certificate the operator gives.
    Given(CertificateFiles),
}

/// A mistake in the section: where, and what.
pub(super) struct HttpMistake {
    pub(super) span: std::ops::Range<usize>,
    pub(super) key: &'static str,
    pub(super) what: Said,
}

impl Default for HttpSection {
    fn default() -> Self {
        Self {
            listen: Spanned::new(0..0, (Ipv4Addr::LOCALHOST, 8443).into()),
            tls: Switch::On,
            certificate: None,
            key: None,
            names: Spanned::new(0..0, Vec::new()),
            reads_per_second: None,
            orders_per_second: None,
        }
    }
}

impl HttpSection {
    /// What it is served over; relative paths are resolved against `folder`.
    pub(super) fn line(&self, folder: &Path) -> Result<HttpLine, HttpMistake> {
        let names = self.names.get_ref();
        if names.len() > NAMES_MAX {
            let what = Said::new(
                format!("最多 {NAMES_MAX} 个"),
                format!("at most {NAMES_MAX} may be given"),
            );
            return Err(mistake(&self.names, "http.names", what));
        }
        match (self.tls, &self.certificate, &self.key) {
            (Switch::Off, None, None) => Ok(HttpLine::Plain),
            (Switch::Off, Some(given), _) => {
                let what = Said::new(
                    "tls = \"off\" 时不用证书",
                    "no certificate is used where tls = \"off\"",
                );
                Err(mistake(given, "http.certificate", what))
            }
            (Switch::Off, _, Some(given)) => {
                let what = Said::new(
                    "tls = \"off\" 时不用私钥",
                    "no private key is used where tls = \"off\"",
                );
                Err(mistake(given, "http.key", what))
            }
            (Switch::On, Some(certificate), Some(key)) => Ok(HttpLine::Given(CertificateFiles {
                certificate: folder.join(certificate.get_ref()),
                key: folder.join(key.get_ref()),
            })),
            (Switch::On, Some(given), None) => {
                let what = Said::new(
                    "缺少它的私钥 http.key",
                    "its private key http.key is missing",
                );
                Err(mistake(given, "http.certificate", what))
            }
            (Switch::On, None, Some(given)) => {
                let what = Said::new(
                    "缺少它的证书 http.certificate",
                    "its certificate http.certificate is missing",
                );
                Err(mistake(given, "http.key", what))
            }
            (Switch::On, None, None) => Ok(HttpLine::Own {
                names: names.clone(),
            }),
        }
    }

    /// How often one caller may ask.
    pub(super) fn rates(&self) -> Result<Rates, HttpMistake> {
        let usual = Rates::default();
        let rate = |written: &Option<Spanned<u32>>, key, usual| match written {
            None => Ok(usual),
            Some(rate) if PER_SECOND.contains(rate.get_ref()) => Ok(*rate.get_ref()),
            Some(rate) => {
                let (least, most) = (PER_SECOND.start(), PER_SECOND.end());
                let what = Said::new(
                    format!("应为 {least} 到 {most}"),
                    format!("must be from {least} to {most}"),
                );
                Err(mistake(rate, key, what))
            }
        };
        let reads = "http.reads_per_second";
        let orders = "http.orders_per_second";
        Ok(Rates {
            reads_per_second: rate(&self.reads_per_second, reads, usual.reads_per_second)?,
            orders_per_second: rate(&self.orders_per_second, orders, usual.orders_per_second)?,
            ..usual
        })
    }
}

fn mistake<T>(at: &Spanned<T>, key: &'static str, what: Said) -> HttpMistake {
    HttpMistake {
        span: at.span(),
        key,
        what,
    }
}

/// Whether nobody but this machine can reach the address.
pub(crate) fn is_allowed_without_tls(address: SocketAddr) -> bool {
    address.ip().is_loopback()
}
