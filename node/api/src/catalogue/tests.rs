//! Shipped items load and take their examples; broken forms and broken files are refused at the
//! right place.

use serde_json::{Value, json};

use super::*;

const MIGRATION: &str =
    include_str!("../../../../protocol/items/national/000109900001/1.example.json");
const UNEMPLOYED: &str =
    include_str!("../../../../protocol/items/national/002014900001/1.example.json");
const MIGRATION_FILE: &str =
    include_str!("../../../../protocol/items/national/000109900001/1.json");

fn item(code: &str) -> Arc<Item> {
    let version = ItemVersion {
        code: code.parse().unwrap(),
        version: 1,
    };
    Arc::clone(Catalogue::built_in().item(version).unwrap())
}

/// The faults of the migration example after one member is replaced, or removed by `null`.
fn faults_after(pointer: &str, value: Value) -> Vec<(String, String)> {
    let mut form: Value = serde_json::from_str(MIGRATION).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let members = form.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => members.remove(name),
        value => members.insert(name.to_owned(), value),
    };
    match item("000109900001").read_form(form.to_string().as_bytes()) {
        Err(FormFault::Invalid(faults)) => {
            for fault in &faults {
                assert!(!fault.message.is_empty() && !fault.message_en.is_empty());
                assert!(fault.message_en.is_ascii(), "{}", fault.message_en);
            }
            let places = faults.into_iter().map(|f| (f.pointer, f.keyword));
            places.collect()
        }
        other => panic!("{other:?}"),
    }
}

fn one(pointer: &str, keyword: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), keyword.to_owned())]
}

#[test]
fn every_shipped_item_loads_with_its_terms() {
    let catalogue = Catalogue::built_in();
    let terms: Vec<_> = catalogue.items().map(|item| item.terms.clone()).collect();
    assert_eq!(terms.len(), 2);
    assert_eq!(terms[0].item.to_string(), "000109900001/1");
    assert_eq!((terms[0].notice_days, terms[0].promise_days), (5, 10));
    assert_eq!(terms[0].statutory_days, Some(20));
    assert_eq!(
        terms[0].file,
        tongban_types::sha256(MIGRATION_FILE.as_bytes())
    );
    assert_eq!(
        terms[1].document_type.as_deref(),
        Some("urn:tongban:vct:unemployment-registration:1")
    );
    assert!(catalogue.calendar().version() >= 1);
}

#[test]
fn a_document_is_made_of_the_places_the_file_names() {
    let item = item("000109900001");
    let document = item.document.as_ref().unwrap();
    assert_eq!(document.name_zh, "准予迁入证明");
    assert_eq!(document.claims.len(), 8);
    assert_eq!(document.claims[4].name, "move_out_division");
    assert_eq!(document.claims[4].pointer, "/move_out/division");
    assert!(!document.claims[4].disclosable);
}

#[test]
fn the_examples_are_taken_and_name_their_authority_and_subject() {
    let form = item("000109900001")
        .read_form(MIGRATION.as_bytes())
        .unwrap();
    assert_eq!(form.authority.to_string(), "610502");
    assert_eq!(form.subject, "610502199001010003");
    let form = item("002014900001")
        .read_form(UNEMPLOYED.as_bytes())
        .unwrap();
    assert_eq!(form.authority.to_string(), "350302");
    assert_eq!(form.subject, "621102199001010004");
}

#[test]
fn one_form_has_one_text_however_it_was_written() {
    let pretty: Value = serde_json::from_str(MIGRATION).unwrap();
    let item = item("000109900001");
    let compact = item.read_form(pretty.to_string().as_bytes()).unwrap();
    assert_eq!(item.read_form(MIGRATION.as_bytes()).unwrap(), compact);
    assert_eq!(item.read_form(&compact.bytes).unwrap(), compact);
}

#[test]
fn what_the_schema_forbids_is_found_at_its_place() {
    assert_eq!(
        faults_after("/applicant/phone", Value::Null),
        one("/applicant/phone", "required")
    );
    assert_eq!(
        faults_after("/applicant/phone", json!("12800138000")),
        one("/applicant/phone", "pattern")
    );
    assert_eq!(
        faults_after("/migrants/0/relation", json!("cousin")),
        one("/migrants/0/relation", "oneOf")
    );
    assert_eq!(
        faults_after("/applicant/a~b", json!(1)),
        one("/applicant/a~0b", "additionalProperties")
    );
    assert_eq!(
        faults_after("/commitment", json!(false)),
        one("/commitment", "const")
    );
    assert_eq!(
        faults_after("/migrants", json!([])),
        one("/migrants", "minItems")
    );
}

#[test]
fn what_no_pattern_can_say_is_found_at_its_place() {
    // One digit mistyped: the check character does not fit.
    assert_eq!(
        faults_after("/applicant/id_number", json!("610502199001020003")),
        one("/applicant/id_number", "resident-id")
    );
    assert_eq!(
        faults_after("/migrants/0/id_number", json!("350102199001010018")),
        one("/migrants/0/id_number", "resident-id")
    );
    assert_eq!(
        faults_after("/migrants/0/birth_date", json!("1990-01-02")),
        one("/migrants/0/birth_date", "birth-date")
    );
    assert_eq!(
        faults_after("/marriage/registered_on", json!("2023-02-29")),
        one("/marriage/registered_on", "date")
    );
    assert_eq!(
        faults_after("/move_in/division", json!("100000")),
        one("/move_in/division", "division")
    );
}

#[test]
fn no_message_repeats_what_was_filled_in() {
    let mut form: Value = serde_json::from_str(MIGRATION).unwrap();
    form["applicant"]["id_number"] = json!("610502199001019999");
    form["applicant"]["phone"] = json!("secret-phone");
    form["applicant"]["name"] = json!("");
    let fault = item("000109900001").read_form(form.to_string().as_bytes());
    let said = format!("{fault:?} {}", fault.as_ref().unwrap_err());
    assert!(!said.contains("secret-phone") && !said.contains("61050219900101"));
}

#[test]
fn forms_too_large_or_not_strict_are_refused_before_anything_else() {
    let item = item("000109900001");
    let long = vec![b' '; tongban_types::limits::FORM_BYTES_MAX + 1];
    assert!(matches!(
        item.read_form(&long),
        Err(FormFault::TooLarge { .. })
    ));
    for text in ["", "{", "{\"a\":1,\"a\":1}", "1.5", "\u{0}"] {
        assert!(matches!(
            item.read_form(text.as_bytes()),
            Err(FormFault::NotStrict(_))
        ));
    }
}

#[test]
fn a_file_that_breaks_a_rule_is_not_loaded() {
    let changes: [(&str, Value); 8] = [
        ("/version", json!(0)),
        ("/promise_days", json!(21)),
        ("/notice_days", json!(0)),
        ("/form/x-authority", json!("/move_in/street")),
        ("/form/x-subject/id_number", json!("/applicant/name")),
        ("/result/claims/0/from", json!("/applicant/nothing")),
        ("/form/$defs/division/pattern", json!("(")),
        (
            "/form/properties/remark",
            json!({"$ref": "https://example.com/form.json"}),
        ),
    ];
    for (pointer, value) in changes {
        let mut file: Value = serde_json::from_str(MIGRATION_FILE).unwrap();
        *file.pointer_mut(pointer).unwrap() = value;
        let refused = Item::load("test", file.to_string().as_bytes());
        assert!(
            matches!(refused, Err(CatalogueError::Rule { .. })),
            "{pointer}: {refused:?}"
        );
    }
    let mut file: Value = serde_json::from_str(MIGRATION_FILE).unwrap();
    file["extra"] = json!(1);
    let refused = Item::load("test", file.to_string().as_bytes());
    assert!(matches!(refused, Err(CatalogueError::Shape { .. })));
}

#[test]
fn a_folder_is_loaded_as_the_built_in_files_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocol");
    let loaded = Catalogue::load(&folder).unwrap();
    let terms = |catalogue: &Catalogue| -> Vec<_> {
        catalogue.items().map(|item| item.terms.clone()).collect()
    };
    assert_eq!(terms(&loaded), terms(&Catalogue::built_in()));
    assert_eq!(loaded.calendar(), Catalogue::built_in().calendar());
}

#[test]
fn a_file_in_another_items_place_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("items/national/000109900002");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("1.json"), MIGRATION_FILE).unwrap();
    std::fs::create_dir(folder.path().join("calendar")).unwrap();
    assert!(matches!(
        Catalogue::load(folder.path()),
        Err(CatalogueError::NoCalendar { .. })
    ));
    std::fs::write(folder.path().join("calendar/1.json"), built_in::CALENDAR).unwrap();
    assert!(matches!(
        Catalogue::load(folder.path()),
        Err(CatalogueError::Rule { .. })
    ));
}
