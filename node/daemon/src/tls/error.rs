//! Why a certificate cannot be served.

use std::path::PathBuf;

use thiserror::Error;
use tongban_api::Said;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::Coded;
use crate::files::FileError;

/// Why a certificate cannot be served.
#[derive(Debug, Error)]
pub(crate) enum CertificateError {
    /// A file does not read or write.
    #[error(transparent)]
    File(#[from] FileError),
    /// What stands in a file is no PEM of its kind.
    #[error("{} 不是 PEM 格式的{what}", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What was expected.
        what: &'static str,
        /// The same in English.
        what_en: &'static str,
    },
    /// Key and certificate are no pair, or of a kind that cannot sign.
    #[error("{} 与其私钥不成对, 或私钥的种类不支持", path.display())]
    NoPair {
        /// The certificate.
        path: PathBuf,
        /// What the library says.
        #[source]
        source: rustls::Error,
    },
    /// The key is readable by others.
    #[error("{} 可被他人读取", path.display())]
    KeyExposed {
        /// The key.
        path: PathBuf,
    },
    /// An own certificate cannot be made.
    #[error("无法制作证书")]
    NotMade(#[source] rcgen::Error),
}

impl Coded for CertificateError {
    fn code(&self) -> Code {
        Code::HTTP_CERTIFICATE_UNUSABLE
    }

    fn exit(&self) -> Exit {
        Exit::BadConfiguration
    }

    fn says(&self) -> Option<Said> {
        let en = match self {
            // A path, and what the system said.
            Self::File(_) => return None,
            Self::NotPem { path, what_en, .. } => {
                format!("{} is not {what_en} in PEM", path.display())
            }
            Self::NoPair { path, .. } => format!(
                "{} and its key are no pair, or the key is of a kind that cannot sign",
                path.display()
            ),
            Self::KeyExposed { path } => format!("others can read {}", path.display()),
            Self::NotMade(_) => "no certificate can be made".to_owned(),
        };
        Some(Said::new(self.to_string(), en))
    }
}
