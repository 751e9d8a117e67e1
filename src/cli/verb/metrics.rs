//! `metrics [NAME]`: numbers over time of services, databases or caches, oldest first. CloudWatch charges for each
//! metric.
//!
//! Must not fill gaps: a period without data is left out.

mod wanted;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cli::exit::{Exit, Problem};
use crate::cli::gather::Gather;
use crate::cli::item::{Shape, Shaped, Time, shape};
use crate::cli::numbers::refused;
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::verb::End;
use crate::domain::metric::{Range, Series};
use crate::domain::query::Answer;
use crate::domain::scope::Scope;
use crate::stdx::span;

use wanted::{Asked, Wanted};

shape! {
    /// A metric of something.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The region.
        region: String = "text",
        /// Whose it is: `service`, `database`, `cache`.
        of: String = "text",
        /// For services: the cluster's name.
        cluster: Option<String> = "text or null",
        /// The name of the service, of the database instance, of the cache cluster.
        name: String = "text",
        /// `AWS/ECS`, `ECS/ContainerInsights`, `AWS/ApplicationELB`, `AWS/RDS`, `AWS/ElastiCache`.
        namespace: String = "text",
        /// The metric's name; `5xx answers` is metric math: 5xx answers of the targets in percent of all requests, none where there are no data.
        metric: String = "text",
        /// `Average`, `Maximum`, `Minimum`, `Sum`, `p99`; empty for metric math.
        stat: String = "text",
        /// `%`, `B`, `s`, `ms`; empty for counts.
        unit: String = "text",
        /// Seconds that one number stands for.
        period_s: u32 = "integer",
        /// `Complete`, `PartialData`, `InternalError`, `Forbidden`; empty when CloudWatch did not answer.
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

/// The shapes of this verb.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    vec![Item::SHAPE, Point::SHAPE]
}

fn item(wanted: &Wanted, period: u32, series: Option<Series>) -> Item {
    let points = series.as_ref().map_or(&[][..], |series| &series.points);
    let numbers = || points.iter().map(|(_, number)| *number);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand points at most")]
    let mean = (!points.is_empty()).then(|| numbers().sum::<f64>() / points.len() as f64);
    Item {
        account: wanted.owner.scope.account.to_string(),
        region: wanted.owner.scope.region.to_string(),
        of: wanted.owner.of.to_owned(),
        cluster: wanted.owner.cluster.clone(),
        name: wanted.owner.name.clone(),
        namespace: wanted.namespace.to_owned(),
        metric: wanted.metric.to_owned(),
        stat: wanted.stat.to_owned(),
        unit: wanted.unit().to_owned(),
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
/// When the name means nothing or several things, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let since = request.span("since").unwrap_or_else(|| Range::default().span());
    let period = wanted::period(since);
    if since < Duration::from_secs(period.into()) {
        let least = span::brief(Duration::from_secs(period.into()));
        return Err(Problem::usage(format!(
            "--since is shorter than the {least} that one number stands for"
        ))
        .into());
    }
    let all = wanted::of(session, request, &mut gather).await?;
    let asked = wanted::requests(&all, since, gather.begun().wall);
    let found = ask(&asked, &mut gather).await;
    // Where CloudWatch gave no answer at all there is nothing to tell, not lines without numbers.
    let silent = found.is_empty() && !gather.is_complete();
    let items: Vec<Item> = asked
        .iter()
        .filter(|_| !silent)
        .flat_map(|asked| asked.wanted.iter().map(move |(id, wanted)| (asked, id, wanted)))
        .map(|(asked, id, wanted)| {
            let series = found.get(&(asked.request.scope.clone(), id.clone())).cloned();
            item(wanted, period, series)
        })
        // What is off in many places is not listed as empty: Container Insights, Performance Insights.
        .filter(|item| !item.points.is_empty() || item.metric == "CPUUtilization")
        .collect();
    let count = asked.iter().filter(|_| !silent).map(|asked| asked.request.queries.len()).sum();
    Ok(printer.report(&gather.report(items), |items, printer| table(items, count, printer))?)
}

/// The series of all requests, by scope and id.
async fn ask(asked: &[Asked], gather: &mut Gather) -> BTreeMap<(Scope, String), Series> {
    let mut found: BTreeMap<(Scope, String), Series> = BTreeMap::new();
    gather
        .run(asked.iter().map(Asked::work).collect(), |query, answer| {
            let Answer::Metrics { series, .. } = answer else { return Vec::new() };
            for page in series {
                let key = (query.scope().clone(), page.id.clone());
                // A long series comes in several pages under the same id.
                match found.get_mut(&key) {
                    Some(known) => {
                        known.points.extend(page.points);
                        known.status = page.status;
                    }
                    None => {
                        found.insert(key, page);
                    }
                }
            }
            Vec::new()
        })
        .await;
    for ((scope, _), series) in &found {
        if let Some(fault) = refused(series) {
            gather.missing(scope, &fault);
        }
    }
    found
}

/// What CloudWatch asks for a metric in most regions, in dollars.
const PRICE: f64 = 0.01 / 1_000.0;

fn table(items: &[Item], asked: usize, printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::name("NAME"),
        Column::fixed("METRIC"),
        Column::fixed("STAT"),
        Column::number("LAST"),
        Column::number("LEAST").lesser(3),
        Column::number("MEAN").lesser(2),
        Column::number("GREATEST").lesser(1),
        Column::number("POINTS").lesser(4),
        Column::fixed("TREND"),
    ]);
    for item in items {
        let number = |n: Option<f64>| n.map_or_else(|| Cell::new("-"), |n| short(n, &item.unit).into());
        table.row([
            Cell::new(&item.name),
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
    let mut lines = printer.set(&table);
    if asked > 0 {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand metrics at most")]
        let price = asked as f64 * PRICE;
        lines.push(format!("{} asked, about ${price:.4}", crate::stdx::text::count(asked, "metric")));
    }
    lines
}

/// A number as somebody reads it at night: bytes in GiB or MiB, the others with a digit or three.
fn short(value: f64, unit: &str) -> String {
    const MIB: f64 = 1_048_576.0;
    match unit {
        "B" if value.abs() >= 1_024.0 * MIB => format!("{:.1} GiB", value / (1_024.0 * MIB)),
        "B" => format!("{:.1} MiB", value / MIB),
        "s" if value.abs() < 1.0 => format!("{:.1} ms", value * 1_000.0),
        "" => format!("{value:.1}"),
        unit => format!("{value:.1} {unit}"),
    }
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
    use super::wanted::Owner;
    use super::*;
    use crate::stdx::clock::Wall;

    fn cpu() -> Wanted {
        let owner = Owner {
            scope: Scope::new("default", "eu-west-2"),
            of: "service",
            cluster: Some("c".into()),
            name: "s".into(),
        };
        Wanted::stat(&owner, "AWS/ECS", "CPUUtilization", "Average", &[("ServiceName", "s")])
    }

    #[test]
    fn numbers_are_summed_up_and_none_is_none() {
        let series = Series {
            id: "m0".into(),
            label: "CPU".into(),
            points: vec![(Wall(0), 10.0), (Wall(60_000), 30.0)],
            status: "Complete".into(),
        };
        let full = item(&cpu(), 60, Some(series));
        assert_eq!(
            (full.last, full.least, full.mean, full.greatest),
            (Some(30.0), Some(10.0), Some(20.0), Some(30.0))
        );
        assert_eq!((trend(&full, true).as_str(), trend(&full, false).as_str()), ("▁█", "_#"));
        let none = item(&cpu(), 60, None);
        assert_eq!((none.last, none.mean, trend(&none, true).as_str()), (None, None, ""));
    }

    #[test]
    fn a_number_has_the_unit_that_is_read() {
        let said = [(3.3e10, "B"), (5.0e7, "B"), (0.0042, "s"), (2.0, "s"), (81.26, "%"), (7.0, "")]
            .map(|(value, unit)| short(value, unit));
        assert_eq!(said, ["30.7 GiB", "47.7 MiB", "4.2 ms", "2.0 s", "81.3 %", "7.0"]);
    }
}
