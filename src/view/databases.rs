//! The databases: replicas under their source, members under their cluster, the sickest family first.
//!
//! Must show a status that is new to us as AWS wrote it.

use crate::app::Model;
use crate::app::charts::{Chart, wanted_of_item};
use crate::app::pane::PaneId;
use crate::app::pane::triage::Item;
use crate::diagnose::database::{max_connections, severity_of_status};
use crate::diagnose::{Severity, Subject};
use crate::domain::database::{DatabaseId, DbInstance};
use crate::domain::metric::Range;
use crate::stdx::rect::Rect;
use crate::stdx::span;
use crate::theme::Role;
use crate::view::items::{self, Shown};
use crate::view::status;
use crate::view::widget::canvas::{Canvas, Piece, piece};
use crate::view::widget::chart::{Plot, number};
use crate::view::widget::table::{Column, Row};

const COLUMNS: [Column; 11] = [
    Column::new("", 1, 1),
    Column::new("DATABASE", 14, 36).cut_middle(),
    Column::new("REGION", 9, 14).expendable(5),
    Column::new("STATUS", 9, 24),
    Column::new("ROLE", 6, 16).expendable(6),
    Column::new("ENGINE", 8, 24).expendable(7),
    Column::new("CLASS", 8, 16).expendable(8),
    Column::new("CPU", 6, 17).expendable(3),
    Column::new("CONNECTIONS", 6, 24).expendable(4),
    Column::new("FREE", 6, 10).right().expendable(2),
    Column::new("SAYS", 16, 0).flexible(),
];

/// Columns of a sparkline in a list.
const SPARK: usize = 10;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let shown = Shown {
        pane: PaneId::Databases,
        columns: &COLUMNS,
        nothing: "This account has no databases here.",
        filtered: "No database matches the filter.",
    };
    items::draw(canvas, model, area, &shown, &|item| {
        let Item::Subject(Subject::Database(id)) = item else { return None };
        row(model, item, id)
    });
}

/// The line of a chart and its newest number; of one that has stopped, its last number and how old that is.
#[must_use]
pub fn spark(model: &Model, chart: &Chart, unit: &str) -> Piece {
    let Some(seen) = model.world.estate.series.get(chart) else { return piece("", Role::Gauge) };
    let newest = newest(model, chart, unit);
    if newest.role == Role::Stale {
        return newest;
    }
    let plot = Plot {
        points: &seen.value.points,
        until: model.now.wall,
        span: chart.range.span(),
        unit,
        threshold: None,
    };
    piece(format!("{} {}", plot.sparkline(&model.theme.glyphs, SPARK), newest.text), Role::Gauge)
}

/// The newest number of a chart, with its age where that is too great to tell of now.
#[must_use]
pub fn newest(model: &Model, chart: &Chart, unit: &str) -> Piece {
    let points = model.world.estate.series.get(chart).map(|seen| seen.value.points.as_slice());
    let Some((at, value)) = points.and_then(|points| points.last()) else { return piece("", Role::Text) };
    let age = at.age_at(model.now.wall);
    if age > chart.life() {
        return piece(format!("{} {} old", number(*value, unit), span::brief(age)), Role::Stale);
    }
    piece(number(*value, unit), Role::Text)
}

/// What the fleet says of a subject: its severity and sentence.
#[must_use]
pub fn says(model: &Model, subject: &Subject) -> Option<(Severity, String)> {
    let finding = model.triage.fleet.findings.iter().find(|finding| finding.subject == *subject)?;
    Some((finding.severity, finding.sentence.clone()))
}

/// Primary, replica, writer, reader.
#[must_use]
pub fn role_of(model: &Model, instance: &DbInstance) -> &'static str {
    if instance.source.is_some() {
        return "replica";
    }
    let Some(cluster) = &instance.cluster else {
        return if instance.replicas.is_empty() { "single" } else { "primary" };
    };
    let id = DatabaseId { scope: instance.id.scope.clone(), name: cluster.clone(), cluster: true };
    let member = model
        .world
        .estate
        .db_clusters
        .get(&id)
        .and_then(|seen| seen.value.members.iter().find(|member| member.instance == instance.id.name));
    match member {
        Some(member) if member.writer => "writer",
        Some(_) => "reader",
        None => "member",
    }
}

/// The name, indented under its head.
#[must_use]
pub fn nested(model: &Model, item: &Item, name: &str) -> Piece {
    let depth = model.triage.depth.get(item).copied().unwrap_or(0);
    if depth == 0 {
        return piece(name, Role::Strong);
    }
    piece(format!("{}{} {name}", "  ".repeat(depth - 1), model.theme.glyphs.last_branch), Role::Text)
}

fn row(model: &Model, item: &Item, id: &DatabaseId) -> Option<Row> {
    let estate = &model.world.estate;
    let subject = Subject::Database(id.clone());
    let said = says(model, &subject);
    let none = || piece(model.theme.glyphs.none, Role::Faint);
    let severity = |status: &str| said.as_ref().map_or(severity_of_status(status, id.cluster), |(s, _)| *s);
    let sentence = said.as_ref().map_or_else(String::new, |(_, sentence)| sentence.clone());
    if let Some(seen) = estate.db_clusters.get(id) {
        let cluster = &seen.value;
        let (role, glyph) = status::severity(severity(&cluster.status), &model.theme);
        return Some(Row {
            cells: vec![
                piece(glyph, role),
                nested(model, item, &id.name),
                piece(id.scope.region.to_string(), Role::Muted),
                piece(cluster.status.clone(), role),
                piece("cluster", Role::Muted),
                piece(format!("{} {}", cluster.engine, cluster.engine_version), Role::Muted),
                none(),
                none(),
                none(),
                none(),
                piece(sentence, role),
            ],
            target: None,
        });
    }
    let instance = &estate.instances.get(id)?.value;
    let (role, glyph) = status::severity(severity(&instance.status), &model.theme);
    let named = wanted_of_item(model, item, Range::ThreeHours);
    let chart = |name: &str| named.iter().find(|(n, ..)| *n == name);
    let line = |name: &str| {
        chart(name).map_or_else(|| piece("", Role::Gauge), |(_, unit, chart)| spark(model, chart, unit))
    };
    let last = |name: &str| {
        chart(name).and_then(|(_, unit, chart)| Some(number(estate.last(chart, model.now.wall)?, unit)))
    };
    let behind = last("ReplicaLag").map_or_else(String::new, |lag| format!(", {lag} behind"));
    let mut connections = line("DatabaseConnections");
    if let Some(limit) = connection_limit(model, instance)
        .filter(|_| connections.role == Role::Gauge && !connections.text.is_empty())
    {
        connections.text.push_str(&format!(" of {limit}"));
    }
    let free = last("FreeStorageSpace");
    let zones = if instance.multi_az { "Multi-AZ" } else { "" };
    let sentence = if sentence.is_empty() { zones.to_owned() } else { sentence };
    Some(Row {
        cells: vec![
            piece(glyph, role),
            nested(model, item, &id.name),
            piece(id.scope.region.to_string(), Role::Muted),
            piece(instance.status.clone(), role),
            piece(format!("{}{behind}", role_of(model, instance)), Role::Muted),
            piece(format!("{} {}", instance.engine, instance.engine_version), Role::Muted),
            piece(instance.class.clone(), Role::Muted),
            line("CPUUtilization"),
            connections,
            free.map_or_else(none, |free| piece(free, Role::Text)),
            piece(sentence, if role == Role::Ok { Role::Muted } else { role }),
        ],
        target: None,
    })
}

/// How many connections an instance takes: `≈` where that follows from its class and not from a parameter.
#[must_use]
pub fn connection_limit(model: &Model, instance: &DbInstance) -> Option<String> {
    let known = instance.parameter_groups.first().and_then(|group| {
        model.world.estate.parameters.get(&(instance.id.scope.clone(), group.name.clone()))
    });
    let limit = max_connections(instance, known.map(Vec::as_slice).unwrap_or_default())?;
    Some(limit.to_string())
}

/// The charts of a service that were read, as lines for its pane.
#[must_use]
pub fn service_sparks(model: &Model, subject: &Subject) -> Vec<(String, Piece)> {
    let item = Item::Subject(subject.clone());
    wanted_of_item(model, &item, Range::ThreeHours)
        .into_iter()
        .filter(|(_, _, chart)| model.world.estate.series.contains_key(chart))
        .map(|(name, unit, chart)| (name.to_owned(), spark(model, &chart, unit)))
        .collect()
}
