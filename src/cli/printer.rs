//! Where results go: stdout in one of three forms, complaints on stderr.
//!
//! The only place of opsdeck that prints. Must not decide what is printed. A closed pipe ends the program
//! silently; it is not an error of ours.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use crate::cli::envelope::{Missing, Report, ScopeState};
use crate::cli::environment::Environment;
use crate::cli::exit::{Exit, Problem};
use crate::cli::item::{Shaped, Time};
use crate::cli::parser::Request;
use crate::cli::table::{Table, Tone};
use crate::stdx::text::scrub;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Table,
    /// One object.
    Json,
    /// One object a line, then a trailer.
    Ndjson,
}

/// Stdout and stderr with all that is known about them.
pub struct Printer {
    /// How to print.
    pub form: Form,
    /// Whether stdout gets colours.
    pub colour: bool,
    /// Whether characters beyond ASCII may be used where the choice is ours.
    pub unicode: bool,
    /// The terminal's columns; `None` when stdout is not one.
    pub room: Option<usize>,
    out: Box<dyn Write>,
    err: Box<dyn Write>,
}

#[derive(Serialize)]
struct Envelope<'a, T, F> {
    as_of: Time,
    scopes: &'a [ScopeState],
    complete: bool,
    failures: &'a [F],
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<&'a [T]>,
}

impl Printer {
    /// For the process's own stdout and stderr.
    #[must_use]
    pub fn of_process(environment: &Environment) -> Self {
        let told = environment.get("COLUMNS").and_then(|text| text.parse().ok());
        let room = told.or(environment.columns.map(usize::from)).unwrap_or(80);
        Self {
            form: Form::Table,
            colour: false,
            unicode: environment.is_unicode(),
            room: environment.stdout_is_terminal.then_some(room),
            out: Box::new(BufWriter::with_capacity(1 << 16, io::stdout())),
            err: Box::new(io::stderr()),
        }
    }

    /// Takes over what the command line says about printing.
    pub fn set_form(&mut self, request: &Request, environment: &Environment) {
        self.form = match request.text("output") {
            Some("json") => Form::Json,
            Some("ndjson") => Form::Ndjson,
            _ => Form::Table,
        };
        self.colour = match request.text("color") {
            Some("always") => true,
            Some("never") => false,
            _ => {
                environment.stdout_is_terminal
                    && environment.get("NO_COLOR").is_none()
                    && environment.get("TERM") != Some("dumb")
            }
        };
    }

    /// Prints a report: as one object, as lines, or as the table that `table` makes of it, and then what is
    /// missing on stderr. Returns the exit code.
    ///
    /// # Errors
    /// When stdout cannot be written to.
    pub fn report<T: Shaped>(
        &mut self,
        report: &Report<T>,
        table: impl FnOnce(&[T], &Self) -> Vec<String>,
    ) -> io::Result<Exit> {
        match self.form {
            Form::Json => self.json(&report.envelope(true))?,
            Form::Ndjson => {
                for item in &report.items {
                    self.json(item)?;
                }
                self.json(&report.envelope(false))?;
            }
            Form::Table => {
                let lines = table(&report.items, self);
                self.lines(&lines)?;
                if report.items.is_empty() && report.printed == 0 && report.is_complete() {
                    let regions: Vec<&str> = report.scopes.iter().map(|s| s.region.as_str()).collect();
                    let places = regions.join(", ");
                    let places = if places.is_empty() { places } else { format!(" in {places}") };
                    self.remark(&format!("nothing found{places}"));
                }
            }
        }
        self.out.flush()?;
        self.complain(report);
        Ok(report.exit())
    }

    /// One line of JSON.
    ///
    /// # Errors
    /// When stdout cannot be written to.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        // Serialising to memory first keeps an error of the pipe an `io::Error`.
        let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
        line.push(b'\n');
        self.out.write_all(&line)
    }

    /// Lines as they are.
    ///
    /// # Errors
    /// When stdout cannot be written to.
    pub fn lines<T: AsRef<str>>(&mut self, lines: &[T]) -> io::Result<()> {
        for line in lines {
            self.line(line.as_ref())?;
        }
        Ok(())
    }

    /// A line as it is.
    ///
    /// # Errors
    /// When stdout cannot be written to.
    pub fn line(&mut self, line: &str) -> io::Result<()> {
        self.bytes(line.as_bytes())?;
        self.out.write_all(b"\n")
    }

    /// Bytes as they are.
    ///
    /// # Errors
    /// When stdout cannot be written to.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// Sends what is buffered on its way.
    ///
    /// # Errors
    /// When stdout cannot be written to.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// A remark on stderr. That stderr is closed is nobody's concern.
    pub fn remark(&mut self, sentence: &str) {
        let _ = writeln!(self.err, "opsdeck: {}", scrub(sentence));
    }

    /// A question on stderr, without a line feed.
    pub fn prompt(&mut self, text: &str) {
        let _ = write!(self.err, "{}", scrub(text));
        let _ = self.err.flush();
    }

    /// A problem on stderr.
    pub fn problem(&mut self, problem: &Problem) {
        let _ = writeln!(self.err, "{problem}");
    }

    /// A table's lines for this output.
    #[must_use]
    pub fn set(&self, table: &Table) -> Vec<String> {
        table.lines(self.room, self.colour)
    }

    /// Text in a tone, when this output has colours.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        tone.paint(&scrub(text), self.colour)
    }

    /// Says on stderr what is missing: each failure once, with how often it came, one that met many actions of a
    /// region (credentials that ended) once for all of them, then each hint once.
    fn complain<T>(&mut self, report: &Report<T>) {
        for sentence in told(&report.failures).iter().chain(&report.remarks) {
            self.remark(sentence);
        }
        let mut hints: Vec<&str> = Vec::new();
        for hint in report.failures.iter().filter_map(|missing| missing.hint.as_deref()) {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        for hint in hints {
            let _ = writeln!(self.err, "hint: {}", scrub(hint));
        }
        if !report.is_complete() && report.knows_something() {
            self.remark("the result is partial (exit code 6)");
        }
    }
}

/// From how many actions on one failure is told once for all of them.
const MANY: usize = 3;

/// What is missing, as sentences.
fn told(failures: &[Missing]) -> Vec<String> {
    let mut told: Vec<(String, usize)> = Vec::new();
    for missing in failures {
        let same = |other: &&Missing| {
            other.account == missing.account
                && other.region == missing.region
                && other.message == missing.message
        };
        let mut actions: Vec<&str> =
            failures.iter().filter(same).filter_map(|other| other.action.as_deref()).collect();
        actions.sort_unstable();
        actions.dedup();
        let (sentence, once) = match actions.as_slice() {
            [first, rest @ ..] if actions.len() >= MANY => {
                let more = format!("{first} and {} more", rest.len());
                (format!("{}: {more}: {}", missing.place(), missing.message), true)
            }
            _ => (missing.sentence(), false),
        };
        match told.iter_mut().find(|(known, _)| *known == sentence) {
            Some((_, times)) => *times += usize::from(!once),
            None => told.push((sentence, 1)),
        }
    }
    let often = |times: usize| if times > 1 { format!(" ({times} times)") } else { String::new() };
    told.into_iter().map(|(sentence, times)| format!("{sentence}{}", often(times))).collect()
}

impl<T> Report<T> {
    fn envelope(&self, with_items: bool) -> Envelope<'_, T, Missing> {
        Envelope {
            as_of: self.as_of,
            scopes: &self.scopes,
            complete: self.is_complete(),
            failures: &self.failures,
            items: with_items.then_some(self.items.as_slice()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::{Fault, FaultKind};
    use crate::domain::scope::Scope;

    #[test]
    fn a_failure_of_many_actions_is_told_once_and_others_each() {
        let missing = |region: &str, action: &str, message: &str| {
            let fault = Fault::new(FaultKind::Expired, message).action(action);
            Missing::request(&Scope::new("default", region), &fault)
        };
        let all = [
            missing("a", "ecs:ListClusters", "expired"),
            missing("a", "rds:DescribeEvents", "expired"),
            missing("a", "rds:DescribeEvents", "expired"),
            missing("a", "iam:GetRole", "expired"),
            missing("b", "ecs:ListClusters", "expired"),
            missing("b", "iam:GetRole", "expired"),
            missing("b", "iam:GetRole", "expired"),
        ];
        let due = [
            "a: ecs:ListClusters and 2 more: expired",
            "b: ecs:ListClusters: expired",
            "b: iam:GetRole: expired (2 times)",
        ];
        assert_eq!(told(&all), due);
    }
}
