//! The certificate of the API.

use std::fmt;

use super::page::Page;
use crate::tls::Served;

impl Page<'_> {
    pub(super) fn certificate(&mut self, served: Option<&Served>) -> fmt::Result {
        let Some(expires) = served.and_then(Served::expires) else {
            return Ok(());
        };
        self.gauge(
            "tongban_tls_certificate_expiry_timestamp_seconds",
            "When the certificate that the API is served with expires",
            expires.unix_seconds(),
        )
    }
}
