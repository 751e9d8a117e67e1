//! The call that tests a cache's failover. It takes a permit, and makes its call once.
//!
//! Must not choose a node group by itself.

use aws_sdk_elasticache::Client;
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
    let mutation = permit.redeem();
    let Mutation::TestCacheFailover { cache, node_group } = mutation else {
        return Err(unfit(&mutation, "ElastiCache"));
    };
    let request = client.test_failover().replication_group_id(cache.name).node_group_id(node_group);
    let out = request.send().await.map_err(|e| call.lost(e))?;
    Ok(Receipt { request_id: out.request_id().map(ToOwned::to_owned), ..Receipt::default() })
}
