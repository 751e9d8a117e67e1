//! RDS: requests and answers.
//!
//! Must not judge a status, and must not let a password through: RDS masks the pending one, and here even the
//! mask is left out.

mod cluster;
mod event;
mod instance;
pub(super) mod write;

use aws_sdk_rds::Client;

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::{all, count, minutes, next, stray, token};
use crate::domain::database::DbSnapshot;
use crate::domain::query::{Answer, Query};
use crate::stdx::clock::Wall;

/// The largest page of most lists.
const PAGE: i32 = 100;

/// One request to RDS; it does not retry.
pub(super) async fn ask(client: &Client, query: &Query, call: &Call<'_>, now: Wall) -> Result<Answer, Lost> {
    match query {
        Query::DescribeDbInstances { scope, page } => {
            let request = client.describe_db_instances().max_records(PAGE).set_marker(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.db_instances, |i| instance::from_sdk(scope, i));
            Ok(Answer::DbInstances { found, next: next(out.marker) })
        }
        Query::DescribeDbClusters { scope, page } => {
            let request = client.describe_db_clusters().max_records(PAGE).set_marker(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.db_clusters, |c| cluster::from_sdk(scope, c));
            Ok(Answer::DbClusters { found, next: next(out.marker) })
        }
        Query::DescribeDbEvents { from, page, .. } => {
            let request = client
                .describe_events()
                .duration(minutes(*from, now))
                .max_records(PAGE)
                .set_marker(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(Answer::DataEvents { found: all(out.events, event::from_sdk), next: next(out.marker) })
        }
        Query::DescribePendingMaintenance { page, .. } => {
            let request = client
                .describe_pending_maintenance_actions()
                .max_records(PAGE)
                .set_marker(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.pending_maintenance_actions, event::maintenance);
            Ok(Answer::Maintenance { found: found.into_iter().flatten().collect(), next: next(out.marker) })
        }
        _ => ask_inside(client, query, call).await,
    }
}

/// The other half of RDS: what is inside one instance.
async fn ask_inside(client: &Client, query: &Query, call: &Call<'_>) -> Result<Answer, Lost> {
    match query {
        Query::DescribeDbParameters { group, page, .. } => {
            let request = client
                .describe_db_parameters()
                .db_parameter_group_name(group)
                .max_records(PAGE)
                .set_marker(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(Answer::DbParameters { found: all(out.parameters, event::parameter), next: next(out.marker) })
        }
        Query::DescribeDbLogFiles { instance, page, .. } => {
            let request = client
                .describe_db_log_files()
                .db_instance_identifier(instance)
                .max_records(PAGE)
                .set_marker(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.describe_db_log_files, event::log_file);
            Ok(Answer::DbLogFiles { found, next: next(out.marker) })
        }
        Query::DescribeDbSnapshot { database, name } if database.cluster => {
            let request = client.describe_db_cluster_snapshots().db_cluster_snapshot_identifier(name);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.db_cluster_snapshots, |sdk| DbSnapshot {
                name: sdk.db_cluster_snapshot_identifier.unwrap_or_default(),
                status: sdk.status.unwrap_or_default(),
                percent: sdk.percent_progress.map_or(0, count),
            });
            Ok(Answer::DbSnapshots { found })
        }
        Query::DescribeDbSnapshot { name, .. } => {
            let request = client.describe_db_snapshots().db_snapshot_identifier(name);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.db_snapshots, |sdk| DbSnapshot {
                name: sdk.db_snapshot_identifier.unwrap_or_default(),
                status: sdk.status.unwrap_or_default(),
                percent: sdk.percent_progress.map_or(0, count),
            });
            Ok(Answer::DbSnapshots { found })
        }
        Query::DownloadDbLogFile { instance, file, marker, lines, .. } => {
            let request = client
                .download_db_log_file_portion()
                .db_instance_identifier(instance)
                .log_file_name(file)
                .set_marker(token(marker.as_ref()))
                .number_of_lines(i32::try_from(*lines).unwrap_or(i32::MAX));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(Answer::DbLogPortion {
                text: out.log_file_data.unwrap_or_default(),
                marker: next(out.marker),
                more: out.additional_data_pending.unwrap_or(false),
            })
        }
        other => Err(stray(other, "RDS")),
    }
}
