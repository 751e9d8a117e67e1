//! The binary in an empty environment: no variable, no home, no credentials but those that a test gives.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The binary and what surrounds it.
pub struct Program {
    home: TempDir,
    variables: BTreeMap<String, String>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Program {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let variables = BTreeMap::from([
            ("HOME".to_owned(), home.path().display().to_string()),
            ("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()),
        ]);
        Self { home, variables }
    }

    /// The same with a variable.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same against a server, with keys and a region.
    pub fn against(self, url: &str) -> Self {
        self.with("AWS_ENDPOINT_URL", url)
            .with("AWS_ACCESS_KEY_ID", "simulator")
            .with("AWS_SECRET_ACCESS_KEY", "simulator")
            .with("AWS_REGION", "us-east-1")
    }

    /// Writes a file below the home.
    #[expect(clippy::disallowed_methods, reason = "a test writes what the program reads")]
    pub fn file(&self, path: &str, text: &[u8]) -> PathBuf {
        let path = self.home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The journal that it wrote, if it wrote one: the only file of its folder.
    #[expect(clippy::disallowed_methods, reason = "a test reads what the program wrote")]
    pub fn journal(&self) -> Option<String> {
        let folder = self.home.path().join(".local/state/opsdeck/journal");
        let files: Vec<PathBuf> =
            std::fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() < 2, "{files:?}");
        std::fs::read_to_string(files.first()?).ok()
    }

    #[expect(clippy::disallowed_methods, reason = "a test runs the program")]
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opsdeck"));
        command.args(words).env_clear().envs(&self.variables).current_dir(self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, words: &[&str]) -> Outcome {
        let output = self.command(words).output().unwrap();
        let home = self.home.path().display().to_string();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&home, "~");
        Outcome {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}
