//! How a list ends that a node gives page by page.

use crate::exit::Exit;
use crate::output::Output;

/// Pages of a hundred read for `--all`: a million cases are for an export of another kind.
pub(super) const PAGES_MAX: usize = 1_000;

/// Says in every format that there is more than was listed, beside the answer: lines and records say
/// nothing of it. A list that was to be whole and is not leaves open what else there is.
pub(super) fn ended(output: Output, listed: usize, has_more: bool, is_all: bool) -> Exit {
    if !has_more {
        return Exit::Yes;
    }
    output.talk(&output.reader().say(
        format!("只列出 {listed} 条, 后面还有"),
        format!("{listed} are listed, and there are more"),
    ));
    if is_all {
        Exit::Indeterminate
    } else {
        Exit::Yes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_was_to_be_whole_and_is_not_is_no_yes() {
        let ended = |has_more, is_all| ended(Output::default(), 2, has_more, is_all);
        assert_eq!(ended(false, true), Exit::Yes);
        assert_eq!(ended(true, true), Exit::Indeterminate);
        // Who asked for a few gets them.
        assert_eq!(ended(true, false), Exit::Yes);
    }
}
