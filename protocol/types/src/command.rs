//! Orders a city gives its own approval group, and how they are signed: whatever waits is signed
//! together, one signature over the Merkle root of the batch.

use serde::{Deserialize, Serialize};

use crate::case::{CaseEnvelope, CaseVersion, Decision};
use crate::codec::{Record, encode};
use crate::hash::{Hash, leaf_hash, merkle_root, sha256_parts};
use crate::item::ItemTerms;
use crate::keys::{PublicKey, Signature};
use crate::people::Actor;
use crate::sealed::Sealed;
use crate::time::Timestamp;
use crate::{Calendar, CaseNumber, GroupId, NodeId};

/// Names a command for ever: the hash of who asked and of their idempotency key. The same id gives
/// the same reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(pub Hash);

impl CommandId {
    /// The id of an act: `asker` is a token's hash or a fixed name of the node's own doing, `key`
    /// its idempotency key.
    pub fn derive(asker: &[u8], key: &[u8]) -> Self {
        Self(sha256_parts(&[b"tongban/command-id/v1", asker, key]))
    }
}

/// Tells whether two commands under one id ask the same. Words in it are personal, so it is keyed: only
/// the city that gives the order can compare it with a text. Zeros where an id is never used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestTag(pub Hash);

/// One order to one group. Its encoded bytes are a leaf of the signed batch, so the signature binds
/// the group, the id, the case and the version of the case it expects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The group it is for.
    pub group: GroupId,
    /// Its id.
    pub id: CommandId,
    /// When the act was done, by its author's clock.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What was asked, whatever it is dated and sealed with: a repeat under the same id asks the same.
    pub request: RequestTag,
    /// What is to be done.
    pub body: CommandBody,
}

/// What is to be done. Tags are permanent; new ones are appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommandBody {
    /// 收件.
    Collect(Box<Collect>),
    /// 转送: hand a collected case over to its authority.
    Transfer(OnCase),
    /// 一次性告知: ask for every correction at once.
    AskCorrection(AskCorrection),
    /// 补正: the corrected form.
    Correct(Correct),
    /// 受理.
    Accept(OnCase),
    /// 不予受理, with reasons.
    RefuseToAccept(WithReason),
    /// 审: a reviewer's opinion.
    Review(Review),
    /// 核: the decision, by another person than the reviewer.
    Decide(Decide),
    /// 送达: the result was handed over.
    Deliver(OnCase),
    /// 撤回, asked by the applicant.
    Withdraw(WithReason),
    /// Puts the terms of an item into this group's catalogue.
    InstallItem(ItemTerms),
    /// Puts a working-day calendar into this group's log.
    InstallCalendar(Calendar),
    /// Takes or renews the lease on the city's effects for a node of the city.
    TakeLease(NodeId),
    /// Fixes the exact signing input of a document before anything is signed.
    PrepareDocument(PrepareDocument),
    /// Enters a signed document.
    IssueDocument(IssueDocument),
}

/// An act on a case that needs no more than the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnCase {
    /// The case.
    pub case: CaseNumber,
    /// The version the actor saw.
    pub expected: CaseVersion,
}

/// An act on a case that is told in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithReason {
    /// The case and the version the actor saw.
    pub on: OnCase,
    /// The words, sealed.
    pub reason: Sealed,
}

/// An application handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collect {
    /// What stands in the clear.
    pub envelope: CaseEnvelope,
    /// The filled form.
    pub form: Sealed,
    /// The package is complete: hand it over to the authority in the same step.
    pub hand_over: bool,
}

/// The one-time notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskCorrection {
    /// The case and the version the actor saw.
    pub on: OnCase,
    /// Everything that must be corrected.
    pub notice: Sealed,
}

/// A corrected form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correct {
    /// The case and the version the actor saw.
    pub on: OnCase,
    /// The corrected form.
    pub form: Sealed,
    /// Its salted hash.
    pub form_hash: Hash,
}

/// A reviewer's opinion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The case and the version the actor saw.
    pub on: OnCase,
    /// What the reviewer recommends.
    pub recommend: Decision,
    /// Why.
    pub opinion: Sealed,
}

/// A checker's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decide {
    /// The case and the version the actor saw.
    pub on: OnCase,
    /// What is decided.
    pub decision: Decision,
    /// Reasons, and the remedies a refusal must name (行政许可法 art. 38); required to refuse.
    pub reason: Option<Sealed>,
}

/// The exact bytes that will be signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrepareDocument {
    /// The granted case and the version seen.
    pub on: OnCase,
    /// The lease acted under.
    pub lease: u64,
    /// Signing input and disclosures.
    pub signing_input: Sealed,
    /// SHA-256 of the signing input in the clear.
    pub input_hash: Hash,
}

/// A signed document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueDocument {
    /// The case and the version seen.
    pub on: OnCase,
    /// The lease acted under.
    pub lease: u64,
    /// SHA-256 of the signing input it signs: must be the one prepared.
    pub input_hash: Hash,
    /// The document in compact form.
    pub document: Sealed,
    /// SHA-256 of the compact form, so that both cities can name it.
    pub document_hash: Hash,
}

/// What is signed for a batch of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchHead {
    /// The group all of them are for.
    pub group: GroupId,
    /// How many there are.
    pub count: u32,
    /// RFC 6962 root over the leaves, each the bytes of one encoded command.
    pub root: Hash,
}

/// Commands signed together by one command key of the group's city.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandBatch {
    /// The command key.
    pub signer: PublicKey,
    /// Over `Purpose::CommandBatch` and the encoded head.
    pub signature: Signature,
    /// The encoded commands, 1 to `BATCH_COMMANDS_MAX`.
    #[serde(with = "crate::run::list")]
    pub commands: Vec<Vec<u8>>,
}

impl BatchHead {
    /// The head of encoded commands.
    pub fn of(group: GroupId, commands: &[Vec<u8>]) -> Self {
        let leaves: Vec<Hash> = commands.iter().map(|bytes| leaf_hash(bytes)).collect();
        Self {
            group,
            count: u32::try_from(commands.len()).unwrap_or(u32::MAX),
            root: merkle_root(&leaves),
        }
    }

    /// The bytes that are signed.
    pub fn signed_bytes(&self) -> Vec<u8> {
        encode(self)
    }
}

/// What a voter's host signs now and then, and enters in the log: its time, and what its replica
/// looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoterReport {
    /// The group.
    pub group: GroupId,
    /// The voter.
    pub voter: NodeId,
    /// Its time.
    pub time: Timestamp,
    /// An index at which it knows its state hash; 0 if none yet.
    pub index: u64,
    /// Its state hash at that index.
    pub state: Hash,
}

const _: fn() = || {
    fn is_record<T: Record>() {}
    is_record::<Command>();
};
