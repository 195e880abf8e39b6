//! What a seed draws before anything happens: the faults it turns on, and the six cities with their keys.

use tongban_sim::runtime::{Chance, Dice, World};
use tongban_sim::world::federation::{Federation, group, node};
use tongban_sim::world::{Options, Plant};
use tongban_trust::{governance_hash, verify_first};

#[test]
fn seeds_turn_different_faults_on() {
    let drawn: Vec<Options> = (0..64)
        .map(|seed| Options::draw(&mut Dice::new(seed), None))
        .collect();
    let share = |is_on: fn(&Options) -> bool| drawn.iter().filter(|one| is_on(one)).count();
    for is_on in [
        (|o| o.crash_every.is_some()) as fn(&Options) -> bool,
        |o| o.aimed,
        |o| o.cut_every.is_some(),
        |o| o.liar.is_some(),
        |o| o.step_every.is_some(),
        |o| o.net.loss != Chance::NEVER,
        |o| o.wipe_state != Chance::NEVER,
        |o| o.trouble_at_start,
        |o| o.days_every.is_some(),
        |o| o.break_every.is_some(),
        |o| o.move_every.is_some(),
    ] {
        assert!((4..60).contains(&share(is_on)));
    }
}

#[test]
fn a_planted_fault_is_met_with_aimed_crashes() {
    let options = Options::draw(&mut Dice::new(1), Some(Plant::AnswerBeforeSync));
    assert!(options.aimed && options.crash_every.is_some());
    assert!(options.disk.answer_before_sync);
    let control = options.clone().without_plant();
    assert!(control.aimed && control.crash_every == options.crash_every);
    assert!(!control.disk.answer_before_sync && control.plant.is_none());
}

#[test]
fn the_registry_of_a_seed_is_believed_by_its_governance_keys() {
    World::reset(7);
    let federation = Federation::draw();
    let pinned = governance_hash(&federation.registry);
    assert!(verify_first(&federation.registry_file, pinned).is_ok());
    assert_eq!(
        federation.registry.voters(group(5)),
        [node(0), node(1), node(5)]
    );
    World::reset(8);
    assert_ne!(Federation::draw().registry_file, federation.registry_file);
}

#[test]
fn six_groups_have_eighteen_replicas_three_a_node() {
    let mut hosted = [0; 6];
    for (_, voters) in Federation::groups() {
        for place in voters {
            hosted[place] += 1;
        }
    }
    assert_eq!(hosted, [3; 6]);
}
