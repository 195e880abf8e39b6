//! What is done on the engine, and what of it has a bound, for errors to name.

use std::fmt;

/// What is done on the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineWork {
    /// It is opened.
    Opening,
    /// It is closed.
    Closing,
    /// A new store is marked as one of ours.
    WritingFormat,
    /// Whether the store is one of ours.
    ReadingFormat,
    /// A group whose removal was cut short is removed.
    FinishingForgetting,
    /// What was applied is made durable.
    Flush,
    /// Whether it put a value beside its log.
    LookForLargeValues,
    /// One value is read.
    Read,
    /// Values are read in order.
    Scan,
    /// What was committed lately is put into pages.
    Packing,
    /// Pages are written.
    Commit,
    /// The removal of a group begins.
    ForgettingPosition,
    /// The values of a group are removed.
    ForgettingGroup,
    /// How much its log has grown.
    LookAtLog,
    /// What must be found again is left before it is opened anew.
    MarkingEnd,
    /// The names of its files are made durable.
    SyncOfNames,
    /// What was left is looked for.
    LookForMark,
    /// It is closed and opened again.
    OpeningAnew,
    /// Marking what a power cut could tear.
    MarkingUnsynced,
    /// What is live of a file of pages is put elsewhere.
    Compacting,
}

impl EngineWork {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Opening,
        Self::Closing,
        Self::WritingFormat,
        Self::ReadingFormat,
        Self::FinishingForgetting,
        Self::Flush,
        Self::LookForLargeValues,
        Self::Read,
        Self::Scan,
        Self::Packing,
        Self::Commit,
        Self::ForgettingPosition,
        Self::ForgettingGroup,
        Self::LookAtLog,
        Self::MarkingEnd,
        Self::SyncOfNames,
        Self::LookForMark,
        Self::OpeningAnew,
        Self::MarkingUnsynced,
        Self::Compacting,
    ];
}

impl fmt::Display for EngineWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opening => "opening",
            Self::Closing => "closing",
            Self::WritingFormat => "writing the format marker",
            Self::ReadingFormat => "reading the format marker",
            Self::FinishingForgetting => "finishing what was being forgotten",
            Self::Flush => "a flush",
            Self::LookForLargeValues => "a look for large values",
            Self::Read => "a read",
            Self::Scan => "a scan",
            Self::Packing => "packing a layer",
            Self::Commit => "a commit",
            Self::ForgettingPosition => "forgetting a position",
            Self::ForgettingGroup => "forgetting a group",
            Self::LookAtLog => "a look at the log",
            Self::MarkingEnd => "marking its end",
            Self::SyncOfNames => "a sync of names",
            Self::LookForMark => "a look for its mark",
            Self::OpeningAnew => "opening anew",
            Self::MarkingUnsynced => "marking what is not durable",
            Self::Compacting => "compacting",
        })
    }
}

/// What may be larger than the store takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounded {
    /// The position of a group.
    Position,
    /// A key.
    Key,
    /// A value.
    Value,
    /// One commit.
    Commit,
}

impl Bounded {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Position, Self::Key, Self::Value, Self::Commit];
}

impl fmt::Display for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Position => "position",
            Self::Key => "key",
            Self::Value => "value",
            Self::Commit => "commit",
        })
    }
}
