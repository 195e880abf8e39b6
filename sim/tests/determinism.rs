//! The promise everything else stands on: a seed gives one run, in this process and in any other.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use openraft_rt::{
    AsyncRuntime, Mpsc as _, MpscReceiver as _, MpscSender as _, Mutex as _, Watch as _,
    WatchReceiver as _, WatchSender as _,
};
use tongban_runtime::seams::{Disk, DiskFile, Entropy, Lane, Service, Transport, WallClock};
use tongban_sim::clock::{CivilSkew, SkewedClock};
use tongban_sim::disk::{DiskOptions, SimDisk};
use tongban_sim::entropy::SeededEntropy;
use tongban_sim::net::{NetFaults, NetOptions, SimNet, SimTransport};
use tongban_sim::runtime::{
    AsyncMutex, Chance, ClockSkew, Owner, SimMpsc, SimRuntime, SimWatch, TraceHash, World,
};
use tongban_types::{Code, NodeId};

const CITIES: [u32; 6] = [350_100, 350_300, 350_900, 350_700, 610_500, 621_100];

/// The file a child writes its hashes to, and the variable that names it.
const HASH_FILE: &str = "TONGBAN_SIM_HASH_FILE";

fn node(place: usize) -> NodeId {
    let name = format!("{}-01", CITIES[place]);
    name.parse().expect("the six cities have codes")
}

fn owner(place: usize) -> Owner {
    Owner::new(u16::try_from(place + 1).expect("six machines"))
}

/// Writes what it is asked to its disk and answers how long the log is.
struct Keeper {
    file: AsyncMutex<<SimDisk as Disk>::File>,
    clock: SkewedClock,
}

#[async_trait]
impl Service for Keeper {
    async fn call(&self, peer: NodeId, _: Lane, body: Bytes) -> Result<Bytes, Code> {
        let file = self.file.lock().await;
        let failed = |_| Code::MALFORMED_RECORD;
        file.append(&body).map_err(failed)?;
        file.sync().await.map_err(failed)?;
        let length = file.len().map_err(failed)?;
        let answer = format!("{peer} {length} {:?}", self.clock.now());
        Ok(answer.into_bytes().into())
    }
}

/// One start of one machine: four tasks that count, pass on, ask and watch.
fn start(place: usize, starts: u32, disk: &SimDisk, net: &SimNet) {
    let owner = owner(place);
    let disk = disk.mount();
    let file = disk.open("wal/log").or_else(|_| disk.create("wal/log"));
    let file = file.expect("a mounted disk works");
    let transport = net.transport(node(place));
    transport.serve(Arc::new(Keeper {
        file: AsyncMutex::new(file),
        clock: SkewedClock::new(CivilSkew::default()),
    }));
    let entropy = SeededEntropy::new(owner, starts);
    World::spawn(owner, async move {
        let (counts, mut counted) = SimMpsc::channel::<u64>(4);
        let (latest, mut watched) = SimWatch::channel(0);
        for _ in 0..3 {
            let counts = counts.clone();
            let pause = Duration::from_micros(5_000 + entropy.next_u64() % 50_000);
            drop(SimRuntime::spawn(async move {
                let mut number = 0;
                while counts.send(number).await.is_ok() {
                    number += 1;
                    SimRuntime::sleep(pause).await;
                }
            }));
        }
        let entropy = Arc::new(entropy);
        for _ in 0..8 {
            drop(SimRuntime::spawn(ask(
                place,
                transport.clone(),
                Arc::clone(&entropy),
            )));
        }
        drop(SimRuntime::spawn(async move {
            while watched.changed().await.is_ok() {
                let _seen: u64 = *watched.borrow_and_update();
            }
        }));
        while let Some(number) = counted.recv().await {
            let _ = latest.send(number);
        }
    });
}

async fn ask(place: usize, transport: SimTransport, entropy: Arc<SeededEntropy>) {
    loop {
        let other = usize::try_from(entropy.next_u64() % 5).expect("below five");
        let peer = node(if other < place { other } else { other + 1 });
        let body = Bytes::from(entropy.array::<700>().to_vec());
        let asked = transport.request(peer, Lane::Parcel, body, Duration::from_secs(1));
        let _ = asked.await;
        SimRuntime::sleep(Duration::from_millis(entropy.next_u64() % 20)).await;
    }
}

/// Six machines for five seconds, with every fault, one of them crashed every half second.
fn run(seed: u64) -> (TraceHash, NetFaults) {
    World::reset(seed);
    let net = SimNet::new(NetOptions {
        loss: Chance::percent(2),
        answer_loss: Chance::percent(2),
        duplicate: Chance::percent(2),
        spike: Chance::percent(1),
        reorder: Chance::percent(1),
        ..NetOptions::default()
    });
    let mut dice = World::dice("driver", 0);
    let mut disks = Vec::new();
    for (place, drift_ppm) in [-250, -150, -50, 50, 150, 250].into_iter().enumerate() {
        let owner = owner(place);
        let ahead = Duration::from_millis(dice.below(1_000));
        World::set_clock(owner, ClockSkew { ahead, drift_ppm });
        disks.push(SimDisk::new(owner, DiskOptions::default()));
        net.enroll(node(place), owner);
    }
    for (place, disk) in disks.iter().enumerate() {
        start(place, 0, disk, &net);
    }
    for round in 1..=10 {
        World::run_for(Duration::from_millis(500));
        let place = dice.index(6);
        net.power_off(node(place));
        World::kill(owner(place));
        disks[place].crash();
        net.cut(node(dice.index(6)), node(dice.index(6)));
        if round % 4 == 0 {
            (0..6).for_each(|a| (0..6).for_each(|b| net.mend(node(a), node(b))));
        }
        start(place, round, &disks[place], &net);
    }
    (World::trace(), net.faults())
}

#[test]
fn a_seed_gives_one_run_in_this_process_and_in_others() {
    let seeds = [1, 2, 1, 2];
    let here = seeds.map(|seed| {
        let (trace, _) = run(seed);
        format!("{trace} {}", trace.events)
    });
    assert_eq!(here[..2], here[2..]);
    assert_ne!(here[0], here[1]);
    if let Ok(file) = std::env::var(HASH_FILE) {
        std::fs::write(file, here.join("\n")).unwrap();
        return;
    }
    for child in 0..2 {
        let file = format!("{}/hashes-{child}", env!("CARGO_TARGET_TMPDIR"));
        let status = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "a_seed_gives_one_run_in_this_process_and_in_others",
            ])
            .env(HASH_FILE, &file)
            .status()
            .unwrap();
        assert!(status.success());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), here.join("\n"));
    }
}

#[test]
fn every_seed_is_a_run_of_its_own_and_together_they_meet_every_fault() {
    let runs: Vec<_> = (10..16).map(run).collect();
    let hashes: std::collections::BTreeSet<_> = runs.iter().map(|(trace, _)| trace).collect();
    assert_eq!(hashes.len(), runs.len());
    assert!(runs.iter().all(|(_, faults)| faults.delivered > 500));
    let met = |count: fn(&NetFaults) -> u64| runs.iter().any(|(_, faults)| count(faults) > 0);
    assert!(met(|f| f.requests_lost) && met(|f| f.answers_lost) && met(|f| f.duplicated));
    assert!(met(|f| f.spiked) && met(|f| f.overtaken) && met(|f| f.cut));
    assert!(met(|f| f.handlers_killed) && met(|f| f.answers_vanished));
}
