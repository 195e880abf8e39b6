//! The registries a node believes, kept in its data folder: the first by the pinned governance keys,
//! each later one because it follows the one held. So a node is not talked into an older one.

use std::collections::BTreeMap;
use std::path::Path;

use tongban_api::Said;
use tongban_trust::{Registry, RegistryError};
use tongban_types::limits::REGISTRIES_KEPT_MAX;
use tongban_types::{Code, Hash, Timestamp};

use super::believe;
use super::chain::{Believed, chain_after, chain_from_pin};
use super::files::{HELD, beside, read_registry};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::{FileError, replace};
use crate::instant::beijing;

/// What a node starts from.
#[derive(Debug)]
pub(crate) struct Held {
    /// The newest registry, as it was signed.
    pub(crate) file: Vec<u8>,
    /// The same, believed.
    pub(crate) registry: Registry,
    /// Those before it, without a gap, by version.
    pub(crate) older: BTreeMap<u64, Vec<u8>>,
}

/// The registry a start goes by, and what it came from.
#[derive(Debug)]
pub(crate) struct Judged {
    registry: Registry,
    file: Vec<u8>,
    /// Those before it that are kept with it, oldest first.
    before: Vec<Believed>,
    is_held: bool,
}

impl Judged {
    /// The registry.
    pub(crate) const fn registry(&self) -> &Registry {
        &self.registry
    }
}

/// The registry to start from; kept from now on, unless it is held already.
pub(crate) fn hold(
    data: &Path,
    given: &Path,
    governance: Hash,
    now: Timestamp,
) -> Result<Held, Failure> {
    let judged = judge(data, given, governance, now)?;
    let version = judged.registry.version();
    if judged.is_held {
        if judged.registry.is_expired(now) {
            tracing::warn!(
                version,
                code = %Code::REGISTRY_EXPIRED,
                "the registry held is expired: no new nodes and keys enter by it"
            );
        }
    } else {
        keep(data, &judged)?;
    }
    Ok(Held {
        file: judged.file,
        registry: judged.registry,
        older: read_older(data, version),
    })
}

/// The registry to start from: the one given if it may be believed; the one held if it is the same. One that
/// is expired brings no new nodes and keys in: it is refused unless it is held already. Nothing is kept.
pub(crate) fn judge(
    data: &Path,
    given: &Path,
    governance: Hash,
    now: Timestamp,
) -> Result<Judged, Failure> {
    let file = read_registry(given)?;
    let held = read_held(&data.join(HELD))?;
    let chain = match &held {
        Some((current, _)) => chain_after(current, given, file),
        None => chain_from_pin(governance, given, file),
    };
    let mut taken: Vec<Believed> = match (chain, held) {
        (Err(RegistryError::AlreadyHeld { .. }), Some((registry, file))) => {
            return Ok(Judged {
                registry,
                file,
                before: Vec::new(),
                is_held: true,
            });
        }
        (chain, held) => held.into_iter().chain(chain?).collect(),
    };
    let (registry, file) = taken.pop().expect("a chain ends with the file given");
    check_enters(&registry, now)?;
    Ok(Judged {
        registry,
        file,
        before: taken,
        is_held: false,
    })
}

/// Refuses one that is expired where it is not held already.
fn check_enters(registry: &Registry, now: Timestamp) -> Result<(), Failure> {
    if !registry.is_expired(now) {
        return Ok(());
    }
    let (version, expired) = (registry.version(), beijing(registry.expires()));
    let says = Said::new(
        format!("名册第 {version} 版已于 {expired} 过期, 不能据以加入新的节点和密钥"),
        format!(
            "version {version} of the registry expired at {expired}: no new nodes and \
             keys enter by it"
        ),
    );
    let (code, exit) = (Code::REGISTRY_EXPIRED, Exit::No);
    Err(Failure::told(code, exit, says))
}

/// Keeps what was taken in, the newest last, so that a crash leaves the one held before.
fn keep(data: &Path, judged: &Judged) -> Result<(), FileError> {
    for (older, file) in &judged.before {
        replace(&beside(&data.join(HELD), older.version()), file, 0o644)?;
    }
    replace(&data.join(HELD), &judged.file, 0o644)
}

/// The one held: its own governance keys signed it, whatever became of the file since.
fn read_held(place: &Path) -> Result<Option<Believed>, Failure> {
    match read_registry(place) {
        Ok(bytes) => Ok(Some((believe(&bytes, None)?, bytes))),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Those before a version that the data folder holds, without a gap.
fn read_older(data: &Path, version: u64) -> BTreeMap<u64, Vec<u8>> {
    let older = (1..version).rev().map_while(|version| {
        let bytes = read_registry(&beside(&data.join(HELD), version)).ok()?;
        believe(&bytes, None).ok()?;
        Some((version, bytes))
    });
    older.take(REGISTRIES_KEPT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use tongban_trust::testing::{SAMPLE_NOW, SampleFederation, sample_draft};
    use tongban_trust::{RegistryDraft, RegistryFile, SigningKey, governance_hash};

    use super::*;

    struct House {
        data: tempfile::TempDir,
        pin: Hash,
    }

    impl House {
        fn new(first: &Registry) -> Self {
            Self {
                data: tempfile::tempdir().unwrap(),
                pin: governance_hash(first),
            }
        }

        fn given(&self) -> PathBuf {
            self.data.path().join("given.json")
        }

        fn hold_at(&self, file: &[u8], now: Timestamp) -> Result<Held, Code> {
            replace(&self.given(), file, 0o644).unwrap();
            hold(self.data.path(), &self.given(), self.pin, now).map_err(|failure| failure.code)
        }

        fn judge(&self, file: &[u8]) -> Result<u64, Code> {
            replace(&self.given(), file, 0o644).unwrap();
            let judged = judge(self.data.path(), &self.given(), self.pin, SAMPLE_NOW);
            let judged = judged.map_err(|failure| failure.code)?;
            Ok(judged.registry().version())
        }

        fn hold(&self, file: &[u8]) -> Result<u64, Code> {
            let held = self.hold_at(file, SAMPLE_NOW)?;
            Ok(held.registry.version())
        }
    }

    fn first() -> Registry {
        sample_draft().check().unwrap()
    }

    fn after(current: &Registry) -> Registry {
        let expires = current.expires().plus_ms(1_000);
        RegistryDraft::after(current, expires).check().unwrap()
    }

    fn signed(registry: &Registry, signers: usize) -> Vec<u8> {
        SampleFederation::signed_file(registry.clone(), signers)
    }

    #[test]
    fn a_node_is_not_talked_into_another_or_older_registry() {
        let first = first();
        let mut house = House::new(&first);
        let pin = std::mem::replace(&mut house.pin, Hash([9; 32]));
        assert_eq!(
            house.hold(&signed(&first, 5)),
            Err(Code::REGISTRY_NOT_PINNED)
        );
        house.pin = pin;
        assert_eq!(
            house.hold(&signed(&first, 4)),
            Err(Code::REGISTRY_UNDERSIGNED)
        );
        assert_eq!(house.hold(&signed(&first, 5)), Ok(1));
        let next = after(&first);
        assert_eq!(house.hold(&signed(&next, 5)), Ok(2));
        assert_eq!(house.hold(&signed(&next, 6)), Ok(2));
        assert_eq!(
            house.hold(&signed(&first, 5)),
            Err(Code::REGISTRY_ROLLED_BACK)
        );
    }

    #[test]
    fn a_file_held_that_was_altered_is_not_started_from() {
        let first = first();
        let house = House::new(&first);
        house.hold(&signed(&first, 5)).unwrap();
        let place = house.data.path().join(HELD);
        replace(&place, &signed(&first, 4), 0o644).unwrap();
        assert_eq!(
            house.hold(&signed(&first, 5)),
            Err(Code::REGISTRY_UNDERSIGNED)
        );
    }

    #[test]
    fn missed_versions_are_taken_from_beside_the_one_given_and_kept_for_others() {
        let first = first();
        let house = House::new(&first);
        house.hold(&signed(&first, 5)).unwrap();
        let (second, third) = (after(&first), after(&after(&first)));
        assert_eq!(house.hold(&signed(&third, 5)), Err(Code::REGISTRY_SKIPPED));
        let between = beside(&house.given(), 2);
        replace(&between, &signed(&second, 4), 0o644).unwrap();
        assert_eq!(
            house.hold(&signed(&third, 5)),
            Err(Code::REGISTRY_UNDERSIGNED)
        );
        replace(&between, &signed(&second, 5), 0o644).unwrap();
        assert_eq!(house.hold(&signed(&third, 5)), Ok(3));
        fs::remove_file(between).unwrap();
        let held = house.hold_at(&signed(&third, 5), SAMPLE_NOW).unwrap();
        let older = BTreeMap::from([(1, signed(&first, 5)), (2, signed(&second, 5))]);
        assert_eq!(held.older, older);
    }

    #[test]
    fn a_new_node_comes_to_new_governance_keys_from_those_it_pins() {
        let first = first();
        let house = House::new(&first);
        let mut draft = RegistryDraft::after(&first, first.expires());
        let city = SampleFederation::city(0);
        let key = SigningKey::from_seed(&[77; 32]);
        draft.governance(city, key.public());
        let mut file = RegistryFile::unsigned(draft.check().unwrap());
        for place in 0..6 {
            file.sign(&SampleFederation::governance_key(SampleFederation::city(
                place,
            )));
        }
        let second = file.encode();
        assert_eq!(house.hold(&second), Err(Code::REGISTRY_NOT_PINNED));
        let between = beside(&house.given(), 1);
        replace(&between, &signed(&first, 5), 0o644).unwrap();
        assert_eq!(house.hold(&second), Ok(2));
        // From then on it goes by what it holds, not by the pin.
        fs::remove_file(between).unwrap();
        assert_eq!(house.judge(&second), Ok(2));
    }

    #[test]
    fn what_is_judged_alone_is_judged_as_at_a_start_and_not_kept() {
        let first = first();
        let house = House::new(&first);
        let next = after(&first);
        assert_eq!(house.judge(&signed(&first, 5)), Ok(1));
        assert!(!house.data.path().join(HELD).exists());
        assert_eq!(house.hold(&signed(&first, 5)), Ok(1));
        assert_eq!(house.judge(&signed(&next, 5)), Ok(2));
        assert_eq!(house.hold(&signed(&first, 5)), Ok(1));
        assert_eq!(house.hold(&signed(&next, 5)), Ok(2));
        let rolled_back = house.judge(&signed(&first, 5));
        assert_eq!(rolled_back, Err(Code::REGISTRY_ROLLED_BACK));
    }

    #[test]
    fn an_expired_registry_is_no_first_and_no_next_one_and_the_one_held_goes_on() {
        let first = first();
        let house = House::new(&first);
        let late = first.expires();
        let code = |house: &House, file: &[u8]| house.hold_at(file, late).unwrap_err();
        assert_eq!(code(&house, &signed(&first, 5)), Code::REGISTRY_EXPIRED);
        assert_eq!(house.hold(&signed(&first, 5)), Ok(1));
        let next = RegistryDraft::after(&first, late).check().unwrap();
        assert_eq!(code(&house, &signed(&next, 5)), Code::REGISTRY_EXPIRED);
        let held = house.hold_at(&signed(&first, 5), late).unwrap();
        assert_eq!(held.registry.version(), 1);
    }
}
