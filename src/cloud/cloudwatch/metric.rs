//! Metric queries and their numbers, between the SDK's shapes and ours.
//!
//! Must not fill gaps nor drop a series that came back short: its status says so.

use aws_sdk_cloudwatch::types::{
    Dimension, MessageData, Metric, MetricDataQuery, MetricDataResult, MetricStat,
};

use crate::cloud::shape::{all, count, wall};
use crate::domain::metric::{MetricId, MetricQuery, MetricSource, Series};

pub(super) fn dimensions(sdk: Option<Vec<Dimension>>) -> Vec<(String, String)> {
    all(sdk, |d| (d.name.unwrap_or_default(), d.value.unwrap_or_default()))
}

/// A period as CloudWatch takes it.
fn seconds(period: u32) -> i32 {
    i32::try_from(period).unwrap_or(i32::MAX)
}

pub(super) fn to_sdk(query: &MetricQuery) -> MetricDataQuery {
    let begun = MetricDataQuery::builder().id(&query.id).return_data(query.wanted);
    match &query.what {
        MetricSource::Stat { metric, stat, period } => {
            let own = |(name, value): &(String, String)| Dimension::builder().name(name).value(value).build();
            let metric = Metric::builder()
                .namespace(&metric.namespace)
                .metric_name(&metric.name)
                .set_dimensions(Some(metric.dimensions.iter().map(own).collect()))
                .build();
            let stat = MetricStat::builder().metric(metric).stat(stat).period(seconds(*period)).build();
            begun.metric_stat(stat).build()
        }
        MetricSource::Expression { expression, period } => {
            begun.expression(expression).set_period(period.map(seconds)).build()
        }
    }
}

/// A query as an alarm holds it.
pub(super) fn from_sdk(sdk: MetricDataQuery) -> MetricQuery {
    let what = match (sdk.metric_stat, sdk.expression) {
        (Some(stat), _) => {
            let metric = stat.metric.unwrap_or_else(|| Metric::builder().build());
            MetricSource::Stat {
                metric: MetricId {
                    namespace: metric.namespace.unwrap_or_default(),
                    name: metric.metric_name.unwrap_or_default(),
                    dimensions: dimensions(metric.dimensions),
                },
                stat: stat.stat.unwrap_or_default(),
                period: stat.period.map_or(0, count),
            }
        }
        (None, expression) => MetricSource::Expression {
            expression: expression.unwrap_or_default(),
            period: sdk.period.map(count),
        },
    };
    // CloudWatch returns the data of every query that does not say otherwise.
    MetricQuery { id: sdk.id.unwrap_or_default(), what, wanted: sdk.return_data.unwrap_or(true) }
}

pub(super) fn series(sdk: MetricDataResult) -> Series {
    let times = sdk.timestamps.unwrap_or_default();
    let numbers = sdk.values.unwrap_or_default();
    let mut points: Vec<_> =
        times.into_iter().zip(numbers).filter_map(|(at, number)| Some((wall(at)?, number))).collect();
    // Asked for in this order; an endpoint that does not know `ScanBy` answers the other way round.
    points.sort_by_key(|(at, _)| *at);
    Series {
        id: sdk.id.unwrap_or_default(),
        label: sdk.label.unwrap_or_default(),
        points,
        status: sdk.status_code.map(|s| s.as_str().to_owned()).unwrap_or_default(),
    }
}

pub(super) fn message(sdk: MessageData) -> String {
    let parts: Vec<String> =
        [sdk.code, sdk.value].into_iter().flatten().filter(|text| !text.is_empty()).collect();
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stdx::clock::Wall;
    use aws_sdk_cloudwatch::types::StatusCode;
    use aws_smithy_types::DateTime;

    #[test]
    fn a_query_survives_the_way_there_and_back() {
        let metric =
            MetricId::new("AWS/ECS", "CPUUtilization", &[("ClusterName", "c"), ("ServiceName", "s")]);
        for query in [
            MetricQuery {
                id: "m1".into(),
                what: MetricSource::Stat { metric, stat: "p99".into(), period: 60 },
                wanted: false,
            },
            MetricQuery {
                id: "e1".into(),
                what: MetricSource::Expression { expression: "100 * m2 / m1".into(), period: Some(300) },
                wanted: true,
            },
        ] {
            assert_eq!(from_sdk(to_sdk(&query)), query);
        }
        let empty = from_sdk(MetricDataQuery::builder().build());
        assert_eq!(empty.what, MetricSource::Expression { expression: String::new(), period: None });
        assert!(empty.wanted);
    }

    #[test]
    fn numbers_are_oldest_first_and_a_short_answer_loses_no_pair() {
        let sdk = MetricDataResult::builder()
            .id("m1")
            .timestamps(DateTime::from_secs(120))
            .timestamps(DateTime::from_secs(60))
            .timestamps(DateTime::from_secs(0))
            .values(2.0)
            .values(1.0)
            .status_code(StatusCode::from("Dreaming"))
            .build();
        let series = series(sdk);
        assert_eq!(series.points, [(Wall(60_000), 1.0), (Wall(120_000), 2.0)]);
        assert_eq!(series.status, "Dreaming");
        assert_eq!(super::series(MetricDataResult::builder().build()).points, []);
        let said = MessageData::builder().code("ArithmeticError").value("One is zero").build();
        assert_eq!(message(said), "ArithmeticError: One is zero");
        assert_eq!(message(MessageData::builder().value("alone").build()), "alone");
    }
}
