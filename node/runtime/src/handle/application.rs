//! What a person hands in, and what is given for it: an application, and its receipt.

use tongban_types::{
    Attachment, CaseNumber, Channel, Division, HandlingMode, Hash, ItemVersion, Receipt,
};

/// An application whose form was checked against its item's schema.
#[derive(Clone)]
pub struct Application {
    /// The item.
    pub item: ItemVersion,
    /// SHA-256 of the item's file the form was checked against.
    pub item_file: Hash,
    /// Its handling mode.
    pub mode: HandlingMode,
    /// The division the form names for the authority.
    pub authority_division: Division,
    /// The applicant's identity number; only its keyed pseudonym leaves the node.
    pub subject: String,
    /// The filled form, JSON text.
    pub form: Vec<u8>,
    /// The files handed in with it, each uploaded before.
    pub attachments: Vec<Attachment>,
    /// How it came.
    pub channel: Channel,
    /// The package is complete: hand it over to the authority at once.
    pub hand_over: bool,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Application({}, {} bytes)", self.item, self.form.len())
    }
}

/// How safe an answer must be before it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Durable at this node.
    Stored,
    /// Committed by the group; falls back to `Stored` when the group does not answer in time.
    Replicated,
}

/// An application taken in.
#[derive(Clone, Debug)]
pub struct Collected {
    /// Its number.
    pub case: CaseNumber,
    /// The receipt; says itself how safe it is.
    pub receipt: Receipt,
    /// The same request was answered before.
    pub repeated: bool,
}
