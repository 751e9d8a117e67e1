//! All that can be asked of AWS, as data: one value is one request.
//!
//! Must not decide when to ask or how often: `app` and the headless verbs decide, `cloud` paces.

use crate::domain::alarm::{Alarm, AlarmHistoryItem, AlarmId, AlarmState, MuteRule};
use crate::domain::balancer::{TargetGroup, TargetHealth};
use crate::domain::cache::{CacheCluster, ReplicationGroup};
use crate::domain::change::TrailEvent;
use crate::domain::database::{
    DataEvent, DatabaseId, DbCluster, DbInstance, DbLogFile, DbSnapshot, Maintenance, Parameter,
};
use crate::domain::ecs::{Cluster, Service, ServiceDeployment, ServiceRevision};
use crate::domain::fault::Failure;
use crate::domain::identity::Identity;
use crate::domain::log::{LogEvent, LogGroup, LogStream};
use crate::domain::metric::{MetricQuery, Series};
use crate::domain::registry::{ImageName, RegistryImage};
use crate::domain::role::Role;
use crate::domain::scaling::{ScalableTarget, ScalingActivity};
use crate::domain::scope::Scope;
use crate::domain::secret::{Secret, StoredParameter};
use crate::domain::task::Task;
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::Wall;

/// An opaque position in a paged list, as AWS gave it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageToken(pub String);

/// Whose time a request spends. They have separate shares of the account's quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Somebody waits for it: the focused pane, a headless verb, a guard's re-read.
    Foreground,
    /// Refresh.
    Background,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// `sts:GetCallerIdentity`.
    CallerIdentity { scope: Scope },
    /// `ecs:ListClusters`, 100 a page.
    ListClusters { scope: Scope, page: Option<PageToken> },
    /// `ecs:DescribeClusters`, at most 100 names or ARNs, with settings, statistics, configurations and tags.
    DescribeClusters { scope: Scope, clusters: Vec<String> },
    /// `ecs:ListServices`, 100 a page.
    ListServices { scope: Scope, cluster: String, page: Option<PageToken> },
    /// `ecs:DescribeServices`, at most 10 names or ARNs, with tags.
    DescribeServices { scope: Scope, cluster: String, services: Vec<String> },
    /// `ecs:ListTasks`, 100 a page; `stopped` asks for those whose desired status is STOPPED.
    ListTasks {
        scope: Scope,
        cluster: String,
        service: Option<String>,
        stopped: bool,
        page: Option<PageToken>,
    },
    /// `ecs:DescribeTasks`, at most 100 ids or ARNs, with tags.
    DescribeTasks { scope: Scope, cluster: String, tasks: Vec<String> },
    /// `ecs:DescribeTaskDefinition`, with tags.
    DescribeTaskDefinition { scope: Scope, arn: String },
    /// `ecs:ListTaskDefinitions` of a family, newest first, 100 a page.
    ListTaskDefinitions { scope: Scope, family: String, page: Option<PageToken> },
    /// `ecs:ListServiceDeployments`, newest first, 100 a page.
    ListServiceDeployments { scope: Scope, cluster: String, service: String, page: Option<PageToken> },
    /// `ecs:DescribeServiceDeployments`, at most 20 ARNs.
    DescribeServiceDeployments { scope: Scope, arns: Vec<String> },
    /// `ecs:DescribeServiceRevisions`, at most 20 ARNs.
    DescribeServiceRevisions { scope: Scope, arns: Vec<String> },
    /// `logs:DescribeLogGroups`, 50 a page.
    DescribeLogGroups { scope: Scope, prefix: Option<String>, page: Option<PageToken> },
    /// `logs:DescribeLogStreams` by name, 50 a page.
    DescribeLogStreams { scope: Scope, group: String, prefix: Option<String>, page: Option<PageToken> },
    /// `logs:FilterLogEvents`.
    FilterLogEvents(LogQuery),
    /// `cloudwatch:DescribeAlarms`, all kinds, 100 a page; with a state, only those in it.
    DescribeAlarms { scope: Scope, state: Option<AlarmState>, page: Option<PageToken> },
    /// `cloudwatch:GetAlarmMuteRule` of one that mutes an alarm.
    GetAlarmMuteRule { alarm: AlarmId, rule: String },
    /// `cloudwatch:DescribeAlarmHistory`, all kinds of alarms, newest first, 100 a page.
    DescribeAlarmHistory { scope: Scope, alarm: Option<String>, from: Wall, page: Option<PageToken> },
    /// `cloudwatch:GetMetricData`, at most 500 queries, oldest number first.
    GetMetricData(MetricRequest),
    /// `rds:DescribeDBInstances`, 100 a page.
    DescribeDbInstances { scope: Scope, page: Option<PageToken> },
    /// `rds:DescribeDBClusters`, 100 a page.
    DescribeDbClusters { scope: Scope, page: Option<PageToken> },
    /// `rds:DescribeEvents` of all sources, 100 a page; AWS keeps 14 days.
    DescribeDbEvents { scope: Scope, from: Wall, page: Option<PageToken> },
    /// `rds:DescribePendingMaintenanceActions`, 100 a page.
    DescribePendingMaintenance { scope: Scope, page: Option<PageToken> },
    /// `rds:DescribeDBParameters` of a parameter group, 100 a page.
    DescribeDbParameters { scope: Scope, group: String, page: Option<PageToken> },
    /// `rds:DescribeDBLogFiles` of an instance, 100 a page.
    DescribeDbLogFiles { scope: Scope, instance: String, page: Option<PageToken> },
    /// `rds:DownloadDBLogFilePortion`: so many lines from a marker, or the last ones without.
    DownloadDbLogFile { scope: Scope, instance: String, file: String, marker: Option<PageToken>, lines: u32 },
    /// `rds:DescribeDBSnapshots`, or of a cluster's `rds:DescribeDBClusterSnapshots`: one, by its name.
    DescribeDbSnapshot { database: DatabaseId, name: String },
    /// `elasticache:DescribeReplicationGroups`, 100 a page.
    DescribeReplicationGroups { scope: Scope, page: Option<PageToken> },
    /// `elasticache:DescribeCacheClusters` with their nodes, 100 a page.
    DescribeCacheClusters { scope: Scope, page: Option<PageToken> },
    /// `elasticache:DescribeEvents` of all sources, 100 a page.
    DescribeCacheEvents { scope: Scope, from: Wall, page: Option<PageToken> },
    /// `secretsmanager:ListSecrets`, those planned for deletion included, 100 a page. It may lag five minutes.
    ListSecrets { scope: Scope, page: Option<PageToken> },
    /// `secretsmanager:DescribeSecret` by name or ARN: everything but the value.
    DescribeSecret { scope: Scope, secret: String },
    /// `ssm:DescribeParameters`, 50 a page: everything but the values.
    DescribeParameters { scope: Scope, page: Option<PageToken> },
    /// `cloudtrail:LookupEvents`, newest first, 50 a page: of one event source; with an empty one, of all sources,
    /// but writes alone, which is far less than what pollers read.
    LookupEvents { scope: Scope, source: String, from: Wall, page: Option<PageToken> },
    /// `application-autoscaling:DescribeScalableTargets` of ECS, 50 a page.
    DescribeScalableTargets { scope: Scope, page: Option<PageToken> },
    /// `application-autoscaling:DescribeScalingActivities` of ECS, newest first, 50 a page.
    DescribeScalingActivities { scope: Scope, resource: Option<String>, page: Option<PageToken> },
    /// `ecr:DescribeImages` of a repository, at most 100 names; one that is missing fails the whole call.
    DescribeImages { scope: Scope, registry: Option<String>, repository: String, images: Vec<ImageName> },
    /// `iam:GetRole`, by name.
    GetRole { scope: Scope, role: String },
    /// `elasticloadbalancing:DescribeTargetGroups`, at most 20 ARNs.
    DescribeTargetGroups { scope: Scope, arns: Vec<String> },
    /// `elasticloadbalancing:DescribeTargetHealth` of one target group.
    DescribeTargetHealth { scope: Scope, target_group: String },
}

/// A `cloudwatch:GetMetricData` request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MetricRequest {
    /// Where.
    pub scope: Scope,
    /// At most 500; each costs money.
    pub queries: Vec<MetricQuery>,
    /// First instant wanted; a multiple of the period is answered fastest.
    pub from: Wall,
    /// The end, exclusive.
    pub to: Wall,
    /// Where to go on.
    pub page: Option<PageToken>,
}

/// A `logs:FilterLogEvents` request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogQuery {
    /// Where.
    pub scope: Scope,
    /// The group's name.
    pub group: String,
    /// Which streams.
    pub streams: Streams,
    /// First event time wanted.
    pub from: Option<Wall>,
    /// Last event time wanted (inclusive here, unlike in `GetLogEvents`).
    pub to: Option<Wall>,
    /// A server-side filter pattern.
    pub pattern: Option<String>,
    /// Newest first (`startFromHead=false`); AWS allows it only with `from` after 2024-01-01.
    pub newest_first: bool,
    /// Events a page, at most 10,000.
    pub limit: Option<u32>,
    /// Where to go on. Pages may be empty while there is a next one.
    pub page: Option<PageToken>,
}

/// Which streams of a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Streams {
    /// All.
    All,
    /// Those that begin so.
    Prefix(String),
    /// These, at most 100.
    Named(Vec<String>),
}

impl Query {
    /// The same request for the page that a token names; `None` for a request that has no pages.
    #[must_use]
    pub fn turned_to(&self, token: PageToken) -> Option<Self> {
        let mut turned = self.clone();
        match &mut turned {
            Self::ListClusters { page, .. }
            | Self::ListServices { page, .. }
            | Self::ListTasks { page, .. }
            | Self::ListTaskDefinitions { page, .. }
            | Self::ListServiceDeployments { page, .. }
            | Self::DescribeLogGroups { page, .. }
            | Self::DescribeLogStreams { page, .. }
            | Self::DescribeAlarms { page, .. }
            | Self::DescribeAlarmHistory { page, .. }
            | Self::DescribeDbInstances { page, .. }
            | Self::DescribeDbClusters { page, .. }
            | Self::DescribeDbEvents { page, .. }
            | Self::DescribePendingMaintenance { page, .. }
            | Self::DescribeDbParameters { page, .. }
            | Self::DescribeDbLogFiles { page, .. }
            | Self::DescribeReplicationGroups { page, .. }
            | Self::DescribeCacheClusters { page, .. }
            | Self::DescribeCacheEvents { page, .. }
            | Self::ListSecrets { page, .. }
            | Self::DescribeParameters { page, .. }
            | Self::LookupEvents { page, .. }
            | Self::DescribeScalableTargets { page, .. }
            | Self::DescribeScalingActivities { page, .. } => *page = Some(token),
            Self::FilterLogEvents(query) => query.page = Some(token),
            Self::GetMetricData(request) => request.page = Some(token),
            _ => return None,
        }
        Some(turned)
    }

    /// Where it goes.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        match self {
            Self::DescribeDbSnapshot { database, .. } => &database.scope,
            Self::GetAlarmMuteRule { alarm, .. } => &alarm.scope,
            Self::CallerIdentity { scope }
            | Self::ListClusters { scope, .. }
            | Self::DescribeClusters { scope, .. }
            | Self::ListServices { scope, .. }
            | Self::DescribeServices { scope, .. }
            | Self::ListTasks { scope, .. }
            | Self::DescribeTasks { scope, .. }
            | Self::DescribeTaskDefinition { scope, .. }
            | Self::ListTaskDefinitions { scope, .. }
            | Self::ListServiceDeployments { scope, .. }
            | Self::DescribeServiceDeployments { scope, .. }
            | Self::DescribeServiceRevisions { scope, .. }
            | Self::DescribeLogGroups { scope, .. }
            | Self::DescribeLogStreams { scope, .. }
            | Self::DescribeAlarms { scope, .. }
            | Self::DescribeAlarmHistory { scope, .. }
            | Self::DescribeDbInstances { scope, .. }
            | Self::DescribeDbClusters { scope, .. }
            | Self::DescribeDbEvents { scope, .. }
            | Self::DescribePendingMaintenance { scope, .. }
            | Self::DescribeDbParameters { scope, .. }
            | Self::DescribeDbLogFiles { scope, .. }
            | Self::DownloadDbLogFile { scope, .. }
            | Self::DescribeReplicationGroups { scope, .. }
            | Self::DescribeCacheClusters { scope, .. }
            | Self::DescribeCacheEvents { scope, .. }
            | Self::ListSecrets { scope, .. }
            | Self::DescribeSecret { scope, .. }
            | Self::DescribeParameters { scope, .. }
            | Self::LookupEvents { scope, .. }
            | Self::DescribeScalableTargets { scope, .. }
            | Self::DescribeScalingActivities { scope, .. }
            | Self::DescribeImages { scope, .. }
            | Self::GetRole { scope, .. }
            | Self::DescribeTargetGroups { scope, .. }
            | Self::DescribeTargetHealth { scope, .. } => scope,
            Self::FilterLogEvents(query) => &query.scope,
            Self::GetMetricData(request) => &request.scope,
        }
    }

    /// The IAM action that it needs.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::CallerIdentity { .. } => "sts:GetCallerIdentity",
            Self::ListClusters { .. } => "ecs:ListClusters",
            Self::DescribeClusters { .. } => "ecs:DescribeClusters",
            Self::ListServices { .. } => "ecs:ListServices",
            Self::DescribeServices { .. } => "ecs:DescribeServices",
            Self::ListTasks { .. } => "ecs:ListTasks",
            Self::DescribeTasks { .. } => "ecs:DescribeTasks",
            Self::DescribeTaskDefinition { .. } => "ecs:DescribeTaskDefinition",
            Self::ListTaskDefinitions { .. } => "ecs:ListTaskDefinitions",
            Self::ListServiceDeployments { .. } => "ecs:ListServiceDeployments",
            Self::DescribeServiceDeployments { .. } => "ecs:DescribeServiceDeployments",
            Self::DescribeServiceRevisions { .. } => "ecs:DescribeServiceRevisions",
            Self::DescribeLogGroups { .. } => "logs:DescribeLogGroups",
            Self::DescribeLogStreams { .. } => "logs:DescribeLogStreams",
            Self::FilterLogEvents(_) => "logs:FilterLogEvents",
            Self::DescribeAlarms { .. } => "cloudwatch:DescribeAlarms",
            Self::GetAlarmMuteRule { .. } => "cloudwatch:GetAlarmMuteRule",
            Self::DescribeAlarmHistory { .. } => "cloudwatch:DescribeAlarmHistory",
            Self::GetMetricData(_) => "cloudwatch:GetMetricData",
            Self::DescribeDbInstances { .. } => "rds:DescribeDBInstances",
            Self::DescribeDbClusters { .. } => "rds:DescribeDBClusters",
            Self::DescribeDbEvents { .. } => "rds:DescribeEvents",
            Self::DescribePendingMaintenance { .. } => "rds:DescribePendingMaintenanceActions",
            Self::DescribeDbParameters { .. } => "rds:DescribeDBParameters",
            Self::DescribeDbLogFiles { .. } => "rds:DescribeDBLogFiles",
            Self::DescribeDbSnapshot { database, .. } if database.cluster => "rds:DescribeDBClusterSnapshots",
            Self::DescribeDbSnapshot { .. } => "rds:DescribeDBSnapshots",
            Self::DownloadDbLogFile { .. } => "rds:DownloadDBLogFilePortion",
            Self::DescribeReplicationGroups { .. } => "elasticache:DescribeReplicationGroups",
            Self::DescribeCacheClusters { .. } => "elasticache:DescribeCacheClusters",
            Self::DescribeCacheEvents { .. } => "elasticache:DescribeEvents",
            Self::ListSecrets { .. } => "secretsmanager:ListSecrets",
            Self::DescribeSecret { .. } => "secretsmanager:DescribeSecret",
            Self::DescribeParameters { .. } => "ssm:DescribeParameters",
            Self::LookupEvents { .. } => "cloudtrail:LookupEvents",
            Self::DescribeScalableTargets { .. } => "application-autoscaling:DescribeScalableTargets",
            Self::DescribeScalingActivities { .. } => "application-autoscaling:DescribeScalingActivities",
            Self::DescribeImages { .. } => "ecr:DescribeImages",
            Self::GetRole { .. } => "iam:GetRole",
            Self::DescribeTargetGroups { .. } => "elasticloadbalancing:DescribeTargetGroups",
            Self::DescribeTargetHealth { .. } => "elasticloadbalancing:DescribeTargetHealth",
        }
    }
}

/// What AWS answered to a `Query` of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To `CallerIdentity`.
    Identity(Identity),
    /// To `ListClusters`, `ListServices`, `ListTasks`, `ListTaskDefinitions`: names, ids or ARNs as AWS gave them.
    Names { names: Vec<String>, next: Option<PageToken> },
    /// To `DescribeClusters`.
    Clusters { found: Vec<Cluster>, failures: Vec<Failure> },
    /// To `DescribeServices`.
    Services { found: Vec<Service>, failures: Vec<Failure> },
    /// To `DescribeTasks`.
    Tasks { found: Vec<Task>, failures: Vec<Failure> },
    /// To `DescribeTaskDefinition`.
    TaskDefinition(Box<TaskDefinition>),
    /// To `ListServiceDeployments` (what the list says of each) and `DescribeServiceDeployments` (all).
    Deployments { found: Vec<ServiceDeployment>, failures: Vec<Failure>, next: Option<PageToken> },
    /// To `DescribeServiceRevisions`.
    Revisions { found: Vec<ServiceRevision>, failures: Vec<Failure> },
    /// To `DescribeLogGroups`.
    LogGroups { found: Vec<LogGroup>, next: Option<PageToken> },
    /// To `DescribeLogStreams`.
    LogStreams { found: Vec<LogStream>, next: Option<PageToken> },
    /// To `FilterLogEvents`.
    LogEvents { events: Vec<LogEvent>, next: Option<PageToken> },
    /// To `DescribeAlarms`.
    Alarms { found: Vec<Alarm>, next: Option<PageToken> },
    /// To `GetAlarmMuteRule`.
    MuteRule(MuteRule),
    /// To `DescribeAlarmHistory`.
    AlarmHistory { items: Vec<AlarmHistoryItem>, next: Option<PageToken> },
    /// To `GetMetricData`: a series for each wanted query, in no order, and what CloudWatch said beside them.
    Metrics { series: Vec<Series>, messages: Vec<String>, next: Option<PageToken> },
    /// To `DescribeDbInstances`.
    DbInstances { found: Vec<DbInstance>, next: Option<PageToken> },
    /// To `DescribeDbClusters`.
    DbClusters { found: Vec<DbCluster>, next: Option<PageToken> },
    /// To `DescribeDbEvents` and `DescribeCacheEvents`.
    DataEvents { found: Vec<DataEvent>, next: Option<PageToken> },
    /// To `DescribePendingMaintenance`.
    Maintenance { found: Vec<Maintenance>, next: Option<PageToken> },
    /// To `DescribeDbParameters`.
    DbParameters { found: Vec<Parameter>, next: Option<PageToken> },
    /// To `DescribeDbLogFiles`.
    DbLogFiles { found: Vec<DbLogFile>, next: Option<PageToken> },
    /// To `DownloadDbLogFile`: the text, where it goes on, and whether there is more now.
    DbLogPortion { text: String, marker: Option<PageToken>, more: bool },
    /// To `DescribeDbSnapshot`.
    DbSnapshots { found: Vec<DbSnapshot> },
    /// To `DescribeReplicationGroups`.
    ReplicationGroups { found: Vec<ReplicationGroup>, next: Option<PageToken> },
    /// To `DescribeCacheClusters`.
    CacheClusters { found: Vec<CacheCluster>, next: Option<PageToken> },
    /// To `ListSecrets` and `DescribeSecret`.
    Secrets { found: Vec<Secret>, next: Option<PageToken> },
    /// To `DescribeParameters`.
    Parameters { found: Vec<StoredParameter>, next: Option<PageToken> },
    /// To `LookupEvents`.
    TrailEvents { found: Vec<TrailEvent>, next: Option<PageToken> },
    /// To `DescribeScalableTargets`.
    ScalableTargets { found: Vec<ScalableTarget>, next: Option<PageToken> },
    /// To `DescribeScalingActivities`.
    ScalingActivities { found: Vec<ScalingActivity>, next: Option<PageToken> },
    /// To `DescribeImages`.
    Images { found: Vec<RegistryImage> },
    /// To `GetRole`.
    Role(Box<Role>),
    /// To `DescribeTargetGroups`.
    TargetGroups { found: Vec<TargetGroup> },
    /// To `DescribeTargetHealth`.
    TargetHealth { found: Vec<TargetHealth> },
}

impl Answer {
    /// What the items of a list that needs no describing are known by, in its order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        fn of<T>(found: &[T], key: impl Fn(&T) -> &str) -> Vec<String> {
            found.iter().map(|item| key(item).to_owned()).collect()
        }
        match self {
            Self::Alarms { found, .. } => of(found, |alarm| &alarm.id.name),
            Self::AlarmHistory { items, .. } => of(items, |item| &item.alarm),
            Self::DbInstances { found, .. } => of(found, |instance| &instance.id.name),
            Self::DbClusters { found, .. } => of(found, |cluster| &cluster.id.name),
            Self::DataEvents { found, .. } => of(found, |event| &event.source),
            Self::Maintenance { found, .. } => of(found, |action| &action.resource),
            Self::DbParameters { found, .. } => of(found, |parameter| &parameter.name),
            Self::DbLogFiles { found, .. } => of(found, |file| &file.name),
            Self::ReplicationGroups { found, .. } => of(found, |group| &group.id.name),
            Self::CacheClusters { found, .. } => of(found, |cluster| &cluster.id.name),
            Self::Secrets { found, .. } => of(found, |secret| &secret.id.name),
            Self::Parameters { found, .. } => of(found, |parameter| &parameter.name),
            Self::TrailEvents { found, .. } => of(found, |event| &event.id),
            Self::ScalableTargets { found, .. } => of(found, |target| &target.resource),
            Self::ScalingActivities { found, .. } => of(found, |activity| &activity.id),
            Self::Metrics { series, .. } => of(series, |series| &series.id),
            _ => Vec::new(),
        }
    }

    /// Where a paged list goes on.
    #[must_use]
    pub fn next(&self) -> Option<&PageToken> {
        match self {
            Self::Names { next, .. }
            | Self::Deployments { next, .. }
            | Self::LogGroups { next, .. }
            | Self::LogStreams { next, .. }
            | Self::LogEvents { next, .. }
            | Self::Alarms { next, .. }
            | Self::AlarmHistory { next, .. }
            | Self::Metrics { next, .. }
            | Self::DbInstances { next, .. }
            | Self::DbClusters { next, .. }
            | Self::DataEvents { next, .. }
            | Self::Maintenance { next, .. }
            | Self::DbParameters { next, .. }
            | Self::DbLogFiles { next, .. }
            | Self::ReplicationGroups { next, .. }
            | Self::CacheClusters { next, .. }
            | Self::Secrets { next, .. }
            | Self::Parameters { next, .. }
            | Self::TrailEvents { next, .. }
            | Self::ScalableTargets { next, .. }
            | Self::ScalingActivities { next, .. } => next.as_ref(),
            _ => None,
        }
    }
}
