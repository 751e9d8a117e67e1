//! All that can be changed on AWS, as data: one value is one mutating call.
//!
//! Must not be performed without a `guard::Permit`; nothing here can mint one. No value of a secret stands here:
//! mutations are journalled.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::alarm::AlarmId;
use crate::domain::cache::CacheId;
use crate::domain::database::DatabaseId;
use crate::domain::ecs::ServiceId;
use crate::domain::scope::{Arn, Scope};
use crate::domain::secret::SecretId;
use crate::domain::task::TaskId;
use crate::stdx::clock::Wall;

/// The task definition that a service is told to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Definition {
    /// `family:revision`, or its ARN.
    Named(String),
    /// The one that the call before registered; replaced by its ARN before the call.
    Registered,
}

/// What of a service changes. Only what is set is sent: a desired count sent along would undo what autoscaling did
/// meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceChange {
    /// `forceNewDeployment`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// `taskDefinition`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<Definition>,
    /// `desiredCount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired: Option<u32>,
    /// `capacityProviderStrategy`: provider, weight, base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Vec<(String, u32, u32)>>,
}

/// What differs in a task definition that is registered from another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DefinitionEdit {
    /// Containers' new images.
    pub images: BTreeMap<String, String>,
    /// The task's CPU units.
    pub cpu: Option<String>,
    /// The task's memory in MiB.
    pub memory: Option<String>,
    /// `family:revision` that this one stands for, pinned to digests: written into `dockerLabels`.
    pub pinned_from: Option<String>,
    /// Takes away the labels of a pin.
    pub unpinned: bool,
}

/// What of a scalable target changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScalingChange {
    /// The fewest tasks.
    pub min: Option<u32>,
    /// The most tasks.
    pub max: Option<u32>,
    /// Whether autoscaling pauses.
    pub suspended: Option<bool>,
}

/// One mutating call. Each carries the identity of its target, scope included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum Mutation {
    /// `ecs:UpdateService`.
    UpdateService {
        /// The service.
        service: ServiceId,
        /// What changes.
        change: ServiceChange,
    },
    /// `ecs:RegisterTaskDefinition` of the content of another revision.
    RegisterTaskDefinition {
        /// Where.
        scope: Scope,
        /// The ARN of the revision whose content it takes.
        from: String,
        /// What differs.
        edit: DefinitionEdit,
    },
    /// `ecs:StopServiceDeployment` with ROLLBACK.
    StopServiceDeployment {
        /// The service.
        service: ServiceId,
        /// The service deployment's ARN.
        arn: String,
    },
    /// `ecs:ContinueServiceDeployment`: a deployment that waits at a pause hook goes on.
    ContinueServiceDeployment {
        /// The service.
        service: ServiceId,
        /// The service deployment's ARN.
        arn: String,
        /// The hook that waits.
        hook: String,
    },
    /// `ecs:StopTask`.
    StopTask {
        /// The task.
        task: TaskId,
        /// Visible in ECS as `stoppedReason`.
        reason: String,
    },
    /// `ecs:RunTask`: one task with a service's network, roles and capacity.
    RunTask {
        /// The service whose surroundings it takes.
        service: ServiceId,
        /// The task definition.
        definition: String,
        /// The container whose command is overridden.
        container: Option<String>,
        /// The command.
        command: Vec<String>,
        /// Subnets.
        subnets: Vec<String>,
        /// Security groups.
        security_groups: Vec<String>,
        /// Whether it gets a public IP.
        public_ip: Option<bool>,
        /// `FARGATE`, `EC2`, …; none with a capacity-provider strategy.
        launch_type: Option<String>,
        /// Capacity-provider strategy: provider, weight, base.
        capacity: Vec<(String, u32, u32)>,
        /// `clientToken`: the same token never starts a second task.
        token: String,
    },
    /// `application-autoscaling:RegisterScalableTarget` of a target that exists.
    RegisterScalableTarget {
        /// The service.
        service: ServiceId,
        /// What changes.
        change: ScalingChange,
    },
    /// `secretsmanager:RotateSecret`, at once.
    RotateSecret {
        /// The secret.
        secret: SecretId,
        /// `ClientRequestToken`: becomes the new version's id.
        token: String,
    },
    /// `secretsmanager:PutSecretValue`. The value travels beside the mutation, never in it.
    PutSecretValue {
        /// The secret.
        secret: SecretId,
        /// `ClientRequestToken`: becomes the new version's id.
        token: String,
    },
    /// `secretsmanager:UpdateSecretVersionStage`: moves a stage from one version to another.
    MoveSecretStage {
        /// The secret.
        secret: SecretId,
        /// `AWSCURRENT`, `AWSPENDING`.
        stage: String,
        /// The version that has it.
        from: Option<String>,
        /// The version that gets it; none takes the stage away.
        to: Option<String>,
    },
    /// `rds:RebootDBInstance`.
    RebootDatabase {
        /// The instance.
        database: DatabaseId,
        /// `ForceFailover`.
        failover: bool,
    },
    /// `rds:FailoverDBCluster`.
    FailoverCluster {
        /// The cluster.
        database: DatabaseId,
        /// The member that becomes the writer.
        to: Option<String>,
    },
    /// `rds:CreateDBSnapshot` or `rds:CreateDBClusterSnapshot`.
    CreateSnapshot {
        /// The instance or cluster.
        database: DatabaseId,
        /// The snapshot's identifier.
        name: String,
    },
    /// `rds:ModifyDBInstance` of the allocated storage, at once.
    GrowStorage {
        /// The instance.
        database: DatabaseId,
        /// GiB.
        to: u32,
    },
    /// `elasticache:TestFailover` of one node group.
    TestCacheFailover {
        /// The replication group.
        cache: CacheId,
        /// The node group.
        node_group: String,
    },
    /// `cloudwatch:EnableAlarmActions` or `cloudwatch:DisableAlarmActions`.
    SetAlarmActions {
        /// The alarm.
        alarm: AlarmId,
        /// Whether its actions run.
        enabled: bool,
    },
    /// `cloudwatch:PutAlarmMuteRule`: an alarm's actions rest from now on for a time.
    MuteAlarm {
        /// The alarm.
        alarm: AlarmId,
        /// The rule's name.
        rule: String,
        /// From when, in seconds since 1970: a full minute.
        from: i64,
        /// For how many minutes.
        minutes: u32,
    },
}

impl Mutation {
    /// Where it acts.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        match self {
            Self::UpdateService { service, .. }
            | Self::StopServiceDeployment { service, .. }
            | Self::ContinueServiceDeployment { service, .. }
            | Self::RunTask { service, .. }
            | Self::RegisterScalableTarget { service, .. } => &service.scope,
            Self::RegisterTaskDefinition { scope, .. } => scope,
            Self::StopTask { task, .. } => &task.scope,
            Self::RotateSecret { secret, .. }
            | Self::PutSecretValue { secret, .. }
            | Self::MoveSecretStage { secret, .. } => &secret.scope,
            Self::RebootDatabase { database, .. }
            | Self::FailoverCluster { database, .. }
            | Self::CreateSnapshot { database, .. }
            | Self::GrowStorage { database, .. } => &database.scope,
            Self::TestCacheFailover { cache, .. } => &cache.scope,
            Self::SetAlarmActions { alarm, .. } | Self::MuteAlarm { alarm, .. } => &alarm.scope,
        }
    }

    /// The service that it acts on, if it is one.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceId> {
        match self {
            Self::UpdateService { service, .. }
            | Self::StopServiceDeployment { service, .. }
            | Self::ContinueServiceDeployment { service, .. }
            | Self::RunTask { service, .. }
            | Self::RegisterScalableTarget { service, .. } => Some(service),
            _ => None,
        }
    }

    /// The IAM action that it needs.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::UpdateService { .. } => "ecs:UpdateService",
            Self::RegisterTaskDefinition { .. } => "ecs:RegisterTaskDefinition",
            Self::StopServiceDeployment { .. } => "ecs:StopServiceDeployment",
            Self::ContinueServiceDeployment { .. } => "ecs:ContinueServiceDeployment",
            Self::StopTask { .. } => "ecs:StopTask",
            Self::RunTask { .. } => "ecs:RunTask",
            Self::RegisterScalableTarget { .. } => "application-autoscaling:RegisterScalableTarget",
            Self::RotateSecret { .. } => "secretsmanager:RotateSecret",
            Self::PutSecretValue { .. } => "secretsmanager:PutSecretValue",
            Self::MoveSecretStage { .. } => "secretsmanager:UpdateSecretVersionStage",
            Self::RebootDatabase { .. } => "rds:RebootDBInstance",
            Self::FailoverCluster { .. } => "rds:FailoverDBCluster",
            Self::CreateSnapshot { database, .. } if database.cluster => "rds:CreateDBClusterSnapshot",
            Self::CreateSnapshot { .. } => "rds:CreateDBSnapshot",
            Self::GrowStorage { .. } => "rds:ModifyDBInstance",
            Self::TestCacheFailover { .. } => "elasticache:TestFailover",
            Self::SetAlarmActions { enabled: true, .. } => "cloudwatch:EnableAlarmActions",
            Self::SetAlarmActions { .. } => "cloudwatch:DisableAlarmActions",
            Self::MuteAlarm { .. } => "cloudwatch:PutAlarmMuteRule",
        }
    }

    /// The target as people name it: `cluster/service`, `cluster/task`, a database's name.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::UpdateService { service, .. }
            | Self::StopServiceDeployment { service, .. }
            | Self::ContinueServiceDeployment { service, .. }
            | Self::RunTask { service, .. }
            | Self::RegisterScalableTarget { service, .. } => format!("{}/{}", service.cluster, service.name),
            Self::RegisterTaskDefinition { from, .. } => Arn::last(from).to_owned(),
            Self::StopTask { task, .. } => format!("{}/{}", task.cluster, task.id),
            Self::RotateSecret { secret, .. }
            | Self::PutSecretValue { secret, .. }
            | Self::MoveSecretStage { secret, .. } => secret.name.clone(),
            Self::RebootDatabase { database, .. }
            | Self::FailoverCluster { database, .. }
            | Self::CreateSnapshot { database, .. }
            | Self::GrowStorage { database, .. } => database.name.clone(),
            Self::TestCacheFailover { cache, .. } => cache.name.clone(),
            Self::SetAlarmActions { alarm, .. } | Self::MuteAlarm { alarm, .. } => alarm.name.clone(),
        }
    }

    /// Whether it is the call that was confirmed. A mute begins when it is confirmed, not when its plan was made.
    #[must_use]
    pub fn is_as_confirmed(&self, before: &Self) -> bool {
        match (self, before) {
            (
                Self::MuteAlarm { alarm, minutes, .. },
                Self::MuteAlarm { alarm: alarm_before, minutes: minutes_before, .. },
            ) => alarm == alarm_before && minutes == minutes_before,
            _ => self == before,
        }
    }

    /// The same, to be made now: a mute begins at the first minute that is still ahead when AWS reads of it, for a
    /// window that has begun already is over for good.
    #[must_use]
    pub fn made_at(mut self, now: Wall) -> Self {
        if let Self::MuteAlarm { from, .. } = &mut self {
            *from = first_minute(now);
        }
        self
    }

    /// The service whose definition is to be the one that was just registered, told which that is.
    #[must_use]
    pub fn with_registered(mut self, arn: &str) -> Self {
        if let Self::UpdateService { change, .. } = &mut self
            && change.definition == Some(Definition::Registered)
        {
            change.definition = Some(Definition::Named(arn.to_owned()));
        }
        self
    }
}

/// The first full minute that a call made now is sure to be before, in seconds since 1970.
#[must_use]
pub fn first_minute(now: Wall) -> i64 {
    const AHEAD: i64 = 10;
    let soonest = now.0.div_euclid(1000) + AHEAD;
    soonest + (-soonest).rem_euclid(60)
}

/// What AWS said when it accepted a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Receipt {
    /// The request id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The PRIMARY deployment's id of the service in the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// When AWS made it, by AWS's clock. For whoever watches it; nothing that a journal would need.
    #[serde(skip)]
    pub deployed_at: Option<Wall>,
    /// The ARN of the task definition that was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
    /// The id of the task that was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
}
