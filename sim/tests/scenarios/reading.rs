//! Reads that are to show everything acknowledged before them.

use std::sync::Arc;
use std::time::Duration;

use openraft_rt::AsyncRuntime as _;
use tongban_runtime::NodeError;
use tongban_sim::runtime::{SimRuntime, Sleep, World};
use tongban_sim::world::ask::{Unanswered, ask};
use tongban_sim::world::federation::{self, CITIES};
use tongban_sim::world::scene::Scene;

use super::{FUZHOU, calm_world, seen_at, until};

/// Cuts Fuzhou off from all others, for a time.
fn cut_off_for(scene: &Arc<Scene>, time: Duration) {
    scene.net.isolate(federation::node(FUZHOU));
    let scene = Arc::clone(scene);
    drop(SimRuntime::spawn(async move {
        Sleep::true_time(time).await;
        scene.net.calm();
    }));
}

async fn catch_up(scene: &Scene) -> Result<(), Unanswered> {
    ask(scene, FUZHOU, |node| async move { node.catch_up().await }).await
}

#[test]
fn a_read_waits_as_long_as_an_order_for_a_group_that_has_no_leader() {
    let scene = calm_world(18);
    World::block_on(async {
        for place in 0..CITIES.len() {
            scene.start(place);
        }
        let leads_its_own = || {
            let seen = seen_at(&scene, FUZHOU, federation::group(FUZHOU));
            seen.is_some_and(|seen| seen.status.leader == Some(federation::node(FUZHOU)))
        };
        until("Fuzhou leads its group", leads_its_own).await;

        // Longer than one leader is waited for, which was all that a read had.
        cut_off_for(&scene, Duration::from_secs(5));
        assert_eq!(catch_up(&scene).await, Ok(()));

        until("Fuzhou leads its group again", leads_its_own).await;
        cut_off_for(&scene, Duration::from_secs(20));
        let refused = catch_up(&scene).await;
        assert_eq!(refused, Err(Unanswered::Unclear(NodeError::NoQuorum)));
    });
}
