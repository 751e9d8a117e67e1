//! Taking something out of the console: a row, an ARN, a record to the clipboard; a service's links.
//!
//! Must not claim that the terminal took it: OSC 52 has no answer.

use crate::app::overlay::Overlay;
use crate::app::pane::PaneId;
use crate::app::pane::triage::Item;
use crate::app::{Effect, Model};
use crate::command::Id;
use crate::config::{Variable, image_sha, image_tag};
use crate::diagnose::Subject;
use crate::domain::scope::Arn;
use crate::journal::{Deed, Entry, words};

pub(super) fn copied(model: &mut Model, text: String, what: &str) -> Vec<Effect> {
    if text.is_empty() {
        model.complain(format!("There is nothing to copy of {what}"));
        return Vec::new();
    }
    // OSC 52 has no answer: whether the terminal took it cannot be known.
    model.say(format!("Sent {what} to the terminal's clipboard (OSC 52)"));
    vec![Effect::Copy(text)]
}

pub(super) fn copy(model: &mut Model, id: Id) -> Vec<Effect> {
    let arn_wanted = id == Id::CopyArn;
    let (text, what) = match model.focus {
        PaneId::Tasks => {
            let task = model.tasks.list.selected().and_then(|id| model.world.tasks.get(id));
            match task {
                Some(seen) if arn_wanted => (seen.value.arn.clone(), "the task's ARN"),
                Some(seen) => (seen.value.id.id.clone(), "the task's id"),
                None => (String::new(), "the selected row"),
            }
        }
        PaneId::Events => {
            let message = model.events.selected().and_then(|id| {
                let service = model.world.service(model.subject.as_ref()?)?;
                service.value.events.iter().find(|e| e.id == *id).map(|e| e.message.clone())
            });
            (message.unwrap_or_default(), "the event")
        }
        PaneId::Deployments => {
            (model.deployments.selected().cloned().unwrap_or_default(), "the deployment's ARN")
        }
        PaneId::Clusters => {
            let id = model.clusters.selected();
            let seen = id.and_then(|id| model.world.clusters.get(id)?.as_ref());
            match (id, seen) {
                (_, Some(seen)) if arn_wanted => (seen.value.arn.clone(), "the cluster's ARN"),
                (Some(id), _) => (id.name.clone(), "the cluster's name"),
                _ => (String::new(), "the selected row"),
            }
        }
        PaneId::Journal if arn_wanted => {
            let service = model.aimed_service().and_then(|id| model.world.service(id));
            (service.map(|seen| seen.value.arn.clone()).unwrap_or_default(), "the service's ARN")
        }
        PaneId::Journal => (model.journal.selected().map(deed_told).unwrap_or_default(), "the operation"),
        PaneId::Logs => {
            let text = model.logs.selected().and_then(|id| model.logs.raw(id));
            (text.unwrap_or_default(), "the record")
        }
        PaneId::Definition => {
            (model.definition.shown(&model.world, model.subject.as_ref()).unwrap_or_default(), "the ARN")
        }
        PaneId::Services | PaneId::Service => {
            let id = model.aimed_service();
            let seen = id.and_then(|id| model.world.service(id));
            match (id, seen) {
                (_, Some(seen)) if arn_wanted => (seen.value.arn.clone(), "the service's ARN"),
                (Some(id), _) => (format!("{}/{}", id.cluster, id.name), "the service's name"),
                _ => (String::new(), "the selected row"),
            }
        }
        PaneId::Api => (String::new(), "this pane"),
        pane => {
            let text = model.triage.selected(pane).map(|item| name_of(model, item, arn_wanted));
            (text.unwrap_or_default(), if arn_wanted { "the ARN" } else { "the name" })
        }
    };
    copied(model, text, what)
}

/// An operation of the journal in lines, as `opsdeck journal` tells it.
pub(super) fn deed_told(deed: &Deed) -> String {
    let intent = deed.intents().last();
    let line =
        |entry: &Entry| format!("{} {} {}", entry.at.rfc3339(), entry.who.brief(), words(entry, intent));
    deed.entries().map(line).collect::<Vec<String>>().join("\n")
}

/// What an item is called, or its ARN where it has one.
pub(super) fn name_of(model: &Model, item: &Item, arn_wanted: bool) -> String {
    let estate = &model.world.estate;
    let arn = match item {
        Item::Subject(Subject::Service(id)) => model.world.service(id).map(|seen| seen.value.arn.clone()),
        Item::Subject(Subject::Alarm(id)) => estate.alarms.get(id).map(|seen| seen.value.arn.clone()),
        Item::Subject(Subject::Database(id)) => {
            let instance = estate.instances.get(id).map(|seen| seen.value.arn.clone());
            instance.or_else(|| estate.db_clusters.get(id).map(|seen| seen.value.arn.clone()))
        }
        Item::Subject(Subject::Cache(id)) => {
            let group = estate.cache_groups.get(id).map(|seen| seen.value.arn.clone());
            group.or_else(|| estate.cache_nodes.get(id).map(|seen| seen.value.arn.clone()))
        }
        Item::Subject(Subject::Secret(id)) => estate.secrets.get(id).map(|seen| seen.value.arn.clone()),
        Item::Parameter(scope, name) => {
            estate.stored.get(&(scope.clone(), name.clone())).and_then(|seen| seen.value.arn.clone())
        }
        _ => None,
    };
    if let Some(arn) = arn.filter(|_| arn_wanted) {
        return arn;
    }
    match item {
        Item::Subject(subject) => subject.name().to_owned(),
        Item::Parameter(_, name) | Item::Branch(_, name) => name.clone(),
        Item::Change(key) => format!("{} {} {}", key.at.rfc3339(), key.name, key.sentence),
    }
}

/// Copies the command that is advised for an item, or for the selected row.
pub(super) fn command(model: &mut Model, item: Option<&Item>) -> Vec<Effect> {
    let service = model.aimed_service().cloned().map(Subject::Service);
    let subject = match (item, model.triage.selected(model.focus)) {
        (Some(Item::Subject(subject)), _) | (None, Some(Item::Subject(subject))) => Some(subject.clone()),
        _ => service,
    };
    let findings = &model.triage.fleet.findings;
    let found = findings.iter().filter(|finding| Some(&finding.subject) == subject.as_ref());
    let command = found.filter_map(|finding| finding.command.clone()).next().unwrap_or_default();
    copied(model, command, "the advised command")
}

/// The links that the configuration has for the service, filled in.
pub(super) fn links(model: &mut Model) {
    let Some(seen) = model.aimed_service().and_then(|id| model.world.service(id)) else {
        model.complain("Select a service first");
        return;
    };
    let service = &seen.value;
    let definition = model
        .world
        .definitions
        .get(&(service.id.scope.clone(), service.task_definition_arn.clone()))
        .and_then(|o| o.value.as_ref());
    let image = definition.and_then(|d| d.containers.first()).map(|c| c.image.as_str());
    let account = Arn::parse(&service.arn).map(|arn| arn.account.to_owned());
    let variable = |variable: Variable| -> Option<String> {
        match variable {
            Variable::Region => Some(service.id.scope.region.to_string()),
            Variable::AccountId => account.clone(),
            Variable::Cluster => Some(service.id.cluster.clone()),
            Variable::Service => Some(service.id.name.clone()),
            Variable::TaskDefinition => Some(service.revision.to_string()),
            Variable::ImageTag => image.and_then(image_tag).map(str::to_owned),
            Variable::ImageSha => image.and_then(image_sha).map(str::to_owned),
        }
    };
    let links: Vec<(String, String)> = model
        .config
        .links
        .iter()
        .filter(|link| link.applies_to(&service.id.cluster, &service.id.name))
        .filter_map(|link| Some((link.label.clone(), link.render(variable)?)))
        .collect();
    if links.is_empty() {
        model.say("No link template of the configuration applies to this service ([[links]] in config.toml)");
        return;
    }
    model.overlay = Some(Overlay::Links { links, selected: 0 });
}
