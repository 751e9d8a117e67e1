//! Theme files: `inherits`, `[palette]`, `[roles]`.
//!
//! A child's palette changes the colours of roles that it inherits, so names are resolved only after all
//! layers are merged; each keeps its place for the error. Must not degrade colours.

use std::collections::BTreeMap;
use std::path::Path;

use super::role::COUNT;
use super::{Color, Role, Style, Theme, ThemeError};
use crate::stdx::document::{Document, Item, Mistake, Place, unknown};

const TERMINAL_NAMES: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

const HOW_TO_WRITE: &str = "write \"#rrggbb\", \"ansi:0\" to \"ansi:15\", \"indexed:0\" to \"indexed:255\", \
                            \"default\", a terminal colour such as \"bright-blue\", or a name of [palette]";

/// A style whose colours are still names.
struct Draft {
    style: Style,
    fg: Option<(String, Place)>,
    bg: Option<(String, Place)>,
}

#[derive(Default)]
struct Layer {
    description: Option<String>,
    inherits: Option<(String, Place)>,
    palette: BTreeMap<String, Color>,
    roles: BTreeMap<Role, Draft>,
}

pub(super) fn parse<'t>(
    source_name: &str,
    text: &'t str,
    find: &dyn Fn(&str) -> Option<&'t str>,
) -> Result<Theme, ThemeError> {
    let name = Path::new(source_name).file_stem().map_or(source_name.into(), |s| s.to_string_lossy());
    let mut layers = vec![read(source_name, text)?];
    // (name, shipped): a user's theme may carry the name of the shipped one that it builds on.
    let mut chain = vec![(name.to_string(), Theme::shipped(&name) == Some(text))];
    while let Some((parent, place)) = layers.last().and_then(|layer| layer.inherits.clone()) {
        let seen = |shipped: bool| chain.contains(&(parent.clone(), shipped));
        let found = match (find(&parent), Theme::shipped(&parent)) {
            (Some(text), _) if !seen(false) => (text, false),
            (_, Some(text)) if !seen(true) => (text, true),
            (None, None) if !seen(false) => {
                let names: Vec<&str> = Theme::names().collect();
                return Err(place.mistake(unknown("theme", &parent, &names)));
            }
            _ => {
                let path: Vec<&str> = chain.iter().map(|(name, _)| name.as_str()).collect();
                return Err(
                    place.mistake(format!("themes inherit in a circle: {} → {parent}", path.join(" → ")))
                );
            }
        };
        layers.push(read(&format!("{parent}.toml"), found.0)?);
        chain.push((parent, found.1));
    }
    merge(&name, layers)
}

fn merge(name: &str, layers: Vec<Layer>) -> Result<Theme, ThemeError> {
    let mut theme = Theme::plain(name);
    let mut palette = BTreeMap::new();
    let mut roles = BTreeMap::new();
    for layer in layers.into_iter().rev() {
        theme.description = layer.description.unwrap_or_default();
        palette.extend(layer.palette);
        roles.extend(layer.roles);
    }
    let mut own: BTreeMap<Role, Style> = BTreeMap::new();
    for (role, draft) in roles {
        let color = |named: Option<(String, Place)>| match named {
            Some((text, place)) => look_up(&text, &palette, &place),
            None => Ok(Color::Default),
        };
        own.insert(role, Style { fg: color(draft.fg)?, bg: color(draft.bg)?, ..draft.style });
    }
    let mut styles = [Style::default(); COUNT];
    for (role, slot) in Role::ALL.iter().zip(&mut styles) {
        let chain = std::iter::successors(Some(*role), |role| role.fallback());
        *slot = chain.into_iter().find_map(|role| own.get(&role)).copied().unwrap_or_default();
        // Text's background is the screen's; what falls back to Text lies on it and does not paint it anew.
        if !own.contains_key(role) && *slot == own.get(&Role::Text).copied().unwrap_or_default() {
            *slot = Style { bg: Color::Default, ..*slot };
        }
    }
    theme.full = styles;
    theme.shown = styles;
    Ok(theme)
}

fn read(source: &str, text: &str) -> Result<Layer, Mistake> {
    let document = Document::parse(source, text)?;
    let root = document.root();
    root.only(&["description", "inherits", "palette", "roles"])?;
    let mut layer = Layer::default();
    for item in root.entries() {
        match item.key.as_str() {
            "description" => layer.description = Some(item.text()?.to_owned()),
            "inherits" => layer.inherits = Some((item.text()?.to_owned(), item.place())),
            "palette" => {
                for entry in item.table()?.entries() {
                    let color = look_up(entry.text()?, &BTreeMap::new(), &entry.place())?;
                    layer.palette.insert(entry.key, color);
                }
            }
            _ => {
                for entry in item.table()?.entries() {
                    let role = Role::named(&entry.key)
                        .ok_or_else(|| entry.unknown("role", Role::ALL.iter().map(|role| role.name())))?;
                    layer.roles.insert(role, draft(&entry)?);
                }
            }
        }
    }
    Ok(layer)
}

fn draft(item: &Item<'_>) -> Result<Draft, Mistake> {
    let mut draft = Draft { style: Style::default(), fg: None, bg: None };
    if !item.is_table() {
        draft.fg = Some((item.text()?.to_owned(), item.place()));
        return Ok(draft);
    }
    let table = item.table()?;
    table.only(&["fg", "bg", "bold", "dim", "italic", "underline", "reverse"])?;
    for part in table.entries() {
        let style = &mut draft.style;
        match part.key.as_str() {
            "fg" => draft.fg = Some((part.text()?.to_owned(), part.place())),
            "bg" => draft.bg = Some((part.text()?.to_owned(), part.place())),
            "bold" => style.bold = part.flag()?,
            "dim" => style.dim = part.flag()?,
            "italic" => style.italic = part.flag()?,
            "underline" => style.underline = part.flag()?,
            _ => style.reverse = part.flag()?,
        }
    }
    Ok(draft)
}

fn look_up(text: &str, palette: &BTreeMap<String, Color>, place: &Place) -> Result<Color, Mistake> {
    if let Some(color) = palette.get(text) {
        return Ok(*color);
    }
    let color = if let Some(hex) = text.strip_prefix('#') {
        hex_color(hex)
    } else if let Some(number) = text.strip_prefix("ansi:") {
        number.parse().ok().filter(|n| *n < 16).map(Color::Ansi)
    } else if let Some(number) = text.strip_prefix("indexed:") {
        number.parse().ok().map(Color::Indexed)
    } else if text == "default" {
        Some(Color::Default)
    } else {
        TERMINAL_NAMES
            .iter()
            .position(|name| *name == text)
            .and_then(|at| u8::try_from(at).ok())
            .map(Color::Ansi)
    };
    color.ok_or_else(|| place.mistake(format!("`{text}` is not a colour; {HOW_TO_WRITE}")))
}

fn hex_color(hex: &str) -> Option<Color> {
    if hex.len() != 6 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let part = |from: usize| u8::from_str_radix(hex.get(from..from + 2)?, 16).ok();
    Some(Color::Rgb(part(0)?, part(2)?, part(4)?))
}
