//! The throttle buckets of AWS: one per account, region and group of actions, shared by every client.
//!
//! Must not know who calls: that the console's own polling can starve a deploy system is the point.

use std::collections::HashMap;
use std::time::Duration;

/// One row of AWS's table: which actions drink from the same bucket.
struct Group {
    service: &'static str,
    actions: &'static [&'static str],
    burst: f64,
    refill: f64,
}

const GROUPS: &[Group] = &[
    Group { service: "ecs", actions: &["DescribeClusters", "ListClusters"], burst: 50.0, refill: 20.0 },
    Group { service: "ecs", actions: &["DescribeServices", "ListServices"], burst: 100.0, refill: 20.0 },
    Group {
        service: "ecs",
        actions: &["CreateService", "UpdateService", "DeleteService"],
        burst: 50.0,
        refill: 5.0,
    },
    Group { service: "ecs", actions: &["DescribeTasks", "ListTasks"], burst: 100.0, refill: 20.0 },
    Group {
        service: "ecs",
        actions: &["RunTask", "StartTask", "StopTask", "ExecuteCommand"],
        burst: 100.0,
        refill: 40.0,
    },
    Group {
        service: "ecs",
        actions: &["DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies"],
        burst: 50.0,
        refill: 20.0,
    },
    Group {
        service: "ecs",
        actions: &["RegisterTaskDefinition", "DeregisterTaskDefinition"],
        burst: 20.0,
        refill: 1.0,
    },
    Group {
        service: "ecs",
        actions: &[
            "DescribeServiceDeployments",
            "ListServiceDeployments",
            "StopServiceDeployment",
            "ContinueServiceDeployment",
        ],
        burst: 50.0,
        refill: 20.0,
    },
    Group { service: "ecs", actions: &["DescribeServiceRevisions"], burst: 50.0, refill: 20.0 },
    Group { service: "cloudtrail", actions: &["LookupEvents"], burst: 2.0, refill: 2.0 },
    Group { service: "secretsmanager", actions: &["ListSecrets"], burst: 100.0, refill: 100.0 },
    Group { service: "secretsmanager", actions: &["ListSecretVersionIds"], burst: 50.0, refill: 50.0 },
    Group {
        service: "secretsmanager",
        actions: &["RotateSecret", "CancelRotateSecret"],
        burst: 50.0,
        refill: 50.0,
    },
    Group { service: "secretsmanager", actions: &["UpdateSecretVersionStage"], burst: 50.0, refill: 50.0 },
    Group { service: "logs", actions: &["FilterLogEvents"], burst: 10.0, refill: 10.0 },
    Group { service: "logs", actions: &["GetLogEvents"], burst: 25.0, refill: 25.0 },
    Group { service: "logs", actions: &["DescribeLogGroups"], burst: 10.0, refill: 10.0 },
    Group { service: "logs", actions: &["DescribeLogStreams"], burst: 25.0, refill: 25.0 },
    Group { service: "logs", actions: &["StartLiveTail"], burst: 5.0, refill: 5.0 },
    Group { service: "monitoring", actions: &["DescribeAlarms"], burst: 9.0, refill: 9.0 },
    Group { service: "monitoring", actions: &["DescribeAlarmsForMetric"], burst: 9.0, refill: 9.0 },
    Group { service: "monitoring", actions: &["DescribeAlarmHistory"], burst: 20.0, refill: 20.0 },
    Group {
        service: "monitoring",
        actions: &["SetAlarmState", "EnableAlarmActions", "DisableAlarmActions"],
        burst: 3.0,
        refill: 3.0,
    },
    Group {
        service: "monitoring",
        actions: &["PutAlarmMuteRule", "DeleteAlarmMuteRule"],
        burst: 3.0,
        refill: 3.0,
    },
    Group { service: "monitoring", actions: &["PutMetricAlarm"], burst: 3.0, refill: 3.0 },
    Group { service: "monitoring", actions: &["DeleteAlarms"], burst: 3.0, refill: 3.0 },
    Group { service: "monitoring", actions: &["ListMetrics"], burst: 25.0, refill: 25.0 },
    Group { service: "monitoring", actions: &["GetMetricData"], burst: 500.0, refill: 500.0 },
    Group { service: "monitoring", actions: &["GetMetricStatistics"], burst: 400.0, refill: 400.0 },
    // AWS publishes no figures for the following; these are low enough that a client which asks without a
    // budget of its own meets them.
    Group {
        service: "rds",
        actions: &[
            "DescribeDBInstances",
            "DescribeDBClusters",
            "DescribeEvents",
            "DescribePendingMaintenanceActions",
            "DescribeCertificates",
            "DescribeDBParameters",
            "DescribeDBParameterGroups",
            "DescribeDBSnapshots",
            "DescribeDBClusterSnapshots",
        ],
        burst: 60.0,
        refill: 20.0,
    },
    Group {
        service: "rds",
        actions: &["DescribeDBLogFiles", "DownloadDBLogFilePortion"],
        burst: 20.0,
        refill: 5.0,
    },
    Group {
        service: "rds",
        actions: &[
            "RebootDBInstance",
            "ModifyDBInstance",
            "FailoverDBCluster",
            "CreateDBSnapshot",
            "CreateDBClusterSnapshot",
        ],
        burst: 10.0,
        refill: 2.0,
    },
    Group {
        service: "elasticache",
        actions: &["DescribeReplicationGroups", "DescribeCacheClusters", "DescribeEvents"],
        burst: 60.0,
        refill: 20.0,
    },
    Group { service: "elasticache", actions: &["TestFailover"], burst: 5.0, refill: 1.0 },
    Group {
        service: "elasticloadbalancing",
        actions: &["DescribeLoadBalancers", "DescribeTargetGroups", "DescribeListeners"],
        burst: 40.0,
        refill: 10.0,
    },
    Group { service: "elasticloadbalancing", actions: &["DescribeTargetHealth"], burst: 40.0, refill: 10.0 },
    Group {
        service: "ecr",
        actions: &["DescribeImages", "DescribeRepositories"],
        burst: 100.0,
        refill: 40.0,
    },
    Group {
        service: "application-autoscaling",
        actions: &["DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScalingActivities"],
        burst: 40.0,
        refill: 10.0,
    },
    Group {
        service: "application-autoscaling",
        actions: &["RegisterScalableTarget"],
        burst: 10.0,
        refill: 2.0,
    },
    Group { service: "iam", actions: &["GetRole"], burst: 40.0, refill: 15.0 },
];

/// CloudWatch Logs documents requests per second that differ by region, without a burst of their own.
fn in_region(group: &Group, region: &str) -> (f64, f64) {
    let slow =
        ["ap-northeast-3", "ap-southeast-3", "ca-west-1", "eu-central-1", "il-central-1"].contains(&region);
    let rate = match group.actions {
        ["FilterLogEvents"] if region == "us-east-1" => 25.0,
        ["FilterLogEvents"] if slow => 5.0,
        ["GetLogEvents"] if slow || ["us-west-2", "eu-west-1"].contains(&region) => 10.0,
        _ => return (group.burst, group.refill),
    };
    (rate, rate)
}

/// All buckets of the account.
#[derive(Debug, Default)]
pub struct Buckets {
    levels: HashMap<(String, usize), Level>,
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    at: Duration,
}

impl Buckets {
    /// Takes one token at this instant (of the clock's monotonic part); `false` means throttled. Actions
    /// without a documented bucket are never throttled.
    pub fn take(&mut self, now: Duration, region: &str, service: &str, action: &str) -> bool {
        let found =
            GROUPS.iter().position(|group| group.service == service && group.actions.contains(&action));
        let Some((index, group)) = found.and_then(|index| Some((index, GROUPS.get(index)?))) else {
            return true;
        };
        let (burst, refill) = in_region(group, region);
        let level = self.levels.entry((region.to_owned(), index)).or_insert(Level { tokens: burst, at: now });
        let gained = now.saturating_sub(level.at).as_secs_f64() * refill;
        level.tokens = (level.tokens + gained).min(burst);
        level.at = level.at.max(now);
        if level.tokens < 1.0 {
            return false;
        }
        level.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(buckets: &mut Buckets, now: Duration, action: &str, tries: usize) -> usize {
        (0..tries).filter(|_| buckets.take(now, "us-east-1", "ecs", action)).count()
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_refill() {
        let mut buckets = Buckets::default();
        assert_eq!(allowed(&mut buckets, Duration::ZERO, "ListServices", 150), 100);
        assert_eq!(allowed(&mut buckets, Duration::from_secs(2), "ListServices", 150), 40);
        assert_eq!(allowed(&mut buckets, Duration::from_secs(60), "ListServices", 150), 100);
    }

    #[test]
    fn actions_of_one_group_share_a_bucket_and_others_do_not() {
        let mut buckets = Buckets::default();
        assert_eq!(allowed(&mut buckets, Duration::ZERO, "ListServices", 100), 100);
        assert_eq!(allowed(&mut buckets, Duration::ZERO, "DescribeServices", 1), 0);
        assert_eq!(allowed(&mut buckets, Duration::ZERO, "DescribeTasks", 1), 1);
        assert_eq!(allowed(&mut buckets, Duration::ZERO, "RegisterTaskDefinition", 30), 20);
    }

    #[test]
    fn each_region_has_its_own() {
        let mut buckets = Buckets::default();
        assert_eq!(allowed(&mut buckets, Duration::ZERO, "ListServices", 100), 100);
        assert!(buckets.take(Duration::ZERO, "eu-west-2", "ecs", "ListServices"));
    }
}
