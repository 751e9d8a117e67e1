//! Amazon ECS: requests checked as AWS checks them, answers in AWS's shapes.
//!
//! Must not decide how the world moves; `world` does.

mod cluster;
mod deployment;
pub(in crate::sim) mod input;
pub(in crate::sim) mod json;
mod placement;
mod run;
mod service;
mod task;
mod task_definition;
mod write;

use serde_json::Value;

use crate::sim::reply::ApiError;
use crate::sim::world::World;

/// Carries out an operation. The world has been advanced to the present.
///
/// # Errors
/// What AWS answers to a request that it refuses.
pub fn handle(world: &mut World, region: &str, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "ListClusters" => cluster::list(world, region, input),
        "DescribeClusters" => cluster::describe(world, region, input),
        "ListServices" => service::list(world, region, input),
        "DescribeServices" => service::describe(world, region, input),
        "ListTasks" => task::list(world, region, input),
        "DescribeTasks" => task::describe(world, region, input),
        "ListTaskDefinitions" => task_definition::list(world, region, input),
        "DescribeTaskDefinition" => task_definition::describe(world, region, input),
        "RegisterTaskDefinition" => task_definition::register(world, region, input),
        "DeregisterTaskDefinition" => task_definition::deregister(world, region, input),
        "ListServiceDeployments" => deployment::list(world, region, input),
        "DescribeServiceDeployments" => deployment::describe(world, region, input),
        "DescribeServiceRevisions" => deployment::revisions(world, region, input),
        "StopServiceDeployment" => deployment::stop(world, region, input),
        "UpdateService" => write::update_service(world, region, input),
        "ContinueServiceDeployment" => deployment::proceed(world, region, input),
        "RunTask" => run::run(world, region, input),
        "StopTask" => write::stop_task(world, region, input),
        _ => Err(ApiError::unknown_operation(format!("The simulator does not play ecs:{operation}"))),
    }
}

#[cfg(test)]
mod tests;
