//! Text from outside, made fit for a terminal: scrubbed of control and bidi characters, measured and cut
//! in columns.
//!
//! Must not colour anything. Everything that came from AWS or a file passes `scrub` before it is drawn,
//! printed or put in a title.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Whether a terminal may act on the character, or a reader be deceived by it.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Replaces what a terminal would act on: tabs become spaces, ANSI colour sequences vanish whole, C0 and C1
/// controls become their pictures (`␛`), bidi and other invisible format characters become `·`.
#[must_use]
pub fn scrub(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '\u{1b}'
            && let Some(length) = ansi_colour(rest)
        {
            rest = &rest[length..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\t' => clean.push_str("    "),
            '\u{0}'..='\u{1f}' => clean.push(char::from_u32(0x2400 + c as u32).unwrap_or('·')),
            '\u{7f}' => clean.push('␡'),
            c if is_unsafe(c) => clean.push('·'),
            c => clean.push(c),
        }
    }
    Cow::Owned(clean)
}

/// The length of an SGR sequence (`ESC [ … m`) at the start of `text`. Colours are the one sequence that
/// programs write into their logs on purpose; anything else stays visible.
fn ansi_colour(text: &str) -> Option<usize> {
    let body = text.strip_prefix("\u{1b}[")?;
    let end = body.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'))?;
    body[end..].starts_with('m').then_some(end + 3)
}

/// How many columns the text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// The longest prefix that fits in `columns`, whole grapheme clusters only.
#[must_use]
pub fn prefix(text: &str, columns: usize) -> &str {
    if text.len() <= columns && text.is_ascii() {
        return text;
    }
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        let wide = cluster.width();
        if used + wide > columns {
            return &text[..at];
        }
        used += wide;
    }
    text
}

/// At most so many bytes from the start, whole characters only.
#[must_use]
pub fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Cuts to `columns`, ending in `…` when something was lost.
#[must_use]
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    let whole = prefix(text, columns);
    if whole.len() == text.len() {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    Cow::Owned(format!("{}…", prefix(text, columns - 1)))
}

/// Cuts to `columns` in the middle, keeping both ends: names of AWS resources differ at the end.
#[must_use]
pub fn fit_middle(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns < 5 {
        return fit(text, columns);
    }
    let head = prefix(text, (columns - 1) / 2);
    let room = columns - 1 - width(head);
    let mut tail_at = text.len();
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true).rev() {
        used += cluster.width();
        if used > room {
            break;
        }
        tail_at = at;
    }
    Cow::Owned(format!("{head}…{}", &text[tail_at..]))
}

/// Pads with spaces on the right to `columns`, cutting when it is longer.
#[must_use]
pub fn pad(text: &str, columns: usize) -> String {
    let fitted = fit(text, columns);
    let missing = columns.saturating_sub(width(&fitted));
    format!("{fitted}{}", " ".repeat(missing))
}

/// The lines of a text at a width, split at blanks; a word longer than a line is cut where it must be.
#[must_use]
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut rest = word;
        while !rest.is_empty() {
            let Some(line) = lines.last_mut() else { break };
            let used = width(line) + usize::from(!line.is_empty());
            if used + width(rest) <= columns {
                line.push_str(if line.is_empty() { "" } else { " " });
                line.push_str(rest);
                break;
            }
            if line.is_empty() {
                let head = prefix(rest, columns);
                // A cluster wider than the line stands alone.
                let head = if head.is_empty() { rest } else { head };
                line.push_str(head);
                rest = &rest[head.len()..];
            }
            lines.push(String::new());
        }
    }
    lines
}

/// `1 task`, `2 tasks`: the number with its noun.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The text with its first letter as a capital.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_split_at_blanks_and_long_words_where_they_must_be() {
        assert_eq!(wrapped("line 4 was altered", 10), ["line 4 was", "altered"]);
        assert_eq!(wrapped("a /home/ann/journal", 8), ["a", "/home/an", "n/journa", "l"]);
        assert_eq!(wrapped("", 10), [""]);
    }

    #[test]
    fn controls_and_bidi_lose_their_power_but_stay_visible() {
        assert_eq!(scrub("plain"), "plain");
        assert_eq!(scrub("a\x1b]0;owned\x07b"), "a␛]0;owned␇b");
        assert_eq!(scrub("\x1b[31mred\x1b[0m"), "red");
        assert_eq!(scrub("pay\u{202e}txt.exe"), "pay·txt.exe");
        assert_eq!(scrub("a\tb"), "a    b");
        assert_eq!(scrub("\u{9b}31m"), "·31m");
    }

    #[test]
    fn a_head_ends_between_characters() {
        assert_eq!(head("日本", 4), "日");
        assert_eq!(head("ab", 9), "ab");
    }

    #[test]
    fn cutting_counts_columns_not_bytes() {
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abcd", 3), "ab…");
        assert_eq!(fit_middle("cma-frontend-production", 11), "cma-f…ction");
    }

    proptest! {
        #[test]
        fn scrubbed_text_is_safe(text in any::<String>()) {
            prop_assert!(!scrub(&text).chars().any(is_unsafe));
        }

        #[test]
        fn cut_text_fits(text in any::<String>(), columns in 0usize..40) {
            prop_assert!(width(&fit(&text, columns)) <= columns);
            prop_assert!(width(&fit_middle(&text, columns)) <= columns.max(1));
            prop_assert_eq!(width(&pad(&scrub(&text), columns)), columns);
        }
    }
}
