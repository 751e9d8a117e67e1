//! CloudWatch Logs' filter patterns: terms, phrases, optional and excluded terms, `%regex%`, JSON conditions.
//!
//! Must refuse what AWS refuses, since a client that forgets to quote should hear of it here.

use regex::Regex;
use serde_json::Value;

use crate::sim::reply::ApiError;

mod json;

/// The longest pattern, in characters.
const LONGEST: usize = 1_024;
/// Regular expressions in one pattern.
const MOST_REGEXES: usize = 2;

/// A filter pattern, ready to match.
#[derive(Clone, Debug)]
pub struct Pattern(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// All of the first, none of the second; if there is no first, one of the third.
    Terms { all: Vec<Term>, none: Vec<Term>, any: Vec<Term> },
    /// A condition on a JSON object.
    Json(json::Condition),
}

#[derive(Clone, Debug)]
enum Term {
    Text(String),
    Regex(Regex),
}

impl Term {
    fn is_in(&self, message: &str) -> bool {
        match self {
            Self::Text(text) => memchr::memmem::find(message.as_bytes(), text.as_bytes()).is_some(),
            Self::Regex(regex) => regex.is_match(message),
        }
    }
}

fn invalid(problem: impl std::fmt::Display) -> ApiError {
    ApiError::invalid_parameter(format!("Invalid filter pattern: {problem}"))
}

impl Pattern {
    /// Reads a pattern; the empty one matches everything.
    ///
    /// # Errors
    /// When AWS would refuse it, and for space-delimited patterns (`[a, b, …]`), which are not played.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        if text.chars().count() > LONGEST {
            return Err(ApiError::invalid_parameter(format!(
                "1 validation error detected: Value at 'filterPattern' failed to satisfy constraint: Member must have length less than or equal to {LONGEST}"
            )));
        }
        let text = text.trim();
        let kind = match text.chars().next() {
            Some('{') => Kind::Json(json::Condition::parse(text).map_err(invalid)?),
            Some('[') => return Err(invalid("space-delimited patterns are not played by this simulator")),
            _ => terms(text)?,
        };
        Ok(Self(kind))
    }

    /// Whether an event with this message is wanted.
    #[must_use]
    pub fn matches(&self, message: &str) -> bool {
        match &self.0 {
            Kind::Terms { all, none, any } => {
                if none.iter().any(|term| term.is_in(message)) {
                    return false;
                }
                // Optional terms count only where nothing is required.
                if all.is_empty() && !any.is_empty() {
                    return any.iter().any(|term| term.is_in(message));
                }
                all.iter().all(|term| term.is_in(message))
            }
            Kind::Json(condition) => {
                message.trim_start().starts_with('{')
                    && serde_json::from_str::<Value>(message).is_ok_and(|value| condition.holds(&value))
            }
        }
    }
}

fn terms(text: &str) -> Result<Kind, ApiError> {
    let (mut all, mut none, mut any) = (Vec::new(), Vec::new(), Vec::new());
    let mut regexes = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let list = match rest.as_bytes().first() {
            Some(b'-') => &mut none,
            Some(b'?') => &mut any,
            _ => &mut all,
        };
        let body = rest.strip_prefix(['-', '?']).unwrap_or(rest);
        let (term, after) = if let Some(quoted) = body.strip_prefix('"') {
            let (text, after) = phrase(quoted).ok_or_else(|| invalid("a quotation mark is not closed"))?;
            (Term::Text(text), after)
        } else if let Some(pattern) = body.strip_prefix('%') {
            let (pattern, after) = pattern.split_once('%').ok_or_else(|| invalid("a % is not closed"))?;
            regexes += 1;
            if regexes > MOST_REGEXES {
                return Err(invalid("at most 2 regular expressions are allowed"));
            }
            (Term::Regex(Regex::new(pattern).map_err(|_| invalid("bad regular expression"))?), after)
        } else {
            let end = body.find(char::is_whitespace).unwrap_or(body.len());
            let (word, after) = body.split_at(end);
            if word.is_empty() || !word.chars().all(|c| c.is_alphanumeric() || c == '_') {
                return Err(ApiError::invalid_parameter(format!("Invalid character(s) in term '{word}'")));
            }
            (Term::Text(word.to_owned()), after)
        };
        if !(after.is_empty() || after.starts_with(char::is_whitespace)) {
            return Err(invalid("terms are separated by spaces"));
        }
        list.push(term);
        rest = after.trim_start();
    }
    Ok(Kind::Terms { all, none, any })
}

/// A phrase up to its closing quotation mark, with `\"` and `\\` taken back, and what follows.
fn phrase(text: &str) -> Option<(String, &str)> {
    let mut content = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((content, &text[at + 1..])),
            '\\' => content.push(chars.next()?.1),
            c => content.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests;
