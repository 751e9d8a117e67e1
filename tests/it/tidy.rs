//! The rules of the code base that no compiler holds: floors, fences, prologues, lengths, names, licences.
//!
//! Each rule is a pure function over source text, and each is shown here to be able to fail.

#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/rules.rs"]
mod rules;

use std::path::{Path, PathBuf};

/// A source file of the package.
pub struct Source {
    /// Its path from the package's folder, with slashes: `src/app/world.rs`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The package's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder of the package.
pub fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(Source { text: read(&path), path: name(&path) });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "{folder} has no Rust files");
    found
}

#[expect(clippy::disallowed_methods, reason = "a test reads the sources that it judges")]
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/")
}

/// Fails with all findings at once.
pub fn none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
