//! What can be wrong with a log that was durable once.

use thiserror::Error;

/// What is wrong with a log where it is damaged.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Damage {
    /// The checkpoint is shorter than its header.
    #[error("no whole header")]
    NoHeader,
    /// A header is not what was written.
    #[error("the header does not check")]
    HeaderCheck,
    /// The checkpoint is cut short.
    #[error("it ends before its last record")]
    EndsEarly,
    /// A record of the checkpoint is longer than any, or than what is left.
    #[error("a record has an impossible length")]
    RecordLength,
    /// A record of the checkpoint is not what was written.
    #[error("a record does not check")]
    RecordCheck,
    /// The checkpoint counts more or fewer records than it holds.
    #[error("records are missing")]
    RecordsMissing,
    /// There is a segment of a number that none has.
    #[error("segments are numbered from 1")]
    SegmentZero,
    /// A segment is gone that nothing replaced.
    #[error("the segment is missing")]
    SegmentMissing,
    /// The oldest segment is younger than the checkpoint says.
    #[error("the segment, or the checkpoint that replaced it, is missing")]
    SegmentOrCheckpointMissing,
    /// Nothing that large was ever written.
    #[error("the file is larger than any segment")]
    LargerThanAnySegment,
    /// The machine cannot address that much.
    #[error("the file is larger than memory")]
    LargerThanMemory,
    /// The header names another number than the file.
    #[error("it is another segment")]
    OtherSegment,
    /// A segment with one behind it ends early.
    #[error("a batch of a sealed segment does not check")]
    SealedBatch,
    /// A later batch says that this one had been durable.
    #[error("a batch that was durable does not check")]
    DurableBatch,
    /// A record of the node's own is none.
    #[error("local changes do not decode")]
    LocalChanges,
    /// A record lies where it is never written.
    #[error("a record of a checkpoint lies in a segment")]
    CheckpointRecordInSegment,
    /// An entry lies where none is ever written.
    #[error("an entry lies in a checkpoint")]
    EntryInCheckpoint,
    /// No log comes so far.
    #[error("an entry has the last index there is")]
    LastIndex,
    /// A group's log does not begin where what was purged ends.
    #[error("entries behind the purged ones are missing")]
    GapBehindPurged,
    /// A group's log has a gap.
    #[error("entries between others are missing")]
    GapBetween,
}

impl Damage {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::NoHeader,
        Self::HeaderCheck,
        Self::EndsEarly,
        Self::RecordLength,
        Self::RecordCheck,
        Self::RecordsMissing,
        Self::SegmentZero,
        Self::SegmentMissing,
        Self::SegmentOrCheckpointMissing,
        Self::LargerThanAnySegment,
        Self::LargerThanMemory,
        Self::OtherSegment,
        Self::SealedBatch,
        Self::DurableBatch,
        Self::LocalChanges,
        Self::CheckpointRecordInSegment,
        Self::EntryInCheckpoint,
        Self::LastIndex,
        Self::GapBehindPurged,
        Self::GapBetween,
    ];
}
