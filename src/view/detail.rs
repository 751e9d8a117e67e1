//! A resource in detail, over the panes: what is wrong with it and why, what it is, its numbers, its history.
//!
//! Must show AWS's words beside our judgement of them.

mod data;
pub(super) use data::log_list;

use crate::app::Model;
use crate::app::charts::wanted_of_item;
use crate::app::pane::triage::Item;
use crate::app::refresh::Interest;
use crate::command::{Context, Id};
use crate::diagnose::next_start::CheckVerdict;
use crate::diagnose::{Finding, Subject};
use crate::domain::alarm::{Alarm, AlarmId};
use crate::domain::ecs::ServiceId;
use crate::domain::metric::{MetricSource, Range};
use crate::stdx::clock::Wall;
use crate::stdx::{span, text};
use crate::theme::Role;
use crate::view::widget::canvas::piece;
use crate::view::widget::chart::Plot;
use crate::view::widget::document::Document;
use crate::view::{alarms, databases, status};

/// Rows of a chart.
const CHART: usize = 6;

/// A title and the text of an item's details, for a window whose text is so wide.
#[must_use]
pub fn page(model: &Model, item: &Item, width: usize) -> (String, Document) {
    let mut page = Document::default();
    let title = match item {
        Item::Subject(subject) => format!("{} {}", super::fleet::kind(subject), subject.name()),
        Item::Parameter(_, name) => format!("parameter {name}"),
        Item::Branch(_, path) => path.clone(),
        Item::Change(key) => format!("change of {}", key.name),
    };
    if let Item::Subject(subject) = item {
        findings(&mut page, model, subject);
    }
    match item {
        Item::Subject(Subject::Alarm(id)) => alarm(&mut page, model, id, width),
        Item::Subject(Subject::Database(id)) => {
            data::database(&mut page, model, id);
            charts(&mut page, model, item, width);
        }
        Item::Subject(Subject::Cache(id)) => {
            data::cache(&mut page, model, id);
            charts(&mut page, model, item, width);
        }
        Item::Subject(Subject::Secret(id)) => data::secret(&mut page, model, id),
        Item::Parameter(scope, name) => data::parameter(&mut page, model, scope, name),
        Item::Change(..) => change(&mut page, model, item),
        Item::Subject(Subject::Service(_)) => charts(&mut page, model, item, width),
        Item::Subject(Subject::Cluster(_) | Subject::Scope(_)) | Item::Branch(..) => {}
    }
    if page.is_empty() {
        page.text("Nothing more is known of this.", Role::Muted);
    }
    (title, page)
}

/// What is wrong, with what it rests on and what to do.
fn findings(page: &mut Document, model: &Model, subject: &Subject) {
    let found = model.triage.fleet.findings.iter().filter(|finding| finding.subject == *subject);
    for finding in found {
        let Finding { severity, sentence, since, evidence, next, command, .. } = finding;
        let (role, glyph) = status::severity(*severity, &model.theme);
        let lasting = since.map_or_else(String::new, |at| format!("  for {}", ago(model, at)));
        // Sentences of alarms end with it themselves.
        let told = since.is_some_and(|at| sentence.ends_with(&span::brief(at.age_at(model.now.wall))));
        let lasting = if told { String::new() } else { lasting };
        page.line(vec![
            piece(format!("{glyph} {}", severity.word()), role),
            piece(format!("  {sentence}"), Role::Overlay),
            piece(lasting, Role::Muted),
        ]);
        for evidence in evidence {
            let at = evidence.at.map_or_else(String::new, |at| dated(model, at));
            page.hanging(
                vec![piece(format!("  {} {at}{}", model.theme.glyphs.bullet, evidence.text), Role::Muted)],
                4,
            );
        }
        if let Some(next) = next {
            page.field_in("To do", next.clone(), Role::Strong);
        }
        if let Some(command) = command {
            page.hanging(vec![piece(copies(model), Role::Muted), piece(command.clone(), Role::Text)], 4);
        }
    }
    if !page.is_empty() {
        page.gap();
    }
}

/// What stands before a command that may be copied: its name, and the key.
pub(super) fn copies(model: &Model) -> String {
    let key = model.keymap.keys_for(Id::CopyCommand, &[Context::Row]).into_iter().next();
    let key = key.map_or_else(String::new, |key| format!(" ({key} copies it)"));
    format!("  Command{key}: ")
}

/// How long ago, its number and unit kept together.
pub(super) fn ago(model: &Model, at: Wall) -> String {
    span::brief(at.age_at(model.now.wall)).replace(' ', "\u{a0}")
}

/// `5 min ago: ` or `in 60 d: `, to stand before what was or will be.
pub(super) fn dated(model: &Model, at: Wall) -> String {
    if at > model.now.wall {
        let left = span::brief(model.now.wall.age_at(at)).replace(' ', "\u{a0}");
        return format!("in {left}: ");
    }
    format!("{} ago: ", ago(model, at))
}

/// An instant with its age, or how long until then.
pub(super) fn when(model: &Model, at: Wall) -> String {
    // People read no milliseconds.
    let instant = at.rfc3339();
    let instant = instant.split_once('.').map_or(instant.clone(), |(seconds, _)| format!("{seconds}Z"));
    if at > model.now.wall {
        let left = span::brief(model.now.wall.age_at(at)).replace(' ', "\u{a0}");
        return format!("{instant}  in\u{a0}{left}");
    }
    format!("{instant}  {}\u{a0}ago", ago(model, at))
}

/// Every chart of an item, those that were read.
fn charts(page: &mut Document, model: &Model, item: &Item, width: usize) {
    let wanted = wanted_of_item(model, item, model.range);
    if wanted.is_empty() {
        return;
    }
    page.heading(format!("The last {} ({} changes it)", model.range.word(), range_key(model)));
    if let Item::Subject(subject) = item
        && let Some(fault) = model.charts.fault(subject.scope())
    {
        for (line, role) in status::fault_lines(fault) {
            page.text(format!("  {line}"), role);
        }
    }
    for (name, unit, chart) in wanted {
        let Some(seen) = model.world.estate.series.get(&chart) else {
            page.field_in(name, "asking CloudWatch, or no data yet", Role::Faint);
            continue;
        };
        let points = &seen.value.points;
        if points.is_empty() {
            page.field_in(name, "CloudWatch has no data in this time", Role::Muted);
            continue;
        }
        page.line(vec![piece(format!("  {name} "), Role::Strong), databases::newest(model, &chart, unit)]);
        let plot = Plot { points, until: model.now.wall, span: model.range.span(), unit, threshold: None };
        for line in plot.lines(&model.theme.glyphs, width, CHART) {
            page.line(line);
        }
    }
}

fn range_key(model: &Model) -> String {
    let keys = model.keymap.keys_for(Id::Range, &[Context::List]);
    keys.into_iter().next().unwrap_or_else(|| ":range".to_owned())
}

fn alarm(page: &mut Document, model: &Model, id: &AlarmId, width: usize) {
    let Some(seen) = model.world.estate.alarms.get(id) else {
        return page.text("CloudWatch no longer lists this alarm.", Role::Muted);
    };
    let alarm = &seen.value;
    let (role, _) = status::severity(crate::app::pane::triage::alarm_severity(alarm), &model.theme);
    page.field_in("State", alarm.state.word(), role);
    if let Some(at) = alarm.since {
        page.field("Since", when(model, at));
    }
    page.field("Reason", alarm.reason.clone());
    if let Some(description) = &alarm.description {
        page.field("Description", description.clone());
    }
    page.field("Compares", alarms::threshold(alarm));
    if let Some(rule) = &alarm.rule {
        let stat = rule.stat.as_deref().unwrap_or("metric math");
        let of_math = rule.queries.iter().filter_map(|query| match &query.what {
            MetricSource::Stat { period, .. } => Some(*period),
            MetricSource::Expression { .. } => None,
        });
        let period = of_math.max().unwrap_or(rule.period);
        page.field(
            "Evaluates",
            format!("{stat} of {period} s, {} of {} periods", rule.datapoints, rule.evaluation_periods),
        );
        page.field("Missing data", rule.missing_data.clone());
        if let Some(metric) = &rule.metric {
            let dimensions: Vec<String> = metric.dimensions.iter().map(|(k, v)| format!("{k}={v}")).collect();
            page.field("Metric", format!("{} {} {}", metric.namespace, metric.name, dimensions.join(" ")));
        }
    }
    let watched = model.triage.fleet.watches.get(id).map(Vec::as_slice).unwrap_or_default();
    for subject in watched {
        page.field("Watches", format!("{} {}", subject.kind(), subject.name()));
    }
    if watched.is_empty() {
        page.field_in("Watches", "nothing that is known here", Role::Muted);
    }
    let (acts, acts_role) = alarms::actions(alarm);
    page.field_in("Actions", acts, acts_role);
    for action in &alarm.actions {
        page.field("", action.clone());
    }
    for (label, says) in [("Suppressed by", &alarm.suppressed_by), ("Evaluation", &alarm.evaluation)] {
        if let Some(says) = says {
            page.field_in(label, says.clone(), Role::Warn);
        }
    }
    alarm_chart(page, model, alarm, width);
    history(page, model, id);
    page.gap();
    page.field("ARN", alarm.arn.clone());
}

fn alarm_chart(page: &mut Document, model: &Model, alarm: &Alarm, width: usize) {
    page.heading(format!("The last {} ({} changes it)", model.range.word(), range_key(model)));
    let Some(chart) = crate::app::charts::alarm(alarm, model.range) else {
        return page.text("  This alarm compares no metric that can be charted.", Role::Muted);
    };
    if let Some(fault) = model.charts.fault(&alarm.id.scope) {
        for (line, role) in status::fault_lines(fault) {
            page.text(format!("  {line}"), role);
        }
    }
    match model.world.estate.series.get(&chart) {
        None if model.charts.fault(&alarm.id.scope).is_some() => {}
        None => page.text("  Asking CloudWatch…", Role::Muted),
        Some(seen) if seen.value.points.is_empty() => {
            page.text("  CloudWatch has no data in this time.", Role::Muted);
        }
        Some(seen) => {
            let plot = Plot {
                points: &seen.value.points,
                until: model.now.wall,
                span: model.range.span(),
                unit: "",
                threshold: alarm.rule.as_ref().and_then(|rule| rule.threshold),
            };
            for line in plot.lines(&model.theme.glyphs, width, CHART + 2) {
                page.line(line);
            }
        }
    }
}

/// What stands where an answer has not come: whom we ask, or why it will not come.
pub(super) fn awaited(page: &mut Document, model: &Model, interest: &Interest, whom: &str) {
    match model.refresh.entry(interest).and_then(|entry| entry.fault.as_ref()) {
        None => page.text(format!("  Asking {whom}…"), Role::Muted),
        Some(fault) => {
            for (line, role) in status::fault_lines(fault) {
                page.text(format!("  {line}"), role);
            }
        }
    }
}

fn history(page: &mut Document, model: &Model, id: &AlarmId) {
    page.heading("History of the last 7 days, newest first");
    match model.world.estate.alarm_history.get(id) {
        None => awaited(page, model, &Interest::AlarmHistory(id.clone()), "CloudWatch"),
        Some(seen) if seen.value.is_empty() => page.text("  none", Role::Muted),
        Some(seen) => {
            for item in seen.value.iter().take(20) {
                let lead = piece(format!("  {} ", text::pad(&ago(model, item.at), 8)), Role::Muted);
                page.hanging(vec![lead, piece(item.summary.clone(), Role::Overlay)], 11);
            }
        }
    }
}

fn change(page: &mut Document, model: &Model, item: &Item) {
    let Some(change) = model.triage.change(item) else {
        return page.text("This change is no longer held in memory.", Role::Muted);
    };
    page.field("When", when(model, change.at));
    page.field("Kind", change.kind.word());
    page.field("Name", change.name.clone());
    page.field("Where", change.scope.to_string());
    page.field("What", change.sentence.clone());
    page.field("Who", change.who.clone().unwrap_or_else(|| "not told".to_owned()));
}

/// Whether the next task of a service would start.
#[must_use]
pub fn check(model: &Model) -> (String, Document) {
    let mut page = Document::default();
    let name = model.check.service.as_ref().map_or("?", |id| id.name.as_str());
    match model.check.checks(&model.world, model.now.wall) {
        None => match &model.check.service {
            Some(id) => awaited(&mut page, model, &missing(model, id), "ECS"),
            None => page.text("No service is selected.", Role::Muted),
        },
        Some(checks) => {
            if model.check.is_under_way() {
                let left = text::count(model.check.outstanding(), "answer");
                page.text(format!("{left} still to come"), Role::Spinner);
                page.gap();
            }
            if checks.is_empty() {
                page.text("There is nothing to check.", Role::Muted);
            }
            for check in checks {
                let (role, glyph) = verdict(check.verdict, model);
                page.hanging(
                    vec![
                        piece(format!("{glyph} {} ", text::pad(check.verdict.word(), 13)), role),
                        piece(check.what.clone(), Role::Strong),
                        piece(format!("  {}", check.evidence), Role::Overlay),
                    ],
                    16,
                );
            }
            page.gap();
            page.text("A pass is no promise: capacity, networks and policies are not checked.", Role::Muted);
        }
    }
    (format!("Would the next task of {name} start"), page)
}

/// What a check waits for before it can begin.
fn missing(model: &Model, id: &ServiceId) -> Interest {
    match model.world.service(id) {
        Some(seen) => Interest::Definition(id.scope.clone(), seen.value.task_definition_arn.clone()),
        None => Interest::Services(id.cluster_id()),
    }
}

fn verdict(verdict: CheckVerdict, model: &Model) -> (Role, &'static str) {
    let glyphs = &model.theme.glyphs;
    match verdict {
        CheckVerdict::Block => (Role::Critical, glyphs.critical),
        CheckVerdict::Warn => (Role::Warn, glyphs.warning),
        CheckVerdict::NotVerified => (Role::Unknown, glyphs.unknown),
        CheckVerdict::Pass => (Role::Ok, glyphs.ok),
    }
}

/// The ranges, as a title says them.
#[must_use]
pub fn reach(range: Range) -> &'static str {
    match range {
        Range::Hour => "1h",
        Range::ThreeHours => "3h",
        Range::Day | Range::Week => "24h",
    }
}
