//! A single line of input: filter, palette.
//!
//! Must not be used for secrets, which have their own zeroized type.

use unicode_segmentation::UnicodeSegmentation;

/// The longest line that makes sense in a filter or a command; a paste beyond it is cut, and said so.
pub const LONGEST: usize = 4_096;

/// Text with a cursor between characters (as a byte position).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    at: usize,
}

impl Line {
    /// A line with the cursor at its end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), at: text.len() }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    #[must_use]
    pub fn before(&self) -> &str {
        &self.text[..self.at]
    }

    /// Replaces all, cursor at the end.
    pub fn set(&mut self, text: &str) {
        *self = Self::new(text);
    }

    /// Types text; line breaks become blanks, other controls are dropped. Says how many bytes did not fit.
    pub fn insert(&mut self, text: &str) -> usize {
        let room = LONGEST.saturating_sub(self.text.len());
        let mut clean = String::new();
        for c in text.chars() {
            let c = if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
            if c.is_control() {
                continue;
            }
            if clean.len() + c.len_utf8() > room {
                break;
            }
            clean.push(c);
        }
        self.text.insert_str(self.at, &clean);
        self.at += clean.len();
        text.len().saturating_sub(room.max(clean.len()))
    }

    /// Deletes the character before the cursor; says whether there was one.
    pub fn backspace(&mut self) -> bool {
        let Some(cluster) = self.before().graphemes(true).next_back() else { return false };
        let start = self.at - cluster.len();
        self.text.replace_range(start..self.at, "");
        self.at = start;
        true
    }

    /// Deletes the character after the cursor.
    pub fn delete(&mut self) {
        if let Some(cluster) = self.text[self.at..].graphemes(true).next() {
            let end = self.at + cluster.len();
            self.text.replace_range(self.at..end, "");
        }
    }

    /// Deletes the word before the cursor.
    pub fn delete_word(&mut self) {
        let trimmed = self.before().trim_end();
        let start = trimmed
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + trimmed[at..].chars().next().map_or(1, char::len_utf8));
        self.text.replace_range(start..self.at, "");
        self.at = start;
    }

    /// Deletes all before the cursor.
    pub fn delete_to_start(&mut self) {
        self.text.replace_range(..self.at, "");
        self.at = 0;
    }

    /// One character to the left.
    pub fn left(&mut self) {
        if let Some(cluster) = self.before().graphemes(true).next_back() {
            self.at -= cluster.len();
        }
    }

    /// One character to the right.
    pub fn right(&mut self) {
        if let Some(cluster) = self.text[self.at..].graphemes(true).next() {
            self.at += cluster.len();
        }
    }

    /// To the start.
    pub fn home(&mut self) {
        self.at = 0;
    }

    /// To the end.
    pub fn end(&mut self) {
        self.at = self.text.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_and_characters_are_deleted_whole() {
        let mut line = Line::new("filter naïve 日本");
        line.backspace();
        assert_eq!(line.text(), "filter naïve 日");
        line.delete_word();
        assert_eq!(line.text(), "filter naïve ");
        line.delete_word();
        assert_eq!(line.text(), "filter ");
    }

    #[test]
    fn a_paste_of_a_megabyte_is_cut_and_counted() {
        let mut line = Line::default();
        let lost = line.insert(&"x".repeat(1 << 20));
        assert_eq!(line.text().len(), LONGEST);
        assert_eq!(lost, (1 << 20) - LONGEST);
    }

    proptest! {
        #[test]
        fn the_cursor_never_leaves_the_text(edits in proptest::collection::vec((0u8..9, any::<String>()), 0..40)) {
            let mut line = Line::default();
            for (edit, text) in edits {
                match edit {
                    0 | 1 => { line.insert(&text); }
                    2 => { line.backspace(); }
                    3 => line.delete(),
                    4 => line.delete_word(),
                    5 => line.left(),
                    6 => line.right(),
                    7 => line.home(),
                    _ => line.delete_to_start(),
                }
                prop_assert!(line.text().is_char_boundary(line.at));
                prop_assert!(!line.text().chars().any(char::is_control));
            }
        }
    }
}
