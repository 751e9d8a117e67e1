//! Alarms over real metrics.

use super::*;
use crate::sim::stack::Stack;
use crate::sim::world::database::Condition;

/// 2026-11-20T12:00:30Z, a Friday.
const NOW: Wall = Wall(1_795_176_030_000);

fn world(stack: &str) -> World {
    World::new(vec![Stack::builtin(stack).unwrap().unwrap()], 1, NOW)
}

fn region(stack: &str) -> String {
    Stack::builtin(stack).unwrap().unwrap().region
}

fn state(world: &mut World, region: &str, name: &str) -> State {
    world.alarms(region).unwrap().by_name[name].state
}

#[test]
fn at_the_start_nothing_fires_but_what_idles_by_design() {
    for stack in Stack::builtins() {
        let mut world = world(stack);
        let Some(alarms) = world.alarms(&region(stack)) else { continue };
        for alarm in alarms.by_name.values() {
            match alarm.state {
                State::Alarm => assert!(alarm.name.contains("-AlarmLow-"), "{alarm:?}"),
                State::Insufficient | State::Ok => assert_eq!(alarm.state, State::Ok, "{alarm:?}"),
            }
            assert!(alarm.changed_at <= NOW && !alarm.reason.starts_with("Unchecked"), "{alarm:?}");
        }
    }
}

#[test]
fn the_alarms_of_the_documents_are_there() {
    for (stack, count) in [("saas", 4 + 4), ("gov", 5 + 4), ("codeguardians", 2 + 2), ("migrate", 2)] {
        let mut world = world(stack);
        let alarms = world.alarms(&region(stack)).unwrap();
        assert_eq!(alarms.by_name.len(), count, "{stack}: {:?}", alarms.by_name.keys());
    }
    let mut cma = world("cma");
    let tracked = |name: &String| name.starts_with("TargetTracking-");
    assert!(cma.alarms("eu-west-2").is_some_and(|alarms| alarms.by_name.keys().all(tracked)));
}

#[test]
fn a_spike_fires_the_cpu_alarm_and_its_end_clears_it() {
    let mut world = world("saas");
    // Autoscaling's third task is there by now, its minutes have not arrived.
    world.advance(NOW.plus(Duration::from_secs(390)));
    let scaled = world.services.iter().find(|service| &*service.name == "saas-backend").unwrap();
    assert_eq!(scaled.desired, 3);
    assert_eq!(state(&mut world, "me-south-1", "saas-backend-cpu-high"), State::Alarm);
    let alarm = world.alarms("me-south-1").unwrap().by_name["saas-backend-cpu-high"].clone();
    assert!(alarm.reason.starts_with("Threshold Crossed: 3 out of the last 3 datapoints ["), "{alarm:?}");
    assert!(alarm.reason.contains("were greater than the threshold (80.0)"), "{alarm:?}");
    // What the policy follows had fired before it acted.
    let scaled_at = NOW.plus(Duration::from_secs(310));
    let tracking = &world.alarms("me-south-1").unwrap().by_name;
    let high = tracking.values().find(|alarm| alarm.name.contains("saas-backend-AlarmHigh-")).unwrap();
    assert!(high.state == State::Alarm && high.changed_at <= scaled_at, "{high:?}");
    world.advance(NOW.plus(Duration::from_secs(30 * 60)));
    assert_eq!(state(&mut world, "me-south-1", "saas-backend-cpu-high"), State::Ok);
    let history = &world.alarms("me-south-1").unwrap().history;
    let own: Vec<&str> = history
        .iter()
        .filter(|item| item.name == "saas-backend-cpu-high" && item.at > NOW)
        .map(|item| item.summary.as_str())
        .collect();
    assert_eq!(
        own,
        [
            "Alarm updated from OK to ALARM",
            "Successfully executed action arn:aws:sns:me-south-1:123456789012:saas-alerts",
            "Alarm updated from ALARM to OK"
        ]
    );
    assert!(history.is_sorted_by_key(|item| item.at));
}

#[test]
fn reading_alarms_or_not_changes_nothing_about_them() {
    let (mut read, mut unread) = (world("saas"), world("saas"));
    for minute in 0..12 {
        read.advance(NOW.plus(Duration::from_secs(60 * minute)));
        let _ = read.alarms("me-south-1").unwrap().history.len();
    }
    let end = NOW.plus(Duration::from_secs(660));
    unread.advance(end);
    read.advance(end);
    let (read, unread) = (read.alarms("me-south-1").unwrap(), unread.alarms("me-south-1").unwrap());
    assert_eq!(read.by_name, unread.by_name);
    assert_eq!(read.history, unread.history);
}

#[test]
fn a_world_without_alarms_schedules_no_evaluation() {
    let mut world = World::new(vec![Stack::fleet(0, 1).unwrap()], 1, NOW);
    assert!(!world.alarms_watched);
    assert!(world.alarms("us-east-1").is_none());
}

#[test]
fn a_composite_alarm_follows_and_a_state_set_by_hand_lasts_a_minute() {
    let mut world = world("gov");
    let reason = "a rehearsal";
    assert!(world.set_alarm_state("us-east-1", "gov-db-slow-queries", State::Alarm, reason, None));
    assert!(!world.set_alarm_state("us-east-1", "nobody", State::Alarm, reason, None));
    world.advance(NOW.plus(Duration::from_secs(61)));
    assert_eq!(state(&mut world, "us-east-1", "gov-db-slow-queries"), State::Ok);

    let rule = Rule::parse("ALARM(gov-db-slow-queries)").unwrap();
    let kind = Kind::Composite("ALARM(gov-db-slow-queries)".to_owned(), rule);
    world.put_alarm("us-east-1", Alarm::new("both".to_owned(), kind, NOW));
    assert!(world.set_alarm_state("us-east-1", "gov-db-slow-queries", State::Alarm, reason, None));
    let alarms = world.alarms.get_mut("us-east-1").unwrap();
    compose("us-east-1", alarms, NOW, true);
    assert_eq!(alarms.by_name["both"].state, State::Alarm);
    assert!(
        alarms.by_name["both"]
            .reason
            .contains("gov-db-slow-queries transitioned to ALARM at Friday 20 November, 2026"),
        "{:?}",
        alarms.by_name["both"]
    );
}

#[test]
fn muted_alarms_change_state_without_acting() {
    let mut world = world("saas");
    world.enable_alarm_actions("me-south-1", &["saas-backend-cpu-high".to_owned()], false);
    world.set_alarm_state("me-south-1", "saas-backend-cpu-high", State::Alarm, "x", None);
    let alarms = world.alarms("me-south-1").unwrap();
    let newest: Vec<&str> = alarms.history.iter().rev().take(2).map(|item| item.kind).collect();
    assert_eq!(newest, ["StateUpdate", "ConfigurationUpdate"]);
    world.delete_alarms("me-south-1", &["saas-backend-cpu-high".to_owned()]);
    let alarms = world.alarms("me-south-1").unwrap();
    assert!(!alarms.by_name.contains_key("saas-backend-cpu-high"));
    assert!(alarms.history.last().unwrap().summary.ends_with("deleted"));
}

fn fired(world: &mut World, region: &str) -> Vec<String> {
    let alarms = world.alarms(region).unwrap();
    let fired = alarms.by_name.values().filter(|alarm| alarm.state == State::Alarm);
    fired.map(|alarm| alarm.name.clone()).filter(|name| !name.contains("-AlarmLow-")).collect()
}

#[test]
fn what_ails_a_database_fires_its_own_alarm_and_those_of_the_service_before_it() {
    let mut world = world("gov");
    assert_eq!(fired(&mut world, "us-east-1"), [""; 0]);
    let slow = Condition::SlowQueries { factor: 60.0 };
    assert!(world.set_condition("us-east-1", "gov-db", slow));
    world.advance(NOW.plus(Duration::from_secs(20 * 60)));
    assert_eq!(fired(&mut world, "us-east-1"), ["gov-citizens-notice", "gov-db-slow-queries"]);

    let mut world = self::world("saas");
    let takes = Condition::ConnectionsExhausted { within: Duration::from_secs(300) };
    assert!(world.set_condition("me-south-1", "saas-db", takes));
    world.advance(NOW.plus(Duration::from_secs(25 * 60)));
    let found = fired(&mut world, "me-south-1");
    assert!(found.contains(&"saas-db-connections-high".to_owned()), "{found:?}");
    assert!(found.contains(&"saas-backend-5xx-rate".to_owned()), "{found:?}");
    world.clear_conditions("me-south-1", "saas-db");
    world.advance(NOW.plus(Duration::from_secs(60 * 60)));
    assert_eq!(fired(&mut world, "me-south-1"), [""; 0]);
}

#[test]
fn a_fleet_has_as_many_alarms_as_a_console_must_page_through() {
    let mut world = World::new(vec![Stack::fleet(300, 1).unwrap()], 1, NOW);
    assert_eq!(world.alarms("us-east-1").unwrap().by_name.len(), 200);
    let insufficient = |alarm: &&Alarm| alarm.state == State::Insufficient;
    let all = &world.alarms("us-east-1").unwrap().by_name;
    let silent: Vec<&str> = all.values().filter(insufficient).map(|alarm| alarm.name.as_str()).collect();
    // A crash loop has no CPU to speak of; all others have numbers.
    assert!(silent.len() < 20, "{silent:?}");
}
