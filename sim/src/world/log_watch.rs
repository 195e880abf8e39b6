//! Listens to what nodes log: counts errors, and shows lines to whoever asked for them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::events::Events;
use crate::disk::SimDisk;
use crate::runtime::{Owner, World, lock};

/// Errors kept: the first says it all.
const ERRORS_MAX: usize = 16;

/// Listens to the logs of one run.
#[derive(Debug)]
pub struct LogWatch {
    level: LevelFilter,
    events: Events,
    errors: Mutex<Vec<String>>,
    /// A machine may log errors while its disk is broken.
    disks: OnceLock<BTreeMap<Owner, SimDisk>>,
}

impl LogWatch {
    /// Listens for errors, and shows lines down to `level`.
    pub fn new(level: LevelFilter, events: Events) -> Arc<Self> {
        let level = level.max(LevelFilter::ERROR);
        Arc::new(Self {
            level,
            events,
            errors: Mutex::new(Vec::new()),
            disks: OnceLock::new(),
        })
    }

    /// Excuses errors of machines whose disk is broken.
    pub fn excuse(&self, disks: BTreeMap<Owner, SimDisk>) {
        // Told once a run; a second time says nothing new.
        let _ = self.disks.set(disks);
    }

    fn is_excused(&self) -> bool {
        let disk = self
            .disks
            .get()
            .and_then(|disks| disks.get(&World::owner()));
        disk.is_some_and(SimDisk::is_broken)
    }

    /// The errors our own rooms logged.
    pub fn errors(&self) -> Vec<String> {
        lock(&self.errors).clone()
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string does not fail.
        let _ = if field.name() == "message" {
            write!(self.0, " {value:?}")
        } else {
            write!(self.0, " {}={value:?}", field.name())
        };
    }
}

impl Subscriber for LogWatch {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = Line(format!("{}", World::owner()));
        let _ = write!(line.0, " {} {}", metadata.level(), metadata.target());
        event.record(&mut line);
        let is_ours = metadata.target().starts_with("tongban");
        if *metadata.level() == Level::ERROR && is_ours && !self.is_excused() {
            let mut errors = lock(&self.errors);
            if errors.len() < ERRORS_MAX {
                errors.push(line.0.clone());
            }
        }
        self.events.say(|| line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
