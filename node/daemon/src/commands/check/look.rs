//! Looking: at the node's own account of itself, at its disk, at a backup.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tongban_api::Said;
use tongban_runtime::seams::WallClock as _;
use tongban_types::{Code, Timestamp};

use super::verdict::{State, Verdict};
use super::{Arguments, Subject};
use crate::commands::backup::{age_of_last, check_file};
use crate::commands::doctor::free_space;
use crate::commands::own_group::own_group;
use crate::commands::stopped_node::on_tasks;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::FileError;
use crate::instant::read_time;
use crate::node_access::{Contact, partners};
use crate::node_process::Ready;
use crate::platform::SystemClock;
use crate::tls::{end_of_file, own_files};

/// A monitoring system asks again soon.
const PATIENCE: Duration = Duration::from_secs(5);

const HOUR: f64 = 3_600.0;
const DAY_MS: f64 = 86_400_000.0;

/// Looks and judges.
pub(super) fn look(arguments: &Arguments) -> Result<Verdict, Failure> {
    let check = arguments.subject.name();
    let limits = |warn: f64, crit: f64| {
        (
            arguments.warn.unwrap_or(warn),
            arguments.crit.unwrap_or(crit),
        )
    };
    match arguments.subject {
        Subject::Federation => {
            let (warn, crit) = limits(1.0, 2.0);
            let (away, all) = partners_away(&ask(arguments, "/api/v1/peers")?);
            let said = Said::new(
                format!("{all} 个伙伴城市中 {away} 个联系不上"),
                format!("{away} of {all} partner cities out of touch"),
            );
            Ok(Verdict::at_most(check, float(away), warn, crit, said))
        }
        Subject::Raft => Ok(raft(&ask(arguments, "/api/v1/status")?, limits(0.0, -1.0))),
        Subject::Queue => {
            let (warn, crit) = limits(100.0, 1_000.0);
            let status = ask(arguments, "/api/v1/status")?;
            let waiting = status["desk_waiting"].as_u64().unwrap_or(0);
            let refused = &status["desk_refused"];
            let said = Said::new(
                format!("待复制的收件 {waiting} 件, 被拒 {refused} 件"),
                format!("{waiting} applications wait to be replicated, {refused} refused"),
            );
            Ok(Verdict::at_most(check, float(waiting), warn, crit, said))
        }
        Subject::Clock => {
            let (warn, crit) = limits(10.0, 30.0);
            let status = ask(arguments, "/api/v1/status")?;
            let own = own_group(&status).filter(|own| own["has_quorum"] == true);
            let time = own.and_then(|own| own["time"].as_str());
            let Some(group) = time.and_then(|time| read_time(time).ok()) else {
                let said = Said::new(
                    "审批组没有多数, 无从比较",
                    "the group has no majority whose time could be compared",
                );
                return Ok(Verdict::without_figure(check, State::Unknown, said));
            };
            let apart = float(SystemClock.now().unix_ms().abs_diff(group.unix_ms())) / 1e3;
            let said = Said::new(
                format!("与审批组时间相差 {apart:.1} 秒"),
                format!("{apart:.1} s apart from the group's time"),
            );
            Ok(Verdict::at_most(check, apart, warn, crit, said))
        }
        Subject::Cert => {
            let (warn, crit) = limits(30.0, 7.0);
            let federation = ask(arguments, "/api/v1/federation")?;
            let expires = federation["registry_expires"]
                .as_str()
                .and_then(|time| read_time(time).ok());
            let Some(expires) = expires else {
                let said = Said::new(
                    "节点没有说名册何时到期",
                    "the node does not say when its registry expires",
                );
                return Ok(Verdict::without_figure(check, State::Unknown, said));
            };
            let days = days_until(expires);
            let said = Said::new(
                format!("名册还有 {days:.1} 天到期"),
                format!("the registry expires in {days:.1} days"),
            );
            Ok(Verdict::at_least(check, days, warn, crit, said))
        }
        Subject::Tls => {
            let (warn, crit) = limits(14.0, 3.0);
            let data = folder_here(arguments)?;
            let served = Ready::on(&data)?.and_then(|ready| ready.certificate);
            let file = served.unwrap_or_else(|| own_files(&data).certificate);
            let end = end_of_file(&file)?;
            let days = days_until(end);
            let said = Said::new(
                format!("接口证书还有 {days:.1} 天到期"),
                format!("the certificate of the API expires in {days:.1} days"),
            );
            Ok(Verdict::at_least(check, days, warn, crit, said))
        }
        Subject::Disk => {
            let (warn, crit) = limits(80.0, 95.0);
            let data = folder_here(arguments)?;
            let (free, total) = free_space(&data).map_err(FileError::at(&data))?;
            let used = 100.0 - 100.0 * float(free) / float(total.max(1));
            let said = Said::new(
                format!("磁盘已用 {used:.1} %"),
                format!("{used:.1} % of the disk is in use"),
            );
            Ok(Verdict::at_most(check, used, warn, crit, said))
        }
        Subject::Backup => {
            let (warn, crit) = limits(26.0, 50.0);
            let age = match age_of_backup(arguments) {
                Ok(Some(age)) => age,
                Ok(None) => {
                    let said = Said::new("节点从未备份过", "the node was never backed up");
                    return Ok(Verdict::without_figure(check, State::Critical, said));
                }
                // A file that is surely no backup is as bad as none, however new it is.
                Err(failure) if arguments.file.is_some() && failure.exit == Exit::No => {
                    return Ok(Verdict::of_failure(check, State::Critical, &failure));
                }
                Err(failure) => return Err(failure),
            };
            let hours = age.as_secs_f64() / HOUR;
            let said = Said::new(
                format!("备份是 {hours:.1} 小时前的"),
                format!("the backup is {hours:.1} hours old"),
            );
            Ok(Verdict::at_most(check, hours, warn, crit, said))
        }
    }
}

fn days_until(end: Timestamp) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "days, of which tenths are shown"
    )]
    let days = (end.unix_ms() - SystemClock.now().unix_ms()) as f64 / DAY_MS;
    days
}

fn ask(arguments: &Arguments, path: &str) -> Result<Value, Failure> {
    if arguments.node.shows_curl() {
        let says = Said::new("check 没有 --curl", "check has no --curl");
        return Err(Failure::told(Code::USAGE, Exit::Usage, says).then("tongban status --curl"));
    }
    on_tasks(async {
        let mut client = arguments.node.open(PATIENCE)?;
        client.read(path).await
    })
}

/// The data folder of the node on this machine, of which alone files and disks are seen.
fn folder_here(arguments: &Arguments) -> Result<PathBuf, Failure> {
    if arguments.node.is_elsewhere() {
        let check = arguments.subject.name();
        let says = Said::new(
            format!("check {check} 看本机的文件, 不能用 --url"),
            format!("check {check} looks at files of this machine and takes no --url"),
        );
        return Err(Failure::told(Code::USAGE, Exit::Usage, says)
            .then(format!("tongban check {check} --config FILE")));
    }
    arguments.node.folder()
}

/// How old the backup at hand is, or the last one of the node here, if there ever was one. A file is read from its
/// first byte to its last, and as old as its node signed: a copy bears the date of the copying.
fn age_of_backup(arguments: &Arguments) -> Result<Option<Duration>, Failure> {
    if let Some(file) = &arguments.file {
        let ended_at = check_file(file)?.manifest.ended_at;
        let now = SystemClock.now();
        let age_ms = now.unix_ms().saturating_sub(ended_at.unix_ms());
        let age = Duration::from_millis(u64::try_from(age_ms).unwrap_or(0));
        return Ok(Some(age));
    }
    let data = folder_here(arguments)?;
    // A folder that is not there says nothing of backups.
    std::fs::metadata(&data).map_err(FileError::at(&data))?;
    Ok(age_of_last(&data)?)
}

/// Partner cities all of whose nodes were dialed in vain, and all partner cities. One that nobody wanted
/// anything of yet is not away.
fn partners_away(peers: &Value) -> (u64, u64) {
    let partners = partners(peers);
    let away = partners
        .iter()
        .filter(|one| matches!(one.contact, Contact::Away { .. }));
    let count = |number| u64::try_from(number).unwrap_or(u64::MAX);
    (count(away.count()), count(partners.len()))
}

/// How many voters can still be lost; -1 where the group cannot decide already. A node that does not lead it
/// goes by its own links, and says so.
fn raft(status: &Value, (warn, crit): (f64, f64)) -> Verdict {
    let works = |own: &&Value| {
        own["has_quorum"] == true && own["stopped"] == false && status["failed"] == false
    };
    let Some(own) = own_group(status).filter(works) else {
        let said = Said::new(
            "本市审批组没有多数, 或已停止",
            "the city's group has no quorum, or has stopped",
        );
        return Verdict::at_least("raft", -1.0, warn, crit, said);
    };
    let can_lose = own["can_lose"].as_u64().unwrap_or(0);
    let leader = own["leader"].as_str().unwrap_or("?");
    let term = &own["term"];
    let (seen_zh, seen_en) = if own["leader"] == status["node"] {
        ("", "")
    } else {
        ("本机所见", " as seen from here")
    };
    let said = Said::new(
        format!("{seen_zh}还可失去 {can_lose} 个投票节点, 主副本在 {leader}, 任期 {term}"),
        format!("voters that can be lost{seen_en}: {can_lose}, led by {leader}, term {term}"),
    );
    Verdict::at_least("raft", float(can_lose), warn, crit, said)
}

#[expect(clippy::cast_precision_loss, reason = "figures of a monitoring system")]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::both_languages::{is_chinese, is_han};
    use crate::node_process::{DataFolder, READY_FILE};
    use crate::output::{Answer as _, Language, Reader};
    use crate::tls::own_certificate;
    use crate::typed::typed;

    #[test]
    fn what_is_seen_on_a_disk_alone_is_not_asked_of_a_node_by_its_address() {
        for subject in ["backup", "disk", "tls"] {
            let words = ["check", subject, "--url", "http://127.0.0.1:8443"];
            let typed: Arguments = typed(&words);
            let refused = look(&typed).unwrap_err();
            assert_eq!((refused.code, refused.exit), (Code::USAGE, Exit::Usage));
            let next = format!("tongban check {subject} --config FILE");
            assert_eq!(refused.next, next);
        }
    }

    #[test]
    fn a_backup_that_is_pointed_at_is_judged_wherever_its_node_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let name = file.path().to_str().unwrap();
        let words = [
            "check",
            "backup",
            "--file",
            name,
            "--url",
            "http://127.0.0.1:8443",
        ];
        let typed: Arguments = typed(&words);
        // An empty file is no backup, new as it is.
        let verdict = look(&typed).unwrap();
        assert_eq!(verdict.state, State::Critical);
        assert!(verdict.said.starts_with("TB4020: "), "{}", verdict.said);
        file.close().unwrap();
        let absent = look(&typed).unwrap_err();
        assert_eq!(absent.exit, Exit::NotFound);
    }

    #[test]
    fn a_node_that_was_killed_serves_no_certificate_whatever_it_left() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let node = "350100-01".parse().unwrap();
        own_certificate(data, node, &[], SystemClock.now()).unwrap();
        let taken = DataFolder::take(data, node).unwrap();
        let ready = Ready {
            http: "127.0.0.1:9".to_owned(),
            url: "https://127.0.0.1:9".to_owned(),
            certificate: Some(data.join("gone.pem")),
            fingerprint: None,
            federation: String::new(),
            node: node.to_string(),
            pid: 1,
        };
        ready.write(&data.join(READY_FILE)).unwrap();
        let words = ["check", "tls", "--data", data.to_str().unwrap()];
        let typed: Arguments = typed(&words);
        // While it runs, what it says it serves is looked at.
        assert!(look(&typed).is_err());
        drop(taken);
        let verdict = look(&typed).unwrap();
        assert_eq!(verdict.state, State::Ok);
    }

    #[test]
    fn a_group_that_cannot_decide_is_critical_and_one_without_reserve_a_warning() {
        let status = |can_lose, quorum| {
            json!({"failed": false, "node": "350100-01", "groups": [{
                "group": "350100", "can_lose": can_lose, "has_quorum": quorum,
                "stopped": false, "leader": "n", "term": 3
            }]})
        };
        let state = |can_lose, quorum| raft(&status(can_lose, quorum), (0.0, -1.0)).state;
        assert_eq!(state(1, true), State::Ok);
        assert_eq!(state(0, true), State::Warning);
        assert_eq!(state(1, false), State::Critical);
        let nothing = raft(&json!({}), (0.0, -1.0));
        assert_eq!(nothing.state, State::Critical);
        let told = |language| nothing.to_text(Reader::plain(language));
        assert!(told(Language::Zh).contains(is_han));
        assert!(!told(Language::En).contains(is_chinese));
        let mut led_here = status(1, true);
        let follower = raft(&led_here, (0.0, -1.0));
        assert!(follower.said.contains("as seen from here"));
        led_here["groups"][0]["leader"] = led_here["node"].clone();
        let leader = raft(&led_here, (0.0, -1.0));
        assert!(!leader.said.contains("as seen from here"));
        let mut of_another = status(1, true);
        of_another["node"] = json!("350300-01");
        assert_eq!(raft(&of_another, (0.0, -1.0)).state, State::Critical);
    }

    #[test]
    fn a_partner_city_is_away_when_its_nodes_were_dialed_in_vain() {
        let peer = |city: &str, state: &str| json!({"city": city, "state": state});
        let peers = json!({"this_node": "350100-01", "peers": [
            peer("350300", "connected"), peer("610500", "waiting"), peer("621100", "idle"),
        ]});
        assert_eq!(partners_away(&peers), (1, 3));
    }
}
