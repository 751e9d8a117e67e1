use proptest::prelude::*;

use super::super::tests::{NOON, ask, groups};
use super::*;

const MINUTE: i64 = 60_000;

/// What the operation should find in the end: all emitters asked at once.
fn truth(groups: &Groups, group: &str, from: i64, to: i64, now: i64) -> Vec<String> {
    let group = groups.named(group).unwrap();
    let mut all: Vec<Event> = group.emitters.iter().flat_map(|e| e.events(from, to + 1, now)).collect();
    all.sort_by_key(Event::key);
    all.iter().map(Event::id).collect()
}

/// All pages of one question.
fn pages(groups: &Groups, now: i64, question: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    let mut question = question.clone();
    loop {
        let page = ask("FilterLogEvents", groups, now, question.clone()).unwrap();
        assert_eq!(page, ask("FilterLogEvents", groups, now, question.clone()).unwrap());
        let token = page.get("nextToken").cloned();
        all.push(page);
        match token {
            Some(token) => question["nextToken"] = token,
            None => return all,
        }
        assert!(all.len() < 10_000, "paging does not end");
    }
}

fn ids(pages: &[Value]) -> Vec<String> {
    let events = pages.iter().flat_map(|page| page["events"].as_array().unwrap());
    events.map(|event| event["eventId"].as_str().unwrap().to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn pages_lose_nothing_and_repeat_nothing(
        before in 0..30 * MINUTE,
        length in 0..4 * MINUTE,
        limit in 1..400usize,
        forward in proptest::bool::ANY,
    ) {
        let groups = groups("cma");
        let (from, to) = (NOON - before - length, NOON - before);
        let question = json!({
            "logGroupName": "/ecs/cma-production", "startTime": from, "endTime": to, "limit": limit,
            "startFromHead": forward,
        });
        let pages = pages(&groups, NOON, &question);
        prop_assert!(pages.iter().all(|page| page["events"].as_array().unwrap().len() <= limit));
        let mut wanted = truth(&groups, "/ecs/cma-production", from, to, NOON);
        if !forward {
            wanted.reverse();
        }
        prop_assert_eq!(ids(&pages), wanted);
    }

    #[test]
    fn one_stream_read_from_either_end_is_the_same(limit in 1..60usize, length in 0..5 * MINUTE) {
        let groups = groups("migrate");
        let emitter = Arc::clone(&groups.groups[0].emitters[1]);
        let (from, end) = (NOON - length, NOON);
        let ask_for = |token: Value, head: bool| {
            let input = json!({
                "logGroupName": "/ecs/migrate-backend", "logStreamName": emitter.stream, "startTime": from,
                "endTime": end, "limit": limit, "startFromHead": head, "nextToken": token,
            });
            ask("GetLogEvents", &groups, NOON, input).unwrap()
        };
        let wanted: Vec<(i64, String)> =
            emitter.events(from, end, NOON).into_iter().map(|e| (e.timestamp, e.message)).collect();
        for head in [true, false] {
            let next = if head { "nextForwardToken" } else { "nextBackwardToken" };
            let mut parts: Vec<Vec<(i64, String)>> = Vec::new();
            let mut token = Value::Null;
            loop {
                let page = ask_for(token.clone(), head);
                let events = page["events"].as_array().unwrap().iter();
                parts.push(events.map(|e| (e["timestamp"].as_i64().unwrap(), e["message"].as_str().unwrap().to_owned())).collect());
                prop_assert!(page["nextForwardToken"].is_string() && page["nextBackwardToken"].is_string());
                if page[next] == token {
                    break;
                }
                token = page[next].clone();
                prop_assert!(parts.len() < 5_000);
            }
            if !head {
                parts.reverse();
            }
            prop_assert_eq!(parts.concat(), wanted.clone());
        }
    }
}

#[test]
fn the_end_is_inclusive_for_a_group_and_exclusive_for_a_stream() {
    let groups = groups("migrate");
    let emitter = &groups.groups[0].emitters[1];
    let at = emitter.events(NOON - 10 * MINUTE, NOON - MINUTE, NOON)[0].timestamp;
    let question = json!({ "logGroupName": "/ecs/migrate-backend", "startTime": at, "endTime": at });
    assert!(!ids(&pages(&groups, NOON, &question)).is_empty());
    let one = |end: i64| {
        let input = json!({
            "logGroupName": "/ecs/migrate-backend", "logStreamName": emitter.stream, "startTime": at, "endTime": end,
        });
        ask("GetLogEvents", &groups, NOON, input).unwrap()["events"].as_array().unwrap().len()
    };
    assert_eq!(one(at), 0);
    assert!(one(at + 1) > 0);
}

#[test]
fn without_a_start_the_newest_events_of_a_stream_come() {
    let groups = groups("migrate");
    let emitter = &groups.groups[0].emitters[1];
    let input =
        json!({ "logGroupName": "/ecs/migrate-backend", "logStreamName": emitter.stream, "limit": 5 });
    let page = ask("GetLogEvents", &groups, NOON, input).unwrap();
    let wanted = emitter.events(NOON - 60 * MINUTE, NOON, NOON);
    let got: Vec<&str> =
        page["events"].as_array().unwrap().iter().map(|e| e["message"].as_str().unwrap()).collect();
    let wanted: Vec<&str> = wanted[wanted.len() - 5..].iter().map(|e| e.message.as_str()).collect();
    assert_eq!(got, wanted);
}

#[test]
fn a_pattern_and_streams_narrow_the_answer() {
    let groups = groups("cma");
    let from = NOON - 40 * MINUTE;
    let question = |more: Value| {
        let mut question =
            json!({ "logGroupName": "/ecs/cma-production", "startTime": from, "endTime": NOON });
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        question
    };
    let events = |more: Value| -> Vec<Value> {
        let pages = pages(&groups, NOON, &question(more));
        pages.iter().flat_map(|page| page["events"].as_array().unwrap().clone()).collect()
    };
    let all = events(json!({}));
    let errors = events(json!({ "filterPattern": "{ $.level = \"error\" && $.status >= 500 }" }));
    assert!(!errors.is_empty() && errors.len() < all.len() / 20);
    let by_hand = all.iter().filter(|e| e["message"].as_str().unwrap().contains("\"status\":5")).count();
    assert_eq!(errors.len(), by_hand);
    let workers = events(json!({ "logStreamNamePrefix": "workers/" }));
    assert!(workers.iter().all(|e| e["logStreamName"].as_str().unwrap().starts_with("workers/")));
    let named = &groups.groups[0].emitters[1].stream;
    let one = events(json!({ "logStreamNames": [named] }));
    assert!(!one.is_empty() && one.iter().all(|e| e["logStreamName"] == named.as_str()));
}

#[test]
fn some_pages_are_short_or_empty_while_there_is_more() {
    let groups = groups("cma");
    let question = json!({
        "logGroupName": "/ecs/cma-production", "startTime": NOON - 25 * MINUTE, "endTime": NOON, "limit": 50,
    });
    let pages = pages(&groups, NOON, &question);
    let with_more = pages.iter().filter(|page| page.get("nextToken").is_some());
    let sizes: Vec<usize> = with_more.map(|page| page["events"].as_array().unwrap().len()).collect();
    assert!(sizes.contains(&0), "{sizes:?}");
    assert!(sizes.contains(&17), "{sizes:?}");
    assert!(sizes.contains(&50), "{sizes:?}");
}

#[test]
fn a_search_that_finds_little_says_so_in_empty_pages() {
    let groups = groups("codeguardians");
    let question = json!({
        "logGroupName": "/ecs/codeguardians-gateway", "startTime": NOON - 24 * 60 * MINUTE,
        "filterPattern": "nosuchword",
    });
    let page = ask("FilterLogEvents", &groups, NOON, question).unwrap();
    assert_eq!(page["events"], json!([]));
    assert!(page["nextToken"].is_string(), "a page looks at a part of a day");
}

#[test]
fn a_page_holds_a_mebibyte_at_most() {
    let groups = groups("codeguardians");
    let question = json!({ "logGroupName": "/ecs/codeguardians-gateway", "startTime": NOON - 180 * MINUTE });
    let first = ask("FilterLogEvents", &groups, NOON, question.clone()).unwrap();
    let page = if first["events"].as_array().unwrap().is_empty() {
        let mut again = question;
        again["nextToken"] = first["nextToken"].clone();
        ask("FilterLogEvents", &groups, NOON, again).unwrap()
    } else {
        first
    };
    let events = page["events"].as_array().unwrap();
    let bytes: usize = events.iter().map(|e| e["message"].as_str().unwrap().len() + 26).sum();
    assert!(bytes <= MOST_BYTES, "{bytes}");
    assert!(
        events.len() == MOST_EVENTS || bytes > MOST_BYTES - 5_000,
        "{} events, {bytes} bytes",
        events.len()
    );
    assert!(page["nextToken"].is_string());
}

#[test]
fn events_beyond_their_retention_are_gone() {
    let mut groups = groups("codeguardians");
    groups.groups[0].retention_days = Some(1);
    let question = json!({
        "logGroupName": "/ecs/codeguardians-gateway", "startTime": NOON - 30 * 60 * MINUTE,
        "endTime": NOON - 24 * 60 * MINUTE - 1,
    });
    assert_eq!(ids(&pages(&groups, NOON, &question)), Vec::<String>::new());
}

#[test]
fn an_event_is_seen_when_it_was_flushed_and_not_before() {
    let groups = groups("gov");
    let question = json!({ "logGroupName": "/ecs/gov-backend", "startTime": NOON - MINUTE, "endTime": NOON });
    let early = ids(&pages(&groups, NOON, &question));
    let late = ids(&pages(&groups, NOON + MINUTE, &question));
    assert!(early.len() < late.len());
    assert!(early.iter().all(|id| late.contains(id)));
    let page = ask("FilterLogEvents", &groups, NOON, question).unwrap();
    assert!(page["events"].as_array().unwrap().iter().all(|e| e["ingestionTime"].as_i64().unwrap() <= NOON));
}

proptest! {
    #[test]
    fn no_token_makes_it_panic(token in any::<String>()) {
        let groups = groups("migrate");
        let stream = &groups.groups[0].emitters[0].stream;
        let input = json!({ "logGroupName": "/ecs/migrate-backend", "nextToken": token, "startTime": NOON - MINUTE });
        let _ = ask("FilterLogEvents", &groups, NOON, input);
        let input = json!({ "logGroupName": "/ecs/migrate-backend", "logStreamName": stream, "nextToken": token });
        let _ = ask("GetLogEvents", &groups, NOON, input);
    }
}
