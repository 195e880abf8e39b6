//! Settings as an operator reads them: each with its value and where it comes from, and what differs
//! between two configurations.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Written;
use super::layers::Origin;

/// What a running node takes up without a restart.
const RELOADED: [&str; 5] = [
    "log.level",
    "http.reads_per_second",
    "http.orders_per_second",
    CERTIFICATE[0],
    CERTIFICATE[1],
];

/// What is served is taken up, but not whether anything is.
const CERTIFICATE: [&str; 2] = ["http.certificate", "http.key"];
const TLS: &str = "http.tls";

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// `log.level`.
    pub(crate) key: String,
    /// Its value; null where there is none.
    pub(crate) value: Value,
    /// Where it comes from.
    pub(crate) origin: Origin,
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Change {
    /// `log.level`.
    pub(crate) key: String,
    /// Its value before.
    pub(crate) before: Value,
    /// Its value after.
    pub(crate) after: Value,
    /// Whether a running node takes it up only when it is started again.
    pub(crate) needs_restart: bool,
}

/// Every setting of a configuration, as if nobody had said it.
pub(super) fn of(written: &Written) -> Vec<Setting> {
    let written = serde_json::to_value(written).expect("sections are texts, numbers and lists");
    let Value::Object(sections) = written else {
        return Vec::new();
    };
    let mut settings = Vec::new();
    for (section, members) in sections {
        let Value::Object(members) = members else {
            continue;
        };
        settings.extend(members.into_iter().map(|(name, value)| Setting {
            key: format!("{section}.{name}"),
            value,
            origin: Origin::Default,
        }));
    }
    settings
}

/// What differs in `after` from `before`. Both have the same settings.
pub(crate) fn changes(before: &[Setting], after: &[Setting]) -> Vec<Change> {
    let pairs = before.iter().zip(after);
    let changed: Vec<_> = pairs.filter(|(old, new)| old.value != new.value).collect();
    let tls_waits = changed.iter().any(|(_, new)| new.key == TLS);
    let needs_restart =
        |key: &str| !RELOADED.contains(&key) || tls_waits && CERTIFICATE.contains(&key);
    changed
        .into_iter()
        .map(|(old, new)| Change {
            key: new.key.clone(),
            before: old.value.clone(),
            after: new.value.clone(),
            needs_restart: needs_restart(&new.key),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(key: &str, value: &str) -> Setting {
        Setting {
            key: key.to_owned(),
            value: value.into(),
            origin: Origin::Default,
        }
    }

    #[test]
    fn a_change_says_whether_it_needs_a_restart() {
        let before = [
            setting("log.level", "info"),
            setting("data.folder", "a"),
            setting("x.y", ""),
        ];
        let after = [
            setting("log.level", "warn"),
            setting("data.folder", "b"),
            setting("x.y", ""),
        ];
        let changed = changes(&before, &after);
        let found: Vec<_> = changed
            .iter()
            .map(|change| (change.key.as_str(), change.needs_restart))
            .collect();
        assert_eq!(found, [("log.level", false), ("data.folder", true)]);
    }

    #[test]
    fn a_certificate_is_taken_up_unless_tls_itself_waits_for_a_restart() {
        let named = |tls: &str, certificate: &str| {
            [
                setting("http.certificate", certificate),
                setting("http.tls", tls),
            ]
        };
        let waiting = |before: &[Setting], after: &[Setting]| -> Vec<bool> {
            let changed = changes(before, after).into_iter();
            changed.map(|change| change.needs_restart).collect()
        };
        let (before, renamed) = (named("on", "a"), named("on", "b"));
        assert_eq!(waiting(&before, &renamed), [false]);
        assert_eq!(waiting(&named("off", ""), &renamed), [true, true]);
    }
}
