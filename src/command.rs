//! The one table of commands. Palette, help, footer hints, keymap check, the command line and its
//! documentation are derived from it.
//!
//! Floor 2. Must not perform anything: a command is a name with its arguments; `app` and `cli` act on it.

mod table;
pub mod wish;

pub use table::{GLOBAL_FLAGS, TABLE};

/// Declares the ids and their names in one place.
macro_rules! ids {
    ($($id:ident = $name:literal,)+) => {
        /// The identity of a command.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Id { $(#[doc = concat!("`", $name, "`")] $id,)+ }

        impl Id {
            /// All of them, in the table's order.
            pub const ALL: &'static [Self] = &[$(Self::$id,)+];

            /// The name that keymaps, the palette and the command line use.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$id => $name,)+ }
            }
        }
    };
}

ids! {
    // Panes, and verbs of the command line at the same time.
    Whoami = "whoami",
    Clusters = "clusters",
    Services = "services",
    Service = "service",
    Tasks = "tasks",
    Events = "events",
    Logs = "logs",
    TaskDefinition = "task-definition",
    Deployments = "deployments",
    Api = "api",
    Fleet = "fleet",
    Alarms = "alarms",
    Metrics = "metrics",
    Rds = "rds",
    Cache = "cache",
    Secrets = "secrets",
    Changes = "changes",
    Check = "check",
    // Changes: through the guard, from keys, the palette and the command line.
    Deploy = "deploy",
    RollBack = "rollback",
    Watch = "watch",
    Scale = "scale",
    Autoscaling = "autoscaling",
    Capacity = "capacity",
    Restart = "restart",
    StopTask = "stop-task",
    Continue = "continue",
    RunTask = "run-task",
    Rotate = "rotate",
    SecretPut = "secret put",
    SecretRestore = "secret restore",
    SecretUnstick = "secret unstick",
    RdsReboot = "rds reboot",
    RdsFailover = "rds failover",
    RdsSnapshot = "rds snapshot",
    RdsGrow = "rds grow",
    CacheFailover = "cache failover",
    AlarmMute = "alarm mute",
    AlarmEnable = "alarm enable",
    AlarmDisable = "alarm disable",
    Unlock = "unlock",
    Operations = "operations",
    Journal = "journal",
    IncidentOpen = "incident open",
    IncidentClose = "incident close",
    // The console: moving about.
    Quit = "quit",
    Suspend = "suspend",
    Help = "help",
    Palette = "palette",
    Back = "back",
    HistoryBack = "history-back",
    HistoryForward = "history-forward",
    Open = "open",
    NextPane = "next-pane",
    PreviousPane = "previous-pane",
    Pane = "pane",
    Zoom = "zoom",
    Up = "up",
    Down = "down",
    PageUp = "page-up",
    PageDown = "page-down",
    Top = "top",
    Bottom = "bottom",
    Left = "left",
    Right = "right",
    // The console: working on what is shown.
    Filter = "filter",
    ClearFilter = "clear-filter",
    Sort = "sort",
    ReverseSort = "reverse-sort",
    Fold = "fold",
    Refresh = "refresh",
    Copy = "copy",
    CopyArn = "copy-arn",
    CopyCommand = "copy-command",
    Reveal = "reveal",
    Links = "links",
    Theme = "theme",
    Keymap = "keymap",
    // The console: logs.
    Follow = "follow",
    Wrap = "wrap",
    Level = "level",
    Timestamps = "timestamps",
    NextMatch = "next-match",
    PreviousMatch = "previous-match",
    Older = "older",
    // The console: alarms and charts.
    Watched = "watched",
    Range = "range",
    // The command line alone.
    Console = "console",
    Demo = "demo",
    Sim = "sim",
    Keys = "keys",
    Themes = "themes",
    Completions = "completions",
    Docs = "docs",
}

/// Where a command can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Keys and palette.
    Console,
    /// A verb of the command line.
    CommandLine,
    /// Both.
    Both,
}

/// Where in the console a command means something. A binding or a hint is shown only where it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// Everywhere but in a text input.
    Anywhere,
    /// A list with a cursor.
    List,
    /// A row of a list that has details is selected.
    Row,
    /// A service is selected or open.
    Service,
    /// A task is selected or open.
    Task,
    /// A task definition is open.
    TaskDefinition,
    /// The log pane.
    Logs,
}

impl Context {
    /// All of them, the most general first.
    pub const ALL: &'static [Self] =
        &[Self::Anywhere, Self::List, Self::Row, Self::Service, Self::Task, Self::TaskDefinition, Self::Logs];

    /// Its name in keymaps and help.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anywhere => "anywhere",
            Self::List => "list",
            Self::Row => "row",
            Self::Service => "service",
            Self::Task => "task",
            Self::TaskDefinition => "task-definition",
            Self::Logs => "logs",
        }
    }

    /// The context of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|context| context.name() == name)
    }
}

/// What an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SERVICE, CLUSTER/SERVICE or an ARN.
    ServiceName,
    /// Any text.
    Text,
    /// `90s`, `15m`, `1h30m`, `2d`.
    Span,
    /// A whole number.
    Number,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A file.
    Path,
    /// A fault for the simulator: `ACTION:KIND=VALUE[,…]`, in which commas mean something.
    Fault,
    /// Present or absent.
    Switch,
}

/// An argument of a command.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// Its name: the value's name in help, and the long flag when `flag` is set.
    pub name: &'static str,
    /// Whether it is given as `--name`; otherwise by its place.
    pub flag: bool,
    /// A one-letter flag.
    pub short: Option<char>,
    /// What it may be.
    pub kind: Kind,
    /// What stands when it is not given.
    pub default: Option<&'static str>,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it may be given more than once (a flag: also as a comma-separated list).
    pub repeat: bool,
    /// One line of help.
    pub doc: &'static str,
}

/// What a command can do to AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Nothing: it reads, or acts on the screen only.
    Read,
    /// It changes something, through the guard.
    Write,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Identity and name.
    pub id: Id,
    /// One line, an imperative sentence without a full stop.
    pub doc: &'static str,
    /// Where it can be given.
    pub surface: Surface,
    /// Where in the console it means something; empty for the command line's own.
    pub contexts: &'static [Context],
    /// Its arguments.
    pub args: &'static [Arg],
    /// What it can do to AWS.
    pub risk: Risk,
}

/// A command with its arguments, as typed or bound.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Invocation {
    /// The command.
    pub id: Id,
    /// Its arguments as words.
    pub args: Vec<String>,
}

/// Why a typed command was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadInvocation {
    /// Nothing was typed.
    #[error("no command")]
    Empty,
    /// Unknown name, with the nearest known one.
    #[error("there is no command `{name}`{}", suggestion(.nearest.as_deref()))]
    Unknown {
        /// What was typed.
        name: String,
        /// The nearest name.
        nearest: Option<String>,
    },
    /// It exists, but not here.
    #[error("`{name}` works on the command line only: opsdeck {name}")]
    NotInConsole {
        /// The command.
        name: String,
    },
    /// A quote that does not end.
    #[error("`{name}`: a quote is open; words are quoted as in a shell")]
    Quote {
        /// The command.
        name: String,
    },
    /// Too many arguments.
    #[error("`{name}` takes {expected}, not {given}")]
    TooMany {
        /// The command.
        name: String,
        /// How many it takes, in words.
        expected: String,
        /// How many were given.
        given: usize,
    },
    /// A required argument is missing.
    #[error("`{name}` wants {argument}")]
    Missing {
        /// The command.
        name: String,
        /// The missing argument.
        argument: String,
    },
    /// A value that the argument does not take.
    #[error("`{value}` is not a value of {argument} ({expected})")]
    BadValue {
        /// The argument.
        argument: String,
        /// What was given.
        value: String,
        /// What it takes.
        expected: String,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |n| format!("; did you mean `{n}`?"))
}

impl Id {
    /// Its row.
    #[must_use]
    pub fn command(self) -> &'static Command {
        // The test `every_id_has_one_row_in_order` keeps the index true.
        &TABLE[self as usize]
    }

    /// The command of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|id| id.name() == name)
    }
}

impl Command {
    /// Whether it can be given in the console.
    #[must_use]
    pub fn in_console(&self) -> bool {
        self.surface != Surface::CommandLine
    }

    /// Whether it is a verb of the command line.
    #[must_use]
    pub fn on_command_line(&self) -> bool {
        self.surface != Surface::Console
    }
}

impl Invocation {
    /// A command without arguments.
    #[must_use]
    pub fn of(id: Id) -> Self {
        Self { id, args: Vec::new() }
    }

    /// Reads a console command as typed in the palette or written in a keymap: `service gateway-service`.
    /// Arguments are separated by blanks; of flags, only those of changes can be given here, and only words of changes
    /// are quoted as in a shell: a container's command means there what it means in one.
    ///
    /// # Errors
    /// When the name is unknown or not for the console, or the arguments do not fit.
    pub fn parse(text: &str) -> Result<Self, BadInvocation> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let first = words.first().ok_or(BadInvocation::Empty)?;
        // A name of two words goes before the one of its first: `rds reboot` is not `rds`.
        let pair = words.get(1).map(|second| format!("{first} {second}"));
        let found = pair.and_then(|pair| Id::named(&pair)).map(|id| (id, 2));
        let Some((id, taken)) = found.or_else(|| Id::named(first).map(|id| (id, 1))) else {
            return Err(BadInvocation::Unknown {
                name: text.trim().to_owned(),
                nearest: nearest(text.trim()),
            });
        };
        let name = id.name();
        let command = id.command();
        if !command.in_console() {
            return Err(BadInvocation::NotInConsole { name: name.to_owned() });
        }
        let args: Vec<String> = if command.risk == Risk::Write {
            let words =
                shell_words::split(text).map_err(|_| BadInvocation::Quote { name: name.to_owned() })?;
            words.into_iter().skip(taken).collect()
        } else {
            words.into_iter().skip(taken).map(str::to_owned).collect()
        };
        let places: Vec<&Arg> = command.args.iter().filter(|a| !a.flag).collect();
        let placed = placed(command, &args);
        let takes_more = places.last().is_some_and(|a| a.kind == Kind::Text || a.repeat);
        if placed.len() > places.len() && !takes_more {
            return Err(BadInvocation::TooMany {
                name: name.to_owned(),
                expected: crate::stdx::text::count(places.len(), "argument"),
                given: placed.len(),
            });
        }
        for (place, value) in places.iter().zip(placed) {
            check(place, value)?;
        }
        Ok(Self { id, args })
    }

    /// The first argument.
    #[must_use]
    pub fn arg(&self) -> Option<&str> {
        self.args.first().map(String::as_str)
    }
}

impl std::fmt::Display for Invocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id.name())?;
        let quoted = self.id.command().risk == Risk::Write;
        for arg in &self.args {
            f.write_str(" ")?;
            f.write_str(&if quoted { shell_words::quote(arg) } else { arg.into() })?;
        }
        Ok(())
    }
}

/// The words that stand in places: those of a change may have flags among them, with their values.
fn placed<'w>(command: &Command, args: &'w [String]) -> Vec<&'w str> {
    let mut rest = args.iter().map(String::as_str);
    if command.risk != Risk::Write {
        return rest.collect();
    }
    let mut placed = Vec::new();
    while let Some(word) = rest.next() {
        match word.strip_prefix("--") {
            None => placed.push(word),
            Some("") => placed.extend(rest.by_ref()),
            Some(name) => {
                let flag = command.args.iter().find(|arg| arg.flag && arg.name == name);
                if flag.is_some_and(|arg| arg.kind != Kind::Switch) {
                    rest.next();
                }
            }
        }
    }
    placed
}

fn check(arg: &Arg, value: &str) -> Result<(), BadInvocation> {
    let bad = |expected: String| {
        Err(BadInvocation::BadValue { argument: arg.name.to_owned(), value: value.to_owned(), expected })
    };
    match arg.kind {
        Kind::Choice(words) if !words.contains(&value) => bad(words.join(", ")),
        Kind::Number if value.parse::<u64>().is_err() => bad("a whole number".to_owned()),
        Kind::Span if crate::stdx::span::parse(value).is_err() => bad("a span such as 15m".to_owned()),
        _ => Ok(()),
    }
}

/// The console command whose name is nearest to what was typed, if any is near.
fn nearest(typed: &str) -> Option<String> {
    Id::ALL
        .iter()
        .filter(|id| id.command().in_console())
        .map(|id| (strsim::jaro_winkler(typed, id.name()), id.name()))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .filter(|(likeness, _)| *likeness > 0.8)
        .map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_one_row_in_order() {
        assert_eq!(TABLE.len(), Id::ALL.len());
        for (row, id) in TABLE.iter().zip(Id::ALL) {
            assert_eq!(row.id, *id, "the table's rows stand in the order of the ids");
        }
    }

    #[test]
    fn rows_are_well_formed() {
        for row in TABLE {
            let name = row.id.name();
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c == ' '), "{name}");
            assert!(
                !row.doc.ends_with('.') && row.doc.chars().next().is_some_and(char::is_uppercase),
                "{name}"
            );
            assert_eq!(row.in_console(), !row.contexts.is_empty(), "{name}: contexts are for the console");
            let mut shorts: Vec<char> = row.args.iter().chain(GLOBAL_FLAGS).filter_map(|a| a.short).collect();
            shorts.sort_unstable();
            shorts.dedup();
            let all = row.args.iter().chain(GLOBAL_FLAGS).filter(|a| a.short.is_some()).count();
            assert_eq!(shorts.len(), all, "{name}: a one-letter flag stands twice");
            for arg in row.args.iter().chain(GLOBAL_FLAGS) {
                assert!(arg.kind != Kind::Switch || arg.flag, "{name} {}: a switch is a flag", arg.name);
                assert!(!(arg.required && arg.default.is_some()), "{name} {}", arg.name);
                if let (Kind::Choice(words), Some(default)) = (arg.kind, arg.default) {
                    assert!(words.contains(&default), "{name} {}", arg.name);
                }
            }
        }
    }

    #[test]
    fn a_typed_command_is_understood_or_explained() {
        let invocation = Invocation::parse("service gov-cluster/gov-backend").unwrap();
        assert_eq!((invocation.id, invocation.arg()), (Id::Service, Some("gov-cluster/gov-backend")));
        let explained = |text: &str| Invocation::parse(text).unwrap_err().to_string();
        assert_eq!(explained("servces"), "there is no command `servces`; did you mean `services`?");
        assert_eq!(explained("demo"), "`demo` works on the command line only: opsdeck demo");
        assert_eq!(explained("quit now"), "`quit` takes 0 arguments, not 1");
        assert_eq!(explained("pane x"), "`x` is not a value of NUMBER (a whole number)");
        assert_eq!(explained(" "), "no command");
    }

    #[test]
    fn the_words_of_a_change_are_quoted_as_in_a_shell() {
        let text = "run-task shop/web -- sh -c 'echo  \"two  words\"; exit 1'";
        let invocation = Invocation::parse(text).unwrap();
        assert_eq!(invocation.args, ["shop/web", "--", "sh", "-c", "echo  \"two  words\"; exit 1"]);
        assert_eq!(Invocation::parse(&invocation.to_string()), Ok(invocation));
        let open = Invocation::parse("run-task shop/web -- echo 'a").unwrap_err().to_string();
        assert_eq!(open, "`run-task`: a quote is open; words are quoted as in a shell");
        // What only reads takes text as it is typed.
        assert_eq!(Invocation::parse("filter don't").unwrap().args, ["don't"]);
    }
}
