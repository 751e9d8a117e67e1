//! `alarms [NAME]`: CloudWatch's alarms, firing ones first, with what they watch.

use crate::cli::exit::Exit;
use crate::cli::gather::Work;
use crate::cli::health;
use crate::cli::item::{Map, Time, map, shape, time};
use crate::cli::judgement;
use crate::cli::named::{Named, only};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::verb::End;
use crate::cli::verb::clusters::account_id;
use crate::diagnose::Severity;
use crate::domain::alarm::{Alarm, AlarmKind, AlarmRule, AlarmState};
use crate::domain::metric::MetricSource;
use crate::domain::query::{Answer, Query};
use crate::domain::sweep::Goal;
use crate::stdx::clock::Wall;
use crate::stdx::span;

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
        /// opsdeck's judgement: `critical`, `warning`, `progress`, `unknown`, `ok` or `idle`.
        severity: Severity = "text",
        /// `metric`, `composite`, `log`.
        kind: AlarmKind = "text",
        /// `ALARM`, `OK`, `INSUFFICIENT_DATA`.
        state: String = "text",
        /// When the state last changed.
        since: Option<Time> = "time or null",
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
        /// What the metric is compared with; null for anomaly detection.
        threshold: Option<f64> = "number or null",
        /// `missing`, `notBreaching`, `breaching`, `ignore`; null for other kinds.
        missing_data: Option<String> = "text or null",
        /// The rule of a composite alarm, the query of a log alarm.
        expression: Option<String> = "text or null",
        /// Whether its actions happen.
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
    }
}

impl Named for Item {
    fn known_by(&self) -> (&str, &str, &str) {
        (&self.name, &self.region, &self.arn)
    }
}

fn item(alarm: Alarm) -> Item {
    let judged = judgement::alarm(&alarm);
    let metric = alarm.rule.as_ref().and_then(|rule| rule.metric.as_ref());
    let dimensions: Vec<(String, String)> =
        alarm.rule.iter().flat_map(AlarmRule::metrics).flat_map(|metric| metric.dimensions.clone()).collect();
    Item {
        account: alarm.id.scope.account.to_string(),
        account_id: account_id(&alarm.arn),
        region: alarm.id.scope.region.to_string(),
        severity: judged.severity,
        condition: condition(&alarm),
        namespace: metric.map(|metric| metric.namespace.clone()),
        metric: metric.map(|metric| metric.name.clone()),
        dimensions: map(&dimensions),
        threshold: alarm.rule.as_ref().and_then(|rule| rule.threshold),
        missing_data: alarm.rule.as_ref().map(|rule| rule.missing_data.clone()),
        target_tracking: alarm.is_target_tracking(),
        name: alarm.id.name,
        arn: alarm.arn,
        kind: alarm.kind,
        state: alarm.state.word().to_owned(),
        since: time(alarm.since),
        reason: judged.reason,
        expression: alarm.expression,
        actions_enabled: alarm.actions_enabled,
        actions: alarm.actions,
        suppressed_by: alarm.suppressed_by,
        evaluation: alarm.evaluation,
        description: alarm.description,
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
        seconds => format!("periods of {}", span::brief(std::time::Duration::from_secs(seconds.into()))),
    };
    format!("{what} {}{threshold}, {} of {} {period}", rule.sign(), rule.datapoints, rule.evaluation_periods)
}

/// Performs the verb.
///
/// # Errors
/// When the name means no alarm or several, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let state = match request.text("state") {
        Some("alarm") => Some(AlarmState::Alarm),
        Some("ok") => Some(AlarmState::Ok),
        Some("insufficient-data") => Some(AlarmState::InsufficientData),
        _ => None,
    };
    let list = |scope: &crate::domain::scope::Scope| {
        let query = Query::DescribeAlarms { scope: scope.clone(), state: state.clone(), page: None };
        Work::Sweep(Goal::Pages(Box::new(query)))
    };
    let mut items: Vec<Item> = Vec::new();
    gather
        .run(session.scopes.iter().map(list).collect(), |_, answer| {
            if let Answer::Alarms { found, .. } = answer {
                items.extend(found.into_iter().map(item));
            }
            Vec::new()
        })
        .await;
    let mut items = only(items, request.text("NAME"), "alarm", session, &gather)?;
    items.sort_by(|a, b| {
        order(a).cmp(&order(b)).then_with(|| b.since.cmp(&a.since)).then_with(|| key(a).cmp(&key(b)))
    });
    let now = gather.begun().wall;
    Ok(printer.report(&gather.report(items), |items, printer| table(items, now, printer))?)
}

/// Firing first; what fires by design among those that are well.
fn order(item: &Item) -> (Severity, bool) {
    (item.severity, item.target_tracking)
}

fn key(item: &Item) -> (&str, &str, &str) {
    (&item.account, &item.region, &item.name)
}

fn table(items: &[Item], now: Wall, printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::fixed("HEALTH"),
        Column::fixed("STATE"),
        Column::name("ALARM"),
        Column::fixed("REGION"),
        Column::number("SINCE"),
        Column::sentence("WATCHES"),
        Column::sentence("WHEN"),
        Column::sentence("WHY"),
    ]);
    for item in items {
        let state = if item.actions_enabled { item.state.clone() } else { format!("{} (muted)", item.state) };
        let watches: Vec<&str> = item.dimensions.values().map(String::as_str).collect();
        table.row([
            health::cell(item.severity, printer),
            state.into(),
            Cell::new(&item.name),
            Cell::new(&item.region),
            item.since.map_or_else(Cell::default, |at| span::brief(at.0.age_at(now)).into()),
            watches.join(" ").into(),
            Cell::new(&item.condition),
            Cell::new(&item.reason),
        ]);
    }
    printer.set(&table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alarm::AlarmId;
    use crate::domain::metric::{MetricId, MetricQuery};
    use crate::domain::scope::Scope;

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
}
