//! Making registries from plans, and holding on to the one a node believes.

mod belief;
mod chain;
mod files;
mod held;
mod plan;
mod plan_error;
pub(crate) mod says;

use tongban_api::Said;
use tongban_trust::RegistryError;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::Coded;

pub(crate) use belief::believe;
pub(crate) use files::{held_files, is_held_name, read_registry};
pub(crate) use held::{Held, hold, judge};
pub(crate) use plan::{CityPlan, NodePlan, Plan};

impl Coded for RegistryError {
    fn code(&self) -> Code {
        Self::code(self)
    }

    fn exit(&self) -> Exit {
        Exit::No
    }

    fn says(&self) -> Option<Said> {
        Some(says::of_registry(self))
    }
}
