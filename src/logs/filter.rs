//! The filter language: which lines are wanted, in a form that fits on one line and in one hand.
//!
//! Terms are separated by blanks and must all match; a `-` before a term turns it round.
//! - `timeout`: the line contains it; capitals matter only when the term has one
//! - `"connection reset"`: the same with blanks in it
//! - `/req-[0-9a-f]+/`, `/error/i`: a regular expression
//! - `status=502`, `route:/login`, `level>=warn`, `duration_ms>500`: a field of a JSON or logfmt line, a dotted name
//!   reaching into objects; `level`, `container` and `task` are known for every line. A line that has no fields
//!   is searched for the term as it was typed.
//!
//! Must not hold or walk lines: `scan` applies a filter to the store.

use std::cmp::Ordering;
use std::ops::Range;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::level::Level;
use super::parse::Object;
use super::store::Record;

/// The most memory that one compiled expression may take.
const REGEX_BYTES: usize = 1 << 20;

/// What is wrong with a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFilter {
    /// A quote that is never closed.
    #[error("the quote at column {column} is not closed: add `\"`")]
    OpenQuote {
        /// Where, counted in characters from 1.
        column: usize,
    },
    /// An expression that does not compile.
    #[error("the expression at column {column}, `/{given}/`, is not valid: {why}")]
    Expression {
        /// Where, counted in characters from 1.
        column: usize,
        /// The expression.
        given: String,
        /// What the regex library says.
        why: String,
    },
    /// `level=` with a word that is none.
    #[error("`{given}` at column {column} is not a level: write trace, debug, info, warn, error or fatal")]
    Level {
        /// Where, counted in characters from 1.
        column: usize,
        /// The word.
        given: String,
    },
    /// A `-` that stands alone.
    #[error("the `-` at column {column} excludes nothing: write the word right behind it")]
    Nothing {
        /// Where, counted in characters from 1.
        column: usize,
    },
}

/// Which lines are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
    /// Lines below this level are not wanted; lines without a level neither.
    pub at_least: Option<Level>,
    /// Only these containers; all when empty.
    pub containers: Vec<String>,
    /// Only tasks whose id begins so; all when empty.
    pub tasks: Vec<String>,
}

#[derive(Clone, Debug)]
struct Term {
    excludes: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Text(Regex),
    Field { name: String, relation: Relation, value: String, as_typed: Regex },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    NotEqual,
    AtLeast,
    AtMost,
    Above,
    Below,
}

/// Two filters are the same when they were typed the same.
impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
            && self.at_least == other.at_least
            && self.containers == other.containers
            && self.tasks == other.tasks
    }
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// When a quote is open, an expression or a level is not one, or a `-` stands alone; with its column.
    pub fn parse(text: &str) -> Result<Self, BadFilter> {
        let mut terms = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..) {
            let Some(blank) = rest.find(|c: char| !c.is_whitespace()) else { break };
            at += blank;
            let (term, end) = Reader { text, column: column(text, at) }.term(at)?;
            terms.push(term);
            at = end;
        }
        Ok(Self { text: text.trim().to_owned(), terms, ..Self::default() })
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether every line is wanted.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
            && self.at_least.is_none()
            && self.containers.is_empty()
            && self.tasks.is_empty()
    }

    /// Whether it looks into lines, rather than only at level, container and task.
    #[must_use]
    pub fn has_terms(&self) -> bool {
        !self.terms.is_empty()
    }

    /// Whether the line is wanted.
    #[must_use]
    pub fn matches(&self, record: &Record<'_>) -> bool {
        self.at_least.is_none_or(|least| record.level >= Some(least))
            && (self.containers.is_empty() || self.containers.contains(&record.origin.container))
            && (self.tasks.is_empty()
                || self.tasks.iter().any(|t| record.origin.task.starts_with(t.as_str())))
            && self.terms_match(record)
    }

    fn terms_match(&self, record: &Record<'_>) -> bool {
        // Taking a line apart costs more than searching it: once for all terms, and only if one asks.
        let mut object = None;
        self.terms.iter().all(|term| {
            let found = match &term.test {
                Test::Text(expression) => expression.is_match(record.message),
                Test::Field { name, relation, value, as_typed } => match own_field(name, record) {
                    Some(OwnField::Level(level)) => level
                        .is_some_and(|l| relation.holds(Level::of_word(value).map(|wanted| l.cmp(&wanted)))),
                    Some(OwnField::Text(text)) => relation.holds(Some(if text.starts_with(value.as_str()) {
                        Ordering::Equal
                    } else {
                        text.cmp(value)
                    })),
                    None => {
                        let first = name.split('.').next().unwrap_or(name);
                        // A line without the name in it cannot have the field: no need to take it apart.
                        if record.message.contains(first) {
                            match object.get_or_insert_with(|| Object::of(record.message)) {
                                Some(object) => field_holds(object.get(name), *relation, value),
                                None => as_typed.is_match(record.message),
                            }
                        } else {
                            *relation == Relation::NotEqual && Object::of(record.message).is_some()
                        }
                    }
                },
            };
            found != term.excludes
        })
    }

    /// Which parts of a text the filter found, in order and without overlap: bytes, cut at characters.
    #[must_use]
    pub fn highlights(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = self
            .terms
            .iter()
            .filter(|term| !term.excludes)
            .flat_map(|term| {
                let (Test::Text(expression) | Test::Field { as_typed: expression, .. }) = &term.test;
                expression.find_iter(text).map(|m| m.range())
            })
            .filter(|range| !range.is_empty())
            .collect();
        found.sort_by_key(|range| (range.start, range.end));
        found.dedup_by(|next, kept| {
            let overlap = next.start <= kept.end;
            if overlap {
                kept.end = kept.end.max(next.end);
            }
            overlap
        });
        found
    }
}

enum OwnField<'a> {
    Level(Option<Level>),
    Text(&'a str),
}

/// Fields that every line has, whatever its message.
fn own_field<'a>(name: &str, record: &Record<'a>) -> Option<OwnField<'a>> {
    match name {
        "level" => Some(OwnField::Level(record.level)),
        "container" => Some(OwnField::Text(&record.origin.container)),
        "task" => Some(OwnField::Text(&record.origin.task)),
        _ => None,
    }
}

fn field_holds(field: Option<&Value>, relation: Relation, wanted: &str) -> bool {
    let Some(field) = field else {
        return relation == Relation::NotEqual;
    };
    let text = match field {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let order = match (text.trim().parse::<f64>(), wanted.parse::<f64>()) {
        (Ok(has), Ok(wants)) => has.partial_cmp(&wants),
        _ if matches!(relation, Relation::Equal | Relation::NotEqual) => {
            Some(if text.eq_ignore_ascii_case(wanted) { Ordering::Equal } else { text.as_str().cmp(wanted) })
        }
        // "slow" is neither more nor less than 500.
        _ => None,
    };
    relation.holds(order)
}

impl Relation {
    fn holds(self, order: Option<Ordering>) -> bool {
        let Some(order) = order else {
            return self == Self::NotEqual;
        };
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::AtLeast => order.is_ge(),
            Self::AtMost => order.is_le(),
            Self::Above => order.is_gt(),
            Self::Below => order.is_lt(),
        }
    }
}

fn column(text: &str, at: usize) -> usize {
    text.get(..at).map_or(0, |before| before.chars().count()) + 1
}

/// Reads one term.
struct Reader<'a> {
    text: &'a str,
    column: usize,
}

impl Reader<'_> {
    fn rest(&self, at: usize) -> &str {
        self.text.get(at..).unwrap_or_default()
    }

    /// The term that begins at `at`, and where it ends.
    fn term(&self, at: usize) -> Result<(Term, usize), BadFilter> {
        let excludes = self.rest(at).starts_with('-');
        let start = at + usize::from(excludes);
        let rest = self.rest(start);
        if rest.is_empty() || rest.starts_with(char::is_whitespace) {
            return Err(BadFilter::Nothing { column: self.column });
        }
        let (test, end) = if let Some(quoted) = rest.strip_prefix('"') {
            let close = quoted.find('"').ok_or(BadFilter::OpenQuote { column: column(self.text, start) })?;
            (self.literal(quoted.get(..close).unwrap_or_default())?, start + close + 2)
        } else if let Some((expression, insensitive, length)) = expression(rest) {
            let regex = RegexBuilder::new(expression)
                .case_insensitive(insensitive)
                .size_limit(REGEX_BYTES)
                .build()
                .map_err(|error| self.bad(expression, &error))?;
            (Test::Text(regex), start + length)
        } else {
            let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let word = rest.get(..length).unwrap_or(rest);
            self.word(word, rest, start)?
        };
        Ok((Term { excludes, test }, end))
    }

    fn word(&self, word: &str, rest: &str, start: usize) -> Result<(Test, usize), BadFilter> {
        let end = start + word.len();
        let Some((name, relation, value)) = field(word) else {
            return Ok((self.literal(word)?, end));
        };
        // `route="/a b"`: the value may be quoted, and then holds blanks.
        let (value, as_typed, end) = if let Some(quoted) = value.strip_prefix('"') {
            let open = word.len() - quoted.len();
            let from = rest.get(open..).unwrap_or_default();
            let close =
                from.find('"').ok_or(BadFilter::OpenQuote { column: column(self.text, start + open - 1) })?;
            (
                from.get(..close).unwrap_or_default(),
                rest.get(..=open + close).unwrap_or(word),
                start + open + close + 1,
            )
        } else {
            (value, word, end)
        };
        if name == "level" && Level::of_word(value).is_none() {
            return Err(BadFilter::Level { column: self.column, given: value.to_owned() });
        }
        let as_typed = match self.literal(as_typed)? {
            Test::Text(regex) | Test::Field { as_typed: regex, .. } => regex,
        };
        Ok((Test::Field { name: name.to_owned(), relation, value: value.to_owned(), as_typed }, end))
    }

    /// A literal text; capitals matter when it has one.
    fn literal(&self, text: &str) -> Result<Test, BadFilter> {
        let escaped = regex::escape(text);
        RegexBuilder::new(&escaped)
            .case_insensitive(!text.chars().any(char::is_uppercase))
            .build()
            .map(Test::Text)
            .map_err(|error| self.bad(text, &error))
    }

    fn bad(&self, given: &str, error: &regex::Error) -> BadFilter {
        let why = match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            // The library draws a picture over several lines; its last line is the reason.
            other => {
                let text = other.to_string();
                text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
            }
        };
        BadFilter::Expression { column: self.column, given: given.to_owned(), why }
    }
}

/// `/…/` or `/…/i`, followed by a blank or the end: the expression, whether case is ignored, and its length.
/// A path such as `/api/users` has no slash there and is a word.
fn expression(text: &str) -> Option<(&str, bool, usize)> {
    let body = text.strip_prefix('/')?;
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == '/' && at > 0 {
            let flags = body.get(at + 1..)?;
            let insensitive = flags.starts_with('i');
            let after = flags.strip_prefix('i').unwrap_or(flags);
            if after.is_empty() || after.starts_with(char::is_whitespace) {
                return Some((body.get(..at)?, insensitive, at + 2 + usize::from(insensitive)));
            }
        }
    }
    None
}

/// `name=value` and the like; `http://…` and `12:30` are words.
fn field(word: &str) -> Option<(&str, Relation, &str)> {
    let operator = word.find(['=', ':', '!', '<', '>'])?;
    let (name, rest) = word.split_at_checked(operator)?;
    let named = name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '@'))
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@'));
    let (relation, value) = [
        (">=", Relation::AtLeast),
        ("<=", Relation::AtMost),
        ("!=", Relation::NotEqual),
        ("=", Relation::Equal),
        (":", Relation::Equal),
        (">", Relation::Above),
        ("<", Relation::Below),
    ]
    .into_iter()
    .find_map(|(sign, relation)| Some((relation, rest.strip_prefix(sign)?)))?;
    let is_address = rest.starts_with("://") || rest.starts_with("::");
    (named && !value.is_empty() && !is_address).then_some((name, relation, value))
}

#[cfg(test)]
mod tests;
