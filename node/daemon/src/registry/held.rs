//! The registry a node believes, kept in its data folder: the first by the pinned governance keys,
//! each later one because it follows the one held. So a node is not talked into an older one.

use std::path::Path;

use tongban_trust::{Registry, RegistryError, RegistryFile, verify_first, verify_next};
use tongban_types::{Hash, limits::REGISTRY_BYTES_MAX};

use crate::failure::Failure;
use crate::files::{FileError, read_bounded, replace};

/// Name of the file in the data folder.
const HELD: &str = "registry.json";

/// Reads the bytes of a registry file.
pub(crate) fn read_registry(file: &Path) -> Result<Vec<u8>, FileError> {
    read_bounded(file, REGISTRY_BYTES_MAX)
}

/// The registry to start from: the one given if it may be believed, kept from now on; the one held
/// if it is the same. Returns its file too, as it was signed.
pub(crate) fn hold(
    data: &Path,
    given: &[u8],
    governance: Hash,
) -> Result<(Vec<u8>, Registry), Failure> {
    let place = data.join(HELD);
    let held = match read_registry(&place) {
        Ok(bytes) => Some(RegistryFile::decode(&bytes).map(|file| (bytes, file))?),
        Err(error) if error.is_missing() => None,
        Err(error) => return Err(error.into()),
    };
    let Some((bytes, file)) = held else {
        let registry = verify_first(given, governance)?.into_inner();
        replace(&place, given, 0o644)?;
        return Ok((given.to_vec(), registry));
    };
    match verify_next(file.registry(), given) {
        Ok(next) => {
            replace(&place, given, 0o644)?;
            Ok((given.to_vec(), next.into_inner()))
        }
        Err(RegistryError::AlreadyHeld { .. }) => Ok((bytes, file.registry().clone())),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use tongban_trust::testing::{SampleFederation, sample_draft};
    use tongban_trust::{RegistryDraft, governance_hash};

    use super::*;

    #[test]
    fn a_node_is_not_talked_into_another_or_older_registry() {
        let data = tempfile::tempdir().unwrap();
        let first = sample_draft().check().unwrap();
        let pin = governance_hash(&first);
        let signed =
            |registry: &Registry, signers| SampleFederation::signed_file(registry.clone(), signers);
        let code_of = |given: &[u8], pin| hold(data.path(), given, pin).unwrap_err().code;

        let wrong = code_of(&signed(&first, 5), Hash([9; 32]));
        assert_eq!(wrong, tongban_types::Code::REGISTRY_NOT_PINNED);
        let few = code_of(&signed(&first, 4), pin);
        assert_eq!(few, tongban_types::Code::REGISTRY_UNDERSIGNED);

        assert_eq!(
            hold(data.path(), &signed(&first, 5), pin)
                .unwrap()
                .1
                .version(),
            1
        );
        let next = RegistryDraft::after(&first, first.expires().plus_ms(1_000))
            .check()
            .unwrap();
        assert_eq!(
            hold(data.path(), &signed(&next, 5), pin)
                .unwrap()
                .1
                .version(),
            2
        );
        assert_eq!(
            hold(data.path(), &signed(&next, 6), pin)
                .unwrap()
                .1
                .version(),
            2
        );
        let older = code_of(&signed(&first, 5), pin);
        assert_eq!(older, tongban_types::Code::REGISTRY_ROLLED_BACK);
    }
}
