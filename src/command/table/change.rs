//! The rows of commands that change something, with the flags that all of them have.
//!
//! Data only.

use super::{CLUSTER, SERVICE_NAME, both, flag, place};
use crate::command::Context::{Row, Service, Task};
use crate::command::{Arg, Command, Context, Id, Kind, Risk, Surface};

const fn write(id: Id, contexts: &'static [Context], args: &'static [Arg], doc: &'static str) -> Command {
    Command { id, doc, surface: Surface::Both, contexts, args, risk: Risk::Write }
}

const WAIT: Arg = flag(
    "wait",
    Kind::Switch,
    "Watch to the end; the exit code is the verdict's (--timeout: how long, 30m without)",
);
const YES: Arg = flag("yes", Kind::Switch, "The whole confirmation, unless the policy wants more");
const REASON: Arg =
    flag("reason", Kind::Text, "Why; it goes into the journal, and to ECS where ECS takes one");
const CONFIRM: Arg =
    flag("confirm", Kind::Text, "The target once more, where the policy wants it: CLUSTER/SERVICE");
const DRY_RUN: Arg = flag("dry-run", Kind::Switch, "Show the plan and its checks, and change nothing");

/// A change's arguments, with the flags that all changes have.
macro_rules! changing {
    ($($arg:expr),* $(,)?) => { &[$($arg,)* WAIT, YES, REASON, CONFIRM, DRY_RUN] };
}

const ONE_SERVICE: Arg = place("NAME", Kind::ServiceName, true, SERVICE_NAME);
const RELEASE: Arg = Arg {
    repeat: true,
    ..place(
        "NAME",
        Kind::ServiceName,
        true,
        "SERVICE, CLUSTER/SERVICE or an ARN; several of one release go in one plan",
    )
};
const DATABASE: Arg = place("NAME", Kind::Text, true, "The database's identifier or ARN");
const SECRET: Arg = place("NAME", Kind::Text, true, "The secret's name or ARN");
const ALARM: Arg = place("NAME", Kind::Text, true, "The alarm's name or ARN");

pub(super) const DEPLOY: Command = write(
    Id::Deploy,
    &[Service],
    changing![
        RELEASE,
        CLUSTER,
        flag("image", Kind::Text, "Deploy a new revision with this tag or digest (sha256:…)"),
        flag(
            "container",
            Kind::Text,
            "With --image: of this container; needed where containers have several images"
        ),
        flag("revision", Kind::Text, "Deploy this revision: a number, FAMILY:NUMBER or an ARN"),
        flag("cpu", Kind::Number, "Deploy a new revision with so many CPU units"),
        flag("memory", Kind::Number, "Deploy a new revision with so many MiB"),
        flag("unpin", Kind::Switch, "Deploy the revision that a rollback pinned to a digest"),
    ],
    "Force a new deployment, or deploy an image, a revision or another size",
);
pub(super) const ROLL_BACK: Command = write(
    Id::RollBack,
    &[Service],
    changing![
        RELEASE,
        CLUSTER,
        flag("to-deployment", Kind::Text, "Return to what this deployment ran (deployments lists them)"),
        flag("to-digest", Kind::Text, "Return to the image of this digest"),
        flag("to-revision", Kind::Text, "Return to this revision: a number, FAMILY:NUMBER or an ARN"),
    ],
    "Undo a deployment under way, or return to what ran before",
);
pub(super) const WATCH: Command = both(
    Id::Watch,
    &[Service],
    &[RELEASE, CLUSTER],
    "Watch a deployment that is under way to its end, whoever started it",
);
pub(super) const SCALE: Command = write(
    Id::Scale,
    &[Service],
    changing![ONE_SERVICE, place("COUNT", Kind::Number, true, "Tasks wanted"), CLUSTER],
    "Change a service's desired count",
);
pub(super) const AUTOSCALING: Command = write(
    Id::Autoscaling,
    &[Service],
    changing![
        ONE_SERVICE,
        CLUSTER,
        flag("min", Kind::Number, "The fewest tasks"),
        flag("max", Kind::Number, "The most tasks"),
        flag("suspend", Kind::Switch, "Let autoscaling rest"),
        flag("resume", Kind::Switch, "Let autoscaling work again"),
    ],
    "Change a service's autoscaling bounds, suspend or resume it",
);
pub(super) const CAPACITY: Command = write(
    Id::Capacity,
    &[Service],
    changing![ONE_SERVICE, CLUSTER],
    "Run on demand what runs on Spot: a new deployment on FARGATE",
);
pub(super) const RESTART: Command = write(
    Id::Restart,
    &[Service],
    changing![ONE_SERVICE, CLUSTER],
    "Stop a service's tasks one by one, each when the one before is replaced; the image stays",
);
pub(super) const STOP_TASK: Command = write(
    Id::StopTask,
    &[Task],
    changing![place("TASK", Kind::Text, true, "A task's id, its beginning, or its ARN"), CLUSTER],
    "Stop one task; its service replaces it",
);
pub(super) const CONTINUE: Command = write(
    Id::Continue,
    &[Service],
    changing![ONE_SERVICE, CLUSTER],
    "Let a deployment go on that waits at a pause hook",
);
pub(super) const RUN_TASK: Command = write(
    Id::RunTask,
    &[Service],
    changing![
        ONE_SERVICE,
        Arg {
            repeat: true,
            ..place("COMMAND", Kind::Text, false, "The command, after --; without it, the container's own")
        },
        CLUSTER,
        flag("container", Kind::Text, "The container whose command it is"),
    ],
    "Run one task with a service's definition, network and roles, such as a migration",
);
pub(super) const ROTATE: Command = write(Id::Rotate, &[Row], changing![SECRET], "Rotate a secret now");
pub(super) const SECRET_PUT: Command = write(
    Id::SecretPut,
    &[Row],
    changing![SECRET, flag("file", Kind::Path, "Read the value from this file instead of standard input")],
    "Store a new value in a secret, which is read from a file or from standard input",
);
pub(super) const SECRET_RESTORE: Command =
    write(Id::SecretRestore, &[Row], changing![SECRET], "Make the value before a secret's current one again");
pub(super) const SECRET_UNSTICK: Command = write(
    Id::SecretUnstick,
    &[Row],
    changing![SECRET],
    "Take away the unfinished version of a stuck rotation",
);
pub(super) const RDS_REBOOT: Command = write(
    Id::RdsReboot,
    &[Row],
    changing![DATABASE, flag("failover", Kind::Switch, "Over to the standby in the other zone")],
    "Reboot a database instance",
);
pub(super) const RDS_FAILOVER: Command = write(
    Id::RdsFailover,
    &[Row],
    changing![DATABASE, flag("to", Kind::Text, "The replica that becomes the writer")],
    "Fail a database cluster over to a replica",
);
pub(super) const RDS_SNAPSHOT: Command = write(
    Id::RdsSnapshot,
    &[Row],
    changing![DATABASE, flag("name", Kind::Text, "The snapshot's identifier; made of name and time without")],
    "Take a snapshot of a database now",
);
pub(super) const RDS_GROW: Command = write(
    Id::RdsGrow,
    &[Row],
    changing![DATABASE, place("GIB", Kind::Number, true, "The storage wanted, in GiB")],
    "Give a database instance more storage",
);
pub(super) const CACHE_FAILOVER: Command = write(
    Id::CacheFailover,
    &[Row],
    changing![
        place("NAME", Kind::Text, true, "The replication group's id or ARN"),
        flag("node-group", Kind::Text, "The node group, where there are several"),
    ],
    "Test a cache's failover: a replica becomes the primary",
);
pub(super) const ALARM_MUTE: Command = write(
    Id::AlarmMute,
    &[Row],
    changing![ALARM, Arg { default: Some("1h"), ..flag("for", Kind::Span, "How long") }],
    "Let an alarm's actions rest for a time; it goes on evaluating",
);
pub(super) const ALARM_ENABLE: Command =
    write(Id::AlarmEnable, &[Row], changing![ALARM], "Let an alarm's actions run again");
pub(super) const ALARM_DISABLE: Command = write(
    Id::AlarmDisable,
    &[Row],
    changing![ALARM],
    "Let an alarm's actions rest until somebody enables them",
);
