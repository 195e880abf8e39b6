//! What a node's refusal becomes in HTTP: the one place where the two are matched.

use axum::http::{HeaderValue, StatusCode, header};
use tongban_runtime::ports::HandOverError;
use tongban_runtime::{BlobError, NodeError, Oversized, Refusal};
use tongban_types::Code;
use tongban_types::limits::FORM_BYTES_MAX;

use crate::catalogue::FormFault;
use crate::problem::Problem;
use crate::said::Said;

impl From<NodeError> for Problem {
    fn from(error: NodeError) -> Self {
        let code = error.code();
        match error {
            NodeError::Refused(refusal) => Self::from(refusal),
            NodeError::AuthorityOutside { division } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code).detail(Said::new(
                    format!("联盟中没有城市负责 {division}"),
                    format!("No city of the federation answers for {division}."),
                ))
            }
            NodeError::NoSuchCase(number) => {
                Self::new(StatusCode::NOT_FOUND, code).detail(Said::new(
                    format!("本市没有办件 {number}"),
                    format!("This city has no case {number}."),
                ))
            }
            NodeError::TimedOut
            | NodeError::NotCaughtUp
            | NodeError::NoQuorum
            | NodeError::NoKey(_)
            | NodeError::FileUnreachable
            | NodeError::Draining
            | NodeError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, code).retry_later(),
            NodeError::File(error) => Self::from(error),
            NodeError::NotHosted(group) => {
                Self::new(StatusCode::NOT_FOUND, code).detail(Said::new(
                    format!("本节点没有 {group} 组的副本"),
                    format!("This node keeps no replica of group {group}."),
                ))
            }
            NodeError::RefusedThere(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, code),
            NodeError::HandOver(error) => Self::from(error),
            NodeError::UnderWay => Self::new(StatusCode::CONFLICT, code).retry_later(),
            NodeError::NumbersUsedUp => Self::new(StatusCode::SERVICE_UNAVAILABLE, code),
            NodeError::Failed(reason) => {
                tracing::error!(%code, reason, "the node has failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, code)
            }
            NodeError::TooLarge { what, bytes_max } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, code).detail(oversized(what, bytes_max))
            }
            NodeError::TooManyAttachments { most } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, code).detail(Said::new(
                    format!("最多 {most} 个附件"),
                    format!("Too many attachments: at most {most} are taken."),
                ))
            }
        }
    }
}

impl From<HandOverError> for Problem {
    fn from(error: HandOverError) -> Self {
        let code = error.code();
        let says = match error {
            HandOverError::NotLeader {
                leader: Some(leader),
            } => Said::new(
                format!("主持的节点是 {leader}"),
                format!("The node that leads is {leader}."),
            ),
            HandOverError::NotLeader { leader: None } => {
                Said::new("现在无人主持", "Nobody leads now.")
            }
            HandOverError::NoVoter { to } => Said::new(
                format!("{to} 不是投票成员"),
                format!("{to} is no voter of the group."),
            ),
            HandOverError::Silent { to } => {
                Said::new(format!("{to} 没有应答"), format!("{to} does not answer."))
            }
            HandOverError::Behind { to, entries } => Said::new(
                format!("{to} 落后 {entries} 条"),
                format!("{to} is {entries} entries behind."),
            ),
            HandOverError::Drained { to } => Said::new(
                format!("{to} 正在停用维护"),
                format!("{to} is being drained for maintenance."),
            ),
            HandOverError::Stopped => return Self::new(StatusCode::SERVICE_UNAVAILABLE, code),
        };
        Self::new(StatusCode::CONFLICT, code).detail(says)
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        let status = match error {
            BlobError::UploadUnknown | BlobError::NotHere => StatusCode::NOT_FOUND,
            BlobError::Offset { .. } => StatusCode::CONFLICT,
            BlobError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            BlobError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            BlobError::NoSpace { .. } => StatusCode::INSUFFICIENT_STORAGE,
            BlobError::Lied { .. } => StatusCode::BAD_GATEWAY,
            BlobError::Busy => StatusCode::SERVICE_UNAVAILABLE,
            BlobError::Damaged { .. } | BlobError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let code = error.code();
        let problem = Self::new(status, code);
        match error {
            BlobError::Failed(reason) => {
                tracing::error!(%code, reason, "the store of files failed");
                problem
            }
            BlobError::Offset { stands, given } => problem.detail(Said::new(
                format!("已收 {stands} 字节, 请求从第 {given} 字节开始"),
                format!("{stands} bytes are here, and the request begins at byte {given}."),
            )),
            BlobError::TooMany { most } => problem.detail(Said::new(
                format!("该令牌已有 {most} 个在传的, 或已传完而未过期的上传"),
                format!(
                    "This token has {most} uploads already, under way or whole and not yet expired."
                ),
            )),
            BlobError::Busy => problem.retry_later(),
            _ => problem,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = Self::new(status_of(&refusal), refusal.code());
        match refusal {
            Refusal::StaleVersion { expected, actual } => {
                let (expected, actual) = (expected.0, actual.0);
                let problem = problem.detail(Said::new(
                    format!("办件已是第 {actual} 版, 请求依据的是第 {expected} 版"),
                    format!(
                        "The case is at version {actual}, and the request is based on version {expected}."
                    ),
                ));
                match HeaderValue::try_from(format!("\"{actual}\"")) {
                    Ok(tag) => problem.header(header::ETAG, tag),
                    Err(_) => problem,
                }
            }
            Refusal::WrongState(state) => problem.detail(Said::new(
                format!("办件当前为“{}”, 不允许此操作", state.zh()),
                format!(
                    "The case is `{}`, where this may not be done.",
                    state.name()
                ),
            )),
            refusal if refusal.is_passing() => problem.retry_later(),
            _ => problem,
        }
    }
}

fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::OtherCity
        | Refusal::RoleWithoutRight(_)
        | Refusal::NotTheAuthority
        | Refusal::ReviewerMayNotDecide
        | Refusal::NotAParty => StatusCode::FORBIDDEN,
        Refusal::NoSuchCase => StatusCode::NOT_FOUND,
        Refusal::CaseExists
        | Refusal::StaleVersion { .. }
        | Refusal::WrongState(_)
        | Refusal::NotOwner
        | Refusal::RequestPending
        | Refusal::NoticeAlreadyGiven
        | Refusal::NoticeTooLate
        | Refusal::DocumentPending
        | Refusal::DocumentStage
        | Refusal::ItemExists
        | Refusal::Superseded
        | Refusal::LeaseHeld
        | Refusal::LeaseOver
        | Refusal::AlreadyDecided
        | Refusal::PlacementOutOfTurn { .. }
        | Refusal::CollectedTooLongAgo { .. } => StatusCode::CONFLICT,
        Refusal::Malformed
        | Refusal::IdReused
        | Refusal::ReasonMissing
        | Refusal::UnknownItem
        | Refusal::InconsistentEnvelope
        | Refusal::ItemDiffers
        | Refusal::PlacementRuleBroken
        | Refusal::CalendarLeavesYearsOut => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::NoRegistry
        | Refusal::NoTime
        | Refusal::Skewed { .. }
        | Refusal::NoCalendar
        | Refusal::NoCatalogue
        | Refusal::KeyOutOfTime { .. } => StatusCode::SERVICE_UNAVAILABLE,
        // The caller can do nothing about these: the node signed or addressed wrongly.
        Refusal::BadSignature
        | Refusal::KeyWithoutRight
        | Refusal::OtherGroup(_)
        | Refusal::CatalogueFull
        | Refusal::RegistryRefused(_)
        | Refusal::CertificateRefused(_)
        | Refusal::ParcelForOther
        | Refusal::OutOfOrder { .. }
        | Refusal::Equivocation => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Problem {
    /// A form that is not taken; `pointer` says where the form stands in the body.
    pub(crate) fn of_form(fault: FormFault, pointer: &str) -> Self {
        let code = fault.code();
        match fault {
            FormFault::TooLarge { bytes } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, code).at(pointer, "size", too_large(bytes))
            }
            FormFault::NotStrict(_) => {
                let says = Said::new("表单不是严格的 JSON", "is not strict JSON");
                Self::new(StatusCode::BAD_REQUEST, code).at(pointer, "json", says)
            }
            FormFault::Invalid(mut faults) => {
                for fault in &mut faults {
                    fault.pointer.insert_str(0, pointer);
                }
                let count = faults.len();
                let says = Said::new(
                    format!("表单有 {count} 处需要改正"),
                    format!("Places of the form to be corrected: {count}."),
                );
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code)
                    .detail(says)
                    .errors(faults)
            }
        }
    }

    /// An item that is not in the catalogue.
    pub(crate) fn unknown_item(status: StatusCode) -> Self {
        Self::new(status, Code::UNKNOWN_ITEM)
    }
}

fn oversized(what: Oversized, bytes_max: usize) -> Said {
    let zh = match what {
        Oversized::Order => "命令",
        Oversized::Form => "表单",
        Oversized::Text => "文字",
    };
    Said::new(
        format!("{zh}超过 {bytes_max} 字节"),
        format!("Too large: {what} may have {bytes_max} bytes at most."),
    )
}

fn too_large(bytes: usize) -> Said {
    let most = FORM_BYTES_MAX;
    Said::new(
        format!("表单有 {bytes} 字节, 最多 {most} 字节"),
        format!("has {bytes} bytes, of at most {most}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_named_in_the_language_of_its_sentence() {
        for what in Oversized::ALL {
            let Said { zh, en } = oversized(what, 9);
            let named = zh.strip_suffix("超过 9 字节");
            assert!(named.is_some_and(|named| !named.is_empty()), "{zh}");
            assert!(
                !zh.contains(|letter: char| letter.is_ascii_alphabetic()),
                "{zh}"
            );
            assert!(
                en.starts_with(&format!("Too large: {what} may have ")),
                "{en}"
            );
            assert!(en.is_ascii(), "{en}");
        }
    }
}
