//! From a problem to its resource, from an alarm to what it watches and back, from a row to its details.
//!
//! Must remember where it came from: `[` leads back.

use crate::app::Model;
use crate::app::dispatch::{go, named, take_subject};
use crate::app::overlay::Overlay;
use crate::app::pane::PaneId;
use crate::app::pane::list::Scroll;
use crate::app::pane::logs::FileId;
use crate::app::pane::triage::Item;
use crate::command::Id;
use crate::diagnose::Subject;
use crate::domain::alarm::{AlarmId, AlarmState};
use crate::domain::database::DatabaseId;

/// Enter on a row: the resource of a problem or a change, the details of anything else.
pub(super) fn open(model: &mut Model, pane: PaneId, item: &Item) {
    match (pane, item) {
        (PaneId::Fleet, Item::Subject(subject)) => to(model, &subject.clone()),
        (PaneId::Changes, item) => match model.triage.change(item).and_then(|c| c.subject.clone()) {
            Some(subject) => to(model, &subject),
            None => model.overlay = Some(Overlay::Detail(item.clone(), Scroll::default())),
        },
        (_, Item::Branch(..)) => model.say("This is a part of names; what stands below it has details"),
        (_, item) => model.overlay = Some(Overlay::Detail(item.clone(), Scroll::default())),
    }
}

/// Enter in an operation of the journal: to what it was about, if that is still there.
pub(super) fn from_deed(model: &mut Model, operation: &str) {
    model.overlay = None;
    let Some(deed) = model.journal.deed(operation) else { return };
    match model.subject_of(deed) {
        Some(subject) => to(model, &subject),
        None if deed.mark().is_some() => {}
        None => {
            let what = deed.targets().join(", ");
            model.say(format!("{what} is not known here: it is gone, or elsewhere, or not read yet"));
        }
    }
}

/// Enter in a database's details: its log files, of which the newest is selected; the only one at once.
pub(super) fn further(model: &mut Model, item: &Item) {
    model.overlay = None;
    let Item::Subject(Subject::Database(id)) = item else { return };
    match model.world.estate.log_files.get(id).map(Vec::as_slice) {
        None | Some([]) => {}
        Some([only]) => open_file(model, (id.clone(), only.name.clone())),
        Some([newest, ..]) => {
            let selected = newest.name.clone();
            model.overlay = Some(Overlay::LogFiles { database: id.clone(), selected });
        }
    }
}

/// A command over the list of a database's log files; says whether it meant something there. The selected one is
/// known by its name: a new file pushes the others down.
pub(super) fn files(model: &mut Model, id: Id, database: DatabaseId, selected: &str) -> bool {
    let known = model.world.estate.log_files.get(&database);
    let names: Vec<&String> = known.into_iter().flatten().map(|file| &file.name).collect();
    let at = names.iter().position(|name| *name == selected);
    let last = names.len().saturating_sub(1);
    let to = match (id, at) {
        (Id::Open, at) => {
            if at.is_some() {
                model.overlay = None;
                open_file(model, (database, selected.to_owned()));
            }
            return true;
        }
        (Id::Back | Id::Quit, _) => {
            let item = Item::Subject(Subject::Database(database));
            model.overlay = Some(Overlay::Detail(item, Scroll::default()));
            return true;
        }
        (Id::Up, at) => at.map_or(0, |at| at.saturating_sub(1)),
        (Id::Down, at) => at.map_or(0, |at| (at + 1).min(last)),
        (Id::PageUp, at) => at.map_or(0, |at| at.saturating_sub(PAGE)),
        (Id::PageDown, at) => at.map_or(0, |at| (at + PAGE).min(last)),
        (Id::Top, _) => 0,
        (Id::Bottom, _) => last,
        _ => return false,
    };
    if let Some(name) = names.get(to) {
        model.overlay = Some(Overlay::LogFiles { selected: (*name).clone(), database });
    }
    true
}

/// Files that a page skips; it leaves some in view on any screen.
const PAGE: usize = 8;

/// A log file, in the pane where logs are read.
fn open_file(model: &mut Model, file: FileId) {
    let place = model.place();
    model.history.leave(place);
    model.logs.open_file(file);
    model.focus = PaneId::Logs;
    model.settled_at = u64::MAX;
}

/// Goes to where a resource is listed, with it selected.
pub(super) fn to(model: &mut Model, subject: &Subject) {
    let pane = match subject {
        Subject::Service(id) => {
            let place = model.place();
            model.history.leave(place);
            take_subject(model, id.clone());
            model.services.list.cursor.select(id.clone());
            model.focus = PaneId::Service;
            return;
        }
        Subject::Cluster(id) => {
            go(model, PaneId::Clusters);
            model.clusters.cursor.select(id.clone());
            return;
        }
        Subject::Scope(_) => return go(model, PaneId::Api),
        Subject::Database(_) => PaneId::Databases,
        Subject::Cache(_) => PaneId::Caches,
        Subject::Secret(_) => PaneId::Secrets,
        Subject::Alarm(_) => PaneId::Alarms,
    };
    to_item(model, pane, Item::Subject(subject.clone()));
}

/// Goes to a row of a list.
pub(super) fn to_item(model: &mut Model, pane: PaneId, item: Item) {
    go(model, pane);
    if let Some(list) = model.triage.list_mut(pane) {
        // A filter would hide what was asked for.
        list.filter = None;
        list.cursor.select(item);
    }
    model.settled_at = u64::MAX;
}

/// From the selected alarm to what it watches; from anything else to the alarm that watches it.
pub(super) fn watched(model: &mut Model) {
    let item = match model.triage.selected(model.focus) {
        Some(item) => Some(item.clone()),
        None => model.aimed_service().map(|id| Item::Subject(Subject::Service(id.clone()))),
    };
    match item {
        Some(item) => watched_of(model, &item),
        None => model.say("Select an alarm, or what one may watch"),
    }
}

/// The same for an item.
pub(super) fn watched_of(model: &mut Model, item: &Item) {
    let Item::Subject(subject) = item else {
        model.say("No alarm can watch this");
        return;
    };
    if let Subject::Alarm(id) = subject {
        match model.triage.fleet.watches.get(id).and_then(|watched| watched.first()).cloned() {
            Some(resource) => {
                model.triage.came_from = Some(id.clone());
                to(model, &resource);
            }
            None => model.say("This alarm watches nothing that is known here"),
        }
        return;
    }
    let watching: Vec<&AlarmId> = model
        .triage
        .fleet
        .watches
        .iter()
        .filter(|(_, watched)| watched.contains(subject))
        .map(|(id, _)| id)
        .collect();
    let fires = |id: &AlarmId| {
        model.world.estate.alarms.get(id).is_some_and(|seen| seen.value.state == AlarmState::Alarm)
    };
    let came_from = watching.iter().find(|id| model.triage.came_from.as_ref() == Some(**id));
    let alarm = came_from.or_else(|| watching.iter().find(|id| fires(id))).or(watching.first());
    match alarm.map(|id| (*id).clone()) {
        Some(id) => {
            // One of target tracking is folded away: it must be there to be jumped to.
            if model.world.estate.alarms.get(&id).is_some_and(|seen| seen.value.is_target_tracking()) {
                model.triage.unfolded.insert(PaneId::Alarms, true);
                model.settled_at = u64::MAX;
            }
            to(model, &Subject::Alarm(id));
        }
        None => model.say(format!("Nothing watches this {}", subject.kind())),
    }
}

/// A service's charts or its check, over the panes.
pub(super) fn detail(model: &mut Model, id: Id, name: Option<&str>) {
    let service = match name {
        Some(name) => match named(model, name) {
            Ok(service) => service,
            Err(error) => return model.complain(error),
        },
        None => match model.aimed_service() {
            Some(service) => service.clone(),
            None => return model.complain("Select a service first"),
        },
    };
    if id == Id::Metrics {
        let item = Item::Subject(Subject::Service(service));
        model.overlay = Some(Overlay::Detail(item, Scroll::default()));
        return;
    }
    model.check.open(service);
    model.overlay = Some(Overlay::Check(Scroll::default()));
}
