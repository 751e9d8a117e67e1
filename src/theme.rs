//! Themes: semantic roles to styles, and the signs beside them. Drawing asks for `Role`s; a theme file gives
//! them colours; degradation to what the terminal can show happens here and nowhere else.
//!
//! Floor 2. Must not know the drawing library, read files or look at the environment. Colour is never the only
//! signal: a theme without any colour must still work.

mod color;
mod file;
mod glyph;
mod role;

pub use color::{Color, Depth, Style, contrast};
pub use glyph::Glyphs;
pub use role::Role;

/// What is wrong with a theme file, with its place.
pub type ThemeError = crate::stdx::document::Mistake;

/// The shipped theme files, in the order in which they are offered; the first one is the default.
const SHIPPED: &[(&str, &str)] = &[
    ("terminal", include_str!("../themes/terminal.toml")),
    ("dark", include_str!("../themes/dark.toml")),
    ("light", include_str!("../themes/light.toml")),
    ("high-contrast", include_str!("../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../themes/colour-blind.toml")),
];

/// A theme, ready to draw with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    /// One line about it.
    pub description: String,
    /// The signs to draw with.
    pub glyphs: Glyphs,
    /// The colours that the terminal has.
    pub depth: Depth,
    full: [Style; role::COUNT],
    shown: [Style; role::COUNT],
}

impl Default for Theme {
    fn default() -> Self {
        Self::builtin(SHIPPED[0].0).unwrap_or_else(|| Self::plain("plain"))
    }
}

impl Theme {
    /// The names of the shipped themes, the default first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// The text of a shipped theme's file.
    #[must_use]
    pub fn shipped(name: &str) -> Option<&'static str> {
        SHIPPED.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
    }

    /// A shipped theme.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        Self::parse(&format!("{name}.toml"), Self::shipped(name)?, &|_| None).ok()
    }

    /// All shipped themes, the default first.
    #[must_use]
    pub fn builtins() -> Vec<Self> {
        Self::names().filter_map(Self::builtin).collect()
    }

    /// Reads a theme file. `find` gives the text of other themes of the user by name; shipped ones are known.
    /// A file that inherits its own name builds on the shipped theme of that name.
    ///
    /// # Errors
    /// When the file is not a theme; the error names file, line and key.
    pub fn parse<'t>(
        source_name: &str,
        text: &'t str,
        find: &dyn Fn(&str) -> Option<&'t str>,
    ) -> Result<Self, ThemeError> {
        file::parse(source_name, text, find)
    }

    /// No colours, only what a bare terminal can do.
    fn plain(name: &str) -> Self {
        let styles = [Style::default(); role::COUNT];
        Self {
            name: name.to_owned(),
            description: String::new(),
            glyphs: Glyphs::UNICODE,
            depth: Depth::Rgb,
            full: styles,
            shown: styles,
        }
    }

    /// How a role looks on this terminal.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.shown.get(role as usize).copied().unwrap_or_default()
    }

    /// The same theme for a terminal of that depth.
    #[must_use]
    pub fn with_depth(mut self, depth: Depth) -> Self {
        let screen = self.full.get(Role::Text as usize).copied().unwrap_or_default();
        self.shown = self.full.map(|style| degrade(style, screen, depth));
        self.depth = depth;
        self
    }

    /// The same theme with these signs.
    #[must_use]
    pub fn with_glyphs(mut self, glyphs: Glyphs) -> Self {
        self.glyphs = glyphs;
        self
    }
}

/// A style as that depth can show it. A background that meant something becomes reversed text where there is
/// no colour, and two colours that fall together are pulled apart again.
fn degrade(style: Style, screen: Style, depth: Depth) -> Style {
    let (fg, bg) = (style.fg.degrade(depth), style.bg.degrade(depth));
    if depth == Depth::None {
        let marked = style.bg != Color::Default && style.bg != screen.bg;
        return Style { fg, bg, reverse: style.reverse || marked, ..style };
    }
    let under = if bg == Color::Default { screen.bg.degrade(depth) } else { bg };
    let over = if fg == Color::Default { screen.fg.degrade(depth) } else { fg };
    if under != Color::Default && under == over {
        let black_on =
            under.rgb().is_some_and(|rgb| contrast(rgb, (0, 0, 0)) > contrast(rgb, (255, 255, 255)));
        return Style { fg: Color::Ansi(if black_on { 0 } else { 15 }), bg, ..style };
    }
    Style { fg, bg, ..style }
}

#[cfg(test)]
mod tests;
