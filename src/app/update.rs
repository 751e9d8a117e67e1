//! One message in, effects out.
//!
//! Must stay pure; the order inside is: take the message in, compute the rows again, ask for what is due.

mod point;

use point::point;

use crate::app::charts;
use crate::app::dispatch;
use crate::app::findings;
use crate::app::layout::layout;
use crate::app::operations;
use crate::app::overlay::{Overlay, Prompt, Purpose, palette};
use crate::app::pane::PaneId;
use crate::app::pane::list::Filter;
use crate::app::pane::triage::{self, Triage};
use crate::app::presented;
use crate::app::refresh::Interest;
use crate::app::{Effect, Model, Msg, Needs, interests};
use crate::command::Invocation;
use crate::diagnose::{Health, Severity, Subject};
use crate::guard::Input;
use crate::keymap::{Code, Key, Lookup};
use crate::stdx::clock::Moment;

/// Takes a message in.
pub fn update(model: &mut Model, at: Moment, msg: Msg) -> Vec<Effect> {
    model.now = at;
    if model.notice.as_ref().is_some_and(|n| n.until.mono <= at.mono) {
        model.notice = None;
    }
    let mut effects = take_in(model, at, msg);
    if settle(model) {
        effects.extend(alert(model));
    }
    if effects.iter().any(|effect| matches!(effect, Effect::Record { .. } | Effect::Note { .. })) {
        model.journal.outdate();
    }
    effects.extend(schedule(model));
    if model.refresh.has_turned() {
        model.world.generation += 1;
        settle(model);
    }
    effects
}

fn take_in(model: &mut Model, at: Moment, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Several(msgs) => msgs.into_iter().flat_map(|msg| take_in(model, at, msg)).collect(),
        Msg::Key(key) => {
            model.last_key = at;
            press(model, key)
        }
        Msg::Paste(text) => {
            model.last_key = at;
            paste(model, &text)
        }
        Msg::Resize(size) => {
            model.size = size;
            Vec::new()
        }
        Msg::Pointed(target, pointing) => {
            model.last_key = at;
            point(model, target, pointing)
        }
        Msg::Tick => Vec::new(),
        Msg::Scopes(Ok(scopes)) => {
            model.session.scopes = scopes;
            model.session.scopes_fault = None;
            Vec::new()
        }
        Msg::Scopes(Err(fault)) => {
            model.session.scopes_fault = Some(fault);
            Vec::new()
        }
        Msg::Answer(token, query, outcome) => {
            match model.refresh.absorb(token, &query, &outcome, &mut model.world, at) {
                Some(effects) => effects,
                None if model.check.absorb(token, &query, &outcome, &model.world, at) => {
                    model.world.generation += 1;
                    Vec::new()
                }
                None => {
                    let world = &mut model.world;
                    if let Some(effects) = model.charts.absorb(token, &query, &outcome, world, at) {
                        return effects;
                    }
                    model.logs.absorb(token, &query, &outcome, at);
                    model.rollout_log.absorb(token, &query, &outcome, at);
                    Vec::new()
                }
            }
        }
        Msg::Meter(meter) => {
            model.meter = meter;
            Vec::new()
        }
        Msg::Presented(extents, tops) => {
            presented::take(model, &extents, *tops);
            Vec::new()
        }
        Msg::Looked(id, query, outcome) => operations::looked(model, id, query, outcome),
        Msg::Recorded(id, outcome) => operations::answer(model, id, Input::Recorded(outcome)),
        Msg::Called(id, outcome) => operations::answer(model, id, Input::Called(*outcome)),
        Msg::NoteFailed(why) => {
            model.complain(format!("The journal could not be written: {why}"));
            Vec::new()
        }
        Msg::Journal(read) => {
            operations::journal(model, *read);
            Vec::new()
        }
        Msg::Leaving => operations::leave(model),
        Msg::Resumed => {
            // The shell has set its own title meanwhile.
            model.titled.clear();
            std::iter::once(Effect::Redraw).chain(title(model)).collect()
        }
    }
}

/// Rings for what turned critical and says in the title how much is, as far as the configuration wants it.
fn alert(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    if turned_critical(model) && model.config.ui.bell {
        effects.push(Effect::Bell);
    }
    effects.extend(title(model));
    effects
}

/// The title, where it is not what it should be.
fn title(model: &mut Model) -> Option<Effect> {
    let critical = model.critical_known.iter().flatten();
    let title = match critical.clone().count() {
        0 => "opsdeck".to_owned(),
        1 => critical.map(|subject| format!("opsdeck: {} is critical", subject.name())).collect(),
        several => format!("opsdeck: {several} critical"),
    };
    if !model.config.ui.title || model.titled == title {
        return None;
    }
    model.titled.clone_from(&title);
    Some(Effect::Title(title))
}

/// Whether something is critical that was not when last looked at. What is critical when the console opens is
/// on the screen anyway.
fn turned_critical(model: &mut Model) -> bool {
    let findings = model.triage.fleet.findings.iter();
    let critical: std::collections::BTreeSet<_> = findings
        .filter(|finding| finding.severity == Severity::Critical)
        .map(|finding| finding.subject.clone())
        .collect();
    // What is read for the first time is not new; what is only looked at tells of nothing critical.
    let tells = |interest: &Interest| match interest {
        Interest::Clusters(_) | Interest::Services(_) => true,
        Interest::Watch(_, watch) => !watch.is_past(),
        _ => false,
    };
    let reading = model
        .refresh
        .entries()
        .any(|(interest, e)| tells(interest) && e.is_loading() && e.is_first() && e.fault.is_none());
    let opened = reading || model.services.undescribed > 0 || model.critical_known.is_none();
    let before = model.critical_known.replace(critical);
    match (&before, &model.critical_known) {
        (Some(before), Some(now)) if !opened => now.difference(before).next().is_some(),
        _ => false,
    }
}

/// Computes the rows of every list again, if the world or a filter changed, and keeps cursors in view. Says whether
/// everything was judged again.
fn settle(model: &mut Model) -> bool {
    let screen = layout(model, model.size);
    let height = |pane: PaneId| screen.inside(pane).map_or(10, |r| usize::from(r.height));
    let rows_below_header = |pane: PaneId| height(pane).saturating_sub(1).max(1);
    let now = model.now.wall;
    let judges = model.judge_in().is_some_and(|due| due.is_zero());
    if judges {
        model.judged = Some((model.world.generation, model.now));
        model.triage.fleet =
            findings::judge(&model.world, &model.refresh, &model.check, &model.config, model.now);
        agree(model);
        model.needs = Needs::of(&model.world);
    }
    // What takes long to compute is computed where it is seen.
    let seen = Triage::PANES.map(|pane| screen.pane(pane).is_some());
    if judges || model.settled_at == u64::MAX || model.triage.seen != seen {
        model.triage.seen = seen;
        model.triage.reading = model.needs.reading(&model.world);
        triage::settle(&mut model.triage, &model.world, model.range, now);
    }
    if model.settled_at == u64::MAX {
        model.journal.settle();
    }
    if judges || model.settled_at != model.world.generation {
        model.settled_at = model.world.generation;
        model.services.settle(&model.world);
        model.tasks.settle(&model.world, model.subject.as_ref(), now);
        model.clusters.rows = model
            .world
            .clusters
            .keys()
            .filter(|id| model.clusters.passes(&format!("{} {}", id.name, id.scope)))
            .cloned()
            .collect();
        model.events.rows = event_rows(model);
        model.deployments.rows = deployment_rows(model);
    }
    for pane in Triage::PANES {
        let height = rows_below_header(pane);
        if let Some(list) = model.triage.list_mut(pane) {
            list.cursor.settle(&list.rows, height);
        }
    }
    model.services.list.cursor.settle(&model.services.list.rows, rows_below_header(PaneId::Services));
    model.tasks.list.cursor.settle(&model.tasks.list.rows, rows_below_header(PaneId::Tasks));
    model.clusters.cursor.settle(&model.clusters.rows, rows_below_header(PaneId::Clusters));
    model.events.cursor.settle(&model.events.rows, height(PaneId::Events));
    let room = screen.inside(PaneId::Journal).map_or(1, |inside| model.journal.room(inside));
    model.journal.list.cursor.settle(&model.journal.list.rows, room);
    model.deployments.cursor.settle(&model.deployments.rows, rows_below_header(PaneId::Deployments));
    let log_width = screen.inside(PaneId::Logs).map_or(80, |r| usize::from(r.width));
    model.logs.settle(log_width, height(PaneId::Logs));
    // On a screen that shows them together, the other panes follow the cursor of the services, problems and alarms.
    if matches!(model.focus, PaneId::Services | PaneId::Fleet | PaneId::Alarms)
        && screen.panes.len() > 1
        && let Some(selected) = model.aimed_service().cloned()
        && model.subject.as_ref() != Some(&selected)
    {
        dispatch::take_subject(model, selected);
    }
    if let Some(prompt) = model.prompt.take() {
        model.prompt = Some(complete(model, prompt));
    }
    judges
}

/// What the fleet's rules know beyond a service's own description (its tasks, its bounds) shows in its row too, as
/// long as they find it: no service is well in one pane and sick in another.
fn agree(model: &mut Model) {
    model.world.services.values_mut().for_each(|row| row.raised = None);
    for finding in &model.triage.fleet.findings {
        let Subject::Service(id) = &finding.subject else { continue };
        let Some(row) = model.world.services.get_mut(id) else { continue };
        if row.health.as_ref().is_some_and(|health| finding.severity < health.severity) {
            row.raised = Some(Health {
                severity: finding.severity,
                reason: finding.sentence.clone(),
                since: finding.since,
            });
        }
    }
}

fn event_rows(model: &Model) -> Vec<String> {
    let Some(service) = model.subject.as_ref().and_then(|id| model.world.service(id)) else {
        return Vec::new();
    };
    service
        .value
        .events
        .iter()
        .filter(|event| model.events.passes(&event.message))
        .map(|event| event.id.clone())
        .collect()
}

fn deployment_rows(model: &Model) -> Vec<String> {
    let history = model.subject.as_ref().and_then(|id| model.world.deployments.get(id)?.value.as_ref());
    history
        .into_iter()
        .flatten()
        .filter(|d| {
            let reason = d.status_reason.as_deref().unwrap_or_default();
            model.deployments.passes(&format!("{} {} {reason}", d.arn, d.status))
        })
        .map(|d| d.arn.clone())
        .collect()
}

fn complete(model: &Model, mut prompt: Prompt) -> Prompt {
    if prompt.purpose == Purpose::Palette {
        let chosen = prompt.chosen.and_then(|i| prompt.suggestions.get(i).cloned());
        prompt.suggestions = palette::suggest(model, prompt.line.text());
        prompt.chosen = chosen.and_then(|c| prompt.suggestions.iter().position(|s| *s == c));
    }
    prompt
}

fn schedule(model: &mut Model) -> Vec<Effect> {
    model.wanted = interests(model);
    let screen = layout(model, model.size);
    let height = screen.inside(PaneId::Services).map_or(0, |r| usize::from(r.height));
    let offset = model.services.list.cursor.offset();
    let in_view: Vec<&str> =
        model.services.list.rows.iter().skip(offset).take(height).map(|id| id.name.as_str()).collect();
    let idle_for = model.idle_for();
    let mut effects =
        model.refresh.schedule(&model.wanted, model.now, idle_for, &|name| in_view.contains(&name));
    let logs_visible = screen.pane(PaneId::Logs).is_some();
    effects.extend(model.logs.schedule(
        &mut model.refresh,
        &model.world,
        model.subject.as_ref(),
        logs_visible,
        model.focus == PaneId::Logs,
        model.now,
    ));
    effects.extend(operations::rollout::schedule(model));
    if matches!(model.overlay, Some(Overlay::Check(_))) {
        effects.extend(model.check.schedule(&mut model.refresh, &model.world));
    }
    if model.journal.is_due(screen.pane(PaneId::Journal).is_some()) {
        effects.push(Effect::ReadJournal);
    }
    model.wanted_charts = charts::wanted(model);
    effects.extend(model.charts.schedule(&mut model.refresh, &model.wanted_charts, model.now, idle_for));
    effects
}

fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    if model.prompt.is_some() {
        return edit(model, key);
    }
    if matches!(model.overlay, Some(Overlay::Operation(_))) {
        return operations::dialog::press(model, key);
    }
    if matches!(model.overlay, Some(Overlay::Value(_))) {
        return operations::value::press(model, key);
    }
    model.pending.push(key);
    let contexts = model.contexts();
    match model.keymap.resolve(&model.pending, &contexts) {
        Lookup::Pending => Vec::new(),
        Lookup::Run(invocation) => {
            model.pending.clear();
            dispatch::run(model, &invocation)
        }
        Lookup::None => {
            // The key may begin another sequence than the one it broke.
            if model.pending.len() > 1 {
                model.pending.clear();
                return press(model, key);
            }
            model.pending.clear();
            Vec::new()
        }
    }
}

fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    if model.prompt.is_none() && matches!(model.overlay, Some(Overlay::Operation(_))) {
        operations::dialog::paste(model, text);
        return Vec::new();
    }
    if model.prompt.is_none() && matches!(model.overlay, Some(Overlay::Value(_))) {
        operations::value::paste(model, text);
        return Vec::new();
    }
    // A paste outside an input line means nothing: its letters are not keys.
    let Some(prompt) = model.prompt.as_mut() else {
        model.complain("A paste does nothing here; / filters and : takes a command");
        return Vec::new();
    };
    let lost = prompt.line.insert(text);
    if lost > 0 {
        model.complain(format!("The paste was too long for this line: {lost} bytes were left out"));
    }
    edited(model);
    Vec::new()
}

/// A key in the input line.
fn edit(model: &mut Model, key: Key) -> Vec<Effect> {
    let Some(prompt) = model.prompt.as_mut() else { return Vec::new() };
    match (key.code, key.ctrl, key.alt) {
        (Code::Esc, ..) | (Code::Char('c' | 'g'), true, _) => return cancel(model),
        (Code::Enter, ..) => return submit(model),
        (Code::Tab | Code::Down, ..) | (Code::Char('n'), true, _) => choose(prompt, 1),
        (Code::BackTab | Code::Up, ..) | (Code::Char('p'), true, _) => choose(prompt, -1),
        (Code::Backspace, false, false) | (Code::Char('h'), true, _) => {
            if !prompt.line.backspace() && prompt.purpose == Purpose::Palette {
                return cancel(model);
            }
            edited(model);
        }
        (Code::Backspace, ..) | (Code::Char('w'), true, _) => {
            prompt.line.delete_word();
            edited(model);
        }
        (Code::Delete, ..) | (Code::Char('d'), true, _) => {
            prompt.line.delete();
            edited(model);
        }
        (Code::Char('u'), true, _) => {
            prompt.line.delete_to_start();
            edited(model);
        }
        (Code::Left, ..) | (Code::Char('b'), true, _) => prompt.line.left(),
        (Code::Right, ..) | (Code::Char('f'), true, _) => prompt.line.right(),
        (Code::Home, ..) | (Code::Char('a'), true, _) => prompt.line.home(),
        (Code::End, ..) | (Code::Char('e'), true, _) => prompt.line.end(),
        (Code::Char(c), false, false) => {
            prompt.line.insert(c.encode_utf8(&mut [0; 4]));
            edited(model);
        }
        _ => {}
    }
    Vec::new()
}

/// Walks the completions and puts the chosen one on the line.
fn choose(prompt: &mut Prompt, by: isize) {
    let count = prompt.suggestions.len();
    if count == 0 {
        return;
    }
    let next = match prompt.chosen {
        None if by > 0 => 0,
        None => count - 1,
        Some(index) => (index + count).saturating_add_signed(by) % count,
    };
    prompt.chosen = Some(next);
}

/// The line changed: a filter applies at once, a palette forgets its error.
fn edited(model: &mut Model) {
    let Some(prompt) = model.prompt.as_mut() else { return };
    prompt.error = None;
    prompt.chosen = None;
    if let Purpose::Filter { pane, .. } = prompt.purpose {
        let text = prompt.line.text().to_owned();
        if let Err(error) = set_filter(model, pane, &text)
            && let Some(prompt) = model.prompt.as_mut()
        {
            prompt.error = Some(error);
        }
    }
}

fn cancel(model: &mut Model) -> Vec<Effect> {
    if let Some(Prompt { purpose: Purpose::Filter { pane, before }, .. }) = model.prompt.take()
        && let Err(error) = set_filter(model, pane, &before)
    {
        model.complain(error);
    }
    Vec::new()
}

fn submit(model: &mut Model) -> Vec<Effect> {
    let Some(mut prompt) = model.prompt.take() else { return Vec::new() };
    if let Purpose::Filter { pane, .. } = prompt.purpose {
        if let Err(error) = set_filter(model, pane, prompt.line.text()) {
            prompt.error = Some(error);
            model.prompt = Some(prompt);
        }
        return Vec::new();
    }
    if let Some(suggestion) = prompt.chosen.and_then(|i| prompt.suggestions.get(i)).cloned() {
        if !suggestion.complete {
            prompt.line.set(&format!("{} ", suggestion.text));
            prompt.chosen = None;
            model.prompt = Some(prompt);
            return Vec::new();
        }
        prompt.line.set(&suggestion.text);
    }
    if prompt.line.text().trim().is_empty() {
        return Vec::new();
    }
    match Invocation::parse(prompt.line.text()) {
        Ok(invocation) => dispatch::run(model, &invocation),
        Err(error) => {
            prompt.error = Some(error.to_string());
            model.prompt = Some(prompt);
            Vec::new()
        }
    }
}

/// Applies a filter to a pane; an empty one shows everything.
pub(super) fn set_filter(model: &mut Model, pane: PaneId, text: &str) -> Result<(), String> {
    if pane == PaneId::Logs {
        return model.logs.set_filter(text);
    }
    let filter = Some(Filter::parse(text)?).filter(|f| !f.is_empty());
    match pane {
        PaneId::Tasks => model.tasks.list.filter = filter,
        PaneId::Events => model.events.filter = filter,
        PaneId::Deployments => model.deployments.filter = filter,
        PaneId::Clusters => model.clusters.filter = filter,
        PaneId::Journal => model.journal.list.filter = filter,
        pane if model.triage.list(pane).is_some() => {
            if let Some(list) = model.triage.list_mut(pane) {
                list.filter = filter;
            }
        }
        _ => model.services.list.filter = filter,
    }
    model.settled_at = u64::MAX;
    Ok(())
}
