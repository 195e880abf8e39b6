//! The strict JSON reader: what it refuses, and that what it takes every reader takes alike.

use proptest::prelude::*;
use tongban_trust::{Json, JsonExpected, JsonFault, canonical, compact, indented, read_strict};

fn fault(text: &[u8]) -> JsonFault {
    read_strict(text, 1024).unwrap_err().fault
}

#[test]
fn what_readers_read_differently_is_refused() {
    assert_eq!(fault(br#"{"a":1,"a":1}"#), JsonFault::DuplicateMember);
    assert_eq!(fault(br#"{"a":1,"\u0061":1}"#), JsonFault::DuplicateMember);
    for float in ["1.0", "1e2", "-0", "1E400", "-1.5"] {
        assert_eq!(fault(float.as_bytes()), JsonFault::NotAnInteger, "{float}");
    }
    for large in [
        "9007199254740992",
        "-9007199254740992",
        "18446744073709551617",
    ] {
        assert_eq!(
            fault(large.as_bytes()),
            JsonFault::IntegerTooLarge,
            "{large}"
        );
    }
    for lone in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800\u0041""#,
        r#""\ud83dx""#,
        r#""\ud800\ud800""#,
    ] {
        assert_eq!(fault(lone.as_bytes()), JsonFault::LoneSurrogate, "{lone}");
    }
    assert_eq!(fault(b"\"\xff\""), JsonFault::NotUtf8);
    assert_eq!(
        fault(b"\xef\xbb\xbf{}"),
        JsonFault::Malformed {
            expected: JsonExpected::Value
        }
    );
}

#[test]
fn depth_and_size_are_bounded() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(read_strict(nested(16).as_bytes(), 1024).is_ok());
    assert_eq!(fault(nested(17).as_bytes()), JsonFault::TooDeep);
    assert_eq!(fault("[".repeat(1000).as_bytes()), JsonFault::TooDeep);
    assert_eq!(
        fault(&[b' '; 1025]),
        JsonFault::TooLarge {
            bytes: 1025,
            max: 1024
        }
    );
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "'a'",
        "01",
        "-",
        "+1",
        ".5",
        "nul",
        "\"",
        "\"\u{1}\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "[1]2",
        "[1 2]",
        "tru",
        "NaN",
        "\"\\",
        "\"\\u",
        "\"\\ud83d\\u",
        "[1}",
        "\u{a0}1",
    ] {
        assert!(
            matches!(fault(text.as_bytes()), JsonFault::Malformed { .. }),
            "{text:?}"
        );
    }
}

#[test]
fn an_error_names_its_place() {
    assert_eq!(read_strict(br#"{"a": 1.5}"#, 64).unwrap_err().offset, 6);
}

#[test]
fn escapes_and_limits_are_read() {
    let text = br#" { "a\u0041\ud83d\ude00\/\n" : [ -9007199254740991 , true , null ] } "#;
    let expected = Json::object([(
        "aA😀/\n",
        Json::List(vec![
            Json::Integer(-9_007_199_254_740_991),
            Json::Boolean(true),
            Json::Null,
        ]),
    )]);
    assert_eq!(read_strict(text, 1024).unwrap(), expected);
}

fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Boolean),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Json::Integer),
        ".{0,12}".prop_map(Json::Text),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::List),
            prop::collection::btree_map(".{0,6}", inner, 0..5).prop_map(Json::Object),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_is_read_back_as_written(value in value()) {
        for text in [compact(&value), indented(&value)] {
            prop_assert_eq!(&read_strict(text.as_bytes(), 1 << 20).unwrap(), &value);
            let other: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(serde_json::to_value(&value).unwrap(), other);
        }
    }

    #[test]
    fn different_values_have_different_canonical_forms(left in value(), right in value()) {
        prop_assert_eq!(left == right, canonical(&left) == canonical(&right));
    }

    #[test]
    fn what_is_taken_every_reader_takes_alike(text in r#"[\[\]{}",:0-9a-f.eE\\u \-tru]{0,24}"#) {
        if let Ok(value) = read_strict(text.as_bytes(), 1024) {
            let other: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(serde_json::to_value(&value).unwrap(), other);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_strict(&bytes, 150);
    }
}
