//! How a calendar writes a day: as `2026-02-15` in formats for people, as the integer it is in others.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::CivilDay;

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what a `with` module writes by reference"
)]
pub(super) fn serialize<S: Serializer>(day: &CivilDay, to: S) -> Result<S::Ok, S::Error> {
    if to.is_human_readable() {
        to.collect_str(day)
    } else {
        day.serialize(to)
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<CivilDay, D::Error> {
    if from.is_human_readable() {
        let text = String::deserialize(from)?;
        read(&text).ok_or_else(|| D::Error::custom("a date as 2026-02-15 is expected"))
    } else {
        CivilDay::deserialize(from)
    }
}

fn read(text: &str) -> Option<CivilDay> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let day = CivilDay::from_ymd(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    // One day has one text: no signs, no missing zeros.
    (day.to_string() == text).then_some(day)
}

/// Several days, each written so.
pub(super) mod list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::CivilDay;

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Day(#[serde(with = "super")] CivilDay);

    pub(in super::super) fn serialize<S: Serializer>(
        days: &[CivilDay],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(days.iter().copied().map(Day))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<CivilDay>, D::Error> {
        let days = Vec::<Day>::deserialize(from)?;
        Ok(days.into_iter().map(|day| day.0).collect())
    }
}
