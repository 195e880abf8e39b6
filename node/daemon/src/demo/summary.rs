//! What a demonstration found, for people and for scripts.

use serde::Serialize;
use tongban_types::Code;
use utoipa::ToSchema;

use super::lines::{Lines, QUIC, TCP};
use super::tour::Step;
use super::words::{self, Line};
use crate::commands::backup::Drilled;
use crate::exit::Exit;
use crate::output::{Answer, Described, Reader};

/// The outcome of a demonstration.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Summary {
    /// Acknowledged cases missing at the receiving city or at the authority; nothing where a tour ended before
    /// they were counted.
    pub(super) cases_lost: Option<usize>,
    /// Cases there more than once, or without having been acknowledged.
    pub(super) cases_duplicated: Option<usize>,
    /// Whether the process that led a group was killed.
    pub(super) leader_killed: bool,
    /// Whether the city with two nodes went on while its first was down: its second opened what the first had begun,
    /// decided it and issued the document, which is the only one there is now that both are back.
    pub(super) two_node_city: bool,
    /// Verdict on the document; empty where there was none.
    pub(super) document: &'static str,
    /// Verdict on a tampered copy.
    pub(super) tampered: &'static str,
    /// What the receiving city and the authority were linked by: `quic` or `tcp`.
    pub(super) line: String,
    /// Pairs of nodes linked by QUIC.
    pub(super) quic_pairs: usize,
    /// Pairs of nodes linked by TCP.
    pub(super) tcp_pairs: usize,
    /// `passed` or `failed`: the drill with a backup of the receiving city's node.
    pub(super) drill: &'static str,
    /// How long all of it took.
    pub(super) seconds: f64,
    /// Cases acknowledged.
    pub(super) cases: usize,
    /// Of a tour: every step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) steps: Vec<Step>,
}

impl Summary {
    /// What the cities are linked by; the pair is receiving city and authority.
    pub(super) fn note_lines(&mut self, lines: &Lines, pair: (usize, usize)) {
        lines.carrier_of(pair).clone_into(&mut self.line);
        (self.quic_pairs, self.tcp_pairs) = (lines.count(QUIC), lines.count(TCP));
    }

    /// What a drill found.
    pub(super) fn note_drill(&mut self, drilled: &Drilled) {
        self.drill = if drilled.has_passed() {
            "passed"
        } else {
            "failed"
        };
    }

    /// Whether every promise was kept. A tour with a step that did not pass has failed.
    pub(super) fn exit(&self) -> Exit {
        if self.steps.iter().any(|step| !step.has_passed()) {
            return Exit::Internal;
        }
        let kept = self.cases_lost == Some(0)
            && self.cases_duplicated == Some(0)
            && self.leader_killed
            && self.two_node_city
            && self.document == "valid"
            && self.tampered == "invalid"
            && self.drill == "passed";
        if kept { Exit::Yes } else { Exit::No }
    }
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Summary>("tongban demo");

impl Answer for Summary {
    const SCHEMA: &'static str = "tongban.demo/v1";

    fn to_text(&self, reader: Reader) -> String {
        let say = |line: Line| line.told(reader, &[]);
        let counted = |count: Option<usize>| {
            count.map_or_else(|| say(words::NOT_COUNTED), |count| count.to_string())
        };
        let mut kept = Vec::new();
        if !self.steps.is_empty() {
            let passed = self.steps.iter().filter(|step| step.has_passed()).count();
            let values: words::Values<'_> = &[("passed", &passed), ("all", &self.steps.len())];
            kept.push(words::STEPS.told(reader, values));
        }
        if self.exit() == Exit::Yes {
            kept.push(say(words::ALL_KEPT));
        } else {
            let next = format!("tongban explain {}", Code::DEMO_CLAIM_BROKEN);
            kept.extend([
                say(words::NOT_ALL_KEPT),
                "\n".to_owned(),
                reader.next(&next),
            ]);
        }
        words::ENDING.told(
            reader,
            &[
                ("cases", &self.cases),
                ("lost", &counted(self.cases_lost)),
                ("twice", &counted(self.cases_duplicated)),
                ("document", &say(verdict(self.document))),
                ("tampered", &say(verdict(self.tampered))),
                ("drill", &say(outcome(self.drill))),
                ("seconds", &format!("{:.1}", self.seconds)),
                ("kept", &kept.concat()),
            ],
        )
    }
}

/// A verdict in words.
pub(super) fn verdict(verdict: &str) -> Line {
    match verdict {
        "valid" => words::VALID,
        "invalid" => words::INVALID,
        _ => words::UNDECIDED,
    }
}

fn outcome(drill: &str) -> Line {
    match drill {
        "passed" => words::PASSED,
        _ => words::NOT_PASSED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Summary {
        Summary {
            cases_lost: Some(0),
            cases_duplicated: Some(0),
            leader_killed: true,
            two_node_city: true,
            document: "valid",
            tampered: "invalid",
            drill: "passed",
            seconds: 12.0,
            cases: 9,
            ..Summary::default()
        }
    }

    #[test]
    fn one_broken_promise_is_a_definite_no() {
        assert_eq!(good().exit(), Exit::Yes);
        let broken = [
            Summary {
                cases_lost: Some(1),
                ..good()
            },
            Summary {
                cases_lost: None,
                ..good()
            },
            Summary {
                cases_duplicated: Some(1),
                ..good()
            },
            Summary {
                leader_killed: false,
                ..good()
            },
            Summary {
                two_node_city: false,
                ..good()
            },
            Summary {
                document: "indeterminate",
                ..good()
            },
            Summary {
                tampered: "valid",
                ..good()
            },
            Summary {
                drill: "failed",
                ..good()
            },
        ];
        for summary in broken {
            assert_eq!(summary.exit(), Exit::No, "{summary:?}");
        }
    }

    #[test]
    fn what_scripts_read_of_a_plain_demonstration_keeps_its_members() {
        let object = serde_json::to_value(good()).unwrap();
        for (member, value) in [
            ("cases_lost", 0.into()),
            ("cases_duplicated", 0.into()),
            ("leader_killed", true.into()),
            ("two_node_city", true.into()),
            ("document", "valid".into()),
            ("tampered", serde_json::Value::from("invalid")),
        ] {
            assert_eq!(object[member], value, "{member}");
        }
        assert!(object.get("steps").is_none(), "steps are a tour's");
    }
}
