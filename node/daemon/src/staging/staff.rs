//! Access tokens for the people of a city, made as `tongban token create` makes them.

use tongban_api::FileTokenBook;
use tongban_runtime::seams::WallClock as _;
use tongban_types::{Actor, DAY_MS, PersonId, Role};

use super::layout::Site;
use crate::failure::Failure;
use crate::node_process::TOKENS_FILE;
use crate::platform::{OsEntropy, SystemClock};

/// A token of a day for a person of the city.
pub(crate) fn make_token(site: &Site, role: Role, person: &str) -> Result<String, Failure> {
    let person = PersonId::new(person).map_err(anyhow::Error::from)?;
    let actor = Actor {
        city: site.node.city(),
        person,
        role,
    };
    let book = FileTokenBook::open(site.data.join(TOKENS_FILE))?;
    let now = SystemClock.now();
    let made = book.create(&actor, now.plus_ms(DAY_MS), "演示", now, &OsEntropy)?;
    Ok(made.token.expose().to_owned())
}
