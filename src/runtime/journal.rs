//! The journal's file: one for each host and user, appended under a lock, on disk before an append returns.
//!
//! Several processes of one user write into one file, so its end is read again under the lock each time. Must not
//! repair or rewrite: what is torn stays, and the next entry seals it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::journal::{Chain, Entry, Event, Report, Sink, Who, open_incident, verify};
use crate::runtime::files;
use crate::stdx::clock::Wall;

/// Longer than any line: as much of the end is read to join the next one.
const TAIL: u64 = 1 << 20;

/// The file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalFile {
    path: PathBuf,
}

struct Synced<'f>(&'f File);

impl Sink for Synced<'_> {
    fn append(&mut self, text: &str) -> io::Result<()> {
        // One write: a reader never sees half of a line that was not torn by a crash.
        self.0.write_all(text.as_bytes())?;
        self.0.sync_data()
    }
}

impl JournalFile {
    /// The journal at a path; nothing is opened yet.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends an entry, on disk when it returns. Blocks while another process appends.
    ///
    /// # Errors
    /// The system's; then what depended on the entry must not happen.
    pub fn append(&self, entry: &Entry) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        files::make_private(folder)?;
        let is_new = !self.path.exists();
        let file = files::open_journal(&self.path)?;
        file.lock()?;
        if is_new {
            // The name has to be on disk as well as the text.
            files::sync_folder(folder)?;
        }
        let mut chain = Chain::resume(&tail(&file)?);
        chain.append(entry, &mut Synced(&file))
        // Closing the file gives the lock back.
    }

    /// All of it; empty when there is none yet.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub fn read(&self) -> io::Result<String> {
        match files::read_bytes(&self.path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error),
        }
    }
}

/// The end of the file, from the beginning of a line on.
fn tail(mut file: &File) -> io::Result<String> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    if from > 0
        && let Some(feed) = bytes.iter().position(|byte| *byte == b'\n')
    {
        bytes.drain(..=feed);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes entries in somebody's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clerk {
    file: Option<JournalFile>,
    /// Who acts.
    pub who: Who,
    /// The incident under way, as far as this process knows.
    incident: Option<String>,
    /// Whether the journal was asked for it.
    asked: bool,
}

impl Clerk {
    /// A clerk; without a file, nothing can be written, and so nothing be changed.
    #[must_use]
    pub fn new(file: Option<JournalFile>, who: Who) -> Self {
        Self { file, who, incident: None, asked: false }
    }

    /// Appends what happened, as a part of the incident that is open. Opening and closing one are such events.
    ///
    /// # Errors
    /// Why it may not be on disk.
    pub fn write(&mut self, at: Wall, operation: &str, event: Event) -> Result<(), String> {
        if !self.asked {
            // A journal that cannot be read may still take the entry: then it belongs to no incident.
            let _ = self.read();
        }
        let Some(file) = &self.file else {
            return Err("there is no place for a journal: set HOME or XDG_STATE_HOME".to_owned());
        };
        let (of, then) = match &event {
            Event::IncidentOpened(mark) => (Some(mark.id.clone()), Some(mark.id.clone())),
            Event::IncidentClosed(_) => (self.incident.clone(), None),
            _ => (self.incident.clone(), self.incident.clone()),
        };
        let entry = Entry { at, who: self.who.clone(), operation: operation.to_owned(), incident: of, event };
        file.append(&entry).map_err(|error| format!("{}: {error}", file.path().display()))?;
        self.incident = then;
        Ok(())
    }

    /// Who acts, and for which incident, in a few words.
    pub fn operator(&mut self) -> String {
        if !self.asked {
            let _ = self.read();
        }
        let who = self.who.os_user.as_deref().unwrap_or("somebody");
        self.incident.as_ref().map_or_else(|| who.to_owned(), |incident| format!("{who} {incident}"))
    }

    /// Reads and checks the whole journal.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub fn read(&mut self) -> Result<Report, String> {
        self.asked = true;
        let text = match &self.file {
            None => String::new(),
            Some(file) => file.read().map_err(|error| format!("{}: {error}", file.path().display()))?,
        };
        let report = verify(&text);
        self.incident = open_incident(&report.entries).map(|mark| mark.id.clone());
        Ok(report)
    }

    /// Where it writes.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(JournalFile::path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::IncidentMark;

    fn clerk(folder: &Path) -> Clerk {
        Clerk::new(Some(JournalFile::at(folder.join("journal/h-u.jsonl"))), Who::default())
    }

    fn mark(title: &str) -> Event {
        Event::IncidentOpened(IncidentMark { id: "i".into(), title: title.into() })
    }

    #[test]
    fn several_writers_make_one_chain() {
        let folder = tempfile::tempdir().unwrap();
        let writers: Vec<_> = (0..4)
            .map(|number| {
                let mut clerk = clerk(folder.path());
                std::thread::Builder::new()
                    .spawn(move || {
                        for line in 0..25 {
                            clerk.write(Wall(line), &format!("{number}"), mark("x")).unwrap();
                        }
                    })
                    .unwrap()
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let report = clerk(folder.path()).read().unwrap();
        assert_eq!((report.entries.len(), report.broken, report.torn.len()), (100, None, 0));
    }

    #[test]
    fn a_torn_end_is_sealed_and_the_file_is_ones_own() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mut clerk = clerk(folder.path());
        clerk.write(Wall(1), "1", mark("whole")).unwrap();
        let path = clerk.path().unwrap().to_owned();
        let mut file = files::open_journal(&path).unwrap();
        file.write_all(b"{\"previous\":\"torn \xf0\x9f").unwrap();
        clerk.write(Wall(2), "2", mark("after")).unwrap();
        let report = clerk.read().unwrap();
        assert_eq!((report.entries.len(), report.torn, report.broken), (2, vec![2], None));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn without_a_place_nothing_is_written_and_that_is_said() {
        let why = Clerk::new(None, Who::default()).write(Wall(1), "1", mark("x")).unwrap_err();
        assert!(why.contains("XDG_STATE_HOME"));
        let folder = tempfile::tempdir().unwrap();
        let file = JournalFile::at(folder.path().to_owned());
        assert!(Clerk::new(Some(file), Who::default()).write(Wall(1), "1", mark("x")).is_err());
    }
}
