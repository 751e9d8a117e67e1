//! What every list pane has: a cursor by identity, a filter, a sort order, and the rows that follow from them.
//!
//! Must not know what a row holds: whoever owns the pane computes the rows.

use regex::{Regex, RegexBuilder};

use crate::app::cursor::Cursor;

/// A filter over the text of a row: words that must all occur, `-word` that must not, or `/regex/`.
/// Capitals in a word make it case-sensitive.
#[derive(Clone, Debug)]
pub struct Filter {
    /// As typed.
    pub text: String,
    terms: Vec<(bool, String, bool)>,
    regex: Option<Regex>,
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// When the regular expression is not one; the message names the place.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().to_owned();
        let pattern = text.strip_prefix('/').map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        if let Some(pattern) = pattern.filter(|p| !p.is_empty()) {
            let regex = RegexBuilder::new(pattern)
                .case_insensitive(!pattern.chars().any(char::is_uppercase))
                .size_limit(1 << 20)
                .build()
                .map_err(|error| explain(&error))?;
            return Ok(Self { text, terms: Vec::new(), regex: Some(regex) });
        }
        let terms = text
            .split_whitespace()
            .filter_map(|word| {
                let (wanted, word) = word.strip_prefix('-').map_or((true, word), |rest| (false, rest));
                let exact = word.chars().any(char::is_uppercase);
                (!word.is_empty()).then(|| (wanted, word.to_owned(), exact))
            })
            .collect();
        Ok(Self { text, terms, regex: None })
    }

    /// Whether a row of this text passes.
    #[must_use]
    pub fn passes(&self, row: &str) -> bool {
        self.passes_with(row, &mut String::new())
    }

    /// The same, in a buffer that is used again: a fleet has thousands of rows.
    pub fn passes_with(&self, row: &str, lower: &mut String) -> bool {
        if let Some(regex) = &self.regex {
            return regex.is_match(row);
        }
        lower.clear();
        if row.is_ascii() {
            lower.push_str(row);
            lower.make_ascii_lowercase();
        } else {
            lower.extend(row.chars().flat_map(char::to_lowercase));
        }
        self.terms.iter().all(|(wanted, word, exact)| {
            let found = if *exact { row.contains(word) } else { lower.contains(word) };
            found == *wanted
        })
    }

    /// Whether it lets everything pass.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.regex.is_none() && self.terms.is_empty()
    }
}

/// The last line of the regex crate's message says what is wrong; the lines above draw an arrow for a
/// terminal, which a one-line prompt has no room for.
fn explain(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or("not a regular expression").trim();
    format!("not a regular expression: {}", last.trim_start_matches("error: "))
}

/// The state of a list pane.
#[derive(Clone, Debug)]
pub struct ListPane<I, S> {
    /// Selection and scroll position.
    pub cursor: Cursor<I>,
    /// Filter.
    pub filter: Option<Filter>,
    /// Sort column.
    pub sort: S,
    /// Whether the order is turned round.
    pub reversed: bool,
    /// Rows that pass the filter, in order.
    pub rows: Vec<I>,
    /// Columns scrolled to the right.
    pub shift: u16,
}

impl<I: PartialEq + Clone, S: Default> Default for ListPane<I, S> {
    fn default() -> Self {
        Self {
            cursor: Cursor::default(),
            filter: None,
            sort: S::default(),
            reversed: false,
            rows: Vec::new(),
            shift: 0,
        }
    }
}

impl<I: PartialEq + Clone, S> ListPane<I, S> {
    /// The selected identity.
    #[must_use]
    pub fn selected(&self) -> Option<&I> {
        self.cursor.selected(&self.rows)
    }

    /// Whether a row of this text passes the filter.
    #[must_use]
    pub fn passes(&self, row: &str) -> bool {
        self.filter.as_ref().is_none_or(|f| f.passes(row))
    }

    /// Moves the cursor.
    pub fn move_by(&mut self, motion: Motion, height: usize) {
        let page = isize::try_from(height.max(2) - 1).unwrap_or(isize::MAX);
        match motion {
            Motion::Up => self.cursor.step(&self.rows, -1, height),
            Motion::Down => self.cursor.step(&self.rows, 1, height),
            Motion::PageUp => self.cursor.step(&self.rows, -page, height),
            Motion::PageDown => self.cursor.step(&self.rows, page, height),
            Motion::Top => self.cursor.put(&self.rows, 0, height),
            Motion::Bottom => self.cursor.put(&self.rows, self.rows.len().saturating_sub(1), height),
        }
    }
}

/// A vertical movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// One up.
    Up,
    /// One down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first.
    Top,
    /// To the last.
    Bottom,
}

/// The state of a pane that shows a document: only how far it is scrolled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    /// First visible line.
    pub top: usize,
    /// Lines in all, as last drawn.
    pub extent: usize,
}

impl Scroll {
    /// Moves, within what was last drawn.
    pub fn move_by(&mut self, motion: Motion, height: usize) {
        let last = self.extent.saturating_sub(height);
        let page = height.max(2) - 1;
        self.top = match motion {
            Motion::Up => self.top.saturating_sub(1),
            Motion::Down => self.top + 1,
            Motion::PageUp => self.top.saturating_sub(page),
            Motion::PageDown => self.top + page,
            Motion::Top => 0,
            Motion::Bottom => last,
        }
        .min(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_must_all_occur_and_minus_excludes() {
        let filter = Filter::parse("cma -worker").unwrap();
        assert!(filter.passes("cma-api-production eu-west-2"));
        assert!(!filter.passes("cma-worker-production"));
        assert!(Filter::parse("API").unwrap().passes("the API"));
        assert!(!Filter::parse("API").unwrap().passes("the api"));
        assert!(Filter::parse("  ").unwrap().is_empty());
    }

    #[test]
    fn a_regex_stands_between_slashes_and_a_bad_one_is_explained() {
        assert!(Filter::parse("/^gov-(backend|ai)/").unwrap().passes("gov-backend"));
        let error = Filter::parse("/a(b/").unwrap_err();
        assert_eq!(error, "not a regular expression: unclosed group");
    }
}
