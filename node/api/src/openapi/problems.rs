//! Answers that are not successes, as several operations give them.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{Ref, RefOr};

/// The media type of a problem (RFC 9457).
pub(super) const PROBLEM: &str = "application/problem+json";

/// An answer that is not a success.
pub(super) fn problem(says: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(says)
        .content(PROBLEM, content)
        .build()
}

/// Problems by status, for an operation's own.
fn problems(told: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    told.iter()
        .map(|(status, says)| ((*status).to_owned(), RefOr::T(problem(says))))
        .collect()
}

macro_rules! problem_set {
    ($(#[$says:meta])* $name:ident $told:expr) => {
        $(#[$says])*
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                problems($told)
            }
        }
    };
}

const NO_CASE: (&str, &str) = ("404", "TB3011 没有这个办件 · There is no such case here");
const NOT_HOSTED: (&str, &str) = (
    "404",
    "TB4008 本节点没有该组的副本 · No replica of it is kept here",
);
const TOO_SLOW: (&str, &str) = ("408", "TB7008 请求体来得太慢 · The body came too slowly");

/// What passes by itself, by these codes.
macro_rules! passing {
    ($codes:literal) => {
        (
            "503",
            concat!(
                $codes,
                " 一时办不到, 见 Retry-After · Passing by itself; Retry-After says when"
            ),
        )
    };
}

problem_set! {
    /// Of whoever reads a case.
    CaseProblems &[NO_CASE, passing!("TB4003 TB4004 TB4019")]
}

problem_set! {
    /// Of a list that may be narrowed.
    ListProblems &[
        ("422", "TB7010 参数互不相容, 或编号的校验位不符 · Parameters that do not go together, or a number mistyped"),
        passing!("TB4003 TB4019"),
    ]
}

problem_set! {
    /// Of an act on a case.
    ActProblems &[
        NO_CASE,
        TOO_SLOW,
        ("409", "状态不允许, 或同一请求正在处理 · The case's state forbids it, or the same request is under way"),
        ("412", "If-Match 已过期, current 为现状 · The version is stale; `current` is the case as it stands"),
        ("413", "TB1003 过大 · Too large"),
        ("415", "TB7006 应为 application/json"),
        ("422", "内容不合规则, 或同一键用于另一内容 · It breaks the rules, or the key was used for another request"),
        ("428", "TB7013 没有说明依据的版本 · Neither `If-Match` nor `expected_version`"),
        passing!("TB4002 TB4003 TB4004 TB4019"),
    ]
}

problem_set! {
    /// Of collecting.
    CollectProblems &[
        TOO_SLOW,
        ("409", "TB4012 同一请求正在处理 · The same request is under way"),
        ("413", "TB1003 过大 · Too large"),
        ("415", "TB7006 应为 application/json"),
        ("422", "表单不合事项规则 (见 errors), TB7025 该事项不与该市通办, 或同一键用于另一内容 · The form breaks its \
                 item's rules, the item is not handled with that city, or the key was used for another request"),
        passing!("TB4002 TB4003"),
    ]
}

problem_set! {
    /// Of bytes on their way into an upload.
    AppendProblems &[
        ("404", "TB5401 没有这个上传 · There is no such upload"),
        ("408", "TB7008 请求体来得太慢, 已到的已保存 · The body came too slowly; what came of it is kept"),
        ("409", "TB5402 位移不符 · Another offset is expected"),
        ("412", "TB7019 tus 版本不符 · Another version of tus is spoken"),
        ("413", "TB5404 过大 · Too large"),
        ("415", "TB7006 应为 application/offset+octet-stream"),
        passing!("TB4005"),
    ]
}

problem_set! {
    /// Of a round trip to a peer.
    PingProblems &[
        ("404", "TB6010 没有登记这个节点 · No such node is enrolled"),
        ("503", "TB6020 暂时连不上 · It cannot be reached now"),
        ("504", "TB6021 没有按时答复 · It did not answer in time"),
    ]
}

problem_set! {
    /// Of a backup.
    BackupProblems &[
        ("409", "TB4024 没有配置恢复密钥; TB4025 正在制作另一份 · No recovery key is configured; another is under way"),
    ]
}

problem_set! {
    /// Of whoever reads a group.
    GroupProblems &[NOT_HOSTED]
}

problem_set! {
    /// Of an order of placement.
    PlacementProblems &[
        NOT_HOSTED,
        TOO_SLOW,
        ("409", "TB3050 版本号不是下一号 · It is not the next order"),
        ("413", "TB1003 过大 · Too large"),
        ("415", "TB7006 应为 application/json"),
        ("422", "TB2030 TB2031 TB3051 或签名不符 · It breaks a rule, is for another group, or its signature is not the \
                 governance's"),
        passing!("TB4002 TB4003"),
    ]
}

problem_set! {
    /// Of handing the lead over.
    HandOverProblems &[
        NOT_HOSTED,
        TOO_SLOW,
        ("409", "TB4016 TB4017 不在本节点, 或指定的节点不能接任 · It is not led here, or the node named cannot take it"),
        ("413", "TB1003 过大 · Too large"),
        ("415", "TB7006 应为 application/json"),
        ("422", "TB7009 没有这样的节点号 · No node has such a number"),
        ("503", "TB5101 该组在本节点已停止 · The group has stopped here"),
    ]
}

problem_set! {
    /// Of a node that is not as a probe asks.
    NotReadyProblem &[("503", "TB7018 见 errors · `errors` lists what is missing")]
}

problem_set! {
    /// Where no registry has come yet.
    NoRegistryProblem &[("503", "尚无名册 · No registry has come yet")]
}
