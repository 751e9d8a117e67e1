//! Amazon ECS: requests and answers. Conversions are total: whatever AWS leaves out becomes an empty or zero
//! value, whatever it adds to a set of known words is kept as a word.
//!
//! Must not filter, sort or judge what AWS says.

mod cluster;
mod deployment;
mod service;
mod task;
mod task_definition;
pub(super) mod write;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{
    ClusterField, DesiredStatus, Failure as SdkFailure, ServiceField, SortOrder, Tag, TaskDefinitionField,
    TaskField,
};

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::{all, count, stray, token, wall};
use crate::domain::fault::Failure;
use crate::domain::query::{Answer, PageToken, Query};

/// The largest page that ECS's list calls give.
const PAGE: i32 = 100;

/// One request to ECS. The future ends with AWS's answer or with what went wrong; it does not retry.
pub(super) async fn ask(client: &Client, query: &Query, call: &Call<'_>) -> Result<Answer, Lost> {
    match query {
        Query::ListClusters { page, .. } => {
            let request = client.list_clusters().max_results(PAGE).set_next_token(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(names(out.cluster_arns, out.next_token))
        }
        Query::DescribeClusters { scope, clusters } => {
            let request = client
                .describe_clusters()
                .set_clusters(Some(clusters.clone()))
                .include(ClusterField::Settings)
                .include(ClusterField::Statistics)
                .include(ClusterField::Configurations)
                .include(ClusterField::Tags);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.clusters, |c| cluster::from_sdk(scope, c));
            Ok(Answer::Clusters { found, failures: failures(out.failures) })
        }
        Query::ListServices { cluster, page, .. } => {
            let request = client
                .list_services()
                .cluster(cluster)
                .max_results(PAGE)
                .set_next_token(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(names(out.service_arns, out.next_token))
        }
        Query::DescribeServices { scope, cluster, services } => {
            let request = client
                .describe_services()
                .cluster(cluster)
                .set_services(Some(services.clone()))
                .include(ServiceField::Tags);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.services, |s| service::from_sdk(scope, cluster, s));
            Ok(Answer::Services { found, failures: failures(out.failures) })
        }
        Query::ListTasks { cluster, service, stopped, page, .. } => {
            let status = if *stopped { DesiredStatus::Stopped } else { DesiredStatus::Running };
            let request = client
                .list_tasks()
                .cluster(cluster)
                .set_service_name(service.clone())
                .desired_status(status)
                .max_results(PAGE)
                .set_next_token(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(names(out.task_arns, out.next_token))
        }
        Query::DescribeTasks { scope, cluster, tasks } => {
            let request = client
                .describe_tasks()
                .cluster(cluster)
                .set_tasks(Some(tasks.clone()))
                .include(TaskField::Tags);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.tasks, |t| task::from_sdk(scope, cluster, t));
            Ok(Answer::Tasks { found, failures: failures(out.failures) })
        }
        _ => ask_about_deployments(client, query, call).await,
    }
}

/// The other half of ECS: what is deployed and what was.
async fn ask_about_deployments(client: &Client, query: &Query, call: &Call<'_>) -> Result<Answer, Lost> {
    match query {
        Query::DescribeTaskDefinition { arn, .. } => {
            let request =
                client.describe_task_definition().task_definition(arn).include(TaskDefinitionField::Tags);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let definition = out.task_definition.ok_or_else(|| call.hollow("no task definition"))?;
            Ok(Answer::TaskDefinition(Box::new(task_definition::from_sdk(definition, out.tags))))
        }
        Query::ListTaskDefinitions { family, page, .. } => {
            let request = client
                .list_task_definitions()
                .family_prefix(family)
                .sort(SortOrder::Desc)
                .max_results(PAGE)
                .set_next_token(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(names(out.task_definition_arns, out.next_token))
        }
        Query::ListServiceDeployments { cluster, service, page, .. } => {
            let request = client
                .list_service_deployments()
                .cluster(cluster)
                .service(service)
                .max_results(PAGE)
                .set_next_token(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.service_deployments, deployment::from_brief);
            Ok(Answer::Deployments { found, failures: Vec::new(), next: out.next_token.map(PageToken) })
        }
        Query::DescribeServiceDeployments { arns, .. } => {
            let request =
                client.describe_service_deployments().set_service_deployment_arns(Some(arns.clone()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.service_deployments, deployment::from_sdk);
            Ok(Answer::Deployments { found, failures: failures(out.failures), next: None })
        }
        Query::DescribeServiceRevisions { arns, .. } => {
            let request = client.describe_service_revisions().set_service_revision_arns(Some(arns.clone()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.service_revisions, deployment::revision_from_sdk);
            Ok(Answer::Revisions { found, failures: failures(out.failures) })
        }
        other => Err(stray(other, "ECS")),
    }
}

fn names(names: Option<Vec<String>>, next: Option<String>) -> Answer {
    Answer::Names { names: names.unwrap_or_default(), next: next.map(PageToken) }
}

fn failures(failures: Option<Vec<SdkFailure>>) -> Vec<Failure> {
    all(failures, |f| Failure {
        arn: f.arn.unwrap_or_default(),
        reason: f.reason.unwrap_or_default(),
        detail: f.detail,
    })
}

fn tags(tags: Option<Vec<Tag>>) -> Vec<(String, String)> {
    all(tags, |t| (t.key.unwrap_or_default(), t.value.unwrap_or_default()))
}

/// What stands behind the last slash of an ARN that may be missing, or what was asked for.
fn last_or(arn: Option<&str>, asked: &str) -> String {
    let text = arn.filter(|a| !a.is_empty()).unwrap_or(asked);
    crate::domain::scope::Arn::last(text).to_owned()
}
