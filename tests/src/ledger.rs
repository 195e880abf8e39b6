//! The books of all cities, held against what people were told: each acknowledged case once at the
//! receiving city and once at the authority, and no case that nobody was told of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::client::Client;
use crate::federation::{CITIES, Federation};
use crate::process::until;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::load::Acknowledged;

/// Pages of a hundred cases; a run makes a few hundred of them.
const PAGES_MAX: usize = 10_000;

/// The cases of one city, by its part in them.
#[derive(Debug, Default)]
struct Book {
    collected: BTreeMap<String, usize>,
    decides: BTreeMap<String, usize>,
}

/// Waits until nothing is under way any more, then compares.
pub fn check_books(
    federation: &Federation,
    acknowledged: &[Acknowledged],
    limit: Duration,
) -> Result<()> {
    let mut auditors = Vec::new();
    for city in 0..CITIES.len() {
        let auditor = federation.person(city, "auditor", "books")?;
        auditors.push(auditor);
    }
    let mut under_way = Vec::new();
    let settled = until(limit, "nothing is under way", || {
        under_way.clear();
        for auditor in &mut auditors {
            let status = auditor.read("/api/v1/status")?;
            under_way.extend(under_way_in(&status));
        }
        Ok(under_way.is_empty().then_some(()))
    });
    settled.with_context(|| format!("still {under_way:?}"))?;
    let distinct: BTreeSet<&str> = acknowledged
        .iter()
        .map(|case| case.number.as_str())
        .collect();
    ensure!(
        distinct.len() == acknowledged.len(),
        "one number was given to two applications"
    );
    for (city, auditor) in auditors.iter_mut().enumerate() {
        let book = read_book(auditor, CITIES[city].0)?;
        let told = |part: fn(&Acknowledged) -> usize| {
            let cases = acknowledged.iter().filter(move |case| part(case) == city);
            cases
                .map(|case| case.number.as_str())
                .collect::<BTreeSet<&str>>()
        };
        compare(&book.collected, &told(|case| case.intake))
            .with_context(|| format!("collected in {}", CITIES[city].1))?;
        compare(&book.decides, &told(|case| case.authority))
            .with_context(|| format!("for {} to decide", CITIES[city].1))?;
    }
    Ok(())
}

/// What a node still has to bring to its group or to another city.
fn under_way_in(status: &Value) -> Option<String> {
    let (desk, packets) = (&status["desk_waiting"], &status["groups"][0]["unanswered"]);
    let is_settled = *desk == 0 && *packets == 0;
    (!is_settled).then(|| format!("{}: {desk} at the desk, {packets} packets", status["node"]))
}

fn read_book(auditor: &mut Client, city: &str) -> Result<Book> {
    let mut book = Book::default();
    let mut path = "/api/v1/cases?limit=100&fresh=true".to_owned();
    for _ in 0..PAGES_MAX {
        let page = auditor.read(&path)?;
        for case in page["cases"].as_array().context("a page holds cases")? {
            let number = case["number"].as_str().context("a case has a number")?;
            if case["intake"]["code"] == city {
                *book.collected.entry(number.to_owned()).or_default() += 1;
            }
            if case["authority"]["code"] == city {
                *book.decides.entry(number.to_owned()).or_default() += 1;
            }
        }
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/cases?limit=100&cursor={next}"),
            None => return Ok(book),
        }
    }
    bail!("more than {PAGES_MAX} pages")
}

fn compare(found: &BTreeMap<String, usize>, told: &BTreeSet<&str>) -> Result<()> {
    let is_told = |number: &str| told.contains(number);
    let lost: Vec<_> = told
        .iter()
        .filter(|number| !found.contains_key(**number))
        .collect();
    let unknown: Vec<_> = found.keys().filter(|number| !is_told(number)).collect();
    let twice: Vec<_> = found.iter().filter(|(_, times)| **times != 1).collect();
    ensure!(
        lost.is_empty(),
        "{} of {} are lost, first {:?}",
        lost.len(),
        told.len(),
        lost.first()
    );
    ensure!(
        unknown.is_empty(),
        "{} nobody was told of, first {:?}",
        unknown.len(),
        unknown.first()
    );
    ensure!(
        twice.is_empty(),
        "{} are there twice, first {:?}",
        twice.len(),
        twice.first()
    );
    Ok(())
}

#[test]
fn broken_books_are_seen() {
    let told = BTreeSet::from(["a", "b"]);
    let book = |cases: &[(&str, usize)]| {
        cases
            .iter()
            .map(|(number, times)| ((*number).to_owned(), *times))
            .collect()
    };
    assert!(compare(&book(&[("a", 1), ("b", 1)]), &told).is_ok());
    for broken in [
        &[("a", 1)][..],
        &[("a", 2), ("b", 1)],
        &[("a", 1), ("b", 1), ("c", 1)],
    ] {
        assert!(compare(&book(broken), &told).is_err(), "{broken:?}");
    }
}
