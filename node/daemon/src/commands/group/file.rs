//! The file of an order of placement.

use std::path::Path;

use tongban_trust::{PlacementFile, PlacementFileError};
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::{Coded, Failure};

impl Coded for PlacementFileError {
    fn code(&self) -> Code {
        Self::code(self)
    }

    fn exit(&self) -> Exit {
        Exit::No
    }
}

/// Reads an order.
pub(super) fn read_order(path: &Path) -> Result<PlacementFile, Failure> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    Ok(PlacementFile::decode(&bytes)?)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let exit = if error.kind() == std::io::ErrorKind::NotFound {
        Exit::NotFound
    } else {
        Exit::No
    };
    let message = format!("{}: {error}", path.display());
    Failure::new(Code::PLACEMENT_MALFORMED, exit, message)
        .then("tongban group plan CITY --voters NODE,NODE,NODE --out order.json")
}
