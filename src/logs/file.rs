//! The end of a log file that is read again and again, as lines: what is new since the last reading, and when each
//! line says it was written.
//!
//! Must not guess a time: a line without one has that of the line above it, and one that has none above it has
//! none. Must keep the file's order, whatever its clock did.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::line::{Arrival, Batch, Line, Origin};
use crate::domain::log::LogGroupId;
use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;

/// What a reading brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// These lines follow those that are known.
    More(Batch),
    /// It has no line in common with what is known: the file was begun again, or grew by more than was read.
    Anew(Batch),
}

/// A file as far as it was read.
#[derive(Clone, Debug)]
pub struct FileEnd {
    origin: Arc<Origin>,
    /// The lines of the newest reading.
    known: Vec<String>,
    /// The time of the newest line.
    at: Wall,
}

impl FileEnd {
    /// A file of which nothing was read yet.
    #[must_use]
    pub fn new(scope: Scope, owner: &str, name: &str) -> Self {
        let origin = Origin {
            group: LogGroupId { scope, name: owner.to_owned() },
            stream: name.to_owned(),
            container: String::new(),
            task: String::new(),
        };
        Self { origin: Arc::new(origin), known: Vec::new(), at: Wall::default() }
    }

    /// Takes the file's end in as it is now.
    pub fn take(&mut self, text: &str) -> Reading {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let before = std::mem::replace(&mut self.known, lines);
        let lines = &self.known;
        // Both are ends of one file, so what is known of the new one is an end of the old one. The longest is tried
        // first: a line that is repeated must not be taken for a later one.
        let common = (0..before.len()).map(|from| &before[from..]).find(|end| lines.starts_with(end));
        let begun_again = common.is_none() && !before.is_empty();
        if begun_again {
            self.at = Wall::default();
        }
        let new = lines.iter().skip(common.map_or(0, <[String]>::len));
        let lines = new
            .map(|line| {
                self.at = time_of(line).unwrap_or_default().max(self.at);
                Line {
                    origin: self.origin.clone(),
                    event_id: None,
                    at: self.at,
                    ingested_at: None,
                    message: line.clone(),
                }
            })
            .collect();
        let batch = Batch { arrival: Arrival::Newer, lines };
        if begun_again { Reading::Anew(batch) } else { Reading::More(batch) }
    }
}

/// When a line of a database's log says it was written: PostgreSQL's `2026-11-21 20:00:00 UTC:…`, MySQL's
/// `2026-11-21T20:00:00.123456Z …` and `# Time: …`, MariaDB's and SQL Server's without a zone, which RDS keeps at
/// UTC. A zone that is only a name is not known.
#[must_use]
pub fn time_of(line: &str) -> Option<Wall> {
    let line = line.strip_prefix("# Time: ").unwrap_or(line);
    let is_of_time = |c: char| c.is_ascii_digit() || matches!(c, '-' | ':' | '.');
    let (date, rest) = line.split_at_checked(10)?;
    let joint = rest.chars().next().filter(|joint| matches!(joint, 'T' | ' '))?;
    let rest = rest.get(1..)?;
    let clock = rest.get(..8)?;
    let fraction = rest
        .get(8..)?
        .strip_prefix('.')
        .map_or(0, |digits| 1 + digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len()));
    let (time, zone) = rest.split_at_checked(clock.len() + fraction)?;
    if !date.chars().chain(time.chars()).all(is_of_time) {
        return None;
    }
    let word: String = zone.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
    if joint == 'T' && zone.starts_with(['+', '-']) {
        let at: Timestamp = format!("{date}T{time}{}", zone.get(..6)?).parse().ok()?;
        return Some(Wall(at.as_millisecond()));
    }
    // What stands behind a time without a zone is a word of its own: a number, `spid51`, `[Note]`.
    let is_utc = match word.as_str() {
        "" | "Z" | "UTC" | "GMT" => true,
        word => zone.starts_with(' ') && word.chars().any(|c| c.is_ascii_lowercase()),
    };
    let at: DateTime = format!("{date}T{time}").parse().ok().filter(|_| is_utc)?;
    Some(Wall(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: &str) -> Option<String> {
        Some(time_of(line)?.rfc3339())
    }

    #[test]
    fn lines_of_each_engine_have_their_time() {
        let some = |text: &str| Some(text.to_owned());
        for (line, time) in [
            ("2026-11-21 20:00:00 UTC:10.0.1.7(5000):app@db:[9]:LOG:  x", some("2026-11-21T20:00:00.000Z")),
            ("2026-11-21 20:00:00.123 UTC::@:[392]:LOG:  x", some("2026-11-21T20:00:00.123Z")),
            ("# Time: 2026-11-21T20:00:00.123456Z", some("2026-11-21T20:00:00.123Z")),
            ("2026-11-21T22:00:00.5+02:00\t  8 Query\tSELECT 1", some("2026-11-21T20:00:00.500Z")),
            ("2026-11-21T20:00:00.000001Z 0 [Note] ready", some("2026-11-21T20:00:00.000Z")),
            ("2026-11-21 20:00:00 0 [Note] ready", some("2026-11-21T20:00:00.000Z")),
            ("2026-11-21 20:00:00.12 spid51  Starting up", some("2026-11-21T20:00:00.120Z")),
            ("2026-11-21 20:00:00 CET:a@b:[1]:LOG:  a zone by its name", None),
            ("2026-13-41 20:00:00 UTC:no such day", None),
            ("\tFROM a JOIN b", None),
            ("# Query_time: 2.1  Lock_time: 0.0", None),
            ("SET timestamp=1795000000;", None),
            ("äöüäöüäöüä 20:00:00", None),
            ("", None),
        ] {
            assert_eq!(at(line), time, "{line}");
        }
    }

    fn told(reading: &Reading) -> (bool, Vec<(i64, &str)>) {
        let (anew, batch) = match reading {
            Reading::More(batch) => (false, batch),
            Reading::Anew(batch) => (true, batch),
        };
        (anew, batch.lines.iter().map(|line| (line.at.0, line.message.as_str())).collect())
    }

    #[test]
    fn a_reading_brings_what_is_new() {
        let mut file = FileEnd::new(Scope::new("default", "eu-west-2"), "claims", "error/x");
        let ten = time_of("2026-11-21 10:00:00 UTC").unwrap().0;
        let text = "\ttail of a statement\n2026-11-21 10:00:00 UTC:a\n\tb\n2026-11-21 10:00:00 UTC:a\n";
        let first = file.take(text);
        let a = "2026-11-21 10:00:00 UTC:a";
        assert_eq!(
            told(&first),
            (false, vec![(0, "\ttail of a statement"), (ten, a), (ten, "\tb"), (ten, a)])
        );
        assert_eq!(told(&file.take(text)), (false, vec![]), "the same again");
        let late = "2026-11-21 09:59:59 UTC:late";
        let grown = file.take(&format!("\tb\n{a}\n{a}\n{late}\n"));
        assert_eq!(told(&grown), (false, vec![(ten, a), (ten, late)]), "in the file's order");
        let other = file.take("2026-11-21 09:00:00 UTC:begun again\n");
        assert_eq!(told(&other), (true, vec![(ten - 3_600_000, "2026-11-21 09:00:00 UTC:begun again")]));
        assert_eq!(told(&file.take("")), (true, vec![]), "emptied");
    }
}
