//! The JSON form of a verification's report. The report is a type of `protocol/trust`, which knows nothing of
//! schemas: what stands here is never built, and a test compares it with real reports.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;

/// What a verification found, in the words of ETSI EN 319 102-1.
#[derive(ToSchema)]
#[expect(dead_code, reason = "stands in for a report, and is never built")]
pub(super) struct ReportShape {
    indication: IndicationShape,
    /// Why it is not valid; the first reason found.
    sub_indication: Option<SubIndicationShape>,
    /// The time the verdict is for: milliseconds since 1970 (UTC).
    as_of: i64,
    /// The version of the registry used.
    registry_version: u64,
    /// Who issued it; known once the signature verified.
    issuer: Option<IssuerShape>,
    /// Every check, in the order they are made.
    checks: Vec<CheckShape>,
    /// What the issuer signed and the holder disclosed; empty unless all of it verified.
    claims: BTreeMap<String, Value>,
}

/// The verdict.
#[derive(ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(dead_code, reason = "stands in for a verdict, and is never built")]
enum IndicationShape {
    TotalPassed,
    TotalFailed,
    Indeterminate,
}

/// Why the verdict is not *valid*.
#[derive(ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(dead_code, reason = "stands in for a reason, and is never built")]
enum SubIndicationShape {
    FormatFailure,
    HashFailure,
    SigCryptoFailure,
    Expired,
    NotYetValid,
    NoSigningCertificateFound,
    NoCertificateChainFound,
    SigConstraintsFailure,
    OutOfBoundsNoPoe,
    TryLater,
}

/// The issuer as the registry names it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "stands in for an issuer, and is never built")]
struct IssuerShape {
    /// Its division code (GB/T 2260), as a number.
    #[schema(minimum = 110_000, maximum = 829_900)]
    city: u32,
    name: String,
}

/// One check.
#[derive(ToSchema)]
#[expect(dead_code, reason = "stands in for a check, and is never built")]
struct CheckShape {
    /// Which.
    id: String,
    result: CheckResultShape,
    /// What was compared, in English.
    detail: String,
    detail_zh: String,
}

/// What a check found.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "stands in for an outcome, and is never built")]
enum CheckResultShape {
    Passed,
    Failed,
    Undecided,
    NotReached,
    Noted,
}
