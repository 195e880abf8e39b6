//! What a whole group's majority may certify though its log never held it.

use tongban_machine::{load_case, receive_position};
use tongban_types::{
    Actor, CaseNumber, CaseState, Entry, Hash, IssuedDocument, Packet, PacketBody, Parcel,
    Standing, Step, Timestamp, encode,
};

use super::world::World;
use super::{Dice, TOWNS};
use crate::common::prelude::*;

impl World {
    pub(super) fn forge(&mut self, from: u8, to: u8, dice: &Dice) {
        let from = usize::from(from) % TOWNS.len();
        let to = usize::from(to) % TOWNS.len();
        let number = match self.cases.len() {
            0 => return,
            len => self.cases[usize::from(dice.case) % len],
        };
        let (sender, receiver) = (&self.towns[from], &self.towns[to]);
        let next = receive_position(&receiver.view, sender.group(), number);
        let packet = Packet {
            from: sender.group(),
            to: receiver.group(),
            case: number,
            sequence: next.saturating_sub(u32::from(dice.luck.is_multiple_of(8))),
            deadline: receiver
                .time()
                .plus_ms(i64::from(dice.luck) * 1_000 - 5_000),
            body: self.lie(from, to, number, dice),
        };
        let parcel = forged(sender, &[Parcel::Packet(Box::new(packet))]);
        self.enter(to, encode(&Entry::Parcels(parcel)));
    }

    fn lie(&self, from: usize, to: usize, number: CaseNumber, dice: &Dice) -> PacketBody {
        let people = [
            clerk(TOWNS[from]),
            officer(TOWNS[to], CHECKER),
            system(WEINAN),
        ];
        let actor: Actor = people[usize::from(dice.actor) % people.len()].clone();
        let at = Timestamp::from_unix_ms(dice.at);
        match dice.kind % 6 {
            0 => PacketBody::Correction {
                form: dice.text(),
                form_hash: Hash([dice.luck; 32]),
                at,
                actor,
            },
            1 => PacketBody::Withdrawal {
                reason: dice.text(),
                at,
                actor,
            },
            2 => PacketBody::Delivery { at, actor },
            3 => {
                let record = self
                    .towns
                    .iter()
                    .find_map(|town| load_case(&town.view, number));
                match record {
                    Some(record) => PacketBody::Transfer {
                        envelope: record.envelope,
                        form: dice.text(),
                    },
                    None => PacketBody::Delivery { at, actor },
                }
            }
            _ => PacketBody::Standing(Box::new(Standing {
                steps: self.lying_steps(to, number, dice, &actor),
                form: Hash([dice.luck; 32]),
                notice_from: at,
                notice_due: None,
                deemed: dice.luck.is_multiple_of(2),
                promise_due: None,
                statutory_due: None,
                document: (dice.luck.is_multiple_of(5)).then(|| IssuedDocument {
                    document: dice.text(),
                    hash: Hash([2; 32]),
                }),
            })),
        }
    }

    /// Mostly from where the mirror stands to anywhere; now and then steps from nowhere.
    fn lying_steps(&self, to: usize, number: CaseNumber, dice: &Dice, actor: &Actor) -> Vec<Step> {
        let known = load_case(&self.towns[to].view, number).map(|record| record.state);
        let state = CaseState::ALL[usize::from(dice.size) % CaseState::ALL.len()];
        let known = known.filter(|state| {
            !matches!(state, CaseState::Collected | CaseState::InTransit)
                && !dice.luck.is_multiple_of(8)
        });
        let count = usize::from(dice.usage % 3);
        let lie = Step {
            state,
            at: Timestamp::from_unix_ms(dice.at),
            actor: actor.clone(),
            words: (dice.luck.is_multiple_of(3)).then(|| dice.text()),
        };
        let known = known.map(|state| Step {
            state,
            words: None,
            ..lie.clone()
        });
        known
            .into_iter()
            .chain(std::iter::repeat_n(lie, count))
            .collect()
    }
}
