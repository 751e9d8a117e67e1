//! The calls that change databases. Each takes a permit, and makes its call once.
//!
//! Must not send what was not named: RDS leaves it as it is.

use aws_sdk_rds::Client;
use aws_types::request_id::RequestId;

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::unfit;
use crate::domain::mutation::{Mutation, Receipt};
use crate::guard::Permit;

/// Makes the call.
pub(in crate::cloud) async fn change(
    client: &Client,
    permit: Permit,
    call: &Call<'_>,
) -> Result<Receipt, Lost> {
    let request_id = match permit.redeem() {
        Mutation::RebootDatabase { database, failover } => {
            let request = client
                .reboot_db_instance()
                .db_instance_identifier(database.name)
                .set_force_failover(failover.then_some(true));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            out.request_id().map(ToOwned::to_owned)
        }
        Mutation::FailoverCluster { database, to } => {
            let request = client
                .failover_db_cluster()
                .db_cluster_identifier(database.name)
                .set_target_db_instance_identifier(to);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            out.request_id().map(ToOwned::to_owned)
        }
        Mutation::CreateSnapshot { database, name } if database.cluster => {
            let request = client
                .create_db_cluster_snapshot()
                .db_cluster_identifier(database.name)
                .db_cluster_snapshot_identifier(name);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            out.request_id().map(ToOwned::to_owned)
        }
        Mutation::CreateSnapshot { database, name } => {
            let request = client
                .create_db_snapshot()
                .db_instance_identifier(database.name)
                .db_snapshot_identifier(name);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            out.request_id().map(ToOwned::to_owned)
        }
        Mutation::GrowStorage { database, to } => {
            let request = client
                .modify_db_instance()
                .db_instance_identifier(database.name)
                .allocated_storage(i32::try_from(to).unwrap_or(i32::MAX))
                .apply_immediately(true);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            out.request_id().map(ToOwned::to_owned)
        }
        other => return Err(unfit(&other, "RDS")),
    };
    Ok(Receipt { request_id, ..Receipt::default() })
}
