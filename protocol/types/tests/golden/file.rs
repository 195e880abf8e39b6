//! Golden files: a name and the bytes in hexadecimal, one vector a line. `TONGBAN_GOLDEN=append`
//! adds vectors that are new; `TONGBAN_GOLDEN=replace` writes all anew, which after the first
//! federation has written such bytes is a change of a law.

#![expect(
    clippy::disallowed_methods,
    reason = "golden files are read and written by tests, never by the protocol"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

/// One vector.
pub(crate) type Vector = (String, Vec<u8>);

/// Compares vectors with those in the tree, by name and in order.
pub(crate) fn check(folder: &str, file: &str, vectors: &[Vector]) {
    let path = PathBuf::from(folder).join(file);
    let present = read(&path);
    match std::env::var("TONGBAN_GOLDEN").as_deref() {
        Ok("replace") => return write(&path, vectors),
        Ok("append") => {
            let known = present.len().min(vectors.len());
            compare(file, &present, &vectors[..known]);
            return write(&path, vectors);
        }
        _ => {}
    }
    compare(file, &present, vectors);
}

fn compare(file: &str, present: &[Vector], vectors: &[Vector]) {
    for (golden, found) in present.iter().zip(vectors) {
        let name = &found.0;
        assert_eq!(&golden.0, name, "{file}: vectors are only appended");
        let (golden, found) = (HEXLOWER.encode(&golden.1), HEXLOWER.encode(&found.1));
        assert_eq!(golden, found, "{file}: the bytes of {name} changed");
    }
    let missing: Vec<&str> = vectors
        .iter()
        .skip(present.len())
        .map(|v| v.0.as_str())
        .collect();
    assert!(
        missing.is_empty(),
        "{file}: no golden vector for {missing:?}"
    );
    assert_eq!(
        present.len(),
        vectors.len(),
        "{file}: a golden vector is no longer made"
    );
}

fn read(path: &Path) -> Vec<Vector> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().map(|line| {
        let (name, bytes) = line.split_once(' ').expect("a name and its bytes");
        let bytes = HEXLOWER.decode(bytes.as_bytes()).expect("hexadecimal");
        (name.to_owned(), bytes)
    });
    lines.collect()
}

fn write(path: &Path, vectors: &[Vector]) {
    let mut text = String::new();
    for (name, bytes) in vectors {
        writeln!(text, "{name} {}", HEXLOWER.encode(bytes)).expect("a text takes all");
    }
    std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder is made");
    std::fs::write(path, text).expect("the golden file is written");
}
