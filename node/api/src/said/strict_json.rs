//! Why a text is not strict JSON, or JSON of another shape than its format has, in both languages. The
//! English is what these errors say of themselves; member names and places stay as they are.

use tongban_trust::{
    JSON_DEPTH_MAX, JsonError, JsonExpected, JsonFault, JsonKind, ShapeError, ShapeProblem,
};

use super::Said;

impl Said {
    /// Where a text is not strict JSON, and why.
    pub fn of_strict_json(error: &JsonError) -> Self {
        let zh = format!("第 {} 字节处: {}", error.offset, fault(&error.fault));
        Self::new(zh, error.to_string())
    }

    /// Where a value has another shape, and how.
    pub fn of_shape(error: &ShapeError) -> Self {
        let zh = format!("{}: {}", error.place, problem(error.problem));
        Self::new(zh, error.to_string())
    }
}

fn fault(fault: &JsonFault) -> String {
    match fault {
        JsonFault::TooLarge { bytes, max } => format!("全文 {bytes} 字节, 最多 {max} 字节"),
        JsonFault::NotUtf8 => "不是 UTF-8 文本".to_owned(),
        JsonFault::Malformed { expected: what } => format!("此处应为{}", expected(*what)),
        JsonFault::DuplicateMember => "同一成员出现两次".to_owned(),
        JsonFault::NotAnInteger => "数字只能是整数".to_owned(),
        JsonFault::IntegerTooLarge => "整数超出 2^53-1".to_owned(),
        JsonFault::LoneSurrogate => "代理字符不成对".to_owned(),
        JsonFault::TooDeep => format!("嵌套超过 {JSON_DEPTH_MAX} 层"),
    }
}

fn expected(expected: JsonExpected) -> String {
    let what = match expected {
        JsonExpected::End => "结尾",
        JsonExpected::Value => "一个值",
        JsonExpected::Colon => "冒号",
        JsonExpected::CommaOrBrace => "逗号或右花括号",
        JsonExpected::CommaOrBracket => "逗号或右方括号",
        JsonExpected::Word(word) => return format!(" {word}"),
        JsonExpected::Digit => "数字",
        JsonExpected::NoLeadingZeros => "没有前导零的数字",
        JsonExpected::Text => "字符串",
        JsonExpected::ClosingQuote => "右引号",
        JsonExpected::EscapedControl => "转义的控制字符",
        JsonExpected::Escape => "转义序列",
        JsonExpected::FourDigits => "四个十六进制数字",
    };
    what.to_owned()
}

fn problem(problem: ShapeProblem) -> String {
    let what = match problem {
        ShapeProblem::OtherKind { found, expected } => {
            return format!("是{}, 应为{}", kind(found), kind(expected));
        }
        ShapeProblem::TooManyElements { max } => return format!("超过 {max} 项"),
        ShapeProblem::TooManyMembers { max } => return format!("超过 {max} 个成员"),
        ShapeProblem::OtherText { expected } => return format!("不是 {expected}"),
        ShapeProblem::NotHexadecimal { digits } => {
            return format!("不是 {digits} 个小写十六进制数字");
        }
        ShapeProblem::Missing => "缺少",
        ShapeProblem::Unexpected => "此处不应有",
        ShapeProblem::Negative => "小于 0",
        ShapeProblem::MalformedCode => "含有不合规则的代码",
        ShapeProblem::NoTime => "不是 2026-11-24T00:00:00Z 形式的时间",
        ShapeProblem::OtherSpelling => "不是唯一规定的写法",
        ShapeProblem::NoTufKey => "不是 TUF 的 ed25519 公钥",
        ShapeProblem::OtherKeyId => "有公钥与其标识不符",
        ShapeProblem::NoKeyOfItsOwn => "没有指明公钥, 或两次指明同一公钥",
        ShapeProblem::KeyUnnamed => "没有指明每个公钥的持有者",
        ShapeProblem::NoRole => "不是节点的密钥用途",
        ShapeProblem::NoKeyState => "不是 active 或 retired",
        ShapeProblem::MalformedKeyId => "有 keyid 不是 64 个十六进制数字",
        ShapeProblem::MalformedSignature => "有 sig 不是 128 个十六进制数字",
    };
    what.to_owned()
}

const fn kind(kind: JsonKind) -> &'static str {
    match kind {
        JsonKind::Null => "空值",
        JsonKind::Boolean => "布尔值",
        JsonKind::Integer => "整数",
        JsonKind::Text => "字符串",
        JsonKind::List => "数组",
        JsonKind::Texts => "字符串数组",
        JsonKind::Object => "对象",
    }
}

#[cfg(test)]
mod tests {
    use tongban_trust::every_variant;

    use super::*;
    use crate::said::tests::{assert_said, is_han};

    #[test]
    fn whatever_is_wrong_with_a_text_is_said_in_both_languages() {
        let expected = every_variant!(JsonExpected {
            JsonExpected::End => JsonExpected::End,
            JsonExpected::Value => JsonExpected::Value,
            JsonExpected::Colon => JsonExpected::Colon,
            JsonExpected::CommaOrBrace => JsonExpected::CommaOrBrace,
            JsonExpected::CommaOrBracket => JsonExpected::CommaOrBracket,
            JsonExpected::Word(_) => JsonExpected::Word("null"),
            JsonExpected::Digit => JsonExpected::Digit,
            JsonExpected::NoLeadingZeros => JsonExpected::NoLeadingZeros,
            JsonExpected::Text => JsonExpected::Text,
            JsonExpected::ClosingQuote => JsonExpected::ClosingQuote,
            JsonExpected::EscapedControl => JsonExpected::EscapedControl,
            JsonExpected::Escape => JsonExpected::Escape,
            JsonExpected::FourDigits => JsonExpected::FourDigits,
        });
        let mut faults = every_variant!(JsonFault {
            JsonFault::TooLarge { .. } => JsonFault::TooLarge { bytes: 9, max: 8 },
            JsonFault::NotUtf8 => JsonFault::NotUtf8,
            JsonFault::Malformed { .. } => JsonFault::Malformed {
                expected: JsonExpected::Value,
            },
            JsonFault::DuplicateMember => JsonFault::DuplicateMember,
            JsonFault::NotAnInteger => JsonFault::NotAnInteger,
            JsonFault::IntegerTooLarge => JsonFault::IntegerTooLarge,
            JsonFault::LoneSurrogate => JsonFault::LoneSurrogate,
            JsonFault::TooDeep => JsonFault::TooDeep,
        });
        let malformed = |expected| JsonFault::Malformed { expected };
        faults.extend(expected.into_iter().map(malformed));
        for fault in faults {
            let said = Said::of_strict_json(&JsonError { offset: 7, fault });
            assert_said(&said);
            let told = said.zh.strip_prefix("第 7 字节处: ").unwrap();
            assert!(told.contains(is_han), "{said:?}");
        }
    }

    #[test]
    fn whatever_is_wrong_with_a_shape_is_said_in_both_languages() {
        let kinds = every_variant!(JsonKind {
            JsonKind::Null => JsonKind::Null,
            JsonKind::Boolean => JsonKind::Boolean,
            JsonKind::Integer => JsonKind::Integer,
            JsonKind::Text => JsonKind::Text,
            JsonKind::List => JsonKind::List,
            JsonKind::Texts => JsonKind::Texts,
            JsonKind::Object => JsonKind::Object,
        });
        let mut problems = every_variant!(ShapeProblem {
            ShapeProblem::Missing => ShapeProblem::Missing,
            ShapeProblem::Unexpected => ShapeProblem::Unexpected,
            ShapeProblem::OtherKind { .. } => ShapeProblem::OtherKind {
                found: JsonKind::Null,
                expected: JsonKind::Object,
            },
            ShapeProblem::TooManyElements { .. } => ShapeProblem::TooManyElements { max: 3 },
            ShapeProblem::TooManyMembers { .. } => ShapeProblem::TooManyMembers { max: 3 },
            ShapeProblem::OtherText { .. } => ShapeProblem::OtherText { expected: "v1" },
            ShapeProblem::Negative => ShapeProblem::Negative,
            ShapeProblem::MalformedCode => ShapeProblem::MalformedCode,
            ShapeProblem::NotHexadecimal { .. } => ShapeProblem::NotHexadecimal { digits: 64 },
            ShapeProblem::NoTime => ShapeProblem::NoTime,
            ShapeProblem::OtherSpelling => ShapeProblem::OtherSpelling,
            ShapeProblem::NoTufKey => ShapeProblem::NoTufKey,
            ShapeProblem::OtherKeyId => ShapeProblem::OtherKeyId,
            ShapeProblem::NoKeyOfItsOwn => ShapeProblem::NoKeyOfItsOwn,
            ShapeProblem::KeyUnnamed => ShapeProblem::KeyUnnamed,
            ShapeProblem::NoRole => ShapeProblem::NoRole,
            ShapeProblem::NoKeyState => ShapeProblem::NoKeyState,
            ShapeProblem::MalformedKeyId => ShapeProblem::MalformedKeyId,
            ShapeProblem::MalformedSignature => ShapeProblem::MalformedSignature,
        });
        let of_kind = |found| ShapeProblem::OtherKind {
            found,
            expected: found,
        };
        problems.extend(kinds.into_iter().map(of_kind));
        for problem in problems {
            let said = Said::of_shape(&ShapeError::new("order.voters", problem));
            assert_said(&said);
            assert!(said.zh.starts_with("order.voters: "), "{said:?}");
            assert!(said.en.starts_with("order.voters: "), "{said:?}");
        }
    }
}
