//! Parameters that several operations take.

use serde_json::Value;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Required, Schema};
use utoipa::{IntoParams, PartialSchema as _};

use super::kinds::{CaseNumberKind, CityKind, ItemCodeKind, NodeIdKind};
use crate::limits::{IDEMPOTENCY_KEY_BYTES_MAX, PAGE_DEFAULT, PAGE_MAX};

/// A parameter of the query, which may be left out.
pub(crate) fn query_parameter(
    name: &str,
    says: &str,
    schema: impl Into<RefOr<Schema>>,
) -> Parameter {
    parameter(name, ParameterIn::Query, Required::False, says, schema)
}

fn parameter(
    name: &str,
    place: ParameterIn,
    required: Required,
    says: &str,
    schema: impl Into<RefOr<Schema>>,
) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(says))
        .schema(Some(schema))
        .build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

macro_rules! parameters {
    ($(#[$says:meta])* $name:ident $parameter:expr) => {
        $(#[$says])*
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl IntoParams for $name {
            fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                vec![$parameter]
            }
        }
    };
}

parameters! {
    /// `{number}` of a path.
    CasePath parameter(
        "number",
        ParameterIn::Path,
        Required::True,
        "办件编号 · The case's number",
        CaseNumberKind::schema(),
    )
}

parameters! {
    /// `{node}` of a path.
    NodePath parameter(
        "node",
        ParameterIn::Path,
        Required::True,
        "节点 · The node",
        NodeIdKind::schema(),
    )
}

parameters! {
    /// `{group}` of a path.
    GroupPath parameter(
        "group",
        ParameterIn::Path,
        Required::True,
        "审批组, 以城市为名 · The group, named by its city",
        CityKind::schema(),
    )
}

parameters! {
    /// `?fresh=true`.
    Fresh query_parameter(
        "fresh",
        "先追上本市审批组已确认的一切再答 · Show everything the group acknowledged before this request",
        switch(),
    )
}

parameters! {
    /// `?item=`.
    OfItem query_parameter(
        "item",
        "事项基本编码 · Only of this item",
        ItemCodeKind::schema(),
    )
}

parameters! {
    /// `?cursor=`.
    Cursor query_parameter(
        "cursor",
        "上一页的 next · What the page before gave as `next`",
        text(),
    )
}

parameters! {
    /// `?limit=`.
    Limit query_parameter(
        "limit",
        "每页件数 · As many of a page",
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(PAGE_MAX))
            .default(Some(PAGE_DEFAULT.into())),
    )
}

parameters! {
    /// `?verbose`.
    Switch query_parameter(
        "verbose",
        "列出每项检查 · List every check; named alone it is on",
        text().enum_values(Some(["", "true", "false"])),
    )
}

parameters! {
    /// `?exclude=quorum`.
    Exclude query_parameter(
        "exclude",
        "quorum: 没有多数也算就绪, 供负载均衡用, 因为此时仍可收件 · Ready without a quorum too, for balancers: \
         collecting goes on",
        text().enum_values(Some(["quorum"])),
    )
}

parameters! {
    /// `Idempotency-Key`.
    IdempotencyKey parameter(
        "Idempotency-Key",
        ParameterIn::Header,
        Required::True,
        "同一键只办一次, 24 小时内重发得到同一答复 · Carried out once under this key; repeated within 24 h \
         it gets the same answer, with another body 422 (draft-ietf-httpapi-idempotency-key-header)",
        text()
            .pattern(Some(r"^[!-~]+$"))
            .min_length(Some(1))
            .max_length(Some(IDEMPOTENCY_KEY_BYTES_MAX))
            .examples(["8e03978e-40d5-43dd-bc93-6894a57f9324"]),
    )
}

parameters! {
    /// `If-Match`.
    IfMatch parameter(
        "If-Match",
        ParameterIn::Header,
        Required::False,
        "所依据的版本, 即读到的 ETag; 不带则须在请求体写 expected_version, 都没有答 428 · The version the act \
         is based on, as its `ETag` was read (RFC 9110 §13.1.1)",
        text().examples(["\"3\""]),
    )
}

parameters! {
    /// `Prefer`.
    Prefer parameter(
        "Prefer",
        ParameterIn::Header,
        Required::False,
        "`wait=replicated`: 多数副本落盘再答 201, 否则 202 · Answer when a majority has it (RFC 7240)",
        text().examples(["wait=replicated"]),
    )
}

parameters! {
    /// `Last-Event-ID`.
    LastEventId parameter(
        "Last-Event-ID",
        ParameterIn::Header,
        Required::False,
        "收到的最后一个 id, 从其后接着听 · The last `id` that came; the stream goes on behind it",
        text().examples(["4711-1"]),
    )
}

parameters! {
    /// `{id}` of a path to an upload.
    UploadPath parameter(
        "id",
        ParameterIn::Path,
        Required::True,
        "上传编号 · Its id",
        text().pattern(Some("^[0-9a-f]{32}$")),
    )
}

parameters! {
    /// `Tus-Resumable`.
    TusResumable parameter(
        "Tus-Resumable",
        ParameterIn::Header,
        Required::True,
        "所说的 tus 版本 · The version of tus that is spoken",
        text().enum_values(Some(["1.0.0"])).examples(["1.0.0"]),
    )
}

parameters! {
    /// `Upload-Length`.
    UploadLength parameter(
        "Upload-Length",
        ParameterIn::Header,
        Required::True,
        "总字节数 · Bytes in all",
        count().examples(["1048576"]),
    )
}

parameters! {
    /// `Upload-Offset`.
    UploadOffset parameter(
        "Upload-Offset",
        ParameterIn::Header,
        Required::True,
        "从此处续传 · Where the bytes go on",
        count().examples(["0"]),
    )
}

parameters! {
    /// `Upload-Offset`, where one of the methods that may be meant needs it.
    MeantOffset parameter(
        "Upload-Offset",
        ParameterIn::Header,
        Required::False,
        "PATCH 所需: 从此处续传 · Of PATCH, which needs it: where the bytes go on",
        count().examples(["0"]),
    )
}

parameters! {
    /// `X-HTTP-Method-Override`.
    MeantMethod parameter(
        "X-HTTP-Method-Override",
        ParameterIn::Header,
        Required::True,
        "PATCH 或 DELETE · The method that is meant",
        text().enum_values(Some(["PATCH", "DELETE"])).examples(["PATCH"]),
    )
}

/// A count of bytes in a header.
fn count() -> ObjectBuilder {
    text().pattern(Some("^[0-9]{1,19}$"))
}

/// `true` or `false`.
pub(super) fn switch() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .default(Some(Value::Bool(false)))
}
