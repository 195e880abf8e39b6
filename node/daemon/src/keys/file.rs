//! One key file: the 32-byte seed of a key as 64 hexadecimal digits and a newline.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use data_encoding::HEXLOWER;
use zeroize::{Zeroize as _, Zeroizing};

use super::error::KeyError;

/// 64 digits and a newline; one more byte shows that a file is longer.
const FILE_BYTES_MAX: u64 = 66;

/// Reads the seed of a key; a file others may read or write is refused.
pub(crate) fn read_seed(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let unusable = |source| KeyError::Unusable {
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(KeyError::Missing {
                path: path.to_owned(),
            });
        }
        Err(error) => return Err(unusable(error)),
    };
    // Of the open file, so that it cannot be exchanged between the look and the read.
    let mode = file.metadata().map_err(unusable)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = Zeroizing::new(String::with_capacity(128));
    let malformed = || KeyError::Malformed {
        path: path.to_owned(),
    };
    match file.take(FILE_BYTES_MAX).read_to_string(&mut text) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(malformed()),
        Err(error) => return Err(unusable(error)),
    }
    decode(text.strip_suffix('\n').unwrap_or(&text)).ok_or_else(malformed)
}

fn decode(digits: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut seed = Zeroizing::new([0; 32]);
    if digits.len() != 64 {
        return None;
    }
    let mut partial = HEXLOWER
        .decode_mut(digits.as_bytes(), seed.as_mut_slice())
        .err();
    if partial.take().is_some() {
        return None;
    }
    Some(seed)
}

/// Writes the seed of a new key, durable when this returns; a file that is there is left alone.
pub(crate) fn write_seed(path: &Path, seed: &Zeroizing<[u8; 32]>) -> Result<(), KeyError> {
    let unusable = |source| KeyError::Unusable {
        path: path.to_owned(),
        source,
    };
    let mut options = OpenOptions::new();
    let mut file = match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(KeyError::Exists {
                path: path.to_owned(),
            });
        }
        Err(error) => return Err(unusable(error)),
    };
    let mut text = HEXLOWER.encode(seed.as_slice());
    text.push('\n');
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    text.zeroize();
    written.map_err(unusable)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_seed_is_read_as_it_was_written_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("command.key");
        let seed = Zeroizing::new([0xa5; 32]);
        write_seed(&path, &seed).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(*read_seed(&path).unwrap(), *seed);
        let again = write_seed(&path, &Zeroizing::new([1; 32]));
        assert!(matches!(again, Err(KeyError::Exists { .. })));
        assert_eq!(*read_seed(&path).unwrap(), *seed);
    }

    #[test]
    fn a_file_others_may_read_or_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("command.key");
        write_seed(&path, &Zeroizing::new([7; 32])).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o602, 0o601, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = read_seed(&path);
            assert!(matches!(refused, Err(KeyError::Exposed { .. })), "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(read_seed(&path).is_ok());
    }

    #[test]
    fn another_content_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let digits = "a5".repeat(32);
        let contents = [
            String::new(),
            digits[1..].to_owned(),
            format!("{digits}5"),
            format!("{digits}\n\n"),
            digits.to_uppercase(),
            digits.replace('a', "g"),
            "福".repeat(30),
        ];
        for (place, content) in contents.iter().enumerate() {
            let path = folder.path().join(place.to_string());
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(
                matches!(read_seed(&path), Err(KeyError::Malformed { .. })),
                "{content}"
            );
        }
        let absent = read_seed(&folder.path().join("absent"));
        assert!(matches!(absent, Err(KeyError::Missing { .. })));
    }
}
