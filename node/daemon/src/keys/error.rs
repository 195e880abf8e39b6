//! Why keys cannot be used or made.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tongban_api::Said;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::Coded;

/// Why a key file is refused.
#[derive(Debug, Error)]
pub(crate) enum KeyError {
    /// There is no such file.
    #[error("没有密钥文件 {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Somebody other than its owner may read or write it.
    #[error("{} 的权限是 {mode:03o}, 必须是 600", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It does not hold 64 hexadecimal digits.
    #[error("{} 不是 64 个十六进制数字", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// It is there already.
    #[error("{} 已存在", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("{} 无法读写", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
}

impl Coded for KeyError {
    fn code(&self) -> Code {
        match self {
            Self::Missing { .. } => Code::KEY_FILE_MISSING,
            Self::Exposed { .. } => Code::KEY_FILE_EXPOSED,
            Self::Malformed { .. } => Code::KEY_FILE_MALFORMED,
            Self::Exists { .. } => Code::KEY_FILE_EXISTS,
            Self::Unusable { .. } => Code::FILE_UNUSABLE,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Exists { .. } => Exit::Conflict,
            Self::Missing { .. } => Exit::NotFound,
            Self::Exposed { .. } | Self::Malformed { .. } => Exit::BadConfiguration,
            Self::Unusable { .. } => Exit::Internal,
        }
    }

    fn says(&self) -> Option<Said> {
        let (Self::Missing { path }
        | Self::Exposed { path, .. }
        | Self::Malformed { path }
        | Self::Exists { path }
        | Self::Unusable { path, .. }) = self;
        let path = path.display();
        let en = match self {
            Self::Missing { .. } => format!("there is no key file {path}"),
            Self::Exposed { mode, .. } => {
                format!("the permissions of {path} are {mode:03o} and must be 600")
            }
            Self::Malformed { .. } => format!("{path} is not 64 hexadecimal digits"),
            Self::Exists { .. } => format!("{path} is there already"),
            Self::Unusable { .. } => format!("{path} cannot be read or written"),
        };
        Some(Said::new(self.to_string(), en))
    }

    fn next(&self) -> Option<String> {
        match self {
            Self::Exposed { path, .. } => Some(format!("chmod 600 {}", path.display())),
            _ => None,
        }
    }
}
