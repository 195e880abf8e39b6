//! The certificate a node makes for itself: once, at its first start, kept in its data folder. Nobody
//! vouches for it; whoever talks to the node compares its fingerprint, or is given the file.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::client::verify_server_name;
use rustls::pki_types::ServerName;
use rustls::server::ParsedCertificate;
use tongban_types::{DAY_MS, NodeId, Timestamp};

use super::CertificateError;
use super::served::{CertificateFiles, certificates};
use crate::files::{FileError, replace};

/// In the data folder.
pub(crate) const OWN_CERTIFICATE: &str = "tls/certificate.pem";
const OWN_KEY: &str = "tls/key.pem";

/// Clients keep its fingerprint, so it lives as long as a machine does.
const YEARS: i32 = 10;

/// Where the certificate a node makes for itself is.
pub(crate) fn own_files(data: &Path) -> CertificateFiles {
    CertificateFiles {
        certificate: data.join(OWN_CERTIFICATE),
        key: data.join(OWN_KEY),
    }
}

/// The certificate a node made for itself, made now if there is none. `names` are hosts and addresses
/// it is reached by beside this machine's own.
pub(crate) fn own_certificate(
    data: &Path,
    node: NodeId,
    names: &[String],
    now: Timestamp,
) -> Result<CertificateFiles, CertificateError> {
    let files = own_files(data);
    if !files.certificate.exists() {
        let folder = data.join("tls");
        let mut made = std::fs::DirBuilder::new();
        made.recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(FileError::at(&folder))?;
        let (certificate, key) = make(node, names, now).map_err(CertificateError::NotMade)?;
        // The key first: a certificate that is there has its key.
        replace(&files.key, key.as_bytes(), 0o600)?;
        replace(&files.certificate, certificate.as_bytes(), 0o644)?;
        return Ok(files);
    }
    let missing = unnamed(&files, names)?;
    if !missing.is_empty() {
        // A new one would be a stranger to every client that keeps the fingerprint: that is a person's to do.
        tracing::warn!(
            names = missing.join(" "),
            certificate = %files.certificate.display(),
            "the node's own certificate leaves names out, and clients that ask for these refuse it; \
             remove its folder, start again, and give clients the new fingerprint"
        );
    }
    Ok(files)
}

/// The names for which the certificate that is there is not valid.
fn unnamed(files: &CertificateFiles, names: &[String]) -> Result<Vec<String>, CertificateError> {
    let chain = certificates(&files.certificate)?;
    // One that does not parse is told where it is served.
    let Some(Ok(certificate)) = chain.first().map(ParsedCertificate::try_from) else {
        return Ok(Vec::new());
    };
    let is_named = |name: &str| {
        let name = ServerName::try_from(name);
        name.is_ok_and(|name| verify_server_name(&certificate, &name).is_ok())
    };
    let missing = names.iter().filter(|name| !is_named(name));
    Ok(missing.cloned().collect())
}

fn make(node: NodeId, names: &[String], now: Timestamp) -> Result<(String, String), rcgen::Error> {
    let here = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut all = here.to_vec();
    all.extend(names.iter().filter(|name| !here.contains(name)).cloned());
    let mut wanted = CertificateParams::new(all)?;
    wanted
        .distinguished_name
        .push(DnType::CommonName, format!("tongban {node}"));
    // A clock that is a little behind must not refuse it.
    let (year, month, day) = now.plus_ms(-DAY_MS).china_day().ymd();
    // Every month of every year has it.
    let day = u8::try_from(day.min(28)).expect("a day of a month");
    let month = u8::try_from(month).expect("a month of a year");
    wanted.not_before = date_time_ymd(year, month, day);
    wanted.not_after = date_time_ymd(year + YEARS, month, day);
    wanted.is_ca = IsCa::ExplicitNoCa;
    wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = wanted.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn it_is_made_once_and_its_key_is_for_the_node_alone() {
        let folder = tempfile::tempdir().unwrap();
        let node = "350100-01".parse().unwrap();
        let now = Timestamp::from_unix_ms(1_772_415_000_000);
        let names = ["10.1.2.3".to_owned(), "localhost".to_owned()];
        let files = own_certificate(folder.path(), node, &names, now).unwrap();
        let first = std::fs::read(&files.certificate).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&files.key), mode(&files.certificate)), (0o600, 0o644));
        assert_eq!(mode(files.key.parent().unwrap()), 0o700);
        own_certificate(folder.path(), node, &names, now).unwrap();
        assert_eq!(std::fs::read(&files.certificate).unwrap(), first);
        files.load().unwrap();
    }

    #[test]
    fn names_added_later_are_said_to_be_left_out_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let node = "350100-01".parse().unwrap();
        let names = ["10.1.2.3", "tongban.fuzhou.example", "localhost"].map(str::to_owned);
        let now = Timestamp::from_unix_ms(1_772_415_000_000);
        let files = own_certificate(folder.path(), node, &names[..1], now).unwrap();
        assert_eq!(unnamed(&files, &names).unwrap(), names[1..2]);
        own_certificate(folder.path(), node, &names, now).unwrap();
        std::fs::remove_dir_all(folder.path().join("tls")).unwrap();
        let files = own_certificate(folder.path(), node, &names, now).unwrap();
        assert!(unnamed(&files, &names).unwrap().is_empty());
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let node = "350100-01".parse().unwrap();
        let names = ["通办".to_owned()];
        let refused = own_certificate(folder.path(), node, &names, Timestamp::from_unix_ms(0));
        assert!(matches!(refused, Err(CertificateError::NotMade(_))));
        assert!(!folder.path().join(OWN_CERTIFICATE).exists());
    }
}
