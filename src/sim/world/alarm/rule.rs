//! The rule of a composite alarm: `ALARM(a) AND NOT (OK(b) OR INSUFFICIENT_DATA("c"))`.
//!
//! Must not know how states come about.

use super::State;

/// A rule, parsed.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// `TRUE` or `FALSE`.
    Constant(bool),
    /// An alarm is in a state.
    Is(State, String),
    /// Not.
    Not(Box<Rule>),
    /// Both.
    And(Box<Rule>, Box<Rule>),
    /// One of both.
    Or(Box<Rule>, Box<Rule>),
}

/// AWS's limit on the text.
const LONGEST: usize = 10_240;
const DEEPEST: usize = 60;

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("the rule is longer than {LONGEST} characters"));
        }
        let mut parser = Parser { rest: text, depth: 0 };
        let rule = parser.either()?;
        parser.rest = parser.rest.trim_start();
        if parser.rest.is_empty() { Ok(rule) } else { Err(format!("unexpected `{}`", parser.rest)) }
    }

    /// Whether it holds; `state` tells an alarm's state, `None` for one that does not exist.
    #[must_use]
    pub fn holds(&self, state: &dyn Fn(&str) -> Option<State>) -> bool {
        match self {
            Self::Constant(truth) => *truth,
            Self::Is(wanted, name) => state(name) == Some(*wanted),
            Self::Not(rule) => !rule.holds(state),
            Self::And(a, b) => a.holds(state) && b.holds(state),
            Self::Or(a, b) => a.holds(state) || b.holds(state),
        }
    }

    /// The alarms that it names, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Is(_, name) => vec![name],
            Self::Not(rule) => rule.names(),
            Self::And(a, b) | Self::Or(a, b) => {
                let mut names = a.names();
                names.extend(b.names());
                names
            }
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn word(&mut self, word: &str) -> bool {
        self.rest = self.rest.trim_start();
        let Some(rest) = self.rest.strip_prefix(word) else { return false };
        if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return false;
        }
        self.rest = rest;
        true
    }

    fn sign(&mut self, sign: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn either(&mut self) -> Result<Rule, String> {
        let mut left = self.both()?;
        while self.word("OR") {
            left = Rule::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Rule, String> {
        let mut left = self.one()?;
        while self.word("AND") {
            left = Rule::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Rule, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("the rule is nested too deeply".to_owned());
        }
        let rule = self.plain();
        self.depth -= 1;
        rule
    }

    fn plain(&mut self) -> Result<Rule, String> {
        if self.word("NOT") {
            return Ok(Rule::Not(Box::new(self.one()?)));
        }
        if self.sign('(') {
            let inner = self.either()?;
            return if self.sign(')') { Ok(inner) } else { Err("a `)` is missing".to_owned()) };
        }
        for (word, truth) in [("TRUE", true), ("FALSE", false)] {
            if self.word(word) {
                return Ok(Rule::Constant(truth));
            }
        }
        for state in State::ALL {
            if self.word(state.word()) {
                if !self.sign('(') {
                    return Err(format!("{} needs an alarm in parentheses", state.word()));
                }
                let name = self.name()?;
                return if self.sign(')') {
                    Ok(Rule::Is(state, name.to_owned()))
                } else {
                    Err("a `)` is missing".to_owned())
                };
            }
        }
        Err(format!("`{}` is no state of an alarm", self.rest))
    }

    /// A name, bare or in quotes; an ARN stands for its last part.
    fn name(&mut self) -> Result<&'a str, String> {
        let quoted = ['"', '\''].into_iter().find(|quote| self.sign(*quote));
        let length = match quoted {
            Some(quote) => self.rest.find(quote),
            None => self.rest.find([')', ' ']),
        };
        let Some((name, rest)) = length.and_then(|length| self.rest.split_at_checked(length)) else {
            return Err("the name of an alarm does not end".to_owned());
        };
        self.rest = rest;
        if let Some(quote) = quoted {
            self.sign(quote);
        }
        let name = name.rsplit_once(":alarm:").map_or(name, |(_, name)| name);
        if name.is_empty() { Err("an alarm has no name".to_owned()) } else { Ok(name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str) -> bool {
        let state = |name: &str| match name {
            "cpu" => Some(State::Alarm),
            "disk full" => Some(State::Ok),
            "new" => Some(State::Insufficient),
            _ => None,
        };
        Rule::parse(text).unwrap().holds(&state)
    }

    #[test]
    fn rules_follow_the_states_of_other_alarms() {
        for (text, due) in [
            ("ALARM(cpu)", true),
            ("ALARM(\"disk full\") OR ALARM('cpu')", true),
            ("ALARM(cpu) AND NOT OK(\"disk full\")", false),
            ("ALARM(cpu) AND (OK(cpu) OR INSUFFICIENT_DATA(new))", true),
            ("ALARM(gone) OR FALSE", false),
            ("NOT ALARM(gone) AND TRUE", true),
            ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu)", true),
        ] {
            assert_eq!(holds(text), due, "{text}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for (text, why) in [
            ("", "no state"),
            ("ALARM", "parentheses"),
            ("ALARM(cpu", "does not end"),
            ("ALARM(\"cpu\" AND", "`)`"),
            ("ALARM(cpu) ALARM(cpu)", "unexpected"),
            ("ALARM()", "no name"),
        ] {
            let error = Rule::parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(Rule::parse(&"NOT ".repeat(100)).unwrap_err().contains("deeply"));
    }

    #[test]
    fn the_names_of_a_rule_are_its_children() {
        let rule = Rule::parse("ALARM(a) AND (OK(b) OR NOT ALARM(c))").unwrap();
        assert_eq!(rule.names(), ["a", "b", "c"]);
    }
}
