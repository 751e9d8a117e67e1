//! Names with `/` as a tree: `codeguardians-gateway/production/database` stands under its system and stage.
//!
//! Must not change names: a row carries the whole path besides its label.

/// A row of the tree, in the order of drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeRow {
    /// What to draw: one part of the name, or several where nothing branches between them.
    pub label: String,
    /// The name from its beginning to this row.
    pub path: String,
    /// How far to indent.
    pub depth: usize,
    /// Which of the names it is; `None` for a row that only holds others.
    pub item: Option<usize>,
    /// How many names stand below it.
    pub below: usize,
}

/// The rows for a list of names, in the order of the names' text.
#[must_use]
pub fn tree<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<TreeRow> {
    let _ = names;
    Vec::new()
}
