//! Arbitrary logs: any order, right or wrong, by anybody, with parcels lost, repeated, reordered or
//! forged. A step is a few dice; what they mean depends on the world they fall in, so that most
//! steps do something.

mod lies;
mod orders;
mod world;

use proptest::prelude::*;
use tongban_types::{Sealed, SealedUse, limits};

use crate::common::prelude::*;

pub(crate) use world::World;

/// The cities of an arbitrary world: two that share cases, and a third that mostly looks on.
pub(crate) const TOWNS: [u32; 3] = [FUZHOU, WEINAN, PUTIAN];

/// Cases a world begins by itself: few, so that each comes far.
const CASES_MAX: usize = 5;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A city's node submits a batch.
    Batch(u8, Vec<Dice>),
    /// Any parcel ever sent arrives, perhaps again, perhaps early.
    Arrive(u16),
    /// All that waits between two cities is carried, in order, with its answers.
    Carry(u8, u8),
    /// It arrives at the wrong city.
    Stray(u16, u8),
    /// Time goes on in all cities, by hours.
    Hours(u8),
    /// The clocks of one city run ahead of the others', by hours.
    Ahead(u8, u8),
    /// The third voter of a city says anything.
    Lie(u8, i64),
    /// Bytes that are no entry.
    Noise(u8, Vec<u8>),
    /// A majority of a city's voters certifies what its log never held.
    Forge(u8, u8, Dice),
}

/// What an order, or a forged packet, is made of.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    kind: u8,
    case: u8,
    actor: u8,
    luck: u8,
    size: u8,
    usage: u8,
    at: i64,
}

fn dice() -> impl Strategy<Value = Dice> {
    let at = prop_oneof![8 => Just(0), 1 => -40_000..40_000_i64, 1 => any::<i64>()];
    (
        any::<u8>(),
        any::<u8>(),
        any::<u8>(),
        any::<u8>(),
        any::<u8>(),
        any::<u8>(),
        at,
    )
        .prop_map(|(kind, case, actor, luck, size, usage, at)| Dice {
            kind,
            case,
            actor,
            luck,
            size,
            usage,
            at,
        })
}

/// Steps of a federation in which no majority of voters lies.
pub(crate) fn honest_steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => (any::<u8>(), prop::collection::vec(dice(), 1..4))
            .prop_map(|(town, batch)| Step::Batch(town, batch)),
        8 => any::<u16>().prop_map(Step::Arrive),
        4 => (any::<u8>(), any::<u8>()).prop_map(|(from, to)| Step::Carry(from, to)),
        1 => (any::<u16>(), any::<u8>()).prop_map(|(parcel, town)| Step::Stray(parcel, town)),
        2 => any::<u8>().prop_map(Step::Hours),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(town, hours)| Step::Ahead(town, hours)),
        1 => (any::<u8>(), any::<i64>()).prop_map(|(town, at)| Step::Lie(town, at)),
        1 => (any::<u8>(), prop::collection::vec(any::<u8>(), 0..80))
            .prop_map(|(town, bytes)| Step::Noise(town, bytes)),
    ];
    prop::collection::vec(step, count)
}

/// Steps in which whole groups lie too.
pub(crate) fn lying_steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    let forge = (any::<u8>(), any::<u8>(), dice()).prop_map(|(a, b, dice)| Step::Forge(a, b, dice));
    let honest = honest_steps(1).prop_map(|mut steps| steps.remove(0));
    prop::collection::vec(prop_oneof![honest, forge], count)
}

impl Dice {
    /// A sealed text of any use, small, at its bound or beyond.
    fn text(&self) -> Sealed {
        let usage = match self.usage % 8 {
            0 => SealedUse::Form,
            1 => SealedUse::Notice,
            2 => SealedUse::SigningInput,
            3 => SealedUse::Document,
            _ => SealedUse::Reason,
        };
        let size = match self.size % 8 {
            0 => limits::TEXT_BYTES_MAX + limits::SEAL_BYTES,
            1 => limits::TEXT_BYTES_MAX + limits::SEAL_BYTES + 1,
            2 => limits::FORM_BYTES_MAX + limits::SEAL_BYTES,
            3 => limits::COMMAND_BYTES_MAX - 400,
            _ => usize::from(self.luck),
        };
        Sealed {
            ciphertext: vec![self.luck; size],
            ..sealed(usage, "")
        }
    }
}
