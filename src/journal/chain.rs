//! Lines that hold each other: each carries the hash of the one before, and its own over all that precedes it.
//!
//! A line is `{"previous":"…","entry":{…},"hash":"…"}`; the hash is SHA-256 over the bytes before `,"hash":`. The
//! bytes themselves are hashed, not a re-encoding, so that no choice of an encoder can break the chain. A crash
//! may leave a torn last line; the next entry carries the hash of the torn bytes, which seals them.
//!
//! Must not repair anything: what is broken is named.

use sha2::{Digest, Sha256};

use super::Entry;

/// What no chain without a witness can show; said wherever a journal is verified.
pub const CANNOT_DETECT: &str =
    "a journal cut off at its end, or rewritten as a whole, verifies: keep a head hash elsewhere";

const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const HASH_KEY: &str = ",\"hash\":\"";

/// The end of a journal, to which the next line is joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    head: String,
    /// The last line was torn, or only lacks its line feed.
    open: bool,
}

impl Default for Chain {
    fn default() -> Self {
        Self { head: FIRST.to_owned(), open: false }
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Linked<E> {
    previous: String,
    entry: E,
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Chain {
    /// The end of an existing journal. Only its last line matters here; `verify` reads all of it. A tear may fall
    /// inside a character: read the file lossily, here and for `verify`.
    #[must_use]
    pub fn resume(text: &str) -> Self {
        let open = !text.is_empty() && !text.ends_with('\n');
        match text.lines().next_back() {
            None => Self::default(),
            Some(line) => match read(line) {
                Ok((_, _, own)) => Self { head: own, open },
                Err(_) => Self { head: hash(line), open },
            },
        }
    }

    /// The hash of the last line.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The text to append for an entry, and the chain when it is on disk.
    pub(super) fn line(&self, entry: &Entry) -> serde_json::Result<(String, Self)> {
        let linked = serde_json::to_string(&Linked { previous: self.head.clone(), entry })?;
        let open = linked.strip_suffix('}').unwrap_or(&linked);
        let own = hash(open);
        let feed = if self.open { "\n" } else { "" };
        let text = format!("{feed}{open}{HASH_KEY}{own}\"}}\n");
        Ok((text, Self { head: own, open: false }))
    }
}

/// Takes a line apart: entry, previous hash, own hash; or says why it is none.
fn read(line: &str) -> Result<(Entry, String, String), Unreadable> {
    let Some((body, rest)) = line.rsplit_once(HASH_KEY) else { return Err(Unreadable::Torn) };
    let Some(own) = rest.strip_suffix("\"}") else { return Err(Unreadable::Torn) };
    if own.len() != FIRST.len() {
        return Err(Unreadable::Torn);
    }
    if hash(body) != own {
        return Err(Unreadable::Altered);
    }
    // A whole line whose hash is right but which does not read was written by another version.
    let linked: Linked<Entry> =
        serde_json::from_str(&format!("{body}}}")).map_err(|error| Unreadable::Foreign(error.to_string()))?;
    Ok((linked.entry, linked.previous, own.to_owned()))
}

enum Unreadable {
    Torn,
    Altered,
    Foreign(String),
}

/// The first place where a journal does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {why}")]
pub struct Broken {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// What reading a whole journal found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Entries that read and hold, in order, up to the first broken line.
    pub entries: Vec<Entry>,
    /// Lines that a crash tore; sealed by the next entry, except the last.
    pub torn: Vec<usize>,
    /// The first line that does not hold.
    pub broken: Option<Broken>,
    /// The hash to which the next entry would be joined.
    pub head: String,
}

/// Reads a whole journal and checks its chain.
#[must_use]
pub fn verify(text: &str) -> Report {
    let mut report = Report { entries: Vec::new(), torn: Vec::new(), broken: None, head: FIRST.to_owned() };
    let lines = text.lines().count();
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        let break_at = |line, why: &str| Some(Broken { line, why: why.to_owned() });
        match read(line) {
            Ok((entry, previous, own)) => {
                if previous != report.head {
                    // After a torn line the hash of its bytes was expected: then the tear itself was altered.
                    let after_tear = report.torn.last() == Some(&(number - 1));
                    report.broken = if after_tear {
                        break_at(number - 1, "is not an entry, and the next one does not seal it")
                    } else {
                        break_at(
                            number,
                            "does not follow the line before it: lines are missing, added or moved",
                        )
                    };
                    return report;
                }
                report.entries.push(entry);
                report.head = own;
            }
            Err(Unreadable::Torn) => {
                if report.torn.last() == Some(&(number - 1)) && number > 1 && number < lines {
                    report.broken = break_at(number, "is not an entry");
                    return report;
                }
                report.torn.push(number);
                report.head = hash(line);
            }
            Err(Unreadable::Altered) => {
                report.broken = break_at(number, "was altered: its hash does not fit its text");
                return report;
            }
            Err(Unreadable::Foreign(why)) => {
                report.broken = break_at(number, &format!("cannot be read by this version ({why})"));
                return report;
            }
        }
    }
    report
}
