//! What signatures cost on this machine, measured alone, and the ceiling they set.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tongban_runtime::seams::Entropy as _;
use tongban_trust::{SigningKey, verify_strict};

use crate::platform::OsEntropy;

/// Long enough to be steady, short beside the measurement.
const MEASURE: Duration = Duration::from_millis(300);

/// Costs in microseconds each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ceiling {
    /// One signature.
    pub(super) sign: f64,
    /// One strict verification.
    pub(super) verify: f64,
}

impl Ceiling {
    /// Measures, when nothing else runs.
    pub(super) fn measure() -> anyhow::Result<Self> {
        let key = SigningKey::from_seed(&OsEntropy.array());
        let message = vec![0x5a; 64];
        let signature = key.sign_raw(&message);
        verify_strict(key.public(), &message, signature).context("a fresh signature")?;
        Ok(Self {
            sign: microseconds_of(|| {
                black_box(key.sign_raw(black_box(&message)));
            }),
            verify: microseconds_of(|| {
                let verdict = verify_strict(key.public(), black_box(&message), signature);
                black_box(verdict.is_ok());
            }),
        })
    }

    /// Cases a second that this many cores could sign and verify if they did nothing else: a batch
    /// is signed once as commands and once as receipts, and verified once a voter.
    pub(super) fn cases_per_second(&self, cores: usize, voters: usize, a_batch: f64) -> f64 {
        let [cores, voters] = [cores, voters].map(|n| u32::try_from(n).map_or(1.0, f64::from));
        cores * 1e6 * a_batch / (2.0 * self.sign + voters * self.verify)
    }
}

fn microseconds_of(mut once: impl FnMut()) -> f64 {
    let (begun, mut rounds) = (Instant::now(), 0_u32);
    while begun.elapsed() < MEASURE {
        once();
        rounds += 1;
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
}
