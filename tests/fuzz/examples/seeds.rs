//! Writes the seeds of the corpus: golden vectors, sample files, lawful turns of a story, and what our own
//! nodes would send or store.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use tongban_types::{CertifiedParcels, decode};

fn main() -> std::io::Result<()> {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let types = house.join("protocol/types/tests/golden");
    let machine = house.join("protocol/machine/tests/golden");
    for file in [
        "record",
        "bound",
        "receipt",
        "entry",
        "parcel",
        "attachment",
        "backup",
    ] {
        golden("records", &types.join(file).with_extension("hex"), " ")?;
    }
    golden("records", &machine.join("entry_reply.hex"), " ")?;
    golden(
        "raft",
        &house.join("node/consensus/src/formats/golden.txt"),
        " = ",
    )?;
    let parcels = certified_parcels(&types.join("record.hex"))?;
    let case = CASE.parse().expect("a case number");
    for (name, input) in tongban_runtime::fuzzing::samples(case, &parcels) {
        seed("exchange", name, &input)?;
    }
    for (name, input) in tongban_fuzz::frames::samples() {
        seed("frames", name, &input)?;
    }
    for (name, input) in tongban_fuzz::proofs::samples() {
        seed("proof", &name, &input)?;
    }
    seed("log", "closed", &tongban_fuzz::log::sample())?;
    seed("snapshot", "small", &tongban_fuzz::log::snapshot_sample())?;
    for (name, input) in tongban_fuzz::town::lawful_turns() {
        seed("machine", &name, &input)?;
    }
    seed(
        "document",
        "issued",
        tongban_fuzz::document::issued().as_bytes(),
    )?;
    seed("registry", "first", tongban_fuzz::registry_file())?;
    for item in ["000109900001", "002014900001"] {
        let example = house.join(format!("protocol/items/national/{item}/1.example.json"));
        seed("form", item, &fs::read(&example)?)?;
        seed("json", item, &fs::read(&example)?)?;
    }
    for (at, text) in IDENTIFIERS.iter().enumerate() {
        seed("identifiers", &format!("{at}"), text.as_bytes())?;
    }
    Ok(())
}

/// A case number as it is written.
const CASE: &str = "3501002026030201000042C";

/// The parcels of the golden vectors.
fn certified_parcels(file: &Path) -> std::io::Result<CertifiedParcels> {
    let text = fs::read_to_string(file)?;
    let mut lines = text.lines();
    let hex = lines.find_map(|line| line.strip_prefix("certified-parcels "));
    let bytes = hex.and_then(|hex| HEXLOWER.decode(hex.as_bytes()).ok());
    let parcels = bytes.and_then(|bytes| decode(&bytes).ok());
    parcels.ok_or_else(|| std::io::Error::other("no golden vector of certified parcels"))
}

const IDENTIFIERS: [&str; 9] = [
    "350100",
    "610502",
    "11010519491231002X",
    "91350100M000100Y43",
    "TB3012",
    "000109900001",
    "350100-01",
    "clerk-07",
    "officer",
];

/// One seed a line of a file of golden vectors, whose names and bytes this stands between.
fn golden(target: &str, file: &Path, between: &str) -> std::io::Result<()> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    for line in fs::read_to_string(file)?.lines() {
        let Some((name, hex)) = line.split_once(between) else {
            continue;
        };
        let Ok(bytes) = HEXLOWER.decode(hex.trim().as_bytes()) else {
            continue;
        };
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        seed(target, &format!("{stem}-{name}"), &bytes)?;
    }
    Ok(())
}

fn seed(target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}
