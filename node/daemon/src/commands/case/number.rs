//! Which case is meant: its number, or the beginning of it where no other case of the city begins so.

use serde_json::Value;
use tongban_api::Said;
use tongban_types::{CaseNumber, Code};

use super::text;
use crate::commands::prefix::the_one;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::NodeClient;

/// Pages of a hundred cases looked through for the beginning of a number.
const PAGES_MAX: usize = 100;

/// The number that was typed, or the only one that begins so.
pub(super) async fn number_of(client: &mut NodeClient, typed: &str) -> Result<String, Failure> {
    if typed.parse::<CaseNumber>().is_ok() {
        return Ok(typed.to_owned());
    }
    let (mut numbers, mut is_whole) = (Vec::new(), false);
    let mut path = "/api/v1/cases?limit=100".to_owned();
    for _ in 0..PAGES_MAX {
        let page = client.read(&path).await?;
        for list in ["cases", "stored"] {
            let listed = page[list].as_array().map(Vec::as_slice).unwrap_or_default();
            numbers.extend(listed.iter().map(|case| text(&case["number"]).to_owned()));
        }
        let Some(next) = page["next"].as_str() else {
            is_whole = true;
            break;
        };
        path = format!("/api/v1/cases?limit=100&cursor={next}");
    }
    one_of(&numbers, is_whole, typed)
        .map(ToOwned::to_owned)
        .map_err(|failure| failure.then(format!("tongban case ls{}", client.words())))
}

/// The one of these that begins so. Where not all were looked through, another may begin so too: it is
/// acted on no case that may not be meant.
fn one_of<'a>(numbers: &'a [String], is_whole: bool, typed: &str) -> Result<&'a str, Failure> {
    let ids = numbers.iter().map(String::as_str);
    match the_one(ids, typed, Code::NO_SUCH_CASE) {
        Err(failure) if failure.code == Code::AMBIGUOUS_PREFIX => Err(failure),
        found if is_whole => found,
        _ => {
            let looked = numbers.len();
            let says = Said::new(
                format!("只找了 {looked} 件, 其余的也可能以 {typed} 开头: 请写全编号"),
                format!(
                    "{looked} cases were looked through, and others may begin with {typed} too: \
                     write the whole number"
                ),
            );
            Err(Failure::told(Code::AMBIGUOUS_PREFIX, Exit::Conflict, says))
        }
    }
}

/// What the node knows of a case.
pub(super) async fn read_case(client: &mut NodeClient, number: &str) -> Result<Value, Failure> {
    let read = client.read(&format!("/api/v1/cases/{number}")).await;
    read.map_err(|failure| {
        if failure.code == Code::NO_SUCH_CASE {
            return failure.then(format!("tongban case ls{}", client.words()));
        }
        failure
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_names_a_case_only_where_all_cases_were_looked_through() {
        let numbers = ["3501001", "3501002", "350200"].map(ToOwned::to_owned);
        let find = |is_whole, typed| {
            let found = one_of(&numbers, is_whole, typed);
            found.map_err(|failure| (failure.code, failure.exit))
        };
        assert_eq!(find(true, "3502"), Ok("350200"));
        let unknown = (Code::NO_SUCH_CASE, Exit::NotFound);
        assert_eq!(find(true, "99"), Err(unknown));
        let several = (Code::AMBIGUOUS_PREFIX, Exit::Conflict);
        assert_eq!(find(true, "3501"), Err(several));
        for typed in ["3502", "99", "3501"] {
            assert_eq!(find(false, typed), Err(several));
        }
        let refused = one_of(&numbers, false, "3502").unwrap_err();
        let said = refused.causes().next().unwrap();
        assert!(said.zh.ends_with("请写全编号"), "{}", said.zh);
        assert!(said.en.ends_with("write the whole number"), "{}", said.en);
    }
}
