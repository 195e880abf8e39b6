//! Why tokens cannot be made, listed or revoked, and what is wrong with a file of them, in both languages.

use std::io;

use thiserror::Error;
use tongban_types::Code;

use super::token_file::{FILE_BYTES_MAX, TOKENS_MAX};
use crate::said::Said;

/// A label is a line an operator recognises the token by.
pub(super) const LABEL_BYTES_MAX: usize = 200;

/// Why tokens cannot be made, listed or revoked.
#[derive(Debug, Error)]
pub enum TokenBookError {
    /// The file does not read or write.
    #[error("the token file {path} cannot be used")]
    File {
        /// Which.
        path: String,
        /// What the system says; or it carries what is wrong with the file's content, a
        /// [`TokenFileFault`] or what the reader of JSON says.
        #[source]
        source: io::Error,
    },
    /// Tokens are for people.
    #[error("no token is made for the node itself")]
    RoleOfTheNode,
    /// It would be refused at once.
    #[error("the token would have expired already")]
    ExpiresInThePast,
    /// The label is too long or not one line.
    #[error("a label is one line of at most {LABEL_BYTES_MAX} bytes")]
    Label,
    /// No more fit.
    #[error("the file holds {TOKENS_MAX} tokens already; revoke some")]
    Full,
    /// No token has that id.
    #[error("there is no token {id:?}")]
    NoSuchToken {
        /// What was asked for.
        id: String,
    },
}

/// What is wrong with the content of a file of tokens.
#[derive(Debug, Error)]
pub enum TokenFileFault {
    /// Longer than one is read.
    #[error("longer than {FILE_BYTES_MAX} bytes")]
    TooLong,
    /// More tokens than a file may hold.
    #[error("more than {TOKENS_MAX} tokens")]
    TooMany,
    /// Tokens are for people.
    #[error("token {id} is of role system")]
    RoleOfTheNode {
        /// Which.
        id: String,
    },
}

impl TokenBookError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self {
            Self::File { .. } => Code::TOKEN_BOOK_UNUSABLE,
            Self::RoleOfTheNode | Self::ExpiresInThePast | Self::Label | Self::Full => {
                Code::TOKEN_NOT_MADE
            }
            Self::NoSuchToken { .. } => Code::NO_SUCH_TOKEN,
        }
    }

    /// What it says, less its cause.
    pub fn says(&self) -> Said {
        let zh = match self {
            Self::File { path, .. } => format!("令牌文件 {path} 无法使用"),
            Self::RoleOfTheNode => "不为节点自身制作令牌".to_owned(),
            Self::ExpiresInThePast => "令牌的有效期已过".to_owned(),
            Self::Label => format!("备注应为一行, 最多 {LABEL_BYTES_MAX} 字节"),
            Self::Full => format!("令牌文件已有 {TOKENS_MAX} 个令牌, 请先撤销一些"),
            Self::NoSuchToken { id } => format!("没有令牌 {id:?}"),
        };
        Said::new(zh, self.to_string())
    }
}

impl TokenFileFault {
    /// What it says.
    pub fn says(&self) -> Said {
        let zh = match self {
            Self::TooLong => format!("超过 {FILE_BYTES_MAX} 字节"),
            Self::TooMany => format!("超过 {TOKENS_MAX} 个令牌"),
            Self::RoleOfTheNode { id } => format!("令牌 {id} 的岗位是 system"),
        };
        Said::new(zh, self.to_string())
    }
}
