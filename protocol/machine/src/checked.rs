//! An entry whose own signatures hold. Checking needs no state, so it can be done once a replica, on
//! any thread, before the entry's turn comes; whether the signer has the right is judged when it is
//! applied.

use tongban_trust::{verify_signed, verify_strict};
use tongban_types::{
    BatchHead, Command, Entry, GroupId, PlacementOrder, PublicKey, Purpose, Signed, VoterReport,
    decode, limits,
};

use crate::refusal::Refusal;

/// An entry that decodes and whose embedded signatures verify; or the refusal it will get, for a
/// committed entry that does not hold still has its place in the log.
#[derive(Debug)]
pub struct CheckedEntry {
    bytes: Vec<u8>,
    pub(crate) body: Result<CheckedBody, Refusal>,
}

#[derive(Debug)]
pub(crate) enum CheckedBody {
    Commands {
        signer: PublicKey,
        commands: Vec<Command>,
    },
    Report {
        signer: PublicKey,
        report: VoterReport,
    },
    /// Certificates are judged against the registry in the log.
    Parcels(Box<tongban_types::CertifiedParcels>),
    /// Registries are judged against the one in the log.
    Registries(Vec<Vec<u8>>),
    Placement {
        signed: Signed,
        order: PlacementOrder,
    },
}

impl CheckedEntry {
    /// Decodes and verifies. Never panics, whatever the bytes.
    pub fn check(group: GroupId, bytes: Vec<u8>) -> Self {
        let body = check_body(group, &bytes);
        Self { bytes, body }
    }

    /// Why the entry as a whole will be refused, if it will.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.body.as_ref().err()
    }

    /// The bytes as they stand in the log.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn check_body(group: GroupId, bytes: &[u8]) -> Result<CheckedBody, Refusal> {
    match decode(bytes).map_err(|_| Refusal::Malformed)? {
        Entry::Commands(batch) => {
            let sizes = batch.commands.iter().map(Vec::len);
            let whole: usize = sizes.clone().sum();
            let bounded = (1..=limits::BATCH_COMMANDS_MAX).contains(&batch.commands.len())
                && sizes
                    .clone()
                    .all(|bytes| bytes <= limits::COMMAND_BYTES_MAX)
                && whole <= limits::BATCH_BYTES_MAX;
            if !bounded {
                return Err(Refusal::Malformed);
            }
            let head = BatchHead::of(group, &batch.commands);
            let message = Purpose::CommandBatch.message(&head.signed_bytes());
            verify_strict(batch.signer, &message, batch.signature)
                .map_err(|_| Refusal::BadSignature)?;
            let commands = batch
                .commands
                .iter()
                .map(|bytes| decode(bytes))
                .collect::<Result<_, _>>()
                .map_err(|_| Refusal::Malformed)?;
            Ok(CheckedBody::Commands {
                signer: batch.signer,
                commands,
            })
        }
        Entry::Report(signed) => {
            let report = check_report(&signed)?;
            Ok(CheckedBody::Report {
                signer: signed.signer,
                report,
            })
        }
        Entry::Parcels(parcels) => {
            let whole: usize = parcels
                .parcels
                .iter()
                .map(|parcel| parcel.bytes.len())
                .sum();
            let bounded = (1..=limits::PARCELS_MAX).contains(&parcels.parcels.len())
                && parcels.signatures.len() <= limits::VOTERS_MAX
                && parcels
                    .parcels
                    .iter()
                    .all(|p| p.bytes.len() <= limits::PARCEL_BYTES_MAX)
                && parcels
                    .parcels
                    .iter()
                    .all(|p| p.path.len() <= limits::PATH_HASHES_MAX)
                && whole <= limits::PARCELS_BYTES_MAX;
            if bounded {
                Ok(CheckedBody::Parcels(Box::new(parcels)))
            } else {
                Err(Refusal::Malformed)
            }
        }
        Entry::Registry(file) => {
            if file.len() > limits::REGISTRY_BYTES_MAX {
                return Err(Refusal::Malformed);
            }
            Ok(CheckedBody::Registries(vec![file]))
        }
        Entry::Registries(files) => {
            let whole: usize = files.iter().map(Vec::len).sum();
            let bounded = (1..=limits::REGISTRIES_KEPT_MAX).contains(&files.len())
                && whole <= limits::REGISTRY_BYTES_MAX;
            if bounded {
                Ok(CheckedBody::Registries(files))
            } else {
                Err(Refusal::Malformed)
            }
        }
        Entry::Placement(signed) => {
            verify_signed(Purpose::PlacementOrder, &signed).map_err(|_| Refusal::BadSignature)?;
            let order = decode(&signed.bytes).map_err(|_| Refusal::Malformed)?;
            Ok(CheckedBody::Placement { signed, order })
        }
    }
}

fn check_report(signed: &Signed) -> Result<VoterReport, Refusal> {
    verify_signed(Purpose::VoterReport, signed).map_err(|_| Refusal::BadSignature)?;
    decode(&signed.bytes).map_err(|_| Refusal::Malformed)
}
