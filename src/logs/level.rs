//! How bad a line is: read from a word, a number, or the shape of a line of plain text.
//!
//! Must not read whole messages: levels stand at the beginning of a line, and a line may be a megabyte long.

use serde::Serialize;

/// Severity, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Trace.
    Trace,
    /// Debug.
    Debug,
    /// Info, notice.
    Info,
    /// Warning.
    Warn,
    /// Error.
    Error,
    /// Fatal, critical, emergency.
    Fatal,
}

/// How far into a line of plain text a level word is looked for.
const PLAIN_REACH: usize = 160;

/// The words for each level, as programs write them.
const WORDS: &[(&str, Level)] = &[
    ("trace", Level::Trace),
    ("trc", Level::Trace),
    ("finest", Level::Trace),
    ("verbose", Level::Debug),
    ("debug", Level::Debug),
    ("dbg", Level::Debug),
    ("fine", Level::Debug),
    ("info", Level::Info),
    ("inf", Level::Info),
    ("information", Level::Info),
    ("notice", Level::Info),
    ("note", Level::Info),
    ("log", Level::Info),
    ("warn", Level::Warn),
    ("warning", Level::Warn),
    ("wrn", Level::Warn),
    ("error", Level::Error),
    ("err", Level::Error),
    ("severe", Level::Error),
    ("fatal", Level::Fatal),
    ("critical", Level::Fatal),
    ("crit", Level::Fatal),
    ("alert", Level::Fatal),
    ("emerg", Level::Fatal),
    ("emergency", Level::Fatal),
    ("panic", Level::Fatal),
];

/// Words that are too common in prose to mean a level when they stand in capitals in a sentence.
const ONLY_AS_FIELD: &[&str] = &["fine", "log", "note", "alert", "panic", "information", "inf", "verbose"];

impl Level {
    /// All, in rising order.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal];

    /// Its usual name, lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// From a word that stands where a level is meant: `WARNING`, `err`, `crit`.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        WORDS.iter().find(|(w, _)| word.eq_ignore_ascii_case(w)).map(|(_, level)| *level)
    }

    /// From a number that stands where a level is meant, as pino and bunyan count: 10 trace … 60 fatal.
    #[must_use]
    pub fn of_number(number: i64) -> Option<Self> {
        match number {
            1..=19 => Some(Self::Trace),
            20..=29 => Some(Self::Debug),
            30..=39 => Some(Self::Info),
            40..=49 => Some(Self::Warn),
            50..=59 => Some(Self::Error),
            60..=69 => Some(Self::Fatal),
            _ => None,
        }
    }

    /// From a line of plain text: the first level word that looks like one, or the status of an access-log
    /// line, whichever is worse.
    #[must_use]
    pub fn of_plain(text: &str) -> Option<Self> {
        let access = of_access_log(text);
        let named = of_marked_word(head(text, PLAIN_REACH));
        named.max(access)
    }
}

/// The first `bytes` of the text, cut at a character.
pub(super) fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// A level word counts when it is in capitals (`ERROR`), in brackets (`[error]`, `<warn>`), or begins the line
/// and is followed by a colon (`error: …`).
fn of_marked_word(text: &str) -> Option<Level> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let end = bytes[at..].iter().position(|b| !b.is_ascii_alphabetic()).map_or(bytes.len(), |n| at + n);
        let before = at.checked_sub(1).and_then(|i| bytes.get(i)).copied();
        let after = bytes.get(end).copied();
        if let Some(word) = text.get(at..end)
            && let Some(level) = Level::of_word(word)
            && is_marked(word, before, after, at == 0)
        {
            return Some(level);
        }
        at = end;
    }
    None
}

fn is_marked(word: &str, before: Option<u8>, after: Option<u8>, first: bool) -> bool {
    // Part of a name or a path: `ERROR_COUNT`, `/ERROR/`, `x-error`, `error.log`, `INFO2`.
    let glued = |b: Option<u8>| b.is_some_and(|b| matches!(b, b'_' | b'-' | b'0'..=b'9') || b >= 0x80);
    let bracketed = matches!((before, after), (Some(b'['), Some(b']')) | (Some(b'<'), Some(b'>')));
    if bracketed {
        return true;
    }
    if glued(before) || glued(after) || before == Some(b'/') || before == Some(b'.') || after == Some(b'.') {
        return false;
    }
    // PostgreSQL: `…@app:[9]:LOG:  …`.
    if before == Some(b':') && after == Some(b':') && word.bytes().all(|b| b.is_ascii_uppercase()) {
        return true;
    }
    if ONLY_AS_FIELD.iter().any(|w| word.eq_ignore_ascii_case(w)) {
        return false;
    }
    let capitals = word.bytes().all(|b| b.is_ascii_uppercase());
    capitals || (first && after == Some(b':'))
}

/// The level of an access-log line: `"GET /x HTTP/1.1" 502 …`; 5xx is an error, 4xx a warning.
fn of_access_log(text: &str) -> Option<Level> {
    let line = head(text, 4096);
    let version = line.find("HTTP/")?;
    let rest = line.get(version..)?;
    let quote = rest.find('"')?;
    let mut after = rest.get(quote + 1..)?.trim_start().chars();
    let (hundreds, tens, ones) = (after.next()?, after.next()?, after.next()?);
    if !tens.is_ascii_digit() || !ones.is_ascii_digit() || after.next().is_some_and(|c| c.is_ascii_digit()) {
        return None;
    }
    match hundreds {
        '5' => Some(Level::Error),
        '4' => Some(Level::Warn),
        '1'..='3' => Some(Level::Info),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_of_many_programs_have_their_level() {
        for (line, level) in [
            ("2026-11-20 10:00:00,123 - app - ERROR - boom", Some(Level::Error)),
            ("ERROR:root:boom", Some(Level::Error)),
            ("WARNING:urllib3:retry", Some(Level::Warn)),
            ("INFO:     Started server process [1]", Some(Level::Info)),
            ("INFO:     10.0.0.9:5 - \"GET /x HTTP/1.1\" 500 Internal Server Error", Some(Level::Error)),
            ("[2026-11-20 10:00:00,123: ERROR/ForkPoolWorker-1] Task x", Some(Level::Error)),
            ("2026/11/20 10:00:00 [error] 7#7: *1 connect() failed", Some(Level::Error)),
            ("2026/11/20 10:00:00 [emerg] 7#7: no", Some(Level::Fatal)),
            ("10.0.0.1 - - [20/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 502 157", Some(Level::Error)),
            ("10.0.0.1 - - [20/Nov/2026:10:00:00 +0000] \"GET /a HTTP/2.0\" 404 1", Some(Level::Warn)),
            ("10.0.0.1 - - [20/Nov/2026:10:00:00 +0000] \"GET /ERROR/x HTTP/1.1\" 200 1", Some(Level::Info)),
            ("2026-11-20T10:00:00.000Z  WARN 1 --- [main] c.e.App : slow", Some(Level::Warn)),
            ("error: cannot open x", Some(Level::Error)),
            ("2026-11-21 20:00:00 UTC::@:[392]:LOG:  checkpoint starting: time", Some(Level::Info)),
            ("2026-11-21 20:00:00 UTC::@:[412]:PANIC:  could not write", Some(Level::Fatal)),
            ("2026-11-21 20:00:00 UTC:10.0.0.5(99):app@db:[9]:STATEMENT:  SELECT 1", None),
            ("2026-11-21T20:00:00.000001Z 0 [Note] ready", Some(Level::Info)),
            ("PLEASE NOTE: nothing", None),
            ("there was no error: all fine", None),
            ("connected to error-queue", None),
            ("reading /var/log/error.log", None),
            ("MAX_ERROR_COUNT is 5", None),
            ("hello", None),
            ("", None),
        ] {
            assert_eq!(Level::of_plain(line), level, "{line}");
        }
    }

    #[test]
    fn numbers_count_as_pino_does() {
        assert_eq!(Level::of_number(30), Some(Level::Info));
        assert_eq!(Level::of_number(50), Some(Level::Error));
        assert_eq!(Level::of_number(404), None);
    }
}
