//! A city with several nodes of its own: whichever of them is killed, the others go on taking in, deciding
//! and issuing, and a document is issued once; and what changed is told alike by all of them.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::Value;
use tongban_tests::city::{City, DISTRICT};
use tongban_tests::client::Ask;
use tongban_tests::decision::{document, grant, verdict};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::process::until;

/// A lease of thirty seconds runs out, another node takes it, prepares and signs; on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);

/// A city all of whose nodes answer.
fn at_work() -> Result<City> {
    let mut city = City::prepare(tempfile::tempdir()?, "")?;
    for index in 0..city.machines.len() {
        city.start(index)?;
    }
    for index in 0..city.machines.len() {
        let mut operator = city.person(index, "operator", "watch")?;
        city.until_answering(index, &mut operator, true)?;
    }
    Ok(city)
}

#[test]
fn whichever_node_of_a_city_is_killed_at_a_decision_another_issues_its_document_once() {
    let mut city = at_work().unwrap();
    let mut issued = BTreeSet::new();
    // Whoever holds the lease on the city's effects, it is killed in one of the rounds.
    for victim in 0..city.machines.len() {
        let others = [(victim + 1) % 3, (victim + 2) % 3];
        let case = taken_in(&city, victim, &others).unwrap();
        decided(&city, others[0], &case).unwrap();
        city.kill(victim).unwrap();
        let texts = others.map(|other| document_at(&city, other, &case).unwrap());
        assert_eq!(texts[0], texts[1], "one document, whoever is asked");
        assert_eq!(verdict(&texts[0], &city.registry).unwrap(), "valid");
        city.start(victim).unwrap();
        let back = document_at(&city, victim, &case).unwrap();
        assert_eq!(back, texts[0], "and the one that was away follows");
        assert!(issued.insert(back));
    }
    for index in 0..city.machines.len() {
        city.end(index).unwrap();
    }
}

#[test]
fn what_changed_behind_a_place_is_the_same_at_another_node_and_after_a_restart() {
    let mut city = at_work().unwrap();
    let mut listener = Listener::open(&city, 0, None).unwrap();
    let (from, _) = listener.event().unwrap();
    let case = taken_in(&city, 0, &[1]).unwrap();
    decided(&city, 1, &case).unwrap();
    let told = listener.until_granted().unwrap();
    let mut elsewhere = Listener::open(&city, 1, Some(&from)).unwrap();
    assert_eq!(elsewhere.until_granted().unwrap(), told);

    city.kill(0).unwrap();
    city.start(0).unwrap();
    let mut operator = city.person(0, "operator", "watch").unwrap();
    city.until_answering(0, &mut operator, true).unwrap();
    let (first, rest) = told.split_first().unwrap();
    let mut later = Listener::open(&city, 0, Some(&first.0)).unwrap();
    assert_eq!(later.until_granted().unwrap(), rest);
    for index in 0..city.machines.len() {
        city.end(index).unwrap();
    }
}

/// The place of an event, and what it says.
type Event = (String, Value);

/// A stream of what changes in the city, read as it comes.
struct Listener {
    lines: BufReader<TcpStream>,
}

impl Listener {
    /// At a node, from now on or behind a place.
    fn open(city: &City, node: usize, behind: Option<&str>) -> Result<Self> {
        let token = city.token(node, "clerk", "listener")?;
        let address = city.machines[node].http;
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let mut head = format!(
            "GET /api/v1/events HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n"
        );
        if let Some(place) = behind {
            head.extend(["last-event-id: ", place, "\r\n"]);
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes())?;
        let mut lines = BufReader::new(stream);
        let mut status = String::new();
        lines.read_line(&mut status)?;
        ensure!(status.starts_with("HTTP/1.1 200"), "{status}");
        Ok(Self { lines })
    }

    /// The next event. Lines between the fields of events are headers, sizes of chunks and comments.
    fn event(&mut self) -> Result<Event> {
        let begun = Instant::now();
        let (mut place, mut says) = (String::new(), None);
        loop {
            let mut line = String::new();
            ensure!(self.lines.read_line(&mut line)? > 0, "the stream ended");
            ensure!(begun.elapsed() < LIMIT, "no event came");
            let line = line.trim_end();
            if let Some(id) = line.strip_prefix("id: ") {
                id.clone_into(&mut place);
            } else if let Some(text) = line.strip_prefix("data: ") {
                says = Some(serde_json::from_str(text)?);
            } else if line.is_empty()
                && let Some(says) = says.take()
            {
                return Ok((place, says));
            }
        }
    }

    /// All events up to the grant of the only case there is.
    fn until_granted(&mut self) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        loop {
            let event = self.event()?;
            let is_last = event.1["state"] == "granted";
            events.push(event);
            if is_last {
                return Ok(events);
            }
        }
    }
}

/// A case collected at one node, whose form the other nodes of the city can read.
fn taken_in(city: &City, desk: usize, others: &[usize]) -> Result<String> {
    let mut clerk = city.person(desk, "clerk", "window")?;
    let body = migration(&Applicant::numbered(desk), DISTRICT)?;
    let ask = Ask::post("/api/v1/cases", &body).key(&format!("application-{desk}"));
    let ask = ask.replicated();
    let case = until(LIMIT, "the case is taken in", || {
        let Ok(answer) = clerk.ask(&ask) else {
            return Ok(None);
        };
        let taken = answer.json()?;
        let is_safe = taken["receipt"]["safety"] == "replicated";
        Ok(taken["case"]
            .as_str()
            .filter(|_| is_safe)
            .map(str::to_owned))
    })?;
    for other in others {
        let mut officer = city.person(*other, "officer", "reader")?;
        until(LIMIT, "another node opens the form", || {
            let shown = officer.read(&format!("/api/v1/cases/{case}"));
            Ok(shown
                .ok()
                .filter(|shown| shown["form"].is_object())
                .map(drop))
        })?;
    }
    Ok(case)
}

/// Two officers at one node bring the case to its decision.
fn decided(city: &City, node: usize, case: &str) -> Result<()> {
    let mut reviewer = city.person(node, "officer", "first")?;
    let mut decider = city.person(node, "officer", "second")?;
    grant(&mut reviewer, &mut decider, case)
}

fn document_at(city: &City, node: usize, case: &str) -> Result<String> {
    document(&mut city.person(node, "officer", "reader")?, case)
}
