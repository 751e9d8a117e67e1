//! Adjusting how a pane shows what it shows: filter, order, folding, reach; theme and keymap.
//!
//! Must not change what is observed.

use crate::app::Model;
use crate::app::overlay::Prompt;
use crate::app::pane::{PaneId, journal, services, tasks};
use crate::app::update::set_filter;
use crate::command::Invocation;
use crate::keymap::Keymap;
use crate::theme::Theme;

/// Charts and changes reach back as far as the next range, round and round.
pub(super) fn change_range(model: &mut Model) {
    let all = crate::domain::metric::Range::ALL;
    let at = all.iter().position(|range| *range == model.range).unwrap_or(0);
    model.range = all[(at + 1) % all.len()];
    model.settled_at = u64::MAX;
    model.say(format!("The last {}", model.range.word()));
}

pub(super) fn has_filter(model: &Model) -> bool {
    match model.focus {
        PaneId::Services => model.services.list.filter.is_some(),
        PaneId::Tasks => model.tasks.list.filter.is_some(),
        PaneId::Events => model.events.filter.is_some(),
        PaneId::Deployments => model.deployments.filter.is_some(),
        PaneId::Clusters => model.clusters.filter.is_some(),
        PaneId::Journal => model.journal.list.filter.is_some(),
        PaneId::Logs => model.logs.has_filter(),
        PaneId::Service | PaneId::Definition | PaneId::Api => false,
        pane => model.triage.list(pane).is_some_and(|list| list.filter.is_some()),
    }
}

fn filter_text(model: &Model) -> String {
    let text = |filter: &Option<crate::app::pane::list::Filter>| {
        filter.as_ref().map(|f| f.text.clone()).unwrap_or_default()
    };
    match model.focus {
        PaneId::Tasks => text(&model.tasks.list.filter),
        PaneId::Events => text(&model.events.filter),
        PaneId::Deployments => text(&model.deployments.filter),
        PaneId::Clusters => text(&model.clusters.filter),
        PaneId::Journal => text(&model.journal.list.filter),
        PaneId::Logs => model.logs.filter_text(),
        pane if model.triage.list(pane).is_some() => {
            model.triage.list(pane).map(|list| text(&list.filter)).unwrap_or_default()
        }
        _ => text(&model.services.list.filter),
    }
}

pub(super) fn filter(model: &mut Model, invocation: &Invocation) {
    if !invocation.args.is_empty() {
        apply_filter(model, &invocation.args.join(" "));
        return;
    }
    if matches!(model.focus, PaneId::Service | PaneId::Definition | PaneId::Api) {
        model.say("This pane has nothing to filter");
        return;
    }
    let present = filter_text(model);
    model.prompt = Some(Prompt::filter(model.focus, &present));
}

pub(super) fn apply_filter(model: &mut Model, text: &str) {
    if let Err(error) = set_filter(model, model.focus, text) {
        model.complain(error);
    }
}

pub(super) fn sort(model: &mut Model, column: Option<&str>) {
    let said = match model.focus {
        PaneId::Services => {
            let sort = &mut model.services.list.sort;
            match column.map(|name| services::Column::ALL.into_iter().find(|c| c.name() == name)) {
                Some(None) => Err(services::Column::ALL.map(services::Column::name).join(", ")),
                Some(Some(column)) => {
                    *sort = column;
                    Ok(column.name())
                }
                None => {
                    *sort = sort.next();
                    Ok(sort.name())
                }
            }
        }
        PaneId::Tasks => {
            let sort = &mut model.tasks.list.sort;
            match column.map(|name| tasks::Column::ALL.into_iter().find(|c| c.name() == name)) {
                Some(None) => Err(tasks::Column::ALL.map(tasks::Column::name).join(", ")),
                Some(Some(column)) => {
                    *sort = column;
                    Ok(column.name())
                }
                None => {
                    *sort = sort.next();
                    Ok(sort.name())
                }
            }
        }
        PaneId::Journal => {
            let sort = &mut model.journal.list.sort;
            match column.map(|name| journal::Column::ALL.into_iter().find(|c| c.name() == name)) {
                Some(None) => Err(journal::Column::ALL.map(journal::Column::name).join(", ")),
                Some(Some(column)) => {
                    *sort = column;
                    Ok(column.name())
                }
                None => {
                    *sort = sort.next();
                    Ok(sort.name())
                }
            }
        }
        pane if model.triage.list(pane).is_some() => {
            model.say("This list keeps its order: the worst first, or the newest");
            return;
        }
        _ => {
            model.say("This list keeps AWS's order, newest first");
            return;
        }
    };
    model.settled_at = u64::MAX;
    match said {
        Ok(name) => model.say(format!("Sorted by {name}")),
        Err(names) => model.complain(format!("There is no such column; the columns are {names}")),
    }
}

pub(super) fn reverse_sort(model: &mut Model) {
    match model.focus {
        PaneId::Services => model.services.list.reversed = !model.services.list.reversed,
        PaneId::Tasks => model.tasks.list.reversed = !model.tasks.list.reversed,
        PaneId::Journal => model.journal.list.reversed = !model.journal.list.reversed,
        _ => return,
    }
    model.settled_at = u64::MAX;
}

pub(super) fn fold(model: &mut Model) {
    match model.focus {
        // Before anything is known there is nothing to decide about.
        PaneId::Services if model.world.services.is_empty() => return,
        PaneId::Services => {
            let folded = model.services.fold.unwrap_or(model.services.folded > 0);
            model.services.fold = Some(!folded);
        }
        PaneId::Tasks => model.tasks.fold = !model.tasks.fold,
        PaneId::Logs => model.logs.toggle_fold(),
        pane @ (PaneId::Fleet | PaneId::Alarms) => {
            let folds = model.triage.folds(pane);
            model.triage.unfolded.insert(pane, folds);
        }
        pane if pane == PaneId::Journal || model.triage.list(pane).is_some() => {
            model.say("Nothing of this list is folded away");
            return;
        }
        _ => return,
    }
    model.settled_at = u64::MAX;
}

fn next_name(names: &[String], present: &str) -> String {
    let index = names.iter().position(|n| n == present).map_or(0, |i| i + 1);
    names.get(index % names.len().max(1)).cloned().unwrap_or_else(|| present.to_owned())
}

pub(super) fn theme(model: &mut Model, name: Option<&str>) {
    let names: Vec<String> = Theme::names().map(str::to_owned).collect();
    let name = name.map_or_else(|| next_name(&names, &model.theme.name), str::to_owned);
    let present = &model.theme;
    match Theme::builtin(&name) {
        Some(theme) => {
            let theme = theme.with_depth(present.depth).with_glyphs(present.glyphs);
            model.theme = std::sync::Arc::new(theme);
            model.say(format!("Theme {name}"));
        }
        None => model.complain(format!("There is no theme {name}; there are {}", names.join(", "))),
    }
}

pub(super) fn keymap(model: &mut Model, name: Option<&str>) {
    let names: Vec<String> = Keymap::names().map(str::to_owned).collect();
    let name = name.map_or_else(|| next_name(&names, &model.keymap.name), str::to_owned);
    match Keymap::builtin(&name) {
        Some(keymap) => {
            model.keymap = std::sync::Arc::new(keymap);
            model.say(format!("Keymap {name}"));
        }
        None => model.complain(format!("There is no keymap {name}; there are {}", names.join(", "))),
    }
}
