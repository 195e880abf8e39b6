//! Why tokens cannot be made, listed or revoked, and what is wrong with their file.

use std::error::Error;

use tongban_api::{Said, TokenBookError, TokenFileFault};

pub(super) fn of(error: &(dyn Error + 'static)) -> Option<Said> {
    let book = error.downcast_ref::<TokenBookError>();
    let file = error.downcast_ref::<TokenFileFault>();
    book.map(TokenBookError::says)
        .or_else(|| file.map(TokenFileFault::says))
}

#[cfg(test)]
mod tests {
    use std::io;

    use tongban_api::FileTokenBook;
    use tongban_trust::every_variant;

    use super::super::line;
    use super::super::tests::assert_said;
    use super::*;

    #[test]
    fn every_error_of_the_tokens_is_said_in_both_languages() {
        let errors = every_variant!(TokenBookError {
            TokenBookError::File { .. } => TokenBookError::File {
                path: "tokens.json".to_owned(),
                source: io::Error::other("the disk is gone"),
            },
            TokenBookError::RoleOfTheNode => TokenBookError::RoleOfTheNode,
            TokenBookError::ExpiresInThePast => TokenBookError::ExpiresInThePast,
            TokenBookError::Label => TokenBookError::Label,
            TokenBookError::Full => TokenBookError::Full,
            TokenBookError::NoSuchToken { .. } =>
                TokenBookError::NoSuchToken { id: "x".to_owned() },
        });
        for error in errors {
            assert_said(&error);
        }
        let faults = every_variant!(TokenFileFault {
            TokenFileFault::TooLong => TokenFileFault::TooLong,
            TokenFileFault::TooMany => TokenFileFault::TooMany,
            TokenFileFault::RoleOfTheNode { .. } =>
                TokenFileFault::RoleOfTheNode { id: "x".to_owned() },
        });
        for fault in faults {
            assert_said(&fault);
        }
    }

    #[test]
    fn what_is_wrong_with_a_spoiled_file_is_said_in_both_languages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        std::fs::write(&path, "{}").unwrap();
        let said = line(&FileTokenBook::open(&path).unwrap_err());
        assert!(said.zh.contains("无法使用: 第 1 行第 "), "{said:?}");
        assert!(said.zh.ends_with("缺少 `tokens`"), "{said:?}");
        assert!(
            said.en.contains("cannot be used: missing field `tokens`"),
            "{said:?}"
        );
    }
}
