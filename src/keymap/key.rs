//! Keys as opsdeck names them: `G`, `ctrl-d`, `alt-up`, `f5`, `space`.
//!
//! Must not know the terminal library. A key is always in its normal form, so that two ways to report or to
//! write the same key are equal.

/// What is printed on the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// A character, a capital one for a letter with Shift.
    Char(char),
    /// A function key.
    F(u8),
    /// Tab.
    Tab,
    /// Tab with Shift.
    BackTab,
    /// Escape.
    Esc,
    /// Enter.
    Enter,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
}

const NAMES: [(&str, Code); 16] = [
    ("space", Code::Char(' ')),
    ("tab", Code::Tab),
    ("backtab", Code::BackTab),
    ("esc", Code::Esc),
    ("enter", Code::Enter),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("insert", Code::Insert),
    ("home", Code::Home),
    ("end", Code::End),
    ("pageup", Code::PageUp),
    ("pagedown", Code::PageDown),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
];

/// One key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which.
    pub code: Code,
    /// With Control.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
    /// With Shift; never set for characters, whose capital form says it.
    pub shift: bool,
}

impl Key {
    /// A key in its normal form, from what a terminal reports.
    #[must_use]
    pub fn new(code: Code, ctrl: bool, alt: bool, shift: bool) -> Self {
        let (code, shift) = match code {
            // Most terminals cannot tell Control with a capital letter from Control with a small one.
            Code::Char(c) if ctrl => (Code::Char(c.to_ascii_lowercase()), false),
            Code::Char(c) if shift && c.is_ascii_lowercase() => (Code::Char(c.to_ascii_uppercase()), false),
            Code::Char(_) | Code::BackTab => (code, false),
            Code::Tab if shift => (Code::BackTab, false),
            _ => (code, shift),
        };
        Self { code, ctrl, alt, shift }
    }

    /// A key without modifiers.
    #[must_use]
    pub fn plain(code: Code) -> Self {
        Self::new(code, false, false, false)
    }

    /// The character that it types, if it types one.
    #[must_use]
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }

    /// Reads one key: `ctrl-d`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut ctrl, mut alt, mut shift) = (false, false, false);
        let mut rest = text;
        // A single character is itself, even `-`.
        while rest.chars().count() > 1 {
            let (flag, after) = if let Some(after) = rest.strip_prefix("ctrl-") {
                (&mut ctrl, after)
            } else if let Some(after) = rest.strip_prefix("alt-") {
                (&mut alt, after)
            } else if let Some(after) = rest.strip_prefix("shift-") {
                (&mut shift, after)
            } else {
                break;
            };
            if *flag {
                return Err(format!("`{text}` names a modifier twice"));
            }
            *flag = true;
            rest = after;
        }
        let key = Self::new(code(rest).ok_or_else(|| no_such_key(text))?, ctrl, alt, shift);
        match (key.ctrl, key.code) {
            (true, Code::Char('i')) => Err(same_as(text, "tab")),
            (true, Code::Char('m')) => Err(same_as(text, "enter")),
            (true, Code::Char('[')) => Err(same_as(text, "esc")),
            _ => Ok(key),
        }
    }
}

fn same_as(text: &str, name: &str) -> String {
    format!("a terminal sends the same for `{text}` as for `{name}`; write `{name}`")
}

fn no_such_key(text: &str) -> String {
    let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    format!(
        "there is no key `{text}`; write a character, f1 to f12, or one of {}, with ctrl-, alt- or shift- before it",
        names.join(", ")
    )
}

fn code(text: &str) -> Option<Code> {
    let mut chars = text.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return (!c.is_control() && !c.is_whitespace()).then_some(Code::Char(c));
    }
    if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == text) {
        return Some(*code);
    }
    text.strip_prefix('f')?.parse().ok().filter(|n| (1..=12).contains(n)).map(Code::F)
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (on, name) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if on {
                f.write_str(name)?;
            }
        }
        match (self.code, NAMES.iter().find(|(_, code)| *code == self.code)) {
            (_, Some((name, _))) => f.write_str(name),
            (Code::Char(c), _) => write!(f, "{c}"),
            (Code::F(n), _) => write!(f, "f{n}"),
            _ => Ok(()),
        }
    }
}

/// Reads a sequence: keys separated by blanks.
///
/// # Errors
/// A sentence that says what is wrong.
pub(super) fn parse_sequence(text: &str) -> Result<Vec<Key>, String> {
    let keys: Vec<Key> = text.split_whitespace().map(Key::parse).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err("no key is named".to_owned()) } else { Ok(keys) }
}

/// A sequence as it is written in keymaps and help.
#[must_use]
pub fn sequence_text(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
}
