//! Metric queries and dimensions, as requests write them and answers repeat them.
//!
//! Must not evaluate anything.

use super::wire::{Datum, build, missing};
use crate::sim::reply::ApiError;
use crate::sim::world::metric::series::{Ask, Query, Statistic};
use crate::sim::world::metric::{Key, math};

/// A value that AWS refuses.
pub fn invalid(what: impl Into<String>) -> ApiError {
    ApiError::new(400, "InvalidParameterValue", what)
}

fn validation(what: impl Into<String>) -> ApiError {
    ApiError::new(400, "ValidationError", what)
}

/// The dimensions of a metric.
pub fn dimensions(input: &Datum) -> Result<Vec<(String, String)>, ApiError> {
    let pair = |item: &Datum| Ok((item.must("Name")?.to_owned(), item.must("Value")?.to_owned()));
    input.items("Dimensions")?.iter().map(pair).collect()
}

/// Namespace, name and dimensions.
pub fn key(input: &Datum) -> Result<Key, ApiError> {
    Ok(Key::new(input.must("Namespace")?, input.must("MetricName")?, dimensions(input)?))
}

/// A period in milliseconds. High resolution exists in AWS; here a minute is the finest that is measured.
pub fn period(input: &Datum) -> Result<Option<i64>, ApiError> {
    let Some(seconds) = input.whole("Period")? else { return Ok(None) };
    if [1, 5, 10, 20, 30].contains(&seconds) || (seconds > 0 && seconds % 60 == 0 && seconds <= 86_400) {
        return Ok(Some(seconds * 1_000));
    }
    Err(invalid(format!("The parameter Period must be 1, 5, 10, 20, 30, or a multiple of 60: {seconds}")))
}

/// A statistic by its word.
pub fn statistic(word: &str) -> Result<Statistic, ApiError> {
    Statistic::of(word)
        .ok_or_else(|| invalid(format!("The value {word} for parameter Stat is not supported.")))
}

fn one(input: &Datum) -> Result<Query, ApiError> {
    let id = input.must("Id")?;
    let good = id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !good {
        return Err(validation(format!(
            "The value {id} for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )));
    }
    let ask = match (input.get("MetricStat"), input.text("Expression")?) {
        (Some(stat), None) => {
            let word = stat.must("Stat")?.to_owned();
            Ask::Stat {
                key: key(stat.get("Metric").ok_or_else(|| missing("MetricStat.Metric"))?)?,
                period: period(stat)?.ok_or_else(|| missing("MetricStat.Period"))?,
                stat: statistic(&word)?,
                word,
            }
        }
        (None, Some(text)) => {
            math::parse(text).map_err(|why| wrong_expression(id, &why))?;
            Ask::Math(text.to_owned())
        }
        _ => {
            return Err(validation(format!(
                "A metric data query has either MetricStat or Expression, and {id} has not."
            )));
        }
    };
    Ok(Query {
        id: id.to_owned(),
        ask,
        label: input.text("Label")?.filter(|label| !label.is_empty()).map(str::to_owned),
        returns: input.flag("ReturnData")?.unwrap_or(true),
    })
}

/// A list of queries, each id once.
pub fn queries(items: &[Datum]) -> Result<Vec<Query>, ApiError> {
    let all: Vec<Query> = items.iter().map(one).collect::<Result<_, _>>()?;
    for (place, query) in all.iter().enumerate() {
        if all.iter().take(place).any(|earlier| earlier.id == query.id) {
            return Err(validation(format!("The Id {} is used for more than one query.", query.id)));
        }
    }
    Ok(all)
}

/// What AWS says about an expression that it does not understand.
pub fn wrong_expression(id: &str, why: &str) -> ApiError {
    validation(format!("Error in expression '{id}' [{why}]."))
}

/// `Dimensions` of an answer.
pub fn written_dimensions(key: &Key) -> Datum {
    let pair = |(name, value): &(String, String)| {
        build().with("Name", name.as_str()).with("Value", value.as_str()).done()
    };
    Datum::List(key.dimensions.iter().map(pair).collect())
}

/// A `Metric` of an answer.
pub fn written_key(key: &Key) -> Datum {
    build()
        .with("Namespace", key.namespace.as_str())
        .with("MetricName", key.name.as_str())
        .with("Dimensions", written_dimensions(key))
        .done()
}

/// A `MetricDataQuery` of an answer.
pub fn written(query: &Query) -> Datum {
    let own = build().with("Id", query.id.as_str());
    let own = match &query.ask {
        Ask::Stat { key, period, word, .. } => own.with(
            "MetricStat",
            build()
                .with("Metric", written_key(key))
                .with("Period", Datum::Whole(period / 1_000))
                .with("Stat", word.as_str())
                .done(),
        ),
        Ask::Math(text) => own.with("Expression", text.as_str()),
    };
    own.maybe("Label", query.label.as_deref()).with("ReturnData", query.returns).done()
}
