//! Conditions on JSON events: `{ $.level = "error" && ($.status >= 500 || $.path = "/api/*") }`.
//!
//! Must not match what is not a JSON object, nor a property that is not there (save for `NOT EXISTS`).

use regex::Regex;
use serde_json::Value;

/// How deep parentheses may nest.
const DEEPEST: usize = 32;

#[derive(Clone, Debug)]
pub(super) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Test(Vec<Step>, Test),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

#[derive(Clone, Debug)]
pub(super) enum Test {
    Equal(Wanted),
    Unequal(Wanted),
    Less(f64),
    LessEqual(f64),
    Greater(f64),
    GreaterEqual(f64),
    Is(Value),
    NotExists,
}

#[derive(Clone, Debug)]
pub(super) enum Wanted {
    Number(f64),
    /// Parts between `*`.
    Text(Vec<String>),
    Regex(Regex),
}

impl Wanted {
    fn fits(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Number(wanted), Value::Number(number)) => number.as_f64() == Some(*wanted),
            (Self::Text(parts), Value::String(text)) => wildcard(parts, text),
            (Self::Text(parts), Value::Number(number)) => wildcard(parts, &number.to_string()),
            (Self::Regex(regex), Value::String(text)) => regex.is_match(text),
            (Self::Regex(regex), Value::Number(number)) => regex.is_match(&number.to_string()),
            _ => false,
        }
    }
}

fn wildcard(parts: &[String], text: &str) -> bool {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    if parts.len() == 1 {
        return text == first;
    }
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for part in parts.get(1..parts.len() - 1).unwrap_or_default() {
        let Some((_, after)) = rest.split_once(part.as_str()) else { return false };
        rest = after;
    }
    rest.ends_with(last.as_str())
}

impl Condition {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let inner =
            text.trim().strip_prefix('{').and_then(|t| t.strip_suffix('}')).ok_or("a } is missing")?;
        let mut reader = Reader { rest: inner, depth: 0 };
        let condition = reader.either()?;
        reader.skip();
        if reader.rest.is_empty() {
            Ok(condition)
        } else {
            Err(format!("unexpected `{}`", reader.rest.trim()))
        }
    }

    pub(super) fn holds(&self, event: &Value) -> bool {
        match self {
            Self::And(all) => all.iter().all(|condition| condition.holds(event)),
            Self::Or(any) => any.iter().any(|condition| condition.holds(event)),
            Self::Test(path, test) => {
                let found = path.iter().try_fold(event, |value, step| match step {
                    Step::Key(key) => value.get(key),
                    Step::Index(index) => value.get(index),
                });
                match (test, found) {
                    (Test::NotExists, found) => found.is_none(),
                    (_, None) => false,
                    (Test::Equal(wanted), Some(value)) => wanted.fits(value),
                    (Test::Unequal(wanted), Some(value)) => !wanted.fits(value),
                    (Test::Is(wanted), Some(value)) => wanted == value,
                    (Test::Less(bound), Some(value)) => value.as_f64().is_some_and(|n| n < *bound),
                    (Test::LessEqual(bound), Some(value)) => value.as_f64().is_some_and(|n| n <= *bound),
                    (Test::Greater(bound), Some(value)) => value.as_f64().is_some_and(|n| n > *bound),
                    (Test::GreaterEqual(bound), Some(value)) => value.as_f64().is_some_and(|n| n >= *bound),
                }
            }
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip();
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest;
        true
    }

    fn while_in(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn either(&mut self) -> Result<Condition, String> {
        let mut any = vec![self.both()?];
        while self.eat("||") {
            any.push(self.both()?);
        }
        Ok(if any.len() == 1 { any.swap_remove(0) } else { Condition::Or(any) })
    }

    fn both(&mut self) -> Result<Condition, String> {
        let mut all = vec![self.one()?];
        while self.eat("&&") {
            all.push(self.one()?);
        }
        Ok(if all.len() == 1 { all.swap_remove(0) } else { Condition::And(all) })
    }

    fn one(&mut self) -> Result<Condition, String> {
        if self.eat("(") {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err("parentheses nest too deep".to_owned());
            }
            let inner = self.either()?;
            self.depth -= 1;
            return if self.eat(")") { Ok(inner) } else { Err("a ) is missing".to_owned()) };
        }
        if !self.eat("$") {
            return Err(format!("a selector such as $.level is wanted, not `{}`", self.rest.trim()));
        }
        let path = self.path()?;
        Ok(Condition::Test(path, self.test()?))
    }

    fn path(&mut self) -> Result<Vec<Step>, String> {
        let mut path = Vec::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix('.') {
                self.rest = rest;
                let key = self.while_in(|c| c.is_alphanumeric() || "_-@".contains(c));
                if key.is_empty() {
                    return Err("a property name is missing after the dot".to_owned());
                }
                path.push(Step::Key(key.to_owned()));
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                self.rest = rest;
                let digits = self.while_in(|c| c.is_ascii_digit());
                path.push(Step::Index(digits.parse().map_err(|_| "an index is a number".to_owned())?));
                if !self.eat("]") {
                    return Err("a ] is missing".to_owned());
                }
            } else if path.is_empty() {
                return Err("a selector names a property".to_owned());
            } else {
                return Ok(path);
            }
        }
    }

    fn test(&mut self) -> Result<Test, String> {
        // Longer operators first: `<=` begins like `<`.
        if self.eat("!=") {
            return Ok(Test::Unequal(self.wanted()?));
        }
        if self.eat("<=") {
            return Ok(Test::LessEqual(self.number()?));
        }
        if self.eat(">=") {
            return Ok(Test::GreaterEqual(self.number()?));
        }
        if self.eat("<") {
            return Ok(Test::Less(self.number()?));
        }
        if self.eat(">") {
            return Ok(Test::Greater(self.number()?));
        }
        if self.eat("=") {
            return Ok(Test::Equal(self.wanted()?));
        }
        if self.eat("NOT") && self.eat("EXISTS") {
            return Ok(Test::NotExists);
        }
        if self.eat("IS") {
            for (word, value) in [("NULL", Value::Null), ("TRUE", true.into()), ("FALSE", false.into())] {
                if self.eat(word) {
                    return Ok(Test::Is(value));
                }
            }
        }
        Err(format!("an operator is wanted, not `{}`", self.rest.trim()))
    }

    fn number(&mut self) -> Result<f64, String> {
        self.skip();
        let text = self.while_in(|c| !c.is_whitespace() && !"&|()".contains(c));
        let number = text.parse::<f64>().ok().filter(|n| n.is_finite());
        number.ok_or_else(|| format!("a number is wanted, not `{text}`"))
    }

    fn wanted(&mut self) -> Result<Wanted, String> {
        if self.eat("\"") {
            let (text, rest) = super::phrase(self.rest).ok_or("a quotation mark is not closed")?;
            self.rest = rest;
            return Ok(Wanted::Text(text.split('*').map(str::to_owned).collect()));
        }
        if self.eat("%") {
            let (pattern, rest) = self.rest.split_once('%').ok_or("a % is not closed")?;
            self.rest = rest;
            return Regex::new(pattern).map(Wanted::Regex).map_err(|_| "bad regular expression".to_owned());
        }
        self.skip();
        let word = self.while_in(|c| !c.is_whitespace() && !"&|()".contains(c));
        if word.is_empty() {
            return Err("a value is wanted".to_owned());
        }
        Ok(match word.parse::<f64>() {
            Ok(number) => Wanted::Number(number),
            Err(_) => Wanted::Text(word.split('*').map(str::to_owned).collect()),
        })
    }
}
