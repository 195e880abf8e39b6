//! A federation on this one machine, for the demonstration and the benchmark: made by the same code
//! as the commands an operator uses, run as processes of this very program.

mod case;
mod child;
mod cities;
mod federation;
mod file;
mod layout;
mod ports;
mod sample;
mod staff;
mod stop;

pub(crate) use case::{Clerk, Desk, StageError};
pub(crate) use cities::{City, SIX_CITIES};
pub(crate) use federation::{Federation, wait_until_leading};
pub(crate) use layout::{Layout, Scheme, Site, StageLine};
pub(crate) use ports::free_ports;
pub(crate) use stop::Stop;
