//! `keys` and `themes`: list them, show one, check a file.
//!
//! Must not ask AWS.

use crate::cli::environment::Environment;
use crate::cli::exit::{Exit, Problem};
use crate::cli::item::{Shape, Shaped, shape};
use crate::cli::parser::Request;
use crate::cli::printer::{Form, Printer};
use crate::cli::table::{Cell, Column, Table, Tone};
use crate::cli::user;
use crate::cli::verb::End;
use crate::theme::{Color, Role, Style, Theme};

shape! {
    /// A binding of a keymap.
    Binding {
        /// The keymap's name.
        keymap: String = "text",
        /// Where it works: `anywhere`, `list`, `row`, `service`, `task`, `task-definition`, `logs`.
        context: String = "text",
        /// The key sequences.
        keys: Vec<String> = "list of text",
        /// The command with its arguments.
        command: String = "text",
        /// What it does.
        doc: String = "text",
    }

    /// A theme.
    ThemeItem {
        /// Its name.
        name: String = "text",
        /// One line about it.
        description: String = "text",
    }

    /// A role of a theme.
    RoleItem {
        /// The theme's name.
        theme: String = "text",
        /// The role.
        role: &'static str = "text",
        /// What is drawn in it.
        doc: &'static str = "text",
        /// Foreground.
        foreground: String = "text",
        /// Background.
        background: String = "text",
        /// `bold`, `dim`, `italic`, `underline`, `reverse`.
        modifiers: Vec<&'static str> = "list of text",
    }
}

/// The documentation of what these verbs print.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    vec![Binding::SHAPE, ThemeItem::SHAPE, RoleItem::SHAPE]
}

/// `keys [KEYMAP] [--check]`
///
/// # Errors
/// When the keymap does not exist or has a mistake, or stdout cannot be written to.
pub fn keys(request: &Request, environment: &Environment, printer: &mut Printer) -> Result<Exit, End> {
    let config = user::config(request, environment)?;
    let word = request.text("KEYMAP").unwrap_or(&config.ui.keymap);
    let keymap = user::keymap(word, environment)?;
    let items: Vec<Binding> = keymap
        .listing()
        .into_iter()
        .flat_map(|(context, lines)| lines.into_iter().map(move |line| (context, line)))
        .map(|(context, line)| Binding {
            keymap: keymap.name.clone(),
            context: context.name().to_owned(),
            command: line.invocation.to_string(),
            keys: line.keys,
            doc: line.doc,
        })
        .collect();
    if request.is_on("check") {
        printer.line(&format!("keymap {}: {} rows, no mistake", keymap.name, items.len()))?;
        return Ok(Exit::Done);
    }
    if printer.form != Form::Table {
        return list(&items, printer);
    }
    let mut table = Table::new(&[
        Column::fixed("KEYS"),
        Column::fixed("WHERE"),
        Column::fixed("COMMAND"),
        Column::sentence("WHAT"),
    ]);
    for item in &items {
        table.row([
            Cell::new(item.keys.join(", ")),
            Cell::new(&item.context),
            Cell::new(&item.command),
            Cell::new(&item.doc),
        ]);
    }
    let others: Vec<String> =
        user::keymaps(environment)?.into_iter().filter(|name| *name != keymap.name).collect();
    printer.line(&printer.paint(Tone::Title, &format!("{}: {}", keymap.name, keymap.description)))?;
    printer.lines(&printer.set(&table))?;
    printer.line(&format!("other keymaps: {}", others.join(", ")))?;
    Ok(Exit::Done)
}

/// `themes [THEME] [--check]`
///
/// # Errors
/// When the theme does not exist or has a mistake, or stdout cannot be written to.
pub fn themes(request: &Request, environment: &Environment, printer: &mut Printer) -> Result<Exit, End> {
    match request.text("THEME") {
        Some(word) => one_theme(&user::theme(word, environment)?, request, printer),
        None if request.is_on("check") => Err(Problem::usage("--check wants a theme's name or file")
            .hint("opsdeck themes lists them")
            .into()),
        None => all_themes(request, environment, printer),
    }
}

fn all_themes(request: &Request, environment: &Environment, printer: &mut Printer) -> Result<Exit, End> {
    let config = user::config(request, environment)?;
    let mut items = Vec::new();
    for name in user::themes(environment)? {
        let theme = user::theme(&name, environment)?;
        items.push(ThemeItem { name, description: theme.description });
    }
    if printer.form != Form::Table {
        return list(&items, printer);
    }
    let mut table = Table::new(&[Column::fixed(""), Column::fixed("THEME"), Column::sentence("WHAT")]);
    for item in &items {
        let mark = if item.name == config.ui.theme { "*" } else { "" };
        table.row([mark.into(), Cell::new(&item.name), Cell::new(&item.description)]);
    }
    printer.lines(&printer.set(&table))?;
    Ok(Exit::Done)
}

fn one_theme(theme: &Theme, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    if request.is_on("check") {
        printer.line(&format!("theme {}: no mistake", theme.name))?;
        return Ok(Exit::Done);
    }
    let items: Vec<RoleItem> = Role::ALL
        .iter()
        .map(|role| {
            let style = theme.style(*role);
            RoleItem {
                theme: theme.name.clone(),
                role: role.name(),
                doc: role.doc(),
                foreground: colour(style.fg),
                background: colour(style.bg),
                modifiers: modifiers(style),
            }
        })
        .collect();
    if printer.form != Form::Table {
        return list(&items, printer);
    }
    let mut table = Table::new(&[
        Column::fixed("ROLE"),
        Column::fixed("FOREGROUND"),
        Column::fixed("BACKGROUND"),
        Column::fixed("MODIFIERS"),
        Column::sentence("WHAT"),
    ]);
    for item in &items {
        table.row([
            item.role.into(),
            Cell::new(&item.foreground),
            Cell::new(&item.background),
            item.modifiers.join(" ").into(),
            item.doc.into(),
        ]);
    }
    printer.line(&printer.paint(Tone::Title, &format!("{}: {}", theme.name, theme.description)))?;
    printer.lines(&printer.set(&table))?;
    Ok(Exit::Done)
}

/// A colour as theme files may write it.
fn colour(colour: Color) -> String {
    const NAMES: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
    match colour {
        Color::Default => "default".to_owned(),
        Color::Ansi(number) => {
            let name = NAMES.get(usize::from(number % 8)).copied().unwrap_or_default();
            if number < 8 { name.to_owned() } else { format!("bright-{name}") }
        }
        Color::Indexed(number) => number.to_string(),
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
    }
}

fn modifiers(style: Style) -> Vec<&'static str> {
    [
        (style.bold, "bold"),
        (style.dim, "dim"),
        (style.italic, "italic"),
        (style.underline, "underline"),
        (style.reverse, "reverse"),
    ]
    .into_iter()
    .filter_map(|(on, word)| on.then_some(word))
    .collect()
}

/// Lists that need no AWS are arrays of items without an envelope: they cannot be partial.
fn list<T: serde::Serialize>(items: &[T], printer: &mut Printer) -> Result<Exit, End> {
    if printer.form == Form::Json {
        printer.json(&items)?;
    } else {
        for item in items {
            printer.json(item)?;
        }
    }
    Ok(Exit::Done)
}
