//! What group time owes: the time that two honest voters of a group showed a while ago, where both
//! were up ever since, in touch with each other, their clocks left alone, and following the log.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tongban_runtime::seams::WallClock;
use tongban_types::{GroupId, Timestamp};

use super::federation::{CITIES, Federation, VOTERS, place_of};
use super::scene::Scene;
use super::sight::Sight;
use crate::runtime::World;

/// How long two voters must have been able to report: a dozen reports of each. A bad line, the crash of
/// a third voter that led, a hand-over whose message was lost and some rounds of pre-votes that came
/// late cost 25 s in one world of three hundred.
const REPORTING_FOR: Duration = Duration::from_secs(40);

/// The last looks at the world.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    past: VecDeque<Moment>,
}

/// One look.
#[derive(Debug)]
struct Moment {
    at: Duration,
    /// By place; `None` while its node is not up.
    machines: Vec<Option<Up>>,
    linked: BTreeSet<(usize, usize)>,
    indexes: BTreeMap<(GroupId, usize), u64>,
}

/// A machine whose node is up.
#[derive(Clone, Copy, Debug)]
struct Up {
    /// Its start and how often its clock was set: where one differs it was not up all along.
    life: (u32, u64),
    shown: Timestamp,
}

impl Pace {
    /// Takes a look, and says what each group's time must have reached by now.
    pub(crate) fn look(&mut self, scene: &Scene, sight: &Sight) -> BTreeMap<GroupId, Timestamp> {
        self.past.push_back(Moment::of(scene, sight));
        let now = World::now();
        let is_over = |next: &Moment| next.at + REPORTING_FOR <= now;
        while self.past.get(1).is_some_and(is_over) {
            self.past.pop_front();
        }
        if !self.past.front().is_some_and(is_over) {
            return BTreeMap::new();
        }
        let liar = scene.options.liar.map(|(place, _)| place);
        let owed = |(group, voters): (GroupId, [usize; VOTERS])| {
            let honest: Vec<usize> = voters.into_iter().filter(|it| Some(*it) != liar).collect();
            let pairs = honest
                .iter()
                .flat_map(|one| honest.iter().map(move |other| (*one, *other)));
            let owed = pairs.filter(|(one, other)| one < other);
            let owed = owed
                .filter_map(|(one, other)| self.owed_by(group, one, other))
                .max();
            Some((group, owed?))
        };
        // Where voters come and go, two of those it began with owe nothing.
        if scene.options.move_every.is_some() {
            return BTreeMap::new();
        }
        Federation::groups().filter_map(owed).collect()
    }

    /// The earlier of what both showed at first, if both could report it ever since.
    fn owed_by(&self, group: GroupId, one: usize, other: usize) -> Option<Timestamp> {
        let (first, last) = (self.past.front()?, self.past.back()?);
        let mut owed = None;
        for place in [one, other] {
            let up = first.machines[place]?;
            let was_up = |moment: &Moment| {
                let then = moment.machines[place];
                then.is_some_and(|then| then.life == up.life)
            };
            let index = |moment: &Moment| moment.indexes.get(&(group, place)).copied();
            let follows = index(first)? < index(last)?;
            if !follows || !self.past.iter().all(was_up) {
                return None;
            }
            owed = Some(owed.map_or(up.shown, |owed: Timestamp| owed.min(up.shown)));
        }
        let in_touch = |moment: &Moment| moment.linked.contains(&(one, other));
        owed.filter(|_| self.past.iter().all(in_touch))
    }
}

impl Moment {
    fn of(scene: &Scene, sight: &Sight) -> Self {
        let machines = scene.machines.iter().map(|machine| {
            machine.handle()?;
            let life = (machine.starts(), machine.clock().sets());
            let shown = machine.clock().now();
            Some(Up { life, shown })
        });
        let mut linked = BTreeSet::new();
        for one in 0..CITIES.len() {
            for other in one + 1..CITIES.len() {
                let (a, b) = (scene.machines[one].node(), scene.machines[other].node());
                if scene.net.is_linked(a, b) {
                    linked.insert((one, other));
                }
            }
        }
        let mut indexes = BTreeMap::new();
        for (group, seen) in &sight.groups {
            for replica in &seen.replicas {
                if let Some(place) = place_of(replica.node.city()) {
                    indexes.insert((*group, place), replica.index);
                }
            }
        }
        Self {
            at: World::now(),
            machines: machines.collect(),
            linked,
            indexes,
        }
    }
}
