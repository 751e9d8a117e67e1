//! All that can be asked of AWS, as data: one value is one request.
//!
//! Must not decide when to ask or how often: `app` and the headless verbs decide, `cloud` paces.

use crate::domain::ecs::{Cluster, Service, ServiceDeployment, ServiceRevision};
use crate::domain::fault::Failure;
use crate::domain::identity::Identity;
use crate::domain::log::{LogEvent, LogGroup, LogStream};
use crate::domain::scope::Scope;
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
    /// Where it goes.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        match self {
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
            | Self::DescribeLogStreams { scope, .. } => scope,
            Self::FilterLogEvents(query) => &query.scope,
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
}
