//! Commands that change something: each makes an action of what is selected, or of what was named, and its dialog
//! opens.
//!
//! Selection is by identity and frozen here: no refresh can move another row under the finger. Must not confirm.

use super::{named, take_subject};
use crate::app::operations::value::ValueInput;
use crate::app::overlay::{Overlay, Prompt};
use crate::app::pane::PaneId;
use crate::app::pane::list::Scroll;
use crate::app::pane::triage::Item;
use crate::app::{Effect, Model, operations};
use crate::command::wish::{self, Flags, Unfit};
use crate::command::{Arg, Id, Invocation, Kind};
use crate::diagnose::Subject;
use crate::domain::action::Action;
use crate::domain::ecs::ServiceId;
use crate::domain::secret::SecretId;
use crate::domain::task::TaskId;
use crate::guard::Saw;
use crate::stdx::span;

/// The words of a command, sorted into places, flags and switches.
struct Words {
    places: Vec<String>,
    flags: Vec<(&'static str, String)>,
}

impl Words {
    fn of(invocation: &Invocation) -> Result<Self, String> {
        let args = invocation.id.command().args;
        let mut words = Self { places: Vec::new(), flags: Vec::new() };
        let mut rest = invocation.args.iter();
        while let Some(word) = rest.next() {
            let Some(name) = word.strip_prefix("--") else {
                words.places.push(word.clone());
                continue;
            };
            if name.is_empty() {
                words.places.extend(rest.by_ref().cloned());
                break;
            }
            let (name, given) = name.split_once('=').map_or((name, None), |(n, v)| (n, Some(v.to_owned())));
            let Some(arg) = args.iter().find(|arg| arg.flag && arg.name == name && fits(arg)) else {
                let known: Vec<String> = args
                    .iter()
                    .filter(|arg| arg.flag && fits(arg))
                    .map(|arg| format!("--{}", arg.name))
                    .collect();
                let known = if known.is_empty() { "it has none".to_owned() } else { known.join(", ") };
                return Err(format!("{} has no flag --{name} here: {known}", invocation.id.name()));
            };
            let value = match (arg.kind, given) {
                (Kind::Switch, _) => String::new(),
                (_, Some(value)) => value,
                (_, None) => rest.next().cloned().ok_or_else(|| format!("--{name} wants a value"))?,
            };
            if arg.kind == Kind::Number && value.parse::<u32>().is_err() {
                return Err(format!("`{value}` is not a number for --{name}"));
            }
            words.flags.push((arg.name, value));
        }
        Ok(words)
    }

    fn first(&self) -> Option<&str> {
        self.places.first().map(String::as_str)
    }
}

impl Flags for Words {
    fn value(&self, name: &str) -> Option<&str> {
        self.flags.iter().find(|(flag, _)| *flag == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }
}

/// Flags that are about scripts have no meaning in a console: there the dialog asks.
fn fits(arg: &Arg) -> bool {
    !["wait", "yes", "reason", "confirm", "dry-run", "cluster", "file"].contains(&arg.name)
}

/// Runs a command that changes something.
pub fn change(model: &mut Model, invocation: &Invocation) -> Vec<Effect> {
    if model.session.read_only && invocation.id != Id::Watch {
        model.complain("This session is read-only, which cannot be unlocked");
        return Vec::new();
    }
    if invocation.id == Id::SecretPut {
        let found = Words::of(invocation).and_then(|words| secret(model, words.first()));
        match found {
            Ok(secret) => model.overlay = Some(Overlay::Value(Box::new(ValueInput::new(secret)))),
            Err(wrong) => model.complain(wrong),
        }
        return Vec::new();
    }
    match asked(model, invocation) {
        Ok((action, saw)) => {
            if let [service] = action.services().as_slice() {
                let service = (*service).clone();
                take_subject(model, service);
            }
            operations::begin(model, action, saw, None)
        }
        Err(Wrong::Say(what)) => {
            model.complain(what);
            Vec::new()
        }
        Err(Wrong::Complete(text)) => {
            let mut prompt = Prompt::palette();
            prompt.line.set(&text);
            model.prompt = Some(prompt);
            Vec::new()
        }
    }
}

/// Why nothing begins.
enum Wrong {
    /// Something is wrong.
    Say(String),
    /// Something is missing that is typed in the palette.
    Complete(String),
}

impl From<String> for Wrong {
    fn from(what: String) -> Self {
        Self::Say(what)
    }
}

impl From<Unfit> for Wrong {
    fn from(unfit: Unfit) -> Self {
        let hint = unfit.hint().map_or_else(String::new, |hint| format!(": {hint}"));
        Self::Say(format!("{unfit}{hint}"))
    }
}

fn asked(model: &Model, invocation: &Invocation) -> Result<(Action, Option<Saw>), Wrong> {
    let words = Words::of(invocation)?;
    let id = invocation.id;
    let first = words.first();
    let why = || invocation.id.name().to_owned();
    let action = match id {
        Id::Deploy => Action::Deploy { services: services(model, &words)?, what: wish::deploy(&words)? },
        Id::RollBack => Action::RollBack { services: services(model, &words)?, to: wish::back(&words)? },
        Id::Watch => Action::Watch { services: services(model, &words)? },
        Id::Scale => {
            // `scale 3` is of the selected service, `scale NAME 3` of another.
            let (name, count) = match words.places.as_slice() {
                [] => (None, None),
                [one] if one.parse::<u32>().is_ok() => (None, Some(one)),
                [one] => (Some(one.as_str()), None),
                [name, count, ..] => (Some(name.as_str()), Some(count)),
            };
            let service = service(model, name)?;
            let Some(desired) = count.and_then(|count| count.parse().ok()) else {
                return Err(Wrong::Complete(format!("scale {}/{} ", service.cluster, service.name)));
            };
            let pools = model.config.pools_of(&service.cluster, &service.name);
            Action::Scale { service, desired, pools }
        }
        Id::Autoscaling => {
            let service = service(model, first)?;
            let Some(change) = wish::scaling(&words)? else {
                return Err(Wrong::Complete(format!(
                    "autoscaling {}/{} --max ",
                    service.cluster, service.name
                )));
            };
            Action::Bounds { service, change }
        }
        Id::Capacity => Action::OnDemand { service: service(model, first)? },
        Id::Restart => Action::Restart { service: service(model, first)?, reason: why() },
        Id::Continue => Action::Continue { service: service(model, first)? },
        Id::RunTask => {
            let service = service(model, first)?;
            let command: Vec<String> = words.places.iter().skip(1).cloned().collect();
            if first.is_none() {
                return Err(Wrong::Complete(format!("run-task {}/{} -- ", service.cluster, service.name)));
            }
            Action::RunTask { service, container: words.value("container").map(ToOwned::to_owned), command }
        }
        Id::StopTask => {
            let task = task(model, first)?;
            let seen = model.world.tasks.get(&task);
            let service = seen.and_then(|seen| seen.value.service()).map(ToOwned::to_owned);
            Action::StopTask { task, service, reason: why() }
        }
        Id::Rotate | Id::SecretRestore | Id::SecretUnstick => {
            let secret = secret(model, first)?;
            let Some(work) = wish::secret(id) else { return Err(elsewhere(id)) };
            Action::Secret { secret, work }
        }
        Id::RdsReboot | Id::RdsFailover | Id::RdsSnapshot | Id::RdsGrow => {
            // `rds grow 200` is of the selected database.
            let (first, size) = match words.places.as_slice() {
                [one] if id == Id::RdsGrow && one.parse::<u32>().is_ok() => (None, Some(one)),
                [_, size] => (first, Some(size)),
                _ => (first, None),
            };
            let found = subject(model, first, "database", 'R', |s| matches!(s, Subject::Database(_)))?;
            let Subject::Database(database) = found else { return Err(elsewhere(id)) };
            let size = size.and_then(|gib| gib.parse().ok());
            let Some(work) = wish::database(id, &words, &database, size, model.now.wall) else {
                return Err(Wrong::Complete(format!("rds grow {} ", database.name)));
            };
            Action::Database { database, work }
        }
        Id::CacheFailover => {
            let found = subject(model, first, "cache", 'C', |s| matches!(s, Subject::Cache(_)))?;
            let Subject::Cache(cache) = found else { return Err(elsewhere(id)) };
            Action::CacheFailover { cache, node_group: words.value("node-group").map(ToOwned::to_owned) }
        }
        Id::AlarmMute | Id::AlarmEnable | Id::AlarmDisable => {
            let found = subject(model, first, "alarm", 'A', |s| matches!(s, Subject::Alarm(_)))?;
            let (Subject::Alarm(alarm), Some(work)) = (found, wish::alarm(id, &words)?) else {
                return Err(elsewhere(id));
            };
            Action::Alarm { alarm, work }
        }
        other => return Err(elsewhere(other)),
    };
    let saw = match &action {
        // What the operator sees counts: a service that moves before the plan is made stops it.
        Action::StopTask { task, .. } => model.world.tasks.get(task).map(|seen| Saw::task(&seen.value)),
        Action::Watch { .. } => None,
        action => action
            .services()
            .into_iter()
            .filter_map(|service| model.world.service(service).map(|seen| Saw::service(&seen.value)))
            .reduce(Saw::and),
    };
    Ok((action, saw))
}

fn elsewhere(id: Id) -> Wrong {
    Wrong::Say(format!("`{}` works on the command line: opsdeck {}", id.name(), id.name()))
}

fn service(model: &Model, name: Option<&str>) -> Result<ServiceId, Wrong> {
    match name {
        Some(name) => Ok(named(model, name)?),
        None => model
            .aimed_service()
            .or(model.subject.as_ref())
            .cloned()
            .ok_or_else(|| Wrong::Say("Select a service first".to_owned())),
    }
}

fn services(model: &Model, words: &Words) -> Result<Vec<ServiceId>, Wrong> {
    if words.places.is_empty() {
        return Ok(vec![service(model, None)?]);
    }
    let mut found = Vec::new();
    for name in &words.places {
        let id = named(model, name)?;
        if !found.contains(&id) {
            found.push(id);
        }
    }
    if found.iter().any(|id| id.scope != found[0].scope) {
        return Err(Wrong::Say(
            "These services are in several regions: change one region at a time".to_owned(),
        ));
    }
    Ok(found)
}

fn task(model: &Model, name: Option<&str>) -> Result<TaskId, Wrong> {
    if let Some(name) = name {
        let found: Vec<&TaskId> = model.world.tasks.keys().filter(|id| id.id.starts_with(name)).collect();
        return match found.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(Wrong::Say(format!("No task whose id begins with {name} is known here"))),
            _ => Err(Wrong::Say(format!("{name} is ambiguous: {} tasks begin so", found.len()))),
        };
    }
    match &model.overlay {
        Some(Overlay::Task(id, _)) => Ok(id.clone()),
        _ if model.focus == PaneId::Tasks => {
            model.tasks.list.selected().cloned().ok_or_else(|| Wrong::Say("Select a task first".to_owned()))
        }
        _ => Err(Wrong::Say("Select a task first (t lists a service's)".to_owned())),
    }
}

fn secret(model: &Model, name: Option<&str>) -> Result<SecretId, String> {
    match subject(model, name, "secret", 'K', |s| matches!(s, Subject::Secret(_)))? {
        Subject::Secret(secret) => Ok(secret),
        other => Err(format!("{} is no secret", other.name())),
    }
}

/// The named or selected resource of a kind; `key` lists them.
fn subject(
    model: &Model,
    name: Option<&str>,
    noun: &str,
    key: char,
    is: impl Fn(&Subject) -> bool,
) -> Result<Subject, String> {
    if let Some(name) = name {
        let estate = &model.world.estate;
        let known = estate
            .alarms
            .keys()
            .cloned()
            .map(Subject::Alarm)
            .chain(estate.instances.keys().chain(estate.db_clusters.keys()).cloned().map(Subject::Database))
            .chain(estate.cache_groups.keys().cloned().map(Subject::Cache))
            .chain(estate.secrets.keys().cloned().map(Subject::Secret));
        let mut known: Vec<Subject> = known.filter(|subject| is(subject) && subject.name() == name).collect();
        return match (known.pop(), known.len()) {
            (Some(one), 0) => Ok(one),
            (Some(_), others) => {
                Err(format!("{} are named {name}: select one ({key} lists them)", others + 1))
            }
            (None, _) => Err(format!("No {noun} named {name} is known here ({key} lists them)")),
        };
    }
    let item = match &model.overlay {
        Some(Overlay::Detail(item, _)) => Some(item),
        _ => model.triage.selected(model.focus),
    };
    match item {
        Some(Item::Subject(subject)) if is(subject) => Ok(subject.clone()),
        _ => Err(format!(
            "Select {} {noun} first ({key} lists them)",
            if noun == "alarm" { "an" } else { "a" }
        )),
    }
}

/// Opens the list of what this session changed; the journal tells whether an incident is open.
pub fn open_operations(model: &mut Model) -> Vec<Effect> {
    model.overlay = Some(Overlay::Session { selected: 0, scroll: Scroll::default() });
    vec![Effect::ReadJournal]
}

/// Unlocks with a reason, or locks.
pub fn unlock(model: &mut Model, invocation: &Invocation) {
    let reason = invocation.args.join(" ");
    if model.operations.unlocked_for(model.now).is_some() && reason.is_empty() {
        operations::lock(model);
    } else if reason.is_empty() && !model.session.read_only {
        let mut prompt = Prompt::palette();
        prompt.line.set("unlock ");
        model.prompt = Some(prompt);
    } else {
        operations::unlock(model, reason);
        if let Some(left) = model.operations.unlocked_for(model.now) {
            model.say(format!("Unlocked for {}", span::brief(left)));
        }
    }
}
