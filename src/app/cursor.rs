//! A list's selection, by identity. Rows may be sorted, filtered and refreshed underneath: the selection
//! stays with its row, and a row that vanished leaves nothing selected rather than its neighbour.
//!
//! Must not know what a row is.

/// Where a list stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor<I> {
    /// The selected identity; it may have vanished from the rows.
    selected: Option<I>,
    /// Where it stood last.
    index: usize,
    /// First visible row.
    offset: usize,
    /// Whether a person has moved it. Until then the first row of the last frame counts as selected, so that
    /// a list that is still being loaded and sorted keeps its top in view.
    touched: bool,
}

impl<I> Default for Cursor<I> {
    fn default() -> Self {
        Self { selected: None, index: 0, offset: 0, touched: false }
    }
}

impl<I: PartialEq + Clone> Cursor<I> {
    /// The selected identity, if it is among the rows.
    pub fn selected<'a>(&self, rows: &'a [I]) -> Option<&'a I> {
        let wanted = self.selected.as_ref()?;
        match rows.get(self.index) {
            Some(row) if row == wanted => Some(row),
            _ => rows.iter().find(|row| *row == wanted),
        }
    }

    /// The selected row's position.
    #[must_use]
    pub fn position(&self, rows: &[I]) -> Option<usize> {
        let wanted = self.selected.as_ref()?;
        match rows.get(self.index) {
            Some(row) if row == wanted => Some(self.index),
            _ => rows.iter().position(|row| row == wanted),
        }
    }

    /// The position to highlight: the selected row's, or the first one's while nobody has moved.
    #[must_use]
    pub fn highlighted(&self, rows: &[I]) -> Option<usize> {
        if self.touched { self.position(rows) } else { (!rows.is_empty()).then_some(0) }
    }

    /// First visible row.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Follows its identity to where the rows now have it, and keeps it in view.
    pub fn settle(&mut self, rows: &[I], height: usize) {
        if !self.touched {
            // The top stays in view; what is selected is what the last frame showed (see `presented`).
            self.offset = 0;
            self.index = 0;
            return;
        }
        if let Some(position) = self.position(rows) {
            self.index = position;
        }
        self.index = self.index.min(rows.len().saturating_sub(1));
        self.scroll(rows.len(), height);
    }

    /// A frame was written whose first row was this one: in an untouched list a key will act on it.
    pub fn presented(&mut self, top: Option<I>) {
        if !self.touched {
            self.selected = top;
        }
    }

    /// Moves by rows.
    pub fn step(&mut self, rows: &[I], by: isize, height: usize) {
        if rows.is_empty() {
            return;
        }
        let from = self.position(rows).unwrap_or_else(|| self.index.min(rows.len() - 1));
        let to = from.saturating_add_signed(by).min(rows.len() - 1);
        self.put(rows, to, height);
    }

    /// Selects a position.
    pub fn put(&mut self, rows: &[I], position: usize, height: usize) {
        if let Some(row) = rows.get(position) {
            self.selected = Some(row.clone());
            self.index = position;
            self.touched = true;
            self.scroll(rows.len(), height);
        }
    }

    /// Selects an identity, whether or not it is listed yet.
    pub fn select(&mut self, identity: I) {
        self.selected = Some(identity);
        self.touched = true;
    }

    /// Back to the untouched state: another filter, another subject.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    fn scroll(&mut self, rows: usize, height: usize) {
        let height = height.max(1);
        if self.index < self.offset {
            self.offset = self.index;
        }
        if self.index >= self.offset + height {
            self.offset = self.index + 1 - height;
        }
        self.offset = self.offset.min(rows.saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_follows_its_identity_through_a_sort() {
        let mut cursor = Cursor::default();
        cursor.step(&["a", "b", "c"], 1, 10);
        assert_eq!(cursor.selected(&["a", "b", "c"]), Some(&"b"));
        cursor.settle(&["c", "a", "b"], 10);
        assert_eq!(cursor.position(&["c", "a", "b"]), Some(2));
    }

    #[test]
    fn a_vanished_row_leaves_nothing_selected() {
        let mut cursor = Cursor::default();
        cursor.step(&["a", "b", "c"], 1, 10);
        cursor.settle(&["a", "c"], 10);
        assert_eq!(cursor.selected(&["a", "c"]), None);
        cursor.step(&["a", "c"], 1, 10);
        assert_eq!(cursor.selected(&["a", "c"]), Some(&"c"), "moving goes on from where it was");
    }

    #[test]
    fn an_untouched_list_acts_on_the_row_that_the_last_frame_showed_first() {
        let mut cursor = Cursor::default();
        cursor.presented(Some("a"));
        let resorted = ["b", "a"];
        cursor.settle(&resorted, 10);
        assert_eq!(cursor.selected(&resorted), Some(&"a"), "the frame with `b` on top was not written yet");
        cursor.presented(Some("b"));
        assert_eq!(cursor.selected(&resorted), Some(&"b"));
    }

    #[test]
    fn the_selection_stays_in_view() {
        let rows: Vec<u32> = (0..100).collect();
        let mut cursor = Cursor::default();
        for _ in 0..50 {
            cursor.step(&rows, 1, 10);
        }
        let position = cursor.position(&rows).unwrap();
        assert!(position >= cursor.offset() && position < cursor.offset() + 10);
        cursor.settle(&rows[..20], 10);
        assert!(cursor.offset() <= 10);
    }
}
