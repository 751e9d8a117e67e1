use std::collections::BTreeMap;
use std::sync::Mutex;

use futures_util::StreamExt as _;

use super::super::emitter::{Mood, MoodKind};
use super::super::tests::{NOON, groups};
use super::*;
use crate::stdx::clock::Wall;

const GROUP: &str = "arn:aws:logs:eu-west-2:123456789012:log-group:/ecs/cma-production";

/// Headers and payload of one frame, read by the documented layout.
fn decode(frame: &[u8]) -> (BTreeMap<String, String>, Value) {
    let word = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap()) as usize;
    let (total, head) = (word(0), word(4));
    assert_eq!(total, frame.len());
    assert_eq!(word(8), crc32fast::hash(&frame[..8]) as usize);
    assert_eq!(word(total - 4), crc32fast::hash(&frame[..total - 4]) as usize);
    let mut headers = BTreeMap::new();
    let mut rest = &frame[12..12 + head];
    while let Some((length, after)) = rest.split_first() {
        let (name, after) = after.split_at(usize::from(*length));
        assert_eq!(after[0], 7);
        let size = usize::from(u16::from_be_bytes([after[1], after[2]]));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        headers.insert(text(name), text(&after[3..3 + size]));
        rest = &after[3 + size..];
    }
    (headers, serde_json::from_slice(&frame[12 + head..total - 4]).unwrap())
}

fn fixed(groups: Groups) -> Source {
    Arc::new(move || groups.clone())
}

fn busy(rate: f64) -> Groups {
    let mut groups = groups("cma");
    let emitter = Arc::make_mut(&mut groups.groups[0].emitters[1]);
    emitter.moods.push(Mood {
        from: Wall(NOON),
        until: Wall(i64::MAX),
        kind: MoodKind::Errors { rate, text: "flood {id}".to_owned() },
    });
    groups
}

async fn update(body: &mut ByteStream) -> Value {
    let (headers, payload) = decode(&body.next().await.unwrap());
    assert_eq!(headers[":event-type"], "sessionUpdate");
    payload
}

#[tokio::test(start_paused = true)]
async fn a_session_starts_at_once_and_updates_every_second_even_when_idle() {
    let clock = Clock::steered(Wall(NOON), 1.0);
    let input = json!({ "logGroupIdentifiers": [GROUP], "logEventFilterPattern": "nosuchword" });
    let mut body = start_live_tail(fixed(groups("cma")), &Sessions::default(), &clock, &input).ok().unwrap();
    let (headers, payload) = decode(&body.next().await.unwrap());
    assert_eq!((headers[":event-type"].as_str(), payload), ("initial-response", json!({})));
    let (headers, payload) = decode(&body.next().await.unwrap());
    assert_eq!(clock.now().wall, Wall(NOON));
    assert_eq!(headers[":message-type"], "event");
    assert_eq!(headers[":event-type"], "sessionStart");
    assert_eq!(headers[":content-type"], "application/json");
    assert_eq!(payload["logGroupIdentifiers"], json!([GROUP]));
    assert_eq!(payload["logEventFilterPattern"], "nosuchword");
    for second in 1..=5 {
        let update = update(&mut body).await;
        assert_eq!(update, json!({ "sessionMetadata": { "sampled": false }, "sessionResults": [] }));
        let passed = clock.now().since(Moment { wall: Wall(NOON), mono: Duration::ZERO });
        assert_eq!(passed.as_secs(), second);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_shows_every_event_that_is_ingested_once() {
    let clock = Clock::steered(Wall(NOON), 1.0);
    let world = groups("cma");
    let input = json!({ "logGroupIdentifiers": [GROUP], "logStreamNamePrefixes": ["api/"] });
    let mut body = start_live_tail(fixed(world.clone()), &Sessions::default(), &clock, &input).ok().unwrap();
    body.next().await.unwrap();
    body.next().await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..60 {
        let update = update(&mut body).await;
        assert_eq!(update["sessionMetadata"]["sampled"], false);
        for event in update["sessionResults"].as_array().unwrap() {
            assert_eq!(event["logGroupIdentifier"], GROUP);
            assert!(event.get("eventId").is_none());
            let text = |name: &str| event[name].as_str().unwrap().to_owned();
            seen.push((event["ingestionTime"].as_i64().unwrap(), text("logStreamName"), text("message")));
        }
    }
    let now = clock.now().wall.0;
    let mut wanted: Vec<(i64, String, String)> = world.groups[0]
        .emitters
        .iter()
        .filter(|emitter| emitter.stream.starts_with("api/"))
        .flat_map(|e| {
            e.ingested(NOON, now).into_iter().map(|event| (event.ingested, e.stream.clone(), event.message))
        })
        .collect();
    wanted.sort();
    seen.sort();
    assert!(wanted.len() > 50, "{}", wanted.len());
    assert_eq!(seen, wanted);
}

#[tokio::test(start_paused = true)]
async fn above_five_hundred_a_second_the_update_is_a_sample() {
    let clock = Clock::steered(Wall(NOON), 1.0);
    let input = json!({ "logGroupIdentifiers": [GROUP] });
    let mut body = start_live_tail(fixed(busy(900.0)), &Sessions::default(), &clock, &input).ok().unwrap();
    body.next().await.unwrap();
    body.next().await.unwrap();
    let mut sampled = 0;
    for _ in 0..15 {
        let update = update(&mut body).await;
        let events = update["sessionResults"].as_array().unwrap().len();
        assert!(events <= 500);
        if update["sessionMetadata"]["sampled"] == true {
            assert_eq!(events, 500);
            sampled += 1;
        }
    }
    assert!(sampled > 0, "a flush of five seconds at 900 a second does not fit");
}

#[tokio::test(start_paused = true)]
async fn streams_that_are_born_later_join() {
    let clock = Clock::steered(Wall(NOON), 1.0);
    let world = Arc::new(Mutex::new(groups("cma")));
    let shared = Arc::clone(&world);
    let source: Source = Arc::new(move || shared.lock().unwrap().clone());
    let input = json!({ "logGroupIdentifiers": [GROUP] });
    let mut body = start_live_tail(source, &Sessions::default(), &clock, &input).ok().unwrap();
    for _ in 0..3 {
        body.next().await.unwrap();
        body.next().await.unwrap();
    }
    let api = |e: &&Arc<crate::sim::logs::Emitter>| e.stream.starts_with("api/");
    let mut newcomer =
        world.lock().unwrap().groups[0].emitters.iter().filter(api).nth(1).unwrap().as_ref().clone();
    newcomer.stream = "api/api/newcomer".to_owned();
    newcomer.born = clock.now().wall;
    world.lock().unwrap().groups[0].emitters.push(Arc::new(newcomer));
    let mut messages = Vec::new();
    for _ in 0..12 {
        for event in update(&mut body).await["sessionResults"].as_array().unwrap() {
            if event["logStreamName"] == "api/api/newcomer" {
                messages.push(event["message"].as_str().unwrap().to_owned());
            }
        }
    }
    assert!(messages.iter().any(|message| message.contains("starting cma-api")), "{messages:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_loses_what_lies_ten_seconds_back() {
    let clock = Clock::steered(Wall(NOON), 1.0);
    let input = json!({ "logGroupIdentifiers": [GROUP] });
    let mut body = start_live_tail(fixed(groups("cma")), &Sessions::default(), &clock, &input).ok().unwrap();
    body.next().await.unwrap();
    body.next().await.unwrap();
    clock.sleep(Duration::from_secs(60)).await;
    let update = update(&mut body).await;
    let oldest = update["sessionResults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["ingestionTime"].as_i64().unwrap())
        .min();
    assert!(oldest.unwrap() > NOON + 50_000);
}

#[tokio::test(start_paused = true)]
async fn after_three_hours_the_session_ends_with_an_exception() {
    let clock = Clock::steered(Wall(NOON), 1.0);
    let sessions = Sessions::default();
    let input = json!({ "logGroupIdentifiers": [GROUP], "logEventFilterPattern": "nosuchword" });
    let mut body = start_live_tail(fixed(groups("cma")), &sessions, &clock, &input).ok().unwrap();
    body.next().await.unwrap();
    body.next().await.unwrap();
    clock.sleep(LONGEST).await;
    let (headers, payload) = decode(&body.next().await.unwrap());
    assert_eq!(headers[":message-type"], "exception");
    assert_eq!(headers[":exception-type"], "SessionTimeoutException");
    assert!(payload["message"].is_string());
    assert!(body.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn there_are_fifteen_seats() {
    let clock = Clock::steered(Wall(NOON), 1.0);
    let sessions = Sessions::default();
    let input = json!({ "logGroupIdentifiers": [GROUP] });
    let open = || start_live_tail(fixed(groups("cma")), &sessions, &clock, &input);
    let mut held: Vec<ByteStream> = (0..15).map(|_| open().ok().unwrap()).collect();
    assert_eq!(open().err().unwrap().code, "LimitExceededException");
    held.pop();
    assert_eq!(sessions.open(), 14);
    assert!(open().is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_is_refused_before_the_stream() {
    let clock = Clock::steered(Wall(NOON), 1.0);
    let refuse = |input: Value| {
        start_live_tail(fixed(groups("cma")), &Sessions::default(), &clock, &input).err().unwrap().code
    };
    let other = "arn:aws:logs:eu-west-2:123456789012:log-group:/ecs/other";
    assert_eq!(refuse(json!({ "logGroupIdentifiers": [other] })), "ResourceNotFoundException");
    for input in [
        json!({}),
        json!({ "logGroupIdentifiers": [] }),
        json!({ "logGroupIdentifiers": vec![GROUP; 11] }),
        json!({ "logGroupIdentifiers": ["/ecs/cma-production"] }),
        json!({ "logGroupIdentifiers": [format!("{GROUP}:*")] }),
        json!({ "logGroupIdentifiers": [GROUP], "logStreamNames": ["a"], "logStreamNamePrefixes": ["b"] }),
        json!({ "logGroupIdentifiers": [GROUP, GROUP], "logStreamNames": ["a"] }),
        json!({ "logGroupIdentifiers": [GROUP], "logEventFilterPattern": "a-b" }),
    ] {
        assert_eq!(refuse(input.clone()), "InvalidParameterException", "{input}");
    }
}
