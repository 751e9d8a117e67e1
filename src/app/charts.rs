//! The numbers that the screen draws: which charts it wants, when CloudWatch is asked for them, and what that
//! costs.
//!
//! Each metric requested costs money, so only what is on screen is asked for. Must stay pure.

mod wanted;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::app::Effect;
use crate::app::refresh::{Refresh, Token};
use crate::app::world::{Seen, World};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::metric::{MetricId, MetricQuery, MetricSource, Range, Series};
use crate::domain::query::{Answer, Class, MetricRequest, Query};
use crate::domain::scope::Scope;
use crate::domain::sweep::METRICS_PER_CALL;
use crate::stdx::clock::{Moment, Wall};

pub use wanted::{
    alarm, cache_node, database, five_hundreds, of_item as wanted_of_item, service, sparks_beside_services,
    wanted,
};

/// Seconds that earn one metric: 5,000 an hour, that is $0.05.
const EARNED_EACH: f64 = 0.72;

/// Metrics that may be asked for at once after a pause: a full screen of them.
const SAVED: f64 = 500.0;

/// No chart is asked for more often.
const SHORTEST: Duration = Duration::from_secs(60);

/// A number that is older than this, and than three periods, says nothing about now.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// What CloudWatch takes for one metric requested, in dollars: $0.01 for a thousand.
pub const PRICE: f64 = 0.000_01;

/// A series that can be drawn: one wanted query, with those that it is computed from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chart {
    /// Where.
    pub scope: Scope,
    /// How far back.
    pub range: Range,
    /// Exactly one of them is wanted.
    pub queries: Vec<MetricQuery>,
}

impl Chart {
    /// A chart of a metric's statistic.
    #[must_use]
    pub fn of(scope: &Scope, range: Range, metric: MetricId, stat: &str) -> Self {
        let what = MetricSource::Stat { metric, stat: stat.to_owned(), period: range.period() };
        let queries = vec![MetricQuery { id: "m".to_owned(), what, wanted: true }];
        Self { scope: scope.clone(), range, queries }
    }

    /// Seconds that one of its numbers stands for.
    #[must_use]
    pub fn period(&self) -> u32 {
        let periods = self.queries.iter().filter_map(|query| match &query.what {
            MetricSource::Stat { period, .. } => Some(*period),
            MetricSource::Expression { period, .. } => *period,
        });
        periods.max().unwrap_or(self.range.period())
    }

    /// So old its newest number may be and still tell of now: CloudWatch's numbers come minutes late.
    #[must_use]
    pub fn life(&self) -> Duration {
        LIFE.max(Duration::from_secs(u64::from(self.period()) * 3))
    }

    /// How many metrics CloudWatch counts.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.queries.iter().filter(|q| matches!(q.what, MetricSource::Stat { .. })).count().max(1)
    }

    /// Its queries under ids that no other chart of the request has.
    fn numbered(&self, number: usize) -> impl Iterator<Item = MetricQuery> + '_ {
        let prefix = format!("c{number}_");
        self.queries.iter().map(move |query| MetricQuery {
            id: format!("{prefix}{}", query.id),
            wanted: query.wanted,
            what: match &query.what {
                MetricSource::Expression { expression, period } => MetricSource::Expression {
                    expression: renamed(expression, &self.queries, &prefix),
                    period: *period,
                },
                stat => stat.clone(),
            },
        })
    }
}

/// An expression in which the ids of these queries have a prefix. What stands in quotes stays.
fn renamed(expression: &str, queries: &[MetricQuery], prefix: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let flush = |word: &mut String, out: &mut String, quoted: bool| {
        if !quoted && queries.iter().any(|query| query.id == *word) {
            out.push_str(prefix);
        }
        out.push_str(word);
        word.clear();
    };
    for c in expression.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        flush(&mut word, &mut out, quote.is_some());
        match quote {
            Some(open) if open == c => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            _ => {}
        }
        out.push(c);
    }
    flush(&mut word, &mut out, quote.is_some());
    out
}

#[derive(Clone, Debug)]
struct Asked {
    charts: Vec<Chart>,
    series: BTreeMap<String, Series>,
}

/// What was asked of CloudWatch and what it may still cost.
#[derive(Clone, Debug)]
pub struct Charts {
    asked: BTreeMap<Token, Asked>,
    asked_at: BTreeMap<Chart, Moment>,
    /// Why a scope's last request brought nothing, and when.
    faults: BTreeMap<Scope, (Fault, Moment)>,
    saved: f64,
    counted_at: Option<Moment>,
    recent: VecDeque<(Moment, usize)>,
    /// Metrics requested since the start.
    pub requested: usize,
    /// Charts on screen when it was last looked.
    pub on_screen: usize,
}

impl Default for Charts {
    fn default() -> Self {
        Self {
            asked: BTreeMap::new(),
            asked_at: BTreeMap::new(),
            faults: BTreeMap::new(),
            saved: SAVED,
            counted_at: None,
            recent: VecDeque::new(),
            requested: 0,
            on_screen: 0,
        }
    }
}

impl Charts {
    /// Time between two readings of so many metrics.
    #[must_use]
    pub fn interval(metrics: usize) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a screen has a few hundred charts")]
        let earned = Duration::from_secs_f64(metrics as f64 * EARNED_EACH);
        SHORTEST.max(earned)
    }

    /// Metrics requested in the last hour.
    #[must_use]
    pub fn last_hour(&self, now: Moment) -> usize {
        let hour = Duration::from_secs(3_600);
        self.recent.iter().filter(|(at, _)| now.since(*at) < hour).map(|(_, count)| count).sum()
    }

    /// Why a scope gives no numbers.
    #[must_use]
    pub fn fault(&self, scope: &Scope) -> Option<&Fault> {
        self.faults.get(scope).map(|(fault, _)| fault)
    }

    /// The faults of all scopes.
    pub fn faults(&self) -> impl Iterator<Item = (&Scope, &Fault)> {
        self.faults.iter().map(|(scope, (fault, _))| (scope, fault))
    }

    /// Asks at once for what is on screen, as far as the allowance goes.
    pub fn retry_all(&mut self) {
        self.faults.clear();
    }

    /// When the next chart of these is due, if nothing happens before.
    #[must_use]
    pub fn wake_in(&self, wanted: &[Chart], now: Moment, idle_for: Duration) -> Option<Duration> {
        let interval = self.stretched(wanted, idle_for);
        let under_way = self.under_way();
        let rest = wanted.iter().filter(|chart| !under_way.contains(chart));
        rest.map(|chart| self.due_in(chart, now, interval)).min()
    }

    fn stretched(&self, wanted: &[Chart], idle_for: Duration) -> Duration {
        let away = if idle_for >= crate::app::refresh::AWAY { 4 } else { 1 };
        Self::interval(wanted.iter().map(Chart::cost).sum()) * away
    }

    fn under_way(&self) -> BTreeSet<&Chart> {
        self.asked.values().flat_map(|asked| &asked.charts).collect()
    }

    fn due_in(&self, chart: &Chart, now: Moment, interval: Duration) -> Duration {
        let rest = self.faults.get(&chart.scope).map_or(Duration::ZERO, |(fault, at)| {
            let pause = match fault.kind {
                FaultKind::Denied | FaultKind::Unsupported => Duration::from_secs(300),
                _ => SHORTEST,
            };
            pause.saturating_sub(now.since(*at))
        });
        // A chart has no new number before its period is over.
        let interval = interval.max(Duration::from_secs(u64::from(chart.range.period())));
        let due =
            self.asked_at.get(chart).map_or(Duration::ZERO, |at| interval.saturating_sub(now.since(*at)));
        // Without an allowance a chart waits until it is earned.
        let saved = self.saved_at(now);
        #[expect(clippy::cast_precision_loss, reason = "a chart has a handful of metrics")]
        let missing = (chart.cost() as f64 - saved).max(0.0);
        due.max(rest).max(Duration::from_secs_f64(missing * EARNED_EACH))
    }

    fn saved_at(&self, now: Moment) -> f64 {
        let since = self.counted_at.map_or(Duration::ZERO, |at| now.since(at));
        (self.saved + since.as_secs_f64() / EARNED_EACH).min(SAVED)
    }

    /// Asks for the charts that are due, those first that were never asked for.
    pub fn schedule(
        &mut self,
        refresh: &mut Refresh,
        wanted: &[Chart],
        now: Moment,
        idle_for: Duration,
    ) -> Vec<Effect> {
        self.on_screen = wanted.iter().map(Chart::cost).sum();
        self.saved = self.saved_at(now);
        self.counted_at = Some(now);
        let interval = self.stretched(wanted, idle_for);
        let mut batches: BTreeMap<(&Scope, Range), Vec<&Chart>> = BTreeMap::new();
        let under_way = self.under_way();
        let rest: Vec<&Chart> = wanted.iter().filter(|chart| !under_way.contains(chart)).collect();
        for chart in rest {
            if self.due_in(chart, now, interval) > Duration::ZERO {
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "a chart has a handful of metrics")]
            let cost = chart.cost() as f64;
            self.saved -= cost;
            self.asked_at.insert(chart.clone(), now);
            batches.entry((&chart.scope, chart.range)).or_default().push(chart);
        }
        let mut effects = Vec::new();
        for ((scope, range), charts) in batches {
            for charts in split(charts) {
                let token = refresh.token();
                let queries = charts.iter().enumerate().flat_map(|(n, chart)| chart.numbered(n)).collect();
                let (from, to) = window(range, now.wall);
                let request = MetricRequest { scope: scope.clone(), queries, from, to, page: None };
                self.count(now, charts.iter().map(|chart| chart.cost()).sum());
                let charts = charts.into_iter().cloned().collect();
                self.asked.insert(token, Asked { charts, series: BTreeMap::new() });
                let query = Query::GetMetricData(request);
                effects.push(Effect::Query { token, query, class: Class::Background });
            }
        }
        effects
    }

    fn count(&mut self, now: Moment, metrics: usize) {
        self.requested += metrics;
        self.recent.push_back((now, metrics));
        while self.recent.front().is_some_and(|(at, _)| now.since(*at) > Duration::from_secs(3_600)) {
            self.recent.pop_front();
        }
    }

    /// Takes an answer in; `None` when the token is not one of its own.
    pub fn absorb(
        &mut self,
        token: Token,
        query: &Query,
        outcome: &Result<Answer, Fault>,
        world: &mut World,
        at: Moment,
    ) -> Option<Vec<Effect>> {
        let mut asked = self.asked.remove(&token)?;
        world.generation += 1;
        let (series, next) = match outcome {
            Ok(Answer::Metrics { series, next, .. }) => (series, next),
            Ok(_) => return Some(Vec::new()),
            Err(fault) => {
                self.faults.insert(query.scope().clone(), (fault.clone(), at));
                return Some(Vec::new());
            }
        };
        self.faults.remove(query.scope());
        for found in series {
            match asked.series.get_mut(&found.id) {
                Some(known) => {
                    known.points.extend(found.points.iter().copied());
                    known.status.clone_from(&found.status);
                }
                None => {
                    asked.series.insert(found.id.clone(), found.clone());
                }
            }
        }
        // Further pages of one request cost nothing.
        if let Some(turned) = next.clone().and_then(|page| query.turned_to(page))
            && turned != *query
        {
            self.asked.insert(token, asked);
            return Some(vec![Effect::Query { token, query: turned, class: Class::Background }]);
        }
        for (number, chart) in asked.charts.into_iter().enumerate() {
            let Some(wanted) = chart.queries.iter().find(|q| q.wanted) else { continue };
            if let Some(mut series) = asked.series.remove(&format!("c{number}_{}", wanted.id)) {
                series.points.sort_by_key(|(at, _)| *at);
                world.estate.series.insert(chart, Seen { value: series, at });
            }
        }
        Some(Vec::new())
    }
}

/// Charts in requests of as many queries as one may have.
fn split(charts: Vec<&Chart>) -> Vec<Vec<&Chart>> {
    let mut requests: Vec<Vec<&Chart>> = Vec::new();
    let mut room = 0;
    for chart in charts {
        if chart.queries.len() > room {
            requests.push(Vec::new());
            room = METRICS_PER_CALL;
        }
        room = room.saturating_sub(chart.queries.len());
        if let Some(last) = requests.last_mut() {
            last.push(chart);
        }
    }
    requests
}

/// The time that a chart covers: whole periods, the last of them over.
fn window(range: Range, now: Wall) -> (Wall, Wall) {
    let period = i64::from(range.period()) * 1_000;
    let to = Wall(now.0.div_euclid(period) * period);
    (to.minus(range.span()), to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope::new("default", "eu-west-2")
    }

    #[test]
    fn ids_in_an_expression_are_renamed_and_words_in_quotes_are_not() {
        let query = |id: &str| MetricQuery {
            id: id.to_owned(),
            what: MetricSource::Expression { expression: String::new(), period: None },
            wanted: false,
        };
        let queries = [query("m1"), query("m2")];
        assert_eq!(
            renamed("100*FILL(m1,0)/m2 + SEARCH('m1', \"m2\") + m11", &queries, "c3_"),
            "100*FILL(c3_m1,0)/c3_m2 + SEARCH('m1', \"m2\") + m11"
        );
    }

    #[test]
    fn the_interval_is_a_minute_or_what_the_metrics_cost() {
        assert_eq!(Charts::interval(1), Duration::from_secs(60));
        assert_eq!(Charts::interval(83), Duration::from_secs(60));
        assert_eq!(Charts::interval(500), Duration::from_secs(360));
    }

    #[test]
    fn no_request_has_more_than_500_queries() {
        let chart = |n: usize| {
            let metric =
                MetricId::new("AWS/RDS", "CPUUtilization", &[("DBInstanceIdentifier", &n.to_string())]);
            Chart::of(&scope(), Range::Hour, metric, "Average")
        };
        let charts: Vec<Chart> = (0..1_201).map(chart).collect();
        let sizes: Vec<usize> = split(charts.iter().collect()).iter().map(Vec::len).collect();
        assert_eq!(sizes, [500, 500, 201]);
    }

    #[test]
    fn a_window_has_whole_periods() {
        let (from, to) = window(Range::Day, Wall(1_795_183_277_123));
        assert_eq!((to.0 % 300_000, to.0 - from.0), (0, 86_400_000));
    }

    /// How many metrics are requested in so many seconds with these charts on screen.
    fn requested_in(charts: &[Chart], seconds: u64) -> usize {
        let (mut machine, mut refresh, mut world) = (Charts::default(), Refresh::default(), World::default());
        let start = Moment { wall: Wall(1_795_183_200_000), mono: Duration::from_secs(1_000) };
        for second in 0..seconds {
            let now = start.plus(Duration::from_secs(second));
            for effect in machine.schedule(&mut refresh, charts, now, Duration::ZERO) {
                let Effect::Query { token, query, .. } = effect else { panic!("{effect:?}") };
                let answer = Ok(Answer::Metrics { series: Vec::new(), messages: Vec::new(), next: None });
                machine.absorb(token, &query, &answer, &mut world, now);
            }
        }
        machine.requested
    }

    #[test]
    fn an_hour_costs_five_cents_at_most_beyond_the_first_screen() {
        let chart = |n: usize| {
            let metric = MetricId::new("AWS/ECS", "CPUUtilization", &[("ServiceName", &n.to_string())]);
            Chart::of(&scope(), Range::Hour, metric, "Average")
        };
        let few: Vec<Chart> = (0..10).map(chart).collect();
        assert_eq!(requested_in(&few, 3_600), 600, "each once a minute");
        let many: Vec<Chart> = (0..2_000).map(chart).collect();
        assert!(requested_in(&many, 3_600) <= 5_500, "5,000 an hour and a full screen");
    }
}
