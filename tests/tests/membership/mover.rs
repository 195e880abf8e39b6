//! Moves groups by the commands that people use: a plan, a signature by the governance key, the order
//! handed in. Every other change a process dies in the middle of it and comes back a moment later.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tongban_tests::client::Client;
use tongban_tests::federation::{CITIES, Federation};
use tongban_tests::power_cut::Dice;
use tongban_tests::process::{ask_tongban, until};

/// A group stands as ordered within this time, a killed process among those it waits for.
const STAND_LIMIT: Duration = Duration::from_mins(2);

/// A killed process is away for this long.
const AWAY: Duration = Duration::from_millis(600);

/// Between the order and the kill, at most: somewhere in the steps.
const INTO_THE_STEPS_MS_MAX: usize = 400;

/// How `group plan` ends where there is something to be done.
const PLAN_WITH_STEPS: i32 = 10;

/// What happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Toll {
    pub(crate) changes: usize,
    pub(crate) killed_leading: usize,
    pub(crate) killed_coming: usize,
    pub(crate) slowest: Duration,
}

pub(crate) struct Mover<'f> {
    federation: &'f mut Federation,
    dice: Dice,
    /// Who is to keep replicas of each group.
    placed: Vec<BTreeSet<usize>>,
    toll: Toll,
}

impl<'f> Mover<'f> {
    pub(crate) fn new(federation: &'f mut Federation, seed: u64) -> Self {
        let ring = |city: usize| (0..3).map(|step| (city + step) % CITIES.len()).collect();
        Self {
            federation,
            dice: Dice::new(seed),
            placed: (0..CITIES.len()).map(ring).collect(),
            toll: Toll::default(),
        }
    }

    /// Moves the group of a city to two other machines than chance had it on before, and returns when it
    /// stands so.
    pub(crate) fn change(&mut self, city: usize) -> Result<()> {
        let began = Instant::now();
        let (voters, learner) = self.draw(city);
        self.order(city, &voters, learner)?;
        if self.toll.changes.is_multiple_of(2) {
            self.kill_one(city, &voters)?;
        }
        let placed: BTreeSet<usize> = voters.iter().copied().chain([learner]).collect();
        for place in &placed {
            self.until_stands(city, *place, &voters, learner)?;
        }
        self.placed[city] = placed;
        self.toll.changes += 1;
        self.toll.slowest = self.toll.slowest.max(began.elapsed());
        Ok(())
    }

    /// Returns when nobody keeps a group that was moved away.
    pub(crate) fn finish(self) -> Result<Toll> {
        for (place, (_, name)) in CITIES.iter().enumerate() {
            let mut operator = self.operator(place)?;
            let kept = (0..CITIES.len()).filter(|city| self.placed[*city].contains(&place));
            let kept: BTreeSet<&str> = kept.map(|city| CITIES[city].0).collect();
            until(STAND_LIMIT, "it keeps what orders place there", || {
                let Ok(page) = operator.read("/api/v1/groups") else {
                    return Ok(None);
                };
                let groups = page["groups"].as_array().into_iter().flatten();
                let seen: BTreeSet<&str> = groups.filter_map(|one| one["group"].as_str()).collect();
                Ok((seen == kept).then_some(()))
            })
            .with_context(|| format!("at {name}"))?;
        }
        Ok(self.toll)
    }

    fn draw(&mut self, city: usize) -> (Vec<usize>, usize) {
        let mut others: Vec<usize> = (0..CITIES.len()).filter(|other| *other != city).collect();
        let mut draw = || others.swap_remove(self.dice.below(others.len()));
        let mut voters = vec![city, draw(), draw()];
        let learner = draw();
        voters.sort_unstable();
        (voters, learner)
    }

    /// As a person does it, at the city's own node.
    fn order(&self, city: usize, voters: &[usize], learner: usize) -> Result<()> {
        let place = &self.federation.places[city];
        let (config, code) = (text(&place.config)?, place.code);
        let names: Vec<String> = voters.iter().map(|voter| node(*voter)).collect();
        let (names, learner) = (names.join(","), node(learner));
        // Of each change its own: an order that was signed is not planned over.
        let change = self.toll.changes;
        let file = place.data.with_extension(format!("{change}.order.json"));
        let file = text(&file)?;
        let key = self.federation.governance_key(city);
        until(STAND_LIMIT, "the order is planned", || {
            let planned = ask_tongban(&[
                "group",
                "plan",
                code,
                "--voters",
                &names,
                "--learners",
                &learner,
                "--reason",
                "演练",
                "--out",
                file,
                "--config",
                config,
            ]);
            Ok(planned
                .ok()
                .filter(|(code, _)| *code == Some(PLAN_WITH_STEPS)))
        })?;
        let signed = ask_tongban(&["group", "sign", file, "--key", text(&key)?])?;
        ensure!(signed.0 == Some(0), "{signed:?}");
        until(STAND_LIMIT, "the order is in the log", || {
            let applied = ask_tongban(&["group", "apply", file, "--wait", "0", "--config", config]);
            Ok(applied.ok().filter(|(code, _)| *code == Some(0)))
        })?;
        Ok(())
    }

    /// Whoever leads, or a newcomer, in turns.
    fn kill_one(&mut self, city: usize, voters: &[usize]) -> Result<()> {
        thread::sleep(Duration::from_millis(
            self.dice.below(INTO_THE_STEPS_MS_MAX) as u64,
        ));
        let coming = voters
            .iter()
            .find(|voter| !self.placed[city].contains(voter));
        let victim = match coming {
            Some(coming) if self.toll.changes.is_multiple_of(4) => {
                self.toll.killed_coming += 1;
                *coming
            }
            _ => {
                self.toll.killed_leading += 1;
                self.leader(city)?.unwrap_or(city)
            }
        };
        self.federation.kill(victim)?;
        thread::sleep(AWAY);
        self.federation.start_one(victim)?;
        self.federation.until_leading(victim)
    }

    fn leader(&self, city: usize) -> Result<Option<usize>> {
        let page = self.operator(city)?.read(&address(city));
        let leader = page
            .ok()
            .and_then(|page| Some(page["leader"].as_str()?.to_owned()));
        Ok(leader.and_then(|leader| (0..CITIES.len()).find(|place| node(*place) == leader)))
    }

    fn until_stands(
        &self,
        city: usize,
        place: usize,
        voters: &[usize],
        learner: usize,
    ) -> Result<()> {
        let mut operator = self.operator(place)?;
        let names = |places: &[usize]| {
            let mut names: Vec<String> = places.iter().map(|place| node(*place)).collect();
            names.sort_unstable();
            Value::from(names)
        };
        let (sets, learners) = (Value::from(vec![names(voters)]), names(&[learner]));
        let mut last = Value::Null;
        let stood = until(STAND_LIMIT, "the group stands as ordered", || {
            let Ok(group) = operator.read(&address(city)) else {
                return Ok(None);
            };
            let members = &group["members"];
            let stands = members["voter_sets"] == sets && members["learners"] == learners;
            last = group;
            Ok(stands.then_some(()))
        });
        stood.with_context(|| format!("{} at {}: {last}", CITIES[city].1, CITIES[place].1))
    }

    fn operator(&self, place: usize) -> Result<Client> {
        self.federation.person(place, "operator", "mover")
    }
}

fn address(city: usize) -> String {
    format!("/api/v1/groups/{}", CITIES[city].0)
}

fn node(place: usize) -> String {
    format!("{}-01", CITIES[place].0)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path of text")
}
