//! Power cuts, played: a process is recorded at the border to its file system, then folders are
//! built as a cut at any moment might leave them, and a checker says whether what was acknowledged
//! is there. Knows nothing of what the process is.

mod dice;
mod disk;
mod file;
mod image;
mod program;
mod recorder;
mod recording;
mod sweep;

pub use dice::Dice;
pub use disk::{Disk, LeftOut};
pub use image::{Image, Loss};
pub use program::ask_program;
pub use recorder::Recorder;
pub use recording::{AckLog, Act, Operation, Recording, read_acks};
pub use sweep::{Broken, Cuts, Report, Sweep};
