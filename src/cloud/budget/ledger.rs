//! The budget that processes of one user share: one small locked file per scope in the runtime directory.
//!
//! Best effort: whatever goes wrong with a file, the caller goes on with its own count and says so. Never
//! waits for a lock, for its holder may be stopped. Opens no file but its own.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::cloud::budget::Budget;
use crate::domain::scope::Scope;

/// The buckets of a scope by name.
pub(super) type Page = BTreeMap<String, Budget>;

/// A larger file is not ours.
const LARGEST: u64 = 64 * 1024;

/// The files of all scopes.
#[derive(Debug)]
pub(in crate::cloud) struct Ledger {
    directory: PathBuf,
}

/// Why a page could not be changed.
#[derive(Debug)]
pub(super) enum Failed {
    /// Another process holds it just now.
    Busy,
    /// It will not get better.
    Io(io::Error),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Ledger {
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Reads, changes and writes the page of a scope under its lock.
    pub(super) fn change<T>(&self, scope: &Scope, change: impl FnOnce(&mut Page) -> T) -> Result<T, Failed> {
        let mut file = self.open(scope)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Failed::Busy),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut text = String::new();
        // What cannot be read is begun anew: a torn write must not stop every process for ever.
        let read = (&mut file).take(LARGEST).read_to_string(&mut text);
        let mut page: Page = match read {
            Ok(_) => serde_json::from_str(&text).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Page::new(),
            Err(error) => return Err(error.into()),
        };
        let result = change(&mut page);
        let text = serde_json::to_vec(&page).map_err(io::Error::from)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&text)?;
        file.set_len(u64::try_from(text.len()).unwrap_or(LARGEST))?;
        Ok(result)
    }

    fn open(&self, scope: &Scope) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let path = self.path(scope);
        match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
                options.open(&path)
            }
            other => other,
        }
    }

    pub(super) fn path(&self, scope: &Scope) -> PathBuf {
        let plain = |text: &str| -> String {
            text.chars()
                .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
                .take(64)
                .collect()
        };
        let name = format!("budget.{}.{}.json", plain(scope.account.as_str()), plain(scope.region.as_str()));
        Path::new(&self.directory).join(name)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cloud::budget::quota;
    use crate::domain::query::Class;

    fn scope() -> Scope {
        Scope::new("ops/../prod", "eu-west-2")
    }

    #[test]
    fn two_ledgers_share_one_page() {
        let directory = tempfile::tempdir().unwrap();
        let quota = quota::of("ecs:ListServices", "eu-west-2");
        let ledgers = [Ledger::new(directory.path().join("a/b")), Ledger::new(directory.path().join("a/b"))];
        let mut granted = 0;
        for turn in 0..200 {
            let took = ledgers[turn % 2].change(&scope(), |page| {
                let budget = page.entry(quota.name.to_owned()).or_insert_with(|| Budget::full(&quota, 100.0));
                budget.take(&quota, Class::Foreground, 100.0)
            });
            granted += usize::from(took.unwrap().is_ok());
        }
        assert_eq!(granted, 60, "together they have the 60 % of one burst");
        let path = ledgers[0].path(&scope());
        assert_eq!(path.parent().unwrap(), directory.path().join("a/b"), "a name cannot leave the directory");
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_page_is_begun_anew_and_a_held_one_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger::new(directory.path().to_owned());
        for broken in [&b"{\"x\": "[..], b"\xff\xfe", b"", b"[1,2,3]"] {
            let mut file = ledger.open(&scope()).unwrap();
            file.write_all(broken).unwrap();
            drop(file);
            let entries = ledger.change(&scope(), |page| page.len()).unwrap();
            assert_eq!(entries, 0);
        }
        let held = ledger.open(&scope()).unwrap();
        held.lock().unwrap();
        assert!(matches!(ledger.change(&scope(), |_| ()), Err(Failed::Busy)));
    }

    #[test]
    fn no_directory_is_an_error_and_not_a_wait() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger::new(directory.path().join("file/below"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).open(directory.path().join("file")).unwrap();
        assert!(matches!(ledger.change(&scope(), |_| ()), Err(Failed::Io(_))));
    }
}
