//! Mutes of alarms: when they begin, and that they are there.

use super::*;
use crate::domain::action::AlarmWork;
use crate::domain::alarm::{Alarm, AlarmId, AlarmKind, AlarmState, MuteRule};
use crate::domain::mutation::{Mutation, Receipt, first_minute};
use crate::guard::CallOutcome;

fn alarm() -> Alarm {
    Alarm {
        id: AlarmId { scope: scope(), name: "5xx".into() },
        arn: String::new(),
        kind: AlarmKind::Metric,
        description: None,
        state: AlarmState::Ok,
        reason: String::new(),
        since: None,
        actions_enabled: true,
        actions: vec!["arn:aws:sns:eu-west-2:1:on-call".into()],
        suppressed_by: None,
        evaluation: None,
        rule: None,
        expression: None,
    }
}

fn mute(minutes: u32) -> (Operation, Vec<Demand>) {
    let mut operation = operation(Action::Alarm { alarm: alarm().id, work: AlarmWork::Mute { minutes } });
    let demands = asked(&mut operation, |_| Ok(Answer::Alarms { found: vec![alarm()], next: None }));
    (operation, demands)
}

fn confirmed(operation: &mut Operation, second: u64) -> Mutation {
    let policy = Policy::new(Lock::Unlocked, false);
    let demands = operation.step(Input::Confirm { with: Confirmation::Key, policy }, at(second));
    let [Demand::Record(intent)] = demands.as_slice() else { panic!("{demands:?}") };
    let written = intent.mutation.clone();
    match operation.step(Input::Recorded(Ok(())), at(second)).as_slice() {
        [Demand::Call(permit)] => assert_eq!(*permit.mutation(), written),
        other => panic!("{other:?}"),
    }
    written
}

#[test]
fn a_mute_begins_at_a_full_minute_that_is_still_ahead_when_the_call_is_made() {
    for (now, start) in [(0, 60), (49, 60), (50, 60), (51, 120), (59, 120), (60, 120)] {
        assert_eq!(first_minute(Wall(now * 1000 + 999)), start, "at {now} s");
    }
    // The tests' clock begins at a full minute; the plan was made in its first second.
    let (operation, demands) = mute(30);
    let plan = planned(&demands);
    assert_eq!(plan.changes[0].after, "muted for 30 min");
    assert!(plan.reach[1].starts_with("from 08:01 to 08:31 UTC"), "{:?}", plan.reach);
    drop(operation);
    let (_, demands) = mute(24 * 60);
    assert!(planned(&demands).reach[1].starts_with("from 08:01 to 2027-01-16 08:01 UTC"), "{demands:?}");
    let begin = Wall(1_800_000_000_000).0 / 1000;
    let from = |mutation: Mutation| match mutation {
        Mutation::MuteAlarm { from, .. } => from - begin,
        other => panic!("{other:?}"),
    };
    let (mut operation, _) = mute(30);
    assert_eq!(from(confirmed(&mut operation, 5)), 60);
    // Planned at 58 s and confirmed at once: the next minute would have begun before AWS reads of it.
    let action = Action::Alarm { alarm: alarm().id, work: AlarmWork::Mute { minutes: 30 } };
    let mut late = Operation::new("op-1", action, Policy::new(Lock::Unlocked, false), None);
    let demands = late.start(at(58));
    look(&mut late, &demands, Answer::Alarms { found: vec![alarm()], next: None }, 58);
    assert_eq!(from(confirmed(&mut late, 61)), 120);
}

fn watched(outcome: CallOutcome, read: impl Fn(&str) -> Result<Answer, Fault>) -> Vec<Demand> {
    let (mut operation, _) = mute(30);
    confirmed(&mut operation, 2);
    let demands = operation.step(Input::Called(outcome), at(3));
    let query = demands.iter().find_map(|demand| match demand {
        Demand::Read { query, .. } => Some(query.clone()),
        _ => None,
    });
    let Some(Query::GetAlarmMuteRule { rule, alarm: of }) = query.clone() else { panic!("{demands:?}") };
    assert_eq!(of, alarm().id);
    let query = Box::new(query.unwrap());
    operation.step(Input::Read { query, outcome: Box::new(read(&rule)) }, at(8))
}

#[test]
fn a_mute_has_succeeded_only_when_its_rule_is_there() {
    let accepted = || CallOutcome::Accepted(Receipt::default());
    let gone = || CallOutcome::Lost(Fault::new(FaultKind::Network, "reset"));
    let rule = |status: &str, alarms: &[&str]| {
        let alarms = alarms.iter().map(ToString::to_string).collect();
        Ok(Answer::MuteRule(MuteRule { status: status.into(), alarms, ends_at: None }))
    };
    let ended = |demands: &[Demand]| match demands {
        [Demand::End { verdict, .. }] => Some(verdict.clone()),
        _ => None,
    };
    for status in ["SCHEDULED", "ACTIVE"] {
        assert_eq!(ended(&watched(accepted(), |_| rule(status, &["5xx"]))), Some(Verdict::Succeeded));
        // The rule's name is this operation's own: it is there, so the call was made.
        assert_eq!(ended(&watched(gone(), |_| rule(status, &["5xx"]))), Some(Verdict::Succeeded));
    }
    assert!(matches!(
        ended(&watched(accepted(), |_| rule("EXPIRED", &["5xx"]))),
        Some(Verdict::Failed { why }) if why.contains("not muted")
    ));
    assert_eq!(ended(&watched(accepted(), |_| rule("ACTIVE", &["other"]))), None);
    // Whoever may mute need not be allowed to read the rule: what was not seen is not called a success.
    let denied = |_: &str| Err(Fault::new(FaultKind::Denied, "not authorized"));
    assert_eq!(ended(&watched(accepted(), denied)), Some(Verdict::Accepted));
    assert!(matches!(ended(&watched(gone(), denied)), Some(Verdict::Unknown { .. })));
    assert_eq!(ended(&watched(accepted(), |_| Err(Fault::new(FaultKind::Network, "reset")))), None);
}
