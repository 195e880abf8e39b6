//! Governors: now and then a city moves the replicas of its group, while everything else goes wrong.

use std::sync::Arc;
use std::time::Duration;

use tongban_runtime::{NodeError, Refusal};
use tongban_types::{NodeId, PlacementOrder, Purpose, encode};

use super::ask::{Unanswered, ask};
use super::federation::{self, CITIES};
use super::scene::Scene;
use crate::runtime::{Dice, Sleep, World};

/// Moves groups until it is calm.
pub(crate) async fn govern(scene: Arc<Scene>) {
    let mut dice = World::dice("governors", 0);
    let every = scene.options.move_every.unwrap_or(Duration::MAX);
    while !scene.is_calm() {
        Sleep::true_time(dice.within(&(Duration::from_millis(200)..=every * 2))).await;
        if scene.is_calm() {
            return;
        }
        let place = dice.index(CITIES.len());
        let order = draw_order(&scene, place, &mut dice);
        let key = federation::governance_key(place);
        let signed = key.sign(Purpose::PlacementOrder, encode(&order));
        let at = dice.index(CITIES.len());
        let placed = ask(&scene, at, |node| async move {
            node.groups().order(signed).await
        })
        .await;
        let what = match placed {
            Ok(()) => "placement ordered",
            Err(Unanswered::Refused(NodeError::Refused(Refusal::PlacementOutOfTurn {
                ..
            }))) => "placement out of turn",
            Err(_) => "placement not ordered",
        };
        let numbers: Vec<String> = order.voters.iter().map(NodeId::to_string).collect();
        scene.events.count(what, || {
            format!(
                "{} version {}: {}",
                order.group,
                order.version,
                numbers.join(", ")
            )
        });
    }
}

/// The city's own node and two others vote, one or none follows.
fn draw_order(scene: &Scene, place: usize, dice: &mut Dice) -> PlacementOrder {
    let mut others: Vec<usize> = (0..CITIES.len()).filter(|other| *other != place).collect();
    let mut draw = || others.remove(dice.index(others.len()));
    let mut voters = [place, draw(), draw()].map(federation::node).to_vec();
    voters.sort_unstable();
    let learner = federation::node(draw());
    let learners = if dice.coin() {
        vec![learner]
    } else {
        Vec::new()
    };
    PlacementOrder {
        group: federation::group(place),
        version: scene.placement(place).version + 1,
        voters,
        learners,
        reason: "演练".to_owned(),
    }
}
