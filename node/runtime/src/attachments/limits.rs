//! Every bound of files and their fetching, with its reason.

use std::time::Duration;

/// How long an upload may be resumed, and used once it is whole: a working day and its night.
pub(super) const UPLOAD_LIFE_MS: i64 = 24 * 3_600_000;

/// How long files stay for an order whose end was not learned: well past the day for which its id is
/// remembered, in which the sweep finds the case it became.
pub(super) const PIN_LIFE_MS: i64 = 3 * 86_400_000;

/// Ranges of one file asked for at once: eight MiB fill a line of 40 ms up to 1.6 Gbit/s.
pub(super) const RANGES_AHEAD: usize = 8;

/// Files fetched at once: each holds `RANGES_AHEAD` ranges in memory.
pub(super) const FETCHES_MAX: usize = 4;

/// Files fetched at once whose cases one city handed in: a city that sends slowly leaves room for the
/// files of others.
pub(super) const FETCHES_OF_CITY_MAX: usize = FETCHES_MAX / 2;

/// How long a fetch goes on after its last reader: longer than a reader waits for one range, and short
/// beside the days a slow holder can take for a large file.
pub(super) const READERS_GONE: Duration = Duration::from_mins(5);

/// One range, from asking to its answer: eight ranges ahead over a line of 1 Mbit/s.
pub(super) const RANGE_TIMEOUT: Duration = Duration::from_mins(2);

/// Rounds over all holders without one byte before a fetch gives up; its next reader begins again from
/// where it stood.
pub(super) const IDLE_ROUNDS_MAX: u32 = 3;

/// Between two sweeps over what nobody names any more.
pub(super) const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// Files looked at in one sweep.
pub(super) const SWEPT_MAX: usize = 256;

/// References of one file looked at in one sweep; one alive is enough to keep it.
pub(super) const REFERENCES_MAX: usize = 64;
