//! Faults on demand: what goes wrong between a client and AWS, as rules that people type and tests build.
//!
//! Must not know the world: a fault breaks the wire or the answer, never the state behind it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::stdx::span;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The answer comes later.
    Latency(Duration),
    /// `ThrottlingException: Rate exceeded`.
    Throttle,
    /// A server error with this HTTP status.
    Error(u16),
    /// The connection is reset (TCP RST).
    Reset,
    /// No answer ever comes; the connection stays open.
    BlackHole,
    /// The body ends half way.
    Truncate,
    /// `ExpiredTokenException`.
    Expired,
    /// `AccessDeniedException` that names the action.
    Denied,
}

/// Which calls a rule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// All.
    Any,
    /// Those of one service, by signing name.
    Service(String),
    /// One operation, of one service when that was given.
    Operation(Option<String>, String),
}

/// One rule: `ACTION:KIND[=VALUE][,share=0.5][,after][,times=3]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Which calls.
    pub target: Target,
    /// What happens to them.
    pub kind: Kind,
    /// The share of those calls, 0 to 1.
    pub share: f64,
    /// Whether the operation is carried out first. A fault after acting is what makes an outcome unknown.
    pub after: bool,
    /// How often it strikes before it is spent; `None` for ever.
    pub times: Option<u32>,
}

/// What is wrong with the text of a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault `{given}`: {problem}")]
pub struct BadRule {
    given: String,
    problem: String,
}

const KINDS: &str = "latency=SPAN, throttle, error=STATUS, reset, blackhole, truncate, expired or denied";

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        let bad = |problem: String| BadRule { given: text.to_owned(), problem };
        let mut parts = text.trim().split(',').map(str::trim);
        let head = parts.next().unwrap_or_default();
        let (action, kind) = head.rsplit_once(':').ok_or_else(|| {
            bad(format!(
                "write ACTION:KIND, where ACTION is *, ecs:* or DescribeServices, and KIND is {KINDS}"
            ))
        })?;
        let mut rule = Self {
            target: target(action).map_err(bad)?,
            kind: parse_kind(kind).map_err(bad)?,
            share: 1.0,
            after: false,
            times: None,
        };
        for option in parts {
            match option.split_once('=') {
                None if option == "after" => rule.after = true,
                None if option == "before" => rule.after = false,
                Some(("share", share)) => {
                    rule.share = share
                        .parse()
                        .ok()
                        .filter(|share| (0.0..=1.0).contains(share))
                        .ok_or_else(|| bad(format!("share `{share}` is not a number from 0 to 1")))?;
                }
                Some(("times", times)) => {
                    rule.times =
                        Some(
                            times.parse().ok().filter(|times| *times > 0).ok_or_else(|| {
                                bad(format!("times `{times}` is not a whole number above 0"))
                            })?,
                        );
                }
                _ => {
                    return Err(bad(format!("option `{option}` is none of share=…, times=…, after, before")));
                }
            }
        }
        Ok(rule)
    }
}

fn target(text: &str) -> Result<Target, String> {
    let name = |text: &str| {
        if !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            Ok(text.to_owned())
        } else {
            Err(format!(
                "action `{text}` is neither *, nor a service such as ecs:*, nor an operation such as DescribeServices"
            ))
        }
    };
    match text.split_once(':') {
        None if text == "*" => Ok(Target::Any),
        None => Ok(Target::Operation(None, name(text)?)),
        Some((service, "*")) => Ok(Target::Service(name(service)?)),
        Some((service, operation)) => Ok(Target::Operation(Some(name(service)?), name(operation)?)),
    }
}

fn parse_kind(text: &str) -> Result<Kind, String> {
    match text.split_once('=') {
        Some(("latency", span)) => {
            span::parse(span).map(Kind::Latency).map_err(|error| format!("latency: {error}"))
        }
        Some(("error", status)) => status
            .parse()
            .ok()
            .filter(|status| (500..=599).contains(status))
            .map(Kind::Error)
            .ok_or_else(|| format!("error `{status}` is not an HTTP status from 500 to 599")),
        None => match text {
            "throttle" => Ok(Kind::Throttle),
            "reset" => Ok(Kind::Reset),
            "blackhole" => Ok(Kind::BlackHole),
            "truncate" => Ok(Kind::Truncate),
            "expired" => Ok(Kind::Expired),
            "denied" => Ok(Kind::Denied),
            "latency" => Err("latency needs a span, such as latency=300ms".to_owned()),
            "error" => Err("error needs an HTTP status, such as error=500".to_owned()),
            _ => Err(format!("kind `{text}` is none of {KINDS}")),
        },
        Some((kind, _)) => Err(format!("kind `{kind}` takes no value or is none of {KINDS}")),
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Any => f.write_str("*")?,
            Target::Service(service) => write!(f, "{service}:*")?,
            Target::Operation(None, operation) => f.write_str(operation)?,
            Target::Operation(Some(service), operation) => write!(f, "{service}:{operation}")?,
        }
        match self.kind {
            Kind::Latency(span) => write!(f, ":latency={}ms", span.as_millis())?,
            Kind::Throttle => f.write_str(":throttle")?,
            Kind::Error(status) => write!(f, ":error={status}")?,
            Kind::Reset => f.write_str(":reset")?,
            Kind::BlackHole => f.write_str(":blackhole")?,
            Kind::Truncate => f.write_str(":truncate")?,
            Kind::Expired => f.write_str(":expired")?,
            Kind::Denied => f.write_str(":denied")?,
        }
        if self.share < 1.0 {
            write!(f, ",share={}", self.share)?;
        }
        if self.after {
            f.write_str(",after")?;
        }
        self.times.map_or(Ok(()), |times| write!(f, ",times={times}"))
    }
}

impl Rule {
    /// Whether the rule is for this call.
    #[must_use]
    pub fn matches(&self, service: &str, operation: &str) -> bool {
        match &self.target {
            Target::Any => true,
            Target::Service(name) => name == service,
            Target::Operation(name, action) => {
                action == operation && name.as_deref().is_none_or(|name| name == service)
            }
        }
    }
}

/// The rules in force, with what is left of each.
#[derive(Debug)]
pub struct Faults {
    rules: Vec<(u64, Rule)>,
    next: u64,
    dice: fastrand::Rng,
}

/// Names a rule in force, so that it can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleId(u64);

impl Faults {
    /// None but these.
    #[must_use]
    pub fn new(seed: u64, rules: Vec<Rule>) -> Self {
        let mut faults = Self { rules: Vec::new(), next: 0, dice: fastrand::Rng::with_seed(seed ^ 0xfa_17) };
        for rule in rules {
            faults.add(rule);
        }
        faults
    }

    /// One more.
    pub fn add(&mut self, rule: Rule) -> RuleId {
        self.next += 1;
        self.rules.push((self.next, rule));
        RuleId(self.next)
    }

    /// Takes one back; `false` when it was spent or gone already.
    pub fn remove(&mut self, id: RuleId) -> bool {
        let before = self.rules.len();
        self.rules.retain(|(own, _)| *own != id.0);
        self.rules.len() < before
    }

    /// Takes all back.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rules in force.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|(_, rule)| rule)
    }

    /// The faults that strike this call, in the order in which the rules were added. Latencies add up; of
    /// the others the first one found ends the call, so later ones are left unspent.
    pub fn strike(&mut self, service: &str, operation: &str) -> Vec<(Kind, bool)> {
        let mut struck = Vec::new();
        let mut ended = false;
        for (_, rule) in &mut self.rules {
            let latency = matches!(rule.kind, Kind::Latency(_));
            if (ended && !latency) || !rule.matches(service, operation) || self.dice.f64() >= rule.share {
                continue;
            }
            ended |= !latency;
            struck.push((rule.kind, rule.after));
            if let Some(times) = &mut rule.times {
                *times -= 1;
            }
        }
        self.rules.retain(|(_, rule)| rule.times != Some(0));
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_written_alike() {
        for text in [
            "*:latency=300ms",
            "ecs:*:throttle",
            "DescribeServices:error=503,share=0.5,times=3",
            "ecs:UpdateService:reset,after",
            "ListTasks:blackhole",
            "*:truncate",
            "logs:*:expired",
            "StopTask:denied",
        ] {
            let rule: Rule = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_named() {
        for (text, named) in [
            ("", "ACTION:KIND"),
            ("throttle", "ACTION:KIND"),
            ("*:latency", "latency=300ms"),
            ("*:latency=fast", "`fast` is not a span"),
            ("*:error=404", "`404`"),
            ("*:explode", "`explode`"),
            ("*:reset=1", "`reset`"),
            (":reset", "action ``"),
            ("*:reset,share=2", "share `2`"),
            ("*:reset,times=0", "times `0`"),
            ("*:reset,sometimes", "`sometimes`"),
        ] {
            let error = text.parse::<Rule>().unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn a_rule_strikes_its_calls_only_and_is_spent_after_its_times() {
        let mut faults = Faults::new(1, vec!["ecs:*:throttle,times=2".parse().unwrap()]);
        assert_eq!(faults.strike("sts", "GetCallerIdentity"), []);
        assert_eq!(faults.strike("ecs", "ListTasks"), [(Kind::Throttle, false)]);
        assert_eq!(faults.strike("ecs", "ListTasks"), [(Kind::Throttle, false)]);
        assert_eq!(faults.strike("ecs", "ListTasks"), []);
        assert_eq!(faults.rules().count(), 0);
    }

    #[test]
    fn a_share_strikes_about_that_share() {
        let mut faults = Faults::new(1, vec!["*:reset,share=0.25".parse().unwrap()]);
        let struck = (0..1000).filter(|_| !faults.strike("ecs", "ListTasks").is_empty()).count();
        assert!((200..300).contains(&struck), "{struck}");
    }

    #[test]
    fn latency_adds_to_another_fault_but_two_ends_do_not_both_strike() {
        let rules = ["*:latency=1s", "*:reset", "*:denied"].map(|text| text.parse().unwrap()).to_vec();
        let mut faults = Faults::new(1, rules);
        assert_eq!(
            faults.strike("ecs", "x"),
            [(Kind::Latency(Duration::from_secs(1)), false), (Kind::Reset, false)]
        );
    }
}
