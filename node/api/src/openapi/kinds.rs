//! Schemas of values that are text or a choice on the wire and a type of the protocol within. Choices
//! are read from those types, so that they cannot differ from them. The names here are never built:
//! they stand in for the types of `protocol`, which know nothing of HTTP.

use std::borrow::Cow;

use serde::Serialize;
use tongban_types::{CaseState, Channel, Decision, HandlingMode, Role};
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::schema::{KnownFormat, SchemaFormat, Type};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

fn named<T: ToSchema>(name: &'static str) -> Cow<'static, str> {
    debug_assert!(size_of::<T>() == 0, "a kind is never built");
    Cow::Borrowed(name)
}

macro_rules! kind {
    ($(#[doc = $says:literal])+ $kind:ident $name:literal $schema:expr) => {
        $(#[doc = $says])+
        #[derive(Debug)]
        pub(crate) enum $kind {}

        impl PartialSchema for $kind {
            fn schema() -> RefOr<Schema> {
                let said = concat!($($says),+).trim();
                $schema.description(Some(said)).into()
            }
        }

        impl ToSchema for $kind {
            fn name() -> Cow<'static, str> {
                named::<Self>($name)
            }
        }
    };
}

fn text(pattern: &str, example: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(pattern))
        .examples([example])
}

fn choice<T: Serialize>(values: &[T]) -> ObjectBuilder {
    let values = values
        .iter()
        .map(|value| serde_json::to_value(value).expect("a choice is a text"));
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(values.collect::<Vec<_>>()))
}

kind! {
    /// 办件编号 · 22 digits and a check character (ISO 7064 MOD 37,36): city, day, node, sequence.
    CaseNumberKind "CaseNumber" text("^[0-9]{22}[0-9A-Z]$", "35010020260302010000012")
}
kind! {
    /// 事项基本编码 · 12 digits or capital letters.
    ItemCodeKind "ItemCode" text("^[0-9A-Z]{12}$", "000109900001")
}
kind! {
    /// 行政区划代码 (GB/T 2260) · Six digits of a province, city or county, 110000 to 829999.
    DivisionKind "Division" text("^(1[1-9]|[2-7][0-9]|8[0-2])[0-9]{4}$", "350102")
}
kind! {
    /// 城市代码 (GB/T 2260) · Six digits of a prefecture-level city, ending in 00.
    CityKind "CityCode" text("^(1[1-9]|[2-7][0-9]|8[0-2])[0-9]{2}00$", "350100")
}
kind! {
    /// 节点 · Its city and its number there, 01 to 99.
    NodeIdKind "NodeId" text(
        "^(1[1-9]|[2-7][0-9]|8[0-2])[0-9]{2}00-(0[1-9]|[1-9][0-9])$",
        "350100-01",
    )
}
kind! {
    /// SHA-256 · 64 hexadecimal digits.
    Sha256Kind "Sha256" text(
        "^[0-9a-f]{64}$",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    )
}
kind! {
    /// 代码 · Stable for ever; `GET /problems/{code}` explains it.
    CodeKind "Code" text("^TB[0-9]{4}$", "TB3012")
}
kind! {
    /// 时刻 · RFC 3339 in the legal time of China.
    Moment "Moment" text(
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}\+08:00$",
        "2026-03-02T09:30:00.000+08:00",
    )
    .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}
kind! {
    /// 办件状态 · Where a case is in its life.
    CaseStateKind "CaseState" choice(&CaseState::ALL.map(CaseState::name))
}
kind! {
    /// 申请途径 · How an application came.
    ChannelKind "Channel" choice(&[Channel::Window, Channel::Online, Channel::Terminal])
}
kind! {
    /// 决定 · Granted or refused.
    DecisionKind "Decision" choice(&[Decision::Grant, Decision::Refuse])
}
kind! {
    /// 通办模式 · 全程网办, 异地代收代办, 多地联办.
    HandlingModeKind "HandlingMode" choice(&[
        HandlingMode::Online,
        HandlingMode::CollectedElsewhere,
        HandlingMode::Joint,
    ])
}
kind! {
    /// 严格 JSON 的值 · A value of strict JSON: no fractions, whole numbers a browser holds exactly.
    StrictValue "StrictValue" AnyOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .item(ObjectBuilder::new().schema_type(Type::Boolean))
        .item(ObjectBuilder::new().schema_type(Type::String))
        .item(
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(-9_007_199_254_740_991_i64))
                .maximum(Some(9_007_199_254_740_991_i64)),
        )
        .item(ArrayBuilder::new().items(Ref::from_schema_name("StrictValue")))
        .item(
            ObjectBuilder::new()
                .schema_type(Type::Object)
                .additional_properties(Some(Ref::from_schema_name("StrictValue"))),
        )
}
kind! {
    /// 表单 · By the JSON Schema `form` of the item's file; strict JSON.
    FormKind "Form" ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(Ref::from_schema_name("StrictValue")))
}
kind! {
    /// 岗位 · What a person may do; `system` is the node itself.
    RoleKind "Role" choice(&[
        Role::Clerk,
        Role::Officer,
        Role::Supervisor,
        Role::Operator,
        Role::Auditor,
        Role::System,
    ])
}

#[cfg(test)]
mod tests {
    use jsonschema::Validator;
    use serde_json::json;
    use tongban_types::{CityCode, Division, NodeId};

    use super::*;

    fn schema<K: PartialSchema>() -> Validator {
        let schema = serde_json::to_value(K::schema()).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    }

    #[test]
    fn what_a_pattern_takes_is_what_the_type_takes() {
        let (division, city) = (schema::<DivisionKind>(), schema::<CityKind>());
        for number in 0..1_000_000 {
            let text = format!("{number:06}");
            assert_eq!(
                division.is_valid(&json!(text)),
                text.parse::<Division>().is_ok()
            );
            assert_eq!(
                city.is_valid(&json!(text)),
                text.parse::<CityCode>().is_ok()
            );
        }
        let node = schema::<NodeIdKind>();
        for city in ["109900", "110000", "350100", "350101", "829900", "830000"] {
            for number in 0..200 {
                let text = format!("{city}-{number:02}");
                assert_eq!(
                    node.is_valid(&json!(text)),
                    text.parse::<NodeId>().is_ok(),
                    "{text}"
                );
            }
        }
    }
}
