//! The filter language: what each term finds, and how mistakes are named.

use super::*;
use crate::domain::log::LogGroupId;
use crate::domain::scope::Scope;
use crate::logs::line::Origin;
use crate::logs::parse;
use crate::logs::store::{RecordId, StreamId};
use crate::stdx::clock::Wall;
use proptest::prelude::*;

fn wanted(filter: &str, message: &str) -> bool {
    matches(&Filter::parse(filter).unwrap(), message)
}

fn matches(filter: &Filter, message: &str) -> bool {
    let group = LogGroupId { scope: Scope::new("default", "eu-west-2"), name: "/ecs/x".into() };
    let origin =
        Origin { group, stream: "ecs/app/0123abcd".into(), container: "app".into(), task: "0123abcd".into() };
    let id = RecordId { at: Wall(0), ingested_at: Wall(0), stream: StreamId(0), sequence: 0 };
    let level = parse::level(message, &parse::Fields::default());
    filter.matches(&Record { id, level, message, origin: &origin, head: 0 })
}

#[test]
fn words_must_all_match_and_capitals_matter_only_when_typed() {
    assert!(wanted("timeout db", "DB Timeout"));
    assert!(!wanted("timeout db", "timeout"));
    assert!(wanted("Timeout", "a Timeout") && !wanted("Timeout", "a timeout"));
    assert!(wanted("", "anything") && wanted("   ", "anything"));
    assert!(wanted("a.b(", "x A.B( y") && !wanted("a.b", "axb"));
}

#[test]
fn terms_are_turned_round_quoted_and_expressions() {
    assert!(wanted("error -health", "error x") && !wanted("error -health", "error /health"));
    assert!(wanted("\"connection reset\"", "Connection reset by peer"));
    assert!(!wanted("-\"connection reset\"", "connection reset"));
    assert!(wanted("/req-[0-9a-f]+/", "id req-7f") && !wanted("/REQ/", "req") && wanted("/REQ/i", "req"));
    assert!(wanted("/reset .*peer/ -x", "reset by peer") && !wanted("-/re.et/", "reset"));
    assert!(wanted("/api/users", "GET /api/users 200"), "a path is a word");
    assert!(wanted("/", "a / b"));
}

#[test]
fn fields_of_structured_lines_are_compared() {
    let json =
        r#"{"level":"warn","status":502,"route":"/Login","http":{"method":"GET"},"ms":12.5,"ok":true}"#;
    for (filter, expected) in [
        ("status=502", true),
        ("status:502", true),
        ("status!=502", false),
        ("status>=500", true),
        ("status<500", false),
        ("ms>12", true),
        ("ms>12.5", false),
        ("ok=true", true),
        ("http.method=get", true),
        ("route=/login", true),
        ("route=/log", false),
        ("absent=1", false),
        ("absent!=1", true),
        ("-absent=1", true),
        ("level>=warn", true),
        ("level=error", false),
        ("container=app", true),
        ("task=0123", true),
        ("task=9", false),
        ("route>5", false),
    ] {
        assert_eq!(wanted(filter, json), expected, "{filter}");
    }
    assert!(wanted("path=\"/a b\"", "level=info path=\"/a b\""));
}

#[test]
fn a_line_without_fields_is_searched_for_the_term_as_typed() {
    assert!(wanted("status=502", "upstream said status=502 again"));
    assert!(!wanted("status=502", "status 502"));
    assert!(
        wanted("http://x", "see http://x/y")
            && wanted("10:30", "at 10:30:00")
            && wanted("ERROR:", "ERROR: x")
    );
}

#[test]
fn level_container_and_task_are_asked_beside_the_text() {
    let mut filter = Filter::parse("boom").unwrap();
    filter.at_least = Some(Level::Warn);
    assert!(matches(&filter, "ERROR boom") && !matches(&filter, "INFO boom") && !matches(&filter, "boom"));
    filter.at_least = None;
    filter.tasks = vec!["ff".into(), "0123".into()];
    assert!(matches(&filter, "boom"));
    filter.containers = vec!["nginx".into()];
    assert!(!matches(&filter, "boom"));
}

#[test]
fn mistakes_are_named_with_their_place() {
    let error = |text: &str| Filter::parse(text).unwrap_err().to_string();
    assert_eq!(error("ab \"cd"), "the quote at column 4 is not closed: add `\"`");
    assert_eq!(error("é -"), "the `-` at column 3 excludes nothing: write the word right behind it");
    assert_eq!(error("x /(/"), "the expression at column 3, `/(/`, is not valid: unclosed group");
    assert!(error("/a{1000}{1000}/").contains("too large"));
    assert!(error("level>=loud").contains("`loud` at column 1 is not a level"));
    assert_eq!(error("path=\"/a b"), "the quote at column 6 is not closed: add `\"`");
}

#[test]
fn highlights_are_merged_and_in_order() {
    let filter = Filter::parse("abc bcd -zz /\\d+/").unwrap();
    assert_eq!(filter.highlights("xABCDx 12 zz"), vec![1..5, 7..9]);
    assert!(Filter::parse("/x*/").unwrap().highlights("aaa").is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_filter_and_no_line_is_too_odd(filter in "[-\"/a-z=:<>!(. é]{0,24}", line in any::<String>()) {
        if let Ok(filter) = Filter::parse(&filter) {
            let _ = matches(&filter, &line);
            let ranges = filter.highlights(&line);
            prop_assert!(ranges.iter().all(|r| line.get(r.clone()).is_some()));
            prop_assert!(ranges.is_sorted_by(|a, b| a.end < b.start));
        }
    }

    #[test]
    fn a_word_finds_what_contains_it(word in "[a-z]{1,8}", before in "[A-Z ]{0,8}", after in "[0-9]{0,8}") {
        let line = format!("{before}{word}{after}");
        prop_assert!(wanted(&word, &line));
        let excluded = format!("-{word}");
        prop_assert!(!wanted(&excluded, &line));
    }
}
