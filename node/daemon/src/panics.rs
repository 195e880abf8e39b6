//! What is said of a panic: where, and a message only if it was written in the source. One that was put
//! together as the process ran may hold what was being worked on; sled's prints keys and values of a
//! whole tree.

use std::any::Any;
use std::backtrace::Backtrace;
use std::panic::{self, PanicHookInfo};

use tongban_types::Code;

use crate::output::Output;

/// What stands for a message that is not shown.
const WITHHELD: &str = "withheld, it may hold data";

/// From now on panics of this process are told in this way.
pub(crate) fn withhold_messages() {
    panic::set_hook(Box::new(say));
}

fn say(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let message = shown(info.payload());
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or_default();
    // Names of functions and lines; taken only if RUST_BACKTRACE asks for it.
    let backtrace = Backtrace::capture();
    if tracing::dispatcher::has_been_set() {
        tracing::error!(code = %Code::INTERNAL, place, message, thread, %backtrace, "panicked");
    } else {
        Output::fault(&format!(
            "{} panicked at {place}: {message}\n{backtrace}",
            Code::INTERNAL
        ));
    }
}

fn shown(payload: &(dyn Any + Send)) -> &'static str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or(WITHHELD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(panics: impl FnOnce() + panic::UnwindSafe) -> Box<dyn Any + Send> {
        panic::catch_unwind(panics).unwrap_err()
    }

    #[test]
    fn a_message_of_the_source_is_shown_and_one_put_together_is_not() {
        let name = String::from("陈小明");
        let written = payload(|| panic!("the queue is never empty here"));
        let formatted = payload(move || panic!("no place for {name}"));
        let compared = payload(|| assert_eq!([1, 2].map(|part| part * 7), [7, 15]));
        let unwrapped = payload(|| {
            "350100x".parse::<u32>().unwrap();
        });
        assert_eq!(shown(&*written), "the queue is never empty here");
        for payload in [formatted, compared, unwrapped] {
            assert_eq!(shown(&*payload), WITHHELD);
        }
    }
}
