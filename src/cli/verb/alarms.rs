//! `alarms [NAME]`: CloudWatch's alarms, firing ones first, with what they watch; with NAME its history too.
//!
//! Must not judge an alarm; `diagnose` does.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cli::envelope::{Missing, why_unread};
use crate::cli::exit::Exit;
use crate::cli::finding;
use crate::cli::gather::{Gather, Work};
use crate::cli::health;
use crate::cli::item::{Map, Shape, Shaped, Time, map, shape, time};
use crate::cli::named::{Named, only};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table, Tone};
use crate::cli::verb::End;
use crate::cli::verb::clusters::account_id;
use crate::diagnose::Severity;
use crate::diagnose::alarm::{alarm_sentence, alarm_severity, children, is_muted};
use crate::domain::alarm::{Alarm, AlarmHistoryItem, AlarmId, AlarmKind, AlarmRule, AlarmState};
use crate::domain::metric::{MetricId, MetricSource};
use crate::domain::query::{Answer, Query};
use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;
use crate::stdx::span;
use crate::stdx::text::count;

/// What tells of its history.
const HISTORY: &str = "cloudwatch:DescribeAlarmHistory";

/// How much of its history is told of an alarm that was named.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Composite alarms of composite alarms: CloudWatch forbids circles, but an answer may hold one.
const DEEPEST: u8 = 8;

shape! {
    /// An alarm.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The twelve-digit account id, from the ARN.
        account_id: String = "text",
        /// The region.
        region: String = "text",
        /// The alarm's name.
        name: String = "text",
        /// The alarm's ARN.
        arn: String = "text",
        /// opsdeck's judgement: `critical`, `warning`, `progress`, `unknown`, `notice` (it can wait), `ok` or `idle`.
        severity: Severity = "text",
        /// `metric`, `composite`, `log`.
        kind: AlarmKind = "text",
        /// `ALARM`, `OK`, `INSUFFICIENT_DATA`.
        state: String = "text",
        /// When the state last changed.
        since: Option<Time> = "time or null",
        /// The state in one short sentence with its number, such as `CPUUtilization 93.1 > 80 for 12 min`.
        sentence: String = "text",
        /// CloudWatch's sentence about the state.
        reason: String = "text",
        /// When it fires, in words, such as `Average of CPUUtilization > 80, 3 of 5 periods of 1 min`.
        condition: String = "text",
        /// The namespace of the metric; null for metric math, composite and log alarms.
        namespace: Option<String> = "text or null",
        /// The metric's name.
        metric: Option<String> = "text or null",
        /// The dimensions of all metrics that it looks at: what it watches.
        dimensions: Map = "object of text",
        /// The resources that it watches, by those dimensions; of a composite alarm, those of its children.
        watches: Vec<Watched> = "list of Watched",
        /// What the metric is compared with; null for anomaly detection.
        threshold: Option<f64> = "number or null",
        /// `missing`, `notBreaching`, `breaching`, `ignore`; null for other kinds.
        missing_data: Option<String> = "text or null",
        /// The rule of a composite alarm, the query of a log alarm.
        expression: Option<String> = "text or null",
        /// The alarms that a composite alarm's rule names.
        children: Vec<String> = "list of text",
        /// Whether its actions do not happen: they are disabled or held back.
        muted: bool = "boolean",
        /// Whether its actions are enabled.
        actions_enabled: bool = "boolean",
        /// ARNs of what happens when it fires.
        actions: Vec<String> = "list of text",
        /// `WaitPeriod`, `ExtensionPeriod`, `Alarm`: a composite alarm's actions are held back.
        suppressed_by: Option<String> = "text or null",
        /// `PARTIAL_DATA`, `EVALUATION_FAILURE`, `EVALUATION_ERROR`.
        evaluation: Option<String> = "text or null",
        /// Whether Application Auto Scaling made it: such an alarm is in ALARM by design.
        target_tracking: bool = "boolean",
        /// What its owners wrote about it.
        description: Option<String> = "text or null",
        /// What became of it in the last 24 h, newest first; null unless it was named and it could be read.
        history: Option<Vec<Flip>> = "list of Flip, or null",
    }

    /// A resource that an alarm watches.
    Watched {
        /// `service`, `cluster`, `database`, `cache`, `target_group`, `load_balancer`.
        kind: String = "text",
        /// Its name; CLUSTER/SERVICE for services, the dimension's value for target groups and load balancers.
        name: String = "text",
    }

    /// An entry of an alarm's history.
    Flip {
        /// When.
        at: Time = "time",
        /// `StateUpdate`, `ConfigurationUpdate`, `Action`, …
        kind: String = "text",
        /// For state updates: the state before.
        before: Option<String> = "text or null",
        /// For state updates: the state after.
        after: Option<String> = "text or null",
        /// CloudWatch's sentence.
        summary: String = "text",
    }
}

/// The shapes of this verb.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    vec![Item::SHAPE, Watched::SHAPE, Flip::SHAPE]
}

impl Named for Item {
    fn known_by(&self) -> (&str, &str, &str) {
        (&self.name, &self.region, &self.arn)
    }
}

impl From<&AlarmHistoryItem> for Flip {
    fn from(item: &AlarmHistoryItem) -> Self {
        let (before, after) = item.states.clone().unzip();
        Self { at: Time(item.at), kind: item.kind.clone(), before, after, summary: item.summary.clone() }
    }
}

/// What a metric is about.
fn of_metric(metric: &MetricId) -> Option<(&'static str, String)> {
    let value = |name: &str| metric.dimension(name).map(ToOwned::to_owned);
    if let Some((cluster, service)) = value("ClusterName").zip(value("ServiceName")) {
        return Some(("service", format!("{cluster}/{service}")));
    }
    // A target group is closer to one service than the load balancer beside it.
    let known = [
        ("DBInstanceIdentifier", "database"),
        ("DBClusterIdentifier", "database"),
        ("CacheClusterId", "cache"),
        ("ReplicationGroupId", "cache"),
        ("TargetGroup", "target_group"),
        ("LoadBalancer", "load_balancer"),
        ("ClusterName", "cluster"),
    ];
    known.into_iter().find_map(|(name, kind)| Some((kind, value(name)?)))
}

/// What an alarm watches, a composite one through the alarms that it names.
fn watched(alarm: &Alarm, all: &BTreeMap<AlarmId, Alarm>, depth: u8) -> Vec<(&'static str, String)> {
    let mut found: Vec<_> = alarm.rule.iter().flat_map(AlarmRule::metrics).filter_map(of_metric).collect();
    if let Some(depth) = depth.checked_sub(1) {
        for name in named_by(alarm) {
            let id = AlarmId { scope: alarm.id.scope.clone(), name };
            found.extend(all.get(&id).into_iter().flat_map(|child| watched(child, all, depth)));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The alarms that a composite alarm's rule names, each once.
fn named_by(alarm: &Alarm) -> Vec<String> {
    if alarm.kind != AlarmKind::Composite {
        return Vec::new();
    }
    let mut names: Vec<String> =
        children(alarm.expression.as_deref().unwrap_or_default()).into_iter().map(|c| c.alarm).collect();
    names.sort();
    names.dedup();
    names
}

fn item(alarm: &Alarm, all: &BTreeMap<AlarmId, Alarm>, now: Wall) -> Item {
    let metric = alarm.rule.as_ref().and_then(|rule| rule.metric.as_ref());
    let dimensions: Vec<(String, String)> =
        alarm.rule.iter().flat_map(AlarmRule::metrics).flat_map(|metric| metric.dimensions.clone()).collect();
    let watches = watched(alarm, all, DEEPEST).into_iter();
    Item {
        account: alarm.id.scope.account.to_string(),
        account_id: account_id(&alarm.arn),
        region: alarm.id.scope.region.to_string(),
        name: alarm.id.name.clone(),
        arn: alarm.arn.clone(),
        severity: alarm_severity(alarm),
        kind: alarm.kind,
        state: alarm.state.word().to_owned(),
        since: time(alarm.since),
        sentence: alarm_sentence(alarm, now),
        reason: alarm.reason.clone(),
        condition: condition(alarm),
        namespace: metric.map(|metric| metric.namespace.clone()),
        metric: metric.map(|metric| metric.name.clone()),
        dimensions: map(&dimensions),
        watches: watches.map(|(kind, name)| Watched { kind: kind.to_owned(), name }).collect(),
        threshold: alarm.rule.as_ref().and_then(|rule| rule.threshold),
        missing_data: alarm.rule.as_ref().map(|rule| rule.missing_data.clone()),
        expression: alarm.expression.clone(),
        children: named_by(alarm),
        muted: is_muted(alarm),
        actions_enabled: alarm.actions_enabled,
        actions: alarm.actions.clone(),
        suppressed_by: alarm.suppressed_by.clone(),
        evaluation: alarm.evaluation.clone(),
        target_tracking: alarm.is_target_tracking(),
        description: alarm.description.clone(),
        history: None,
    }
}

/// When an alarm fires, in words.
fn condition(alarm: &Alarm) -> String {
    let Some(rule) = &alarm.rule else { return alarm.expression.clone().unwrap_or_default() };
    let what = match &rule.metric {
        Some(metric) => {
            let stat = rule.stat.as_deref().unwrap_or("?");
            format!("{stat} of {}", metric.name)
        }
        None => rule
            .queries
            .iter()
            .find(|query| query.wanted)
            .map(|query| match &query.what {
                MetricSource::Stat { metric, stat, .. } => format!("{stat} of {}", metric.name),
                MetricSource::Expression { expression, .. } => expression.clone(),
            })
            .or_else(|| alarm.expression.clone())
            .unwrap_or_default(),
    };
    let threshold = rule.threshold.map(|number| format!(" {number}")).unwrap_or_default();
    let period = match rule.period {
        0 => "periods".to_owned(),
        seconds => format!("periods of {}", span::brief(Duration::from_secs(seconds.into()))),
    };
    format!("{what} {}{threshold}, {} of {} {period}", rule.sign(), rule.datapoints, rule.evaluation_periods)
}

/// Performs the verb.
///
/// # Errors
/// When the name means no alarm or several, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let now = gather.begun().wall;
    let state = match request.text("state") {
        Some("alarm") => Some(AlarmState::Alarm),
        Some("ok") => Some(AlarmState::Ok),
        Some("insufficient-data") => Some(AlarmState::InsufficientData),
        _ => None,
    };
    let list = |scope: &Scope| {
        // All of them, whatever state is wanted: a composite alarm watches what its children watch.
        Work::pages(Query::DescribeAlarms { scope: scope.clone(), state: None, page: None })
    };
    let mut all: BTreeMap<AlarmId, Alarm> = BTreeMap::new();
    gather
        .run(session.scopes.iter().map(list).collect(), |_, answer| {
            if let Answer::Alarms { found, .. } = answer {
                all.extend(found.into_iter().map(|alarm| (alarm.id.clone(), alarm)));
            }
            Vec::new()
        })
        .await;
    let items = all.values().map(|alarm| item(alarm, &all, now)).collect();
    let mut items = only(items, request.text("NAME"), "alarm", session, &mut gather)?;
    if let Some(state) = &state {
        items.retain(|item| item.state == state.word());
    }
    if request.text("NAME").is_some() {
        for item in &mut items {
            item.history = history(item, &mut gather).await;
        }
    }
    items.sort_by(|a, b| {
        (a.severity, a.target_tracking).cmp(&(b.severity, b.target_tracking)).then_with(|| {
            b.since
                .cmp(&a.since)
                .then_with(|| (&a.account, &a.region, &a.name).cmp(&(&b.account, &b.region, &b.name)))
        })
    });
    let report = gather.report(items);
    let unread = request.text("NAME").map(|_| report.failures.as_slice());
    Ok(printer.report(&report, |items, printer| table(items, now, unread, printer))?)
}

/// What became of one alarm lately; `None` when it could not be read.
async fn history(item: &Item, gather: &mut Gather) -> Option<Vec<Flip>> {
    let query = Query::DescribeAlarmHistory {
        scope: Scope::new(item.account.as_str(), item.region.as_str()),
        alarm: Some(item.name.clone()),
        from: gather.begun().wall.minus(DAY),
        page: None,
    };
    let (mut found, mut whole) = (Vec::new(), false);
    gather
        .run(vec![Work::pages(query)], |_, answer| {
            if let Answer::AlarmHistory { items, next } = answer {
                whole |= next.is_none();
                found.extend(items.iter().map(Flip::from));
            }
            Vec::new()
        })
        .await;
    finding::known(found, whole)
}

/// `unread` is what could not be read, when one was named.
fn table(items: &[Item], now: Wall, unread: Option<&[Missing]>, printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::fixed("HEALTH"),
        Column::fixed("STATE"),
        Column::name("ALARM"),
        Column::fixed("REGION").lesser(2),
        Column::number("SINCE"),
        Column::sentence("WATCHES").lesser(1),
        Column::sentence("FIRES WHEN").lesser(3),
        Column::sentence("WHAT"),
    ])
    .spilling();
    // Those of target tracking are in ALARM by design: they are counted, unless they alone were asked for.
    let folds = items.iter().any(|item| !item.target_tracking);
    let folded = items.iter().filter(|item| folds && item.target_tracking).count();
    for item in items.iter().filter(|item| !folds || !item.target_tracking) {
        let state = if item.muted { format!("{} (muted)", item.state) } else { item.state.clone() };
        let watches: Vec<&str> = item.watches.iter().map(|watched| watched.name.as_str()).collect();
        table.row([
            health::cell(item.severity, printer),
            state.into(),
            Cell::new(&item.name),
            Cell::new(&item.region),
            item.since.map_or_else(Cell::default, |at| span::brief(at.0.age_at(now)).into()),
            watches.join(", ").into(),
            Cell::new(&item.condition),
            Cell::new(&item.sentence),
        ]);
    }
    let mut lines = printer.set(&table);
    if folded > 0 {
        lines.push(format!("{} of target tracking folded away", count(folded, "alarm")));
    }
    if let Some(failures) = unread {
        lines.extend(items.iter().flat_map(|item| told(item, failures, printer)));
    }
    lines
}

/// The history of an alarm that was named, with CloudWatch's own reason.
fn told(item: &Item, failures: &[Missing], printer: &Printer) -> Vec<String> {
    let mut lines = vec![String::new(), printer.paint(Tone::Plain, &item.reason)];
    let unread = why_unread(failures, &item.account, &item.region, HISTORY);
    let none = "Nothing became of it in the last 24 h.";
    lines.extend(finding::told(item.history.as_deref(), unread.as_deref(), ("History", none), |history| {
        let columns = [Column::fixed("TIME"), Column::fixed("KIND"), Column::sentence("WHAT")];
        let mut table = Table::new(&columns).spilling();
        for flip in history {
            table.row([Cell::new(flip.at.0.rfc3339()), Cell::new(&flip.kind), Cell::new(&flip.summary)]);
        }
        printer.set(&table)
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::metric::MetricQuery;

    fn alarm(rule: Option<AlarmRule>) -> Alarm {
        Alarm {
            id: AlarmId { scope: Scope::new("default", "eu-west-2"), name: "cpu".into() },
            arn: "arn:aws:cloudwatch:eu-west-2:123456789012:alarm:cpu".into(),
            kind: AlarmKind::Metric,
            description: None,
            state: AlarmState::Alarm,
            reason: "Threshold Crossed".into(),
            since: None,
            actions_enabled: true,
            actions: Vec::new(),
            suppressed_by: None,
            evaluation: None,
            rule,
            expression: Some("ALARM(a) AND ALARM(b)".into()),
        }
    }

    fn rule(metric: Option<MetricId>) -> AlarmRule {
        AlarmRule {
            metric,
            stat: Some("Average".into()),
            period: 60,
            queries: Vec::new(),
            comparison: "GreaterThanThreshold".into(),
            threshold: Some(80.0),
            evaluation_periods: 5,
            datapoints: 3,
            missing_data: "missing".into(),
        }
    }

    #[test]
    fn a_condition_is_read_in_words() {
        let metric = MetricId::new("AWS/ECS", "CPUUtilization", &[("ServiceName", "api")]);
        let of = |alarm: &Alarm| condition(alarm);
        assert_eq!(
            of(&alarm(Some(rule(Some(metric))))),
            "Average of CPUUtilization > 80, 3 of 5 periods of 1 min"
        );
        assert_eq!(of(&alarm(None)), "ALARM(a) AND ALARM(b)");
        let mut math = rule(None);
        math.period = 0;
        math.queries = vec![MetricQuery {
            id: "e1".into(),
            what: MetricSource::Expression { expression: "100 * m2 / m1".into(), period: None },
            wanted: true,
        }];
        assert_eq!(of(&alarm(Some(math))), "100 * m2 / m1 > 80, 3 of 5 periods");
    }
    #[test]
    fn a_composite_alarm_watches_what_its_children_watch() {
        let named = |name: &str, metric: Option<MetricId>| {
            let mut made = alarm(metric.map(|metric| rule(Some(metric))));
            made.id.name = name.into();
            made
        };
        let service = [("ClusterName", "c"), ("ServiceName", "s")];
        let cpu = named("a", Some(MetricId::new("AWS/ECS", "CPUUtilization", &service)));
        let database = [("DBInstanceIdentifier", "db")];
        let storage = named("b", Some(MetricId::new("AWS/RDS", "FreeStorageSpace", &database)));
        let mut both = named("both", None);
        both.kind = AlarmKind::Composite;
        both.expression = Some("ALARM(a) AND (ALARM(b) OR ALARM(both) OR ALARM(gone))".into());
        let all: BTreeMap<AlarmId, Alarm> =
            [&cpu, &storage, &both].into_iter().map(|alarm| (alarm.id.clone(), alarm.clone())).collect();
        assert_eq!(
            watched(&both, &all, DEEPEST),
            [("database", "db".to_owned()), ("service", "c/s".to_owned())],
            "a circle ends"
        );
        let item = item(&both, &all, Wall(0));
        assert_eq!(item.children, ["a", "b", "both", "gone"]);
        assert_eq!(item.severity, Severity::Critical);
    }
}
