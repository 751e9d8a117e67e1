//! Secrets and parameters as a tree: where rotation stands, who reads them, who holds an old value.
//!
//! Must not show a value: none is ever read.

use crate::app::findings::definitions;
use crate::app::pane::PaneId;
use crate::app::pane::triage::Item;
use crate::app::{Model, Reading};
use crate::diagnose::Subject;
use crate::diagnose::fleet::Readers;
use crate::diagnose::secret::{self, Consumer, Rotation};
use crate::domain::secret::Secret;
use crate::domain::task::Task;
use crate::stdx::clock::Wall;
use crate::stdx::rect::Rect;
use crate::stdx::{span, text};
use crate::theme::Role;
use crate::view::databases::says;
use crate::view::items::{self, Shown};
use crate::view::status;
use crate::view::widget::canvas::{Canvas, piece};
use crate::view::widget::table::{Column, Row};

const COLUMNS: [Column; 8] = [
    Column::new("", 1, 1),
    Column::new("SECRET", 14, 44).cut_middle(),
    Column::new("REGION", 9, 14).expendable(5),
    Column::new("ROTATION", 8, 15),
    Column::new("CHANGED", 7, 8).right().expendable(2),
    Column::new("NEXT", 5, 9).right().expendable(4),
    Column::new("READ BY", 7, 14).expendable(3),
    Column::new("SAYS", 14, 0).flexible(),
];

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let shown = Shown {
        pane: PaneId::Secrets,
        columns: &COLUMNS,
        nothing: "This account has no secrets and no parameters here.",
        filtered: "No secret and no parameter matches the filter.",
    };
    items::draw(canvas, model, area, &shown, &|item| row(model, item));
}

/// How a rotation's state looks.
#[must_use]
pub fn look(rotation: &Rotation) -> Role {
    match rotation {
        Rotation::Stuck { .. } => Role::Critical,
        Rotation::Overdue { .. } | Rotation::ScheduledForDeletion { .. } => Role::Warn,
        Rotation::InProgress { .. } => Role::Progress,
        Rotation::Healthy => Role::Ok,
        Rotation::NotConfigured | Rotation::ManagedBy { .. } | Rotation::Replica { .. } => Role::Muted,
    }
}

/// Who reads a secret, and the running tasks that hold its old value.
#[must_use]
pub fn readers<'m>(model: &'m Model, of: &Secret) -> (Vec<Consumer>, Vec<&'m Task>) {
    let consumers = secret::consumers(of, definitions(&model.world));
    let running = model.world.tasks.values().map(|seen| &seen.value).filter(|task| !task.is_stopped());
    let old = secret::tasks_with_old_value(of, &consumers, running);
    (consumers, old)
}

fn age(model: &Model, at: Option<Wall>) -> String {
    at.map_or_else(|| model.theme.glyphs.none.to_owned(), |at| span::brief(at.age_at(model.now.wall)))
}

/// How many services read it, as far as their task definitions were read.
fn read_by(model: &Model, services: usize) -> String {
    match (model.triage.reading, services) {
        (Reading::Whole, _) => text::count(services, "service"),
        (Reading::Part, 0) => "not read yet".to_owned(),
        (Reading::Failed, 0) => "not known".to_owned(),
        _ => format!("{services}+ services"),
    }
}

fn row(model: &Model, item: &Item) -> Option<Row> {
    let estate = &model.world.estate;
    let depth = model.triage.depth.get(item).copied().unwrap_or(0);
    let label = model.triage.labels.get(item).cloned().unwrap_or_default();
    let indent = "  ".repeat(depth);
    let blank = || piece("", Role::Faint);
    match item {
        Item::Subject(Subject::Secret(id)) => {
            let secret = &estate.secrets.get(id)?.value;
            let rotation = secret::rotation(secret, model.now.wall);
            let said = says(model, &Subject::Secret(id.clone()));
            let (role, glyph) =
                said.as_ref().map_or((Role::Muted, " "), |(s, _)| status::severity(*s, &model.theme));
            let Readers { services, old } = model.triage.fleet.readers.get(id).copied().unwrap_or_default();
            let mut note = said.as_ref().map_or_else(String::new, |(_, sentence)| sentence.clone());
            if note.is_empty() && old > 0 {
                note = format!("{} started before the last change", text::count(old, "running task"));
            }
            let next = secret.next_rotation.map_or_else(
                || model.theme.glyphs.none.to_owned(),
                |at| format!("in {}", span::brief(model.now.wall.age_at(at))),
            );
            Some(Row {
                cells: vec![
                    piece(glyph, role),
                    piece(format!("{indent}{label}"), Role::Strong),
                    piece(id.scope.region.to_string(), Role::Muted),
                    piece(rotation.word(), look(&rotation)),
                    piece(age(model, secret.last_changed), Role::Muted),
                    piece(next, Role::Muted),
                    piece(read_by(model, services), Role::Muted),
                    piece(note, if said.is_some() { role } else { Role::Muted }),
                ],
                target: None,
            })
        }
        Item::Parameter(scope, name) => {
            let parameter = &estate.stored.get(&(scope.clone(), name.clone()))?.value;
            let services = model.triage.readers.get(item).copied().unwrap_or_default();
            Some(Row {
                cells: vec![
                    piece(" ", Role::Muted),
                    piece(format!("{indent}{label}"), Role::Text),
                    piece(scope.region.to_string(), Role::Muted),
                    piece(parameter.kind.clone(), Role::Muted),
                    piece(age(model, parameter.modified_at), Role::Muted),
                    blank(),
                    piece(read_by(model, services), Role::Muted),
                    piece(format!("SSM parameter, version {}", parameter.version), Role::Muted),
                ],
                target: None,
            })
        }
        Item::Branch(scope, _) => Some(Row {
            cells: vec![
                piece(" ", Role::Muted),
                piece(format!("{indent}{label}"), Role::Muted),
                piece(scope.region.to_string(), Role::Muted),
                blank(),
                blank(),
                blank(),
                blank(),
                blank(),
            ],
            target: None,
        }),
        _ => None,
    }
}
