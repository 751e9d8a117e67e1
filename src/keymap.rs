//! Keymaps: sequences of keys to commands, by context. Files are checked when they are read; hints, help and
//! `opsdeck keys` come from the same table that resolves keys.
//!
//! Floor 3. Must not know the terminal library, and must not act: it answers which command a key means.

mod file;
mod key;

use std::collections::BTreeMap;
use std::ops::Bound;

pub use key::{Code, Key, sequence_text};

use crate::command::{Context, Id, Invocation};

/// What is wrong with a keymap file, with its place.
pub type KeymapError = crate::stdx::document::Mistake;

const DEFAULT: &str = "default";

/// In `run`: this key does nothing, whatever the layer below says. In `inherits`: there is no layer below.
const NOTHING: &str = "nothing";

/// The shipped keymaps, in the order in which they are offered; the first one is the default.
const SHIPPED: &[(&str, &str)] = &[
    (DEFAULT, include_str!("../keymaps/default.toml")),
    ("vim", include_str!("../keymaps/vim.toml")),
    ("emacs", include_str!("../keymaps/emacs.toml")),
];

/// Commands that have no key in the default keymap, on purpose: the palette gives them.
pub const PALETTE_ONLY: &[Id] = &[
    Id::Whoami,
    Id::Clusters,
    Id::Services,
    Id::Service,
    Id::Autoscaling,
    Id::Capacity,
    Id::Restart,
    Id::Continue,
    Id::RunTask,
    Id::Rotate,
    Id::SecretPut,
    Id::SecretRestore,
    Id::SecretUnstick,
    Id::RdsReboot,
    Id::RdsFailover,
    Id::RdsSnapshot,
    Id::RdsGrow,
    Id::CacheFailover,
    Id::AlarmMute,
    Id::AlarmEnable,
    Id::AlarmDisable,
    Id::IncidentOpen,
    Id::IncidentClose,
    Id::Keymap,
];

/// What a sequence of keys means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// This command.
    Run(Invocation),
    /// Nothing yet: more keys must follow.
    Pending,
    /// Nothing.
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Binding {
    invocation: Invocation,
    note: Option<String>,
    order: usize,
}

/// A keymap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    /// Its name.
    pub name: String,
    /// One line about it.
    pub description: String,
    // Sorted by keys, so that the sequences that begin alike stand together: a trie without its nodes.
    tables: BTreeMap<Context, BTreeMap<Vec<Key>, Binding>>,
}

/// A line of a listing: the keys of one command in one context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The sequences, as text, in the order of the file.
    pub keys: Vec<String>,
    /// The command; of several that differ in their arguments, the first.
    pub invocation: Invocation,
    /// The row's note, or the command's own line.
    pub doc: String,
}

impl Line {
    /// The keys in one text; a long row of them is written by its ends.
    #[must_use]
    pub fn keys_text(&self) -> String {
        match self.keys.as_slice() {
            [first, _, _, _, .., last] => format!("{first} … {last}"),
            keys => keys.join(", "),
        }
    }
}

impl Default for Keymap {
    fn default() -> Self {
        Self::builtin(DEFAULT).unwrap_or_else(|| Self {
            name: DEFAULT.to_owned(),
            description: String::new(),
            tables: BTreeMap::new(),
        })
    }
}

impl Keymap {
    /// The names of the shipped keymaps, the default first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// The text of a shipped keymap's file.
    #[must_use]
    pub fn shipped(name: &str) -> Option<&'static str> {
        SHIPPED.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
    }

    /// A shipped keymap.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        Self::parse(&format!("{name}.toml"), Self::shipped(name)?, &|_| None).ok()
    }

    /// Reads a keymap file. `find` gives the text of other keymaps of the user by name; shipped ones are
    /// known. Without `inherits`, a file builds on the default keymap.
    ///
    /// # Errors
    /// When the file is not a keymap; the error names file, line and key.
    pub fn parse<'t>(
        source_name: &str,
        text: &'t str,
        find: &dyn Fn(&str) -> Option<&'t str>,
    ) -> Result<Self, KeymapError> {
        file::parse(source_name, text, find)
    }

    /// This keymap with a user's own rows over it.
    ///
    /// # Errors
    /// When the text is not a keymap; the error names file, line and key.
    pub fn extended(self, source_name: &str, text: &str) -> Result<Self, KeymapError> {
        file::extend(self, source_name, text)
    }

    /// What the keys typed so far mean where these contexts are active: the most specific context that knows
    /// the sequence, or one that begins with it, decides.
    #[must_use]
    pub fn resolve(&self, keys: &[Key], active: &[Context]) -> Lookup {
        for context in specific_first(active) {
            let Some(table) = self.tables.get(&context) else { continue };
            if let Some(binding) = table.get(keys) {
                return Lookup::Run(binding.invocation.clone());
            }
            let mut after = table.range::<[Key], _>((Bound::Excluded(keys), Bound::Unbounded));
            if !keys.is_empty() && after.next().is_some_and(|(next, _)| next.starts_with(keys)) {
                return Lookup::Pending;
            }
        }
        Lookup::None
    }

    /// The sequences that run a command here, as text: the shortest first. One that a more specific context
    /// uses for something else is left out.
    #[must_use]
    pub fn keys_for(&self, id: Id, active: &[Context]) -> Vec<String> {
        self.keys_where(active, |invocation| invocation.id == id)
    }

    /// The same for a command with exactly these arguments.
    #[must_use]
    pub fn keys_for_exactly(&self, wanted: &Invocation, active: &[Context]) -> Vec<String> {
        self.keys_where(active, |invocation| invocation == wanted)
    }

    fn keys_where(&self, active: &[Context], wanted: impl Fn(&Invocation) -> bool) -> Vec<String> {
        let mut found: Vec<(usize, usize, String)> = Vec::new();
        for context in specific_first(active) {
            for (keys, binding) in self.tables.get(&context).into_iter().flatten() {
                // Asked with each frame, for a dozen commands: only what is wanted is written out.
                if !wanted(&binding.invocation) || !self.is_reachable(keys, &binding.invocation, active) {
                    continue;
                }
                let text = sequence_text(keys);
                if found.iter().all(|(_, _, other)| *other != text) {
                    found.push((keys.len(), binding.order, text));
                }
            }
        }
        found.sort();
        found.into_iter().map(|(_, _, text)| text).collect()
    }

    fn is_reachable(&self, keys: &[Key], invocation: &Invocation, active: &[Context]) -> bool {
        let typed = (1..keys.len())
            .all(|n| keys.get(..n).is_some_and(|begun| self.resolve(begun, active) == Lookup::Pending));
        typed && self.resolve(keys, active) == Lookup::Run(invocation.clone())
    }

    /// All keys, grouped by context, the most general first.
    #[must_use]
    pub fn listing(&self) -> Vec<(Context, Vec<Line>)> {
        self.group(Context::ALL, |_, _| true)
    }

    /// The keys that work here, grouped by context, the most specific first.
    #[must_use]
    pub fn listing_for(&self, active: &[Context]) -> Vec<(Context, Vec<Line>)> {
        self.group(&specific_first(active), |keys, invocation| self.is_reachable(keys, invocation, active))
    }

    /// What may follow the keys typed so far, as text with the command's line, for the pending-key hint.
    #[must_use]
    pub fn continuations(&self, begun: &[Key], active: &[Context]) -> Vec<Line> {
        let follows = |keys: &[Key], invocation: &Invocation| {
            keys.len() > begun.len() && keys.starts_with(begun) && self.is_reachable(keys, invocation, active)
        };
        self.group(&specific_first(active), follows).into_iter().flat_map(|(_, lines)| lines).collect()
    }

    fn group(
        &self,
        contexts: &[Context],
        keep: impl Fn(&[Key], &Invocation) -> bool,
    ) -> Vec<(Context, Vec<Line>)> {
        let mut groups = Vec::new();
        for context in contexts {
            let Some(table) = self.tables.get(context) else { continue };
            let mut rows: Vec<_> = table.iter().filter(|(k, b)| keep(k, &b.invocation)).collect();
            rows.sort_by_key(|(_, binding)| binding.order);
            let mut lines: Vec<Line> = Vec::new();
            for (keys, binding) in rows {
                let id = binding.invocation.id;
                let doc = binding.note.clone().unwrap_or_else(|| id.command().doc.to_owned());
                let text = sequence_text(keys);
                match lines.iter_mut().find(|line| line.invocation.id == id && line.doc == doc) {
                    Some(line) => line.keys.push(text),
                    None => {
                        let invocation = binding.invocation.clone();
                        lines.push(Line { keys: vec![text], invocation, doc });
                    }
                }
            }
            if !lines.is_empty() {
                groups.push((*context, lines));
            }
        }
        groups
    }
}

/// `Context` is declared from the general to the specific.
fn specific_first(active: &[Context]) -> Vec<Context> {
    let mut contexts = active.to_vec();
    contexts.sort_unstable_by(|a, b| b.cmp(a));
    contexts.dedup();
    contexts
}

#[cfg(test)]
mod tests;
