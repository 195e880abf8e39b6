//! A backup file somebody points at, whole and signed by a node the registry at hand knows.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use tongban_api::Said;
use tongban_runtime::{BackupFault, BackupOpening, CheckedBackup, check_backup};
use tongban_trust::Registry;
use tongban_types::{Code, Hash};
use zeroize::Zeroizing;

use crate::commands::pin::read_pin;
use crate::exit::Exit;
use crate::failure::{Coded, Failure};
use crate::files::FileError;
use crate::registry::{believe, read_registry};

/// Bytes read at once.
const READ_BYTES: usize = 256 * 1024;

/// Which file, and whom to believe.
#[derive(Debug, Args)]
pub(super) struct SourceArguments {
    /// 备份文件 (the backup)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// 名册文件, 凭它认定由谁签名 (registry that says who signed it)
    #[arg(long, value_name = "REGISTRY")]
    trust: PathBuf,
    /// 名册应有的治理密钥哈希 (hash of the governance keys the registry should have)
    #[arg(long, value_name = "HASH", value_parser = read_pin)]
    pin: Option<Hash>,
}

/// A backup that was checked from its first byte to its last.
#[derive(Debug)]
pub(crate) struct Source {
    pub(super) file: PathBuf,
    pub(super) checked: CheckedBackup,
    pub(super) registry: Registry,
}

impl Coded for BackupFault {
    fn code(&self) -> Code {
        Self::code(self)
    }

    fn exit(&self) -> Exit {
        match self {
            // A newer or older registry may know who signed it.
            Self::OfUnknown { .. } => Exit::Indeterminate,
            Self::NoReceiptKey => Exit::NotFound,
            Self::State(_) | Self::Log(_) | Self::Io(_) => Exit::Internal,
            Self::NoRecoveryKey
            | Self::TooMuch { .. }
            | Self::NoBackup
            | Self::NotWhole { .. }
            | Self::Altered { .. }
            | Self::NotOpened { .. }
            | Self::Strange { .. } => Exit::No,
        }
    }

    fn says(&self) -> Option<Said> {
        let zh = match self {
            Self::NoRecoveryKey => "恢复密钥不是 X25519 公钥".to_owned(),
            Self::NoReceiptKey => "节点没有签备份用的回执密钥".to_owned(),
            Self::State(_) => "审批组的状态读不出".to_owned(),
            Self::Log(_) => "节点自己的记录写不下".to_owned(),
            Self::Io(_) => "备份读不下去或写不下去".to_owned(),
            Self::TooMuch { what } => format!("超出备份格式所容 ({what})"),
            Self::NoBackup => "文件的开头不是这一版的备份".to_owned(),
            Self::NotWhole { at } => format!("备份到第 {at} 字节为止, 没有末尾的签名清单"),
            Self::Altered { at, what } => format!("第 {at} 字节处与签名不符 ({what})"),
            Self::OfUnknown { node, signer } => {
                format!("名册没有登记节点 {node} 的回执密钥 {signer}")
            }
            Self::NotOpened { made_for } => format!("备份是为另一把恢复密钥封的: {made_for}"),
            Self::Strange { what } => format!("备份里有这一版不认识的内容 ({what})"),
        };
        Some(Said::new(zh, self.to_string()))
    }
}

impl Source {
    /// Checks the file somebody points at.
    pub(super) fn check(arguments: &SourceArguments) -> Result<Self, Failure> {
        Self::of(&arguments.file, &arguments.trust, arguments.pin)
    }

    /// Checks a file with a registry, which is believed if its governance keys have the hash given.
    pub(crate) fn of(file: &Path, trust: &Path, pin: Option<Hash>) -> Result<Self, Failure> {
        let registry = read_registry(trust)?;
        // A registry that is not to be believed says nothing about the backup.
        let registry = believe(&registry, pin)
            .map_err(|error| Failure::from(error).exiting(Exit::Indeterminate))?;
        let checked = check_file(file)?;
        checked.is_known_to(&registry)?;
        Ok(Self {
            file: file.to_owned(),
            checked,
            registry,
        })
    }

    /// Whether every part of it opens by the private half of the recovery key.
    pub(crate) fn open_all(&self, seed: &Zeroizing<[u8; 32]>) -> Result<(), Failure> {
        let mut opening = self.open(seed)?;
        while opening.next_chunk()?.is_some() {}
        Ok(())
    }

    /// Opens it by the private half of the recovery key.
    pub(super) fn open(
        &self,
        seed: &Zeroizing<[u8; 32]>,
    ) -> Result<BackupOpening<BufReader<File>>, Failure> {
        Ok(BackupOpening::begin(
            read(&self.file)?,
            &self.checked,
            seed,
        )?)
    }
}

/// Checks a file without asking who signed it.
pub(crate) fn check_file(path: &Path) -> Result<CheckedBackup, Failure> {
    Ok(check_backup(read(path)?)?)
}

/// The same of a file that is open, from where it stands to its end.
pub(super) fn check_open(file: &File) -> Result<CheckedBackup, Failure> {
    Ok(check_backup(buffered(file))?)
}

fn read(path: &Path) -> Result<BufReader<File>, FileError> {
    let file = File::open(path).map_err(FileError::at(path))?;
    Ok(buffered(file))
}

fn buffered<F: Read>(file: F) -> BufReader<F> {
    BufReader::with_capacity(READ_BYTES, file)
}
