//! The panes that lead to what is wrong: fleet, alarms, databases, caches, secrets, changes. Each is a list of
//! identities; what they stand for is in the world.
//!
//! Must not judge: rows come from `diagnose`, this orders, folds and filters them.

mod rows;

use std::collections::{BTreeMap, HashMap};

use crate::app::Reading;
use crate::app::pane::PaneId;
use crate::app::pane::list::ListPane;
use crate::diagnose::Subject;
use crate::diagnose::change::{Change, ChangeKind};
use crate::diagnose::fleet::Fleet;
use crate::domain::alarm::AlarmId;
use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;

pub use rows::{alarm_severity, settle};

/// What a row stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Item {
    /// A resource.
    Subject(Subject),
    /// A parameter of SSM.
    Parameter(Scope, String),
    /// A node of the secrets' tree that only holds others.
    Branch(Scope, String),
    /// A change.
    Change(Box<ChangeKey>),
}

/// What tells one change from another: two may happen to one resource in one second.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChangeKey {
    /// When.
    pub at: Wall,
    /// What kind.
    pub kind: ChangeKind,
    /// Where.
    pub scope: Scope,
    /// What it is about.
    pub name: String,
    /// What happened.
    pub sentence: String,
}

impl ChangeKey {
    fn is_of(&self, change: &Change) -> bool {
        (self.at, self.kind) == (change.at, change.kind)
            && self.name == change.name
            && self.scope == change.scope
            && self.sentence == change.sentence
    }
}

/// A list of a pane.
pub type Items = ListPane<Item, ()>;

/// The panes.
#[derive(Clone, Debug, Default)]
pub struct Triage {
    lists: BTreeMap<PaneId, Items>,
    /// The judgement that the rows follow.
    pub fleet: Fleet,
    /// Whether calm rows are shown too: by pane, where somebody decided.
    pub unfolded: BTreeMap<PaneId, bool>,
    /// Rows folded away, by pane.
    pub folded: BTreeMap<PaneId, usize>,
    /// How deep a row stands under others.
    pub depth: HashMap<Item, usize>,
    /// What a row of the secrets' tree is labelled.
    pub labels: HashMap<Item, String>,
    /// The changes that the rows stand for, as of when they were last seen.
    pub changes: Vec<Change>,
    /// How many services read a parameter of SSM, as of when the secrets were last seen.
    pub readers: HashMap<Item, usize>,
    /// How far the task definitions were read, which tell who reads a secret.
    pub reading: Reading,
    /// Which of the lists are on the screen: what nobody sees keeps the rows that it had.
    pub seen: [bool; 6],
    /// The alarm from which one jumped to what it watches.
    pub came_from: Option<AlarmId>,
}

impl Triage {
    /// The panes that are such lists.
    pub const PANES: [PaneId; 6] =
        [PaneId::Fleet, PaneId::Alarms, PaneId::Databases, PaneId::Caches, PaneId::Secrets, PaneId::Changes];

    /// Empty lists.
    #[must_use]
    pub fn new() -> Self {
        let lists = Self::PANES.into_iter().map(|pane| (pane, Items::default())).collect();
        Self { lists, ..Self::default() }
    }

    /// A pane's list; `None` for a pane of another kind.
    #[must_use]
    pub fn list(&self, pane: PaneId) -> Option<&Items> {
        self.lists.get(&pane)
    }

    /// The same, to change.
    pub fn list_mut(&mut self, pane: PaneId) -> Option<&mut Items> {
        self.lists.get_mut(&pane)
    }

    /// A pane's selected row.
    #[must_use]
    pub fn selected(&self, pane: PaneId) -> Option<&Item> {
        self.list(pane)?.selected()
    }

    /// Whether a pane folds its calm rows.
    #[must_use]
    pub fn folds(&self, pane: PaneId) -> bool {
        !self.unfolded.get(&pane).copied().unwrap_or(false)
    }

    /// The change that a row stands for.
    #[must_use]
    pub fn change(&self, item: &Item) -> Option<&Change> {
        let Item::Change(key) = item else { return None };
        self.changes.iter().find(|change| key.is_of(change))
    }
}
