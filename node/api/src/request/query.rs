//! Query parameters: only those an operation knows, each at most once.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::extract::Query as Pairs;
use axum::http::{StatusCode, Uri};
use tongban_types::{CaseNumber, Code, MalformedId};

use crate::problem::Problem;
use crate::said::Said;

/// Characters of a case's number.
const CASE_NUMBER_LENGTH: usize = 23;

/// The parameters of an address.
#[derive(Debug)]
pub(crate) struct Query {
    values: BTreeMap<String, String>,
}

impl Query {
    /// Reads the parameters; one that is not in `known` is refused, so that a mistyped filter does
    /// not silently list everything.
    pub(crate) fn of(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let pairs = Pairs::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| bad("", Said::new("查询参数无法解读", "cannot be read")))?;
        let mut values = BTreeMap::new();
        for (name, value) in pairs.0 {
            if !known.contains(&name.as_str()) {
                let says = Said::new("没有这个查询参数", "is no parameter of this operation");
                return Err(bad(&name, says));
            }
            if values.insert(name.clone(), value).is_some() {
                return Err(bad(&name, Said::new("查询参数重复", "stands twice")));
            }
        }
        Ok(Self { values })
    }

    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether a switch is on.
    pub(crate) fn is_on(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => {
                let says = Said::new("应为 true 或 false", "must be true or false");
                Err(bad(name, says))
            }
        }
    }

    /// Whether a switch is on that may be named alone, as probes are used to.
    pub(crate) fn is_named(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            Some("") => Ok(true),
            _ => self.is_on(name),
        }
    }

    /// A number between bounds, in digits alone.
    pub(crate) fn number(
        &self,
        name: &str,
        bounds: RangeInclusive<usize>,
    ) -> Result<Option<usize>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_plain);
        if let Some(number) = number.filter(|number| bounds.contains(number)) {
            return Ok(Some(number));
        }
        let (least, most) = (bounds.start(), bounds.end());
        let says = Said::new(
            format!("应为 {least} 到 {most} 的整数"),
            format!("must be an integer from {least} to {most}"),
        );
        Err(bad(name, says))
    }
}

/// A parameter that is not as it should be.
pub(crate) fn bad(name: &str, says: Said) -> Problem {
    let shown: String = name.chars().take(40).collect();
    Problem::new(StatusCode::BAD_REQUEST, Code::BAD_QUERY).at(&shown, "query", says)
}

/// A parameter that is well formed and says what cannot be: 422, for no description of it tells.
pub(crate) fn unfit(name: &str, says: Said) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Code::BAD_QUERY).at(name, "query", says)
}

/// The number of a case in the query; of one that has its form and is mistyped the last character tells.
pub(crate) fn case_number(query: &Query, name: &str) -> Result<Option<CaseNumber>, Problem> {
    let is_formed = |text: &str| {
        let is_of = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
        text.len() == CASE_NUMBER_LENGTH && text.bytes().all(is_of)
    };
    let read = |text: &str| {
        text.parse().map_err(|malformed: MalformedId| {
            let refuse = if is_formed(text) { unfit } else { bad };
            refuse(name, malformed.into())
        })
    };
    query.get(name).map(read).transpose()
}

/// An identifier of the query.
pub(crate) fn parsed<T: FromStr<Err = MalformedId>>(
    query: &Query,
    name: &str,
) -> Result<Option<T>, Problem> {
    let text = query.get(name);
    text.map(str::parse)
        .transpose()
        .map_err(|malformed: MalformedId| bad(name, malformed.into()))
}
