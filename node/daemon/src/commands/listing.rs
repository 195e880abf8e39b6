//! Lists that a node gives page by page: how they are gathered, and how they end.

use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::{Call, NodeClient};
use crate::output::Output;

/// Pages of a hundred read for `--all`: a million cases are for an export of another kind.
const PAGES_MAX: usize = 1_000;

/// What was gathered of a list.
pub(super) struct Gathered {
    pub(super) rows: Vec<Value>,
    /// Whether there are more than these.
    pub(super) has_more: bool,
}

/// Gathers the list at a path that has a query: of each page these members; all pages, or those up to the first
/// that is not empty, as one of a list that is narrowed may be, and not the last. A fresh one is of a replica that
/// caught up with its group first. `None` if the request was shown and not sent.
pub(super) async fn gather(
    client: &mut NodeClient,
    path: &str,
    is_fresh: bool,
    members: &[&str],
    is_all: bool,
) -> Result<Option<Gathered>, Failure> {
    let fresh = if is_fresh { "&fresh=true" } else { "" };
    let first = Call::get(format!("{path}{fresh}"));
    let Some(answer) = client.order(&first).await? else {
        return Ok(None);
    };
    let mut page = answer.json();
    let (mut rows, mut has_more) = (Vec::new(), false);
    for _ in 0..PAGES_MAX {
        for member in members {
            if let Some(Value::Array(listed)) = page.get_mut(*member).map(Value::take) {
                rows.extend(listed);
            }
        }
        let next = page["next"].as_str();
        has_more = next.is_some();
        let goes_on = is_all || rows.is_empty();
        let Some(next) = next.filter(|_| goes_on) else {
            break;
        };
        page = client.read(&format!("{path}&cursor={next}")).await?;
    }
    Ok(Some(Gathered { rows, has_more }))
}

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
