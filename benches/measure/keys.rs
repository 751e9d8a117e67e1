//! Somebody who types without pause: moves, changes panes, filters; and looks whether the sick stand first.
//!
//! Each key has an effect that only it has, so that a frame that came for another reason is not taken for its.

use std::time::{Duration, Instant};

use crate::Outcome;
use crate::terminal::Terminal;

/// What came of the typing.
#[derive(Default)]
pub struct Typist {
    /// Milliseconds from each key to its frame.
    pub samples: Vec<f64>,
    /// The slowest key and its milliseconds.
    pub slowest: (String, f64),
    /// Keys that had no effect: the row that they were to leave was the last when they came.
    pub idle: usize,
    /// Lists looked at.
    pub looks: usize,
    /// Lists in which a healthier row stood above a sicker one.
    pub disorder: usize,
}

/// A move that has not shown by then will not.
const NO_EFFECT: Duration = Duration::from_millis(1_500);

impl Typist {
    /// To the list of services, where the typing happens.
    pub fn enter(&mut self, console: &mut Terminal) -> Outcome<()> {
        self.type_until(console, "2", |lines| lines.iter().any(|l| l.contains("[2 Services")))
    }

    /// Some twenty keys.
    pub fn round(&mut self, console: &mut Terminal) -> Outcome<()> {
        for _ in 0..10 {
            self.look(&console.lines());
            self.step(console)?;
        }
        self.type_until(console, "9", |lines| lines.iter().any(|l| l.contains("[9 API")))?;
        self.enter(console)?;
        self.type_until(console, "/", |lines| prompt(lines).is_some())?;
        for typed in ["a", "ap", "api", "api-"] {
            let key = &typed[typed.len() - 1..];
            self.type_until(console, key, |lines| prompt(lines).is_some_and(|p| p == typed))?;
        }
        // Ctrl-G: an Escape with a key close behind it would be Alt with that key.
        self.type_until(console, "\x07", |lines| prompt(lines).is_none())
    }

    fn pause(console: &mut Terminal) {
        // Uneven, so that keys and refreshes do not march in step.
        console.watch(Duration::from_millis(fastrand::u64(20..110)));
    }

    fn type_until(
        &mut self,
        console: &mut Terminal,
        key: &str,
        wanted: impl Fn(&[String]) -> bool,
    ) -> Outcome<()> {
        let pressed = console.press(key)?;
        let shown = console.until(&format!("the effect of {key:?}"), wanted)?;
        self.note(key, pressed, shown);
        Self::pause(console);
        Ok(())
    }

    fn note(&mut self, key: &str, pressed: Instant, shown: Instant) {
        let sample = shown.saturating_duration_since(pressed).as_secs_f64() * 1e3;
        self.samples.push(sample);
        if sample > self.slowest.1 {
            self.slowest = (key.escape_default().to_string(), sample);
        }
        if std::env::var_os("MEASURE_KEYS").is_some() {
            eprintln!("key {} {sample:.1}", key.escape_default());
        }
    }

    /// Down from the first row, up from any other.
    fn step(&mut self, console: &mut Terminal) -> Outcome<()> {
        let Some((row, before)) = selected(&console.lines()) else { return Ok(()) };
        let key = if row == 0 { "j" } else { "k" };
        let pressed = console.press(key)?;
        let late = Instant::now() + NO_EFFECT;
        let shown = console.until_or("another row selected", late, |lines| {
            selected(lines).is_some_and(|(_, name)| name != before)
        })?;
        match shown {
            Some(at) => self.note(key, pressed, at),
            None => self.idle += 1,
        }
        Self::pause(console);
        Ok(())
    }

    fn look(&mut self, lines: &[String]) {
        let ranks: Vec<usize> = rows(lines).filter_map(|line| rank(&line)).collect();
        if !ranks.is_empty() {
            self.looks += 1;
            self.disorder += usize::from(!ranks.is_sorted());
        }
    }
}

/// The rows of the services list: those between its head and the next pane's title.
fn rows(lines: &[String]) -> impl Iterator<Item = String> {
    lines.iter().skip_while(|l| !l.contains("SERVICE  ")).skip(1).take_while(|l| !l.starts_with('─')).cloned()
}

/// How sick a row says it is.
fn rank(line: &str) -> Option<usize> {
    let sign = line.chars().nth(2)?;
    ['✖', '▲', '◆', '?', '●', '○'].iter().position(|known| *known == sign)
}

/// The selected row's position and name.
fn selected(lines: &[String]) -> Option<(usize, String)> {
    rows(lines)
        .enumerate()
        .find(|(_, line)| line.starts_with('▌'))
        .and_then(|(row, line)| Some((row, line.split_whitespace().nth(2)?.to_owned())))
}

/// What stands in the filter's input line.
fn prompt(lines: &[String]) -> Option<String> {
    let last = lines.last()?.trim();
    Some(last.strip_prefix('/')?.trim().to_owned())
}
