//! Cases as a node shows them: opened where it holds the key, and as its desk keeps them until the group has
//! them.

use tongban_machine::{CaseRecord, Movement};
use tongban_types::{
    Actor, Attachment, CaseNumber, Channel, CityCode, Code, ItemVersion, Receipt, Timestamp,
};

/// One step of a case with its words opened, where this node holds the key.
#[derive(Clone)]
pub struct OpenedMovement {
    /// The step.
    pub movement: Movement,
    /// Its words.
    pub words: Option<String>,
}

impl std::fmt::Debug for OpenedMovement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedMovement({:?})", self.movement.state)
    }
}

/// A case as its party's node shows it.
#[derive(Clone)]
pub struct OpenedCase {
    /// The record in this city's group; `None` while it is stored only at this desk.
    pub record: Option<CaseRecord>,
    /// What the desk says of it while it is stored only there.
    pub stored: Option<StoredCase>,
    /// Its number.
    pub number: CaseNumber,
    /// Its steps, oldest first.
    pub history: Vec<OpenedMovement>,
    /// The form, JSON text, where this node holds the key.
    pub form: Option<Vec<u8>>,
    /// The files handed in, where this node holds the key.
    pub attachments: Vec<Attachment>,
    /// The document in compact form, once issued.
    pub document: Option<String>,
    /// The receipt this node gave, if it collected the case.
    pub receipt: Option<Receipt>,
}

impl std::fmt::Debug for OpenedCase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedCase({})", self.number)
    }
}

/// A case that this desk took in and its group does not have yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCase {
    /// Its number.
    pub number: CaseNumber,
    /// Its item.
    pub item: ItemVersion,
    /// The city whose decision it is.
    pub authority: CityCode,
    /// How it came.
    pub channel: Channel,
    /// When it was handed in.
    pub collected_at: Timestamp,
    /// Who took it in.
    pub collected_by: Actor,
    /// The group refused it for this when it was tried last; it is tried again.
    pub refused: Option<Code>,
}

/// A piece of a list of cases.
#[derive(Clone, Debug)]
pub struct CasePage {
    /// The cases.
    pub cases: Vec<CaseRecord>,
    /// Where to go on.
    pub next: Option<CaseNumber>,
}
