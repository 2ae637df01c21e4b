//! JSON: questions with answers, else sections, lists and tables titled by the keys.

use serde_json::{Map, Value};

use crate::{Document, File, Unreadable, charset, faq, limits, write};

/// Keys whose value is the title of an object.
const TITLES: &[&str] = &[
    "title", "name", "headline", "label", "titre", "nom", "titel", "título",
];

/// The document of a file.
pub(crate) fn read(file: &File<'_>) -> Result<Document, Unreadable> {
    let text = charset::decode(file.bytes, file.content_type);
    from_value(&parse(&text)?)
}

/// The value of a text: JSON, or JSON Lines.
pub(crate) fn parse(text: &str) -> Result<Value, Unreadable> {
    if text.len() > limits::MAX_JSON_BYTES {
        return Err(Unreadable::too_large(format!(
            "The JSON has {} MB; the most is {} MB. Divide it into several files.",
            text.len().div_ceil(limits::MEGABYTE),
            limits::MAX_JSON_BYTES / limits::MEGABYTE
        )));
    }
    let text = text.trim();
    serde_json::from_str(text).or_else(|error| {
        let lines: Result<Vec<Value>, _> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(serde_json::from_str)
            .collect();
        lines.map(Value::Array).map_err(|_| {
            Unreadable::corrupt(format!(
                "The JSON is broken at line {}, column {}. Mend it there, or export it anew.",
                error.line(),
                error.column()
            ))
        })
    })
}

fn from_value(value: &Value) -> Result<Document, Unreadable> {
    let mut body = String::new();
    let mut document = Document::default();
    if let Value::Object(object) = value {
        document.title = title(object).unwrap_or_default();
        let language = ["lang", "language", "inLanguage"]
            .iter()
            .find_map(|key| object.get(*key)?.as_str());
        document.language = language.map(crate::html::language_tag).unwrap_or_default();
    }
    let mut values = 0;
    let mut writer = JsonWriter {
        out: &mut body,
        values: &mut values,
    };
    writer.value(value, 1, "")?;
    document.body = body;
    Ok(document)
}

fn title(object: &Map<String, Value>) -> Option<String> {
    let find = |name: &&str| object.iter().find(|(key, _)| key.to_lowercase() == *name);
    let text = TITLES
        .iter()
        .filter_map(find)
        .find_map(|(_, value)| value.as_str())?;
    Some(write::flat(text)).filter(|text| !text.is_empty())
}

struct JsonWriter<'a> {
    out: &'a mut String,
    values: &'a mut usize,
}

impl JsonWriter<'_> {
    fn value(&mut self, value: &Value, level: usize, name: &str) -> Result<(), Unreadable> {
        *self.values += 1;
        if *self.values > limits::MAX_VALUES || self.out.len() > limits::MAX_MARKDOWN_BYTES {
            return Err(Unreadable::too_large(
                "The JSON holds more than may be read. Divide it into several files.",
            ));
        }
        match value {
            Value::Object(object) => self.object(object, level),
            Value::Array(items) => self.array(items, level, name),
            _ => {
                if let Some(text) = scalar(value) {
                    faq::text(self.out, &text);
                }
                Ok(())
            }
        }
    }

    fn object(&mut self, object: &Map<String, Value>, level: usize) -> Result<(), Unreadable> {
        if let Some((question, answer)) = pair(object) {
            faq::pair(self.out, &question, &answer);
            return Ok(());
        }
        // A dictionary of questions.
        let asks = |key: &String| key.trim().ends_with(['?', '？', '؟', ';']);
        if !object.is_empty()
            && object
                .iter()
                .all(|(key, value)| asks(key) && value.is_string())
        {
            for (key, value) in object {
                faq::pair(self.out, key, value.as_str().unwrap_or_default());
            }
            return Ok(());
        }
        for (key, value) in object {
            if key.starts_with(['@', '$']) {
                continue;
            }
            if let Some(text) = scalar(value) {
                let line = format!(
                    "{}: {}",
                    write::escape(&readable(key)),
                    write::escape(&text)
                );
                write::item(self.out, 0, &line);
            } else if let Value::Array(items) = value
                && items.iter().all(|item| scalar(item).is_some())
            {
                let items: Vec<String> = items.iter().filter_map(scalar).collect();
                if !items.is_empty() {
                    let line = format!(
                        "{}: {}",
                        write::escape(&readable(key)),
                        write::escape(&items.join(", "))
                    );
                    write::item(self.out, 0, &line);
                }
            }
        }
        write::blank_line(self.out);
        for (key, value) in object {
            let nested = match value {
                Value::Object(object) => !object.is_empty(),
                Value::Array(items) => items.iter().any(|item| scalar(item).is_none()),
                _ => false,
            };
            if nested && !key.starts_with(['@', '$']) {
                let questions = matches!(value, Value::Array(items) if items.iter().all(is_pair));
                if !questions {
                    write::heading(self.out, level, &write::escape(&readable(key)), None);
                }
                self.value(value, level + 1, key)?;
            }
        }
        Ok(())
    }

    fn array(&mut self, items: &[Value], level: usize, name: &str) -> Result<(), Unreadable> {
        if let Some((keys, rows)) = flat_rows(items) {
            let head: Vec<String> = keys
                .iter()
                .map(|key| write::escape(&readable(key)))
                .collect();
            *self.values += rows.len() * head.len();
            write::table(self.out, &head, &rows);
            return Ok(());
        }
        for (item, number) in items.iter().zip(1..) {
            match item {
                Value::Object(object) if pair(object).is_none() => {
                    let heading =
                        title(object).unwrap_or_else(|| format!("{} {number}", readable(name)));
                    write::heading(self.out, level, &write::escape(&heading), None);
                    self.value(item, level + 1, name)?;
                }
                _ => match scalar(item) {
                    Some(text) => write::item(self.out, 0, &write::escape(&text)),
                    None => self.value(item, level, name)?,
                },
            }
        }
        write::blank_line(self.out);
        Ok(())
    }
}

fn is_pair(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|object| pair(object).is_some())
}

/// A question and its answer, in a plain object or in that of schema.org.
fn pair(object: &Map<String, Value>) -> Option<(String, String)> {
    let text = |value: &Value| match value {
        Value::Object(inner) => scalar(inner.get("text").or_else(|| inner.get("content"))?),
        Value::Array(items) => scalar(items.first()?.get("text")?),
        _ => scalar(value),
    };
    let find = |test: fn(&str) -> bool| {
        object
            .iter()
            .find(|(key, _)| test(key))
            .and_then(|(_, value)| text(value))
    };
    let answer = find(faq::is_answer)?;
    let asks = object.get("@type").and_then(Value::as_str) == Some("Question");
    let question =
        find(faq::is_question).or_else(|| asks.then(|| scalar(object.get("name")?)).flatten())?;
    Some((question, answer))
}

/// Objects of the same few keys and short values: the rows of a table.
fn flat_rows(items: &[Value]) -> Option<(Vec<&str>, Vec<Vec<String>>)> {
    let keys: Vec<&str> = items
        .first()?
        .as_object()?
        .keys()
        .map(String::as_str)
        .collect();
    if items.len() < 2 || keys.is_empty() || keys.len() > 30 || items.iter().any(is_pair) {
        return None;
    }
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        let object = item.as_object()?;
        if object.len() > keys.len() || object.keys().any(|key| !keys.contains(&key.as_str())) {
            return None;
        }
        let mut row = Vec::with_capacity(keys.len());
        for key in &keys {
            let text = match object.get(*key) {
                None | Some(Value::Null) => String::new(),
                Some(value) => scalar(value).filter(|text| text.len() <= 300)?,
            };
            row.push(write::escape(&text));
        }
        rows.push(row);
    }
    Some((keys, rows))
}

/// A scalar value as text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// `opening hours` of `openingHours` and `opening_hours`.
fn readable(key: &str) -> String {
    let mut out = String::new();
    let mut lower = false;
    for c in key.chars() {
        if lower && c.is_uppercase() {
            out.push(' ');
            out.extend(c.to_lowercase());
        } else {
            out.push(if matches!(c, '_' | '-') { ' ' } else { c });
        }
        lower = c.is_lowercase();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> String {
        from_value(&parse(text).unwrap()).unwrap().body
    }

    #[test]
    fn shapes_of_questions() {
        insta::assert_snapshot!(
            [
                r#"{"faq":[{"question":"Livrez-vous ?","answer":"<p>Oui.</p>"},{"q":"何時ですか","a":"七時です"}]}"#,
                r#"{"@type":"FAQPage","mainEntity":[{"@type":"Question","name":"Open?","acceptedAnswer":{"@type":"Answer","text":"Yes"}}]}"#,
                r#"{"متى تفتحون؟":"في السابعة","Wann?":"Um sieben"}"#,
                "{\"question\":\"A?\",\"answer\":\"b\"}\n{\"question\":\"C?\",\"answer\":\"d\"}\n",
            ]
            .map(body)
            .join("----\n")
        );
    }

    #[test]
    fn other_values_are_sections_lists_and_tables() {
        insta::assert_snapshot!(body(
            r#"{"name":"Boulangerie","openingHours":{"monday":"7-19","note_fr":"fermé *le* lundi"},"tags":["pain","パン"],
            "prices":[{"item":"Pain","price":2.4},{"item":"Tarte | grande","price":18}],"team":[{"name":"Élise","skills":["four",1]},
            {"name":"Ada","about":{"city":"Rennes"}}],"empty":{},"nothing":null}"#
        ));
    }

    #[test]
    fn a_broken_file_says_where() {
        let error = parse("{\"a\": 1,\n}").unwrap_err();
        assert_eq!(error.code.as_str(), "corrupt");
        assert!(error.detail.contains("line 2"), "{}", error.detail);
        assert_eq!(
            parse(&"[".repeat(100_000)).unwrap_err().code.as_str(),
            "corrupt"
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "([\\[{]|[\\]}]|\"[a-z?@é<>]{0,6}\"|[:,]|[0-9]|null){0,40}") {
            if let Ok(value) = parse(&text) {
                let _ = from_value(&value);
            }
        }
    }
}
