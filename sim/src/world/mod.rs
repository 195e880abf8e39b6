//! Six cities in one thread: machines with the real node on them, people who work there, and
//! everything that may go wrong, by seed. What must hold is in `crate::invariants`.

pub mod ask;
pub mod events;
pub mod federation;
pub mod log_watch;
pub mod machine;
pub mod options;
pub mod oracle;
pub mod outcome;
pub mod run;
pub mod scene;
pub mod sight;

mod auditors;
mod calm;
mod clerks;
mod governors;
mod officers;
mod pace;
mod paperwork;
mod trouble;
mod witness;

pub use events::Events;
pub use options::{Options, Plant};
pub use outcome::Outcome;
pub use run::{Order, run, run_announced};
