//! Whether cutting a snapshot now is worth it. openraft asks after so many entries, whatever their
//! size and that of the state; a large state is not written again for a few small entries, and not
//! while the last snapshot of it is still on its way to a replica: that one must find the entries
//! behind it in the log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// A cut is put off until the log grew by this part of the state: it is written four times at most
/// for each byte of the log.
const STATE_BYTES_PER_LOG_BYTE: u64 = 4;

/// A cut is put off this often at most, so that the log, and its replay after a restart, stay bounded
/// however slow a transfer is.
const PUT_OFF_MAX: u64 = 16;

/// When snapshots of one state are cut; clones share it.
#[derive(Clone)]
pub(crate) struct Pace(Arc<Mutex<State>>);

struct State {
    every_entries: u64,
    /// Index and length of the last snapshot.
    last: Option<(u64, u64)>,
    log_bytes: u64,
    sent: Weak<()>,
}

impl Pace {
    pub(crate) fn new(every_entries: u64, last: Option<(u64, u64)>) -> Self {
        Self(Arc::new(Mutex::new(State {
            every_entries,
            last,
            log_bytes: 0,
            sent: Weak::new(),
        })))
    }

    /// The log grew.
    pub(crate) fn grow(&self, bytes: usize) {
        self.lock().log_bytes += bytes as u64;
    }

    /// A snapshot is there.
    pub(crate) fn restart(&self, index: u64, length: u64) {
        let mut state = self.lock();
        state.last = Some((index, length));
        state.log_bytes = 0;
    }

    /// The last snapshot is sent for as long as this lives.
    pub(crate) fn sending(&self) -> Arc<()> {
        let mut state = self.lock();
        state.sent.upgrade().unwrap_or_else(|| {
            let sent = Arc::new(());
            state.sent = Arc::downgrade(&sent);
            sent
        })
    }

    /// Whether a snapshot of the state at `index` is to be cut now.
    pub(crate) fn may_cut(&self, index: u64) -> bool {
        let state = self.lock();
        let Some((last, length)) = state.last else {
            return true;
        };
        if index.saturating_sub(last) >= PUT_OFF_MAX.saturating_mul(state.every_entries) {
            return true;
        }
        let is_worth_it = state.log_bytes.saturating_mul(STATE_BYTES_PER_LOG_BYTE) >= length;
        is_worth_it && state.sent.strong_count() == 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is whole before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_state_is_not_written_again_for_a_few_small_entries() {
        let pace = Pace::new(100, None);
        assert!(pace.may_cut(1));
        pace.restart(100, 4_000);
        pace.grow(999);
        assert!(!pace.may_cut(200));
        pace.grow(1);
        assert!(pace.may_cut(200));
        pace.restart(200, 4_000);
        assert!(!pace.may_cut(300));
        assert!(pace.may_cut(200 + 16 * 100), "the log stays bounded");
    }

    #[test]
    fn no_snapshot_is_cut_while_the_last_is_on_its_way_unless_the_log_grows_long() {
        let pace = Pace::new(100, Some((100, 10)));
        pace.grow(1_000);
        let one = pace.sending();
        let other = pace.sending();
        drop(one);
        assert!(!pace.may_cut(200));
        assert!(pace.may_cut(1_700));
        drop(other);
        assert!(pace.may_cut(200));
    }
}
