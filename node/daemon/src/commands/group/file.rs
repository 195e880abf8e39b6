//! The file of an order of placement, and why a file is none, in both languages.

use std::path::Path;

use tongban_api::Said;
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

    fn says(&self) -> Option<Said> {
        // Where and how is the cause's to say.
        let zh = match self {
            Self::Json(_) => "部署令不是严格的 JSON",
            Self::Shape(_) => "部署令的格式不对",
        };
        Some(Said::new(zh, self.to_string()))
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

#[cfg(test)]
mod tests {
    use tongban_trust::{JsonError, JsonFault, ShapeError, ShapeProblem, every_variant};

    use super::*;
    use crate::both_languages::assert_said;

    #[test]
    fn why_a_file_is_no_order_is_told_in_both_languages_with_its_place() {
        let errors = every_variant!(PlacementFileError {
            PlacementFileError::Json(_) => PlacementFileError::Json(JsonError {
                offset: 7,
                fault: JsonFault::NotUtf8,
            }),
            PlacementFileError::Shape(_) =>
                PlacementFileError::Shape(ShapeError::new("order.voters", ShapeProblem::Missing)),
        });
        for (error, place) in errors.into_iter().zip(["7", "order.voters"]) {
            let causes: Vec<Said> = Failure::from(error).causes().collect();
            assert_eq!(causes.len(), 2, "{causes:?}");
            for said in &causes {
                assert_said(said);
            }
            let Said { zh, en } = &causes[1];
            assert!(zh.contains(place) && en.contains(place), "{causes:?}");
        }
    }

    #[test]
    fn a_file_without_a_member_is_refused_with_the_member_in_both_languages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("order.json");
        std::fs::write(&path, "{}").unwrap();
        let failure = read_order(&path).unwrap_err();
        let causes: Vec<Said> = failure.causes().collect();
        let told = [
            Said::new("部署令的格式不对", "the placement order has another form"),
            Said::new("order.schema: 缺少", "order.schema: is missing"),
        ];
        assert_eq!(causes, told);
    }
}
