//! Metrics: lists, statistics, and data by queries.
//!
//! Must not make numbers; the world does.

use super::wire::{Datum, build, missing};
use super::{page, query};
use crate::sim::reply::ApiError;
use crate::sim::world::World;
use crate::sim::world::metric::series::{Found, points, visible_end};
use crate::stdx::clock::Wall;

/// AWS's limits on one request.
const MOST_QUERIES: usize = 500;
const MOST_POINTS: usize = 100_800;
const MOST_STATISTICS: i64 = 1_440;
const LISTED: usize = 500;

/// Beginning and end, at whole minutes.
fn span(input: &Datum) -> Result<(i64, i64), ApiError> {
    let start = input.time("StartTime")?.ok_or_else(|| missing("StartTime"))?;
    let end = input.time("EndTime")?.ok_or_else(|| missing("EndTime"))?;
    if start >= end {
        return Err(ApiError::new(
            400,
            "ValidationError",
            "The parameter StartTime must be less than the parameter EndTime.",
        ));
    }
    // Nothing is older than 455 days.
    let floor = end.0.saturating_sub(460 * 86_400_000);
    Ok((start.0.max(floor).div_euclid(60_000) * 60_000, end.0))
}

pub fn data(world: &World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let queries = query::queries(input.items("MetricDataQueries")?)?;
    if queries.is_empty() {
        return Err(missing("MetricDataQueries"));
    }
    if queries.len() > MOST_QUERIES {
        return Err(ApiError::new(
            400,
            "ValidationError",
            format!("The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}."),
        ));
    }
    let most = page::size(input, "MaxDatapoints", MOST_POINTS, MOST_POINTS)?;
    let oldest_first = input.text("ScanBy")? == Some("TimestampAscending");
    let begin = match page::token(input)? {
        None => (0, 0),
        Some(text) => text
            .split_once(':')
            .and_then(|(query, point)| Some((query.parse().ok()?, point.parse().ok()?)))
            .ok_or_else(page::invalid)?,
    };
    let found = world
        .query(region, &queries, span(input)?, visible_end(world.now))
        .map_err(|(id, why)| query::wrong_expression(&id, &why))?;
    let (results, more) = page_of(found, begin, most, oldest_first);
    Ok(build()
        .with("MetricDataResults", Datum::List(results))
        .with("Messages", Datum::List(Vec::new()))
        .maybe("NextToken", more)
        .done())
}

/// One page of results, from a query and a point of it on.
fn page_of(
    found: Vec<Found>,
    (first, mut skip): (usize, usize),
    most: usize,
    oldest_first: bool,
) -> (Vec<Datum>, Option<String>) {
    let (mut results, mut room) = (Vec::new(), most);
    for (place, mut one) in found.into_iter().filter(|found| found.returns).enumerate().skip(first) {
        if room == 0 {
            return (results, Some(page::make(&format!("{place}:0"))));
        }
        if !oldest_first {
            one.points.reverse();
        }
        let begin = std::mem::take(&mut skip);
        let rest: Vec<(i64, f64)> = one.points.into_iter().skip(begin).collect();
        let shown = rest.len().min(room);
        let whole = shown == rest.len();
        let (times, values) =
            rest.iter().take(shown).map(|(at, value)| (Wall(*at), *value)).unzip::<_, _, Vec<_>, Vec<_>>();
        results.push(
            build()
                .with("Id", one.id)
                .with("Label", one.label)
                .with("Timestamps", times)
                .with("Values", values)
                .with("StatusCode", if whole { "Complete" } else { "PartialData" })
                .done(),
        );
        if !whole {
            return (results, Some(page::make(&format!("{place}:{}", begin + shown))));
        }
        room -= shown;
    }
    (results, None)
}

pub fn statistics(world: &World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let key = query::key(input)?;
    let period = query::period(input)?.ok_or_else(|| missing("Period"))?.max(60_000);
    let (from, to) = span(input)?;
    if (to - from) / period > MOST_STATISTICS {
        return Err(ApiError::new(
            400,
            "InvalidParameterCombination",
            format!(
                "You have requested up to {} datapoints, which exceeds the limit of {MOST_STATISTICS}. \
                 You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
                (to - from) / period
            ),
        ));
    }
    let (plain, extended) = (input.texts("Statistics")?, input.texts("ExtendedStatistics")?);
    if plain.is_empty() && extended.is_empty() {
        return Err(missing("Statistics"));
    }
    let end = visible_end(world.now);
    let source = world.metric(region, &key);
    let series = |word: &String| -> Result<Vec<(i64, f64)>, ApiError> {
        let stat = query::statistic(word)?;
        Ok(source.as_ref().map(|source| points(source, stat, (from, to), period, end)).unwrap_or_default())
    };
    let plain: Vec<(&String, Vec<(i64, f64)>)> =
        plain.iter().map(|word| Ok((word, series(word)?))).collect::<Result<_, ApiError>>()?;
    let extended: Vec<(&String, Vec<(i64, f64)>)> =
        extended.iter().map(|word| Ok((word, series(word)?))).collect::<Result<_, ApiError>>()?;
    // All statistics of one metric have numbers in the same periods.
    let times = plain.first().or(extended.first()).map(|(_, points)| points.as_slice()).unwrap_or_default();
    let datapoints = times.iter().enumerate().map(|(place, (at, _))| {
        let value = |points: &[(i64, f64)]| points.get(place).map_or(0.0, |(_, value)| *value);
        let mut point = build().with("Timestamp", Wall(*at));
        for (word, points) in &plain {
            point = point.with(word, value(points));
        }
        let own = extended.iter().map(|(word, points)| ((*word).clone(), Datum::Double(value(points))));
        let own: Vec<(String, Datum)> = own.collect();
        let point = if own.is_empty() { point } else { point.with("ExtendedStatistics", Datum::Map(own)) };
        point.with("Unit", unit(&key.namespace, &key.name)).done()
    });
    Ok(build().with("Label", key.name.as_str()).with("Datapoints", Datum::List(datapoints.collect())).done())
}

fn unit(namespace: &str, name: &str) -> &'static str {
    match (namespace, name) {
        ("AWS/RDS", "ReadIOPS" | "WriteIOPS") => "Count/Second",
        ("AWS/RDS", "ReadLatency" | "WriteLatency" | "ReplicaLag") => "Seconds",
        ("AWS/RDS", "WriteThroughput" | "ReadThroughput") => "Bytes/Second",
        ("AWS/RDS", "BurstBalance") => "Percent",
        ("AWS/RDS", "DBLoad" | "DBLoadCPU" | "DBLoadNonCPU") => "None",
        ("AWS/ElastiCache", "ReplicationLag") => "Seconds",
        ("AWS/ElastiCache", "BytesUsedForCache" | "NetworkBytesIn" | "NetworkBytesOut") => "Bytes",
        ("AWS/ElastiCache", "EngineCPUUtilization" | "DatabaseMemoryUsagePercentage" | "CacheHitRate") => {
            "Percent"
        }
        ("AWS/RDS" | "AWS/ElastiCache", "FreeableMemory" | "SwapUsage" | "FreeStorageSpace") => "Bytes",
        (_, "TargetResponseTime") => "Seconds",
        (_, "CPUUtilization" | "MemoryUtilization") => "Percent",
        (_, "MemoryUtilized" | "MemoryReserved") => "Megabytes",
        (_, "CpuUtilized" | "CpuReserved") => "None",
        _ => "Count",
    }
}

pub fn list(world: &World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let begin = page::offset(input)?.unwrap_or(0);
    let (namespace, name) = (input.text("Namespace")?, input.text("MetricName")?);
    let mut filters = Vec::new();
    for item in input.items("Dimensions")? {
        filters.push((item.must("Name")?.to_owned(), item.text("Value")?.map(str::to_owned)));
    }
    let recent = input.text("RecentlyActive")?;
    if let Some(word) = recent.filter(|word| *word != "PT3H") {
        return Err(query::invalid(format!("RecentlyActive is PT3H, not {word}")));
    }
    let keys = world.metrics(region);
    let mut wanted = keys
        .iter()
        .filter(|key| {
            namespace.is_none_or(|wanted| key.namespace == wanted)
                && name.is_none_or(|wanted| key.name == wanted)
                && filters.iter().all(|(name, value)| {
                    key.dimensions
                        .iter()
                        .any(|(own, is)| own == name && value.as_ref().is_none_or(|value| value == is))
                })
        })
        .skip(begin);
    let page: Vec<Datum> = wanted.by_ref().take(LISTED).map(query::written_key).collect();
    let more = wanted.next().map(|_| page::make(&(begin + LISTED).to_string()));
    Ok(build().with("Metrics", Datum::List(page)).maybe("NextToken", more).done())
}
