use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::tests::{NOON, groups};
use super::*;

const MINUTE: i64 = 60_000;
const FAR: i64 = NOON + 1_000 * MINUTE;

fn emitter(stack: &str, prefix: &str, alive: bool) -> Emitter {
    let groups = groups(stack);
    let mut all = groups.groups.iter().flat_map(|group| &group.emitters);
    let found = all.find(|e| e.stream.starts_with(prefix) && e.died.is_none() == alive);
    Emitter::clone(found.unwrap())
}

fn every() -> Vec<Emitter> {
    ["gov", "codeguardians", "cma", "saas", "migrate"]
        .into_iter()
        .flat_map(|stack| groups(stack).groups)
        .flat_map(|group| group.emitters)
        .map(|emitter| Emitter::clone(&emitter))
        .collect()
}

#[test]
fn the_same_question_has_the_same_answer_and_ids_are_unique() {
    let mut ids = BTreeSet::new();
    let mut count = 0;
    for emitter in every() {
        let events = emitter.events(NOON - 30 * MINUTE, NOON, FAR);
        assert_eq!(events, emitter.events(NOON - 30 * MINUTE, NOON, FAR));
        count += events.len();
        for event in events {
            let id = event.id();
            assert!(id.len() == 56 && id.bytes().all(|b| b.is_ascii_digit()), "{id}");
            ids.insert(id);
        }
    }
    assert!(count > 10_000, "{count} events in half an hour of five systems");
    assert_eq!(ids.len(), count);
}

#[test]
fn another_seed_writes_something_else() {
    let one = emitter("gov", "backend/", true);
    let other = Emitter { seed: 2, ..one.clone() };
    assert_ne!(one.events(NOON, NOON + MINUTE, FAR), other.events(NOON, NOON + MINUTE, FAR));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_window_is_the_sum_of_its_parts(
        from in NOON - 120 * MINUTE..NOON,
        first in 0..10 * MINUTE,
        second in 0..10 * MINUTE,
        lag in 0..60_000i64,
    ) {
        let mut emitter = emitter("gov", "backend/", true);
        emitter.moods.push(Mood {
            from: Wall(NOON - 70 * MINUTE),
            until: Wall(NOON - 50 * MINUTE),
            kind: MoodKind::Errors { rate: 2.0, text: "it broke\n  at x".to_owned() },
        });
        let (middle, until) = (from + first, from + first + second);
        let now = until + lag;
        let mut parts = emitter.events(from, middle, now);
        parts.extend(emitter.events(middle, until, now));
        prop_assert_eq!(parts, emitter.events(from, until, now));
    }

    #[test]
    fn what_is_ingested_piece_by_piece_is_everything_once(steps in prop::collection::vec(1..20_000i64, 1..40)) {
        let emitter = emitter("cma", "api/", true);
        let begin = NOON;
        let mut now = begin;
        let mut seen = Vec::new();
        for step in steps {
            seen.extend(emitter.ingested(now, now + step));
            now += step;
        }
        let mut whole = emitter.events(begin - MAX_LAG, now + 1, now);
        whole.retain(|event| event.ingested > begin);
        seen.sort_by_key(Event::key);
        prop_assert_eq!(seen, whole);
    }

    #[test]
    fn what_was_visible_stays_when_the_world_moves_on(died in 1..120_000i64, term in proptest::bool::ANY) {
        let before = emitter("saas", "worker/", true);
        let at = NOON + died;
        let seen = before.events(NOON - MINUTE, at, at);
        let mut after = before.clone();
        if term {
            after.stopping = Some(Wall(at));
            after.died = Some(Wall(at + 20_000));
        } else {
            after.died = Some(Wall(at));
            after.last_words = Some("Traceback\n  boom".to_owned());
        }
        after.moods.push(Mood {
            from: Wall(at), until: Wall(i64::MAX), kind: MoodKind::Load { factor: 3.0 },
        });
        let later: BTreeSet<Key> = after.events(NOON - MINUTE, at + MINUTE, FAR).iter().map(Event::key).collect();
        for event in seen {
            prop_assert!(later.contains(&event.key()), "{event:?}");
        }
    }
}

#[test]
fn events_are_flushed_every_five_seconds_with_an_own_phase() {
    let mut phases = BTreeSet::new();
    for emitter in every().iter().filter(|e| e.died.is_none()) {
        let events = emitter.events(NOON - 20 * MINUTE, NOON, FAR);
        assert!(events.iter().all(|e| e.ingested > e.timestamp && e.ingested - e.timestamp <= MAX_LAG));
        let mut flushes: BTreeSet<i64> = BTreeSet::new();
        let usual = events.iter().filter(|e| e.ingested - e.timestamp <= 5_150);
        for event in usual {
            flushes.insert(event.ingested);
        }
        let phase = flushes.iter().map(|at| (at - 150).rem_euclid(5_000) / 500).min().unwrap();
        phases.insert(phase);
        let visible_at_once = emitter.events(NOON - 1_000, NOON, NOON).len();
        let in_the_end = emitter.events(NOON - 1_000, NOON, FAR).len();
        assert!(visible_at_once <= in_the_end);
    }
    assert!(phases.len() > 3, "{phases:?}");
}

#[test]
fn one_or_two_in_a_hundred_events_are_late() {
    let events: Vec<Event> = every().iter().flat_map(|e| e.events(NOON - 60 * MINUTE, NOON, FAR)).collect();
    let late = events.iter().filter(|e| e.ingested - e.timestamp > 5_150).count();
    let share = late as f64 / events.len() as f64;
    assert!((0.008..0.03).contains(&share), "{late} of {}", events.len());
}

#[test]
fn nothing_is_written_before_birth_or_after_death() {
    for emitter in every().iter().filter(|e| e.died.is_some()) {
        let died = emitter.died.unwrap().0;
        let born = emitter.born.0;
        let first = emitter.events(born - 60 * MINUTE, born + MINUTE, FAR);
        assert!(first.first().unwrap().timestamp > born);
        let events = emitter.events(died - MINUTE, FAR, FAR);
        assert!(events.last().unwrap().timestamp <= died, "{}", emitter.stream);
        assert!(events.iter().all(|event| event.ingested <= died + 30_000));
    }
}

#[test]
fn a_container_introduces_itself_and_says_good_bye() {
    let dead = emitter("gov", "backend/", false);
    let first = dead.events(dead.born.0, dead.born.0 + 10_000, FAR);
    assert!(first[0].message.contains("starting gov-backend"), "{}", first[0].message);
    let stopping = dead.stopping.unwrap().0;
    let last = dead.events(stopping, stopping + MINUTE, FAR);
    assert!(last.iter().any(|event| event.message.contains("SIGTERM received")));
    assert!(last.last().unwrap().message.contains("bye"));
}

#[test]
fn a_crash_leaves_its_trace_line_by_line() {
    let mut worker = emitter("saas", "worker/", true);
    worker.died = Some(Wall(NOON));
    worker.last_words =
        Some("Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: {id}".to_owned());
    let last: Vec<String> =
        worker.events(NOON - 10, FAR, FAR).into_iter().map(|e| e.message).rev().take(3).collect();
    assert!(last[0].starts_with("ValueError: ") && !last[0].contains('{'), "{last:?}");
    assert_eq!(last[1], "  File \"a.py\", line 1");
    assert_eq!(last[2], "Traceback (most recent call last):");
}

#[test]
fn an_error_burst_shows_in_program_and_proxy_with_the_same_request_ids() {
    let mood = Mood {
        from: Wall(NOON),
        until: Wall(NOON + MINUTE),
        kind: MoodKind::Errors { rate: 1.5, text: "ledger anchor failed\nError: timeout".to_owned() },
    };
    let groups = groups("gov");
    let all: Vec<&Arc<Emitter>> = groups.groups.iter().flat_map(|group| &group.emitters).collect();
    let backend = all.iter().find(|e| e.stream.starts_with("backend/") && e.died.is_none()).unwrap();
    let nginx = all.iter().find(|e| e.stream.starts_with("nginx/") && e.task == backend.task).unwrap();
    let (mut backend, mut nginx) = (Emitter::clone(backend), Emitter::clone(nginx));
    backend.moods.push(mood.clone());
    nginx.moods.push(mood);
    let window = |e: &Emitter| e.events(NOON, NOON + 2 * MINUTE, FAR);
    let program = window(&backend);
    let failures: Vec<&Event> =
        program.iter().filter(|e| e.message.contains("ledger anchor failed")).collect();
    assert!(failures.len() > 40, "{}", failures.len());
    assert!(failures[0].message.contains(r#""stack":"Error: timeout""#), "{}", failures[0].message);
    let proxy: Vec<Event> = window(&nginx);
    for failure in failures {
        let id = failure.message.split("\"reqId\":\"").nth(1).unwrap().split('"').next().unwrap();
        let seen = proxy.iter().find(|e| e.message.contains(id)).expect(id);
        assert!(seen.message.contains("\" 50"), "{}", seen.message);
    }
}

#[test]
fn load_follows_the_day() {
    let office = Load { shape: LoadShape::Office, zone: 0 };
    assert!(daily(office, NOON) > 3.0 * daily(office, NOON - 9 * 60 * MINUTE));
    assert!(daily(office, NOON) > 2.0 * daily(office, NOON + 24 * 60 * MINUTE), "the 20th is a Friday");
    assert!((daily(Load::default(), NOON) - 1.0).abs() < 1e-9);
    let api = emitter("cma", "api/", true);
    let at = |from: i64| api.events(from, from + 60 * MINUTE, FAR).len();
    assert!(at(NOON) > 2 * at(NOON - 9 * 60 * MINUTE));
    let spike = Mood { from: Wall(NOON), until: Wall(i64::MAX), kind: MoodKind::Load { factor: 4.0 } };
    let busy = Emitter { moods: vec![spike], ..api.clone() };
    assert!(
        busy.events(NOON, NOON + 10 * MINUTE, FAR).len()
            > 2 * api.events(NOON, NOON + 10 * MINUTE, FAR).len()
    );
}

#[test]
fn lines_look_as_their_programs_write_them() {
    let lines = |stack: &str, prefix: &str| -> Vec<String> {
        emitter(stack, prefix, true)
            .events(NOON, NOON + 30 * MINUTE, FAR)
            .into_iter()
            .map(|e| e.message)
            .collect()
    };
    for message in lines("gov", "backend/").iter().chain(&lines("saas", "backend/")) {
        let value: serde_json::Value = serde_json::from_str(message).expect(message);
        assert!(value["level"].is_string(), "{message}");
    }
    let any = |lines: &[String], pattern: &str| {
        let pattern = regex::Regex::new(pattern).unwrap();
        assert!(lines.iter().any(|line| pattern.is_match(line)), "{pattern} in {:#?}", &lines[..5]);
    };
    any(
        &lines("gov", "nginx/"),
        r#"^[\d.]+ - - \[20/Nov/2026:12:\d\d:\d\d \+0000\] "(GET|POST) /\S+ HTTP/1.1" \d{3} \d+ "-" ".*" rt=\d+\.\d{3} rid=[0-9a-f]{16}$"#,
    );
    any(&lines("gov", "ai/"), r#"^INFO:     [\d.]+:\d+ - "POST /analyze HTTP/1.1" 20[01] (OK|Created)$"#);
    any(&lines("gov", "ai/"), r"^2026-11-20 12:\d\d:\d\d,\d{3} INFO \[app.scoring\] ");
    any(
        &lines("saas", "worker/"),
        r"^\[2026-11-20 12:\d\d:\d\d,\d{3}: INFO/(MainProcess|ForkPoolWorker-\d)\] Task app\.workers",
    );
    any(&lines("saas", "worker/"), r"^Traceback \(most recent call last\):$");
    any(&lines("cma", "workers/"), r"^2026-11-20T12:\d\d:\d\d\.\d{3}Z INFO  \[worker\] job ");
    any(&lines("cma", "frontend/"), r"^GET /\S* (200|304) \d+ ms - \d+$");
}

#[test]
fn no_blank_is_left_in_a_line() {
    let blank = regex::Regex::new(r"\{(id|n|ms|hex|uuid|ip|money|score|[^{}\s]*\|[^{}]*)\}").unwrap();
    for emitter in every() {
        for event in emitter.events(NOON - 10 * MINUTE, NOON, FAR) {
            assert!(!blank.is_match(&event.message), "{}", event.message);
        }
    }
}

#[test]
fn the_order_of_moods_means_nothing() {
    let one = emitter("gov", "backend/", true);
    let errors = |at: i64, text: &str| Mood {
        from: Wall(at),
        until: Wall(NOON + 5 * MINUTE),
        kind: MoodKind::Errors { rate: 1.0, text: text.to_owned() },
    };
    let moods = vec![errors(NOON, "a"), errors(NOON, "b"), errors(NOON + 10, "a")];
    let there = Emitter { moods: moods.clone(), ..one.clone() };
    let back = Emitter { moods: moods.into_iter().rev().collect(), ..one };
    let events = there.events(NOON, NOON + 5 * MINUTE, FAR);
    assert_eq!(events, back.events(NOON, NOON + 5 * MINUTE, FAR));
    let ids: BTreeSet<String> = events.iter().map(Event::id).collect();
    assert_eq!(ids.len(), events.len());
}
