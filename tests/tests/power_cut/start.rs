//! The program itself on what a power cut left: the recorded machine's folder, and a partner with an
//! empty log, whose vote it needs and who cannot be elected before it has caught up.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tongban_tests::city::City;
use tongban_tests::client::{Ask, Client};
use tongban_tests::process::until;

use super::lives::{Lives, PARTNER, RECORDED, Receipt, application};

/// A number no application of the recording has.
const NEW: usize = 90_000;

/// Whoever asks for hundreds of cases at once is told to wait.
const TOO_MANY: u16 = 429;

/// An election and the group's time after it.
const LIMIT: Duration = Duration::from_mins(1);

/// Starts the city of a recording on images, one after the other.
pub(crate) struct Starter<'a> {
    lives: &'a Lives,
    city: Mutex<City>,
}

impl<'a> Starter<'a> {
    pub(crate) fn new(lives: &'a Lives) -> Self {
        Self {
            lives,
            city: Mutex::new(lives.city.asleep()),
        }
    }

    /// Whether the node that starts in a folder has everything acknowledged and goes on.
    pub(crate) fn check(&self, root: &Path, acks: &[Vec<u8>]) -> Result<()> {
        let mut city = self.city.lock().unwrap_or_else(PoisonError::into_inner);
        let recorded = city.machines[RECORDED].clone();
        for machine in &city.machines[RECORDED..=PARTNER] {
            fs::remove_dir_all(&machine.data)?;
        }
        fs::rename(root, &recorded.data)?;
        let partner = &city.machines[PARTNER].data;
        fs::create_dir(partner)?;
        self.lives.partner.write_to(partner)?;
        let [clerk, operator] = &self.lives.tokens;
        let mut operator = Client::new(recorded.http, operator);
        city.start(PARTNER)?;
        city.start(RECORDED)?;
        city.until_answering(RECORDED, &mut operator, true)?;
        let receipts: Result<Vec<_>> = acks.iter().map(|ack| Receipt::decode(ack)).collect();
        let checked = check_all(&mut Client::new(recorded.http, clerk), &receipts?);
        city.end(RECORDED)?;
        city.end(PARTNER)?;
        checked
    }
}

fn check_all(clerk: &mut Client, receipts: &[Receipt]) -> Result<()> {
    let next = next_number(clerk)?;
    let mut given = BTreeSet::from([next]);
    for receipt in receipts {
        check_one(clerk, receipt).with_context(|| format!("case {}", receipt.case))?;
        given.insert(receipt.case.clone());
    }
    ensure!(given.len() == receipts.len() + 1, "a number is given twice");
    Ok(())
}

/// The number of an application the group takes in now.
fn next_number(clerk: &mut Client) -> Result<String> {
    until(LIMIT, "an application is replicated", || {
        let (ask, _) = application(NEW)?;
        let answer = clerk.ask(&ask.replicated())?;
        ensure!([200, 201, 202, 503].contains(&answer.status), "{answer}");
        let said = answer.json()?;
        let is_replicated = said["receipt"]["safety"] == "replicated";
        let number = said["case"].as_str().map(str::to_owned);
        Ok(number.filter(|_| is_replicated))
    })
}

/// The desk's own cases come into the group by themselves, and then their forms open.
fn check_one(clerk: &mut Client, receipt: &Receipt) -> Result<()> {
    let path = format!("/api/v1/cases/{}", receipt.case);
    until(LIMIT, "its form opens", || {
        let answer = clerk.ask(&Ask::get(&path))?;
        if answer.status == TOO_MANY {
            return Ok(None);
        }
        ensure!(answer.status == 200, "{answer}");
        let shown = answer.json()?;
        let form = &shown["form"];
        if form.is_null() {
            return Ok(None);
        }
        ensure!(
            form.to_string().contains(&receipt.phone),
            "it is another's form"
        );
        Ok(Some(()))
    })
}
