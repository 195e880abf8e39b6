//! Some cities, the cases they share and the road between them: what each step does there, and what
//! must hold after it.

use tongban_machine::{
    CheckedEntry, MemoryView, ParcelFate, Refusal, Reply, Standpoint, ground, load_case,
};
use tongban_types::{
    CaseNumber, CaseState, CertifiedParcels, Entry, GroupId, Parcel, Timestamp, decode, encode,
};

use super::{Step, TOWNS};
use crate::common::prelude::*;

/// Some cities, their cases and everything that was ever sent.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) towns: Vec<City>,
    pub(crate) cases: Vec<CaseNumber>,
    road: Vec<CertifiedParcels>,
    harvested: Vec<u64>,
}

impl World {
    pub(crate) fn open() -> Self {
        let towns: Vec<City> = TOWNS.into_iter().map(City::open).collect();
        Self {
            harvested: vec![0; towns.len()],
            towns,
            cases: Vec::new(),
            road: Vec::new(),
        }
    }

    /// Makes one thing happen; what is refused must leave nothing.
    pub(crate) fn step(&mut self, step: &Step) {
        match step {
            Step::Batch(town, batch) => self.submit(usize::from(*town), batch),
            Step::Arrive(at) => {
                if let Some(parcel) = self.parcel(*at) {
                    let to = addressee(&parcel);
                    let town = self.towns.iter().position(|town| town.group() == to);
                    self.enter(town.unwrap_or(0), encode(&Entry::Parcels(parcel)));
                }
            }
            Step::Carry(from, to) => {
                let [from, to] = [from, to].map(|town| usize::from(*town) % TOWNS.len());
                for position in packets_for(&self.towns[from], self.towns[to].group()) {
                    self.carry_one(from, to, position);
                }
            }
            Step::Stray(at, town) => {
                if let Some(parcel) = self.parcel(*at) {
                    self.enter(usize::from(*town), encode(&Entry::Parcels(parcel)));
                }
            }
            Step::Hours(hours) => {
                let ms = i64::from(*hours) * 3_600_000 / 4;
                self.towns.iter_mut().for_each(|town| town.pass_ms(ms));
            }
            Step::Ahead(town, hours) => {
                self.town(*town).pass_ms(i64::from(*hours) * 3_600_000);
            }
            Step::Lie(town, at) => {
                let town = self.town(*town);
                let liar = voters_of(town.code)[2];
                let report = town.report_of(liar, Timestamp::from_unix_ms(*at));
                town.report(&report);
            }
            Step::Noise(town, bytes) => self.enter(usize::from(*town), bytes.clone()),
            Step::Forge(from, to, dice) => self.forge(*from, *to, dice),
        }
        self.harvest();
    }

    /// A packet to its receiver and its answer back; among liars either may be refused.
    fn carry_one(&mut self, from: usize, to: usize, position: u64) {
        let packet = certify(&self.towns[from], position);
        if let Ok(ParcelFate::Answered { answer } | ParcelFate::AnsweredBefore { answer }) =
            enter_parcel(&mut self.towns[to], &packet)
        {
            let answer = certify(&self.towns[to], answer);
            let _fate = enter_parcel(&mut self.towns[from], &answer);
        }
    }

    fn town(&mut self, town: u8) -> &mut City {
        let at = usize::from(town) % TOWNS.len();
        &mut self.towns[at]
    }

    fn parcel(&self, at: u16) -> Option<CertifiedParcels> {
        let back = match at % 4 {
            0 => usize::from(at) % self.road.len().max(1),
            _ => usize::from(at) % 8,
        };
        self.road.iter().rev().nth(back).cloned()
    }

    /// Applies an entry and compares what a wholly refused one left with what any entry leaves.
    pub(super) fn enter(&mut self, town: usize, bytes: Vec<u8>) {
        let at = town % TOWNS.len();
        let town = &mut self.towns[at];
        let before = town.view.clone();
        let results = town.apply(bytes).results;
        let nothing = |result: &Result<Reply, Refusal>| {
            result.is_err() || *result == Ok(Reply::Parcel(ParcelFate::SettledBefore))
        };
        if results.iter().all(nothing) {
            let noise = CheckedEntry::check(town.group(), b"noise".to_vec());
            let fired = town.machine.apply(&before, town.index, &noise);
            let mut expected = before;
            expected.commit(&fired.writes);
            assert_eq!(
                but_hash(&town.view),
                but_hash(&expected),
                "{results:?} left something"
            );
        }
    }

    /// Whatever the outboxes hold that was not yet seen goes on the road, for ever.
    fn harvest(&mut self) {
        for (town, harvested) in self.towns.iter().zip(&mut self.harvested) {
            let end = ground(&town.view).outbox_next;
            for position in *harvested..end {
                self.road.push(certify(town, position));
            }
            *harvested = end;
        }
    }

    /// At any moment a case has one owner that acts, or is in transit between two.
    pub(crate) fn assert_one_owner(&self) {
        for case in &self.cases {
            let records = self
                .towns
                .iter()
                .filter_map(|town| load_case(&town.view, *case));
            let owners: Vec<_> = records
                .filter(|record| record.standpoint == Standpoint::Owner)
                .map(|record| record.state)
                .collect();
            let acting = owners
                .iter()
                .filter(|state| **state != CaseState::InTransit)
                .count();
            assert!(acting <= 1, "{case} has {acting} owners");
            let is_known = self
                .towns
                .iter()
                .any(|town| load_case(&town.view, *case).is_some());
            assert!(!is_known || !owners.is_empty(), "{case} has no owner");
        }
    }
}

fn addressee(parcel: &CertifiedParcels) -> GroupId {
    let parcel: Parcel = decode(&parcel.parcels[0].bytes).expect("we made it");
    parcel.to()
}

/// Everything stored but the chained hash.
fn but_hash(view: &MemoryView) -> Vec<(&Vec<u8>, &Vec<u8>)> {
    view.0
        .iter()
        .filter(|(key, _)| key.as_slice() != b"H")
        .collect()
}
