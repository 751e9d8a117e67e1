//! The palette's completions: commands, and the values that their arguments may take, by fuzzy match.
//!
//! Must be derived from the command table and the model; no list of its own.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::app::Model;
use crate::app::pane::{PaneId, journal, services, tasks};
use crate::command::{Id, Kind, TABLE};
use crate::domain::ecs::ServiceId;
use crate::theme::Theme;

/// A completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The command line it completes to.
    pub text: String,
    /// What it does.
    pub doc: String,
    /// Whether it is complete: Enter runs it. Otherwise Enter goes on typing its argument.
    pub complete: bool,
}

/// As many as are shown.
const MOST: usize = 10;

/// The completions of what is typed, best first.
#[must_use]
pub fn suggest(model: &Model, typed: &str) -> Vec<Suggestion> {
    let (name, rest) = typed.trim_start().split_once(char::is_whitespace).unwrap_or((typed.trim(), ""));
    let candidates = match Id::named(name).filter(|_| typed.contains(char::is_whitespace)) {
        Some(id) => arguments(model, id),
        None => commands(model),
    };
    let wanted = if typed.contains(char::is_whitespace) && Id::named(name).is_some() {
        format!("{name} {}", rest.trim())
    } else {
        typed.trim().to_owned()
    };
    rank(candidates, wanted.trim())
}

fn commands(model: &Model) -> Vec<Suggestion> {
    let mut all: Vec<Suggestion> = TABLE
        .iter()
        .filter(|row| row.in_console())
        .map(|row| {
            let wants = row.args.iter().any(|a| !a.flag && a.required);
            // A command about a service means the selected one when no name is given.
            let aimed =
                row.args.iter().any(|a| a.kind == Kind::ServiceName) && model.aimed_service().is_some();
            Suggestion { text: row.id.name().to_owned(), doc: row.doc.to_owned(), complete: !wants || aimed }
        })
        .collect();
    all.extend(model.world.services.keys().map(|id| Suggestion {
        text: format!("service {}", path(id)),
        doc: format!("in {}", id.scope.region),
        complete: true,
    }));
    all
}

fn path(id: &ServiceId) -> String {
    format!("{}/{}", id.cluster, id.name)
}

fn arguments(model: &Model, id: Id) -> Vec<Suggestion> {
    let command = id.command();
    let Some(arg) = command.args.iter().find(|a| !a.flag) else { return Vec::new() };
    let values: Vec<(String, String)> = match (id, arg.kind) {
        (_, Kind::ServiceName) => {
            model.world.services.keys().map(|id| (path(id), format!("in {}", id.scope.region))).collect()
        }
        (_, Kind::Choice(words)) => words.iter().map(|w| ((*w).to_owned(), String::new())).collect(),
        (Id::Theme, _) => Theme::names().map(|n| (n.to_owned(), String::new())).collect(),
        (Id::Keymap, _) => crate::keymap::Keymap::names().map(|n| (n.to_owned(), String::new())).collect(),
        (Id::Sort, _) if model.focus == PaneId::Services => {
            services::Column::ALL.iter().map(|c| (c.name().to_owned(), String::new())).collect()
        }
        (Id::Sort, _) if model.focus == PaneId::Tasks => {
            tasks::Column::ALL.iter().map(|c| (c.name().to_owned(), String::new())).collect()
        }
        (Id::Sort, _) if model.focus == PaneId::Journal => {
            journal::Column::ALL.iter().map(|c| (c.name().to_owned(), String::new())).collect()
        }
        (Id::Pane, _) => PaneId::ALL.iter().map(|p| (p.number().to_string(), p.title().to_owned())).collect(),
        _ => Vec::new(),
    };
    values
        .into_iter()
        .map(|(value, doc)| Suggestion {
            text: format!("{} {value}", id.name()),
            doc: if doc.is_empty() { command.doc.to_owned() } else { doc },
            complete: true,
        })
        .collect()
}

fn rank(candidates: Vec<Suggestion>, wanted: &str) -> Vec<Suggestion> {
    if wanted.is_empty() {
        return candidates.into_iter().take(MOST).collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(wanted, CaseMatching::Smart, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, Suggestion)> = candidates
        .into_iter()
        .filter_map(|s| {
            let score = pattern.score(Utf32Str::new(&s.text, &mut buffer), &mut matcher)?;
            // What begins as typed is what was meant.
            let bonus = if s.text.starts_with(wanted) { 1_000 } else { 0 };
            Some((score + bonus, s))
        })
        .collect();
    scored.sort_by(|(a, x), (b, y)| {
        b.cmp(a).then_with(|| x.text.len().cmp(&y.text.len())).then_with(|| x.text.cmp(&y.text))
    });
    scored.into_iter().take(MOST).map(|(_, s)| s).collect()
}
