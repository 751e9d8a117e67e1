//! The services pane.
//!
//! Must draw visible rows only.

use crate::app::charts::{self, sparks_beside_services};
use crate::app::pane::{PaneId, services};
use crate::app::world::ServiceRow;
use crate::app::{Model, Target};
use crate::domain::ecs::{Service, ServiceId};
use crate::domain::metric::Range;
use crate::guard::WayBack;
use crate::stdx::rect::Rect;
use crate::stdx::span;
use crate::theme::Role;
use crate::view::databases::spark;
use crate::view::status;
use crate::view::widget::canvas::{Canvas, Piece, piece};
use crate::view::widget::table::{self, Column, Row, Table};

const COLUMNS: [Column; 11] = [
    Column::new("", 1, 1),
    Column::new("SERVICE", 12, 34).cut_middle(),
    Column::new("CLUSTER", 8, 24).cut_middle().expendable(6),
    Column::new("REGION", 9, 14).expendable(4),
    Column::new("TASKS", 5, 9),
    Column::new("REVISION", 8, 34).cut_middle().expendable(7),
    Column::new("DEPLOYED", 8, 8).expendable(3).right(),
    Column::new("ROLLBACK", 9, 12).expendable(5),
    Column::new("CPU", 17, 17).expendable(8),
    Column::new("MEMORY", 17, 17).expendable(9),
    Column::new("STATE", 44, 0).flexible(),
];

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let pane = &model.services;
    if pane.list.rows.is_empty() {
        let nothing = if pane.list.filter.is_some() {
            "No service matches the filter."
        } else if pane.folded > 0 {
            "Every service that was described is healthy."
        } else {
            "There are no services here."
        };
        let mut lines = status::why_empty(model, PaneId::Services, nothing);
        if pane.folded > 0 && pane.list.filter.is_none() {
            lines = vec![(nothing.to_owned(), Role::Ok), (folded(model), Role::Muted)];
        }
        super::overlay::sentences(canvas, area, &lines);
        return;
    }
    let offset = pane.list.cursor.offset();
    let height = usize::from(area.height.saturating_sub(1));
    let scroll_left = pane.folded > 0 && offset + height >= pane.list.rows.len();
    let mut columns = COLUMNS;
    // A column that says the same in every row says nothing.
    let mut clusters = model.world.services.keys().map(|id| &id.cluster);
    let first = clusters.next();
    let one_cluster = clusters.all(|cluster| Some(cluster) == first);
    let one_region = model.session.scopes.len() <= 1;
    let sparks = sparks_beside_services(Some(area));
    let way_back = services::shows_way_back(area.width, model.session.scopes.len());
    for (index, drop) in [(2, one_cluster), (3, one_region), (7, !way_back), (8, !sparks), (9, !sparks)] {
        if drop {
            columns[index] = Column { least: u16::MAX, expendable: u8::MAX, ..columns[index] };
        }
    }
    let rows: Vec<Row> = pane
        .list
        .rows
        .iter()
        .skip(offset)
        .take(height)
        .filter_map(|id| Some(row(canvas, model, id, model.world.services.get(id)?)))
        .collect();
    let shown = rows.len();
    let highlighted = pane
        .list
        .cursor
        .highlighted(&pane.list.rows)
        .and_then(|p| p.checked_sub(offset))
        .filter(|p| *p < shown);
    let table = Table {
        columns: &columns,
        rows,
        highlighted,
        focused: model.focus == PaneId::Services,
        shift: pane.list.shift,
        stale: false,
    };
    table::draw(canvas, area, &table);
    if scroll_left && shown < height {
        let y = area.y + 1 + u16::try_from(shown).unwrap_or(0);
        canvas.text(Rect::new(area.x + 2, y, area.width.saturating_sub(2), 1), &folded(model), Role::Muted);
    }
}

fn folded(model: &Model) -> String {
    let glyph = model.theme.glyphs.folded;
    let key = model.keymap.keys_for(crate::command::Id::Fold, &model.contexts()).into_iter().next();
    let shows = key.map_or_else(String::new, |k| format!(" ({k} shows them)"));
    format!("{glyph} {} healthy services folded away{shows}", model.services.folded)
}

fn row(canvas: &Canvas<'_>, model: &Model, id: &ServiceId, row: &ServiceRow) -> Row {
    let severity = services::severity(row);
    let (role, glyph) = status::severity(severity, canvas.theme());
    let none = canvas.theme().glyphs.none;
    let target = Some(Target::Service(id.clone()));
    let name = piece(id.name.clone(), Role::Strong);
    let cluster = piece(id.cluster.clone(), Role::Muted);
    let region = piece(id.scope.region.to_string(), Role::Muted);
    let Some(seen) = &row.seen else {
        let says = row.failure.as_ref().map_or_else(
            || piece("not described yet", Role::Faint),
            |f| piece(format!("AWS does not describe it: {}", f.reason), Role::Warn),
        );
        let blank = || piece(none, Role::Faint);
        return Row {
            cells: vec![
                piece(glyph, role),
                name,
                cluster,
                region,
                blank(),
                blank(),
                blank(),
                blank(),
                blank(),
                blank(),
                says,
            ],
            target,
        };
    };
    let service = &seen.value;
    let pending = if service.pending > 0 { format!("+{}", service.pending) } else { String::new() };
    let tasks_role = if service.running < service.desired { role } else { Role::Text };
    let deployed =
        service.deployed_at().map_or_else(|| none.to_owned(), |at| span::brief(at.age_at(model.now.wall)));
    let reason = row.judged().map_or("", |h| h.reason.as_str());
    // What a rollback pinned stays pinned until somebody takes the pin away: every list says so.
    let reason = if model.world.is_pinned(service) { format!("pinned, {reason}") } else { reason.to_owned() };
    // A row whose data is older than its cluster's refresh says so itself.
    let stale = is_stale(model, id, seen.at);
    let state = if stale {
        let age = span::brief(model.now.since(seen.at));
        piece(format!("{} {age} old: {reason}", canvas.theme().glyphs.stale), Role::Stale)
    } else {
        piece(reason, if role == Role::Ok { Role::Muted } else { role })
    };
    let fade = |p| if stale { Piece { role: Role::Stale, ..p } } else { p };
    let mut lines = charts::service(id, false, Range::ThreeHours)
        .into_iter()
        .map(|(_, unit, chart)| spark(model, &chart, unit));
    let mut line = || lines.next().unwrap_or_else(|| piece("", Role::Gauge));
    let cells = vec![
        fade(piece(glyph, role)),
        fade(name),
        fade(cluster),
        fade(region),
        fade(piece(format!("{}/{}{pending}", service.running, service.desired), tasks_role)),
        fade(piece(service.revision.to_string(), Role::Muted)),
        fade(piece(deployed, Role::Muted)),
        fade(way_back(model, service)),
        line(),
        line(),
        state,
    ];
    Row { cells, target }
}

/// Whether it could be rolled back, and to how old a deployment.
fn way_back(model: &Model, service: &Service) -> Piece {
    match model.world.way_back(service) {
        WayBack::Unknown => piece("", Role::Faint),
        WayBack::Nothing => piece("none", Role::Faint),
        WayBack::Ready(target) => {
            let age = target.deployed_at.map(|at| span::brief(at.age_at(model.now.wall)));
            piece(format!("ready {}", age.unwrap_or_default()).trim_end().to_owned(), Role::Muted)
        }
    }
}

/// Whether the newest refresh of the row's cluster failed, so that the row is the last good one.
fn is_stale(model: &Model, id: &ServiceId, seen_at: crate::stdx::clock::Moment) -> bool {
    let interest = crate::app::refresh::Interest::Services(id.cluster_id());
    let faulty = model.refresh.entry(&interest).is_some_and(|e| e.fault.is_some());
    faulty && model.now.since(seen_at) > model.refresh.cadence.visible * 2
}
