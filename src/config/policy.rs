//! The policy file: what is production, what is forbidden where and when, and how a change is confirmed.
//!
//! Two layers: the machine's, `/etc/opsdeck/policy.toml`, and the user's, which may only tighten it: a rule of the
//! user that would loosen is a mistake, and not ignored. Must not decide about an action; `guard` does.

use std::time::Duration;

use super::Layer;
use super::value::{choice, span_of};
use crate::domain::action::Action;
use crate::guard::{Friction, Headless, Pattern, Place, Rule, Rules, Window};
use crate::stdx::document::{Document, Item, Mistake, Table, unknown};

const DAYS: &[&str] = &["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A policy with its meaning; what `opsdeck docs policy` prints.
pub const POLICY_SAMPLE: &str = include_str!("policy.toml");

/// Reads the layers: the machine's first.
///
/// # Errors
/// The first mistake, with its place.
pub fn policy(layers: &[Layer<'_>]) -> Result<Rules, Mistake> {
    let mut rules = Rules::default();
    for (number, layer) in layers.iter().enumerate() {
        let document = Document::parse(layer.source, layer.text)?;
        let root = document.root();
        root.only(&["unlock", "rule"])?;
        if let Some(item) = root.get("unlock") {
            let span = span_of(&item, Duration::from_secs(60))?;
            if number > 0 && span > rules.unlock_for {
                return Err(item.mistake("a user's policy may only tighten: this unlocks for longer"));
            }
            rules.unlock_for = span;
        }
        let Some(list) = root.get("rule") else { continue };
        for (at, item) in list.list()?.into_iter().enumerate() {
            let mut rule = read(&item.table()?, number > 0)?;
            rule.layer = u8::from(number > 0);
            rule.source = format!("{}, rule {}", layer.source, at + 1);
            rules.rules.push(rule);
        }
    }
    Ok(rules)
}

fn read(table: &Table<'_>, tighten: bool) -> Result<Rule, Mistake> {
    let places = ["account", "region", "cluster", "service"];
    let says = ["production", "friction", "forbid", "window", "headless"];
    table.only(&[&places[..], &says[..]].concat())?;
    let pattern = |key: &str| table.get(key).map(|item| Ok(Pattern::new(item.text()?))).transpose();
    let mut rule = Rule {
        place: Place {
            account: pattern("account")?,
            region: pattern("region")?,
            cluster: pattern("cluster")?,
            service: pattern("service")?,
        },
        ..Rule::default()
    };
    if let Some(item) = table.get("production") {
        let production = item.flag()?;
        if tighten && !production {
            return Err(item.mistake("a user's policy may only tighten: leave it out, or write true"));
        }
        rule.production = Some(production);
    }
    if let Some(item) = table.get("friction") {
        let words = [
            ("yes-key", Friction::YesKey),
            ("typed-name", Friction::TypedName),
            ("typed-name-and-reason", Friction::TypedNameAndReason),
        ];
        rule.friction = choice(&item, &words)?;
    }
    if let Some(item) = table.get("headless") {
        let words = [
            ("allow", Headless::Allow),
            ("reason", Headless::Reason),
            ("confirm", Headless::Confirm),
            ("forbid", Headless::Forbid),
        ];
        rule.headless = choice(&item, &words)?;
    }
    for item in table.get("forbid").map(|item| item.list()).transpose()?.unwrap_or_default() {
        let verb = item.text()?;
        if verb != "*" && !Action::VERBS.contains(&verb) {
            return Err(item.mistake(unknown("verb", verb, Action::VERBS)));
        }
        rule.forbid.push(verb.to_owned());
    }
    for item in table.get("window").map(|item| item.list()).transpose()?.unwrap_or_default() {
        rule.windows.push(window(&item)?);
    }
    Ok(rule)
}

/// `Mon-Fri 08:00-17:00 Europe/London`; the zone is UTC when it is left out.
fn window(item: &Item<'_>) -> Result<Window, Mistake> {
    let text = item.text()?;
    let mistake = |what: &str| {
        item.mistake(format!(
            "{what} in `{text}`: write days, times and a zone, such as `Mon-Fri 08:00-17:00 Europe/London`"
        ))
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let (days, times, zone) = match words.as_slice() {
        [days, times] => (*days, *times, "UTC"),
        [days, times, zone] => (*days, *times, *zone),
        _ => return Err(mistake("something is missing or too much")),
    };
    let day = |name: &str| DAYS.iter().position(|day| day.eq_ignore_ascii_case(name));
    let mut list = Vec::new();
    for part in days.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Some(first), Some(last)) = (day(first), day(last)) else {
            return Err(mistake("an unknown day"));
        };
        let mut at = first;
        loop {
            list.push(u8::try_from(at).unwrap_or(0));
            if at == last {
                break;
            }
            at = (at + 1) % DAYS.len();
        }
    }
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
        let whole = hour * 60 + minute;
        (minute < 60 && whole <= 24 * 60).then_some(whole)
    };
    let (from, to) = times.split_once('-').ok_or_else(|| mistake("no time"))?;
    let (Some(from), Some(to)) = (minute(from), minute(to)) else { return Err(mistake("no time")) };
    let zone = jiff::tz::TimeZone::get(zone).map_err(|_| mistake("an unknown time zone"))?;
    Ok(Window { days: list, from, to, zone, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stdx::clock::Wall;

    fn load(texts: &[&str]) -> Result<Rules, String> {
        let names = ["/etc/opsdeck/policy.toml", "~/.config/opsdeck/policy.toml"];
        let layers: Vec<Layer<'_>> =
            texts.iter().zip(names).map(|(text, source)| Layer { source, text }).collect();
        policy(&layers).map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn the_sample_reads_with_and_without_its_comment_signs() {
        assert_eq!(load(&[POLICY_SAMPLE]), Ok(Rules::default()));
        let on: String = POLICY_SAMPLE
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let rules = load(&[&on]).unwrap();
        assert_eq!(rules.rules.len(), 2, "{on}");
        assert_eq!(rules.rules[0].friction, Friction::TypedNameAndReason);
    }

    #[test]
    fn a_users_policy_that_would_loosen_is_a_mistake() {
        let mistake = load(&["", "[[rule]]\nproduction = false"]).unwrap_err();
        assert!(
            mistake.starts_with("~/.config/opsdeck/policy.toml, line 2, rule[0].production")
                || mistake.contains("may only tighten"),
            "{mistake}"
        );
        assert!(load(&["unlock = \"10m\"", "unlock = \"20m\""]).unwrap_err().contains("may only tighten"));
        assert_eq!(
            load(&["unlock = \"10m\"", "unlock = \"5m\""]).unwrap().unlock_for,
            Duration::from_secs(300)
        );
        assert!(load(&["[[rule]]\nproduction = false"]).is_ok());
    }

    #[test]
    fn windows_are_read_and_mistakes_named() {
        let rules = load(&["[[rule]]\nwindow = [\"Fri-Mon 22:00-06:00 Europe/London\"]"]).unwrap();
        let window = &rules.rules[0].windows[0];
        assert_eq!((window.days.as_slice(), window.from, window.to), (&[4, 5, 6, 0][..], 1320, 360));
        // 2027-01-15 is a Friday; in winter London has UTC.
        assert!(!window.is_open(Wall(1_800_000_000_000)));
        for (text, said) in [
            ("[[rule]]\nwindow = [\"Mon 8-17\"]", "no time"),
            ("[[rule]]\nwindow = [\"Mon 08:00-17:00 Mars\"]", "unknown time zone"),
            ("[[rule]]\nwindow = [\"Day 08:00-17:00\"]", "unknown day"),
            ("[[rule]]\nforbid = [\"deplay\"]", "deploy"),
            ("[[rule]]\nfriction = \"none\"", "yes-key"),
            ("[[rules]]\nfriction = \"none\"", "rule"),
        ] {
            let mistake = load(&[text]).unwrap_err();
            assert!(mistake.contains(said), "{mistake}");
        }
    }
}
