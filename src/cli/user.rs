//! What the user's own files say: configuration, themes and keymaps, from the configuration folder or from
//! files named on the command line.
//!
//! Must not look in the current directory unless a file there was named.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::environment::Environment;
use crate::cli::exit::Problem;
use crate::cli::name::nearest;
use crate::cli::parser::Request;
use crate::config::{Config, Layer};
use crate::guard::Rules;
use crate::keymap::Keymap;
use crate::runtime::files::{self, Unreadable};
use crate::stdx::document::Mistake;
use crate::theme::Theme;

impl From<Unreadable> for Problem {
    fn from(unreadable: Unreadable) -> Self {
        Self::usage(unreadable.to_string())
    }
}

impl From<Mistake> for Problem {
    fn from(mistake: Mistake) -> Self {
        Self::usage(mistake.to_string())
    }
}

/// The configuration: the named file, which must exist, or the user's, which need not.
///
/// # Errors
/// When the file cannot be read or has a mistake.
pub fn config(request: &Request, environment: &Environment) -> Result<Config, Problem> {
    let (path, text) = match request.path("config") {
        Some(path) => {
            let text = files::read(&path)?;
            (path, text)
        }
        None => {
            let Some(path) = environment.config_folder().map(|folder| folder.join("config.toml")) else {
                return Ok(Config::default());
            };
            let Some(text) = files::read_if_there(&path)? else { return Ok(Config::default()) };
            (path, text)
        }
    };
    let source = path.display().to_string();
    let layers = [Layer { source: &source, text: &text }];
    Config::load(&layers)
        .map_err(|mistake| Problem::from(mistake).hint("opsdeck docs config shows every setting"))
}

/// The policy: the machine's file, then the user's; one that is not there says nothing.
///
/// # Errors
/// When one cannot be read or has a mistake.
pub fn policy(paths: &[Option<PathBuf>]) -> Result<Rules, Problem> {
    let mut texts = Vec::new();
    for path in paths {
        // A layer keeps its place: what only the user wrote may still only tighten.
        let text = path.as_deref().map(files::read_if_there).transpose()?.flatten();
        texts.push((
            path.as_ref().map_or_else(String::new, |p| p.display().to_string()),
            text.unwrap_or_default(),
        ));
    }
    let layers: Vec<Layer<'_>> = texts.iter().map(|(source, text)| Layer { source, text }).collect();
    crate::config::policy(&layers).map_err(|mistake| {
        Problem::from(mistake)
            .hint("nothing is changed while the policy cannot be read; opsdeck docs policy shows it")
    })
}

/// A kind of file that the user may have some of.
struct Shelf {
    noun: &'static str,
    folder: &'static str,
    shipped: Vec<&'static str>,
}

impl Shelf {
    fn themes() -> Self {
        Self { noun: "theme", folder: "themes", shipped: Theme::names().collect() }
    }

    fn keymaps() -> Self {
        Self { noun: "keymap", folder: "keymaps", shipped: Keymap::names().collect() }
    }

    /// The user's own files: name → path.
    fn own(&self, environment: &Environment) -> Result<BTreeMap<String, PathBuf>, Problem> {
        let Some(folder) = environment.config_folder() else { return Ok(BTreeMap::new()) };
        let named = |path: PathBuf| {
            let name = path.file_stem()?.to_str()?.to_owned();
            (path.extension()? == "toml").then_some((name, path))
        };
        Ok(files::list(&folder.join(self.folder))?.into_iter().filter_map(named).collect())
    }

    /// The text of all own files by name.
    fn texts(&self, environment: &Environment) -> Result<BTreeMap<String, String>, Problem> {
        let read = |(name, path): (String, PathBuf)| Ok((name, files::read(&path)?));
        self.own(environment)?.into_iter().map(read).collect()
    }

    /// Finds what was named: an own file by name, a file by path; `None` when it is a shipped one's name.
    fn find(&self, word: &str, environment: &Environment) -> Result<Option<PathBuf>, Problem> {
        let own = self.own(environment)?;
        if let Some(path) = own.get(word) {
            return Ok(Some(path.clone()));
        }
        if self.shipped.contains(&word) {
            return Ok(None);
        }
        if word.contains('/') || Path::new(word).extension().is_some_and(|end| end == "toml") {
            return Ok(Some(PathBuf::from(word)));
        }
        let known: Vec<&str> = own.keys().map(String::as_str).chain(self.shipped.iter().copied()).collect();
        let hint = match nearest(word, known.iter().copied()).first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}; a file is named by its path", known.join(", ")),
        };
        Err(Problem::usage(format!("there is no {} `{word}`", self.noun)).hint(hint))
    }
}

/// A theme by name or file.
///
/// # Errors
/// When there is none, or its file has a mistake.
pub fn theme(word: &str, environment: &Environment) -> Result<Theme, Problem> {
    let shelf = Shelf::themes();
    let Some(path) = shelf.find(word, environment)? else {
        return Theme::builtin(word).ok_or_else(|| Problem::usage(format!("there is no theme `{word}`")));
    };
    let texts = shelf.texts(environment)?;
    let text = files::read(&path)?;
    Ok(Theme::parse(&path.display().to_string(), &text, &|name| texts.get(name).map(String::as_str))?)
}

/// A keymap by name or file.
///
/// # Errors
/// When there is none, or its file has a mistake.
pub fn keymap(word: &str, environment: &Environment) -> Result<Keymap, Problem> {
    let shelf = Shelf::keymaps();
    let Some(path) = shelf.find(word, environment)? else {
        return Keymap::builtin(word).ok_or_else(|| Problem::usage(format!("there is no keymap `{word}`")));
    };
    let texts = shelf.texts(environment)?;
    let text = files::read(&path)?;
    Ok(Keymap::parse(&path.display().to_string(), &text, &|name| texts.get(name).map(String::as_str))?)
}

/// The names of all themes, shipped ones first, and whether each is the user's own.
///
/// # Errors
/// When the user's folder cannot be read.
pub fn themes(environment: &Environment) -> Result<Vec<String>, Problem> {
    names(&Shelf::themes(), environment)
}

/// The names of all keymaps, shipped ones first.
///
/// # Errors
/// When the user's folder cannot be read.
pub fn keymaps(environment: &Environment) -> Result<Vec<String>, Problem> {
    names(&Shelf::keymaps(), environment)
}

fn names(shelf: &Shelf, environment: &Environment) -> Result<Vec<String>, Problem> {
    let own = shelf.own(environment)?;
    let mut names: Vec<String> = shelf.shipped.iter().map(|name| (*name).to_owned()).collect();
    names.extend(own.into_keys().filter(|name| !shelf.shipped.contains(&name.as_str())));
    Ok(names)
}
