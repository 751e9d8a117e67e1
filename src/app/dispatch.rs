//! What each command of the console does to the model.
//!
//! Must not perform anything itself: it changes the model and returns effects.

mod adjust;
mod change;
mod jump;
mod take;

use adjust::{apply_filter, change_range, filter, fold, has_filter, keymap, reverse_sort, sort, theme};
use jump::{detail, watched};
use take::{copied, copy, links};

use crate::app::history::Place;
use crate::app::layout::layout;
use crate::app::operations::{self, dialog::Dialog};
use crate::app::overlay::{Overlay, Prompt};
use crate::app::pane::PaneId;
use crate::app::pane::list::{Motion, Scroll};
use crate::app::pane::triage::Item;
use crate::app::refresh::LOG_LINES;
use crate::app::{Effect, Model, TimeStyle};
use crate::command::{Id, Invocation, Risk};
use crate::diagnose::Subject;
use crate::domain::ecs::ServiceId;
use crate::domain::log::LogSubject;
use crate::domain::scope::Arn;
use crate::domain::task::TaskId;

/// Runs a command.
pub fn run(model: &mut Model, invocation: &Invocation) -> Vec<Effect> {
    if let Some(effects) = run_over(model, invocation) {
        return effects;
    }
    let arg = invocation.arg();
    match invocation.id {
        Id::Quit => return operations::quit(model),
        Id::Suspend => return vec![Effect::Suspend],
        Id::Help => model.overlay = Some(Overlay::Help(Scroll::default())),
        Id::Palette => model.prompt = Some(Prompt::palette()),
        Id::Back => back(model),
        Id::HistoryBack => {
            let place = model.place();
            match model.history.back(place) {
                Some(place) => restore(model, place),
                None => model.say("There is no view before this one"),
            }
        }
        Id::HistoryForward => {
            let place = model.place();
            match model.history.forward(place) {
                Some(place) => restore(model, place),
                None => model.say("There is no view after this one"),
            }
        }
        Id::Open => open(model),
        Id::NextPane => walk(model, 1),
        Id::PreviousPane => walk(model, -1),
        Id::Pane => {
            let pane =
                arg.and_then(|n| n.parse::<usize>().ok()).and_then(|n| PaneId::ALL.get(n.checked_sub(1)?));
            match pane {
                Some(pane) => open_pane(model, *pane, None),
                None => model.complain(format!("There are panes 1 to {}", PaneId::ALL.len())),
            }
        }
        Id::Zoom => model.zoomed = !model.zoomed,
        Id::Up => scroll(model, model.focus, Motion::Up),
        Id::Down => scroll(model, model.focus, Motion::Down),
        Id::PageUp => scroll(model, model.focus, Motion::PageUp),
        Id::PageDown => scroll(model, model.focus, Motion::PageDown),
        Id::Top => scroll(model, model.focus, Motion::Top),
        Id::Bottom => scroll(model, model.focus, Motion::Bottom),
        Id::Left => sideways(model, -8),
        Id::Right => sideways(model, 8),
        Id::Filter => filter(model, invocation),
        Id::ClearFilter => apply_filter(model, ""),
        Id::Sort => sort(model, arg),
        Id::ReverseSort => reverse_sort(model),
        Id::Fold => fold(model),
        Id::Refresh => {
            model.refresh.retry_all();
            model.charts.retry_all();
            model.journal.outdate();
            model.say("Asking AWS again");
            if model.session.scopes.is_empty() {
                return vec![Effect::FindRegions];
            }
        }
        Id::Copy | Id::CopyArn => return copy(model, invocation.id),
        Id::CopyCommand => return take::command(model, None),
        Id::Reveal => model.definition.revealed = !model.definition.revealed,
        Id::Links => links(model),
        Id::Theme => theme(model, arg),
        Id::Keymap => keymap(model, arg),
        Id::Follow => model.logs.toggle_follow(),
        Id::Wrap => model.logs.wrap = !model.logs.wrap,
        Id::Level => {
            let said = model.logs.set_level(arg);
            model.say(said);
        }
        Id::Timestamps => {
            model.times = match model.times {
                TimeStyle::Local => TimeStyle::Utc,
                TimeStyle::Utc => TimeStyle::Age,
                TimeStyle::Age => TimeStyle::None,
                TimeStyle::None => TimeStyle::Local,
            };
        }
        Id::NextMatch | Id::PreviousMatch => {
            if !model.logs.next_match(invocation.id == Id::NextMatch) {
                model.say("No other match among the lines held here");
            }
        }
        Id::Older if model.logs.file().is_some() => {
            model.say(format!("Of a log file its end is read: {LOG_LINES} lines at first, and what follows"));
        }
        Id::Older => model.logs.older(),
        Id::Watched => watched(model),
        Id::Range => change_range(model),
        Id::Metrics | Id::Check => detail(model, invocation.id, arg),
        Id::Unlock => change::unlock(model, invocation),
        Id::Operations => return change::open_operations(model),
        Id::IncidentOpen => return operations::open_incident(model, &invocation.args.join(" ")),
        Id::IncidentClose => return operations::close_incident(model),
        id if id.command().risk == Risk::Write || id == Id::Watch => {
            return change::change(model, invocation);
        }
        id => {
            if let Some(pane) = PaneId::opened_by(id) {
                open_pane(model, pane, arg);
            }
        }
    }
    Vec::new()
}

/// Commands that mean something else while something lies over the panes.
fn run_over(model: &mut Model, invocation: &Invocation) -> Option<Vec<Effect>> {
    let height = usize::from(model.size.height.saturating_sub(8));
    let overlay = model.overlay.as_mut()?;
    let motion = motion_of(invocation.id);
    if let Overlay::Session { selected, .. } = overlay {
        let count = model.operations.list.len();
        match invocation.id {
            Id::Up => *selected = selected.saturating_sub(1),
            Id::Down => *selected = (*selected + 1).min(count.saturating_sub(1)),
            Id::Open => {
                let at = count.checked_sub(*selected + 1);
                let id = at.and_then(|at| model.operations.list.get(at)).map(|running| running.id);
                model.overlay = id.map(|id| Overlay::Operation(Box::new(Dialog::new(id))));
            }
            Id::Back | Id::Quit | Id::Operations => model.overlay = None,
            Id::Journal => {
                model.overlay = None;
                return None;
            }
            Id::PageUp | Id::PageDown | Id::Top | Id::Bottom => {
                if let (Some(motion), Some(scroll)) = (motion, overlay.scroll()) {
                    scroll.move_by(motion, height);
                }
            }
            _ => return None,
        }
        return Some(Vec::new());
    }
    if let Overlay::LogFiles { database, selected } = overlay {
        let (database, selected) = (database.clone(), selected.clone());
        if jump::files(model, invocation.id, database, &selected) {
            return Some(Vec::new());
        }
    }
    let overlay = model.overlay.as_mut()?;
    if let Overlay::Links { links, selected } = overlay {
        match invocation.id {
            Id::Up => *selected = selected.saturating_sub(1),
            Id::Down => *selected = (*selected + 1).min(links.len().saturating_sub(1)),
            Id::Open | Id::Copy | Id::CopyArn => {
                let link = links.get(*selected).map(|(_, url)| url.clone());
                model.overlay = None;
                return link.map(|url| copied(model, url, "the link"));
            }
            Id::Back | Id::Quit | Id::Links => model.overlay = None,
            _ => return None,
        }
        return Some(Vec::new());
    }
    if let (Some(motion), Some(scroll)) = (motion, overlay.scroll()) {
        scroll.move_by(motion, height);
        return Some(Vec::new());
    }
    match (invocation.id, &*overlay) {
        (Id::Range, Overlay::Detail(..)) => {
            change_range(model);
            Some(Vec::new())
        }
        (Id::Watched, Overlay::Detail(item, _)) => {
            let item = item.clone();
            model.overlay = None;
            jump::watched_of(model, &item);
            Some(Vec::new())
        }
        (Id::Open, Overlay::Deed(operation, _)) => {
            let operation = operation.clone();
            jump::from_deed(model, &operation);
            Some(Vec::new())
        }
        (Id::Copy | Id::CopyArn, Overlay::Deed(operation, _)) => {
            let text = model.journal.deed(operation).map(take::deed_told).unwrap_or_default();
            Some(copied(model, text, "the operation"))
        }
        (Id::Open, Overlay::Detail(item, _)) => {
            let item = item.clone();
            jump::further(model, &item);
            Some(Vec::new())
        }
        (Id::Copy | Id::CopyArn, Overlay::Detail(item, _)) => {
            let item = item.clone();
            let text = take::name_of(model, &item, invocation.id == Id::CopyArn);
            Some(copied(model, text, "the name"))
        }
        (Id::CopyCommand, Overlay::Detail(item, _)) => {
            let item = item.clone();
            Some(take::command(model, Some(&item)))
        }
        (Id::Copy, Overlay::Text { text, .. }) => {
            let text = text.clone();
            Some(copied(model, text, "the text"))
        }
        (Id::Copy, Overlay::Record(id, _)) => {
            let text = model.logs.raw(*id).unwrap_or_default();
            Some(copied(model, text, "the record"))
        }
        (Id::Copy | Id::CopyArn, Overlay::Task(id, _)) => {
            let arn = model.world.tasks.get(id).map(|seen| seen.value.arn.clone()).unwrap_or_default();
            Some(copied(model, arn, "the task's ARN"))
        }
        (Id::Back | Id::Quit | Id::Open | Id::Help, _) => {
            model.overlay = None;
            Some(Vec::new())
        }
        (Id::Suspend, _) => None,
        // A change of what the overlay shows: its own dialog takes the overlay's place.
        (id, _) if id.command().risk == Risk::Write => None,
        // Anything else leaves the overlay and acts on the pane below, which the operator sees again then.
        (id, _) if PaneId::opened_by(id).is_some() || id == Id::Palette => {
            let task = match model.overlay.take() {
                Some(Overlay::Task(id, _)) => Some(id),
                _ => None,
            };
            if let (Some(task), Id::Logs) = (task, id) {
                model.tasks.list.cursor.select(task);
            }
            None
        }
        _ => Some(Vec::new()),
    }
}

fn motion_of(id: Id) -> Option<Motion> {
    Some(match id {
        Id::Up => Motion::Up,
        Id::Down => Motion::Down,
        Id::PageUp => Motion::PageUp,
        Id::PageDown => Motion::PageDown,
        Id::Top => Motion::Top,
        Id::Bottom => Motion::Bottom,
        _ => return None,
    })
}

/// Moves in a pane.
pub fn scroll(model: &mut Model, pane: PaneId, motion: Motion) {
    let screen = layout(model, model.size);
    let height = screen.inside(pane).map_or(10, |r| usize::from(r.height)).max(1);
    let below_header = height.saturating_sub(1).max(1);
    match pane {
        PaneId::Services => model.services.list.move_by(motion, below_header),
        PaneId::Tasks => model.tasks.list.move_by(motion, below_header),
        PaneId::Clusters => model.clusters.move_by(motion, below_header),
        PaneId::Deployments => model.deployments.move_by(motion, below_header),
        PaneId::Events => model.events.move_by(motion, height),
        PaneId::Journal => {
            let room = screen.inside(pane).map_or(height, |inside| model.journal.room(inside));
            model.journal.list.move_by(motion, room);
        }
        PaneId::Logs => model.logs.move_by(motion, height),
        PaneId::Service => model.service.move_by(motion, height),
        PaneId::Definition => model.definition.scroll.move_by(motion, height),
        PaneId::Api => model.api.move_by(motion, height),
        PaneId::Fleet
        | PaneId::Alarms
        | PaneId::Databases
        | PaneId::Caches
        | PaneId::Secrets
        | PaneId::Changes => {
            if let Some(list) = model.triage.list_mut(pane) {
                list.move_by(motion, below_header);
            }
        }
    }
}

fn sideways(model: &mut Model, by: i16) {
    let shift = match model.focus {
        PaneId::Logs => &mut model.logs.shift,
        PaneId::Services => &mut model.services.list.shift,
        PaneId::Tasks => &mut model.tasks.list.shift,
        PaneId::Events => &mut model.events.shift,
        PaneId::Deployments => &mut model.deployments.shift,
        PaneId::Clusters => &mut model.clusters.shift,
        PaneId::Journal => &mut model.journal.list.shift,
        pane => match model.triage.list_mut(pane) {
            Some(list) => &mut list.shift,
            None => return,
        },
    };
    *shift = shift.saturating_add_signed(by).min(4_096);
}

/// Esc: the nearest thing that can be closed, cleared or left.
fn back(model: &mut Model) {
    if !model.pending.is_empty() {
        model.pending.clear();
    } else if model.zoomed {
        model.zoomed = false;
    } else if has_filter(model) {
        apply_filter(model, "");
    } else if model.focus == PaneId::Services && model.services.cluster.is_some() {
        model.services.cluster = None;
        model.settled_at = u64::MAX;
    } else if let Some((database, _)) = model.logs.file().filter(|_| model.focus == PaneId::Logs).cloned() {
        let item = Item::Subject(Subject::Database(database));
        jump::to_item(model, PaneId::Databases, item.clone());
        model.overlay = Some(Overlay::Detail(item, Scroll::default()));
    } else if model.focus.follows_subject() {
        go(model, PaneId::Services);
    } else if model.focus != PaneId::Fleet {
        go(model, PaneId::Fleet);
    }
}

/// Focuses a pane, remembering where we were.
pub fn go(model: &mut Model, pane: PaneId) {
    if model.focus == pane {
        return;
    }
    let place = model.place();
    model.history.leave(place);
    model.focus = pane;
}

fn walk(model: &mut Model, by: isize) {
    // On a deck, Tab walks what is visible; on a narrow screen it walks the tabs.
    let visible: Vec<PaneId> = layout(model, model.size).panes.iter().map(|(pane, _)| *pane).collect();
    let ring: Vec<PaneId> = if visible.len() > 1 { visible } else { tabs(model) };
    let index = ring.iter().position(|p| *p == model.focus).unwrap_or(0);
    let next = ring[(index + ring.len()).saturating_add_signed(by) % ring.len()];
    open_pane(model, next, None);
}

/// From this width on the strip has columns for the full names of all panes.
const WIDE_STRIP: u16 = 160;

/// The tabs that the strip shows here.
#[must_use]
pub fn tabs(model: &Model) -> Vec<PaneId> {
    // Beside the list of services there is room for them on a wide screen only; the footer names their keys.
    let is_wide = model.size.width >= WIDE_STRIP;
    if model.focus == PaneId::Logs && model.logs.file().is_some() {
        // Beside the databases, since it is one's.
        let mut strip = PaneId::strip(false);
        let at = strip.iter().position(|pane| *pane == PaneId::Databases).map_or(0, |at| at + 1);
        strip.insert(at, PaneId::Logs);
        return strip;
    }
    let beside = model.focus.follows_subject() || (model.focus == PaneId::Services && is_wide);
    PaneId::strip(beside && (model.aimed_service().is_some() || model.subject.is_some()))
}

/// Makes a service the one that the following panes show.
pub fn take_subject(model: &mut Model, service: ServiceId) {
    if model.subject.as_ref() == Some(&service) {
        return;
    }
    model.subject = Some(service);
    model.settled_at = u64::MAX;
    model.service = Scroll::default();
    model.tasks.list.cursor.reset();
    model.events.cursor.reset();
    model.deployments.cursor.reset();
    model.definition.choose(None);
}

/// Opens a pane, for a named service, the selected one, or the one that is open.
fn open_pane(model: &mut Model, pane: PaneId, name: Option<&str>) {
    let place = model.place();
    let task = (model.focus == PaneId::Tasks).then(|| model.tasks.list.selected().cloned()).flatten();
    if let Some(text) = name.filter(|_| !pane.follows_subject() && pane != PaneId::Api) {
        go(model, pane);
        apply_filter(model, text);
        return;
    }
    if pane.follows_subject() {
        let wanted = match name {
            Some(name) => match named(model, name) {
                Ok(id) => Some(id),
                Err(error) => {
                    model.complain(error);
                    return;
                }
            },
            None => model.aimed_service().or(model.subject.as_ref()).cloned(),
        };
        let Some(service) = wanted else {
            model.complain(if model.world.services.is_empty() {
                "No service is known yet"
            } else {
                "Select a service first"
            });
            return;
        };
        take_subject(model, service.clone());
        match (pane, task) {
            (PaneId::Logs, Some(id)) if name.is_none() => {
                open_log(model, service, Some(id));
            }
            (PaneId::Logs, _) => {
                // A task's log that is open stays open when one only walks past.
                let keep = name.is_none() && model.logs.is_about(&service);
                if !keep || model.focus == PaneId::Services {
                    open_log(model, service, None);
                }
            }
            (PaneId::Definition, Some(id)) if name.is_none() => {
                let arn = model.world.tasks.get(&id).map(|s| s.value.task_definition_arn.clone());
                model.definition.choose(arn);
            }
            (PaneId::Definition, None) if model.focus != PaneId::Definition => model.definition.choose(None),
            _ => {}
        }
    }
    // A service's log in the place of a file's is another view in the same pane.
    let replaces = place.file.is_some() && model.logs.file().is_none();
    if model.focus != pane || replaces {
        model.history.leave(place);
        model.focus = pane;
    }
}

/// Follows a service's log, or one of its tasks' if that task is known.
fn open_log(model: &mut Model, service: ServiceId, task: Option<TaskId>) {
    let definition = |id: &TaskId| Some(model.world.tasks.get(id)?.value.task_definition_arn.clone());
    let subject = task.and_then(|task| {
        let task_definition_arn = definition(&task)?;
        Some(LogSubject::Task { task, task_definition_arn })
    });
    model.logs.open(subject.unwrap_or_else(|| LogSubject::Service(service.clone())), service);
}

/// Finds a service by `NAME`, `CLUSTER/NAME` or ARN.
fn named(model: &Model, name: &str) -> Result<ServiceId, String> {
    let (cluster, short) = match Arn::parse(name) {
        Some(arn) => {
            let mut parts = arn.resource.rsplit('/');
            let short = parts.next().unwrap_or_default();
            (parts.next().filter(|c| *c != "service"), short)
        }
        None => name.split_once('/').map_or((None, name), |(c, s)| (Some(c), s)),
    };
    let region = Arn::parse(name).map(|arn| arn.region);
    let found: Vec<&ServiceId> = model
        .world
        .services
        .keys()
        .filter(|id| {
            id.name == short
                && cluster.is_none_or(|c| c == id.cluster)
                && region.is_none_or(|r| r == id.scope.region.as_str())
        })
        .collect();
    match found.as_slice() {
        [] => Err(format!("No service named {name} is known here")),
        [one] => Ok((*one).clone()),
        several => {
            let places: Vec<String> = several
                .iter()
                .map(|id| format!("{}/{} in {}", id.cluster, id.name, id.scope.region))
                .collect();
            Err(format!("{name} is ambiguous: {}", places.join(", ")))
        }
    }
}

/// Enter on a row.
fn open(model: &mut Model) {
    match model.focus {
        PaneId::Services => {
            if model.services.list.selected().is_some() {
                open_pane(model, PaneId::Service, None);
            }
        }
        PaneId::Tasks => {
            if let Some(id) = model.tasks.list.selected() {
                model.overlay = Some(Overlay::Task(id.clone(), Scroll::default()));
            }
        }
        PaneId::Events => {
            let event = model.events.selected().and_then(|id| {
                let service = model.world.service(model.subject.as_ref()?)?;
                service.value.events.iter().find(|e| e.id == *id)
            });
            if let Some(event) = event {
                model.overlay = Some(Overlay::Text {
                    title: format!("Event of {}", event.at.rfc3339()),
                    text: event.message.clone(),
                    scroll: Scroll::default(),
                });
            }
        }
        PaneId::Clusters => {
            if let Some(id) = model.clusters.selected().cloned() {
                go(model, PaneId::Services);
                model.services.cluster = Some(id);
                model.services.list.cursor.reset();
                model.settled_at = u64::MAX;
            }
        }
        PaneId::Deployments => {
            let revision = model.deployments.selected().and_then(|arn| {
                let history = model.world.deployments.get(model.subject.as_ref()?)?.value.as_ref()?;
                let deployment = history.iter().find(|d| d.arn == *arn)?;
                let revision = model.world.revisions.get(deployment.target_revision_arn.as_ref()?)?;
                Some(revision.revision.to_string())
            });
            match revision {
                Some(definition) => {
                    let place = model.place();
                    model.history.leave(place);
                    model.definition.choose(Some(definition));
                    model.focus = PaneId::Definition;
                }
                None => model.say("What this deployment deployed is not known yet"),
            }
        }
        PaneId::Logs => {
            if let Some(id) = model.logs.selected() {
                model.overlay = Some(Overlay::Record(id, Scroll::default()));
            }
        }
        PaneId::Journal => {
            if let Some(operation) = model.journal.list.selected() {
                model.overlay = Some(Overlay::Deed(operation.clone(), Scroll::default()));
            }
        }
        PaneId::Service | PaneId::Definition | PaneId::Api => {}
        pane => {
            if let Some(item) = model.triage.selected(pane).cloned() {
                jump::open(model, pane, &item);
            }
        }
    }
}

fn restore(model: &mut Model, place: Place) {
    if let Some(subject) = place.subject {
        take_subject(model, subject);
    }
    model.definition.choose(place.definition);
    // A log that is still open keeps its place; another one is opened anew.
    if let Some(file) = place.file.filter(|_| place.pane == PaneId::Logs) {
        model.logs.open_file(file);
    } else if place.pane == PaneId::Logs
        && let Some(service) = model.subject.clone()
        && (!model.logs.is_about(&service) || model.logs.subject_task() != place.task.as_ref())
    {
        open_log(model, service, place.task);
    }
    model.focus = place.pane;
    model.settled_at = u64::MAX;
}
