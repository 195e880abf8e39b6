//! What a demonstration found, for people and for scripts.

use serde::Serialize;

use crate::exit::Exit;
use crate::output::{Answer, Reader};

/// The outcome of a demonstration.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    /// Acknowledged cases missing at the receiving city or at the authority.
    pub(crate) cases_lost: usize,
    /// Cases there more than once, or without having been acknowledged.
    pub(crate) cases_duplicated: usize,
    /// Whether the process that led a group was killed.
    pub(crate) leader_killed: bool,
    /// Verdict on the document.
    pub(crate) document: &'static str,
    /// Verdict on a tampered copy.
    pub(crate) tampered: &'static str,
    /// How long all of it took.
    pub(crate) seconds: f64,
    /// Cases acknowledged.
    pub(crate) cases: usize,
}

impl Summary {
    /// Whether every promise was kept.
    pub(crate) fn exit(&self) -> Exit {
        let kept = self.cases_lost == 0
            && self.cases_duplicated == 0
            && self.leader_killed
            && self.document == "valid"
            && self.tampered == "invalid";
        if kept { Exit::Yes } else { Exit::No }
    }
}

impl Answer for Summary {
    const SCHEMA: &'static str = "tongban.demo/v1";

    fn to_text(&self, _: Reader) -> String {
        let ending = match self.exit() {
            Exit::Yes => "承诺全部兑现".to_owned(),
            _ => format!(
                "有承诺未兑现!\n下一步: tongban explain {}",
                tongban_types::Code::DEMO_CLAIM_BROKEN
            ),
        };
        format!(
            "办件 {} 件, 丢失 {}, 重复 {}; 文书{}, 篡改件{}; 用时 {:.1} 秒。{ending}",
            self.cases,
            self.cases_lost,
            self.cases_duplicated,
            verdict_zh(self.document),
            verdict_zh(self.tampered),
            self.seconds,
        )
    }
}

fn verdict_zh(verdict: &str) -> &'static str {
    match verdict {
        "valid" => "有效",
        "invalid" => "无效",
        _ => "无法确定",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Summary = Summary {
        cases_lost: 0,
        cases_duplicated: 0,
        leader_killed: true,
        document: "valid",
        tampered: "invalid",
        seconds: 12.0,
        cases: 9,
    };

    #[test]
    fn one_broken_promise_is_a_definite_no() {
        assert_eq!(GOOD.exit(), Exit::Yes);
        let broken = [
            Summary {
                cases_lost: 1,
                ..GOOD
            },
            Summary {
                cases_duplicated: 1,
                ..GOOD
            },
            Summary {
                leader_killed: false,
                ..GOOD
            },
            Summary {
                document: "indeterminate",
                ..GOOD
            },
            Summary {
                tampered: "valid",
                ..GOOD
            },
        ];
        for summary in broken {
            assert_eq!(summary.exit(), Exit::No, "{summary:?}");
        }
    }
}
