//! A desk that stopped is backed up: the backup is made, checked and rehearsed, altered copies are refused, and
//! what comes back of it is another node.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use tempfile::TempDir;
use tongban_tests::city::City;
use tongban_tests::process::{ask_tongban, by_its_schema, tongban};
use tongban_trust::SigningKey;
use tongban_types::{BackupManifest, BackupPart, Hash, Purpose, decode, encode};

use super::interrupting::leaves_no_keys_behind;
use super::{DESK, OTHERS, REPLICATED, SETTLE_LIMIT, collect, open_for_work, text};

/// Cases that only the desk has when it is backed up.
const STORED: usize = 2;

#[test]
fn a_backup_is_made_checked_rehearsed_and_becomes_another_node() {
    let scene = Scene::play().unwrap();
    made_and_verified(&scene).unwrap();
    backed_up_as_configured(&scene).unwrap();
    backed_up_day_by_day(&scene).unwrap();
    altered_copies_are_refused(&scene).unwrap();
    listed(&scene).unwrap();
    judged(&scene).unwrap();
    drilled(&scene).unwrap();
    interrupted(&scene).unwrap();
    restored(&scene).unwrap();
}

/// A city whose desk is backed up to a recovery key.
struct Scene {
    city: City,
    folder: TempDir,
    recovery: String,
}

impl Scene {
    /// Three machines took cases in; two of them are gone, and the desk took in some more.
    fn play() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let key = folder.path().join("recovery.key");
        let made = tongban(&["key", "make", "--recovery", text(&key)?])?;
        let recovery = made["public"].as_str().context("a public key")?.to_owned();
        let mut city = City::prepare(tempfile::tempdir()?, "")?;
        let (mut clerk, _) = open_for_work(&mut city)?;
        for number in 1..REPLICATED {
            ensure!(collect(&mut clerk, number, true)? == "replicated");
        }
        for index in OTHERS {
            city.kill(index)?;
        }
        for number in REPLICATED..REPLICATED + STORED {
            ensure!(collect(&mut clerk, number, false)? == "stored");
        }
        city.end(DESK)?;
        Ok(Self {
            city,
            folder,
            recovery,
        })
    }

    fn data(&self) -> &Path {
        &self.city.machines[DESK].data
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn back_up(&self, name: &str) -> Result<Value> {
        let (data, out) = (text(self.data())?, self.at(name));
        let words = ["backup", "create", "--stopped", "--data", data, "--to"];
        tongban(&[&words[..], &[&self.recovery, "--out", text(&out)?]].concat())
    }

    /// A command over a backup file, with the city's registry.
    fn ask(&self, verb: &str, file: &str, more: &[&str]) -> Result<(Option<i32>, Value)> {
        let (file, registry) = (self.at(file), text(&self.city.registry)?);
        let words = ["backup", verb, text(&file)?, "--trust", registry];
        ask_tongban(&[&words[..], more].concat())
    }

    fn refuses(&self, verb: &str, file: &str, more: &[&str], exit: i32, code: &str) -> Result<()> {
        let (ended, said) = self.ask(verb, file, more)?;
        let is_so = ended == Some(exit) && said["code"] == code;
        ensure!(is_so, "{verb} {file} {more:?}: {ended:?} {said}");
        Ok(())
    }
}

fn made_and_verified(scene: &Scene) -> Result<()> {
    let made = scene.back_up("desk.backup")?;
    ensure!(made["groups"][0]["group"] == "350100", "{made}");
    let keys = REPLICATED + STORED + 1;
    ensure!(
        made["records"]["vault"] == keys,
        "each case's key, and the pseudonyms': {made}"
    );
    ensure!(made["records"]["desk"] == STORED, "{made}");
    // Nothing personal and no key stands in it in the clear.
    let bytes = fs::read(scene.at("desk.backup"))?;
    let name = "王远山".as_bytes();
    ensure!(!bytes.windows(name.len()).any(|window| window == name));
    let (exit, again) = scene.ask("verify", "desk.backup", &[])?;
    ensure!(exit == Some(0) && again["opened"] == false, "{again}");
    ensure!(again["groups"] == made["groups"] && again["bytes"] == bytes.len());
    let key = scene.at("recovery.key");
    let (exit, opened) = scene.ask("verify", "desk.backup", &["--key", text(&key)?])?;
    ensure!(exit == Some(0) && opened["opened"] == true, "{opened}");
    let stamp = fs::metadata(scene.data().join("last-backup"))?;
    ensure!(stamp.modified()?.elapsed()? < SETTLE_LIMIT);
    let (exit, said) = ask_tongban(&[
        "backup",
        "create",
        "--stopped",
        "--data",
        text(scene.data())?,
        "--to",
        &scene.recovery,
        "--out",
        text(&scene.at("desk.backup"))?,
    ])?;
    ensure!(
        exit == Some(6),
        "a backup that is there is never replaced: {said}"
    );
    ensure!(fs::read(scene.at("desk.backup"))? == bytes);
    Ok(())
}

/// To whom a stopped node is backed up is said by its configuration where nobody else says it.
fn backed_up_as_configured(scene: &Scene) -> Result<()> {
    let (config, out) = (scene.at("backed-up.toml"), scene.at("configured.backup"));
    let beside = scene.data().parent().context("a folder")?;
    let without = fs::read_to_string(beside.join("node.toml"))?;
    let words = ["backup", "create", "--stopped", "--config", text(&config)?];
    let words = [&words[..], &["--out", text(&out)?]].concat();
    fs::write(&config, &without)?;
    let (exit, said) = ask_tongban(&words)?;
    ensure!(exit == Some(6) && said["code"] == "TB4024", "{said}");
    let recovery = &scene.recovery;
    let with = format!("{without}\n[backup]\nrecovery_key = \"{recovery}\"\n");
    fs::write(&config, with)?;
    let made = tongban(&words)?;
    ensure!(made["recovery_key"] == *recovery, "{made}");
    fs::remove_file(out)?;
    Ok(())
}

/// In a folder each is named by its node and its time, and those of the node that are too old go once another is there.
fn backed_up_day_by_day(scene: &Scene) -> Result<()> {
    let folder = scene.at("daily");
    fs::create_dir(&folder)?;
    let old = folder.join("350100-01.2020-01-01T023000.backup");
    let of_another = folder.join("350100-02.2020-01-01T023000.backup");
    for file in [&old, &of_another] {
        fs::write(file, "a backup")?;
    }
    let (data, out) = (text(scene.data())?, text(&folder)?);
    let words = ["backup", "create", "--stopped", "--data", data, "--to"];
    let words = [&words[..], &[&scene.recovery, "--keep-days", "14", "--out"]].concat();
    let made = tongban(&[&words[..], &[out]].concat())?;
    by_its_schema(&made)?;
    let file = made["file"].as_str().context("the file")?;
    ensure!(file.starts_with(&format!("{out}/350100-01.20")), "{made}");
    ensure!(made["let_go"] == json!([text(&old)?]), "{made}");
    ensure!(everything(&folder)?.len() == 2, "{made}");
    ensure!(Path::new(file).is_file() && of_another.is_file(), "{made}");
    // A file of its own is older than nothing.
    let one = scene.at("one.backup");
    let (exit, said) = ask_tongban(&[&words[..], &[text(&one)?]].concat())?;
    ensure!(exit == Some(2) && said["code"] == "TB8005", "{said}");
    ensure!(!one.exists());
    Ok(())
}

fn altered_copies_are_refused(scene: &Scene) -> Result<()> {
    let bytes = fs::read(scene.at("desk.backup"))?;
    let mut altered = bytes.clone();
    altered[bytes.len() / 2] ^= 1;
    fs::write(scene.at("altered.backup"), altered)?;
    scene.refuses("verify", "altered.backup", &[], 3, "TB4021")?;
    fs::write(scene.at("cut.backup"), &bytes[..bytes.len() - 1])?;
    scene.refuses("verify", "cut.backup", &[], 3, "TB4020")?;
    fs::write(scene.at("other"), "not a backup")?;
    scene.refuses("verify", "other", &[], 3, "TB4020")?;
    let other = scene.at("other.key");
    tongban(&["key", "make", "--recovery", text(&other)?])?;
    let key = ["--key", text(&other)?];
    scene.refuses("verify", "desk.backup", &key, 3, "TB4022")?;
    scene.refuses("drill", "desk.backup", &key, 3, "TB4022")?;
    // Another federation's registry does not know who signed.
    let stranger = City::prepare(tempfile::tempdir()?, "")?;
    let (file, registry) = (scene.at("desk.backup"), text(&stranger.registry)?);
    let words = ["backup", "verify", text(&file)?, "--trust", registry];
    let (exit, said) = ask_tongban(&words)?;
    ensure!(exit == Some(4) && said["code"] == "TB4023", "{said}");
    Ok(())
}

/// A folder with one that is whole, one altered, one cut short, and files that are none.
fn listed(scene: &Scene) -> Result<()> {
    let folder = text(scene.folder.path())?;
    let (exit, listed) = ask_tongban(&["backup", "ls", folder])?;
    ensure!(exit == Some(3), "two of them are of no use: {listed}");
    by_its_schema(&listed)?;
    let found = [("altered", "TB4021"), ("cut", "TB4020"), ("desk", "")];
    let lines = listed["backups"].as_array().context("backups")?;
    ensure!(lines.len() == found.len(), "{listed}");
    for (line, (name, code)) in lines.iter().zip(found) {
        let file = scene.at(&format!("{name}.backup"));
        ensure!(line["file"] == text(&file)?, "{listed}");
        ensure!(line["code"].as_str().unwrap_or_default() == code, "{line}");
        ensure!(line["contents"].is_object() == code.is_empty(), "{line}");
    }
    let file = scene.at("desk.backup");
    let (exit, alone) = ask_tongban(&["backup", "ls", text(&file)?])?;
    ensure!(
        exit == Some(0) && alone["backups"][0] == lines[2],
        "{alone}"
    );
    let contents = &lines[2]["contents"];
    ensure!(contents["node"] == "350100-01" && contents["records"]["desk"] == STORED);
    let absent = scene.at("absent");
    let (exit, said) = ask_tongban(&["backup", "ls", text(&absent)?])?;
    ensure!(exit == Some(5), "{said}");
    Ok(())
}

/// A backup is as old as its node signed, whatever the date of the file; what is none is critical, new as it is.
fn judged(scene: &Scene) -> Result<()> {
    let copied = scene.at("copied.backup");
    fs::copy(scene.at("desk.backup"), &copied)?;
    let dated = File::options().write(true).open(&copied)?;
    dated.set_modified(SystemTime::UNIX_EPOCH)?;
    for (name, code) in [
        ("copied.backup", ""),
        ("altered.backup", "TB4021"),
        ("cut.backup", "TB4020"),
        ("other", "TB4020"),
    ] {
        let file = scene.at(name);
        let (exit, verdict) = ask_tongban(&["check", "backup", "--file", text(&file)?])?;
        by_its_schema(&verdict)?;
        let said = verdict["said"].as_str().context("what was seen")?;
        if code.is_empty() {
            ensure!(exit == Some(0) && verdict["state"] == "ok", "{verdict}");
            let hours = verdict["value"].as_f64();
            ensure!(hours.is_some_and(|hours| hours < 1.0), "{verdict}");
        } else {
            let is_critical = exit == Some(3) && verdict["state"] == "critical";
            ensure!(is_critical && said.starts_with(code), "{name}: {verdict}");
        }
    }
    fs::remove_file(copied)?;
    Ok(())
}

fn drilled(scene: &Scene) -> Result<()> {
    let (key, scratch) = (scene.at("recovery.key"), scene.at("scratch"));
    let more = ["--key", text(&key)?, "--scratch", text(&scratch)?];
    let (exit, drill) = scene.ask("drill", "desk.backup", &more)?;
    ensure!(exit == Some(0) && drill["verdict"] == "passed", "{drill}");
    let groups = drill["groups"].as_array().context("groups")?;
    ensure!(!groups.is_empty(), "{drill}");
    for group in groups {
        ensure!(group["equal"] == true, "{drill}");
        ensure!(group["promised"] == group["restored"], "{drill}");
    }
    ensure!(drill["cases"]["opened"] == REPLICATED, "{drill}");
    ensure!(
        drill["cases"]["broken"] == 0 && !scratch.exists(),
        "{drill}"
    );

    // One pair of the state is not what the node signs: only a node's own key can plant that.
    fs::write(scene.at("planted.backup"), plant(scene)?)?;
    let (exit, verified) = scene.ask("verify", "planted.backup", &[])?;
    ensure!(exit == Some(0), "its signature verifies: {verified}");
    let (exit, drill) = scene.ask("drill", "planted.backup", &more)?;
    ensure!(exit == Some(3) && drill["code"] == "TB8082", "{drill}");
    ensure!(drill["groups"][0]["equal"] == false, "{drill}");
    ensure!(drill["groups"][0]["promised"] != drill["groups"][0]["restored"]);
    ensure!(!scratch.exists());
    // What is removed afterwards is not the root of a disk.
    fs::create_dir_all(scratch.join("lost+found"))?;
    scene.refuses("drill", "desk.backup", &more, 6, "TB8080")?;
    ensure!(scratch.join("lost+found").is_dir());
    Ok(())
}

fn interrupted(scene: &Scene) -> Result<()> {
    let (file, key) = (scene.at("desk.backup"), scene.at("recovery.key"));
    let from = ["backup", "drill", text(&file)?, "--key", text(&key)?];
    let words = [&from[..], &["--trust", text(&scene.city.registry)?]].concat();
    leaves_no_keys_behind(&words, &scene.at("temporary"))
}

/// The backup with a manifest that promises another state, signed by the node itself.
fn plant(scene: &Scene) -> Result<Vec<u8>> {
    const SIGNER_AND_SIGNATURE: usize = 32 + 64;
    let mut bytes = fs::read(scene.at("desk.backup"))?;
    let length = |at: usize| -> Result<usize> {
        let four = bytes.get(at..at + 4).context("a length")?;
        Ok(u32::from_be_bytes(four.try_into()?) as usize)
    };
    let mut at = 12 + length(8)?;
    while bytes[at] != 2 {
        at += 5 + length(at + 1)?;
    }
    let manifest = at + 5 + SIGNER_AND_SIGNATURE;
    let mut signed: BackupManifest = decode(&bytes[manifest..]).context("a manifest")?;
    for piece in &mut signed.pieces {
        if let BackupPart::State(state) = &mut piece.part {
            state.state_hash = Hash([0xEE; 32]);
        }
    }
    let seed = fs::read_to_string(scene.data().join("keys/receipt.key"))?;
    let seed = HEXLOWER.decode(seed.trim().as_bytes())?;
    let seed = seed.try_into().map_err(|_| anyhow::anyhow!("a seed"))?;
    let key = SigningKey::from_seed(&zeroize::Zeroizing::new(seed));
    let said = encode(&signed);
    let signature = key.sign_raw(&Purpose::BackupManifest.message(&said));
    let body = [&key.public().0[..], &signature.0, &said].concat();
    bytes.truncate(at + 1);
    bytes.extend(u32::try_from(body.len())?.to_be_bytes());
    bytes.extend(body);
    Ok(bytes)
}

fn restored(scene: &Scene) -> Result<()> {
    let (key, data) = (scene.at("recovery.key"), scene.at("restored"));
    let to = |node: &'static str| -> Result<Vec<&str>> {
        Ok(vec![
            "--key",
            text(&key)?,
            "--data",
            text(&data)?,
            "--node",
            node,
        ])
    };
    let dry = [&to("350100-04")?[..], &["--dry-run"]].concat();
    let (exit, would) = scene.ask("restore", "desk.backup", &dry)?;
    ensure!(exit == Some(0) && would["dry_run"] == true, "{would}");
    ensure!(would["restored"]["desk"] == STORED, "{would}");
    ensure!(!data.exists(), "a dry run writes nothing");

    // A number that was given out, to this node or another, may have voted.
    for used in ["350100-01", "350100-02"] {
        scene.refuses("restore", "desk.backup", &to(used)?, 3, "TB8081")?;
    }
    scene.refuses("restore", "desk.backup", &to("350300-01")?, 3, "TB4026")?;
    ensure!(!data.exists());
    fs::create_dir(&data)?;
    fs::write(data.join("something"), "there")?;
    scene.refuses("restore", "desk.backup", &to("350100-04")?, 6, "TB8080")?;
    scene.refuses("restore", "desk.backup", &dry, 6, "TB8080")?;
    ensure!(everything(&data)?.len() == 1);
    fs::remove_file(data.join("something"))?;
    // The root of a new disk is as good as empty.
    fs::create_dir(data.join("lost+found"))?;

    let (exit, done) = scene.ask("restore", "desk.backup", &to("350100-04")?)?;
    ensure!(exit == Some(0) && done["dry_run"] == false, "{done}");
    ensure!(done["restored"] == would["restored"], "{done}");
    is_another_node(scene, &data)
}

/// What was restored has keys, a log and a number of its own, and no state to vote with.
fn is_another_node(scene: &Scene, data: &Path) -> Result<()> {
    for key in fs::read_dir(scene.data().join("keys"))? {
        let key = key?;
        let same = fs::read(key.path())? == fs::read(data.join("keys").join(key.file_name()))?;
        ensure!(!same, "{} is the lost node's", key.path().display());
    }
    ensure!(fs::read_to_string(data.join("node"))?.trim() == "350100-04");
    ensure!(fs::read_dir(data.join("snapshots"))?.next().is_none());
    ensure!(fs::read_dir(data.join("state"))?.next().is_none());
    let shown = tongban(&["key", "show", "--data", text(data)?, "--node", "350100-04"])?;
    ensure!(shown["node"] == "350100-04", "{shown}");
    // Its vault is whole: what is backed up of it again is as much.
    let again = scene.at("again.backup");
    let words = [
        "backup",
        "create",
        "--stopped",
        "--data",
        text(data)?,
        "--to",
    ];
    let words = [&words[..], &[&scene.recovery, "--out", text(&again)?]].concat();
    let made = tongban(&words)?;
    ensure!(
        made["records"]["vault"] == REPLICATED + STORED + 1,
        "{made}"
    );
    ensure!(made["records"]["desk"] == STORED, "{made}");
    // The registry does not know it yet: what it signs is believed by nobody, and it does not start, neither
    // under its own number nor under the lost one.
    scene.refuses("verify", "again.backup", &[], 4, "TB4023")?;
    let lost = scene.data().parent().context("a folder")?.join("node.toml");
    let lost = fs::read_to_string(lost)?.replace(text(scene.data())?, text(data)?);
    let (own, config) = (
        lost.replace("number = 1\n", "number = 4\n"),
        scene.at("node.toml"),
    );
    ensure!(own != lost, "{lost}");
    for (written, code) in [(own, "TB8025"), (lost, "TB8042")] {
        fs::write(&config, written)?;
        let (exit, said) = ask_tongban(&["up", "--config", text(&config)?])?;
        ensure!(
            exit == Some(78) && said["code"] == code,
            "{code}: {exit:?} {said}"
        );
    }
    Ok(())
}

/// Everything in a folder, by name and content.
fn everything(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push((path.clone(), fs::read(path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}
