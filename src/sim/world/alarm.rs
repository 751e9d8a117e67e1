//! CloudWatch alarms: evaluated against the metrics each minute, with a state, a reason and a history.
//!
//! Must not know the wire, and must not act: where an alarm's action leads is another service's business.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::sim::stack::ACCOUNT;
use crate::sim::world::metric::MINUTE;
use crate::sim::world::metric::series::{Ask, Query, visible_end};
use crate::sim::world::{Due, World};
use crate::stdx::clock::Wall;

mod build;
mod judge;
pub mod mute;
pub mod rule;
pub mod tracking;
mod words;

use judge::Verdict;
use rule::Rule;

/// An instant of evaluation with the datapoints that it looks at, each with its beginning.
type Window = (i64, Vec<(i64, Option<f64>)>);

/// How often alarms are evaluated.
const EVERY: Duration = Duration::from_secs(60);
/// So much of the past is evaluated when alarms are first looked at.
const PAST: Duration = Duration::from_secs(86_400);
/// History is forgotten beyond so many entries per region.
const MOST_HISTORY: usize = 20_000;

/// An alarm's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// `OK`.
    Ok,
    /// `ALARM`.
    Alarm,
    /// `INSUFFICIENT_DATA`.
    Insufficient,
}

impl State {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Alarm, Self::Insufficient];

    /// As AWS writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::Insufficient => "INSUFFICIENT_DATA",
        }
    }

    /// From AWS's word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// How a datapoint is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are AWS's, without `Threshold`")]
pub enum Comparison {
    GreaterThan,
    GreaterThanOrEqualTo,
    LessThan,
    LessThanOrEqualTo,
}

impl Comparison {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::GreaterThan, "GreaterThanThreshold", ">"),
        (Self::GreaterThanOrEqualTo, "GreaterThanOrEqualToThreshold", ">="),
        (Self::LessThan, "LessThanThreshold", "<"),
        (Self::LessThanOrEqualTo, "LessThanOrEqualToThreshold", "<="),
    ];

    /// From AWS's word or from the sign; `None` for anomaly detection, which is not played.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, long, sign)| *long == word || *sign == word).map(|found| found.0)
    }

    /// As AWS writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|found| found.0 == self).map_or("", |found| found.1)
    }

    fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThan => value > threshold,
            Self::GreaterThanOrEqualTo => value >= threshold,
            Self::LessThan => value < threshold,
            Self::LessThanOrEqualTo => value <= threshold,
        }
    }
}

/// What a metric alarm watches.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// One query, or metric math: the one that returns is compared.
    pub queries: Vec<Query>,
    /// Period in milliseconds.
    pub period: i64,
    /// `EvaluationPeriods`.
    pub periods: u32,
    /// `DatapointsToAlarm`.
    pub datapoints: u32,
    /// `Threshold`.
    pub threshold: f64,
    /// `ComparisonOperator`.
    pub comparison: Comparison,
    /// `TreatMissingData`.
    pub missing: Missing,
}

impl Watch {
    /// The one metric, when it is not math.
    #[must_use]
    pub fn single(&self) -> Option<&Ask> {
        match self.queries.as_slice() {
            [Query { ask: ask @ Ask::Stat { .. }, .. }] => Some(ask),
            _ => None,
        }
    }
}

/// What a missing datapoint means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are AWS's")]
pub enum Missing {
    #[default]
    Missing,
    NotBreaching,
    Breaching,
    Ignore,
}

impl Missing {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Missing, "missing"),
        (Self::NotBreaching, "notBreaching"),
        (Self::Breaching, "breaching"),
        (Self::Ignore, "ignore"),
    ];

    /// From AWS's word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == word).map(|(found, _)| found)
    }

    /// As AWS writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(known, _)| *known == self).map_or("", |(_, word)| word)
    }
}

/// What an alarm follows.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Metrics.
    Metric(Watch),
    /// Other alarms: the rule as written, and as understood.
    Composite(String, Rule),
}

/// An alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// Name.
    pub name: String,
    /// What its owners wrote about it.
    pub description: Option<String>,
    /// What it follows.
    pub kind: Kind,
    /// Whether its actions happen.
    pub actions_enabled: bool,
    /// On ALARM.
    pub alarm_actions: Vec<String>,
    /// On OK.
    pub ok_actions: Vec<String>,
    /// On INSUFFICIENT_DATA.
    pub insufficient_actions: Vec<String>,
    /// When it was configured.
    pub configured_at: Wall,
    /// Its state.
    pub state: State,
    /// AWS's sentence.
    pub reason: String,
    /// AWS's data about it, as JSON text.
    pub reason_data: Option<String>,
    /// When state or reason last changed.
    pub updated_at: Wall,
    /// When the state last changed.
    pub changed_at: Wall,
}

impl Alarm {
    /// A new alarm that has not been evaluated.
    #[must_use]
    pub fn new(name: String, kind: Kind, at: Wall) -> Self {
        Self {
            name,
            description: None,
            kind,
            actions_enabled: true,
            alarm_actions: Vec::new(),
            ok_actions: Vec::new(),
            insufficient_actions: Vec::new(),
            configured_at: at,
            state: State::Insufficient,
            reason: "Unchecked: Initial alarm creation".to_owned(),
            reason_data: None,
            updated_at: at,
            changed_at: at,
        }
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self, region: &str) -> String {
        arn(region, &self.name)
    }

    /// `MetricAlarm` or `CompositeAlarm`.
    #[must_use]
    pub fn type_word(&self) -> &'static str {
        match self.kind {
            Kind::Metric(_) => "MetricAlarm",
            Kind::Composite(..) => "CompositeAlarm",
        }
    }

    fn actions_of(&self, state: State) -> &[String] {
        match state {
            State::Ok => &self.ok_actions,
            State::Alarm => &self.alarm_actions,
            State::Insufficient => &self.insufficient_actions,
        }
    }
}

/// An alarm's ARN.
#[must_use]
pub fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:cloudwatch:{region}:{ACCOUNT}:alarm:{name}")
}

/// An entry of the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The alarm's name.
    pub name: String,
    /// `MetricAlarm` or `CompositeAlarm`.
    pub type_word: &'static str,
    /// When.
    pub at: Wall,
    /// `StateUpdate`, `ConfigurationUpdate`, `Action`.
    pub kind: &'static str,
    /// AWS's sentence.
    pub summary: String,
    /// AWS's data, as JSON text.
    pub data: String,
}

/// The alarms of a region.
#[derive(Debug, Default)]
pub struct Alarms {
    /// By name.
    pub by_name: BTreeMap<String, Alarm>,
    /// Mute rules by name.
    pub mutes: BTreeMap<String, mute::Mute>,
    /// Alarms whose last actions a rule has held back.
    held: BTreeSet<String>,
    /// What happened to them, oldest first.
    pub history: Vec<Item>,
    /// Whether the past day has been evaluated.
    settled: bool,
}

impl Alarms {
    fn put(&mut self, item: Item) {
        // Nearly always the newest; the past of one alarm is told after that of another.
        let place = self.history.partition_point(|known| known.at <= item.at);
        self.history.insert(place, item);
        if self.history.len() > MOST_HISTORY {
            self.history.drain(..MOST_HISTORY / 10);
        }
    }

    /// Gives an alarm a state. `announce` is false for what was so before anybody remembers.
    fn set(&mut self, name: &str, verdict: Verdict, at: Wall, announce: bool) {
        let Some(alarm) = self.by_name.get_mut(name) else { return };
        let changes = alarm.state != verdict.state;
        if !changes && announce {
            return;
        }
        let before = std::mem::replace(&mut alarm.state, verdict.state);
        let reason = std::mem::replace(&mut alarm.reason, verdict.reason);
        let data = std::mem::replace(&mut alarm.reason_data, verdict.data);
        alarm.updated_at = at;
        alarm.changed_at = at;
        if !announce {
            return;
        }
        let mut items = vec![Item {
            name: alarm.name.clone(),
            type_word: alarm.type_word(),
            at,
            kind: "StateUpdate",
            summary: format!("Alarm updated from {} to {}", before.word(), alarm.state.word()),
            data: words::transition((before, &reason, data.as_deref()), alarm),
        }];
        let acts = alarm.actions_of(alarm.state).iter().filter(|_| alarm.actions_enabled);
        let acts: Vec<Item> = acts.map(|action| words::acted(alarm, action, at)).collect();
        if self.is_muted(name, at) {
            self.held.insert(name.to_owned());
        } else {
            self.held.remove(name);
            items.extend(acts);
        }
        for item in items {
            self.put(item);
        }
    }

    /// Tells that an alarm was created, changed or deleted.
    fn configured(&mut self, name: &str, type_word: &'static str, what: &str, at: Wall) {
        self.put(Item {
            name: name.to_owned(),
            type_word,
            at,
            kind: "ConfigurationUpdate",
            summary: format!("Alarm \"{name}\" {what}"),
            data: words::configuration(name, what),
        });
    }
}

impl World {
    /// The alarms of a region as their last evaluation left them, which is at most a minute ago.
    pub fn alarms(&mut self, region: &str) -> Option<&mut Alarms> {
        self.settle_alarms();
        self.alarms.get_mut(region)
    }

    /// Sees to it that alarms are evaluated from now on.
    pub(crate) fn watch_alarms(&mut self) {
        if !self.alarms_watched && self.alarms.values().any(|alarms| !alarms.by_name.is_empty()) {
            self.alarms_watched = true;
            self.schedule(self.now.max(self.opened).plus(EVERY), Due::Alarms);
        }
    }

    /// The minute's evaluation.
    pub(crate) fn alarms_due(&mut self) {
        self.settle_alarms();
        let now = self.now;
        self.evaluate(now);
        self.alarms_watched = false;
        self.watch_alarms();
    }

    /// The past day of every region's alarms, evaluated when somebody first looks at alarms, or with the first
    /// minute's evaluation.
    fn settle_alarms(&mut self) {
        let opened = self.opened;
        let mut all = std::mem::take(&mut self.alarms);
        for (region, alarms) in &mut all {
            if std::mem::replace(&mut alarms.settled, true) {
                continue;
            }
            let names: Vec<String> = alarms.by_name.keys().cloned().collect();
            let last = visible_end(opened);
            for name in &names {
                let Some(alarm) = alarms.by_name.get(name) else { continue };
                let configured_at = alarm.configured_at;
                let first = visible_end(opened.minus(PAST).max(configured_at)).min(last);
                let Kind::Metric(watch) = &alarm.kind else { continue };
                let watch = watch.clone();
                let told = judge::told_at(name);
                let windows = self.windows(region, &watch, first, last);
                let mut known = false;
                for (end, datapoints) in windows {
                    let Some(state) = alarms.by_name.get(name).map(|alarm| alarm.state) else { break };
                    let at = Wall(end).plus(told);
                    if let Some(verdict) =
                        judge::verdict(&watch, &datapoints, known.then_some(state), end, at)
                    {
                        // What the state was a day ago has been so for some days.
                        let since = if known { at } else { at.minus(judge::days(name)).max(configured_at) };
                        alarms.set(name, verdict, since, known);
                    }
                    known = true;
                }
            }
            // Composite alarms are told from the present: what they were in between is not worth the search.
            compose(region, alarms, opened, false);
        }
        self.alarms = all;
    }

    fn evaluate(&mut self, now: Wall) {
        let end = visible_end(now);
        let mut all = std::mem::take(&mut self.alarms);
        for (region, alarms) in &mut all {
            let mut verdicts = Vec::new();
            for alarm in alarms.by_name.values() {
                let Kind::Metric(watch) = &alarm.kind else { continue };
                for (_, datapoints) in self.windows(region, watch, end, end) {
                    if let Some(verdict) = judge::verdict(watch, &datapoints, Some(alarm.state), end, now) {
                        verdicts.push((alarm.name.clone(), verdict));
                    }
                }
            }
            for (name, verdict) in verdicts {
                alarms.set(&name, verdict, now, true);
            }
            compose(region, alarms, now, true);
            alarms.unmute(now);
        }
        self.alarms = all;
    }

    /// For each minute from `first` to `last` the datapoints of the periods that end there, newest first,
    /// with the beginning of each.
    fn windows(&self, region: &str, watch: &Watch, first: i64, last: i64) -> Vec<Window> {
        let reach = i64::from(watch.periods) + judge::SPARE;
        let phases = (watch.period / MINUTE).clamp(1, (last - first) / MINUTE + 1);
        let mut windows = Vec::new();
        for phase in 0..phases {
            let begin = first + phase * MINUTE;
            let span = (begin - reach * watch.period, last);
            let Ok(found) = self.query(region, &watch.queries, span, last) else { continue };
            let Some(result) = found.into_iter().find(|found| found.returns) else { continue };
            // One place for each period: looking up a day of them by time is what evaluation would spend most on.
            let (first, period) = (span.0, watch.period.max(1));
            let place = |at: i64| {
                let aligned = (at - first).rem_euclid(period) == 0;
                usize::try_from((at - first).div_euclid(period)).ok().filter(|_| aligned)
            };
            let mut known: Vec<Option<f64>> =
                vec![None; usize::try_from((last - first) / period + 1).unwrap_or(0)];
            for (at, value) in result.points {
                if let Some(slot) = place(at).and_then(|place| known.get_mut(place)) {
                    *slot = Some(value);
                }
            }
            let value = |at: i64| place(at).and_then(|place| known.get(place).copied().flatten());
            let mut end = begin;
            while end <= last {
                let each = (1..=reach).map(|back| end - back * watch.period);
                windows.push((end, each.map(|at| (at, value(at))).collect()));
                end += watch.period.max(MINUTE);
            }
        }
        windows.sort_by_key(|(end, _)| *end);
        windows
    }

    /// Creates an alarm, or configures it anew: its state stays, as AWS's does.
    pub fn put_alarm(&mut self, region: &str, mut alarm: Alarm) {
        self.settle_alarms();
        let now = self.now;
        let alarms = self.alarms.entry(region.to_owned()).or_default();
        alarms.settled = true;
        let (name, word) = (alarm.name.clone(), alarm.type_word());
        alarm.configured_at = now;
        let what = match alarms.by_name.get(&name) {
            Some(known) => {
                alarm.state = known.state;
                alarm.reason.clone_from(&known.reason);
                alarm.reason_data.clone_from(&known.reason_data);
                (alarm.updated_at, alarm.changed_at) = (known.updated_at, known.changed_at);
                "updated"
            }
            None => "created",
        };
        alarms.by_name.insert(name.clone(), alarm);
        alarms.configured(&name, word, what, now);
        self.watch_alarms();
    }

    /// Deletes alarms; their history stays.
    pub fn delete_alarms(&mut self, region: &str, names: &[String]) {
        let now = self.now;
        let Some(alarms) = self.alarms(region) else { return };
        for name in names {
            if let Some(gone) = alarms.by_name.remove(name) {
                alarms.configured(name, gone.type_word(), "deleted", now);
            }
        }
    }

    /// Lets the actions of alarms happen, or not; names that do not exist are passed over.
    pub fn enable_alarm_actions(&mut self, region: &str, names: &[String], enabled: bool) {
        let now = self.now;
        let Some(alarms) = self.alarms(region) else { return };
        for name in names {
            let Some(alarm) = alarms.by_name.get_mut(name) else { continue };
            if std::mem::replace(&mut alarm.actions_enabled, enabled) != enabled {
                alarm.configured_at = now;
                let word = alarm.type_word();
                alarms.configured(name, word, "updated", now);
            }
        }
    }

    /// Gives an alarm a state by hand, until the next evaluation; `false` when there is no such alarm.
    pub fn set_alarm_state(
        &mut self,
        region: &str,
        name: &str,
        state: State,
        reason: &str,
        data: Option<String>,
    ) -> bool {
        let now = self.now;
        let Some(alarms) = self.alarms(region) else { return false };
        if !alarms.by_name.contains_key(name) {
            return false;
        }
        alarms.set(name, Verdict { state, reason: reason.to_owned(), data }, now, true);
        true
    }
}

/// Lets composite alarms follow the others; a few rounds, since they may rest on each other.
fn compose(region: &str, alarms: &mut Alarms, at: Wall, announce: bool) {
    for _ in 0..4 {
        let state = |name: &str| alarms.by_name.get(name).map(|alarm| alarm.state);
        let mut verdicts = Vec::new();
        for alarm in alarms.by_name.values() {
            let Kind::Composite(_, rule) = &alarm.kind else { continue };
            let next = if rule.holds(&state) { State::Alarm } else { State::Ok };
            if next != alarm.state {
                let (reason, data) = words::composite(region, alarms, rule, next, at);
                verdicts.push((alarm.name.clone(), Verdict { state: next, reason, data: Some(data) }));
            }
        }
        if verdicts.is_empty() {
            return;
        }
        for (name, verdict) in verdicts {
            alarms.set(&name, verdict, at, announce);
        }
    }
}

#[cfg(test)]
mod tests;
