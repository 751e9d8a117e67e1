//! AWS's documented request quotas: which actions share a bucket, its burst and its refill.
//!
//! Must not hold our share of them; `budget` does.

use crate::domain::scope::Scope;

/// A throttle bucket of AWS, per account and region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cloud) struct Quota {
    /// As people read it in the API panel.
    pub name: &'static str,
    /// Requests at once.
    pub burst: f64,
    /// Requests a second after that.
    pub refill: f64,
}

const fn quota(name: &'static str, burst: f64, refill: f64) -> Quota {
    Quota { name, burst, refill }
}

/// Where only a rate is documented: its burst is what it gives in a second.
const fn steady(name: &'static str, per_second: f64) -> Quota {
    quota(name, per_second, per_second)
}

/// The bucket of an IAM action in a region. An action that is not listed gets a small one of its own.
pub(in crate::cloud) fn of(action: &str, region: &str) -> Quota {
    match action {
        "ecs:DescribeClusters" | "ecs:ListClusters" => quota("ECS cluster read", 50.0, 20.0),
        "ecs:DescribeServices" | "ecs:ListServices" => quota("ECS service read", 100.0, 20.0),
        "ecs:DescribeTasks" | "ecs:ListTasks" => quota("ECS task read", 100.0, 20.0),
        "ecs:DescribeTaskDefinition" | "ecs:ListTaskDefinitions" => {
            quota("ECS task definition read", 50.0, 20.0)
        }
        "ecs:DescribeServiceDeployments" | "ecs:ListServiceDeployments" => {
            quota("ECS deployment read", 50.0, 20.0)
        }
        "ecs:DescribeServiceRevisions" => quota("ECS revision read", 50.0, 20.0),
        "ecs:UpdateService" => quota("ECS service modify", 50.0, 5.0),
        "ecs:StopTask" | "ecs:RunTask" | "ecs:ExecuteCommand" => quota("ECS task modify", 100.0, 40.0),
        "logs:FilterLogEvents" => steady("Logs FilterLogEvents", filter_log_events(region)),
        "logs:DescribeLogGroups" => steady("Logs DescribeLogGroups", 10.0),
        "logs:DescribeLogStreams" => steady("Logs DescribeLogStreams", 25.0),
        "sts:GetCallerIdentity" => quota("STS", 100.0, 50.0),
        // CloudWatch service quotas. ECS polls DescribeAlarms within the same nine while it deploys.
        "cloudwatch:DescribeAlarms" => steady("CloudWatch DescribeAlarms", 9.0),
        "cloudwatch:DescribeAlarmHistory" => steady("CloudWatch DescribeAlarmHistory", 20.0),
        // 500 by the service quotas; each metric costs money, so nothing here needs more than a tenth.
        "cloudwatch:GetMetricData" => steady("CloudWatch GetMetricData", 50.0),
        // Secrets Manager quotas: ListSecrets 100, DescribeSecret 40,000 of which 500 are plenty.
        "secretsmanager:ListSecrets" => steady("Secrets ListSecrets", 100.0),
        "secretsmanager:DescribeSecret" => steady("Secrets DescribeSecret", 500.0),
        // CloudTrail quotas: two a second per account and region, never raised.
        "cloudtrail:LookupEvents" => steady("CloudTrail LookupEvents", 2.0),
        // AWS documents no rates for the reads below, only that they are throttled: the figures are low enough
        // that deploy tools which poll the same buckets keep most of them.
        _ if action.starts_with("rds:") => quota("RDS read", 20.0, 10.0),
        _ if action.starts_with("elasticache:") => quota("ElastiCache read", 20.0, 10.0),
        _ if action.starts_with("elasticloadbalancing:") => quota("ELB read", 20.0, 10.0),
        _ if action.starts_with("application-autoscaling:") => quota("Auto Scaling read", 10.0, 5.0),
        _ if action.starts_with("ecr:") => quota("ECR read", 20.0, 10.0),
        _ if action.starts_with("ssm:") => quota("SSM read", 10.0, 5.0),
        _ if action.starts_with("iam:") => quota("IAM read", 10.0, 5.0),
        _ if action.starts_with("logs:") => steady("Logs other", 5.0),
        _ => quota("other", 10.0, 5.0),
    }
}

/// Where AWS counts an action that was asked of a scope: IAM has one bucket for the whole account, so that asking
/// about roles from ten regions is no licence to ask ten times as fast.
pub(in crate::cloud) fn counted(scope: &Scope, action: &str) -> Scope {
    if action.starts_with("iam:") { Scope::new(scope.account.clone(), "global") } else { scope.clone() }
}

/// Requests a second; AWS does not raise it.
fn filter_log_events(region: &str) -> f64 {
    match region {
        "us-east-1" => 25.0,
        "ap-northeast-3" | "ap-southeast-3" | "ca-west-1" | "eu-central-1" | "il-central-1" => 5.0,
        _ => 10.0,
    }
}
