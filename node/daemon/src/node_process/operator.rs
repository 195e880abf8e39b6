//! The token by which whoever may read the data folder asks this process how it stands. It is drawn
//! anew at each start, goes with the process, and stands in no list: asking changes nothing on disk.

use std::path::Path;

use tongban_api::{AccessToken, Session};
use tongban_types::{Actor, NodeId, PersonId, Role, Timestamp};

use crate::files::{FileError, read_bounded, replace};
use crate::platform::OsEntropy;

/// In the data folder while the process runs; for its owner alone.
pub(super) const OPERATOR_FILE: &str = "operator.token";

/// A token has 43 characters.
const TOKEN_BYTES_MAX: usize = 128;

/// Draws the token of this process, leaves it in its data folder, and returns what it stands for.
pub(super) fn leave_token(folder: &Path, me: NodeId) -> Result<Session, FileError> {
    let token = AccessToken::make(&OsEntropy);
    replace(
        &folder.join(OPERATOR_FILE),
        token.expose().as_bytes(),
        0o600,
    )?;
    Ok(Session {
        actor: Actor {
            city: me.city(),
            person: PersonId::system(),
            role: Role::Operator,
        },
        token_hash: token.hash(),
        // It ends with the process.
        expires: Timestamp::from_unix_ms(i64::MAX),
    })
}

/// The token of the process that runs on a data folder.
pub(crate) fn read_token(folder: &Path) -> Result<String, FileError> {
    let bytes = read_bounded(&folder.join(OPERATOR_FILE), TOKEN_BYTES_MAX)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tongban_api::{FileTokenBook, TokenBook as _};

    use super::*;

    #[test]
    fn the_token_in_the_folder_opens_its_process_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let me = "350100-01".parse().unwrap();
        let start = || {
            let session = leave_token(folder.path(), me).unwrap();
            let book = FileTokenBook::open(folder.path().join("tokens.json")).unwrap();
            book.with_standing(session)
        };
        let first = start();
        let token = read_token(folder.path()).unwrap();
        let session = first.find(&token).unwrap();
        assert_eq!(session.actor.role, Role::Operator);
        assert_eq!(start().find(&token), None);
        let file = std::fs::metadata(folder.path().join(OPERATOR_FILE)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
