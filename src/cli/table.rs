//! Aligned columns for people, fitted to the terminal.
//!
//! Must not print, and must not cut anything when the output is not a terminal: a file has room.

use crate::stdx::text::{fit, fit_middle, scrub, width};

/// How a column gives way when the terminal is too narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Give {
    /// Not at all.
    Never,
    /// From the middle: names differ at both ends.
    Middle,
    /// From the end: sentences.
    End,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its title.
    pub title: &'static str,
    /// Whether values are set flush right.
    pub right: bool,
    /// How it gives way.
    pub give: Give,
}

impl Column {
    /// Short values that are never cut.
    #[must_use]
    pub const fn fixed(title: &'static str) -> Self {
        Self { title, right: false, give: Give::Never }
    }

    /// Numbers and ages.
    #[must_use]
    pub const fn number(title: &'static str) -> Self {
        Self { title, right: true, give: Give::Never }
    }

    /// Names.
    #[must_use]
    pub const fn name(title: &'static str) -> Self {
        Self { title, right: false, give: Give::Middle }
    }

    /// Sentences.
    #[must_use]
    pub const fn sentence(title: &'static str) -> Self {
        Self { title, right: false, give: Give::End }
    }
}

/// What a cell's colour means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// Well.
    Good,
    /// Under way, or worth a look.
    Notice,
    /// Wrong.
    Bad,
    /// Less important.
    Quiet,
    /// A title.
    Title,
}

impl Tone {
    /// The terminal's own palette: it fits light and dark backgrounds alike.
    fn sgr(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "\x1b[32m",
            Self::Notice => "\x1b[33m",
            Self::Bad => "\x1b[1;31m",
            Self::Quiet => "\x1b[2m",
            Self::Title => "\x1b[1m",
        }
    }

    /// The text in this tone, when colours are wanted.
    #[must_use]
    pub fn paint(self, text: &str, colour: bool) -> String {
        if colour && self != Self::Plain { format!("{}{text}\x1b[0m", self.sgr()) } else { text.to_owned() }
    }
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// Text from anywhere; it is scrubbed here.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        Self { text: scrub(text.as_ref()).into_owned(), tone: Tone::Plain }
    }

    /// The same in a tone.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

/// A table under construction.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// Two blanks between columns.
const GAP: usize = 2;
/// No column is cut below this.
const LEAST: usize = 8;

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty, surplus ones are dropped.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().take(self.columns.len()).collect());
    }

    /// The lines, titles first; nothing at all when there are no rows.
    #[must_use]
    pub fn lines(&self, room: Option<usize>, colour: bool) -> Vec<String> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let widths = self.widths(room);
        let titles: Vec<Cell> =
            self.columns.iter().map(|column| Cell::new(column.title).tone(Tone::Title)).collect();
        std::iter::once(&titles).chain(&self.rows).map(|row| self.line(row, &widths, colour)).collect()
    }

    fn widths(&self, room: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let widest =
                    self.rows.iter().filter_map(|row| row.get(at)).map(|cell| width(&cell.text)).max();
                widest.unwrap_or(0).max(width(column.title))
            })
            .collect();
        let Some(room) = room else { return widths };
        let gaps = GAP * widths.len().saturating_sub(1);
        // Sentences give way first, then names; the widest one loses a column at a time.
        for give in [Give::End, Give::Middle] {
            while widths.iter().sum::<usize>() + gaps > room {
                let widest = self
                    .columns
                    .iter()
                    .zip(&mut widths)
                    .filter(|(column, width)| column.give == give && **width > LEAST)
                    .max_by_key(|(_, width)| **width);
                let Some((_, width)) = widest else { break };
                *width -= 1;
            }
        }
        widths
    }

    fn line(&self, row: &[Cell], widths: &[usize], colour: bool) -> String {
        let mut line = String::new();
        let last = row.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |at| at + 1);
        for (at, ((cell, column), wide)) in row.iter().zip(&self.columns).zip(widths).take(last).enumerate() {
            let text = match column.give {
                Give::Middle => fit_middle(&cell.text, *wide),
                _ => fit(&cell.text, *wide),
            };
            let blanks = " ".repeat(wide.saturating_sub(width(&text)));
            let painted = cell.tone.paint(&text, colour);
            if at > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            match (column.right, at + 1 == last) {
                (true, _) => line.extend([blanks.as_str(), &painted]),
                (false, true) => line.push_str(&painted),
                (false, false) => line.extend([painted.as_str(), &blanks]),
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table() -> Table {
        let mut table =
            Table::new(&[Column::name("SERVICE"), Column::number("TASKS"), Column::sentence("WHY")]);
        table.row(["cma-frontend-production".into(), "2/2".into(), Cell::default()]);
        table.row([
            "web".into(),
            Cell::new("0/12").tone(Tone::Bad),
            "tasks stop: exit code 137\u{202e}".into(),
        ]);
        table
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        assert_eq!(
            table().lines(None, false),
            [
                "SERVICE                  TASKS  WHY",
                "cma-frontend-production    2/2",
                "web                       0/12  tasks stop: exit code 137·",
            ]
        );
    }

    #[test]
    fn a_narrow_terminal_cuts_sentences_then_names() {
        assert_eq!(
            table().lines(Some(32), false),
            ["SERVICE          TASKS  WHY", "cma-fro…duction    2/2", "web               0/12  tasks s…"]
        );
    }

    #[test]
    fn colour_does_not_move_columns() {
        let lines = table().lines(None, true);
        assert_eq!(lines[2], "web                       \x1b[1;31m0/12\x1b[0m  tasks stop: exit code 137·");
    }

    #[test]
    fn an_empty_table_has_no_titles() {
        assert!(Table::new(&[Column::fixed("A")]).lines(None, false).is_empty());
    }

    proptest! {
        #[test]
        fn what_fits_at_all_fits(name in ".{0,60}", why in ".{0,200}", room in 40usize..120) {
            let mut table = Table::new(&[Column::name("NAME"), Column::number("N"), Column::sentence("WHY")]);
            table.row([Cell::new(name), "12345".into(), Cell::new(why)]);
            for line in table.lines(Some(room), false) {
                prop_assert!(width(&line) <= room, "{line:?}");
            }
        }
    }
}
