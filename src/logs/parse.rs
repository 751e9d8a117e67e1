//! What a line says: its level, its message and its fields, from JSON, logfmt or plain text.
//!
//! Must not change a line: all of this is computed from the raw message when it is needed, and the raw message
//! stays what is stored, searched and copied. Lines beyond `PARSED` bytes are treated as plain text, so that
//! a megabyte of JSON never stands between a key and its frame.

use std::borrow::Cow;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::level::{Level, head};

/// The longest line that is taken apart.
pub const PARSED: usize = 64 * 1024;
/// How much of a message one row of a summary carries at most.
const SUMMARY: usize = 8 * 1024;
/// How many fields a summary shows when none were chosen.
const UNCHOSEN: usize = 8;

/// Which fields of a structured line mean what. Names are tried in order; a dotted name reaches into objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Fields that hold the level.
    pub level: Vec<String>,
    /// Fields that hold the message.
    pub message: Vec<String>,
    /// Fields that repeat what every row shows anyway, or that say nothing to a reader.
    pub hidden: Vec<String>,
    /// The fields to show behind the message; when empty, the first few that are not hidden.
    pub shown: Vec<String>,
}

impl Default for Fields {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect();
        Self {
            level: list(&[
                "level",
                "severity",
                "levelname",
                "lvl",
                "log.level",
                "loglevel",
                "log_level",
                "levelName",
            ]),
            message: list(&["message", "msg", "event", "text", "error.message", "error"]),
            hidden: list(&[
                "time",
                "timestamp",
                "ts",
                "@timestamp",
                "asctime",
                "date",
                "datetime",
                "@version",
                "v",
                "pid",
                "hostname",
                "host",
                "process",
                "thread",
            ]),
            shown: Vec::new(),
        }
    }
}

/// A structured line: its fields in the order in which the program wrote them.
#[derive(Clone, Debug, PartialEq)]
pub struct Object(Vec<(String, Value)>);

impl Object {
    /// Takes a line apart when it is a JSON object or looks like logfmt.
    #[must_use]
    pub fn of(message: &str) -> Option<Self> {
        if message.len() > PARSED {
            return None;
        }
        let text = message.trim();
        if text.starts_with('{') {
            return serde_json::from_str(text).ok();
        }
        logfmt(text).map(Self)
    }

    /// A field by its name, or by a dotted path.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        if let Some((_, value)) = self.0.iter().find(|(key, _)| key == name) {
            return Some(value);
        }
        let (first, rest) = name.split_once('.')?;
        let mut value = &self.0.iter().find(|(key, _)| key == first)?.1;
        for part in rest.split('.') {
            value = value.get(part)?;
        }
        Some(value)
    }

    fn first<'a>(&'a self, names: &'a [String]) -> Option<(&'a str, &'a Value)> {
        names.iter().find_map(|name| {
            let value = self.get(name)?;
            (!value.is_null()).then(|| (name.split('.').next().unwrap_or(name), value))
        })
    }

    fn level(&self, fields: &Fields) -> Option<Level> {
        let (_, value) = self.first(&fields.level)?;
        match value {
            Value::String(word) => {
                Level::of_word(word.trim()).or_else(|| Level::of_number(word.parse().ok()?))
            }
            Value::Number(number) => Level::of_number(number.as_i64()?),
            Value::Object(_) => Level::of_word(value.get("name")?.as_str()?),
            _ => None,
        }
    }
}

impl<'de> serde::Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// `level=info msg="a b" n=3`: at least two pairs, and nothing but pairs.
fn logfmt(text: &str) -> Option<Vec<(String, Value)>> {
    let mut fields = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let equals = rest.find('=')?;
        let key = rest.get(..equals)?;
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@' | '/');
        if key.is_empty()
            || !key.starts_with(|c: char| c.is_alphabetic() || c == '@' || c == '_')
            || !key.chars().all(plain)
        {
            return None;
        }
        rest = rest.get(equals + 1..)?;
        let value = if rest.starts_with('"') {
            let end = closing_quote(rest)?;
            let quoted = rest.get(..=end)?;
            rest = rest.get(end + 1..)?;
            serde_json::from_str(quoted).unwrap_or_else(|_| quoted.trim_matches('"').to_owned())
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let bare = rest.get(..end)?.to_owned();
            rest = rest.get(end..)?;
            bare
        };
        fields.push((key.to_owned(), Value::String(value)));
        rest = rest.trim_start();
    }
    (fields.len() >= 2).then_some(fields)
}

/// Where the string that begins with a quote ends.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at),
            _ => {}
        }
    }
    None
}

/// The level of a line.
#[must_use]
pub fn level(message: &str, fields: &Fields) -> Option<Level> {
    match Object::of(message) {
        Some(object) => object.level(fields),
        None if message.trim_start().starts_with('{') => level_in_cut_json(head(message, 4096), fields),
        None => Level::of_plain(message),
    }
}

/// The level of JSON that is too long, or was cut by whoever wrote it: `"level":"error"` near its beginning.
fn level_in_cut_json(text: &str, fields: &Fields) -> Option<Level> {
    fields.level.iter().find_map(|name| {
        let key = format!("\"{name}\"");
        let at = text.find(&key)?;
        let value = text.get(at + key.len()..)?.trim_start().strip_prefix(':')?.trim_start();
        let word: String =
            value.trim_start_matches('"').chars().take_while(char::is_ascii_alphanumeric).collect();
        Level::of_word(&word).or_else(|| Level::of_number(word.parse().ok()?))
    })
}

/// A line as one row shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary<'a> {
    /// Its level.
    pub level: Option<Level>,
    /// What it says. Raw: scrub before drawing.
    pub message: Cow<'a, str>,
    /// The fields behind the message, in the order in which they are to be shown.
    pub pairs: Vec<(String, String)>,
}

/// What one row shows of a line. A JSON line without a message field is shown as it is.
#[must_use]
pub fn summary<'a>(message: &'a str, fields: &Fields) -> Summary<'a> {
    let plain = |level| Summary {
        level,
        message: Cow::Borrowed(unstamped(head(message.trim_end_matches(['\n', '\r']), SUMMARY))),
        pairs: Vec::new(),
    };
    let Some(object) = Object::of(message) else {
        return plain(level(message, fields));
    };
    let level = object.level(fields);
    let Some((message_name, text)) = object.first(&fields.message) else {
        return plain(level);
    };
    let level_name = object.first(&fields.level).map(|(name, _)| name);
    let pairs = if fields.shown.is_empty() {
        object
            .0
            .iter()
            .filter(|(key, value)| {
                key != message_name
                    && Some(key.as_str()) != level_name
                    && !fields.hidden.contains(key)
                    && !value.is_null()
            })
            .take(UNCHOSEN)
            .map(|(key, value)| (key.clone(), text_of(value)))
            .collect()
    } else {
        fields.shown.iter().filter_map(|name| Some((name.clone(), text_of(object.get(name)?)))).collect()
    };
    Summary { level, message: Cow::Owned(text_of(text)), pairs }
}

/// A plain line without what every row shows in front of it anyway: `2026-11-20 14:00:01,123 INFO [app] ready`
/// becomes `[app] ready`. The whole line stays one key away.
fn unstamped(text: &str) -> &str {
    let Some(rest) = without_time(text) else { return text };
    let word = rest.trim_start_matches(['[', '(']);
    let letters = word.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (level, after) = word.split_at(letters);
    let bare = match Level::of_word(level) {
        Some(_) => after.trim_start_matches([']', ')', ':', ' ', '-', '|']),
        None => rest,
    };
    if bare.is_empty() { text } else { bare }
}

/// What stands behind a date and a time at the line's beginning; `None` when there is none.
fn without_time(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches('[');
    let bytes = rest.as_bytes();
    let fits = |from: usize, form: &[u8]| {
        form.iter().enumerate().all(|(i, f)| match (f, bytes.get(from + i)) {
            (b'0', Some(b)) => b.is_ascii_digit(),
            (b'T', Some(b)) => matches!(b, b'T' | b' '),
            (f, Some(b)) => f == b,
            (_, None) => false,
        })
    };
    if !fits(0, b"0000-00-00T00:00:00") && !fits(0, b"0000/00/00T00:00:00") {
        return None;
    }
    // Fractions and zone, in any of their forms.
    let rest = rest.get(19..)?.trim_start_matches(|c: char| c.is_ascii_digit() || ".,:+Z".contains(c));
    // gunicorn writes its zone behind a blank.
    let zone = rest
        .trim_start()
        .get(..5)
        .is_some_and(|z| z.starts_with(['+', '-']) && z.bytes().skip(1).all(|b| b.is_ascii_digit()));
    let rest = if zone { rest.trim_start().get(5..).unwrap_or_default() } else { rest };
    Some(rest.trim_start_matches([']', ' ', '-', '|']))
}

/// A value as a person reads it: a string without its quotes, anything else as JSON, cut to what a row holds.
fn text_of(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    head(&text, SUMMARY).to_owned()
}

/// The whole record, one string per row: JSON indented with its keys in their order and its numbers as they
/// were written, anything else line by line.
#[must_use]
pub fn pretty(message: &str) -> Vec<String> {
    let text = message.trim();
    let is_json = text.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok();
    if is_json { indented(text) } else { message.lines().map(str::to_owned).collect() }
}

/// Lays out JSON that is known to be well formed, token by token.
fn indented(json: &str) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    let mut depth = 0_usize;
    let mut rest = json;
    let fresh = |depth: usize| "  ".repeat(depth.min(40));
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match c {
            '"' => {
                taken = closing_quote(rest).map_or(rest.len(), |end| end + 1);
                row.push_str(rest.get(..taken).unwrap_or(rest));
            }
            '{' | '[' => {
                row.push(c);
                let inside = rest.get(1..).unwrap_or_default().trim_start();
                if let Some(close) = inside.chars().next().filter(|c| matches!(c, '}' | ']')) {
                    row.push(close);
                    taken = rest.len() - inside.len() + 1;
                } else {
                    depth += 1;
                    rows.push(std::mem::replace(&mut row, fresh(depth)));
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                rows.push(std::mem::replace(&mut row, fresh(depth)));
                row.push(c);
            }
            ',' => {
                row.push(c);
                rows.push(std::mem::replace(&mut row, fresh(depth)));
            }
            ':' => row.push_str(": "),
            c if c.is_whitespace() => {}
            c => row.push(c),
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    rows.push(row);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(message: &str) -> (Option<Level>, String, Vec<(String, String)>) {
        let summary = summary(message, &Fields::default());
        (summary.level, summary.message.into_owned(), summary.pairs)
    }

    #[test]
    fn a_plain_line_does_not_repeat_its_time_and_level() {
        for (line, shown) in [
            ("2026-11-20 14:00:01,123 INFO [app] ready", "[app] ready"),
            ("2026-11-20T14:00:01.5Z ERROR: no route", "no route"),
            ("[2026-11-20 14:00:01 +0000] [7] [INFO] Booting", "[7] [INFO] Booting"),
            ("2026/11/20 14:00:01 [error] 7#7: upstream", "7#7: upstream"),
            ("2026-11-20 14:00:01", "2026-11-20 14:00:01"),
            ("INFO: started", "INFO: started"),
            ("2026-11-20 is a date", "2026-11-20 is a date"),
        ] {
            assert_eq!(seen(line).1, shown, "{line}");
        }
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn json_lines_become_level_message_and_fields_in_their_order() {
        assert_eq!(
            seen(r#"{"time":"…","level":"error","msg":"boom","zone":"a","route":"/x","n":3}"#),
            (Some(Level::Error), "boom".into(), pairs(&[("zone", "a"), ("route", "/x"), ("n", "3")]))
        );
        assert_eq!(
            seen(r#"{"level":40,"time":1,"pid":7,"hostname":"h","msg":"slow"}"#),
            (Some(Level::Warn), "slow".into(), vec![])
        );
        assert_eq!(
            seen(r#"{"severity":"WARNING","message":"m","error":null}"#),
            (Some(Level::Warn), "m".into(), vec![])
        );
        assert_eq!(seen(r#"{"log":{"level":"info"},"event":"started"}"#).0, Some(Level::Info));
    }

    #[test]
    fn chosen_fields_are_shown_in_the_order_chosen() {
        let fields = Fields {
            shown: vec!["http.status".into(), "request_id".into(), "absent".into()],
            ..Fields::default()
        };
        let message = r#"{"msg":"m","request_id":"r1","http":{"status":502}}"#;
        assert_eq!(summary(message, &fields).pairs, pairs(&[("http.status", "502"), ("request_id", "r1")]));
    }

    #[test]
    fn logfmt_is_understood_and_prose_with_an_equals_sign_is_not() {
        assert_eq!(
            seen(r#"level=warn msg="disk \"full\"" path=/var"#),
            (Some(Level::Warn), "disk \"full\"".into(), pairs(&[("path", "/var")]))
        );
        assert_eq!(seen("connected to db=main as user=x").1, "connected to db=main as user=x");
        assert_eq!(seen("a=1").1, "a=1");
    }

    #[test]
    fn broken_and_huge_json_is_plain_text_that_keeps_its_level() {
        assert_eq!(seen(r#"{"level":"error","msg":"cut of"#).0, Some(Level::Error));
        let huge = format!(r#"{{"level":"fatal","msg":"{}"}}"#, "x".repeat(1 << 20));
        let (level, message, _) = seen(&huge);
        assert_eq!(level, Some(Level::Fatal));
        assert!(message.len() <= SUMMARY);
    }

    #[test]
    fn pretty_keeps_order_and_numbers_and_lays_out_empty_ones_flat() {
        assert_eq!(
            pretty(r#"{"b":1e400,"a":[1,{"c":"x, {y}"}],"d":{ },"e":[]}"#),
            [
                "{",
                "  \"b\": 1e400,",
                "  \"a\": [",
                "    1,",
                "    {",
                "      \"c\": \"x, {y}\"",
                "    }",
                "  ],",
                "  \"d\": {},",
                "  \"e\": []",
                "}"
            ]
        );
        assert_eq!(pretty("two\nlines"), ["two", "lines"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            let _ = summary(&text, &Fields::default());
            let _ = pretty(&text);
            let _ = summary(&format!("{{{text}"), &Fields::default());
        }

        #[test]
        fn laid_out_json_means_the_same(keys in proptest::collection::vec("[a-z\"\\\\,:{}\\[\\] ]{0,6}", 0..6)) {
            let value: Value = keys.iter().enumerate().map(|(n, k)| (format!("{n}{k}"), serde_json::json!([k, {"x": n}]))).collect();
            let rows = pretty(&value.to_string());
            prop_assert_eq!(serde_json::from_str::<Value>(&rows.concat()).unwrap(), value);
        }
    }
}
