//! What a piece of the screen means. Themes give styles to roles; drawing names roles and never colours.
//!
//! Must not name a colour.

macro_rules! roles {
    ($($role:ident = $name:literal $(<- $fallback:ident)?: $doc:literal;)+) => {
        /// A meaning that a theme may style. One without a style of its own looks like its fallback.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Role { $(#[doc = $doc] $role,)+ }

        impl Role {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$role,)+];

            /// Its name in theme files.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$role => $name,)+ }
            }

            /// What it looks like when a theme says nothing about it.
            #[must_use]
            pub fn fallback(self) -> Option<Self> {
                match self { $(Self::$role => roles!(@fallback $($fallback)?),)+ }
            }

            /// What it is for.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self { $(Self::$role => $doc,)+ }
            }
        }
    };
    (@fallback) => { None };
    (@fallback $fallback:ident) => { Some(Self::$fallback) };
}

roles! {
    Text = "text": "Ordinary text; its background is the screen's";
    Muted = "muted" <- Text: "Text of second importance";
    Faint = "faint" <- Muted: "What is there but need not be read";
    Strong = "strong" <- Text: "Text that stands out";
    Accent = "accent" <- Strong: "The theme's own colour";
    Title = "title" <- Strong: "A pane's title";
    TitleFocus = "title-focus" <- Accent: "The title of the pane that has the keys";
    Border = "border" <- Faint: "A pane's border";
    BorderFocus = "border-focus" <- Accent: "The border of the pane that has the keys";
    ColumnHeader = "column-header" <- Muted: "The heads of a table's columns";
    Selection = "selection" <- Strong: "The selected row";
    SelectionInactive = "selection-inactive" <- Strong: "The selected row of a pane that does not have the keys";
    Header = "header" <- Text: "The line at the top";
    HeaderLabel = "header-label" <- Muted: "The names of things in the header";
    HeaderProduction = "header-production" <- Critical: "The production mark";
    HeaderLocked = "header-locked" <- Ok: "The mark that writes are locked";
    HeaderUnlocked = "header-unlocked" <- Warn: "The mark that writes are unlocked";
    Tab = "tab" <- Muted: "A tab";
    TabActive = "tab-active" <- Accent: "The tab that is shown";
    Badge = "badge" <- Accent: "A short mark such as an endpoint override";
    Ok = "ok" <- Text: "Healthy";
    Info = "info" <- Text: "Worth knowing";
    Progress = "progress" <- Info: "Under way";
    Warn = "warn" <- Strong: "Needs a look";
    Critical = "critical" <- Warn: "Needs a person now";
    Unknown = "unknown" <- Muted: "Not known";
    Idle = "idle" <- Muted: "Nothing is meant to run";
    Stale = "stale" <- Faint: "The last good data after a failed refresh";
    Notice = "notice" <- Info: "A message to the operator";
    Error = "error" <- Critical: "A failure, told";
    Key = "key" <- Accent: "A key to press";
    Hint = "hint" <- Muted: "What a key does";
    Match = "match" <- Accent: "What a filter or search found";
    MatchCurrent = "match-current" <- Match: "The match where the cursor is";
    Input = "input" <- Text: "What is being typed";
    Prompt = "prompt" <- Accent: "What stands before an input";
    Placeholder = "placeholder" <- Faint: "What an empty input says";
    Overlay = "overlay" <- Text: "Text of a window above the panes; its background is the window's";
    OverlayBorder = "overlay-border" <- BorderFocus: "The border of a window above the panes";
    Scrollbar = "scrollbar" <- Muted: "Where in the whole this page is";
    Link = "link" <- Accent: "An address";
    LogTime = "log-time" <- Muted: "When a log line was written";
    LogStream1 = "log-stream-1" <- Accent: "The first log stream's name";
    LogStream2 = "log-stream-2" <- LogStream1: "The second log stream's name";
    LogStream3 = "log-stream-3" <- LogStream1: "The third log stream's name";
    LogStream4 = "log-stream-4" <- LogStream1: "The fourth log stream's name";
    LogStream5 = "log-stream-5" <- LogStream1: "The fifth log stream's name";
    LogStream6 = "log-stream-6" <- LogStream1: "The sixth log stream's name";
    LogStream7 = "log-stream-7" <- LogStream1: "The seventh log stream's name";
    LogStream8 = "log-stream-8" <- LogStream1: "The eighth log stream's name";
    LogError = "log-error" <- Critical: "A log line of level error or worse";
    LogWarn = "log-warn" <- Warn: "A log line of level warn";
    LogInfo = "log-info" <- Text: "A log line of level info";
    LogDebug = "log-debug" <- Muted: "A log line of level debug";
    LogTrace = "log-trace" <- Faint: "A log line of level trace";
    LogField = "log-field" <- Muted: "A field of a structured log line";
    LogNote = "log-note" <- Notice: "What opsdeck says between log lines: gaps, tasks that joined or ended";
    DiffAdd = "diff-add" <- Ok: "Added";
    DiffRemove = "diff-remove" <- Critical: "Removed";
    Gauge = "gauge" <- Accent: "The filled part of a gauge";
    GaugeHigh = "gauge-high" <- Warn: "The filled part of a gauge near its end";
    GaugeTrack = "gauge-track" <- Faint: "The empty part of a gauge";
    Spinner = "spinner" <- Accent: "Something is being waited for";
    Code = "code" <- Text: "Text to be typed or read by machines";
}

/// As many as there are roles.
pub(super) const COUNT: usize = Role::ALL.len();

impl Role {
    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.name() == name)
    }

    /// The role of a log stream's name; streams beyond the eighth share.
    #[must_use]
    pub fn log_stream(index: usize) -> Self {
        match index % 8 {
            0 => Self::LogStream1,
            1 => Self::LogStream2,
            2 => Self::LogStream3,
            3 => Self::LogStream4,
            4 => Self::LogStream5,
            5 => Self::LogStream6,
            6 => Self::LogStream7,
            _ => Self::LogStream8,
        }
    }
}
