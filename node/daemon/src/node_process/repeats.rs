//! A bound on what one place of the program says again and again: a fault that strikes a thousand times a
//! second must neither fill a disk nor hide what else is said. What is left out is counted, and the count is
//! said.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};

/// Warnings, and errors, of one place in one window: the first ten say what all of them say.
pub(super) const SAID_MAX: u32 = 10;

/// The window; also how often is said what was left out.
pub(super) const WINDOW: Duration = Duration::from_mins(1);

/// Under which the counts are said, which are left out themselves by nobody.
const OWN_TARGET: &str = "tongban::log";

/// What is counted, by the places of the program that warn: as many as were written.
pub(crate) struct Repeats {
    now: Box<dyn Fn() -> Instant + Send + Sync>,
    places: Mutex<HashMap<Identifier, Place>>,
}

/// Leaves out what is said too often.
#[derive(Clone, Debug)]
pub(super) struct WithoutRepeats(pub(super) Arc<Repeats>);

#[derive(Debug)]
struct Place {
    name: String,
    begun: Instant,
    said: u32,
    left_out: u64,
}

impl fmt::Debug for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Repeats")
    }
}

impl Default for Repeats {
    fn default() -> Self {
        Self::by(Instant::now)
    }
}

impl Repeats {
    fn by(now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self {
            now: Box::new(now),
            places: Mutex::default(),
        }
    }

    fn is_said(&self, event: &Event<'_>) -> bool {
        let about = event.metadata();
        if !is_bounded(about) {
            return true;
        }
        let now = (self.now)();
        let mut places = self.places();
        let place = places.entry(about.callsite()).or_insert_with(|| Place {
            // An event is named by its file and line.
            name: about.name().trim_start_matches("event ").to_owned(),
            begun: now,
            said: 0,
            left_out: 0,
        });
        if now.saturating_duration_since(place.begun) >= WINDOW {
            (place.begun, place.said) = (now, 0);
        }
        if place.said < SAID_MAX {
            place.said += 1;
            return true;
        }
        place.left_out += 1;
        false
    }

    /// Says what was left out since this was last asked.
    pub(crate) fn say_left_out(&self) {
        for (place, left_out) in self.take_left_out() {
            tracing::warn!(
                target: OWN_TARGET,
                place,
                left_out,
                "the same warning was said too often and left out"
            );
        }
    }

    /// Says it every minute, for as long as the process runs.
    pub(crate) async fn follow(self: Arc<Self>) {
        loop {
            tokio::time::sleep(WINDOW).await;
            self.say_left_out();
        }
    }

    /// By the names of the places. Nothing is locked any more when it is said.
    fn take_left_out(&self) -> Vec<(String, u64)> {
        let now = (self.now)();
        let mut places = self.places();
        let mut found: Vec<(String, u64)> = places
            .values_mut()
            .filter(|place| place.left_out > 0)
            .map(|place| (place.name.clone(), std::mem::take(&mut place.left_out)))
            .collect();
        places.retain(|_, place| now.saturating_duration_since(place.begun) < WINDOW);
        drop(places);
        found.sort();
        found
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Identifier, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_bounded(about: &Metadata<'_>) -> bool {
    *about.level() <= Level::WARN && about.target() != OWN_TARGET
}

/// Over everything that hears of events.
impl<S: Subscriber> Layer<S> for WithoutRepeats {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        self.0.is_said(event)
    }
}

/// Over one of several that hear of them.
impl<S> Filter<S> for WithoutRepeats {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    /// What may be left out is judged each time it is said.
    fn callsite_enabled(&self, about: &'static Metadata<'static>) -> Interest {
        if is_bounded(about) {
            Interest::sometimes()
        } else {
            Interest::always()
        }
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.0.is_said(event)
    }
}

#[cfg(test)]
mod tests {
    use tracing::field::{Field, Visit};
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// A message, and how much it says was left out.
    type Said = (String, Option<u64>);

    /// What was said.
    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<Said>>>);

    impl Heard {
        fn count(&self, message: &str) -> usize {
            let heard = self.0.lock().unwrap();
            heard.iter().filter(|(said, _)| said == message).count()
        }

        fn left_out(&self) -> Vec<u64> {
            let heard = self.0.lock().unwrap();
            heard.iter().filter_map(|(_, left_out)| *left_out).collect()
        }
    }

    #[derive(Default)]
    struct Read(String, Option<u64>);

    impl Visit for Read {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            if field.name() == "message" {
                self.0 = format!("{value:?}");
            }
        }

        fn record_u64(&mut self, field: &Field, value: u64) {
            if field.name() == "left_out" {
                self.1 = Some(value);
            }
        }
    }

    impl<S: Subscriber> Layer<S> for Heard {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut read = Read::default();
            event.record(&mut read);
            self.0.lock().unwrap().push((read.0, read.1));
        }
    }

    /// A log whose clock is moved by hand.
    fn log() -> (Arc<Repeats>, Heard, Arc<Mutex<Instant>>) {
        let clock = Arc::new(Mutex::new(Instant::now()));
        let hand = clock.clone();
        let repeats = Arc::new(Repeats::by(move || *hand.lock().unwrap()));
        (repeats, Heard::default(), clock)
    }

    fn warn_often(times: u64) {
        for time in 0..times {
            tracing::warn!(time, "the disk is slow");
        }
    }

    #[test]
    fn the_same_warning_is_said_ten_times_a_minute_and_what_was_left_out_is_counted() {
        let (repeats, heard, clock) = log();
        let all = tracing_subscriber::registry()
            .with(WithoutRepeats(repeats.clone()))
            .with(heard.clone());
        tracing::subscriber::with_default(all, || {
            warn_often(1_000);
            tracing::warn!("another place");
            assert_eq!(heard.count("the disk is slow"), 10);
            assert_eq!(
                heard.count("another place"),
                1,
                "each place has its own bound"
            );

            *clock.lock().unwrap() += WINDOW;
            warn_often(15);
            assert_eq!(heard.count("the disk is slow"), 20, "a minute later anew");
            repeats.say_left_out();
            assert_eq!(
                heard.left_out(),
                [990 + 5],
                "nothing left out goes uncounted"
            );
            repeats.say_left_out();
            assert_eq!(heard.left_out().len(), 1, "and it is said once");

            *clock.lock().unwrap() += WINDOW;
            repeats.say_left_out();
            assert!(
                repeats.places().is_empty(),
                "a place that is silent is forgotten"
            );
        });
    }

    #[test]
    fn a_bound_on_the_log_alone_leaves_nothing_out_of_what_else_hears() {
        let (repeats, heard, _) = log();
        let other = Heard::default();
        let bounded = heard.clone().with_filter(WithoutRepeats(repeats.clone()));
        let all = tracing_subscriber::registry()
            .with(other.clone().with_filter(LevelFilter::INFO))
            .with(bounded.with_filter(LevelFilter::WARN));
        tracing::subscriber::with_default(all, || {
            for _ in 0..2 {
                warn_often(100);
                tracing::info!("a case was collected");
                tracing::debug!("nothing happened");
                tracing::error!("the log is damaged");
            }
        });
        assert_eq!(heard.count("the disk is slow"), 10);
        assert_eq!(other.count("the disk is slow"), 200);
        assert_eq!(heard.count("a case was collected"), 0, "below its level");
        assert_eq!(other.count("a case was collected"), 2);
        assert_eq!(other.count("nothing happened"), 0);
        for either in [&heard, &other] {
            assert_eq!(
                either.count("the log is damaged"),
                2,
                "nothing else is lost"
            );
        }
        assert_eq!(repeats.take_left_out().len(), 1);
    }

    #[test]
    fn what_is_no_warning_is_said_however_often() {
        let (repeats, heard, _) = log();
        let all = tracing_subscriber::registry()
            .with(WithoutRepeats(repeats))
            .with(heard.clone());
        tracing::subscriber::with_default(all, || {
            for _ in 0..100 {
                tracing::info!("a case was collected");
            }
        });
        assert_eq!(heard.count("a case was collected"), 100);
    }
}
