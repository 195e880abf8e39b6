//! What people type.

use clap::Parser;
use tongban_sim::world::{Order, Plant};
use tracing::level_filters::LevelFilter;

/// Seeds run where none is named: a few, to see that it works.
const SEEDS_DEFAULT: u64 = 20;

/// The deterministic simulator: six cities, one thread, everything that may go wrong.
#[derive(Clone, Debug, Parser)]
#[command(name = "tongban-sim", version)]
pub(crate) struct Arguments {
    /// Run one seed; the last line is the hash of everything that happened
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    pub(crate) seed: Option<u64>,
    /// Run so many seeds, on all cores
    #[arg(long, default_value_t = SEEDS_DEFAULT)]
    pub(crate) seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 1)]
    pub(crate) from: u64,
    /// Plant a fault; exits 0 once it is found
    #[arg(long, value_enum)]
    pub(crate) plant: Option<Plant>,
    /// With a planted fault: draw the same, and leave the fault out
    #[arg(long, requires = "plant")]
    pub(crate) control: bool,
    /// With one seed: print a line for each event
    #[arg(long, requires = "seed")]
    pub(crate) events: bool,
    /// With events: print what nodes log down to this level
    #[arg(long, default_value = "error", requires = "events")]
    pub(crate) level: LevelFilter,
    /// Run every n-th seed and report to the process that asked
    #[arg(long, hide = true)]
    pub(crate) worker: Option<u64>,
}

impl Arguments {
    /// The order for one seed.
    pub(crate) fn order(&self, seed: u64) -> Order {
        Order {
            seed,
            plant: self.plant,
            is_control: self.control,
            events: self.events,
            level: self.level,
        }
    }

    /// What to type to see a seed again.
    pub(crate) fn repro(&self, seed: u64) -> String {
        let plant = self
            .plant
            .map_or_else(String::new, |plant| format!(" --plant {}", plant.name()));
        let control = if self.control { " --control" } else { "" };
        format!("cargo sim -- --seed {seed}{plant}{control}")
    }

    /// What is wanted of a seed: that it is sound, or that it finds what is planted.
    pub(crate) fn is_wanted(&self, violation: Option<&str>) -> bool {
        match (self.plant, violation) {
            (Some(plant), Some(violation)) if !self.control => plant.is_found_by(violation),
            (Some(_), None) if !self.control => false,
            (_, violation) => violation.is_none(),
        }
    }
}
