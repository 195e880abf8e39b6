//! The certificate that is served: read from its files, and read again when they change, so that a
//! renewed one is taken up without a restart. A renewed one that cannot be used leaves the one before
//! in place and says so.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tongban_types::{Hash, Timestamp, sha256};

use super::validity::end_of;
use super::{CertificateError, HTTP_1, HTTP_2, provider};
use crate::files::{FileError, read_bounded};

/// A chain of a dozen certificates.
const FILE_BYTES_MAX: usize = 128 * 1024;

/// How often the files are looked at: renewals come days before the end.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Where certificate and key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    /// PEM: the certificate, then what vouches for it.
    pub(crate) certificate: PathBuf,
    /// PEM: its key.
    pub(crate) key: PathBuf,
}

/// What tells one content of the files from another without reading them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp([(u64, i64, i64, u64); 2]);

/// The certificate that is served now.
#[derive(Debug)]
pub(crate) struct Served {
    now: RwLock<Loaded>,
}

/// A certificate read from its files, which can be served.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    files: CertificateFiles,
    stamp: Stamp,
    key: Arc<CertifiedKey>,
}

impl CertificateFiles {
    /// Reads both and checks that they are a pair.
    pub(crate) fn load(&self) -> Result<CertifiedKey, CertificateError> {
        let mode = metadata(&self.key)?.permissions().mode();
        if mode & 0o007 != 0 {
            let path = self.key.clone();
            return Err(CertificateError::KeyExposed { path });
        }
        let chain = certificates(&self.certificate)?;
        let key = read_bounded(&self.key, FILE_BYTES_MAX)?;
        let key = PrivateKeyDer::from_pem_slice(&key)
            .map_err(|_| not_pem(&self.key, "私钥", "a private key"))?;
        CertifiedKey::from_der(chain, key, &provider()).map_err(|source| {
            let path = self.certificate.clone();
            CertificateError::NoPair { path, source }
        })
    }

    /// The same, to be served.
    pub(crate) fn loaded(self) -> Result<Loaded, CertificateError> {
        let stamp = self.stamp()?;
        let key = Arc::new(self.load()?);
        Ok(Loaded {
            files: self,
            stamp,
            key,
        })
    }

    fn stamp(&self) -> Result<Stamp, CertificateError> {
        let of = |path: &Path| {
            let found = metadata(path)?;
            Ok::<_, CertificateError>((found.ino(), found.mtime(), found.mtime_nsec(), found.len()))
        };
        Ok(Stamp([of(&self.certificate)?, of(&self.key)?]))
    }
}

/// The certificates of a PEM file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let bytes = read_bounded(path, FILE_BYTES_MAX)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match read {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(not_pem(path, "证书", "a certificate")),
    }
}

fn metadata(path: &Path) -> Result<std::fs::Metadata, FileError> {
    std::fs::metadata(path).map_err(FileError::at(path))
}

fn not_pem(path: &Path, what: &'static str, what_en: &'static str) -> CertificateError {
    CertificateError::NotPem {
        path: path.to_owned(),
        what,
        what_en,
    }
}

impl Served {
    /// Reads what is to be served.
    pub(crate) fn open(files: CertificateFiles) -> Result<Arc<Self>, CertificateError> {
        let now = RwLock::new(files.loaded()?);
        Ok(Arc::new(Self { now }))
    }

    /// Whether these are the files that are followed.
    pub(crate) fn is_of(&self, files: &CertificateFiles) -> bool {
        self.read().files == *files
    }

    /// Serves another from now on.
    pub(crate) fn serve(&self, loaded: Loaded) {
        *self.write() = loaded;
    }

    /// Where the certificate is that a client on this machine compares.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.read().files.certificate.clone()
    }

    /// SHA-256 of the certificate, as browsers show it.
    pub(crate) fn fingerprint(&self) -> Hash {
        self.current()
            .end_entity_cert()
            .map_or_else(|_| Hash::default(), |certificate| sha256(certificate))
    }

    /// When it ends; `None` for one that does not say so in a way that is understood.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.current()
            .end_entity_cert()
            .ok()
            .and_then(|one| end_of(one))
    }

    /// How it is served: TLS 1.3 and 1.2, HTTP/2 before HTTP/1.1.
    pub(crate) fn config(self: &Arc<Self>) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .expect("the provider has suites for both")
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
        Arc::new(config)
    }

    /// Takes a changed certificate up, for as long as the process runs.
    pub(crate) async fn follow(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match self.look() {
                Ok(true) => {
                    let fingerprint = self.fingerprint();
                    tracing::info!(%fingerprint, "the certificate of the API was renewed");
                }
                Ok(false) => {}
                Err(error) => {
                    let error = anyhow::Error::from(error);
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "the certificate of the API changed and cannot be used; the one before is served on"
                    );
                }
            }
        }
    }

    /// Takes a changed certificate up; whether it changed. What cannot be used is told once.
    fn look(&self) -> Result<bool, CertificateError> {
        let before = self.read().clone();
        let stamp = before.files.stamp()?;
        if before.stamp == stamp {
            return Ok(false);
        }
        let key = before.files.load();
        let mut now = self.write();
        // Others may be served by now.
        if now.files != before.files {
            return Ok(false);
        }
        now.stamp = stamp;
        now.key = Arc::new(key?);
        Ok(true)
    }

    fn current(&self) -> Arc<CertifiedKey> {
        self.read().key.clone()
    }

    fn read(&self) -> RwLockReadGuard<'_, Loaded> {
        self.now.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Loaded> {
        self.now.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

#[cfg(test)]
mod tests {
    use super::super::own_certificate;
    use super::*;
    use crate::failure::Failure;

    fn made(folder: &Path) -> CertificateFiles {
        let node = "350100-01".parse().unwrap();
        own_certificate(folder, node, &[], Timestamp::from_unix_ms(0)).unwrap()
    }

    #[test]
    fn a_renewed_certificate_is_taken_up_and_one_that_is_none_is_not() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = made(first.path());
        let served = Served::open(files.clone()).unwrap();
        let before = served.fingerprint();
        assert!(!served.look().unwrap());
        let renewed = made(second.path());
        let put = |from: &Path, to: &Path| {
            crate::files::replace(to, &std::fs::read(from).unwrap(), 0o600).unwrap();
        };
        put(&renewed.certificate, &files.certificate);
        // Half of a renewal: the certificate is there and its key not yet.
        assert!(matches!(
            served.look(),
            Err(CertificateError::NoPair { .. })
        ));
        assert_eq!(served.fingerprint(), before);
        assert!(!served.look().unwrap());
        put(&renewed.key, &files.key);
        assert!(served.look().unwrap());
        assert_ne!(served.fingerprint(), before);
        crate::files::replace(&files.certificate, b"none", 0o644).unwrap();
        let refused = served.look();
        assert!(matches!(refused, Err(CertificateError::NotPem { .. })));
        let said = Failure::from(refused.unwrap_err()).causes().next().unwrap();
        assert!(said.zh.ends_with("不是 PEM 格式的证书"), "{said:?}");
        assert!(said.en.ends_with("is not a certificate in PEM"), "{said:?}");
        assert_ne!(served.fingerprint(), before);
    }

    #[test]
    fn other_files_are_served_from_now_on_and_followed_from_then() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let served = Served::open(made(first.path())).unwrap();
        let before = served.fingerprint();
        let others = made(second.path());
        served.serve(others.clone().loaded().unwrap());
        assert_ne!(served.fingerprint(), before);
        assert_eq!(served.certificate(), others.certificate);
        assert!(!served.look().unwrap());
        // What becomes of the first ones is nothing to it.
        std::fs::remove_dir_all(first.path().join("tls")).unwrap();
        assert!(!served.look().unwrap());
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let files = made(folder.path());
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&files.key, open).unwrap();
        assert!(matches!(
            files.load(),
            Err(CertificateError::KeyExposed { .. })
        ));
    }
}
