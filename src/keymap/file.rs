//! Keymap files: rows of `on`, `run`, `when`, `note`, checked as they are read.
//!
//! Must not resolve keys. A row that names an unknown key, command or context, that stands twice, or that
//! could never be reached is an error here, and not a key that silently does nothing later.

use std::collections::BTreeMap;
use std::path::Path;

use super::key::{parse_sequence, sequence_text};
use super::{Binding, Key, Keymap, KeymapError, NOTHING};
use crate::command::{Arg, BadInvocation, Command, Context, Id, Invocation, Kind, Risk};
use crate::stdx::document::{Document, Item, Mistake, Place, unknown};

/// A row of a file, for one sequence and one context.
pub(super) struct Row {
    context: Context,
    keys: Vec<Key>,
    /// `None` takes the key away from the layer below.
    run: Option<Invocation>,
    note: Option<String>,
}

struct Layer {
    description: Option<String>,
    inherits: Option<(String, Place)>,
    rows: Vec<Row>,
    end: Place,
}

pub(super) fn parse<'t>(
    source: &str,
    text: &'t str,
    find: &dyn Fn(&str) -> Option<&'t str>,
) -> Result<Keymap, KeymapError> {
    let name = Path::new(source).file_stem().map_or(source.into(), |s| s.to_string_lossy()).into_owned();
    let mut layers = vec![read(source, text)?];
    // (name, shipped): a user's keymap may carry the name of the shipped one that it builds on.
    let mut chain = vec![(name.clone(), Keymap::shipped(&name) == Some(text))];
    while let Some(layer) = layers.last() {
        let (parent, place) =
            layer.inherits.clone().unwrap_or_else(|| (super::DEFAULT.to_owned(), layer.end.clone()));
        if parent == NOTHING {
            break;
        }
        let seen = |shipped: bool| chain.contains(&(parent.clone(), shipped));
        let found = match (find(&parent), Keymap::shipped(&parent)) {
            (Some(text), _) if !seen(false) => (text, false),
            (_, Some(text)) if !seen(true) => (text, true),
            (None, None) if !seen(false) => {
                let names: Vec<&str> = Keymap::names().chain([NOTHING]).collect();
                return Err(place.mistake(unknown("keymap", &parent, &names)));
            }
            _ => {
                let path: Vec<&str> = chain.iter().map(|(name, _)| name.as_str()).collect();
                let path = path.join(" → ");
                return Err(place.mistake(format!("keymaps inherit in a circle: {path} → {parent}")));
            }
        };
        layers.push(read(&format!("{parent}.toml"), found.0)?);
        chain.push((parent, found.1));
    }
    let mut keymap = Keymap { name, description: String::new(), tables: BTreeMap::new() };
    let mut end = None;
    for layer in layers.into_iter().rev() {
        keymap.description = layer.description.unwrap_or_default();
        lay(&mut keymap, layer.rows);
        end = Some(layer.end);
    }
    check_way_out(&keymap, end)?;
    Ok(keymap)
}

/// Lays one more file over a keymap.
pub(super) fn extend(mut keymap: Keymap, source: &str, text: &str) -> Result<Keymap, KeymapError> {
    let layer = read(source, text)?;
    if let Some((_, place)) = layer.inherits {
        return Err(place.mistake("a file that is laid over a chosen keymap cannot inherit from another"));
    }
    lay(&mut keymap, layer.rows);
    check_way_out(&keymap, Some(layer.end))?;
    Ok(keymap)
}

/// Puts rows over what is there. A new sequence takes the place of the same one, of its own beginnings and
/// of those that it begins, since only one of them could ever be reached.
fn lay(keymap: &mut Keymap, rows: Vec<Row>) {
    for row in rows {
        let bound = keymap.tables.values().flat_map(BTreeMap::values);
        let order = bound.map(|binding| binding.order + 1).max().unwrap_or(0);
        let table = keymap.tables.entry(row.context).or_default();
        match row.run {
            None => drop(table.remove(&row.keys)),
            Some(invocation) => {
                table.retain(|keys, _| !keys.starts_with(&row.keys) && !row.keys.starts_with(keys));
                table.insert(row.keys, Binding { invocation, note: row.note, order });
            }
        }
    }
}

fn check_way_out(keymap: &Keymap, end: Option<Place>) -> Result<(), Mistake> {
    let runs = |id: Id| !keymap.keys_for(id, &[Context::Anywhere]).is_empty();
    match end {
        Some(place) if !runs(Id::Quit) && !runs(Id::Palette) => {
            Err(place.mistake("no key runs `quit` or `palette` anywhere: there would be no way out"))
        }
        _ => Ok(()),
    }
}

fn read(source: &str, text: &str) -> Result<Layer, Mistake> {
    let document = Document::parse(source, text)?;
    let root = document.root();
    root.only(&["description", "inherits", "keys"])?;
    let mut layer = Layer { description: None, inherits: None, rows: Vec::new(), end: root.place() };
    for item in root.entries() {
        match item.key.as_str() {
            "description" => layer.description = Some(item.text()?.to_owned()),
            "inherits" => layer.inherits = Some((item.text()?.to_owned(), item.place())),
            _ => {
                layer.end = item.place();
                let mut seen: BTreeMap<Context, BTreeMap<Vec<Key>, usize>> = BTreeMap::new();
                for item in item.list()? {
                    for (row, place) in rows(&item)? {
                        check_clash(&mut seen, &row, &place)?;
                        layer.rows.push(row);
                    }
                }
            }
        }
    }
    Ok(layer)
}

/// The sequences and contexts of one row.
fn rows(item: &Item<'_>) -> Result<Vec<(Row, Place)>, Mistake> {
    let table = item.table()?;
    table.only(&["on", "run", "when", "note"])?;
    let run_item = table.need("run")?;
    let run_text = run_item.text()?;
    let invocation = match run_text {
        NOTHING => None,
        text => Some(Invocation::parse(text).map_err(|error| run_item.mistake(error.to_string()))?),
    };
    let note = table.get("note").map(|note| note.text().map(str::to_owned)).transpose()?;
    let mut contexts = Vec::new();
    match table.get("when") {
        None => contexts.push(Context::Anywhere),
        Some(when) => {
            for part in one_or_more(&when)? {
                let name = part.text()?;
                let context = Context::named(name).ok_or_else(|| {
                    let names: Vec<&str> = Context::ALL.iter().map(|context| context.name()).collect();
                    part.mistake(unknown("context", name, &names))
                })?;
                contexts.push(context);
            }
        }
    }
    let mut rows = Vec::new();
    for context in contexts {
        if let Some(invocation) = &invocation {
            check_works(invocation, context).map_err(|what| run_item.mistake(what))?;
        }
        for on in one_or_more(&table.need("on")?)? {
            let keys = parse_sequence(on.text()?).map_err(|what| on.mistake(what))?;
            let row = Row { context, keys, run: invocation.clone(), note: note.clone() };
            rows.push((row, on.place()));
        }
    }
    Ok(rows)
}

fn one_or_more<'a>(item: &Item<'a>) -> Result<Vec<Item<'a>>, Mistake> {
    if item.as_text().is_some() { Ok(vec![item.clone()]) } else { item.list() }
}

fn check_clash(
    seen: &mut BTreeMap<Context, BTreeMap<Vec<Key>, usize>>,
    row: &Row,
    place: &Place,
) -> Result<(), Mistake> {
    let table = seen.entry(row.context).or_default();
    let (text, context) = (sequence_text(&row.keys), row.context.name());
    for (keys, line) in table.iter() {
        if *keys == row.keys {
            return Err(place.mistake(format!("`{text}` is bound twice in {context}; first on line {line}")));
        }
        if row.run.is_some() && (keys.starts_with(&row.keys) || row.keys.starts_with(keys)) {
            let other = sequence_text(keys);
            let (short, long) = if keys.len() < row.keys.len() { (other, text) } else { (text, other) };
            return Err(place.mistake(format!(
                "`{long}` can never be typed in {context}, since `{short}` acts at once (other row on line {line})"
            )));
        }
    }
    table.insert(row.keys.clone(), place.line);
    Ok(())
}

/// Whether the command means something wherever this context is active.
fn check_works(invocation: &Invocation, context: Context) -> Result<(), String> {
    let command: &Command = invocation.id.command();
    let works = command.contexts.iter().any(|c| {
        // A selected row is always a row of a list.
        *c == Context::Anywhere || *c == context || (context == Context::Row && *c == Context::List)
    });
    if !works {
        let names: Vec<&str> = command.contexts.iter().map(|context| context.name()).collect();
        return Err(format!(
            "`{}` does not work in {}, but in: {}",
            invocation.id.name(),
            context.name(),
            names.join(", ")
        ));
    }
    let places = command.args.iter().filter(|arg| !arg.flag);
    // A service's name is taken from what is selected, where something is; a change takes what it is about from there,
    // and asks for the rest.
    let implied =
        |arg: &Arg| command.risk == Risk::Write || (arg.kind == Kind::ServiceName && context > Context::Row);
    match places.skip(invocation.args.len()).find(|arg| arg.required && !implied(arg)) {
        Some(arg) => {
            let (name, argument) = (invocation.id.name().to_owned(), arg.name.to_owned());
            Err(BadInvocation::Missing { name, argument }.to_string())
        }
        None => Ok(()),
    }
}
