//! Aligned columns for people, fitted to the terminal.
//!
//! Must not print, and must not cut anything when the output is not a terminal: a file has room.

use crate::stdx::text::{fit, fit_middle, prefix, scrub, width};

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
    /// Whether it is left out of a terminal that is too narrow for whole names: the greatest number first, 0
    /// never.
    pub rank: u8,
}

impl Column {
    /// Short values that are never cut.
    #[must_use]
    pub const fn fixed(title: &'static str) -> Self {
        Self { title, right: false, give: Give::Never, rank: 0 }
    }

    /// Numbers and ages.
    #[must_use]
    pub const fn number(title: &'static str) -> Self {
        Self { title, right: true, give: Give::Never, rank: 0 }
    }

    /// Names.
    #[must_use]
    pub const fn name(title: &'static str) -> Self {
        Self { title, right: false, give: Give::Middle, rank: 0 }
    }

    /// Sentences.
    #[must_use]
    pub const fn sentence(title: &'static str) -> Self {
        Self { title, right: false, give: Give::End, rank: 0 }
    }
}

impl Column {
    /// The same, left out before names are cut; the greatest rank goes first.
    #[must_use]
    pub const fn lesser(self, rank: u8) -> Self {
        Self { rank, ..self }
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
    spills: bool,
}

/// Two blanks between columns.
const GAP: usize = 2;
/// No column is cut below this.
const LEAST: usize = 8;
/// Sentences that got fewer columns than this go below their rows, in tables that are made so.
const SENTENCE: usize = 40;

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new(), spills: false }
    }

    /// The same with its last column, a sentence, below each row when the terminal is too narrow to show it
    /// beside: for tables whose sentences are what they are read for.
    #[must_use]
    pub fn spilling(self) -> Self {
        Self { spills: true, ..self }
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
        let Some(room) = room else { return self.set(&self.widths(None), colour) };
        let mut table = self.clone();
        while table.least() > room
            && let Some(at) = table.least_important()
        {
            table.leave_out(at);
        }
        let widths = table.widths(Some(room));
        if table.spills && table.is_cramped(&widths) {
            return table.spilled(room, colour);
        }
        if table.spills {
            table = table.continued(&widths);
        }
        table.set(&widths, colour)
    }

    /// The same with each sentence in the last column continued in rows of its own.
    fn continued(&self, widths: &[usize]) -> Self {
        let end = self.columns.len().saturating_sub(1);
        let wide = widths.last().copied().unwrap_or_default();
        let mut rows = Vec::new();
        for row in &self.rows {
            let Some(cell) = row.get(end) else {
                rows.push(row.clone());
                continue;
            };
            let mut texts = wrapped(&cell.text, wide).into_iter();
            let mut first = row.clone();
            first.truncate(end);
            first.extend(texts.next().map(|text| Cell { text, tone: cell.tone }));
            rows.push(first);
            rows.extend(texts.map(|text| {
                let mut row = vec![Cell::default(); end];
                row.push(Cell { text, tone: cell.tone });
                row
            }));
        }
        Self { rows, ..self.clone() }
    }

    /// The columns that are needed for names to be whole and sentences to begin.
    fn least(&self) -> usize {
        let natural = self.widths(None);
        let own = self.columns.iter().zip(&natural).map(|(column, width)| match column.give {
            Give::End => LEAST.min(*width),
            Give::Never | Give::Middle => *width,
        });
        // A sentence that may go below its row needs no place beside it.
        let spared =
            if self.spills { LEAST.min(natural.last().copied().unwrap_or_default()) + GAP } else { 0 };
        (own.sum::<usize>() + GAP * natural.len().saturating_sub(1)).saturating_sub(spared)
    }

    /// The column that goes first.
    fn least_important(&self) -> Option<usize> {
        let ranked = self.columns.iter().enumerate().filter(|(_, column)| column.rank > 0);
        ranked.max_by_key(|(at, column)| (column.rank, *at)).map(|(at, _)| at)
    }

    fn leave_out(&mut self, at: usize) {
        self.columns.remove(at);
        for row in self.rows.iter_mut().filter(|row| at < row.len()) {
            row.remove(at);
        }
    }

    fn set(&self, widths: &[usize], colour: bool) -> Vec<String> {
        let titles: Vec<Cell> =
            self.columns.iter().map(|column| Cell::new(column.title).tone(Tone::Title)).collect();
        std::iter::once(&titles).chain(&self.rows).map(|row| self.line(row, widths, colour)).collect()
    }

    /// Whether the last column is cut and left with too little for a sentence.
    fn is_cramped(&self, widths: &[usize]) -> bool {
        let given = widths.last().copied().unwrap_or_default();
        let needed = self.widths(None).last().copied().unwrap_or_default();
        given < needed && given < SENTENCE
    }

    /// The other columns, each row followed by its sentence in lines of its own.
    fn spilled(&self, room: usize, colour: bool) -> Vec<String> {
        let end = self.columns.len().saturating_sub(1);
        let short = |row: &Vec<Cell>| row.iter().take(end).cloned().collect();
        let other = Self {
            columns: self.columns.iter().take(end).copied().collect(),
            rows: self.rows.iter().map(short).collect(),
            spills: false,
        };
        let widths = other.widths(Some(room));
        let indent = widths.first().map_or(0, |first| first + GAP);
        let mut lines = other.set(&widths, colour).into_iter();
        let mut all: Vec<String> = lines.next().into_iter().collect();
        for (line, row) in lines.zip(&self.rows) {
            all.push(line);
            if let Some(cell) = row.get(end) {
                let texts = wrapped(&cell.text, room.saturating_sub(indent).max(LEAST));
                all.extend(
                    texts
                        .iter()
                        .map(|text| format!("{}{}", " ".repeat(indent), cell.tone.paint(text, colour))),
                );
            }
        }
        all
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

/// Text in lines of at most this many columns, broken between words; a word that is wider is cut into pieces.
#[must_use]
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut()
            && width(line) + 1 + width(word) <= columns
        {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        let mut rest = word;
        loop {
            let piece = prefix(rest, columns);
            // What is wider than the line by itself stands there whole.
            let piece = if piece.is_empty() { rest } else { piece };
            lines.push(piece.to_owned());
            rest = rest.get(piece.len()..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
        }
    }
    lines
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
    fn a_spilling_table_keeps_sentences_whole_below_their_rows() {
        let mut spilling = table().spilling();
        assert_eq!(spilling.lines(Some(58), false), table().lines(None, false), "where it fits");
        assert_eq!(spilling.lines(None, false), table().lines(None, false), "in a file");
        let sentence = "2 tasks stopped in 10 min: exit code 137, out of memory";
        spilling.row(["api".into(), "1/2".into(), Cell::new(sentence).tone(Tone::Bad)]);
        assert_eq!(
            spilling.lines(Some(64), false),
            [
                "SERVICE                  TASKS",
                "cma-frontend-production    2/2",
                "web                       0/12",
                "                         tasks stop: exit code 137·",
                "api                        1/2",
                "                         2 tasks stopped in 10 min: exit code",
                "                         137, out of memory",
            ]
        );
        assert_eq!(
            spilling.lines(Some(78), false)[3..],
            [
                "api                        1/2  2 tasks stopped in 10 min: exit code 137, out",
                "                                of memory",
            ]
        );
        assert_eq!(wrapped("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
    }

    #[test]
    fn lesser_columns_go_before_names_are_cut() {
        let columns =
            [Column::name("NAME"), Column::fixed("ENGINE").lesser(1), Column::fixed("CLASS").lesser(2)];
        let mut table = Table::new(&columns);
        table.row(["cma-production".into(), "postgres".into(), "db.r6g.large".into()]);
        table.row(["short-row".into()]);
        let titles = |room| table.lines(Some(room), false)[0].clone();
        assert_eq!(titles(38), "NAME            ENGINE    CLASS");
        assert_eq!(titles(37), "NAME            ENGINE");
        assert_eq!(titles(20), "NAME");
        assert_eq!(table.lines(Some(10), false)[1], "cma-…ction");
        assert_eq!(table.lines(None, false)[0], "NAME            ENGINE    CLASS", "a file has room");
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
