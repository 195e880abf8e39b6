//! `tongban doc verify`: judges a document from one file and one registry, with no network.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tongban_runtime::seams::WallClock as _;
use tongban_trust::{CheckResult, Indication, Report, verify_document};
use tongban_types::{Hash, Timestamp, limits::DOCUMENT_BYTES_MAX};
use utoipa::ToSchema;

use super::pin::read_pin;
use super::report_shape::ReportShape;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::read_bounded;
use crate::instant::{beijing, read_time};
use crate::output::{Answer, Described, Mark, Output, Reader, padded};
use crate::platform::SystemClock;
use crate::registry::{believe, read_registry};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 文书文件 (the document)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// 名册文件 (the registry)
    #[arg(long, value_name = "REGISTRY")]
    trust: PathBuf,
    /// 名册应有的治理密钥哈希 (hash the registry's governance keys must have)
    #[arg(long, value_name = "HASH", value_parser = read_pin)]
    pin: Option<Hash>,
    /// 按哪个时间核验 (RFC 3339), 默认现在 (as of which time; now by default)
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    at: Option<Timestamp>,
}

/// What was found about a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Verification {
    /// `valid`, `invalid` or `indeterminate`.
    pub(crate) verdict: &'static str,
    code: Option<String>,
    logged: bool,
    governance_compared: bool,
    #[schema(value_type = ReportShape)]
    report: Report,
}

impl Verification {
    /// Verifies a document in compact form; blanks at its end are those of the file.
    pub(crate) fn of(
        document: &[u8],
        registry: &[u8],
        pin: Option<Hash>,
        at: Timestamp,
    ) -> Result<Self, Failure> {
        // A registry that is not to be believed says nothing about the document.
        let registry = believe(registry, pin)
            .map_err(|error| Failure::from(error).exiting(Exit::Indeterminate))?;
        let report = verify_document(document.trim_ascii_end(), &registry, at);
        let verdict = match report.indication {
            Indication::TotalPassed => "valid",
            Indication::TotalFailed => "invalid",
            Indication::Indeterminate => "indeterminate",
        };
        let code = report.code().map(|code| code.to_string());
        // Documents of profile 0 carry no proof of inclusion.
        Ok(Self {
            verdict,
            code,
            logged: false,
            governance_compared: pin.is_some(),
            report,
        })
    }

    /// How a command ends that found this.
    pub(crate) const fn exit(&self) -> Exit {
        match self.report.indication {
            Indication::TotalPassed => Exit::Yes,
            Indication::TotalFailed => Exit::No,
            Indication::Indeterminate => Exit::Indeterminate,
        }
    }

    fn verdict_text(&self, reader: Reader) -> &'static str {
        match self.report.indication {
            Indication::TotalPassed => reader.say("有效 (valid)", "valid"),
            Indication::TotalFailed => reader.say("无效 (invalid)", "invalid"),
            Indication::Indeterminate => reader.say("无法确定 (indeterminate)", "indeterminate"),
        }
    }

    fn verdict_mark(&self) -> Mark {
        match self.report.indication {
            Indication::TotalPassed => Mark::Good,
            Indication::TotalFailed => Mark::Bad,
            Indication::Indeterminate => Mark::Warning,
        }
    }
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Verification>("tongban doc verify");

impl Answer for Verification {
    const SCHEMA: &'static str = "tongban.verification/v1";

    fn to_text(&self, reader: Reader) -> String {
        let report = &self.report;
        let (at, version) = (beijing(report.as_of), report.registry_version);
        let verdict = reader.paint(self.verdict_mark(), self.verdict_text(reader));
        let mut lines = vec![reader.say(
            format!("结论: {verdict}   (截至 {at}, 名册第 {version} 版)"),
            format!("verdict: {verdict}   (as of {at}, registry version {version})"),
        )];
        if let Some(issuer) = &report.issuer {
            let signed = reader.say("签发", "issued by");
            lines.push(format!("{signed}: {} ({})", issuer.name, issuer.city));
        }
        for check in &report.checks {
            let title = reader.say(check.id.title_zh(), check.id.title_en());
            let detail = reader.say(&check.detail_zh, &check.detail);
            let english = match check.result {
                CheckResult::Noted => reader.say(format!(" ({})", check.detail), String::new()),
                _ => String::new(),
            };
            let (mark, title) = (mark(check.result), padded(title, 32));
            lines.push(format!(" {mark} {title} {detail}{english}"));
        }
        if !self.governance_compared {
            let mark = mark(CheckResult::Noted);
            let (title, detail) = reader.say(
                (
                    "名册来自所认的联盟",
                    "治理密钥未比对 (--pin) (governance keys not compared)",
                ),
                (
                    "registry is the trusted one",
                    "governance keys not compared (--pin)",
                ),
            );
            lines.push(format!(" {mark} {} {detail}", padded(title, 32)));
        }
        if let Some(code) = &self.code {
            lines.push(reader.next(&format!("tongban explain {code}")));
        }
        lines.join("\n")
    }
}

const fn mark(result: CheckResult) -> &'static str {
    match result {
        CheckResult::Passed => "✓",
        CheckResult::Failed => "✗",
        CheckResult::Undecided => "?",
        CheckResult::Noted => "·",
        CheckResult::NotReached => "-",
    }
}

/// Verifies the file.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    // Room for the blanks an editor leaves behind.
    let document = read_bounded(&arguments.file, DOCUMENT_BYTES_MAX + 16)?;
    let registry = read_registry(&arguments.trust)?;
    let at = arguments.at.unwrap_or_else(|| SystemClock.now());
    let verification = Verification::of(&document, &registry, arguments.pin, at)?;
    output.answer(&verification);
    Ok(verification.exit())
}
