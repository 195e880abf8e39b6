//! Keys and registry: whether this machine may act as the node, and for how long.

use tongban_api::Said;
use tongban_runtime::seams::WallClock as _;
use tongban_types::{DAY_MS, Timestamp};

use super::Finding;
use crate::configuration::Configuration;
use crate::failure::Coded;
use crate::instant::beijing;
use crate::keys::KeyFolder;
use crate::node_process::check_enrolled;
use crate::platform::SystemClock;
use crate::registry::judge;

/// A next registry takes signatures of several cities: weeks.
const EXPIRY_WARNING_DAYS: i64 = 30;

pub(super) fn examine(configuration: &Configuration) -> Vec<Finding> {
    let keys = KeyFolder::of(&configuration.data).load();
    let now = SystemClock.now();
    // As a start judges it: after the first, by the one held and not by the pin.
    let judged = judge(
        &configuration.data,
        &configuration.registry_file,
        configuration.governance,
        now,
    );
    let mut findings = vec![match &keys {
        Ok(_) => Finding::success("keys", ("六把密钥, 权限 600", "six keys, mode 600")),
        Err(error) => {
            let next = format!(
                "tongban key make --data {} --node {}",
                configuration.data.display(),
                configuration.node
            );
            let said = error.says();
            let Said { zh, en } = said.unwrap_or_else(|| Said::alike(error.to_string()));
            Finding::failure("keys", (zh, en), next)
        }
    }];
    match judged {
        Ok(judged) => {
            let registry = judged.registry();
            findings.push(expiry(registry.version(), registry.expires(), now));
            if let Ok(keys) = keys {
                let enrolled = check_enrolled(registry, configuration.node, &keys.ring);
                findings.push(match enrolled {
                    Ok(()) => Finding::success(
                        "enrolled",
                        ("密钥与名册登记的相符", "the keys are those enrolled"),
                    ),
                    Err(error) => Finding::failed("enrolled", &error.into()),
                });
            }
        }
        Err(failure) => findings.push(Finding::failed("registry", &failure)),
    }
    findings
}

fn expiry(version: u64, expires: Timestamp, now: Timestamp) -> Finding {
    let left = expires.unix_ms() - now.unix_ms();
    let end = beijing(expires);
    let seen = (
        format!("第 {version} 版, 有效期至 {end}"),
        format!("version {version}, valid until {end}"),
    );
    let cure = "tongban registry make --plan plan.toml --after registry.json --out next.json";
    if left <= 0 {
        Finding::failure("registry", seen, cure)
    } else if left < EXPIRY_WARNING_DAYS * DAY_MS {
        Finding::warning("registry", seen, cure)
    } else {
        Finding::success("registry", seen)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn a_registry_is_warned_of_a_month_before_it_ends() {
        let now = Timestamp::from_unix_ms(1_000 * DAY_MS);
        let level = |days: i64| expiry(1, now.plus_ms(days * DAY_MS), now).level;
        assert_eq!(level(31), Level::Success);
        assert_eq!(level(29), Level::Warning);
        assert_eq!(level(0), Level::Failure);
    }
}
