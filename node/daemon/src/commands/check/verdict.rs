//! What a check found, and how each monitoring system reads it.

use serde::Serialize;
use tongban_api::Said;
use utoipa::ToSchema;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Described, Mark, Reader};

/// The four states of the Nagios plugin guidelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    Warning,
    Critical,
    Unknown,
}

/// A verdict.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Verdict {
    /// Which check.
    pub(super) check: &'static str,
    /// How it stands.
    pub(super) state: State,
    /// What was seen, in English, as every line for a monitoring system is.
    pub(super) said: String,
    /// The same in Chinese, for people.
    #[serde(skip)]
    said_zh: String,
    /// The figure it was judged by.
    pub(super) value: Option<f64>,
    /// Where a warning begins.
    pub(super) warn: Option<f64>,
    /// Where it is critical.
    pub(super) crit: Option<f64>,
    /// Whether less is worse.
    #[serde(skip)]
    less_is_worse: bool,
    /// The command to run next where it is not as it should be.
    #[serde(skip)]
    next: Option<String>,
}

impl State {
    const fn number(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The exit codes of that system, whose numbers mean something else elsewhere.
    pub(super) const fn nagios_exit(self) -> Exit {
        match self {
            Self::Ok => Exit::Yes,
            Self::Warning => Exit::Internal,
            Self::Critical => Exit::Usage,
            Self::Unknown => Exit::No,
        }
    }

    /// The exit codes of every other command.
    pub(super) const fn exit(self) -> Exit {
        match self {
            Self::Ok => Exit::Yes,
            Self::Warning | Self::Critical => Exit::No,
            Self::Unknown => Exit::Indeterminate,
        }
    }
}

impl Verdict {
    /// A figure of which more is worse, against its thresholds.
    pub(super) fn at_most(
        check: &'static str,
        value: f64,
        warn: f64,
        crit: f64,
        said: Said,
    ) -> Self {
        let state = if value >= crit {
            State::Critical
        } else if value >= warn {
            State::Warning
        } else {
            State::Ok
        };
        Self::of(check, state, value, warn, crit, said)
    }

    /// A figure of which less is worse.
    pub(super) fn at_least(
        check: &'static str,
        value: f64,
        warn: f64,
        crit: f64,
        said: Said,
    ) -> Self {
        let state = if value <= crit {
            State::Critical
        } else if value <= warn {
            State::Warning
        } else {
            State::Ok
        };
        Self {
            less_is_worse: true,
            ..Self::of(check, state, value, warn, crit, said)
        }
    }

    /// What there is no figure for.
    pub(super) fn without_figure(check: &'static str, state: State, said: Said) -> Self {
        Self {
            check,
            state,
            said: said.en,
            said_zh: said.zh,
            value: None,
            warn: None,
            crit: None,
            less_is_worse: false,
            next: None,
        }
    }

    /// Of a failure: its code, what happened, and what it says to do.
    pub(super) fn of_failure(check: &'static str, state: State, failure: &Failure) -> Self {
        let Said { zh, en } = failure.causes().next().unwrap_or_default();
        let code = failure.code;
        let said = Said::new(format!("{code}: {zh}"), format!("{code}: {en}"));
        Self {
            next: Some(failure.next.clone()),
            ..Self::without_figure(check, state, said)
        }
    }

    /// With the command to run next, where none is known yet.
    pub(super) fn or_next(mut self, next: impl FnOnce() -> String) -> Self {
        self.next = Some(self.next.unwrap_or_else(next));
        self
    }

    fn of(check: &'static str, state: State, value: f64, warn: f64, crit: f64, said: Said) -> Self {
        Self {
            check,
            state,
            said: said.en,
            said_zh: said.zh,
            value: Some(value),
            warn: Some(warn),
            crit: Some(crit),
            less_is_worse: false,
            next: None,
        }
    }

    /// `TONGBAN RAFT OK - words | raft=1;@~:0;@~:-1` (Nagios plugin guidelines): a figure of which less is
    /// worse has the range that is an alert. A bar would begin the figures and is left out of the words.
    pub(super) fn nagios(&self) -> String {
        let said = self.said.replace(['|', '\n'], " ");
        let line = format!(
            "TONGBAN {} {} - {said}",
            self.check.to_uppercase(),
            self.state.name()
        );
        match (self.value, self.warn, self.crit) {
            (Some(value), Some(warn), Some(crit)) => {
                let value = (value * 100.0).round() / 100.0;
                let range = if self.less_is_worse { "@~:" } else { "" };
                format!(
                    "{line} | {}={value};{range}{warn};{range}{crit}",
                    self.check
                )
            }
            _ => line,
        }
    }

    /// Two gauges in the text format.
    pub(super) fn prometheus(&self) -> String {
        let (check, state) = (self.check, self.state.number());
        let mut lines = vec![
            "# HELP tongban_check_state 0 ok, 1 warning, 2 critical, 3 unknown".to_owned(),
            "# TYPE tongban_check_state gauge".to_owned(),
            format!("tongban_check_state{{check=\"{check}\"}} {state}"),
        ];
        if let Some(value) = self.value {
            lines.extend([
                "# HELP tongban_check_value Figure the check judged by".to_owned(),
                "# TYPE tongban_check_value gauge".to_owned(),
                format!("tongban_check_value{{check=\"{check}\"}} {value}"),
            ]);
        }
        lines.join("\n")
    }
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Verdict>("tongban check");

impl Answer for Verdict {
    const SCHEMA: &'static str = "tongban.check/v1";

    fn to_text(&self, reader: Reader) -> String {
        let mark = match self.state {
            State::Ok => Mark::Good,
            State::Warning | State::Unknown => Mark::Warning,
            State::Critical => Mark::Bad,
        };
        let said = reader.say(&self.said_zh, &self.said);
        let line = format!("{} {said}", reader.paint(mark, self.state.name()));
        match &self.next {
            Some(next) if self.state != State::Ok => format!("{line}\n{}", reader.next(next)),
            _ => line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Language;

    #[test]
    fn people_are_told_in_their_language_and_monitoring_systems_in_english() {
        let said = Said::new("没有多数", "no quorum");
        let verdict = Verdict::at_least("raft", -1.0, 0.0, -1.0, said);
        let verdict = verdict.or_next(|| "tongban doctor --config node.toml".to_owned());
        let told = |language| verdict.to_text(Reader::plain(language));
        assert_eq!(
            told(Language::Zh),
            "CRITICAL 没有多数\n下一步: tongban doctor --config node.toml"
        );
        assert_eq!(
            told(Language::En),
            "CRITICAL no quorum\nnext: tongban doctor --config node.toml"
        );
        assert!(verdict.nagios().contains(" CRITICAL - no quorum | "));
        let for_programs = serde_json::to_value(&verdict).unwrap();
        assert_eq!(for_programs["said"], "no quorum");
        let good = Verdict::at_least("raft", 1.0, 0.0, -1.0, Said::alike("x"));
        let good = good.or_next(|| "tongban doctor".to_owned());
        assert_eq!(good.to_text(Reader::plain(Language::Zh)), "OK x");
    }

    #[test]
    fn a_figure_is_judged_by_its_thresholds_on_either_side() {
        let most = |value| Verdict::at_most("queue", value, 10.0, 20.0, Said::default()).state;
        assert_eq!(
            [most(9.0), most(10.0), most(20.0)],
            [State::Ok, State::Warning, State::Critical]
        );
        let least = |value| Verdict::at_least("cert", value, 30.0, 7.0, Said::default()).state;
        assert_eq!(
            [least(31.0), least(30.0), least(7.0)],
            [State::Ok, State::Warning, State::Critical]
        );
    }

    #[test]
    fn each_system_reads_its_own_form_and_exit_code() {
        let verdict = Verdict::at_most("disk", 81.5, 80.0, 95.0, Said::alike("a|b"));
        assert_eq!(
            verdict.nagios(),
            "TONGBAN DISK WARNING - a b | disk=81.5;80;95"
        );
        let less = Verdict::at_least("cert", 364.997_1, 30.0, 7.0, Said::alike("a"));
        assert_eq!(less.nagios(), "TONGBAN CERT OK - a | cert=365;@~:30;@~:7");
        let lines = verdict.prometheus();
        assert!(
            lines.contains("\ntongban_check_state{check=\"disk\"} 1\n"),
            "{lines}"
        );
        assert!(
            lines.ends_with("\ntongban_check_value{check=\"disk\"} 81.5"),
            "{lines}"
        );
        let states = [State::Ok, State::Warning, State::Critical, State::Unknown];
        assert_eq!(
            states.map(|state| state.nagios_exit().number()),
            [0, 1, 2, 3]
        );
        assert_eq!(states.map(|state| state.exit().number()), [0, 3, 3, 4]);
    }
}
