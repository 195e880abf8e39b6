//! What errors of other rooms say to a person, in Chinese and in English. Those rooms say them in English
//! alone, for logs; here each is said whole, also where it only caused what is told.

mod blobs;
mod catalogue;
mod json;
mod links;
mod log;
mod start;
mod store;
mod tokens;

use std::error::Error;
use std::io;

use tongban_api::Said;

use crate::files;
use crate::registry;

pub(crate) use json::refused;

/// Says an error if it is one it knows.
type Room = fn(&(dyn Error + 'static)) -> Option<Said>;

const ROOMS: &[Room] = &[
    files::of,
    registry::says::of,
    blobs::of,
    catalogue::of,
    json::of,
    links::of,
    log::of,
    start::of,
    store::of,
    tokens::of,
];

/// What an error says, less its cause. One that nobody knows here is alike in both languages: what the
/// system or a library said.
pub(crate) fn of(error: &(dyn Error + 'static)) -> Said {
    known(error).unwrap_or_else(|| Said::alike(error.to_string()))
}

/// What an error says that one of the rooms knows, also where an error of the system was made to carry it.
fn known(error: &(dyn Error + 'static)) -> Option<Said> {
    let system = error.downcast_ref::<io::Error>();
    match system.and_then(io::Error::get_ref) {
        Some(carried) => known(carried),
        None => ROOMS.iter().find_map(|room| room(error)),
    }
}

/// What an error says, and behind it what caused it, on one line.
pub(crate) fn line(error: &(dyn Error + 'static)) -> Said {
    let mut line = of(error);
    let mut source = error.source();
    while let Some(cause) = source {
        let Said { zh, en } = of(cause);
        line.zh.extend([": ", &zh]);
        line.en.extend([": ", &en]);
        source = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use tongban_runtime::ports::StateFailed;

    use super::*;
    use crate::both_languages;

    /// Claims that this room knows an error and says it in both languages.
    pub(super) fn assert_said(error: &(dyn Error + 'static)) -> Said {
        let said = known(error).unwrap_or_else(|| panic!("nobody says {error:?}"));
        both_languages::assert_said(&said);
        said
    }

    #[test]
    fn what_the_system_said_is_alike_in_both_languages() {
        let said = line(&io::Error::other("the disk is gone"));
        assert_eq!(said, Said::alike("the disk is gone"));
    }

    #[test]
    fn what_an_error_of_the_system_carries_is_said_in_both_languages() {
        let carried = assert_said(&io::Error::other(StateFailed::Filling));
        assert_eq!(carried, assert_said(&StateFailed::Filling));
    }
}
