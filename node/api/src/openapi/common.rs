//! What is true of every operation, and is therefore said in one place: how a caller proves who they
//! are, the trace of a request, and the problems any request may meet.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContactBuilder, Header, InfoBuilder, LicenseBuilder, OpenApi, RefOr,
    Required, Schema, ServerBuilder,
};
use utoipa::{PartialSchema as _, ToSchema};

use super::kinds::StrictValue;
use super::problems::problem;
use super::tag;
use crate::problem::ProblemBody;

/// The name of the one way to prove who calls.
const TOKEN: &str = "token";

/// Adds what is common to all.
pub(super) fn complete(mut api: OpenApi) -> OpenApi {
    api.info = InfoBuilder::new()
        .title("通办 Tongban")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(
            LicenseBuilder::new()
                .name("Apache-2.0")
                .identifier(Some("Apache-2.0"))
                .build(),
        ))
        .contact(Some(
            ContactBuilder::new()
                .name(Some("本市节点运维 · The city's operator"))
                .build(),
        ))
        .build();
    api.servers = Some(vec![ServerBuilder::new().url("/").build()]);
    let tags = [
        (
            tag::CASES,
            "办件的收件、查询与变动 · Taking in, reading and following cases",
        ),
        (tag::ACTS, "对办件的每一步办理 · What persons do to a case"),
        (
            tag::FILES,
            "附件: 按 tus 协议上传, 按哈希取回 · Files: uploaded by tus, fetched by hash",
        ),
        (
            tag::ITEMS,
            "事项目录与通办约定 · The catalogue and who agreed to it",
        ),
        (
            tag::FEDERATION,
            "成员城市、节点与名册 · Cities, nodes, the registry",
        ),
        (tag::NODE, "本节点 · This node"),
        (tag::SELF, "接口说明 · What explains itself"),
    ];
    let tags =
        tags.map(|(name, says)| TagBuilder::new().name(name).description(Some(says)).build());
    api.tags = Some(tags.into());
    let mut schemas = vec![(ProblemBody::name().into_owned(), ProblemBody::schema())];
    ProblemBody::schemas(&mut schemas);
    schemas.push((StrictValue::name().into_owned(), StrictValue::schema()));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "由 tongban token create 生成 · Made by `tongban token create` (RFC 6750)",
        ))
        .build();
    let mut components = api
        .components
        .take()
        .unwrap_or_else(|| ComponentsBuilder::new().build());
    components.schemas.extend(schemas);
    components.add_security_scheme(TOKEN, SecurityScheme::Http(bearer));
    api.components = Some(components);
    for item in api.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
            &mut item.head,
            &mut item.options,
        ];
        for operation in operations.into_iter().flatten() {
            complete_operation(operation);
        }
    }
    api
}

const ABOUT: &str = "跨地区政务服务联盟节点的接口。每个不成功的答复都是 application/problem+json (RFC 9457), 带稳定的 TB \
    代码, 经过和改法用中文和英文各说一遍; 只有不成 HTTP 请求的, 或请求头过多过大的, 答 400 或 431 而没有正文。\n\n\
    The API of a node of the federation. Every answer that is not a \
    success is application/problem+json (RFC 9457) with a stable TB code; what it says in Chinese it says in \
    English too, in the members that end in `_en`. Only what is no HTTP request at all, or has too many or too \
    large headers, is refused by 400 or 431 without a body. Creating and acting carry an Idempotency-Key; \
    acting carries the version it is based on. Lists give an opaque cursor and `Link: rel=next`. Unknown \
    parameters and members are refused.";

fn complete_operation(operation: &mut Operation) {
    let trace = ParameterBuilder::new()
        .name("traceparent")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "W3C Trace Context; 不合规则的被忽略 · taken up where it is well formed",
        ))
        .schema(Some(text(
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )))
        .build();
    operation
        .parameters
        .get_or_insert_default()
        .push(trace.into());
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        name_left_out(body);
    }
    complete_successes(operation);
    let has_token = operation
        .security
        .as_ref()
        .is_some_and(|needed| !needed.is_empty());
    let of_tokens = [
        (
            "401",
            "TB7001 TB7002 没有令牌, 或令牌无效 · No token, or one that is refused",
        ),
        ("403", "TB7003 该岗位不可 · The role may not"),
    ];
    let of_all = [
        (
            "400",
            "请求无法解读, 见 errors · It cannot be read; `errors` says where",
        ),
        ("405", "TB7005 见 Allow"),
        (
            "429",
            "TB7020 过于频繁, 见 Retry-After · Too often; Retry-After says when",
        ),
        ("500", "节点故障 · The node has failed"),
        ("default", "其他问题 · Any other problem"),
    ];
    let of_tokens = of_tokens.into_iter().filter(|_| has_token);
    for (status, says) in of_tokens.chain(of_all) {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(problem(says)));
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            response.headers.insert(
                "traceparent".to_owned(),
                header("续上或新起的踪迹 · The trace of this request"),
            );
            response.headers.insert(
                "x-request-id".to_owned(),
                header("踪迹编号, 日志中以此查找 · Its id, as the log has it"),
            );
        }
    }
}

/// What is carried out once under a key says whether it was before; what is based on a version gives the
/// next one.
fn complete_successes(operation: &mut Operation) {
    let has_key = takes(operation, "Idempotency-Key");
    let has_version = takes(operation, "If-Match");
    let responses = operation.responses.responses.iter_mut();
    for (_, response) in responses.filter(|(status, _)| status.starts_with('2')) {
        let RefOr::T(response) = response else {
            continue;
        };
        if has_key {
            response.headers.insert(
                "Idempotency-Replayed".to_owned(),
                header("`true`: 重发, 答复同前 · This request was answered before"),
            );
        }
        if has_version {
            response.headers.insert(
                "ETag".to_owned(),
                header("版本, 下一步办理的依据 · What the next act is based on"),
            );
        }
    }
}

/// Whether an operation takes a parameter.
fn takes(operation: &Operation, name: &str) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == name))
}

/// A body that may be left out is no body that may be `null`.
fn name_left_out(body: &mut RequestBody) {
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content
            && let Some(RefOr::T(Schema::OneOf(either))) = &content.schema
        {
            let named = either.items.iter().find(|one| matches!(one, RefOr::Ref(_)));
            content.schema = named.cloned();
        }
    }
}

fn text(example: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .examples([example])
}

fn header(says: &str) -> RefOr<Header> {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .description(Some(says))
        .build()
        .into()
}
