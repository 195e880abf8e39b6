//! What of a process changes while it works, when its configuration is read again: how often callers may ask,
//! and which certificate is served. What is to change is made ready first, so that a reload is whole or
//! nothing.

use std::sync::Arc;

use tongban_api::RatesInForce;
use tongban_runtime::seams::WallClock as _;

use super::ready::{READY_FILE, Ready};
use crate::configuration::{Configuration, HttpLine};
use crate::files::FileError;
use crate::platform::SystemClock;
use crate::tls::{CertificateError, CertificateFiles, Loaded, Served, own_certificate, own_files};

/// The parts that change.
#[derive(Clone, Debug)]
pub(crate) struct Adjustable {
    pub(super) rates: RatesInForce,
    /// `None` without TLS, which changes at a start only.
    pub(super) served: Option<Arc<Served>>,
    pub(super) ready: Ready,
}

/// What is made ready.
#[derive(Debug)]
pub(super) struct Prepared {
    certificate: Option<Loaded>,
}

impl Adjustable {
    /// Makes ready what a configuration asks for; changes nothing.
    pub(super) fn prepare(
        &self,
        configuration: &Configuration,
    ) -> Result<Prepared, CertificateError> {
        // The files that are served are followed by themselves, half renewed ones with patience.
        let is_other = |files: &CertificateFiles| {
            let served = self.served.as_ref();
            served.is_some_and(|served| !served.is_of(files))
        };
        let files = match &configuration.http_line {
            HttpLine::Given(files) => Some(files.clone()).filter(is_other),
            HttpLine::Own { .. } if is_other(&own_files(&configuration.data)) => {
                certificate_files(configuration)?
            }
            HttpLine::Plain | HttpLine::Own { .. } => None,
        };
        let certificate = files.map(CertificateFiles::loaded).transpose()?;
        Ok(Prepared { certificate })
    }

    /// Changes to it, and leaves word of it in the data folder.
    pub(super) fn change(
        &mut self,
        configuration: &Configuration,
        prepared: Prepared,
    ) -> Result<(), FileError> {
        self.rates.set(configuration.http_rates);
        let (Some(served), Some(certificate)) = (&self.served, prepared.certificate) else {
            return Ok(());
        };
        served.serve(certificate);
        self.ready.certificate = Some(served.certificate());
        self.ready.fingerprint = Some(served.fingerprint().to_string());
        self.ready.write(&configuration.data.join(READY_FILE))
    }
}

/// Where the certificate of the API is: given, or the node's own, made at its first start. `None` without
/// TLS.
pub(super) fn certificate_files(
    configuration: &Configuration,
) -> Result<Option<CertificateFiles>, CertificateError> {
    let names = match &configuration.http_line {
        HttpLine::Plain => return Ok(None),
        HttpLine::Given(files) => return Ok(Some(files.clone())),
        HttpLine::Own { names } => names,
    };
    let mut names = names.clone();
    let listen = configuration.http_listen.ip();
    if !listen.is_unspecified() {
        names.push(listen.to_string());
    }
    let (data, node) = (&configuration.data, configuration.node);
    own_certificate(data, node, &names, SystemClock.now()).map(Some)
}
