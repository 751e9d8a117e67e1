//! Alarm mute rules: windows of time in which the actions of alarms do not happen. Alarms go on changing state,
//! and what one still demands when its window ends happens then.
//!
//! Must not know the wire.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Alarms, Item, words};
use crate::sim::stack::ACCOUNT;
use crate::sim::world::World;
use crate::stdx::clock::Wall;

/// The longest window.
const LONGEST: Duration = Duration::from_secs(15 * 86_400);

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Mute {
    /// Name.
    pub name: String,
    /// What its owners wrote about it.
    pub description: Option<String>,
    /// `Schedule.Expression`, as written.
    pub expression: String,
    /// `Schedule.Duration`, as written.
    pub duration: String,
    /// `Schedule.Timezone`, as written.
    pub timezone: Option<String>,
    /// The same as understood.
    pub zone: TimeZone,
    /// Names of the alarms.
    pub targets: Vec<String>,
    /// `StartDate`.
    pub start: Option<Wall>,
    /// `ExpireDate`.
    pub expires: Option<Wall>,
    /// When it was put up last.
    pub updated_at: Wall,
    /// When its windows begin.
    pub schedule: Schedule,
    /// How long they are.
    pub span: Duration,
}

/// When windows begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Once.
    At(DateTime),
    /// Again and again: minutes, hours, days of the month, months, days of the week, as sets of numbers.
    Cron(Box<[Vec<i8>; 5]>),
}

impl Schedule {
    /// Reads `at(…)` or `cron(…)`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix("at(").and_then(|rest| rest.strip_suffix(')')) {
            let time = DateTime::strptime("%Y-%m-%dT%H:%M", inner.trim()).ok()?;
            return Some(Self::At(time));
        }
        let inner = text.strip_prefix("cron(")?.strip_suffix(')')?;
        let fields: Vec<&str> = inner.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else { return None };
        const MONTHS: [&str; 12] =
            ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
        const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
        let mut days = field(weekday, 0, 7, &DAYS, 0)?;
        // Both 0 and 7 are Sunday.
        if days.contains(&7) && !days.contains(&0) {
            days.push(0);
        }
        Some(Self::Cron(Box::new([
            field(minute, 0, 59, &[], 0)?,
            field(hour, 0, 23, &[], 0)?,
            field(day, 1, 31, &[], 0)?,
            field(month, 1, 12, &MONTHS, 1)?,
            days,
        ])))
    }

    /// Whether a window of this length that has begun is not over at an instant.
    fn covers(&self, at: Wall, span: Duration, zone: &TimeZone) -> bool {
        let open =
            |time: DateTime| wall(time, zone).is_some_and(|begin| begin <= at && at < begin.plus(span));
        let sets = match self {
            Self::At(begin) => return open(*begin),
            Self::Cron(sets) => sets,
        };
        let [minutes, hours, days, months, weekdays] = &**sets;
        let Some(now) = at.timestamp().map(|at| zone.to_datetime(at)) else { return false };
        let back = i32::try_from(span.as_secs() / 86_400 + 1).unwrap_or(1);
        (0..=back).any(|day| {
            let Ok(date) = now.date().checked_sub(jiff::Span::new().days(day)) else { return false };
            let right = days.contains(&date.day())
                && months.contains(&date.month())
                && weekdays.contains(&date.weekday().to_sunday_zero_offset());
            right && hours.iter().any(|hour| minutes.iter().any(|minute| open(date.at(*hour, *minute, 0, 0))))
        })
    }
}

fn wall(time: DateTime, zone: &TimeZone) -> Option<Wall> {
    Some(Wall(zone.to_timestamp(time).ok()?.as_millisecond()))
}

/// One field of a cron expression: `*`, numbers, names, ranges and lists of them.
fn field(text: &str, least: i8, most: i8, names: &[&str], first: i8) -> Option<Vec<i8>> {
    let number = |word: &str| -> Option<i8> {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(word));
        let found = match named {
            Some(place) => i8::try_from(place).ok()? + first,
            None => word.parse().ok()?,
        };
        (least..=most).contains(&found).then_some(found)
    };
    let mut all = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            _ if part == "*" => all.extend(least..=most),
            Some((from, to)) => all.extend(number(from)?..=number(to)?),
            None => all.push(number(part)?),
        }
    }
    (!all.is_empty()).then_some(all)
}

/// An ISO 8601 duration from a minute to 15 days.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.starts_with('P').then(|| text.parse().ok())??;
    let plain = span.get_years() == 0 && span.get_months() == 0;
    let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
    let seconds =
        ((days * 24 + i64::from(span.get_hours())) * 60 + span.get_minutes()) * 60 + span.get_seconds();
    let found = Duration::from_secs(u64::try_from(seconds).ok()?);
    (plain && found >= Duration::from_secs(60) && found <= LONGEST).then_some(found)
}

impl Mute {
    /// Its ARN.
    #[must_use]
    pub fn arn(&self, region: &str) -> String {
        format!("arn:aws:cloudwatch:{region}:{ACCOUNT}:alarm-mute-rule:{}", self.name)
    }

    /// `ONE_TIME` or `RECURRING`.
    #[must_use]
    pub fn type_word(&self) -> &'static str {
        match self.schedule {
            Schedule::At(_) => "ONE_TIME",
            Schedule::Cron(_) => "RECURRING",
        }
    }

    /// `SCHEDULED`, `ACTIVE` or `EXPIRED`.
    #[must_use]
    pub fn status(&self, now: Wall) -> &'static str {
        let end = |begin: DateTime| wall(begin, &self.zone).map(|begin| begin.plus(self.span));
        let over = matches!(self.schedule, Schedule::At(begin) if end(begin).is_none_or(|end| end <= now));
        if over || self.expires.is_some_and(|expires| expires <= now) {
            "EXPIRED"
        } else if self.start.is_none_or(|start| start <= now)
            && self.schedule.covers(now, self.span, &self.zone)
        {
            "ACTIVE"
        } else {
            "SCHEDULED"
        }
    }
}

impl Alarms {
    /// Whether a rule mutes an alarm at an instant.
    pub(super) fn is_muted(&self, name: &str, at: Wall) -> bool {
        let mut rules = self.mutes.values().filter(|rule| rule.targets.iter().any(|target| target == name));
        rules.any(|rule| rule.status(at) == "ACTIVE")
    }

    /// What alarms still demand whose windows are over happens now.
    pub(super) fn unmute(&mut self, at: Wall) {
        let over: Vec<String> = self.held.iter().filter(|name| !self.is_muted(name, at)).cloned().collect();
        for name in over {
            self.held.remove(&name);
            let Some(alarm) = self.by_name.get(&name).filter(|alarm| alarm.actions_enabled) else { continue };
            let items: Vec<Item> =
                alarm.actions_of(alarm.state).iter().map(|action| words::acted(alarm, action, at)).collect();
            for item in items {
                self.put(item);
            }
        }
    }
}

impl World {
    /// Puts a rule up, or in the place of the one of its name.
    pub fn put_mute(&mut self, region: &str, mut rule: Mute) {
        let now = self.now;
        self.settle_alarms();
        rule.updated_at = now;
        let alarms = self.alarms.entry(region.to_owned()).or_default();
        alarms.mutes.insert(rule.name.clone(), rule);
        alarms.unmute(now);
    }

    /// Takes a rule down; what it held back happens.
    pub fn delete_mute(&mut self, region: &str, name: &str) {
        let now = self.now;
        let Some(alarms) = self.alarms(region) else { return };
        alarms.mutes.remove(name);
        alarms.unmute(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Wall {
        Wall(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn covers(expression: &str, hours: u64, instant: &str) -> bool {
        covers_in("UTC", expression, hours, instant)
    }

    fn covers_in(zone: &str, expression: &str, hours: u64, instant: &str) -> bool {
        let zone = TimeZone::get(zone).unwrap();
        Schedule::parse(expression).unwrap().covers(at(instant), Duration::from_secs(hours * 3_600), &zone)
    }

    #[test]
    fn a_window_is_open_from_its_beginning_to_its_end() {
        for (expression, hours, instant, due) in [
            ("at(2026-11-20T12:00)", 2, "2026-11-20T11:59:59Z", false),
            ("at(2026-11-20T12:00)", 2, "2026-11-20T12:00:00Z", true),
            ("at(2026-11-20T12:00)", 2, "2026-11-20T14:00:00Z", false),
            ("cron(0 23 * * *)", 2, "2026-11-20T00:30:00Z", true),
            ("cron(0 23 * * *)", 2, "2026-11-20T01:00:00Z", false),
            // 2026-11-20 is a Friday.
            ("cron(0 18 * * FRI)", 60, "2026-11-23T05:59:00Z", true),
            ("cron(0 18 * * FRI)", 60, "2026-11-23T06:00:00Z", false),
            ("cron(0 18 * * 1-4)", 1, "2026-11-20T18:30:00Z", false),
            ("cron(15,45 * * NOV *)", 0, "2026-11-20T18:45:00Z", false),
            ("cron(15,45 * * DEC *)", 1, "2026-11-20T18:45:00Z", false),
            ("cron(0 0 * * 7)", 1, "2026-11-22T00:00:00Z", true),
        ] {
            assert_eq!(covers(expression, hours, instant), due, "{expression} {hours}h at {instant}");
        }
    }

    #[test]
    fn a_window_is_told_by_the_clock_of_its_zone() {
        let noon = "at(2026-11-20T12:00)";
        assert!(covers_in("America/New_York", noon, 1, "2026-11-20T17:30:00Z"));
        assert!(!covers_in("America/New_York", noon, 1, "2026-11-20T12:30:00Z"));
        assert!(covers_in("Asia/Tokyo", "cron(0 2 * * SAT)", 1, "2026-11-20T17:30:00Z"));
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in
            ["", "at(tomorrow)", "cron(0 2 * *)", "cron(60 2 * * *)", "cron(0 2 * * XYZ)", "rate(1 hour)"]
        {
            assert_eq!(Schedule::parse(text), None, "{text}");
        }
        assert_eq!(duration("P2DT12H"), Some(Duration::from_secs(60 * 3_600)));
        for text in ["PT30S", "P16D", "P1M", "2h", ""] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
