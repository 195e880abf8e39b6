//! Until when a certificate is valid, read without judging who vouches for it.

use std::path::Path;

use tongban_types::Timestamp;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::CertificateError;
use super::served::certificates;

/// How long before its end it is warned of: a certificate that is renewed by itself is renewed earlier, and
/// two weeks are time to have one issued by hand.
pub(crate) const WARNING_DAYS: i64 = 14;

/// When a certificate in DER ends; `None` where it is none.
pub(super) fn end_of(certificate: &[u8]) -> Option<Timestamp> {
    let (_, read) = X509Certificate::from_der(certificate).ok()?;
    let seconds = read.validity().not_after.timestamp();
    Some(Timestamp::from_unix_ms(seconds.checked_mul(1_000)?))
}

/// When the first certificate of a PEM file ends, the one that is served.
pub(crate) fn end_of_file(path: &Path) -> Result<Timestamp, CertificateError> {
    let chain = certificates(path)?;
    let end = chain.first().and_then(|first| end_of(first));
    end.ok_or_else(|| CertificateError::NotPem {
        path: path.to_owned(),
        what: "X.509 证书",
        what_en: "an X.509 certificate",
    })
}

#[cfg(test)]
mod tests {
    use tongban_types::DAY_MS;

    use super::super::own_certificate;
    use super::*;

    #[test]
    fn an_own_certificate_says_that_it_ends_in_ten_years() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_unix_ms(1_772_415_000_000);
        let node = "350100-01".parse().unwrap();
        let files = own_certificate(folder.path(), node, &[], now).unwrap();
        let end = end_of_file(&files.certificate).unwrap();
        let days = (end.unix_ms() - now.unix_ms()) / DAY_MS;
        assert!((3_645..=3_655).contains(&days), "{days}");
        assert_eq!(end_of(b"none"), None);
        std::fs::write(folder.path().join("x"), "none").unwrap();
        assert!(end_of_file(&folder.path().join("x")).is_err());
    }
}
