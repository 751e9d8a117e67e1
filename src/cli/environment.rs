//! The one door to the process's environment: variables, terminal, arguments. The rest of opsdeck gets a
//! plain value, so that a test can say what the environment is.
//!
//! Must not interpret: what a variable means is decided where it is used.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

/// The environment as opsdeck sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// Whether stdin is a terminal.
    pub stdin_is_terminal: bool,
    /// Whether stdout is a terminal.
    pub stdout_is_terminal: bool,
    /// The terminal's columns, when stdout is one that tells.
    pub columns: Option<u16>,
}

/// Which variables are taken in: by name, or by how they begin.
const NAMES: &[&str] = &[
    "HOME",
    "HOSTNAME",
    "USER",
    "NO_COLOR",
    "TERM",
    "COLORTERM",
    "COLUMNS",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TMUX",
    "STY",
    "TZ",
];
const BEGINNINGS: &[&str] = &["AWS_", "XDG_", "SSH_", "OPSDECK_"];

/// The command line's words, the program's own name first.
pub fn arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os()
}

impl Environment {
    /// The process's own.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the door of the environment")]
    pub fn of_process() -> Self {
        let stdout_is_terminal = std::io::stdout().is_terminal();
        let columns = if stdout_is_terminal {
            rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| size.ws_col)
        } else {
            None
        };
        let wanted = |name: &str| {
            NAMES.contains(&name) || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        };
        Self {
            // A variable that is not Unicode cannot be meant for us; the SDK would not read it either.
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .filter(|(name, _)| wanted(name))
                .collect(),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal,
            columns: columns.filter(|columns| *columns > 0),
        }
    }

    /// One made of variables, away from any terminal.
    #[cfg(test)]
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self {
            variables: variables.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            ..Self::default()
        }
    }

    /// A variable's value; an empty one counts as unset, as shells and the SDK have it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All variables that begin so.
    pub fn beginning<'a>(&'a self, beginning: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.variables
            .iter()
            .filter(move |(name, value)| name.starts_with(beginning) && !value.is_empty())
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Where opsdeck's configuration lies: `$XDG_CONFIG_HOME/opsdeck` or `~/.config/opsdeck`.
    #[must_use]
    pub fn config_folder(&self) -> Option<PathBuf> {
        self.xdg("XDG_CONFIG_HOME", ".config")
    }

    /// Where opsdeck's journal lies: `$XDG_STATE_HOME/opsdeck` or `~/.local/state/opsdeck`.
    #[must_use]
    pub fn state_folder(&self) -> Option<PathBuf> {
        self.xdg("XDG_STATE_HOME", ".local/state")
    }

    /// The user's name, with the number that the system knows and nobody can set.
    #[must_use]
    pub fn user(&self) -> String {
        let number = rustix::process::getuid().as_raw();
        self.get("USER").map_or_else(|| format!("uid{number}"), |name| format!("{name}.{number}"))
    }

    /// The machine's name.
    #[must_use]
    pub fn host(&self) -> String {
        let own = crate::runtime::files::read_if_there(std::path::Path::new("/proc/sys/kernel/hostname"));
        let own = own.ok().flatten().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        own.or_else(|| self.get("HOSTNAME").map(ToOwned::to_owned)).unwrap_or_else(|| "localhost".to_owned())
    }

    /// Where processes of one user meet: `$XDG_RUNTIME_DIR/opsdeck`.
    #[must_use]
    pub fn runtime_folder(&self) -> Option<PathBuf> {
        self.get("XDG_RUNTIME_DIR").map(|folder| PathBuf::from(folder).join("opsdeck"))
    }

    /// The XDG rules want an absolute path and have a relative one ignored; that also keeps configuration
    /// from ever being read from the current directory.
    fn xdg(&self, variable: &str, under_home: &str) -> Option<PathBuf> {
        let absolute = |name: &str| self.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        absolute(variable)
            .or_else(|| absolute("HOME").map(|home| home.join(under_home)))
            .map(|folder| folder.join("opsdeck"))
    }

    /// Whether characters beyond ASCII arrive as what they are.
    #[must_use]
    pub fn is_unicode(&self) -> bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| self.get(name));
        locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_is_never_looked_for_below_the_current_directory() {
        let folder = |variables: &[(&str, &str)]| {
            Environment::of(variables.iter().copied()).config_folder().map(|f| f.display().to_string())
        };
        assert_eq!(folder(&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")]).as_deref(), Some("/x/opsdeck"));
        assert_eq!(
            folder(&[("XDG_CONFIG_HOME", "."), ("HOME", "/h")]).as_deref(),
            Some("/h/.config/opsdeck")
        );
        assert_eq!(folder(&[("HOME", "")]), None);
        assert_eq!(folder(&[("HOME", "relative")]), None);
    }

    #[test]
    fn the_locale_decides_about_unicode_in_posix_order() {
        assert!(Environment::of([("LANG", "en_GB.UTF-8")]).is_unicode());
        assert!(!Environment::of([("LANG", "en_GB.UTF-8"), ("LC_ALL", "C")]).is_unicode());
        assert!(Environment::of([("LANG", "C"), ("LC_CTYPE", "C.utf8")]).is_unicode());
        assert!(!Environment::of([]).is_unicode());
    }
}
