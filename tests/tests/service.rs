//! What a node says to the service manager that started it, by `sd_notify(3)`.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use tongban_tests::city::City;
use tongban_tests::process::{program, run, until};

/// A start takes seconds on a busy machine.
const WORD_LIMIT: Duration = Duration::from_mins(1);

#[test]
fn a_service_manager_hears_that_a_node_is_ready_alive_reloading_and_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("notify");
    let socket = UnixDatagram::bind(&place).unwrap();
    socket.set_read_timeout(Some(WORD_LIMIT)).unwrap();
    let hears = |word: &str| {
        let mut heard = [0; 512];
        until(WORD_LIMIT, word, || {
            let length = socket.recv(&mut heard)?;
            let said = String::from_utf8_lossy(&heard[..length]).into_owned();
            Ok(said.lines().any(|line| line == word).then_some(()))
        })
    };
    let mut city = City::prepare(tempfile::tempdir().unwrap(), "").unwrap();
    // Alone of three it has no majority, and is ready all the same: it collects.
    city.start_as(0, |command| {
        // Half a second, of which half is the beat.
        command
            .env("NOTIFY_SOCKET", &place)
            .env("WATCHDOG_USEC", "500000");
        Ok(())
    })
    .unwrap();
    hears("READY=1").unwrap();
    hears("WATCHDOG=1").unwrap();
    let mut reload = Command::new(program().unwrap());
    let config = city.machines[0].data.with_file_name("node.toml");
    reload.args(["config", "reload", "--config"]).arg(config);
    let reloaded = run(reload, WORD_LIMIT).unwrap();
    assert_eq!(reloaded.code, Some(0), "{reloaded:?}");
    hears("RELOADING=1").unwrap();
    hears("READY=1").unwrap();
    city.end(0).unwrap();
    hears("STOPPING=1").unwrap();
}
