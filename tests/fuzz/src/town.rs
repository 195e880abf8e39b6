//! A city's group with a case at every stage, into whose log anything goes: orders that its node
//! signed whatever they say, parcels that another city's voters certified whatever they are, times,
//! and noise. The invariants of the machine's tests are checked after every entry.

use tongban_types::{Actor, CommandBody, Entry, Parcel, encode};

use crate::common::prelude::*;

/// What a turn is: the low bits of its tag.
const ORDER: u8 = 0;
const PARCEL: u8 = 1;
const TIME: u8 = 2;
const NOISE: u8 = 3;

/// Two cities in the middle of their work.
#[derive(Debug)]
pub struct Towns {
    intake: City,
    authority: City,
}

impl Towns {
    /// Fuzhou, and Weinan, which decides what Fuzhou collects.
    pub fn at_work() -> Self {
        let mut intake = City::open(FUZHOU);
        let mut authority = City::open(WEINAN);
        in_transit(&mut intake, &authority);
        received(&mut intake, &mut authority);
        in_review(&mut intake, &mut authority);
        granted(&mut intake, &mut authority);
        leased(&mut authority);
        Self { intake, authority }
    }

    /// Another world that goes on from here.
    #[must_use]
    pub fn again(&self) -> Self {
        let copy = |city: &City| {
            let mut copy = City::resume(
                city.code,
                city.machine.clone(),
                city.view.clone(),
                city.index,
            );
            copy.collected = city.collected;
            copy
        };
        Self {
            intake: copy(&self.intake),
            authority: copy(&self.authority),
        }
    }

    /// One turn: its tag says at which city, what, and by whom.
    pub fn turn(&mut self, tag: u8, body: &[u8]) {
        let (here, there) = if tag & 0x80 == 0 {
            (&mut self.authority, &mut self.intake)
        } else {
            (&mut self.intake, &mut self.authority)
        };
        match tag & 3 {
            ORDER => {
                let Ok(body) = postcard::from_bytes::<CommandBody>(body) else {
                    return;
                };
                let command = here.command(&actor_of(here.code, tag), body);
                here.submit(&[command]);
            }
            PARCEL => {
                let Ok(parcel) = postcard::from_bytes::<Parcel>(body) else {
                    return;
                };
                here.apply(encode(&Entry::Parcels(forged(there, &[parcel]))));
            }
            TIME => {
                let mut ms = [0; 8];
                let length = body.len().min(ms.len());
                ms[..length].copy_from_slice(&body[..length]);
                let time = here.time().plus_ms(i64::from_le_bytes(ms));
                for voter in &voters_of(here.code)[..2] {
                    let report = here.report_of(*voter, time);
                    here.report(&report);
                }
            }
            _ => {
                here.apply(body.to_vec());
            }
        }
    }
}

fn actor_of(city: u32, tag: u8) -> Actor {
    match tag >> 2 & 7 {
        0 => clerk(city),
        1 => officer(city, REVIEWER),
        2 => officer(city, CHECKER),
        3 => operator(city),
        4 => system(city),
        5 => clerk(if city == FUZHOU { WEINAN } else { FUZHOU }),
        6 => officer(PUTIAN, REVIEWER),
        _ => officer(city, CLERK),
    }
}

/// Inputs that are lawful turns: what a target's corpus starts from.
pub fn lawful_turns() -> Vec<(String, Vec<u8>)> {
    use tongban_types::Decision;

    let mut towns = Towns::at_work();
    let (intake, authority) = (&mut towns.intake, &mut towns.authority);
    let numbers: Vec<_> = tongban_machine::list_cases(&authority.view, None, 100)
        .cases
        .iter()
        .map(|case| case.envelope.number)
        .collect();
    let lease = tongban_machine::ground(&authority.view).lease_number;
    let mut inputs = Vec::new();
    let mut order = |name: String, tag: u8, body: &CommandBody| {
        let mut input = Vec::new();
        let bytes = postcard::to_allocvec(body).expect("orders encode");
        crate::turns::add_turn(&mut input, tag, &bytes);
        inputs.push((name, input));
    };
    let collected = application(intake, WEINAN);
    order(
        "collect".into(),
        0x80,
        &CommandBody::Collect(Box::new(collected)),
    );
    for (at, number) in numbers.iter().enumerate() {
        let (city, number) = (&*authority, *number);
        let orders = [
            ("accept", 1 << 2, accept(city, number)),
            ("ask", 1 << 2, ask_correction(city, number)),
            ("refuse", 1 << 2, refuse_to_accept(city, number)),
            ("review", 1 << 2, review(city, number)),
            ("grant", 2 << 2, decide(city, number, Decision::Grant)),
            ("deny", 2 << 2, decide(city, number, Decision::Refuse)),
            ("prepare", 4 << 2, prepare(city, number, lease)),
            ("issue", 4 << 2, issue(city, number, lease)),
        ];
        for (name, tag, body) in orders {
            order(format!("{name}-{at}"), tag, &body);
        }
        let city = &*intake;
        for (name, body) in [
            ("correct", correct(city, number)),
            ("withdraw", withdraw(city, number)),
            ("deliver", deliver(city, number)),
        ] {
            order(format!("{name}-{at}"), 0x80, &body);
        }
    }
    for (from, tag) in [(&*intake, PARCEL), (&*authority, 0x80 | PARCEL)] {
        for position in packets_for(
            from,
            if tag == PARCEL {
                authority.group()
            } else {
                intake.group()
            },
        ) {
            let mut input = Vec::new();
            let bytes = postcard::to_allocvec(&parcel_at(from, position)).expect("parcels encode");
            crate::turns::add_turn(&mut input, tag, &bytes);
            inputs.push((format!("parcel-{tag}-{position}"), input));
        }
    }
    let mut days = Vec::new();
    crate::turns::add_turn(&mut days, TIME, &(20 * 86_400_000_i64).to_le_bytes());
    inputs.push(("days".into(), days));
    let mut noise = Vec::new();
    crate::turns::add_turn(
        &mut noise,
        NOISE,
        &encode(&Entry::Registry(crate::registry_file().to_vec())),
    );
    inputs.push(("registry".into(), noise));
    inputs
}
