//! Colours and styles, and the one place where they degrade: RGB → 256 → 16 → none.
//!
//! Must not read the environment: `Depth::detect` gets the strings.

/// A colour as a theme names it. `Default` is what lies beneath: the terminal's own colour at the bottom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Color {
    /// Whatever lies beneath.
    #[default]
    Default,
    /// One of the terminal's own sixteen, 0 to 15.
    Ansi(u8),
    /// One of xterm's 256.
    Indexed(u8),
    /// 24 bits.
    Rgb(u8, u8, u8),
}

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "these are a terminal's attributes, each on or off")]
pub struct Style {
    /// Foreground.
    pub fg: Color,
    /// Background.
    pub bg: Color,
    /// Bold.
    pub bold: bool,
    /// Dim.
    pub dim: bool,
    /// Italic.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Foreground and background change places.
    pub reverse: bool,
}

impl Style {
    /// This style laid over another: its colours win where it has any, attributes add up.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        let pick = |top: Color, bottom: Color| if top == Color::Default { bottom } else { top };
        Self {
            fg: pick(self.fg, below.fg),
            bg: pick(self.bg, below.bg),
            bold: self.bold || below.bold,
            dim: self.dim || below.dim,
            italic: self.italic || below.italic,
            underline: self.underline || below.underline,
            reverse: self.reverse || below.reverse,
        }
    }
}

/// How many colours the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None: attributes only.
    None,
    /// The sixteen of the terminal's palette.
    Sixteen,
    /// xterm's 256.
    Indexed,
    /// 24 bits.
    Rgb,
}

impl Depth {
    /// What the values of `COLORTERM`, `TERM` and `NO_COLOR` promise. A set, non-empty `NO_COLOR` wins.
    #[must_use]
    pub fn detect(colorterm: Option<&str>, term: Option<&str>, no_color: Option<&str>) -> Self {
        let term = term.unwrap_or("");
        if no_color.is_some_and(|value| !value.is_empty())
            || term.is_empty()
            || term == "dumb"
            || term.starts_with("vt1")
            || term.starts_with("vt2")
            || term.ends_with("-m")
            || term.ends_with("-mono")
        {
            return Self::None;
        }
        // GNU screen garbles 24-bit sequences, and hands COLORTERM through from outside.
        let mangles = term.starts_with("screen");
        let modern = ["xterm-kitty", "xterm-ghostty", "alacritty", "wezterm", "foot", "contour"];
        if !mangles
            && (matches!(colorterm, Some("truecolor" | "24bit"))
                || term.ends_with("-direct")
                || modern.iter().any(|name| term.starts_with(name)))
        {
            return Self::Rgb;
        }
        if term.contains("256color") || mangles && colorterm.is_some_and(|value| !value.is_empty()) {
            return Self::Indexed;
        }
        Self::Sixteen
    }
}

/// xterm's own sixteen colours: what we assume of a palette that we cannot see.
const SIXTEEN: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];

const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

impl Color {
    /// Its red, green and blue; `None` for the terminal's own default.
    #[must_use]
    pub fn rgb(self) -> Option<(u8, u8, u8)> {
        match self {
            Self::Default => None,
            Self::Rgb(r, g, b) => Some((r, g, b)),
            Self::Ansi(n) | Self::Indexed(n) => Some(indexed_rgb(n)),
        }
    }

    /// The nearest colour that a terminal of that depth can show.
    #[must_use]
    pub fn degrade(self, depth: Depth) -> Self {
        match (self, depth) {
            (Self::Default, _) | (_, Depth::None) => Self::Default,
            (Self::Ansi(_), _) | (_, Depth::Rgb) | (Self::Indexed(_), Depth::Indexed) => self,
            (Self::Rgb(r, g, b), Depth::Indexed) => nearest_indexed((r, g, b)),
            (_, Depth::Sixteen) => self.rgb().map_or(Self::Default, nearest_ansi),
        }
    }
}

fn indexed_rgb(n: u8) -> (u8, u8, u8) {
    let step = |value: u8| CUBE.get(usize::from(value % 6)).copied().unwrap_or(0);
    match n {
        0..=15 => SIXTEEN.get(usize::from(n)).copied().unwrap_or_default(),
        16..=231 => {
            let n = n - 16;
            (step(n / 36), step(n / 6), step(n))
        }
        232..=255 => {
            let grey = 8 + (n - 232) * 10;
            (grey, grey, grey)
        }
    }
}

/// Squared distance with weights that follow the eye better than plain RGB (the "redmean" formula).
pub(super) fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> i32 {
    let part = |x: u8, y: u8| i32::from(x) - i32::from(y);
    let mean = (i32::from(a.0) + i32::from(b.0)) / 2;
    let (r, g, b) = (part(a.0, b.0), part(a.1, b.1), part(a.2, b.2));
    (((512 + mean) * r * r) >> 8) + 4 * g * g + (((767 - mean) * b * b) >> 8)
}

fn nearest_indexed(rgb: (u8, u8, u8)) -> Color {
    // The first sixteen are left out: the user's palette may have changed them.
    let best = (16..=255u8).min_by_key(|n| distance(rgb, indexed_rgb(*n)));
    best.map_or(Color::Default, Color::Indexed)
}

fn nearest_ansi(rgb: (u8, u8, u8)) -> Color {
    let best = (0..=15u8).min_by_key(|n| distance(rgb, indexed_rgb(*n)));
    best.map_or(Color::Default, Color::Ansi)
}

/// The contrast between two colours as WCAG 2 defines it, from 1 to 21.
#[must_use]
pub fn contrast(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance((r, g, b): (u8, u8, u8)) -> f64 {
    let part = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
}
