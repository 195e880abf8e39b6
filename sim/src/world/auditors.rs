//! Auditors: they have a node catch up with its group, and look for what people were told before.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tongban_runtime::NodeError;
use tongban_types::{CaseNumber, CityCode, GroupId};

use super::ask::ask;
use super::federation::{self, CITIES};
use super::oracle::Oracle;
use super::scene::Scene;
use crate::invariants::reads::{self, Shown, Told};
use crate::runtime::{Dice, Sleep, World, lock};

/// Cases looked for at once: half of them the latest, where a stale read would show.
const LOOKED_FOR: usize = 16;

/// One auditor's day.
pub(crate) async fn work(scene: Arc<Scene>, number: u64) {
    let mut dice = World::dice("auditor", number);
    while !scene.is_closing() {
        Sleep::true_time(dice.within(&(Duration::from_millis(1)..=scene.options.rest))).await;
        let place = dice.index(CITIES.len());
        audit(&scene, place, &mut dice).await;
    }
    scene.under_way.fetch_sub(1, Ordering::Relaxed);
}

async fn audit(scene: &Arc<Scene>, place: usize, dice: &mut Dice) {
    let told = draw(
        &told_of(&lock(&scene.oracle), federation::city(place)),
        dice,
    );
    let cases: Vec<CaseNumber> = told.iter().map(|told| told.case).collect();
    let shown = ask(scene, place, |node| async move {
        node.catch_up().await?;
        let look = |case: &CaseNumber| match node.case(*case) {
            Ok(opened) => Ok(opened
                .record
                .map_or(Shown::AtTheDesk, |record| Shown::At(record.version))),
            Err(NodeError::NoSuchCase(_)) => Ok(Shown::Nothing),
            Err(error) => Err(error),
        };
        cases.iter().map(look).collect::<Result<Vec<Shown>, _>>()
    });
    let Ok(shown) = shown.await else {
        return;
    };
    let count = told.len();
    scene.events.count("read after catching up", || {
        format!("{count} cases in {}", CITIES[place].1)
    });
    for (told, shown) in told.into_iter().zip(shown) {
        if let Err(violation) = reads::check(told, shown) {
            lock(&scene.oracle).accuse(violation);
        }
    }
}

/// Everything people were told of cases in a city's group.
fn told_of(oracle: &Oracle, city: CityCode) -> Vec<Told> {
    let taken = oracle.taken().filter(|(_, taken)| taken.intake == city);
    let taken = taken.map(|(case, taken)| Told {
        case,
        version: taken.replicated.then_some(tongban_types::CaseVersion(1)),
    });
    let acts = oracle.acts().iter();
    let acts = acts
        .filter(|act| act.group == GroupId(city))
        .map(|act| Told {
            case: act.case,
            version: Some(act.version),
        });
    taken.chain(acts).collect()
}

fn draw(told: &[Told], dice: &mut Dice) -> Vec<Told> {
    let latest = told.iter().rev().take(LOOKED_FOR / 2).copied();
    let any = (0..LOOKED_FOR / 2).filter_map(|_| told.get(dice.index(told.len())).copied());
    latest.chain(any).collect()
}
