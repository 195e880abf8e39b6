//! What the JSON form of an answer is, as a JSON Schema (2020-12) made of the answer's own type, so that the
//! two cannot differ.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::Answer;

/// The dialect of all schemas.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Where `OpenAPI` has what is referred to, and where JSON Schema has it.
const COMPONENTS: &str = "#/components/schemas/";
const DEFINITIONS: &str = "#/$defs/";

/// Widths of numbers: formats of `OpenAPI`, which JSON Schema does not know.
const WIDTHS: [&str; 7] = [
    "int8", "int16", "int32", "int64", "uint16", "float", "double",
];

/// A versioned JSON object and what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described {
    /// Name and version, `tongban.<what>/v<n>`.
    pub(crate) name: &'static str,
    /// What gives it: a command, or an operation of the API.
    pub(crate) by: &'static str,
    rows: &'static str,
    is_marked: bool,
    of: fn() -> Whole,
}

struct Whole {
    root: RefOr<Schema>,
    parts: Vec<(String, RefOr<Schema>)>,
}

impl Described {
    /// The answer of a command.
    pub(crate) const fn answer<T: Answer>(by: &'static str) -> Self {
        Self {
            name: T::SCHEMA,
            by,
            rows: T::ROWS,
            is_marked: true,
            of: whole::<T>,
        }
    }

    /// An object that says its name and version in `schema`.
    pub(crate) const fn marked<T: ToSchema>(name: &'static str, by: &'static str) -> Self {
        Self {
            name,
            by,
            rows: "",
            is_marked: true,
            of: whole::<T>,
        }
    }

    /// An object whose form does not let it say so.
    pub(crate) const fn unmarked<T: ToSchema>(name: &'static str, by: &'static str) -> Self {
        Self {
            is_marked: false,
            ..Self::marked::<T>(name, by)
        }
    }

    /// Its schema.
    pub(crate) fn schema(self) -> Value {
        let Whole { root, parts } = (self.of)();
        let (mut root, mut definitions) = (cleaned(&root), Map::new());
        for (name, part) in &parts {
            definitions.insert(name.clone(), cleaned(part));
        }
        if self.is_marked {
            root = marked(root, self.name);
        }
        let mut schema = headed(self.name);
        if let Value::Object(members) = root {
            schema.extend(members);
        }
        if !definitions.is_empty() {
            schema.insert("$defs".to_owned(), definitions.into());
        }
        schema.into()
    }

    /// The schema of one line of `-o jsonl`; the schema itself of what is one thing.
    pub(crate) fn line_schema(self) -> Value {
        let schema = self.schema();
        let Some(row) = rows_of(&schema, &schema, self.rows) else {
            return schema;
        };
        // What is no object is said as the member `value` of one.
        let row = if row["type"] == "string" {
            json!({"type": "object", "required": ["value"], "properties": {"value": row}})
        } else {
            row.clone()
        };
        let mut line = headed(self.name);
        if let Value::Object(members) = marked(row, self.name) {
            line.extend(members);
        }
        if let Some(definitions) = schema.get("$defs") {
            line.insert("$defs".to_owned(), definitions.clone());
        }
        line.into()
    }
}

/// What the elements of a list are that is a member of an object, wherever the object has it from.
fn rows_of<'s>(whole: &'s Value, object: &'s Value, rows: &str) -> Option<&'s Value> {
    if let Some(list) = object.get("properties").and_then(|all| all.get(rows)) {
        return list.get("items");
    }
    if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
        let below = whole.pointer(reference.strip_prefix('#')?)?;
        return rows_of(whole, below, rows);
    }
    let together = object.get("allOf")?.as_array()?;
    together.iter().find_map(|part| rows_of(whole, part, rows))
}

fn whole<T: ToSchema>() -> Whole {
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    Whole {
        root: T::schema(),
        parts,
    }
}

fn headed(name: &str) -> Map<String, Value> {
    let head = [("$schema", DIALECT), ("title", name)];
    let head = head.map(|(keyword, text)| (keyword.to_owned(), text.into()));
    head.into_iter().collect()
}

/// The same of an object that also says which it is.
fn marked(schema: Value, name: &str) -> Value {
    let mark = json!({"type": "string", "const": name});
    let mut schema = match schema {
        Value::Object(members) if members.contains_key("properties") => members,
        // A reference, or several together: what is said of them stays as it is.
        other => Map::from_iter([
            ("type".to_owned(), "object".into()),
            ("allOf".to_owned(), json!([other])),
        ]),
    };
    let mut required = vec![Value::from("schema")];
    if let Some(Value::Array(others)) = schema.remove("required") {
        required.extend(others.into_iter().filter(|other| other != "schema"));
    }
    schema.insert("required".to_owned(), required.into());
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    properties["schema"] = mark;
    schema.into()
}

/// As JSON Schema has it.
fn cleaned(schema: &RefOr<Schema>) -> Value {
    let mut schema = serde_json::to_value(schema).expect("a schema is texts, numbers and lists");
    clean(&mut schema);
    schema
}

/// Follows the keywords that hold schemas, so that no member of that name is taken for a keyword.
fn clean(schema: &mut Value) {
    let Value::Object(keywords) = schema else {
        return;
    };
    if keywords
        .get("format")
        .is_some_and(|format| WIDTHS.iter().any(|width| format == width))
    {
        keywords.remove("format");
    }
    if let Some(example) = keywords.remove("example") {
        keywords.insert("examples".to_owned(), json!([example]));
    }
    for (keyword, below) in keywords {
        match (keyword.as_str(), below) {
            ("$ref", Value::String(reference)) => {
                if let Some(name) = reference.strip_prefix(COMPONENTS) {
                    *reference = format!("{DEFINITIONS}{name}");
                }
            }
            ("properties", Value::Object(members)) => members.values_mut().for_each(clean),
            ("items" | "additionalProperties" | "propertyNames" | "not", below) => clean(below),
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(several)) => {
                several.iter_mut().for_each(clean);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use tongban_api::JsonSchema;

    use super::*;
    use crate::output::Reader;

    #[derive(Serialize, ToSchema)]
    struct Cities {
        cities: Vec<City>,
    }

    /// One of them.
    #[derive(Serialize, ToSchema)]
    struct City {
        format: String,
        nodes: Option<u64>,
    }

    impl Answer for Cities {
        const SCHEMA: &'static str = "tongban.sample/v3";
        const ROWS: &'static str = "cities";

        fn to_text(&self, _: Reader) -> String {
            String::new()
        }
    }

    fn keywords(schema: &Value, value: &Value) -> Vec<String> {
        let faults = JsonSchema::compile(schema).unwrap().faults(value);
        faults.into_iter().map(|fault| fault.keyword).collect()
    }

    #[test]
    fn an_answer_is_by_its_schema_and_another_is_not() {
        let schema = Described::answer::<Cities>("x").schema();
        assert_eq!(schema["$schema"], DIALECT);
        assert_eq!(schema["title"], "tongban.sample/v3");
        let city = json!({"format": "x", "nodes": null});
        let good = json!({"schema": "tongban.sample/v3", "cities": [city]});
        assert_eq!(keywords(&schema, &good), [""; 0]);
        let other = json!({"schema": "tongban.sample/v2", "cities": [{"nodes": -1}]});
        let mut found = keywords(&schema, &other);
        found.sort_unstable();
        assert_eq!(found, ["const", "minimum", "required"]);
    }

    #[test]
    fn a_line_of_a_list_has_a_schema_of_its_own() {
        let schema = Described::answer::<Cities>("x").line_schema();
        let line = json!({"schema": "tongban.sample/v3", "format": "x"});
        assert_eq!(keywords(&schema, &line), [""; 0]);
        assert_eq!(keywords(&schema, &json!({"format": "x"})), ["required"]);
    }

    #[test]
    fn the_width_of_a_number_is_left_out_and_a_member_called_format_is_not() {
        let schema = Described::answer::<Cities>("x").schema();
        let city = &schema["$defs"]["City"]["properties"];
        assert_eq!(city["format"]["type"], "string");
        assert_eq!(city["nodes"].get("format"), None);
        assert_eq!(city["nodes"]["minimum"], 0);
    }
}
