//! The rows of the command table.
//!
//! Data only. Rows stand in the order of `Id`; a test says so when one is out of place.

mod change;

use super::Context::{Anywhere, List, Logs, Row, Service, Task, TaskDefinition};
use super::{Arg, Command, Context, Id, Kind, Risk, Surface};

const fn place(name: &'static str, kind: Kind, required: bool, doc: &'static str) -> Arg {
    Arg { name, flag: false, short: None, kind, default: None, required, repeat: false, doc }
}

const fn flag(name: &'static str, kind: Kind, doc: &'static str) -> Arg {
    Arg { name, flag: true, short: None, kind, default: None, required: false, repeat: false, doc }
}

const fn console(id: Id, contexts: &'static [Context], doc: &'static str) -> Command {
    Command { id, doc, surface: Surface::Console, contexts, args: &[], risk: Risk::Read }
}

const fn verb(id: Id, args: &'static [Arg], doc: &'static str) -> Command {
    Command { id, doc, surface: Surface::CommandLine, contexts: &[], args, risk: Risk::Read }
}

const fn both(id: Id, contexts: &'static [Context], args: &'static [Arg], doc: &'static str) -> Command {
    Command { id, doc, surface: Surface::Both, contexts, args, risk: Risk::Read }
}

const SERVICE_NAME: &str = "SERVICE, CLUSTER/SERVICE or a service's ARN";
const CLUSTER: Arg =
    Arg { repeat: true, ..flag("cluster", Kind::Text, "Only this cluster (may be repeated)") };

/// Flags that every verb takes. They stand in the same table so that help, completions and documentation
/// know them.
pub const GLOBAL_FLAGS: &[Arg] = &[
    Arg {
        repeat: true,
        ..flag(
            "region",
            Kind::Text,
            "Regions to watch, separated by commas, or a set's name from the configuration",
        )
    },
    flag("profile", Kind::Text, "Profile of the AWS configuration whose credentials to use"),
    flag("config", Kind::Path, "Configuration file to read instead of ~/.config/opsdeck/config.toml"),
    Arg {
        short: Some('o'),
        default: Some("table"),
        ..flag("output", Kind::Choice(&["table", "json", "ndjson"]), "How to print")
    },
    Arg {
        default: Some("auto"),
        ..flag("color", Kind::Choice(&["auto", "always", "never"]), "Whether to colour what is printed")
    },
    Arg {
        default: Some("on"),
        ..flag("budget", Kind::Choice(&["on", "off"]), "Pace requests; `off` is refused against AWS itself")
    },
    flag("timeout", Kind::Span, "Give up after this time (default 60s; follows end only when told to)"),
    flag(
        "read-only",
        Kind::Switch,
        "Change nothing: no command and no key can unlock it (also OPSDECK_READ_ONLY)",
    ),
    flag("trace", Kind::Path, "Write a diagnostic trace to this file (no bodies, no key material)"),
];

/// The flag of verbs that buy numbers.
const NO_METRICS: Arg =
    flag("no-metrics", Kind::Switch, "Ask CloudWatch for no numbers: it charges for each metric");

/// Every command, in the order of `Id`.
pub const TABLE: &[Command] = &[
    both(Id::Whoami, &[Anywhere], &[], "Show whose credentials are used, per account and region"),
    both(Id::Clusters, &[Anywhere], &[], "List clusters with their counts"),
    both(
        Id::Services,
        &[Anywhere],
        &[
            place(
                "NAME",
                Kind::ServiceName,
                false,
                "Only services of this name: SERVICE, CLUSTER/SERVICE or an ARN",
            ),
            CLUSTER,
        ],
        "List services, sick ones first",
    ),
    both(
        Id::Service,
        &[Anywhere, Service],
        &[place("NAME", Kind::ServiceName, true, SERVICE_NAME), CLUSTER],
        "Show one service: deployments, events, configuration",
    ),
    both(
        Id::Tasks,
        &[Anywhere, Service],
        &[
            place("NAME", Kind::ServiceName, false, SERVICE_NAME),
            CLUSTER,
            Arg {
                default: Some("all"),
                ..flag("state", Kind::Choice(&["all", "running", "stopped"]), "Which tasks")
            },
        ],
        "List tasks, stopped ones with the reason",
    ),
    both(
        Id::Events,
        &[Anywhere, Service],
        &[
            place("NAME", Kind::ServiceName, false, SERVICE_NAME),
            CLUSTER,
            flag("since", Kind::Span, "Only events younger than this"),
        ],
        "List service events, newest first",
    ),
    both(
        Id::Logs,
        &[Service, Task],
        &[
            place("NAME", Kind::ServiceName, true, SERVICE_NAME),
            CLUSTER,
            Arg {
                short: Some('f'),
                ..flag("follow", Kind::Switch, "Go on printing as lines arrive; new tasks join")
            },
            Arg { default: Some("10m"), ..flag("since", Kind::Span, "Begin this long ago") },
            flag("filter", Kind::Text, "Only lines that contain this text, or match it when written /regex/"),
            flag(
                "level",
                Kind::Choice(&["debug", "info", "warn", "error"]),
                "Only lines of this level or worse",
            ),
            flag("container", Kind::Text, "Only this container"),
            flag("task", Kind::Text, "Only this task (id or its beginning)"),
            flag("tail", Kind::Number, "Only the last lines, this many"),
            flag("raw", Kind::Switch, "Print messages as they are, control characters included"),
        ],
        "Show the merged logs of a service's tasks and containers",
    ),
    both(
        Id::TaskDefinition,
        &[Service, Task],
        &[
            place(
                "NAME",
                Kind::ServiceName,
                true,
                "SERVICE, CLUSTER/SERVICE, a service's ARN, or FAMILY:REVISION",
            ),
            CLUSTER,
            flag("reveal", Kind::Switch, "Show the values of environment variables"),
        ],
        "Show a task definition: containers, limits, health checks, secrets by reference",
    ),
    both(
        Id::Deployments,
        &[Service],
        &[place("NAME", Kind::ServiceName, true, SERVICE_NAME), CLUSTER],
        "List a service's deployments of the last 90 days",
    ),
    console(Id::Api, &[Anywhere], "Show accounts, regions, endpoints, request budget and the last faults"),
    both(
        Id::Fleet,
        &[Anywhere],
        &[
            flag("exit-code", Kind::Switch, "End in 20 when something is critical, for scripts and monitors"),
            NO_METRICS,
        ],
        "Show every problem of every account and region, the worst first",
    ),
    both(
        Id::Alarms,
        &[Anywhere],
        &[
            place("NAME", Kind::Text, false, "Only the alarm of this name or ARN"),
            Arg {
                default: Some("all"),
                ..flag(
                    "state",
                    Kind::Choice(&["all", "alarm", "ok", "insufficient-data"]),
                    "Only alarms in this state",
                )
            },
        ],
        "List alarms, firing ones first, with what they watch",
    ),
    both(
        Id::Metrics,
        &[Service],
        &[
            place(
                "NAME",
                Kind::ServiceName,
                false,
                "Only this one: SERVICE, CLUSTER/SERVICE, with --of a database's, cache's or group's name (its members' numbers), or an ARN",
            ),
            CLUSTER,
            Arg {
                default: Some("service"),
                ..flag("of", Kind::Choice(&["service", "database", "cache"]), "Of what")
            },
            Arg { default: Some("3h"), ..flag("since", Kind::Span, "Begin this long ago") },
        ],
        "Show numbers over time of services, databases or caches; CloudWatch charges for each metric",
    ),
    both(
        Id::Rds,
        &[Anywhere],
        &[place("NAME", Kind::Text, false, "Only the database of this identifier or ARN"), NO_METRICS],
        "List databases, sick ones first, replicas under their source",
    ),
    both(
        Id::Cache,
        &[Anywhere],
        &[place("NAME", Kind::Text, false, "Only the cache of this id or ARN"), NO_METRICS],
        "List caches with their nodes, sick ones first",
    ),
    both(
        Id::Secrets,
        &[Anywhere],
        &[
            place("NAME", Kind::Text, false, "Only the secret or parameter of this name or ARN"),
            flag("prefix", Kind::Text, "Only names that begin so, such as gateway/production/"),
            Arg {
                default: Some("all"),
                ..flag(
                    "kind",
                    Kind::Choice(&["all", "secret", "parameter"]),
                    "Secrets, parameters of SSM, or both",
                )
            },
            flag("consumers", Kind::Switch, "Tell who reads them; one request for each service"),
        ],
        "List secrets and parameters with their rotation, never values",
    ),
    both(
        Id::Changes,
        &[Anywhere],
        &[
            Arg {
                default: Some("1h"),
                ..flag(
                    "since",
                    Kind::Span,
                    "Only changes younger than this; what AWS does not keep so long is said",
                )
            },
            Arg {
                repeat: true,
                ..flag(
                    "kind",
                    Kind::Choice(&[
                        "deployment",
                        "registration",
                        "scaling",
                        "secret",
                        "database",
                        "cache",
                        "alarm",
                        "other",
                    ]),
                    "Only this kind (may be repeated); `other` are further writes that CloudTrail tells",
                )
            },
            flag("about", Kind::Text, "Only changes of what has this text in its name"),
        ],
        "Show what changed, newest first",
    ),
    both(
        Id::Check,
        &[Service],
        &[place("NAME", Kind::ServiceName, true, SERVICE_NAME), CLUSTER],
        "Check whether the next task of a service would start",
    ),
    change::DEPLOY,
    change::ROLL_BACK,
    change::WATCH,
    change::SCALE,
    change::AUTOSCALING,
    change::CAPACITY,
    change::RESTART,
    change::STOP_TASK,
    change::CONTINUE,
    change::RUN_TASK,
    change::ROTATE,
    change::SECRET_PUT,
    change::SECRET_RESTORE,
    change::SECRET_UNSTICK,
    change::RDS_REBOOT,
    change::RDS_FAILOVER,
    change::RDS_SNAPSHOT,
    change::RDS_GROW,
    change::CACHE_FAILOVER,
    change::ALARM_MUTE,
    change::ALARM_ENABLE,
    change::ALARM_DISABLE,
    Command {
        args: &[place("REASON", Kind::Text, false, "Why; without it, a console that is unlocked is locked")],
        ..console(Id::Unlock, &[Anywhere], "Unlock changes for a time, with a reason, or lock them again")
    },
    console(Id::Operations, &[Anywhere], "Show the changes of this session, the lock and the incident"),
    both(
        Id::Journal,
        &[Anywhere],
        &[
            flag("since", Kind::Span, "Only entries younger than this"),
            flag("incident", Kind::Text, "Only entries of this incident"),
            flag("verify", Kind::Switch, "Check the chain of hashes, and say what that cannot show"),
            flag("export", Kind::Choice(&["markdown"]), "Print a time line for a post-mortem"),
        ],
        "Show what was changed from this machine, by whom, why and how it ended",
    ),
    both(
        Id::IncidentOpen,
        &[Anywhere],
        &[Arg { repeat: true, ..place("TITLE", Kind::Text, true, "What it is about, in words") }],
        "Open an incident: what is changed from now on belongs to it",
    ),
    both(Id::IncidentClose, &[Anywhere], &[], "Close the incident that is open"),
    console(Id::Quit, &[Anywhere], "Leave opsdeck"),
    console(Id::Suspend, &[Anywhere], "Suspend opsdeck; fg brings it back"),
    console(Id::Help, &[Anywhere], "Show the keys that work here"),
    console(Id::Palette, &[Anywhere], "Type a command"),
    console(Id::Back, &[Anywhere], "Go back: close what is open, clear the filter, leave the pane"),
    console(Id::HistoryBack, &[Anywhere], "Return to the view before this one"),
    console(Id::HistoryForward, &[Anywhere], "Go forward again"),
    console(Id::Open, &[Row], "Open the selected row"),
    console(Id::NextPane, &[Anywhere], "Go to the next pane"),
    console(Id::PreviousPane, &[Anywhere], "Go to the previous pane"),
    Command {
        args: &[place("NUMBER", Kind::Number, true, "The pane's number")],
        ..console(Id::Pane, &[Anywhere], "Go to a pane by its number")
    },
    console(Id::Zoom, &[Anywhere], "Give the pane the whole screen, or give it back"),
    console(Id::Up, &[List, Logs], "Move up one row"),
    console(Id::Down, &[List, Logs], "Move down one row"),
    console(Id::PageUp, &[List, Logs], "Move up one page"),
    console(Id::PageDown, &[List, Logs], "Move down one page"),
    console(Id::Top, &[List, Logs], "Go to the first row"),
    console(Id::Bottom, &[List, Logs], "Go to the last row"),
    console(Id::Left, &[List, Logs], "Scroll left"),
    console(Id::Right, &[List, Logs], "Scroll right"),
    Command {
        args: &[place("TEXT", Kind::Text, false, "The filter: words, or /regex/")],
        ..console(Id::Filter, &[List, Logs], "Show only what matches")
    },
    console(Id::ClearFilter, &[List, Logs], "Show everything again"),
    Command {
        args: &[place("COLUMN", Kind::Text, false, "The column; without it, the next one")],
        ..console(Id::Sort, &[List], "Sort by a column")
    },
    console(Id::ReverseSort, &[List], "Turn the sort order round"),
    console(Id::Fold, &[List, Logs], "Fold away what is healthy, stopped or a stack trace, or show it"),
    console(Id::Refresh, &[Anywhere], "Ask AWS again now"),
    console(Id::Copy, &[List, Logs], "Copy the selected row to the terminal's clipboard"),
    console(Id::CopyArn, &[Row], "Copy the selected row's ARN"),
    console(Id::CopyCommand, &[Row], "Copy the command that is advised for the selected row"),
    console(Id::Reveal, &[TaskDefinition], "Show or hide the values of environment variables"),
    console(Id::Links, &[Service], "Show the service's links: dashboard, commit, API documentation"),
    Command {
        args: &[place("NAME", Kind::Text, false, "The theme; without it, the next one")],
        ..console(Id::Theme, &[Anywhere], "Change the theme")
    },
    Command {
        args: &[place("NAME", Kind::Text, false, "The keymap; without it, the next one")],
        ..console(Id::Keymap, &[Anywhere], "Change the keymap")
    },
    console(Id::Follow, &[Logs], "Follow the end of the log, or pause"),
    console(Id::Wrap, &[Logs], "Wrap long lines, or cut them"),
    Command {
        args: &[place(
            "LEVEL",
            Kind::Choice(&["all", "debug", "info", "warn", "error"]),
            false,
            "The least level; without it, the next one",
        )],
        ..console(Id::Level, &[Logs], "Show only lines of a level or worse")
    },
    console(Id::Timestamps, &[Logs], "Change how times are shown: local, UTC, age, none"),
    console(Id::NextMatch, &[Logs], "Go to the next match"),
    console(Id::PreviousMatch, &[Logs], "Go to the match before"),
    console(Id::Older, &[Logs], "Load older lines"),
    console(Id::Watched, &[Row], "Go from an alarm to what it watches, or from there to the alarm"),
    console(Id::Range, &[List], "Change how far charts and changes reach back: 1 h, 3 h, 24 h, 7 d"),
    verb(Id::Console, &[CLUSTER], "Open the console (what opsdeck does without a verb)"),
    verb(
        Id::Demo,
        &[
            place(
                "STACK",
                Kind::Choice(&["all", "gov", "codeguardians", "cma", "saas", "migrate"]),
                false,
                "One system instead of all five",
            ),
            flag("services", Kind::Number, "A fleet of this many services in one cluster instead"),
            flag(
                "incident",
                Kind::Text,
                "What has gone wrong, by name; an unknown name lists them. It takes the place of what the stacks have happen",
            ),
            flag("seed", Kind::Number, "The world's seed"),
            flag("speed", Kind::Number, "How many times as fast as real time the world runs"),
            Arg {
                repeat: true,
                ..flag(
                    "fault",
                    Kind::Fault,
                    "A fault to inject, such as *:latency=300ms (sim --help tells more)",
                )
            },
        ],
        "Open the console on the embedded simulator",
    ),
    verb(
        Id::Sim,
        &[
            place(
                "STACK",
                Kind::Choice(&["all", "gov", "codeguardians", "cma", "saas", "migrate"]),
                false,
                "One system instead of all five",
            ),
            Arg { default: Some("127.0.0.1:4566"), ..flag("listen", Kind::Text, "Address and port") },
            flag("allow-remote", Kind::Switch, "Allow an address that is not loopback"),
            flag("services", Kind::Number, "A fleet of this many services in one cluster instead"),
            flag(
                "incident",
                Kind::Text,
                "What has gone wrong, by name; an unknown name lists them. It takes the place of what the stacks have happen",
            ),
            flag("seed", Kind::Number, "The world's seed"),
            flag("speed", Kind::Number, "How many times as fast as real time the world runs"),
            flag("delay", Kind::Span, "Delay every response by this much"),
            flag("no-throttle", Kind::Switch, "Do not throttle"),
            flag("verify-signatures", Kind::Switch, "Refuse requests whose signature is wrong"),
            Arg {
                repeat: true,
                ..flag(
                    "fault",
                    Kind::Fault,
                    "ACTION:KIND=VALUE[,share=0.5][,after], KIND one of latency, throttle, error, reset, blackhole, truncate, expired, denied",
                )
            },
        ],
        "Serve the simulator alone, for the aws CLI, SDKs and rehearsals",
    ),
    verb(
        Id::Keys,
        &[
            place("KEYMAP", Kind::Text, false, "A keymap's name or file"),
            flag("check", Kind::Switch, "Only check it"),
        ],
        "List a keymap's keys, or check a keymap file",
    ),
    verb(
        Id::Themes,
        &[
            place("THEME", Kind::Text, false, "A theme's name or file"),
            flag("check", Kind::Switch, "Only check it"),
        ],
        "List the themes, show one's colours, or check a theme file",
    ),
    verb(
        Id::Completions,
        &[place("SHELL", Kind::Choice(&["bash", "zsh", "fish", "elvish", "powershell"]), true, "The shell")],
        "Print completions for a shell",
    ),
    verb(
        Id::Docs,
        &[place("PAGE", Kind::Choice(&["cli", "keys", "config", "json", "policy"]), true, "Which page")],
        "Print a page of the reference in Markdown",
    ),
];
