//! What an operator can ask for, as data: one value becomes a plan, and the plan one or more mutating calls.
//!
//! Must not say how it is done; `guard` plans.

use std::fmt;

use crate::domain::alarm::AlarmId;
use crate::domain::cache::CacheId;
use crate::domain::database::DatabaseId;
use crate::domain::ecs::ServiceId;
use crate::domain::mutation::ScalingChange;
use crate::domain::scope::Scope;
use crate::domain::secret::SecretId;
use crate::domain::task::TaskId;
use crate::stdx::clock::Wall;

/// What to deploy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deploy {
    /// The same revision again.
    Force,
    /// A revision: its number, `family:number` or ARN.
    Revision(String),
    /// A new revision from the running one.
    Edit {
        /// A tag, or `sha256:…`.
        image: Option<String>,
        /// The container whose image changes; all that share the essential container's repository without it.
        container: Option<String>,
        /// The task's CPU units.
        cpu: Option<String>,
        /// The task's memory in MiB.
        memory: Option<String>,
    },
    /// The revision that a pinned one stands for.
    Unpin,
}

/// What to go back to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Back {
    /// A deployment that is under way is undone by ECS; otherwise the newest successful one that differs.
    #[default]
    Usual,
    /// What this service deployment deployed: its id or ARN.
    Deployment(String),
    /// The image of this digest.
    Digest(String),
    /// This revision: number, `family:number` or ARN.
    Revision(String),
}

/// What to do with a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseWork {
    /// Reboot it.
    Reboot {
        /// Over to the secondary zone.
        failover: bool,
    },
    /// Make another member of the cluster the writer.
    Failover {
        /// Which; RDS chooses without.
        to: Option<String>,
    },
    /// Take a snapshot now.
    Snapshot {
        /// Its identifier.
        name: String,
    },
    /// Give it more storage.
    Grow {
        /// GiB.
        to: u32,
    },
}

/// A snapshot's name when nobody gives one: RDS takes letters, digits and hyphens.
#[must_use]
pub fn snapshot_name(database: &DatabaseId, now: Wall) -> String {
    let digits: String = now.rfc3339().chars().take(19).filter(char::is_ascii_digit).collect();
    let (day, time) = digits.split_at(digits.len().min(8));
    format!("opsdeck-{}-{day}-{time}", database.name)
}

/// What to do with a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretWork {
    /// Rotate it now.
    Rotate,
    /// Store a new value; the keys of its JSON object, when it is one.
    Put {
        /// The keys.
        keys: Option<Vec<String>>,
    },
    /// The value before is the current one again.
    Restore,
    /// Takes AWSPENDING away from a version at which a rotation is stuck.
    Unstick,
}

/// What to do with an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmWork {
    /// Its actions rest for so many minutes.
    Mute {
        /// Minutes.
        minutes: u32,
    },
    /// Its actions run.
    Enable,
    /// Its actions rest until somebody enables them.
    Disable,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Deploy.
    Deploy {
        /// The services of one release.
        services: Vec<ServiceId>,
        /// What.
        what: Deploy,
    },
    /// Roll back.
    RollBack {
        /// The services of one release.
        services: Vec<ServiceId>,
        /// To what.
        to: Back,
    },
    /// Change the desired count.
    Scale {
        /// The service.
        service: ServiceId,
        /// Tasks.
        desired: u32,
        /// Databases that each task opens connections to, with how many at most.
        pools: Vec<(String, u32)>,
    },
    /// Change autoscaling's bounds, suspend or resume it.
    Bounds {
        /// The service.
        service: ServiceId,
        /// What.
        change: ScalingChange,
    },
    /// Run on demand what runs on Spot.
    OnDemand {
        /// The service.
        service: ServiceId,
    },
    /// Stop one task.
    StopTask {
        /// The task.
        task: TaskId,
        /// Its service, when it is known: rules about a service hold for its tasks.
        service: Option<String>,
        /// Why, for ECS.
        reason: String,
    },
    /// Stop a service's tasks one by one, each when the one before is replaced.
    Restart {
        /// The service.
        service: ServiceId,
        /// Why, for ECS.
        reason: String,
    },
    /// Let a deployment go on that waits at a pause hook.
    Continue {
        /// The service.
        service: ServiceId,
    },
    /// Run a task once.
    RunTask {
        /// The service whose definition, network and roles it takes.
        service: ServiceId,
        /// The container whose command is overridden.
        container: Option<String>,
        /// The command; the container's own when empty.
        command: Vec<String>,
    },
    /// Watch the deployments under way; nothing is called.
    Watch {
        /// The services.
        services: Vec<ServiceId>,
    },
    /// Something with a secret.
    Secret {
        /// The secret.
        secret: SecretId,
        /// What.
        work: SecretWork,
    },
    /// Something with a database.
    Database {
        /// The instance or cluster.
        database: DatabaseId,
        /// What.
        work: DatabaseWork,
    },
    /// Test a cache's failover.
    CacheFailover {
        /// The replication group.
        cache: CacheId,
        /// The node group; the only one without.
        node_group: Option<String>,
    },
    /// Something with an alarm.
    Alarm {
        /// The alarm.
        alarm: AlarmId,
        /// What.
        work: AlarmWork,
    },
}

impl Action {
    /// The verb as a policy forbids it and the command line names it.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Deploy { .. } => "deploy",
            Self::RollBack { .. } => "rollback",
            Self::Scale { .. } => "scale",
            Self::Bounds { .. } => "autoscaling",
            Self::OnDemand { .. } => "capacity",
            Self::StopTask { .. } => "stop-task",
            Self::Restart { .. } => "restart",
            Self::Continue { .. } => "continue",
            Self::RunTask { .. } => "run-task",
            Self::Watch { .. } => "watch",
            Self::Secret { work: SecretWork::Rotate, .. } => "rotate",
            Self::Secret { work: SecretWork::Put { .. }, .. } => "secret-put",
            Self::Secret { work: SecretWork::Restore, .. } => "secret-restore",
            Self::Secret { work: SecretWork::Unstick, .. } => "secret-unstick",
            Self::Database { work: DatabaseWork::Reboot { .. }, .. } => "rds-reboot",
            Self::Database { work: DatabaseWork::Failover { .. }, .. } => "rds-failover",
            Self::Database { work: DatabaseWork::Snapshot { .. }, .. } => "rds-snapshot",
            Self::Database { work: DatabaseWork::Grow { .. }, .. } => "rds-grow",
            Self::CacheFailover { .. } => "cache-failover",
            Self::Alarm { work: AlarmWork::Mute { .. }, .. } => "alarm-mute",
            Self::Alarm { work: AlarmWork::Enable, .. } => "alarm-enable",
            Self::Alarm { work: AlarmWork::Disable, .. } => "alarm-disable",
        }
    }

    /// Every verb that a policy can forbid.
    pub const VERBS: &'static [&'static str] = &[
        "deploy",
        "rollback",
        "scale",
        "autoscaling",
        "capacity",
        "stop-task",
        "restart",
        "continue",
        "run-task",
        "rotate",
        "secret-put",
        "secret-restore",
        "secret-unstick",
        "rds-reboot",
        "rds-failover",
        "rds-snapshot",
        "rds-grow",
        "cache-failover",
        "alarm-mute",
        "alarm-enable",
        "alarm-disable",
    ];

    /// What it does, as a button says it.
    #[must_use]
    pub fn phrase(&self) -> String {
        match self {
            Self::Deploy { what: Deploy::Force, .. } => "Force a new deployment of".to_owned(),
            Self::Deploy { what: Deploy::Revision(revision), .. } => format!("Deploy revision {revision} to"),
            Self::Deploy { what: Deploy::Edit { image: Some(image), .. }, .. } => {
                format!("Deploy {image} to")
            }
            Self::Deploy { what: Deploy::Edit { .. }, .. } => "Deploy a changed revision to".to_owned(),
            Self::Deploy { what: Deploy::Unpin, .. } => "Unpin".to_owned(),
            Self::RollBack { .. } => "Roll back".to_owned(),
            Self::Scale { desired, .. } => format!("Scale to {desired}:"),
            Self::Bounds { .. } => "Change autoscaling of".to_owned(),
            Self::OnDemand { .. } => "Run on demand:".to_owned(),
            Self::StopTask { .. } => "Stop task".to_owned(),
            Self::Restart { .. } => "Restart one by one:".to_owned(),
            Self::Continue { .. } => "Continue the deployment of".to_owned(),
            Self::RunTask { .. } => "Run a task of".to_owned(),
            Self::Watch { .. } => "Watch".to_owned(),
            Self::Secret { work: SecretWork::Rotate, .. } => "Rotate".to_owned(),
            Self::Secret { work: SecretWork::Put { .. }, .. } => "Store a new value in".to_owned(),
            Self::Secret { work: SecretWork::Restore, .. } => "Restore the value before in".to_owned(),
            Self::Secret { work: SecretWork::Unstick, .. } => "Unstick the rotation of".to_owned(),
            Self::Database { work: DatabaseWork::Reboot { failover: false }, .. } => "Reboot".to_owned(),
            Self::Database { work: DatabaseWork::Reboot { failover: true }, .. } => {
                "Reboot with failover:".to_owned()
            }
            Self::Database { work: DatabaseWork::Failover { .. }, .. } => "Fail over".to_owned(),
            Self::Database { work: DatabaseWork::Snapshot { .. }, .. } => "Take a snapshot of".to_owned(),
            Self::Database { work: DatabaseWork::Grow { to }, .. } => format!("Grow to {to} GiB:"),
            Self::CacheFailover { .. } => "Test the failover of".to_owned(),
            Self::Alarm { work: AlarmWork::Mute { minutes }, .. } => format!("Mute for {minutes} min:"),
            Self::Alarm { work: AlarmWork::Enable, .. } => "Enable actions of".to_owned(),
            Self::Alarm { work: AlarmWork::Disable, .. } => "Disable actions of".to_owned(),
        }
    }

    /// Where it acts; a release's services share their scope.
    #[must_use]
    pub fn scope(&self) -> Option<&Scope> {
        match self {
            Self::Deploy { services, .. } | Self::RollBack { services, .. } | Self::Watch { services } => {
                services.first().map(|s| &s.scope)
            }
            Self::Scale { service, .. }
            | Self::Bounds { service, .. }
            | Self::OnDemand { service }
            | Self::Restart { service, .. }
            | Self::Continue { service }
            | Self::RunTask { service, .. } => Some(&service.scope),
            Self::StopTask { task, .. } => Some(&task.scope),
            Self::Secret { secret, .. } => Some(&secret.scope),
            Self::Database { database, .. } => Some(&database.scope),
            Self::CacheFailover { cache, .. } => Some(&cache.scope),
            Self::Alarm { alarm, .. } => Some(&alarm.scope),
        }
    }

    /// The services that it is about.
    #[must_use]
    pub fn services(&self) -> Vec<&ServiceId> {
        match self {
            Self::Deploy { services, .. } | Self::RollBack { services, .. } | Self::Watch { services } => {
                services.iter().collect()
            }
            Self::Scale { service, .. }
            | Self::Bounds { service, .. }
            | Self::OnDemand { service }
            | Self::Restart { service, .. }
            | Self::Continue { service }
            | Self::RunTask { service, .. } => vec![service],
            _ => Vec::new(),
        }
    }

    /// The services whose tasks it starts, stops or replaces.
    #[must_use]
    pub fn replaces(&self) -> Vec<&ServiceId> {
        match self {
            // A task that runs once belongs to no service, and bounds start nothing by themselves.
            Self::RunTask { .. } | Self::Bounds { .. } => Vec::new(),
            _ => self.services(),
        }
    }

    /// The name that a confirmation types.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::StopTask { task, .. } => task.short().to_owned(),
            Self::Secret { secret, .. } => secret.name.clone(),
            Self::Database { database, .. } => database.name.clone(),
            Self::CacheFailover { cache, .. } => cache.name.clone(),
            Self::Alarm { alarm, .. } => alarm.name.clone(),
            _ => match self.services().as_slice() {
                [one] => one.name.clone(),
                // A release is named by its cluster: nobody types four names at night.
                several => several.first().map(|first| first.cluster.clone()).unwrap_or_default(),
            },
        }
    }

    /// The target in words: `cluster/service`, several joined.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::StopTask { task, .. } => format!("{}/{}", task.cluster, task.id),
            _ => match self.services().as_slice() {
                [] => self.name(),
                services => {
                    let names: Vec<String> =
                        services.iter().map(|s| format!("{}/{}", s.cluster, s.name)).collect();
                    names.join(", ")
                }
            },
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.phrase(), self.target())
    }
}
