//! ElastiCache: requests and answers.
//!
//! Must not judge a status.

mod convert;
pub(super) mod write;

use aws_sdk_elasticache::Client;

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::{all, minutes, next, stray, token};
use crate::domain::query::{Answer, Query};
use crate::stdx::clock::Wall;

/// The largest page.
const PAGE: i32 = 100;

/// One request to ElastiCache; it does not retry.
pub(super) async fn ask(client: &Client, query: &Query, call: &Call<'_>, now: Wall) -> Result<Answer, Lost> {
    match query {
        Query::DescribeReplicationGroups { scope, page } => {
            let request =
                client.describe_replication_groups().max_records(PAGE).set_marker(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.replication_groups, |g| convert::group(scope, g));
            Ok(Answer::ReplicationGroups { found, next: next(out.marker) })
        }
        Query::DescribeCacheClusters { scope, page } => {
            let request = client
                .describe_cache_clusters()
                .show_cache_node_info(true)
                .max_records(PAGE)
                .set_marker(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.cache_clusters, |c| convert::cluster(scope, c));
            Ok(Answer::CacheClusters { found, next: next(out.marker) })
        }
        Query::DescribeCacheEvents { from, page, .. } => {
            let request = client
                .describe_events()
                .duration(minutes(*from, now))
                .max_records(PAGE)
                .set_marker(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(Answer::DataEvents { found: all(out.events, convert::event), next: next(out.marker) })
        }
        other => Err(stray(other, "ElastiCache")),
    }
}
