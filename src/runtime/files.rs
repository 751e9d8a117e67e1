//! The door to files that people write: configuration, keymaps, themes.
//!
//! Must not look in the current directory on its own: every path comes from the caller.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// More than any configuration file holds; what is larger was named by mistake.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read {path}: {why}")]
pub struct Unreadable {
    /// The file.
    pub path: String,
    /// The system's reason.
    pub why: String,
}

/// Reads a text file; `None` when there is none.
///
/// # Errors
/// When it exists but cannot be read, is not UTF-8, is not a file, or is implausibly large.
pub fn read_if_there(path: &Path) -> Result<Option<String>, Unreadable> {
    let unreadable = |why: &str| Unreadable { path: path.display().to_string(), why: why.to_owned() };
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(&reason(&error))),
    };
    if !about.is_file() {
        return Err(unreadable("it is not a file"));
    }
    if about.len() > LARGEST {
        return Err(unreadable("it is larger than 4 MiB"));
    }
    #[expect(clippy::disallowed_methods, reason = "the door of files that are read")]
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::InvalidData => Err(unreadable("it is not UTF-8 text")),
        Err(error) => Err(unreadable(&reason(&error))),
    }
}

/// Reads a text file that somebody named.
///
/// # Errors
/// As `read_if_there`, and when there is none.
pub fn read(path: &Path) -> Result<String, Unreadable> {
    read_if_there(path)?.ok_or_else(|| Unreadable {
        path: path.display().to_string(),
        why: "there is no such file".to_owned(),
    })
}

/// Opens a file for appending that only its owner may read.
///
/// # Errors
/// The system's.
pub fn append_private(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    // The mode above holds for a new file only.
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Makes a folder, and those above it, that only their owner may enter.
///
/// # Errors
/// The system's.
pub fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Opens the journal to read its end and append to it.
///
/// # Errors
/// The system's.
pub fn open_journal(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mut options = std::fs::OpenOptions::new();
    let file = options.create(true).read(true).append(true).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Puts a folder's list of names on disk.
///
/// # Errors
/// The system's.
#[expect(clippy::disallowed_methods, reason = "the door of files")]
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// A file's bytes.
///
/// # Errors
/// The system's.
pub fn read_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}

/// The files of a folder, sorted; none when there is no such folder.
///
/// # Errors
/// When it exists but cannot be listed.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    let unreadable =
        |error: &std::io::Error| Unreadable { path: folder.display().to_string(), why: reason(error) };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(unreadable(&error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|error| unreadable(&error))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The system's words without its error number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_fine_unless_it_was_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert_eq!(read_if_there(&path), Ok(None));
        assert!(read(&path).unwrap_err().to_string().ends_with("config.toml: there is no such file"));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test writes the file that the door reads")]
    fn what_is_not_a_text_file_is_refused_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_if_there(folder.path()).unwrap_err().why, "it is not a file");
        let path = folder.path().join("config.toml");
        std::fs::write(&path, b"\xff\xfe").unwrap();
        assert_eq!(read_if_there(&path).unwrap_err().why, "it is not UTF-8 text");
        std::fs::write(&path, "a = 1").unwrap();
        assert_eq!(read_if_there(&path), Ok(Some("a = 1".to_owned())));
    }
}
