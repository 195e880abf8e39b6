//! An answer as rows: the list it holds, or itself. For `jsonl` a row is an object a line, for `csv` a
//! record (RFC 4180) with a dotted name for what stands deeper.

use serde_json::{Map, Value};

/// The rows of an answer whose list is `name`; the answer itself where it has none.
pub(super) fn rows(answer: Value, name: &str) -> Vec<Value> {
    match answer {
        Value::Object(mut members) if !name.is_empty() => match members.remove(name) {
            Some(Value::Array(rows)) => rows,
            _ => Vec::new(),
        },
        answer => vec![answer],
    }
}

/// An object a line, each with the version of its schema first.
pub(super) fn json_lines(schema: &'static str, rows: Vec<Value>) -> String {
    let line = |row: Value| {
        let row = match row {
            Value::Object(members) => members,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        super::json_line(schema, &row)
    };
    rows.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Names, then a record a row.
pub(super) fn csv(rows: Vec<Value>) -> String {
    let flat: Vec<Vec<(String, String)>> = rows.into_iter().map(flattened).collect();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in flat.iter().flatten() {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut lines = vec![record(names.iter().copied())];
    for row in &flat {
        let cells = names.iter().map(|name| {
            let cell = row.iter().find(|(of, _)| of == name);
            cell.map_or("", |(_, cell)| cell.as_str())
        });
        lines.push(record(cells));
    }
    lines.join("\r\n")
}

fn flattened(row: Value) -> Vec<(String, String)> {
    let mut cells = Vec::new();
    match row {
        Value::Object(members) => {
            for (name, value) in members {
                flatten(name, value, &mut cells);
            }
        }
        other => cells.push(("value".to_owned(), plain(other))),
    }
    cells
}

fn flatten(name: String, value: Value, cells: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (below, value) in members {
                flatten(format!("{name}.{below}"), value, cells);
            }
        }
        Value::Array(elements) if !elements.iter().any(|one| one.is_object() || one.is_array()) => {
            let texts: Vec<String> = elements.into_iter().map(plain).collect();
            cells.push((name, texts.join(" ")));
        }
        other => cells.push((name, plain(other))),
    }
}

fn plain(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn record<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    cells.map(quoted).collect::<Vec<_>>().join(",")
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_gives_a_line_for_each_of_its_elements() {
        let answer = json!({"n": 1, "cases": [{"a": 1}, {"a": 2}]});
        let listed = rows(answer.clone(), "cases");
        assert_eq!(
            json_lines("tongban.x/v1", listed),
            "{\"schema\":\"tongban.x/v1\",\"a\":1}\n{\"schema\":\"tongban.x/v1\",\"a\":2}"
        );
        let alone = rows(answer.clone(), "");
        assert_eq!(alone, std::slice::from_ref(&answer));
        assert!(rows(answer, "absent").is_empty());
    }

    #[test]
    fn a_record_names_what_stands_deeper_and_quotes_what_would_break_it() {
        let listed = vec![
            json!({"no": "1", "item": {"code": "x", "version": 1}, "tags": ["a", "b"]}),
            json!({"no": "say \"2\",\n", "left": null, "deep": [{"a": 1}]}),
        ];
        assert_eq!(
            csv(listed),
            "item.code,item.version,no,tags,deep,left\r\n\
             x,1,1,a b,,\r\n\
             ,,\"say \"\"2\"\",\n\",,\"[{\"\"a\"\":1}]\","
        );
    }
}
