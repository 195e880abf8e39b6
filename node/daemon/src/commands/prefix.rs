//! Identifiers people shorten: the beginning of one is enough where it is the beginning of no other.

use tongban_api::Said;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::Failure;

/// The one identifier that is `typed` or begins so.
pub(crate) fn the_one<'a>(
    ids: impl IntoIterator<Item = &'a str>,
    typed: &str,
    unknown: Code,
) -> Result<&'a str, Failure> {
    let mut found: Vec<&str> = Vec::new();
    for id in ids {
        if id == typed {
            return Ok(id);
        }
        if id.starts_with(typed) {
            found.push(id);
        }
    }
    match found[..] {
        [one] => Ok(one),
        [] => {
            let says = Said::new(
                format!("没有以 {typed} 开头的编号"),
                format!("no identifier begins with {typed}"),
            );
            Err(Failure::told(unknown, Exit::NotFound, says))
        }
        [first, second, ..] => {
            let says = Said::new(
                format!("{typed} 不止一个: {first}, {second} ..."),
                format!("{typed} is the beginning of several: {first}, {second} ..."),
            );
            Err(Failure::told(Code::AMBIGUOUS_PREFIX, Exit::Conflict, says))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_an_identifier_is_enough_where_it_is_of_one_alone() {
        let ids = ["a1b2", "a1c3", "a1"];
        let find = |typed| the_one(ids, typed, Code::NO_SUCH_TOKEN).map_err(|error| error.exit);
        assert_eq!(find("a1b"), Ok("a1b2"));
        assert_eq!(find("a1"), Ok("a1"));
        assert_eq!(find("a"), Err(Exit::Conflict));
        assert_eq!(find("b"), Err(Exit::NotFound));
    }
}
