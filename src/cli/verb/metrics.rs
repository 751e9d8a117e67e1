//! `metrics SERVICE`: a service's CPU, memory and tasks as numbers over time. CloudWatch charges for each metric.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cli::census::one_service;
use crate::cli::exit::Exit;
use crate::cli::gather::Work;
use crate::cli::item::{Time, shape};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::verb::End;
use crate::domain::ecs::ServiceId;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::metric::{MetricId, MetricQuery, MetricSource, Range, Series};
use crate::domain::query::{Answer, MetricRequest, Query};
use crate::domain::sweep::Goal;
use crate::stdx::clock::Wall;

shape! {
    /// A metric of a service.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The region.
        region: String = "text",
        /// The cluster's name.
        cluster: String = "text",
        /// The service's name.
        service: String = "text",
        /// `AWS/ECS` or `ECS/ContainerInsights`.
        namespace: String = "text",
        /// The metric's name.
        metric: String = "text",
        /// `Average`, `Maximum`.
        stat: String = "text",
        /// Seconds that one number stands for.
        period_s: u32 = "integer",
        /// `Complete`, `PartialData`, `InternalError`, `Forbidden`.
        status: String = "text",
        /// The newest number.
        last: Option<f64> = "number or null",
        /// The least.
        least: Option<f64> = "number or null",
        /// The mean of the numbers.
        mean: Option<f64> = "number or null",
        /// The greatest.
        greatest: Option<f64> = "number or null",
        /// The numbers, oldest first; periods without data are left out.
        points: Vec<Point> = "list of Point",
    }

    /// A number of a metric.
    Point {
        /// When its period begins.
        at: Time = "time",
        /// The number.
        value: f64 = "number",
    }
}

/// What is asked: namespace, metric, statistic. Container Insights knows the tasks, where it is enabled.
const ASKED: [(&str, &str, &str); 6] = [
    ("AWS/ECS", "CPUUtilization", "Average"),
    ("AWS/ECS", "CPUUtilization", "Maximum"),
    ("AWS/ECS", "MemoryUtilization", "Average"),
    ("AWS/ECS", "MemoryUtilization", "Maximum"),
    ("ECS/ContainerInsights", "RunningTaskCount", "Average"),
    ("ECS/ContainerInsights", "DesiredTaskCount", "Average"),
];

/// Seconds that one number stands for, so that a chart has some hundred of them.
fn period(since: Duration) -> u32 {
    let range = Range::ALL.into_iter().find(|range| since <= range.span()).unwrap_or(Range::Week);
    range.period()
}

/// The request, from and to on a multiple of the period; the period that is still running is left out.
fn ask(service: &ServiceId, since: Duration, now: Wall) -> MetricRequest {
    let period = period(since);
    let step = i64::from(period) * 1000;
    let floor = |at: Wall| Wall(at.0.div_euclid(step) * step);
    let queries = ASKED.iter().enumerate().map(|(at, (namespace, name, stat))| MetricQuery {
        id: format!("m{at}"),
        what: MetricSource::Stat {
            metric: MetricId::new(
                namespace,
                name,
                &[("ClusterName", &service.cluster), ("ServiceName", &service.name)],
            ),
            stat: (*stat).to_owned(),
            period,
        },
        wanted: true,
    });
    MetricRequest {
        scope: service.scope.clone(),
        queries: queries.collect(),
        from: floor(now.minus(since)),
        to: floor(now),
        page: None,
    }
}

fn item(service: &ServiceId, request: &MetricRequest, query: &MetricQuery, series: Option<Series>) -> Item {
    let (metric, stat, period) = match &query.what {
        MetricSource::Stat { metric, stat, period } => (metric.clone(), stat.clone(), *period),
        MetricSource::Expression { expression, period } => {
            (MetricId::new("", expression, &[]), String::new(), period.unwrap_or(0))
        }
    };
    let points = series.as_ref().map_or(&[][..], |series| &series.points);
    let numbers = || points.iter().map(|(_, number)| *number);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand points at most")]
    let mean = (!points.is_empty()).then(|| numbers().sum::<f64>() / points.len() as f64);
    Item {
        account: request.scope.account.to_string(),
        region: request.scope.region.to_string(),
        cluster: service.cluster.clone(),
        service: service.name.clone(),
        namespace: metric.namespace,
        metric: metric.name,
        stat,
        period_s: period,
        last: series.as_ref().and_then(Series::last),
        least: numbers().reduce(f64::min),
        mean,
        greatest: numbers().reduce(f64::max),
        points: points.iter().map(|(at, value)| Point { at: Time(*at), value: *value }).collect(),
        status: series.map_or_else(String::new, |series| series.status),
    }
}

/// Performs the verb.
///
/// # Errors
/// When the name means no single service, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let name = request.text("NAME").unwrap_or_default();
    let service = one_service(session, &mut gather, name, request.all("cluster")).await?.id;
    let since = request.span("since").unwrap_or_else(|| Range::default().span());
    let asked = ask(&service, since, gather.begun().wall);
    let mut found: BTreeMap<String, Series> = BTreeMap::new();
    let work = vec![Work::Sweep(Goal::Pages(Box::new(Query::GetMetricData(asked.clone()))))];
    gather
        .run(work, |_, answer| {
            if let Answer::Metrics { series, .. } = answer {
                for page in series {
                    // A long series comes in several pages under the same id.
                    match found.get_mut(&page.id) {
                        Some(known) => {
                            known.points.extend(page.points);
                            known.status = page.status;
                        }
                        None => {
                            found.insert(page.id.clone(), page);
                        }
                    }
                }
            }
            Vec::new()
        })
        .await;
    for series in found.values().filter(|s| matches!(s.status.as_str(), "Forbidden" | "InternalError")) {
        let kind = if series.status == "Forbidden" { FaultKind::Denied } else { FaultKind::Server };
        let message = format!("CloudWatch answered {} for {}", series.status, series.label);
        gather.missing(&asked.scope, &Fault::new(kind, message).action("cloudwatch:GetMetricData"));
    }
    let items: Vec<Item> = asked
        .queries
        .iter()
        .map(|query| item(&service, &asked, query, found.remove(&query.id)))
        // Container Insights is off in many clusters: what it does not know is not listed as empty.
        .filter(|item| !item.points.is_empty() || item.namespace == "AWS/ECS")
        .collect();
    Ok(printer.report(&gather.report(items), table)?)
}

fn table(items: &[Item], printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::name("METRIC"),
        Column::fixed("STAT"),
        Column::number("LAST"),
        Column::number("LEAST"),
        Column::number("MEAN"),
        Column::number("GREATEST"),
        Column::number("POINTS"),
        Column::fixed("TREND"),
    ]);
    let number = |n: Option<f64>| n.map_or_else(|| Cell::new("-"), |n| format!("{n:.1}").into());
    for item in items {
        table.row([
            Cell::new(&item.metric),
            Cell::new(&item.stat),
            number(item.last),
            number(item.least),
            number(item.mean),
            number(item.greatest),
            item.points.len().to_string().into(),
            trend(item, printer.unicode).into(),
        ]);
    }
    printer.set(&table)
}

/// How many columns a trend takes.
const TREND: usize = 24;

/// The numbers as bars between the least and the greatest, each bar the mean of its share.
fn trend(item: &Item, unicode: bool) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const PLAIN: [char; 8] = ['_', '.', ',', '-', '=', '+', '*', '#'];
    let (Some(least), Some(greatest)) = (item.least, item.greatest) else { return String::new() };
    let share = item.points.len().div_ceil(TREND).max(1);
    let bars = if unicode { BARS } else { PLAIN };
    let bar = |points: &[Point]| {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand points at most")]
        let mean = points.iter().map(|point| point.value).sum::<f64>() / points.len() as f64;
        let height = if greatest > least { (mean - least) / (greatest - least) } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 7; a number that is none gives 0"
        )]
        let at = (height * 7.0).round() as usize;
        bars.get(at).copied().unwrap_or(' ')
    };
    item.points.chunks(share).map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope::Scope;

    fn service() -> ServiceId {
        ServiceId { scope: Scope::new("default", "eu-west-2"), cluster: "c".into(), name: "s".into() }
    }

    #[test]
    fn the_request_ends_before_the_running_period_and_stays_small() {
        let now = Wall(1_795_143_659_999);
        let asked = ask(&service(), Duration::from_secs(3_600), now);
        assert_eq!((asked.from.0 % 60_000, asked.to.0 % 60_000), (0, 0));
        assert!(asked.to <= now && now.0 - asked.to.0 < 60_000);
        for (hours, points) in [(1_u64, 60), (3, 180), (24, 288), (168, 168)] {
            let span = Duration::from_secs(hours * 3_600);
            assert_eq!(span.as_secs() / u64::from(period(span)), points);
        }
        assert_eq!(period(Duration::from_secs(90 * 86_400)), 3_600);
    }

    #[test]
    fn numbers_are_summed_up_and_none_is_none() {
        let asked = ask(&service(), Duration::from_secs(3_600), Wall(1_795_143_600_000));
        let series = Series {
            id: "m0".into(),
            label: "CPU".into(),
            points: vec![(Wall(0), 10.0), (Wall(60_000), 30.0)],
            status: "Complete".into(),
        };
        let full = item(&service(), &asked, &asked.queries[0], Some(series));
        assert_eq!(
            (full.last, full.least, full.mean, full.greatest),
            (Some(30.0), Some(10.0), Some(20.0), Some(30.0))
        );
        assert_eq!((trend(&full, true).as_str(), trend(&full, false).as_str()), ("▁█", "_#"));
        let none = item(&service(), &asked, &asked.queries[0], None);
        assert_eq!((none.last, none.mean, trend(&none, true).as_str()), (None, None, ""));
    }
}
