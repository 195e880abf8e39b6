//! A running node makes one backup at a time: each holds a state aside while it is made.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::Value;
use tongban_tests::process::until;

use super::{DESK, SETTLE_LIMIT, back_up, desk_alone, text};

#[test]
fn who_asks_for_a_backup_while_another_is_made_is_refused_and_served_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    ask_twice(folder.path()).unwrap();
}

fn ask_twice(folder: &Path) -> Result<()> {
    let mut city = desk_alone(folder)?;
    let data = text(&city.machines[DESK].data)?;

    let backups = folder.join("backups");
    fs::create_dir(&backups)?;
    let mut tries = 0;
    // On a busy machine one may be over before the other is asked for.
    let refused = until(SETTLE_LIMIT, "two are asked for at once", || {
        tries += 1;
        let [beside, here] = ["beside", "here"].map(|name| backups.join(format!("{name}-{tries}")));
        let (beside, here) = std::thread::scope(|scope| {
            let beside = scope.spawn(|| back_up(data, &beside));
            let here = back_up(data, &here);
            (beside.join(), here)
        });
        let beside = beside.map_err(|_| anyhow::anyhow!("the command beside"))?;
        Ok(the_refused([beside?, here?]))
    })?;
    ensure!(refused.0 == Some(6), "{refused:?}");
    ensure!(refused.1["code"] == "TB4025", "{refused:?}");
    let made = fs::read_dir(&backups)?.count();
    ensure!(made == 2 * tries - 1, "what is refused leaves nothing");

    let (exit, again) = back_up(data, &backups.join("again"))?;
    ensure!(exit == Some(0) && again["caught_up"] == false, "{again}");
    city.end(DESK)
}

/// Of two that were asked for at once, the one that was refused, if the other was made.
fn the_refused(both: [(Option<i32>, Value); 2]) -> Option<(Option<i32>, Value)> {
    let (made, mut refused): (Vec<_>, Vec<_>) =
        both.into_iter().partition(|(exit, _)| *exit == Some(0));
    (made.len() == 1).then(|| refused.pop()).flatten()
}
