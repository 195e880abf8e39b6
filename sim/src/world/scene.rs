//! What every part of a running world shares.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tongban_machine::{Placement, placement_of};
use tongban_runtime::StoreView;
use tongban_runtime::seams::WallClock;
use tongban_types::{GroupId, Timestamp};

use super::events::Events;
use super::federation::{self, CITIES, Federation};
use super::machine::Machine;
use super::options::Options;
use super::oracle::Oracle;
use super::sight::{GroupSight, Sight, look};
use super::witness::{Applied, NodeWitness};
use crate::clock::{CivilSkew, let_pass};
use crate::net::SimNet;
use crate::runtime::{ClockSkew, World, lock};

/// A world at work.
#[derive(Debug)]
pub struct Scene {
    /// What the seed drew.
    pub options: Options,
    /// What everybody is told.
    pub federation: Federation,
    /// The network.
    pub net: SimNet,
    /// The machines, in the order of the ring.
    pub machines: Vec<Arc<Machine>>,
    /// What happened.
    pub events: Events,
    /// What people were told.
    pub oracle: Arc<Mutex<Oracle>>,
    pub(crate) applied: Arc<Mutex<Applied>>,
    /// The latest time each clock ever showed.
    shown: Mutex<Vec<Timestamp>>,
    /// How often days were let pass.
    days_passed: AtomicU32,
    /// People take on nothing new any more.
    pub(crate) is_closing: AtomicBool,
    /// Faults are over.
    pub(crate) is_calm: AtomicBool,
    /// People and faults still under way.
    pub(crate) under_way: AtomicUsize,
}

impl Scene {
    /// The scene of this world's seed; nothing is switched on yet.
    pub fn set(options: Options, events: Events) -> Arc<Self> {
        let federation = Federation::draw();
        let net = SimNet::new(options.net.clone());
        let mut dice = World::dice("clocks", 0);
        let mut machines = Vec::new();
        for (place, (_, name)) in CITIES.iter().enumerate() {
            let drift = signed(dice.below(2 * u64::from(options.drift_ppm.unsigned_abs()) + 1))
                - i64::from(options.drift_ppm);
            let drift_ppm = i32::try_from(drift).unwrap_or(0);
            let offset = options.clock_offset_ms;
            let mut ahead_ms = signed(dice.below(2 * offset.unsigned_abs() + 1)) - offset;
            if let Some((liar, by)) = options.liar
                && liar == place
            {
                ahead_ms = by;
                events.count("clock beyond bound", || format!("{name} by {by} ms"));
            }
            let skew = CivilSkew {
                ahead_ms,
                drift_ppm,
            };
            let machine = Arc::new(Machine::new(place, &federation, &options, skew));
            World::set_clock(
                machine.owner(),
                ClockSkew {
                    drift_ppm,
                    ..ClockSkew::default()
                },
            );
            net.enroll(machine.node(), machine.owner());
            machines.push(machine);
        }
        Arc::new(Self {
            shown: Mutex::new(
                machines
                    .iter()
                    .map(|machine| machine.clock().now())
                    .collect(),
            ),
            options,
            federation,
            net,
            machines,
            events,
            oracle: Arc::default(),
            applied: Arc::default(),
            days_passed: AtomicU32::new(0),
            is_closing: AtomicBool::new(false),
            is_calm: AtomicBool::new(false),
            under_way: AtomicUsize::new(0),
        })
    }

    /// Switches a machine on.
    pub fn start(&self, place: usize) {
        self.start_with(place, &self.federation);
    }

    /// Switches a machine on whose node is told something else than everybody: of a newer item, say.
    pub fn start_with(&self, place: usize, federation: &Federation) {
        let machine = &self.machines[place];
        let witness = NodeWitness {
            node: machine.node(),
            store: machine.store().clone(),
            applied: self.applied.clone(),
            oracle: self.oracle.clone(),
        };
        machine.start(federation, &self.options, &self.net, Arc::new(witness));
    }

    /// Whether people take on nothing new.
    pub fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }

    /// Whether the faults are over.
    pub fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    /// Notes what all clocks show, as must be done before one is turned back.
    pub fn note_clocks(&self) {
        for (shown, machine) in lock(&self.shown).iter_mut().zip(&self.machines) {
            *shown = (*shown).max(machine.clock().now());
        }
    }

    /// Lets days pass at once, by all clocks.
    pub fn let_pass(&self, by_ms: i64) {
        self.note_clocks();
        let clocks = self.machines.iter().map(|machine| machine.clock());
        let_pass(by_ms, clocks);
        self.days_passed.fetch_add(1, Ordering::Relaxed);
    }

    /// How often days were let pass.
    pub fn days_passed(&self) -> u32 {
        self.days_passed.load(Ordering::Relaxed)
    }

    /// By group, the latest time the clock of an honest voter ever showed.
    pub fn shown_by_honest(&self) -> BTreeMap<GroupId, Timestamp> {
        self.note_clocks();
        let shown = lock(&self.shown);
        let liar = self.options.liar.map(|(place, _)| place);
        let latest = |voters: &[usize]| {
            let honest = voters.iter().copied().filter(|place| Some(*place) != liar);
            honest.map(|place| shown[place]).max().unwrap_or_default()
        };
        Federation::groups()
            .map(|(group, voters)| (group, latest(&self.ever_placed(&voters))))
            .collect()
    }

    /// Where replicas of a group may ever have been: where it began, or anywhere where groups move.
    fn ever_placed(&self, voters: &[usize]) -> Vec<usize> {
        match self.options.move_every {
            None => voters.to_vec(),
            Some(_) => (0..self.machines.len()).collect(),
        }
    }

    /// The newest placement of a city's group that any machine knows.
    pub fn placement(&self, place: usize) -> Placement {
        let group = federation::group(place);
        let known = self.machines.iter().map(|machine| {
            let view = StoreView::new(machine.store().clone(), group);
            placement_of(&view, &self.federation.registry, group)
        });
        let newest = known.max_by_key(|placement| placement.version);
        newest.expect("there are machines")
    }

    /// The machines that are to keep a group's replicas now.
    pub fn placed(&self, group: GroupId) -> Vec<usize> {
        let place = federation::place_of(group.city()).expect("groups are of the six cities");
        let replicas = self.placement(place).replicas().into_iter();
        replicas
            .filter_map(|node| federation::place_of(node.city()))
            .collect()
    }

    /// What all replicas hold now.
    pub fn sight(&self) -> Sight {
        let groups = Federation::groups().map(|(group, voters)| {
            let machines = self
                .ever_placed(&voters)
                .into_iter()
                .map(|place| &self.machines[place]);
            let seen = machines.filter_map(|one| look(one.store(), one.node(), group));
            let reached = lock(&self.applied).hashes.reached(group);
            (
                group,
                GroupSight {
                    reached,
                    replicas: seen.collect(),
                },
            )
        });
        Sight {
            groups: groups.collect(),
        }
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
