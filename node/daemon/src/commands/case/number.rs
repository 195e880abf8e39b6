//! Which case is meant: its number, or the beginning of it where no other case of the city begins so.

use serde_json::Value;
use tongban_types::{CaseNumber, Code};

use super::text;
use crate::commands::prefix::the_one;
use crate::failure::Failure;
use crate::node_access::NodeClient;

/// Pages of a hundred cases looked through for the beginning of a number.
const PAGES_MAX: usize = 100;

/// The number that was typed, or the only one that begins so.
pub(super) async fn number_of(client: &mut NodeClient, typed: &str) -> Result<String, Failure> {
    if typed.parse::<CaseNumber>().is_ok() {
        return Ok(typed.to_owned());
    }
    let mut numbers = Vec::new();
    let mut path = "/api/v1/cases?limit=100".to_owned();
    for _ in 0..PAGES_MAX {
        let page = client.read(&path).await?;
        for list in ["cases", "stored"] {
            let listed = page[list].as_array().map(Vec::as_slice).unwrap_or_default();
            numbers.extend(listed.iter().map(|case| text(&case["number"]).to_owned()));
        }
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/cases?limit=100&cursor={next}"),
            None => break,
        }
    }
    let ids = numbers.iter().map(String::as_str);
    the_one(ids, typed, Code::NO_SUCH_CASE)
        .map(ToOwned::to_owned)
        .map_err(|failure| failure.then(format!("tongban case ls{}", client.words())))
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
