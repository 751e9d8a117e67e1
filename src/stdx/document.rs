//! TOML files whose mistakes name file, line and key: themes, keymaps and the configuration are read through
//! this, so that all three complain in the same way.
//!
//! Must not read files, and must not know what any key means.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::stdx::text::scrub;

/// Where something stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name as the reader knows it.
    pub source: String,
    /// Counted from 1.
    pub line: usize,
    /// The dotted key; empty for the file as a whole.
    pub key: String,
}

/// A mistake in a file, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", scrub(&format!(
    "{}, line {}{}: {what}",
    place.source,
    place.line,
    if place.key.is_empty() { String::new() } else { format!(", {}", place.key) }
)))]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// What is wrong and what to write instead.
    pub what: String,
}

impl Place {
    /// A mistake here.
    #[must_use]
    pub fn mistake(&self, what: impl Into<String>) -> Mistake {
        Mistake { place: self.clone(), what: what.into() }
    }
}

/// A parsed file.
#[derive(Debug)]
pub struct Document<'t> {
    source: &'t str,
    text: &'t str,
    root: Spanned<DeTable<'t>>,
}

impl<'t> Document<'t> {
    /// Parses a file's text.
    ///
    /// # Errors
    /// When it is not TOML.
    pub fn parse(source: &'t str, text: &'t str) -> Result<Self, Mistake> {
        let root = DeTable::parse(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            let place = Place { source: source.to_owned(), line, key: String::new() };
            place.mistake(error.message().trim_end())
        })?;
        Ok(Self { source, text, root })
    }

    /// The file's top-level table.
    #[must_use]
    pub fn root(&self) -> Table<'_> {
        Table { source: self.source, text: self.text, path: String::new(), table: self.root.get_ref(), at: 0 }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// A table of the file.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    source: &'a str,
    text: &'a str,
    path: String,
    table: &'a DeTable<'a>,
    at: usize,
}

impl<'a> Table<'a> {
    /// The entries in the order of the file.
    #[must_use]
    pub fn entries(&self) -> Vec<Item<'a>> {
        let mut entries: Vec<Item<'a>> = self
            .table
            .iter()
            .map(|(key, value)| Item {
                source: self.source,
                text: self.text,
                key: key.get_ref().to_string(),
                path: join(&self.path, key.get_ref()),
                key_at: key.span().start,
                value,
            })
            .collect();
        entries.sort_by_key(|item| item.key_at);
        entries
    }

    /// One entry.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Item<'a>> {
        self.entries().into_iter().find(|item| item.key == key)
    }

    /// One entry that must be there.
    ///
    /// # Errors
    /// When it is missing.
    pub fn need(&self, key: &str) -> Result<Item<'a>, Mistake> {
        self.get(key).ok_or_else(|| self.place().mistake(format!("`{key}` is missing")))
    }

    /// Refuses entries other than these.
    ///
    /// # Errors
    /// Names the first entry that is not allowed, and what is.
    pub fn only(&self, allowed: &[&str]) -> Result<(), Mistake> {
        match self.entries().into_iter().find(|item| !allowed.contains(&item.key.as_str())) {
            Some(item) => Err(item.unknown("setting", allowed.iter().copied())),
            None => Ok(()),
        }
    }

    /// Where the table begins.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { source: self.source.to_owned(), line: line_of(self.text, self.at), key: self.path.clone() }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// An entry of a table or an element of a list.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    source: &'a str,
    text: &'a str,
    /// Its key; `2` for the second element of a list.
    pub key: String,
    /// Its dotted path.
    pub path: String,
    key_at: usize,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Item<'a> {
    /// Where its value stands.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place_at(self.value.span().start)
    }

    fn place_at(&self, offset: usize) -> Place {
        Place { source: self.source.to_owned(), line: line_of(self.text, offset), key: self.path.clone() }
    }

    /// A mistake in its value.
    #[must_use]
    pub fn mistake(&self, what: impl Into<String>) -> Mistake {
        self.place().mistake(what)
    }

    /// A mistake in its key: there is no such `noun` here.
    #[must_use]
    pub fn unknown<'n>(&self, noun: &str, allowed: impl IntoIterator<Item = &'n str>) -> Mistake {
        let allowed: Vec<&str> = allowed.into_iter().collect();
        let what = unknown(noun, &self.key, &allowed);
        self.place_at(self.key_at).mistake(what)
    }

    fn wrong_type<T>(&self, wanted: &str) -> Result<T, Mistake> {
        Err(self.mistake(format!("this is {}, but {wanted} is wanted", article(self.value.get_ref()))))
    }

    /// Its text.
    ///
    /// # Errors
    /// When it is not a string.
    pub fn text(&self) -> Result<&'a str, Mistake> {
        self.value.get_ref().as_str().map_or_else(|| self.wrong_type("a text in quotes"), Ok)
    }

    /// Its truth value.
    ///
    /// # Errors
    /// When it is neither true nor false.
    pub fn flag(&self) -> Result<bool, Mistake> {
        self.value.get_ref().as_bool().map_or_else(|| self.wrong_type("true or false"), Ok)
    }

    /// Its whole number, from `least` on.
    ///
    /// # Errors
    /// When it is not a whole number, less, or more than fits in 32 bits.
    pub fn number(&self, least: u32) -> Result<u32, Mistake> {
        let DeValue::Integer(given) = self.value.get_ref() else { return self.wrong_type("a whole number") };
        let value = i64::from_str_radix(&given.as_str().replace('_', ""), given.radix()).unwrap_or(i64::MAX);
        match u32::try_from(value) {
            Ok(value) if value >= least => Ok(value),
            _ if value < i64::from(least) => {
                Err(self.mistake(format!("the least that is allowed is {least}")))
            }
            _ => Err(self.mistake(format!("the most that is allowed is {}", u32::MAX))),
        }
    }

    /// Its entries.
    ///
    /// # Errors
    /// When it is not a table.
    pub fn table(&self) -> Result<Table<'a>, Mistake> {
        match self.value.get_ref() {
            DeValue::Table(table) => Ok(Table {
                source: self.source,
                text: self.text,
                path: self.path.clone(),
                table,
                at: self.value.span().start,
            }),
            _ => self.wrong_type("a table"),
        }
    }

    /// Its elements.
    ///
    /// # Errors
    /// When it is not a list.
    pub fn list(&self) -> Result<Vec<Self>, Mistake> {
        let DeValue::Array(array) = self.value.get_ref() else { return self.wrong_type("a list") };
        Ok(array
            .iter()
            .enumerate()
            .map(|(index, value)| Self {
                source: self.source,
                text: self.text,
                key: (index + 1).to_string(),
                path: format!("{}[{}]", self.path, index + 1),
                key_at: value.span().start,
                value,
            })
            .collect())
    }

    /// Its elements as texts.
    ///
    /// # Errors
    /// When it is not a list of strings.
    pub fn texts(&self) -> Result<Vec<String>, Mistake> {
        self.list()?.iter().map(|item| item.text().map(str::to_owned)).collect()
    }

    /// Its value if it is a text, without complaint.
    #[must_use]
    pub fn as_text(&self) -> Option<&'a str> {
        self.value.get_ref().as_str()
    }

    /// Whether it is a table.
    #[must_use]
    pub fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }
}

fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The sentence for a word that is not one of those allowed: the nearest one if any is near, else all.
#[must_use]
pub fn unknown(noun: &str, given: &str, allowed: &[&str]) -> String {
    let nearest = allowed
        .iter()
        .map(|word| (strsim::jaro_winkler(given, word), *word))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .filter(|(likeness, _)| *likeness > 0.85);
    match nearest {
        Some((_, word)) => format!("there is no {noun} `{given}`; did you mean `{word}`?"),
        None => format!("there is no {noun} `{given}`; allowed: {}", allowed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n[b]\nlist = [\n  \"x\",\n  2,\n]\n";

    #[test]
    fn mistakes_name_file_line_and_key() {
        let document = Document::parse("f.toml", TEXT).unwrap();
        let root = document.root();
        let told = |result: Result<String, Mistake>| result.unwrap_err().to_string();
        assert_eq!(
            told(root.need("a").unwrap().text().map(str::to_owned)),
            "f.toml, line 1, a: this is a whole number, but a text in quotes is wanted"
        );
        let b = root.need("b").unwrap().table().unwrap();
        assert_eq!(
            told(b.need("list").unwrap().texts().map(|t| t.concat())),
            "f.toml, line 5, b.list[2]: this is a whole number, but a text in quotes is wanted"
        );
        assert_eq!(told(b.need("c").map(|i| i.key)), "f.toml, line 2, b: `c` is missing");
        assert_eq!(
            told(b.only(&["lists", "other"]).map(|()| String::new())),
            "f.toml, line 3, b.list: there is no setting `list`; did you mean `lists`?"
        );
    }

    #[test]
    fn whole_numbers_have_bounds() {
        let read = |text: &str, least| {
            let document = Document::parse("f.toml", text).unwrap();
            let item = document.root().need("a").unwrap();
            item.number(least).map_err(|mistake| mistake.what)
        };
        assert_eq!(read("a = 15", 1), Ok(15));
        assert_eq!(read("a = 1_000", 1), Ok(1_000));
        assert_eq!(read("a = 0x10", 1), Ok(16));
        assert_eq!(read("a = 0", 1), Err("the least that is allowed is 1".to_owned()));
        assert_eq!(read("a = -3", 1), Err("the least that is allowed is 1".to_owned()));
        assert_eq!(read("a = 5_000_000_000", 1), Err("the most that is allowed is 4294967295".to_owned()));
        assert!(read("a = 1.5", 1).is_err_and(|what| what.contains("a whole number is wanted")));
    }

    #[test]
    fn what_is_not_toml_is_told_with_its_line() {
        let error = Document::parse("f.toml", "a = 1\nb = \n").unwrap_err().to_string();
        assert!(error.starts_with("f.toml, line 2: "), "{error}");
        let error = Document::parse("f.toml", "a = 1\na = 2\n").unwrap_err().to_string();
        assert!(error.starts_with("f.toml, line 2: duplicate key"), "{error}");
    }

    #[test]
    fn odd_files_are_read_or_refused_but_never_crash() {
        let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Document::parse("f.toml", &deep).is_err());
        let document = Document::parse("f.toml", "\u{feff}a = 1\r\nb = 2\r\n").unwrap();
        assert_eq!(document.root().need("b").unwrap().place().line, 2);
        let place = Place { source: "f\u{1b}]0;x\u{7}.toml".into(), line: 1, key: String::new() };
        assert_eq!(place.mistake("bad").to_string(), "f␛]0;x␇.toml, line 1: bad");
    }
}
