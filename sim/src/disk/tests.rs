use tongban_runtime::seams::DiskFile;

use super::inode::SECTOR;
use super::*;

fn disk(seed: u64) -> SimDisk {
    World::reset(seed);
    SimDisk::new(Owner::new(1), DiskOptions::default())
}

fn sync(file: &SimFile) {
    World::block_on(file.sync()).unwrap();
}

fn sync_folder(disk: &SimDisk, folder: &str) {
    World::block_on(disk.sync_folder(folder)).unwrap();
}

fn read(disk: &SimDisk, name: &str) -> Vec<u8> {
    let file = disk.open(name).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(0, &mut bytes).unwrap();
    bytes
}

#[test]
fn reads_see_writes_that_no_sync_has_covered() {
    let disk = disk(1);
    let file = disk.create("wal/1.log").unwrap();
    assert_eq!(file.append(b"abc").unwrap(), 0);
    assert_eq!(file.append(b"def").unwrap(), 3);
    file.write_at(8, b"z").unwrap();
    assert_eq!(read(&disk, "wal/1.log"), b"abcdef\0\0z");
    file.truncate(2).unwrap();
    file.allocate(4).unwrap();
    assert_eq!(read(&disk, "wal/1.log"), b"ab\0\0");
    assert_eq!(disk.pending(), 6);
    let mut buffer = [0; 5];
    let error = file.read_at(0, &mut buffer).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn names_are_checked_found_listed_and_taken_once() {
    let disk = disk(1);
    for name in ["wal/2", "wal/1", "snapshots/9", "top"] {
        disk.create(name).unwrap();
    }
    assert_eq!(disk.list("wal").unwrap(), ["1", "2"]);
    assert_eq!(disk.list("").unwrap(), ["top"]);
    assert!(disk.list("nowhere").unwrap().is_empty());
    let kind = |result: io::Result<SimFile>| result.unwrap_err().kind();
    assert_eq!(kind(disk.create("wal/1")), io::ErrorKind::AlreadyExists);
    assert_eq!(kind(disk.open("wal/3")), io::ErrorKind::NotFound);
    for name in ["", "/a", "a/", "a/b/c", "../a", "a/."] {
        assert_eq!(
            kind(disk.create(name)),
            io::ErrorKind::InvalidInput,
            "{name}"
        );
    }
    disk.rename("wal/1", "wal/2").unwrap();
    disk.remove("top").unwrap();
    assert_eq!(disk.list("wal").unwrap(), ["2"]);
    assert!(disk.remove("top").is_err());
}

#[test]
fn what_was_synced_survives_every_crash() {
    for seed in 0..200 {
        let disk = disk(seed);
        let file = disk.create("wal/1").unwrap();
        let mut synced = vec![0; 3_000];
        Dice::new(seed).fill(&mut synced);
        file.append(&synced).unwrap();
        sync(&file);
        sync_folder(&disk, "wal");
        assert_eq!(disk.pending(), 0);
        file.append(&[1; 2_000]).unwrap();
        file.append(&[2; 2_000]).unwrap();
        disk.crash();
        let kept = read(&disk.mount(), "wal/1");
        assert_eq!(kept[..3_000], synced, "seed {seed}");
    }
}

#[test]
fn crashes_keep_nothing_a_first_part_any_sectors_or_all_of_the_rest() {
    let mut faults = Vec::new();
    for seed in 0..200 {
        let disk = disk(seed);
        let file = disk.create("wal/1").unwrap();
        sync_folder(&disk, "wal");
        for mark in 1..=3_u8 {
            file.append(&[mark; 1_500]).unwrap();
        }
        disk.crash();
        let kept = read(&disk.mount(), "wal/1");
        let whole: Vec<u8> = (1..=3).flat_map(|mark| [mark; 1_500]).collect();
        for (sector, written) in kept.chunks(SECTOR).zip(whole.chunks(SECTOR)) {
            for (at, byte) in sector.iter().enumerate() {
                assert!(*byte == written[at] || *byte == 0, "seed {seed}");
            }
        }
        let hit = disk.faults();
        if hit.kept_all > 0 {
            assert_eq!(kept, whole, "seed {seed}");
        }
        if hit.lost_all > 0 {
            assert!(kept.is_empty(), "seed {seed}");
        }
        if hit.kept_prefix > 0 {
            assert_eq!(kept.len() % 1_500, 0, "seed {seed}");
            assert_eq!(kept, whole[..kept.len()], "seed {seed}");
        }
        if hit.torn > 0 {
            assert_ne!(kept.len() % 1_500, 0, "seed {seed}");
            assert_eq!(kept, whole[..kept.len()], "seed {seed}");
        }
        faults.push(hit);
    }
    let hits = |count: fn(&DiskFaults) -> u64| faults.iter().map(count).sum::<u64>();
    assert!(hits(|f| f.lost_all) > 5);
    assert!(hits(|f| f.kept_prefix) > 5);
    assert!(hits(|f| f.torn) > 5);
    assert!(hits(|f| f.lost_sectors) > 5);
    assert!(hits(|f| f.kept_all) > 5);
}

#[test]
fn a_sync_covers_only_what_came_before_it() {
    let disk = disk(1);
    let file = disk.create("a").unwrap();
    sync_folder(&disk, "");
    file.append(b"before").unwrap();
    let during = file.clone();
    World::spawn(Owner::new(1), async move {
        Sleep::true_time(Duration::from_micros(1)).await;
        during.append(b"during").unwrap();
    });
    sync(&file);
    assert_eq!(disk.pending(), 1);
}

#[test]
fn a_name_lasts_only_if_its_folder_was_synced() {
    let mut outcomes = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let disk = disk(seed);
        let file = disk.create("wal/1").unwrap();
        file.append(b"x").unwrap();
        sync(&file);
        sync_folder(&disk, "other");
        disk.crash();
        let names = disk.mount().list("wal").unwrap();
        assert_eq!(
            names.is_empty(),
            disk.faults().names_lost == 1,
            "seed {seed}"
        );
        outcomes.insert(names);
    }
    assert_eq!(outcomes.len(), 2);
}

#[test]
fn a_rename_is_whole_or_has_not_happened() {
    let mut outcomes = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let disk = disk(seed);
        for (name, content) in [("s/current", b"old"), ("s/new", b"new")] {
            let file = disk.create(name).unwrap();
            file.append(content).unwrap();
            sync(&file);
        }
        sync_folder(&disk, "s");
        disk.rename("s/new", "s/current").unwrap();
        disk.crash();
        let disk = disk.mount();
        let content = read(&disk, "s/current");
        let is_renamed = disk.list("s").unwrap() == ["current"];
        assert_eq!(content == b"new", is_renamed, "seed {seed}");
        outcomes.insert(content);
    }
    assert_eq!(outcomes.len(), 2);
}

#[test]
fn a_renamed_file_that_was_not_synced_may_come_back_empty() {
    let mut empty = 0;
    for seed in 0..100 {
        let disk = disk(seed);
        disk.create("s/new").unwrap().append(b"new").unwrap();
        disk.rename("s/new", "s/current").unwrap();
        sync_folder(&disk, "s");
        disk.crash();
        empty += u32::from(read(&disk.mount(), "s/current").is_empty());
    }
    assert!((10..100).contains(&empty), "{empty}");
}

#[test]
fn a_removed_file_stays_readable_while_it_is_open() {
    let disk = disk(1);
    let file = disk.create("a").unwrap();
    file.append(b"abc").unwrap();
    disk.remove("a").unwrap();
    sync_folder(&disk, "");
    let mut bytes = [0; 3];
    file.read_at(0, &mut bytes).unwrap();
    assert_eq!(&bytes, b"abc");
    drop(file);
    sync_folder(&disk, "");
    assert!(lock(&disk.state).files.is_empty());
}

#[test]
fn handles_of_a_start_end_with_it() {
    let disk = disk(1);
    let file = disk.create("a").unwrap();
    disk.crash();
    assert!(file.append(b"x").is_err());
    assert!(disk.create("b").is_err());
    assert!(disk.mount().create("b").is_ok());
}

#[test]
fn answering_before_the_sync_loses_what_was_answered() {
    let mut lost = 0;
    for seed in 0..50 {
        let disk = disk(seed);
        let file = disk.create("a").unwrap();
        sync(&file);
        sync_folder(&disk, "");
        disk.configure(|options| options.answer_before_sync = true);
        file.append(b"answered").unwrap();
        let before = World::now();
        sync(&file);
        assert_eq!(World::now(), before, "seed {seed}");
        assert_eq!(disk.pending(), 1);
        disk.crash();
        lost += u32::from(read(&disk.mount(), "a") != b"answered");
        assert_eq!(disk.faults().answered_before_sync, 1);
    }
    assert!((10..50).contains(&lost), "{lost}");
}

#[test]
fn a_sync_answered_early_is_finished_later() {
    let disk = disk(1);
    disk.configure(|options| options.answer_before_sync = true);
    let file = disk.create("a").unwrap();
    file.append(b"x").unwrap();
    sync(&file);
    sync_folder(&disk, "");
    assert_eq!(disk.pending(), 2);
    World::run_for(Duration::from_millis(8));
    assert_eq!(disk.pending(), 0);
}

#[test]
fn slow_and_broken_devices_are_counted() {
    let disk = disk(1);
    let file = disk.create("a").unwrap();
    disk.configure(|options| options.slow = Chance::ALWAYS);
    let before = World::now();
    sync(&file);
    assert!(World::now() >= before + Duration::from_millis(100));
    assert_eq!(disk.faults().slow_syncs, 1);
    disk.break_device();
    assert!(file.append(b"x").is_err());
    assert!(World::block_on(file.sync()).is_err());
    assert_eq!(disk.faults().device_errors, 2);
    disk.crash();
    assert!(disk.mount().create("b").is_ok());
}
