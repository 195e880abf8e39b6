//! Keeping book of a verification: what each check found, and the verdict that follows.

use std::collections::BTreeMap;

use tongban_types::Timestamp;

use super::report::{Check, CheckId, CheckResult, Indication, Issuer, Report, SubIndication};
use crate::json::Json;

/// Why a check did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    id: CheckId,
    result: CheckResult,
    sub_indication: SubIndication,
    detail: String,
    detail_zh: String,
}

/// The document is wrong.
pub(super) fn failed(
    id: CheckId,
    sub_indication: SubIndication,
    detail_zh: impl Into<String>,
    detail: impl Into<String>,
) -> Finding {
    let (detail, detail_zh) = (detail.into(), detail_zh.into());
    Finding {
        id,
        result: CheckResult::Failed,
        sub_indication,
        detail,
        detail_zh,
    }
}

/// The document may be right, and this cannot be told.
pub(super) fn undecided(
    id: CheckId,
    sub_indication: SubIndication,
    detail_zh: impl Into<String>,
    detail: impl Into<String>,
) -> Finding {
    let (detail, detail_zh) = (detail.into(), detail_zh.into());
    Finding {
        id,
        result: CheckResult::Undecided,
        sub_indication,
        detail,
        detail_zh,
    }
}

/// The book of one verification.
#[derive(Debug, Default)]
pub(super) struct Examination {
    checks: BTreeMap<CheckId, Check>,
    first_failed: Option<SubIndication>,
    first_undecided: Option<SubIndication>,
    pub(super) issuer: Option<Issuer>,
    pub(super) claims: BTreeMap<String, Json>,
}

impl Examination {
    /// A check holds.
    pub(super) fn passed(
        &mut self,
        id: CheckId,
        detail_zh: impl Into<String>,
        detail: impl Into<String>,
    ) {
        self.enter(id, CheckResult::Passed, detail_zh.into(), detail.into());
    }

    /// Something is said that does not bear on the verdict.
    pub(super) fn noted(&mut self, id: CheckId, detail_zh: &str, detail: &str) {
        self.enter(
            id,
            CheckResult::Noted,
            detail_zh.to_owned(),
            detail.to_owned(),
        );
    }

    /// A check does not hold.
    pub(super) fn found(&mut self, finding: Finding) {
        let first = match finding.result {
            CheckResult::Failed => &mut self.first_failed,
            _ => &mut self.first_undecided,
        };
        first.get_or_insert(finding.sub_indication);
        self.enter(
            finding.id,
            finding.result,
            finding.detail_zh,
            finding.detail,
        );
    }

    fn enter(&mut self, id: CheckId, result: CheckResult, detail_zh: String, detail: String) {
        self.checks.insert(
            id,
            Check {
                id,
                result,
                detail,
                detail_zh,
            },
        );
    }

    /// The report. A document is valid only when every check that bears on the verdict was made
    /// and passed.
    pub(super) fn report(mut self, as_of: Timestamp, registry_version: u64) -> Report {
        let checks: Vec<Check> = CheckId::ALL
            .iter()
            .map(|id| self.checks.remove(id).unwrap_or_else(|| not_reached(*id)))
            .collect();
        let (indication, sub_indication) = match (self.first_failed, self.first_undecided) {
            (Some(reason), _) => (Indication::TotalFailed, Some(reason)),
            (None, Some(reason)) => (Indication::Indeterminate, Some(reason)),
            (None, None) => (Indication::TotalPassed, None),
        };
        let all_made = checks
            .iter()
            .all(|check| matches!(check.result, CheckResult::Passed | CheckResult::Noted));
        debug_assert_eq!(all_made, indication == Indication::TotalPassed);
        Report {
            indication,
            sub_indication,
            as_of,
            registry_version,
            issuer: self.issuer,
            checks,
            claims: self.claims,
        }
    }
}

fn not_reached(id: CheckId) -> Check {
    Check {
        id,
        result: CheckResult::NotReached,
        detail: "an earlier check stopped the verification".to_owned(),
        detail_zh: "前面的检查未通过, 未进行".to_owned(),
    }
}
