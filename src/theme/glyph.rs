//! The signs that are not letters, chosen in one place: Unicode or ASCII.
//!
//! Must not be the only carrier of a meaning either: whoever draws a severity's sign draws its word where
//! there is room. Every sign takes one column, in both tables, so that layouts do not depend on the choice.

macro_rules! glyphs {
    ($($(#[$doc:meta])* $name:ident: $unicode:literal | $ascii:literal;)+) => {
        /// The table of signs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Glyphs {
            $($(#[$doc])* pub $name: &'static str,)+
            /// The frames of a turning wheel.
            pub spinner: &'static [&'static str],
            /// From empty to full, for small charts.
            pub sparkline: &'static [&'static str],
        }

        impl Glyphs {
            /// For terminals that show Unicode.
            pub const UNICODE: Self = Self {
                $($name: $unicode,)+
                spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
                sparkline: &[" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
            };

            /// For those that do not.
            pub const ASCII: Self = Self {
                $($name: $ascii,)+
                spinner: &["|", "/", "-", "\\"],
                sparkline: &[" ", ".", ":", "-", "=", "+", "*", "%", "#"],
            };

            /// All the signs with their names.
            #[must_use]
            pub fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)+]
            }
        }
    };
}

glyphs! {
    /// Needs a person now.
    critical: "✖" | "X";
    /// Needs a look.
    warning: "▲" | "!";
    /// Under way.
    progress: "◆" | "*";
    /// Not known.
    unknown: "?" | "?";
    /// Healthy.
    ok: "●" | "+";
    /// Nothing is meant to run.
    idle: "○" | "-";
    /// Worth knowing.
    info: "•" | "i";
    /// Old data.
    stale: "◌" | "~";
    /// The selected row.
    cursor: "▌" | ">";
    /// Writes are locked.
    locked: "⊘" | "L";
    /// Writes are unlocked.
    unlocked: "◎" | "U";
    /// Production.
    production: "■" | "#";
    /// Where text was cut.
    ellipsis: "…" | "~";
    /// From one to the other.
    arrow: "→" | ">";
    /// Upwards; sorted ascending.
    up: "↑" | "^";
    /// Downwards; sorted descending.
    down: "↓" | "v";
    /// More to the left.
    left: "‹" | "<";
    /// More to the right.
    right: "›" | ">";
    /// Folded away.
    folded: "▸" | "+";
    /// Unfolded.
    unfolded: "▾" | "-";
    /// Between things in a line.
    separator: "·" | "|";
    /// The next line belongs to the same record.
    wrapped: "↳" | "\\";
    /// The log is followed.
    follow: "▶" | ">";
    /// The log is paused.
    paused: "‖" | "=";
    /// An element of a list.
    bullet: "•" | "*";
    /// A missing value.
    none: "–" | "-";
    /// The filled part of a gauge.
    gauge: "█" | "#";
    /// The empty part of a gauge.
    gauge_track: "░" | ".";
    /// The moving part of a scroll bar.
    scroll_thumb: "┃" | "#";
    /// The track of a scroll bar.
    scroll_track: "│" | "|";
    /// A border's horizontal line.
    horizontal: "─" | "-";
    /// A border's vertical line.
    vertical: "│" | "|";
    /// A border's upper left corner.
    top_left: "╭" | "+";
    /// A border's upper right corner.
    top_right: "╮" | "+";
    /// A border's lower left corner.
    bottom_left: "╰" | "+";
    /// A border's lower right corner.
    bottom_right: "╯" | "+";
    /// A child in a tree.
    branch: "├" | "|";
    /// The last child in a tree.
    last_branch: "└" | "`";
}

impl Glyphs {
    /// The table for the first of `LC_ALL`, `LC_CTYPE` and `LANG` that says anything: Unicode if it names UTF-8.
    #[must_use]
    pub fn detect(lc_all: Option<&str>, lc_ctype: Option<&str>, lang: Option<&str>) -> Self {
        let locale = [lc_all, lc_ctype, lang].into_iter().flatten().find(|value| !value.is_empty());
        let unicode = locale.is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        });
        if unicode { Self::UNICODE } else { Self::ASCII }
    }

    /// The wheel's frame at a count of turns.
    #[must_use]
    pub fn spinner(&self, turn: usize) -> &'static str {
        turn.checked_rem(self.spinner.len()).and_then(|at| self.spinner.get(at)).copied().unwrap_or(" ")
    }

    /// The chart sign for a value between 0 and 1.
    #[must_use]
    pub fn spark(&self, value: f64) -> &'static str {
        let top = self.sparkline.len().saturating_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a float becomes an index by saturation, and the table is tiny"
        )]
        let index = (value.clamp(0.0, 1.0) * top as f64).round() as usize;
        self.sparkline.get(index.min(top)).copied().unwrap_or(" ")
    }
}
