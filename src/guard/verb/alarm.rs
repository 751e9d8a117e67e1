//! Alarms: mute one for a time, enable or disable its actions.
//!
//! Must not make an alarm silent without saying who is not told any more.

use crate::domain::action::AlarmWork;
use crate::domain::alarm::{Alarm, AlarmId};
use crate::domain::mutation::{Mutation, first_minute};
use crate::domain::plan::{Check, FieldChange, Finding, Plan};
use crate::domain::query::{Answer, Query};
use crate::guard::draft::{Draft, NoPlan, Step};
use crate::guard::facts::Facts;
use crate::guard::saw::Saw;
use crate::guard::watch::Goal;
use crate::stdx::clock::Wall;
use crate::stdx::text::count;

fn all(alarm: &AlarmId) -> Query {
    Query::DescribeAlarms { scope: alarm.scope.clone(), state: None, page: None }
}

/// What to ask.
pub(in crate::guard) fn wants(alarm: &AlarmId, facts: &Facts) -> Vec<Query> {
    if find(alarm, facts).is_some() {
        return Vec::new();
    }
    facts.pages(&all(alarm)).next.into_iter().collect()
}

fn find<'f>(id: &AlarmId, facts: &'f Facts) -> Option<&'f Alarm> {
    facts.pages(&all(id)).answers.into_iter().find_map(|answer| match answer {
        Answer::Alarms { found, .. } => found.iter().find(|alarm| alarm.id == *id),
        _ => None,
    })
}

/// The plan.
pub(in crate::guard) fn draft(
    id: &AlarmId,
    work: AlarmWork,
    facts: &Facts,
    now: Wall,
) -> Result<Draft, NoPlan> {
    let Some(alarm) = find(id, facts) else {
        return Err(NoPlan::Failed(match facts.pages(&all(id)).fault {
            Some(fault) => format!("the alarm could not be read ({fault}); AWS was not asked to change it"),
            None => format!("there is no alarm {}", id.name),
        }));
    };
    let told = if alarm.actions.is_empty() {
        "it has no actions: nobody is told anyway".to_owned()
    } else {
        format!("{} of it rest: nobody is told when it fires", count(alarm.actions.len(), "action"))
    };
    let actions = |enabled: bool| if enabled { "enabled" } else { "disabled" };
    let saw = Saw::fact(format!("the actions of {}", id.name), actions(alarm.actions_enabled));
    let state = Check::new(
        "alarm state",
        if alarm.state == crate::domain::alarm::AlarmState::Alarm { Finding::Warn } else { Finding::Pass },
        format!("it is {}", alarm.state.word()),
    );
    let mut window = None;
    let (change, mutation, goal, reach) = match work {
        AlarmWork::Mute { minutes } => {
            if minutes == 0 || minutes > 15 * 24 * 60 {
                return Err(NoPlan::Refused(
                    "an alarm is muted for a minute at least and 15 days at most".to_owned(),
                ));
            }
            let (name, from) = (rule(&id.name, now.0.div_euclid(1000)), first_minute(now));
            let goal = Goal::Muted { alarm: id.clone(), rule: name.clone() };
            let mutation = Mutation::MuteAlarm { alarm: id.clone(), rule: name, from, minutes };
            let change = FieldChange::new("actions", "run", format!("muted for {minutes} min"));
            window = Some(format!("{}; a later confirmation moves both", span(from, minutes)));
            (change, mutation, goal, told)
        }
        AlarmWork::Enable | AlarmWork::Disable => {
            let enabled = work == AlarmWork::Enable;
            if alarm.actions_enabled == enabled {
                return Err(NoPlan::Refused(format!("its actions are {} already", actions(enabled))));
            }
            let change = FieldChange::new("actions", actions(!enabled), actions(enabled));
            let mutation = Mutation::SetAlarmActions { alarm: id.clone(), enabled };
            let goal = Goal::AlarmActions { alarm: id.clone(), enabled };
            let reach =
                if enabled { "its actions run again at its next change of state".to_owned() } else { told };
            (change, mutation, goal, reach)
        }
    };
    let reach = std::iter::once(reach).chain(window).collect();
    let mut plan = Plan { changes: vec![change], reach, checks: vec![state], ..Plan::default() };
    if work == AlarmWork::Disable {
        plan.advice.push(
            "`opsdeck alarm mute` ends by itself; disabled actions stay so until somebody enables them"
                .to_owned(),
        );
    }
    Ok(Draft::new(plan, vec![Step::new(mutation, goal)], saw))
}

/// From when to when, in UTC; the day of the end where it is another one.
fn span(from: i64, minutes: u32) -> String {
    let text = |seconds: i64| Wall(seconds * 1000).rfc3339();
    let (begin, end) = (text(from), text(from + i64::from(minutes) * 60));
    let (day, time) = (end.get(..10).unwrap_or_default(), end.get(11..16).unwrap_or_default());
    let other = if begin.starts_with(day) { String::new() } else { format!("{day} ") };
    format!("from {} to {other}{time} UTC", begin.get(11..16).unwrap_or_default())
}

/// A mute rule's name: AWS takes letters, digits, `-` and `_`.
fn rule(alarm: &str, from: i64) -> String {
    let clean: String = alarm
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
        .take(200)
        .collect();
    format!("opsdeck-{clean}-{from}")
}
