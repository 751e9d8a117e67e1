//! CloudWatch Logs: requests and answers.
//!
//! Must not order or de-duplicate events; the log engine does. Pages may be empty while there is a next one.

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::{
    FilteredLogEvent, LogGroup as SdkGroup, LogStream as SdkStream, OrderBy,
};

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::stray;
use crate::domain::log::{LogEvent, LogGroup, LogGroupId, LogStream};
use crate::domain::query::{Answer, LogQuery, PageToken, Query, Streams};
use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;

/// The largest page of groups or streams.
const PAGE: i32 = 50;

/// One request to CloudWatch Logs; it does not retry.
pub(super) async fn ask(client: &Client, query: &Query, call: &Call<'_>) -> Result<Answer, Lost> {
    match query {
        Query::DescribeLogGroups { scope, prefix, page } => {
            let request = client
                .describe_log_groups()
                .set_log_group_name_prefix(prefix.clone())
                .limit(PAGE)
                .set_next_token(page.as_ref().map(|p| p.0.clone()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = out.log_groups.unwrap_or_default();
            Ok(Answer::LogGroups {
                found: found.into_iter().map(|g| group(scope, g)).collect(),
                next: out.next_token.map(PageToken),
            })
        }
        Query::DescribeLogStreams { group, prefix, page, .. } => {
            let request = client
                .describe_log_streams()
                .log_group_name(group)
                .order_by(OrderBy::LogStreamName)
                .set_log_stream_name_prefix(prefix.clone())
                .limit(PAGE)
                .set_next_token(page.as_ref().map(|p| p.0.clone()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = out.log_streams.unwrap_or_default();
            Ok(Answer::LogStreams {
                found: found.into_iter().map(stream).collect(),
                next: out.next_token.map(PageToken),
            })
        }
        Query::FilterLogEvents(query) => filter(client, query, call).await,
        other => Err(stray(other, "CloudWatch Logs")),
    }
}

async fn filter(client: &Client, query: &LogQuery, call: &Call<'_>) -> Result<Answer, Lost> {
    let (prefix, names) = match &query.streams {
        Streams::All => (None, None),
        Streams::Prefix(prefix) => (Some(prefix.clone()), None),
        Streams::Named(names) => (None, Some(names.clone())),
    };
    let request = client
        .filter_log_events()
        .log_group_name(&query.group)
        .set_log_stream_name_prefix(prefix)
        .set_log_stream_names(names)
        .set_start_time(query.from.map(|w| w.0))
        .set_end_time(query.to.map(|w| w.0))
        .set_filter_pattern(query.pattern.clone())
        // Left out unless wanted: older endpoints do not know the member.
        .set_start_from_head(query.newest_first.then_some(false))
        .set_limit(query.limit.and_then(|n| i32::try_from(n).ok()))
        .set_next_token(query.page.as_ref().map(|p| p.0.clone()));
    let out = request.send().await.map_err(|e| call.lost(e))?;
    let events = out.events.unwrap_or_default();
    Ok(Answer::LogEvents {
        events: events.into_iter().map(event).collect(),
        next: out.next_token.map(PageToken),
    })
}

fn group(scope: &Scope, sdk: SdkGroup) -> LogGroup {
    let arn = sdk
        .log_group_arn
        .or_else(|| sdk.arn.map(|arn| arn.strip_suffix(":*").map_or_else(|| arn.clone(), ToOwned::to_owned)));
    LogGroup {
        id: LogGroupId { scope: scope.clone(), name: sdk.log_group_name.unwrap_or_default() },
        arn,
        retention_days: sdk.retention_in_days.and_then(|d| u32::try_from(d).ok()),
        stored_bytes: sdk.stored_bytes.and_then(|b| u64::try_from(b).ok()),
        created_at: sdk.creation_time.map(Wall),
    }
}

fn stream(sdk: SdkStream) -> LogStream {
    LogStream {
        name: sdk.log_stream_name.unwrap_or_default(),
        created_at: sdk.creation_time.map(Wall),
        last_event_at: sdk.last_event_timestamp.map(Wall),
    }
}

fn event(sdk: FilteredLogEvent) -> LogEvent {
    LogEvent {
        id: sdk.event_id,
        stream: sdk.log_stream_name.unwrap_or_default(),
        at: Wall(sdk.timestamp.unwrap_or(0)),
        ingested_at: sdk.ingestion_time.map(Wall),
        message: sdk.message.unwrap_or_default(),
    }
}
