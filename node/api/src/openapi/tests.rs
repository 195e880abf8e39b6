use serde_json::Value;
use tongban_types::CaseState;

use super::*;

fn said() -> Value {
    serde_json::from_slice(&openapi_json()).unwrap()
}

/// Every operation: its method, its address, what it says.
fn operations(said: &Value) -> Vec<(String, String, Value)> {
    let paths = said["paths"].as_object().unwrap();
    let of_path = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().clone().into_iter();
        let path = path.clone();
        methods.map(move |(method, operation)| (method, path.clone(), operation))
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_description_is_of_openapi_3_1() {
    assert_eq!(said()["openapi"], "3.1.0");
}

#[test]
fn refusals_without_a_body_are_named_in_both_languages() {
    let said = said();
    let about = said["info"]["description"].as_str().unwrap();
    let (zh, en) = about.split_once("\n\n").unwrap();
    for told in [zh, en] {
        let is_named = told.contains("problem+json") && told.contains("431");
        assert!(is_named, "{told}");
    }
    assert!(en.is_ascii(), "{en}");
}

#[test]
fn every_operation_says_what_it_does_what_it_takes_and_what_it_answers() {
    let said = said();
    let operations = operations(&said);
    assert!(operations.len() >= 26, "{}", operations.len());
    let mut ids = Vec::new();
    for (method, path, operation) in operations {
        let at = format!("{method} {path}");
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(
            summary.contains(" · "),
            "{at} is summed up in both languages: {summary}"
        );
        ids.push(
            operation["operationId"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        );
        assert_eq!(operation["tags"].as_array().map_or(0, Vec::len), 1, "{at}");
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{at}");
        for (status, answer) in answers {
            assert!(
                answer["description"]
                    .as_str()
                    .is_some_and(|says| !says.is_empty()),
                "{at} {status}"
            );
            let is_success = status.starts_with('2') || ["304", "416"].contains(&status.as_str());
            let kinds: Vec<_> = answer["content"]
                .as_object()
                .into_iter()
                .flat_map(|kinds| kinds.keys())
                .collect();
            assert_eq!(
                kinds == ["application/problem+json"],
                !is_success,
                "{at} {status}: {kinds:?}"
            );
            assert!(
                answer["headers"]["traceparent"].is_object(),
                "{at} {status}"
            );
        }
        for parameter in operation["parameters"].as_array().unwrap() {
            assert!(parameter["description"].is_string(), "{at}: {parameter}");
        }
        let named = path.matches('{').count();
        let of_path = |parameter: &&Value| parameter["in"] == "path";
        let told = operation["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter(of_path)
            .count();
        assert_eq!(told, named, "{at}");
        // An order of placement is its own key, and what else an operator says twice is so once.
        if method == "post" && path.starts_with("/api/v1/cases") {
            assert!(operation["requestBody"].is_object(), "{at}");
            assert!(operation.to_string().contains("Idempotency-Key"), "{at}");
        }
    }
    assert!(ids.iter().all(|id| !id.is_empty()), "{ids:?}");
    let given = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), given, "an id is given once");
}

#[test]
fn what_is_done_once_says_whether_it_was_done_and_what_the_next_act_is_based_on() {
    let mut acts = 0;
    for (method, path, operation) in operations(&said()) {
        let parameters = operation["parameters"].as_array().unwrap();
        let takes = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let is_success = status.starts_with('2');
            let says = |name: &str| answer["headers"][name]["description"].is_string();
            let at = format!("{method} {path} {status}");
            let is_repeatable = is_success && takes("Idempotency-Key");
            assert_eq!(says("Idempotency-Replayed"), is_repeatable, "{at}");
            if is_success && takes("If-Match") {
                acts += 1;
                assert!(says("ETag"), "{at}");
            }
        }
    }
    assert_eq!(acts, 9);
}

#[test]
fn what_takes_a_body_says_that_one_may_be_too_slow_or_too_large() {
    let mut bodies = 0;
    for (method, path, operation) in operations(&said()) {
        if operation["requestBody"].is_object() {
            bodies += 1;
            for status in ["408", "413"] {
                let answer = &operation["responses"][status];
                assert!(answer.is_object(), "{method} {path} {status}");
            }
        }
    }
    assert_eq!(bodies, 15);
}

#[test]
fn of_uploads_what_only_so_many_may_do_at_once_says_so() {
    for (method, path, operation) in operations(&said()) {
        if !path.starts_with("/api/v1/uploads") {
            continue;
        }
        let passing = operation["responses"]["503"]["description"].as_str();
        let is_told = passing.is_some_and(|says| says.contains("TB4005"));
        let is_bounded = ["post", "patch"].contains(&method.as_str());
        assert_eq!(is_told, is_bounded, "{method} {path}");
    }
}

#[test]
fn no_address_comes_in_but_by_what_documents_it() {
    let listed = include_str!("../operations/mod.rs");
    let code: String = listed.split("\nuse ").skip(1).collect();
    for other_way in [".route(", ".merge(", ".nest", "_service("] {
        assert!(!code.contains(other_way), "{other_way}");
    }
    assert_eq!(
        code.matches(".routes(routes!(").count(),
        code.matches(".routes(").count()
    );
}

#[test]
fn every_reference_leads_to_a_schema() {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    found.push(to.clone());
                }
                members.values().for_each(|member| walk(member, found));
            }
            Value::Array(elements) => elements.iter().for_each(|element| walk(element, found)),
            _ => {}
        }
    }
    let said = said();
    let mut found = Vec::new();
    walk(&said, &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for to in found {
        let pointer = to.strip_prefix('#').unwrap();
        assert!(said.pointer(pointer).is_some(), "{to}");
    }
}

#[test]
fn choices_are_those_of_the_protocol() {
    let said = said();
    let states: Vec<_> = CaseState::ALL
        .iter()
        .map(|state| state.name().into())
        .collect();
    let listed = &said["components"]["schemas"]["CaseState"]["enum"];
    assert_eq!(*listed, Value::Array(states));
}
