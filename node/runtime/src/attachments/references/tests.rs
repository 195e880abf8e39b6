//! Over records kept in memory, as the log shows them once they are durable.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use futures_util::FutureExt as _;

use super::*;

#[derive(Default)]
struct Records(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>);

impl Records {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.0.lock().unwrap()
    }
}

#[async_trait::async_trait]
impl LocalLog for Records {
    fn get(&self, _: LocalTable, key: &[u8]) -> Option<Vec<u8>> {
        self.lock().get(key).cloned()
    }

    fn scan(&self, _: LocalTable, from: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let kept = self.lock();
        let found = kept.range(from.to_vec()..).take(limit);
        found
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    fn count(&self, _: LocalTable) -> usize {
        self.lock().len()
    }

    fn failed(&self) -> Option<LogFailed> {
        None
    }

    async fn write(&self, writes: Vec<LocalWrite>) -> Result<(), LogFailed> {
        for write in writes {
            match write.value {
                Some(value) => self.lock().insert(write.key, value),
                None => self.lock().remove(&write.key),
            };
        }
        Ok(())
    }
}

/// What waits for nothing but these records is there at once.
fn now<T>(written: impl Future<Output = Result<T, LogFailed>>) -> T {
    written.now_or_never().unwrap().unwrap()
}

fn file(number: u8) -> Attachment {
    let (name, kind) = ("a.pdf".to_owned(), "application/pdf".to_owned());
    Attachment::new(name, kind, 5, BlobHash([number; 32])).unwrap()
}

fn order(number: u16) -> CommandId {
    let mut id = [0; 32];
    id[..2].copy_from_slice(&number.to_be_bytes());
    CommandId(Hash(id))
}

fn case(sequence: u32) -> CaseNumber {
    let day = Timestamp::from_unix_ms(1_790_000_000_000).china_day();
    CaseNumber::new("350100".parse().unwrap(), day, 1, sequence).unwrap()
}

#[test]
fn a_pin_is_found_by_its_file_however_many_stand_before_it() {
    let references = References::over(Arc::new(Records::default()));
    let until = Timestamp::from_unix_ms(7);
    for number in 0..300 {
        now(references.pin(order(number), None, &[file(1)], until));
    }
    now(references.pin(order(300), Some(case(1)), &[file(2)], until));
    assert!(references.is_pinned(file(2).blob));
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let pins = references.pins(after, 64);
        let Some(last) = pins.last() else { break };
        after = Some((last.id, last.blob));
        seen.extend(pins);
    }
    assert_eq!(seen.len(), 301, "a look through goes on behind the last");
    let last = seen.last().unwrap();
    assert_eq!((last.id, last.blob), (order(300), file(2).blob));
    assert_eq!((last.case, last.until), (Some(case(1)), until));
    assert_eq!(seen[0].case, None);
    now(references.unpin(order(300), None, &[file(2).blob]));
    assert!(!references.is_pinned(file(2).blob));
    assert!(!references.names(case(1), file(2).blob));
}

#[test]
fn what_an_attempt_kept_is_told_from_what_the_attempt_before_it_kept() {
    let references = References::over(Arc::new(Records::default()));
    let until = Timestamp::default();
    let first = now(references.pin(order(1), None, &[file(1)], until));
    assert_eq!(first, [file(1).blob]);
    let again = [file(1), file(2)];
    let fresh = now(references.pin(order(1), None, &again, until));
    assert_eq!(fresh, [file(2).blob]);
    now(references.unpin(order(1), None, &fresh));
    assert!(references.has_pin(order(1), file(1).blob));
    assert!(!references.is_pinned(file(2).blob));
}

#[test]
fn a_case_that_merely_lists_a_file_is_no_claim_on_its_bytes() {
    let references = References::over(Arc::new(Records::default()));
    let blob = file(1).blob;
    now(references.pin(order(1), None, &[file(1)], Timestamp::default()));
    now(references.unpin(order(1), Some(case(2)), &[blob]));
    now(references.name(case(1), blob));
    assert_eq!(references.cases_of(blob, 9), [case(1), case(2)]);
    assert!(references.names(case(1), blob) && !references.came_by(case(1), blob));
    assert!(references.came_by(case(2), blob), "an order named it here");
    now(references.name(case(2), blob));
    assert!(references.came_by(case(2), blob), "it stays so");
    now(references.note_came(case(1), blob));
    assert!(references.came_by(case(1), blob), "its bytes came");
}
