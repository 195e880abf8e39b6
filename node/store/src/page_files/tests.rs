//! Files of pages: what is appended, what is live, what is removed.

use super::*;

const FILE_BYTES: u64 = 1_000;

fn open(folder: &Path, live: &LiveBytes) -> io::Result<PageFiles> {
    PageFiles::open(folder, FILE_BYTES, live)
}

fn page(number: u8, bytes: usize) -> Bytes {
    Bytes::from(vec![number; bytes])
}

/// Appends pages of some sizes, and has them live.
fn put(files: &PageFiles, sizes: &[usize]) -> Vec<PagePlace> {
    let pages: Vec<Bytes> = (0..).zip(sizes).map(|(it, size)| page(it, *size)).collect();
    let places = files.append(&pages).unwrap();
    files.settle(&files.reckon(&places, &[]).unwrap());
    places
}

fn free(files: &PageFiles, places: &[PagePlace]) {
    files.settle(&files.reckon(&[], places).unwrap());
}

fn live(files: &PageFiles) -> LiveBytes {
    let files = files.files();
    let live = files.iter().map(|(number, held)| (*number, held.live));
    live.filter(|(_, live)| *live > 0).collect()
}

#[test]
fn pages_are_read_as_they_were_appended_also_by_the_next_to_open_them() {
    let folder = tempfile::tempdir().unwrap();
    let files = open(folder.path(), &LiveBytes::new()).unwrap();
    assert_eq!(files.append(&[]).unwrap(), []);
    let mut places = put(&files, &[0, 1, 700]);
    places.extend(put(&files, &[APPENDED_AT_ONCE_BYTES, 300, 7]));
    // The first file was not full yet, and is now.
    places.extend(put(&files, &[5]));
    let of_file: Vec<u32> = places.iter().map(|place| place.file.0).collect();
    assert_eq!(of_file, [0, 0, 0, 0, 0, 0, 1]);
    let sizes = [0, 1, 700, APPENDED_AT_ONCE_BYTES, 300, 7, 5];
    let numbers = [0, 1, 2, 0, 1, 2, 0];
    let check = |files: &PageFiles| {
        for ((place, size), number) in places.iter().zip(sizes).zip(numbers) {
            assert!(files.read(*place).unwrap() == page(number, size));
        }
    };
    check(&files);
    let again = open(folder.path(), &live(&files)).unwrap();
    check(&again);
    let next = put(&again, &[9])[0];
    assert_eq!((next.file.0, next.at), (1, 5), "where it ended");
}

#[test]
fn bytes_that_are_not_those_written_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let files = open(folder.path(), &LiveBytes::new()).unwrap();
    let place = put(&files, &[100])[0];
    let elsewhere = PagePlace {
        file: FileNumber(7),
        ..place
    };
    let shifted = PagePlace { bytes: 99, ..place };
    for wrong in [elsewhere, shifted] {
        let refused = files.read(wrong).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    }
    let file = File::options()
        .write(true)
        .open(files.path_of(FileNumber(0)))
        .unwrap();
    file.write_all_at(&[1], 50).unwrap();
    let refused = files.read(place).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn what_is_live_and_missing_is_refused_and_what_is_not_live_is_dead() {
    let folder = tempfile::tempdir().unwrap();
    let files = open(folder.path(), &LiveBytes::new()).unwrap();
    put(&files, &[2_000]);
    put(&files, &[2_000]);
    for (number, bytes) in [(0, 2_001), (2, 1)] {
        let live = LiveBytes::from([(FileNumber(number), bytes)]);
        let refused = open(folder.path(), &live).err().unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    }
    // As after a kill between appending and telling the engine.
    let files = open(folder.path(), &LiveBytes::new()).unwrap();
    assert_eq!(files.dead(), [FileNumber(0)], "the last may be appended to");
    fs::write(folder.path().join("letter"), "kept").unwrap();
    for _ in 0..2 {
        files.remove(&[FileNumber(0)]);
    }
    assert_eq!(files.dead(), []);
    assert!(!files.path_of(FileNumber(0)).exists() && files.path_of(FileNumber(1)).exists());
}

#[test]
fn a_file_is_compacted_when_more_is_dead_than_live_and_the_one_with_most_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let files = open(folder.path(), &LiveBytes::new()).unwrap();
    let places: Vec<PagePlace> = (0..4).flat_map(|_| put(&files, &[600, 600])).collect();
    assert_eq!(files.to_compact(), None);
    // 600 of the first, 600 of the third and 600 of the last, to which the next are appended.
    free(&files, &[places[0], places[4], places[6]]);
    assert_eq!(files.to_compact(), None, "1,800 dead beside 3,000");
    free(&files, &places[7..]);
    put(&files, &[10]);
    assert_eq!(files.dead(), [FileNumber(3)]);
    assert_eq!(files.to_compact(), None, "that goes by itself");
    files.remove(&[FileNumber(3)]);
    free(&files, &places[2..4]);
    free(&files, &[places[5]]);
    // Of what is left, the first has 600 of each.
    assert_eq!(files.dead(), [1, 2].map(FileNumber));
    assert_eq!(files.to_compact(), None);
    let more = put(&files, &[5, 3_000]);
    put(&files, &[10]);
    free(&files, &more[1..]);
    assert_eq!(
        files.to_compact(),
        Some(FileNumber(4)),
        "3,600 dead beside 625"
    );
}

#[test]
fn no_more_goes_from_a_file_than_was_live_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let files = open(folder.path(), &LiveBytes::new()).unwrap();
    let places = put(&files, &[100, 100]);
    free(&files, &places[..1]);
    let refused = files.reckon(&[], &places).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    assert!(files.has_live(FileNumber(0)));
    free(&files, &places[1..]);
    assert!(!files.has_live(FileNumber(0)));
}
