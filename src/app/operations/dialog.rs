//! The dialog of one action: its form while it waits for a yes, its progress and verdict after it.
//!
//! Cancel is the default. A key counts only when it was read a moment after the form was on the screen; a paste never
//! confirms and never fills the name; and no key that is pressed here means anything in the pane below.

use std::time::Duration;

use super::{OperationId, answer, confirm};
use crate::app::input::Line;
use crate::app::overlay::Overlay;
use crate::app::pane::list::{Motion, Scroll};
use crate::app::{Effect, Model};
use crate::domain::action::{Action, Back, Deploy};
use crate::domain::verdict::Verdict;
use crate::guard::{Confirmation, Friction, Input, Progress};
use crate::keymap::{Code, Key};
use crate::stdx::clock::Moment;

/// How long the form has to be seen before keys count.
const ARMED_AFTER: Duration = Duration::from_millis(300);

/// What has the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// What a rollback returns to.
    Target,
    /// The target's name.
    Name,
    /// The reason.
    Reason,
    /// The button that changes nothing.
    Cancel,
    /// The button that does it.
    Do,
}

/// The dialog.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// Whose.
    pub operation: OperationId,
    /// What has the focus.
    pub field: Field,
    /// What was typed as the name.
    pub name: Line,
    /// The reason.
    pub reason: Line,
    /// When the form was first on the screen.
    pub shown: Option<Moment>,
    /// Scroll position of the plan.
    pub scroll: Scroll,
    /// What is wrong with a key that was pressed.
    pub said: Option<&'static str>,
    /// Whether the form was begun: before it, the field is chosen by what the confirmation takes.
    begun: bool,
}

impl Dialog {
    /// A dialog of an action whose target is read.
    #[must_use]
    pub fn new(operation: OperationId) -> Self {
        Self {
            operation,
            field: Field::Cancel,
            name: Line::default(),
            reason: Line::default(),
            shown: None,
            scroll: Scroll::default(),
            said: None,
            begun: false,
        }
    }

    /// Whether keys count.
    #[must_use]
    pub fn is_armed(&self, now: Moment) -> bool {
        self.shown.is_some_and(|shown| now.since(shown) >= ARMED_AFTER)
    }

    /// The form was written to the screen.
    pub fn presented(&mut self, friction: Friction, now: Moment) {
        if self.shown.is_none() {
            self.shown = Some(now);
        }
        if !self.begun {
            self.begun = true;
            self.field = if friction == Friction::YesKey { Field::Cancel } else { Field::Name };
        }
    }
}

/// The fields of a form, in their order; a rollback with several targets has one more, the last by Tab.
#[must_use]
pub fn fields(friction: Friction, targets: bool) -> Vec<Field> {
    let mut fields = match friction {
        Friction::YesKey => vec![Field::Cancel, Field::Do],
        Friction::TypedName => vec![Field::Name, Field::Cancel, Field::Do],
        Friction::TypedNameAndReason => vec![Field::Name, Field::Reason, Field::Cancel, Field::Do],
    };
    if targets {
        fields.insert(0, Field::Target);
    }
    fields
}

/// The deployments that a rollback's plan lists, and which of them is chosen.
fn targets(model: &Model, id: OperationId) -> (Vec<String>, usize) {
    let plan = model.operations.get(id).and_then(|running| running.operation.plan());
    let targets = plan.map(|plan| plan.targets.as_slice()).unwrap_or_default();
    let chosen = targets.iter().position(|target| target.chosen).unwrap_or(0);
    (targets.iter().filter_map(|target| target.deployment.clone()).collect(), chosen)
}

/// Plans the return to another deployment instead.
fn retarget(model: &mut Model, id: OperationId, by: isize) -> Vec<Effect> {
    let (list, chosen) = targets(model, id);
    let next = (chosen + list.len()).saturating_add_signed(by) % list.len().max(1);
    let (Some(deployment), Some(running)) = (list.get(next).cloned(), model.operations.get(id)) else {
        return Vec::new();
    };
    let Action::RollBack { services, .. } = running.operation.action().clone() else { return Vec::new() };
    // Why it is done is as true of the other target; which name was typed is not taken over.
    let reason = match &model.overlay {
        Some(Overlay::Operation(dialog)) => dialog.reason.clone(),
        _ => Line::default(),
    };
    let mut effects = answer(model, id, Input::Cancel);
    model.operations.list.retain(|running| running.id != id);
    effects.extend(super::begin(
        model,
        Action::RollBack { services, to: Back::Deployment(deployment) },
        None,
        None,
    ));
    if let Some(Overlay::Operation(dialog)) = model.overlay.as_mut() {
        dialog.field = Field::Target;
        dialog.reason = reason;
        dialog.begun = true;
    }
    effects
}

/// A key while the dialog is open.
pub fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    let height = usize::from(model.size.height.saturating_sub(8));
    let now = model.now;
    let Some(Overlay::Operation(dialog)) = model.overlay.as_mut() else { return Vec::new() };
    let id = dialog.operation;
    let Some(running) = model.operations.get(id) else {
        model.overlay = None;
        return Vec::new();
    };
    let progress = running.operation.progress();
    let friction = running.friction;
    match (key.code, key.ctrl) {
        (Code::Char('z'), true) => return vec![Effect::Suspend],
        (Code::PageUp, _) => dialog.scroll.move_by(Motion::PageUp, height),
        (Code::PageDown, _) => dialog.scroll.move_by(Motion::PageDown, height),
        (Code::Esc, _) | (Code::Char('c' | 'g'), true) => return leave(model, id, progress),
        _ if progress == Progress::Confirming => {
            if !dialog.is_armed(now) {
                dialog.said = Some("That was too fast to have been read: press it again");
                return Vec::new();
            }
            dialog.said = None;
            return form(model, id, friction, key);
        }
        (Code::Up, _) => dialog.scroll.move_by(Motion::Up, height),
        (Code::Down, _) => dialog.scroll.move_by(Motion::Down, height),
        (Code::Char('d'), false) if progress == Progress::Ended => return follow(model, id),
        (Code::Char('l'), false) => super::rollout::open_log(model),
        (Code::Char('q'), false) if progress != Progress::Calling => return leave(model, id, progress),
        _ => {}
    }
    Vec::new()
}

/// After a secret's change: the deployment of those who read it.
fn follow(model: &mut Model, id: OperationId) -> Vec<Effect> {
    let Some(running) = model.operations.get(id) else { return Vec::new() };
    let done = matches!(running.ended, Some((Verdict::Succeeded, _)));
    let services = running.operation.plan().map(|plan| plan.then.clone()).unwrap_or_default();
    if !done || services.is_empty() {
        return Vec::new();
    }
    super::begin(model, Action::Deploy { services, what: Deploy::Force }, None, None)
}

/// Esc: before a yes it cancels, after it only the dialog closes.
fn leave(model: &mut Model, id: OperationId, progress: Progress) -> Vec<Effect> {
    model.overlay = None;
    match progress {
        Progress::Reading | Progress::Confirming => {
            let effects = answer(model, id, Input::Cancel);
            model.operations.list.retain(|running| running.id != id);
            model.say("Cancelled: AWS was not called");
            effects
        }
        Progress::Calling | Progress::Watching => {
            let left = model.operations.get(id).map_or(0, |running| running.operation.calls_left());
            model.say(if left > 0 {
                "It goes on as long as this console runs; O opens it again"
            } else {
                "It goes on; O opens it again"
            });
            Vec::new()
        }
        Progress::Ended => Vec::new(),
    }
}

fn form(model: &mut Model, id: OperationId, friction: Friction, key: Key) -> Vec<Effect> {
    let several = targets(model, id).0.len() > 1;
    let order = fields(friction, several);
    let Some(Overlay::Operation(dialog)) = model.overlay.as_mut() else { return Vec::new() };
    let at = order.iter().position(|field| *field == dialog.field).unwrap_or(0);
    let step = |by: usize| order[(at + by) % order.len()];
    let plain = !key.ctrl && !key.alt;
    match (key.code, dialog.field) {
        (Code::Tab | Code::Down, _) => dialog.field = step(1),
        (Code::BackTab | Code::Up, _) => dialog.field = step(order.len() - 1),
        (Code::Left, Field::Target) => return retarget(model, id, -1),
        (Code::Right | Code::Char(' '), Field::Target) => return retarget(model, id, 1),
        (Code::Enter, Field::Target) => dialog.field = step(1),
        (Code::Left | Code::Right, Field::Cancel) => dialog.field = Field::Do,
        (Code::Left | Code::Right, Field::Do) => dialog.field = Field::Cancel,
        (Code::Char('y'), Field::Cancel | Field::Do) if plain && friction == Friction::YesKey => {
            return confirm(model, id, Confirmation::Key);
        }
        (Code::Char('n'), Field::Cancel | Field::Do) if plain => {
            return leave(model, id, Progress::Confirming);
        }
        (Code::Enter, Field::Cancel) => return leave(model, id, Progress::Confirming),
        (Code::Enter, Field::Name) => {
            let wanted = model.operations.get(id).map(|running| running.name.clone()).unwrap_or_default();
            if dialog.name.text() == wanted {
                dialog.field =
                    if friction == Friction::TypedNameAndReason { Field::Reason } else { Field::Do };
            } else {
                dialog.said = Some("The name does not match");
            }
        }
        (Code::Enter, Field::Reason) => {
            if dialog.reason.text().trim().is_empty() {
                dialog.said = Some("A reason is wanted: it goes into the journal");
            } else {
                dialog.field = Field::Do;
            }
        }
        (Code::Enter, Field::Do) => {
            let with = if friction == Friction::YesKey {
                Confirmation::Key
            } else {
                let reason = dialog.reason.text().trim();
                Confirmation::Typed {
                    name: dialog.name.text().to_owned(),
                    reason: (!reason.is_empty()).then(|| reason.to_owned()),
                }
            };
            return confirm(model, id, with);
        }
        (code, Field::Name) => type_into(&mut dialog.name, code, key),
        (code, Field::Reason) => type_into(&mut dialog.reason, code, key),
        _ => {}
    }
    Vec::new()
}

fn type_into(line: &mut Line, code: Code, key: Key) {
    match (code, key.ctrl, key.alt) {
        (Code::Backspace, false, false) | (Code::Char('h'), true, _) => {
            line.backspace();
        }
        (Code::Char('u'), true, _) => line.delete_to_start(),
        (Code::Char('w'), true, _) => line.delete_word(),
        (Code::Left, ..) => line.left(),
        (Code::Right, ..) => line.right(),
        (Code::Home, ..) | (Code::Char('a'), true, _) => line.home(),
        (Code::End, ..) | (Code::Char('e'), true, _) => line.end(),
        (Code::Delete, ..) => line.delete(),
        (Code::Char(c), false, false) => {
            line.insert(c.encode_utf8(&mut [0; 4]));
        }
        _ => {}
    }
}

/// A paste: into the reason alone.
pub fn paste(model: &mut Model, text: &str) {
    let now = model.now;
    let Some(Overlay::Operation(dialog)) = model.overlay.as_mut() else { return };
    if dialog.field == Field::Reason && dialog.is_armed(now) {
        dialog.reason.insert(text);
    } else {
        dialog.said = Some("A paste does not fill the name, and confirms nothing: type it");
    }
}
