//! The log pane in its states.

use std::time::Duration;

use insta::assert_snapshot;

use super::{pane, show, whole};
use crate::app::fixtures::{self, Aws, Bench};
use crate::app::pane::PaneId;
use crate::domain::fault::FaultKind;
use crate::theme::Role;

fn logs(bench: &mut Bench) -> String {
    pane(bench, PaneId::Logs)
}

/// The log of `api` with these lines instead of its own, one second apart, the last one a second old.
fn with_lines(lines: &[&str], width: u16, height: u16) -> Bench {
    let mut aws = Aws::small();
    aws.lines.clear();
    let task = aws.tasks[0].clone();
    let count = i64::try_from(lines.len()).unwrap();
    for (number, (n, line)) in (0u32..).zip((0i64..).zip(lines)) {
        aws.lines.push(fixtures::line(&task, number, (count - n) * 1_000, line));
    }
    let config = "[logs]\nfields = ['status']\n";
    let model = fixtures::model(fixtures::session(&["eu-west-2"]), config, width, height);
    let mut bench = Bench::with(model, aws);
    bench.settle();
    bench.press("l").settle();
    bench.pass(Duration::from_secs(6)).answer_all();
    bench
}

const TALK: &[&str] = &[
    r#"{"level":"info","msg":"listening on 8080","status":200}"#,
    "2026-11-20 13:59:57 WARN pool is nearly empty",
    "plain words without a level",
    "ERROR boom: cannot connect",
    "    at connect (/app/db.js:10:3)",
    "    at async main (/app/main.js:4:1)",
    r#"{"level":"error","msg":"gave up","status":503}"#,
];

#[test]
fn logs_before_and_without_lines() {
    let mut bench = Bench::small(80, 12);
    bench.press("l");
    assert_snapshot!("logs_starting", logs(&mut bench));
    assert_snapshot!("logs_empty", logs(&mut with_lines(&[], 80, 12)));
}

#[test]
fn logs_denied() {
    let mut aws = Aws::small();
    aws.faults.insert("logs:FilterLogEvents".into(), fixtures::fault(FaultKind::Denied));
    let mut bench = Bench::new(aws, 80, 12);
    bench.settle();
    bench.press("l").settle();
    assert_snapshot!("logs_denied", logs(&mut bench));
}

#[test]
fn lines_with_level_message_and_chosen_fields() {
    let mut bench = with_lines(TALK, 100, 14);
    assert_snapshot!("logs_lines", logs(&mut bench));
    bench.press("f");
    assert_snapshot!("logs_fold_toggled", logs(&mut bench));
}

#[test]
fn paused_says_so_and_what_is_new() {
    let mut bench = with_lines(TALK, 100, 14);
    bench.press("space");
    let mut line = fixtures::line(&bench.aws.tasks[0].clone(), 99, 0, "INFO later");
    line.at = bench.now.wall;
    bench.aws.lines.push(line);
    for _ in 0..4 {
        bench.pass(Duration::from_secs(3)).answer_all();
    }
    assert_snapshot!("logs_paused", logs(&mut bench));
}

#[test]
fn long_lines_are_cut_or_wrapped_whole() {
    let words: String = (0..40).map(|n| format!("word{n} ")).collect();
    let mut bench = with_lines(&["first", &words, "last"], 80, 14);
    let cut = logs(&mut bench);
    assert!(!cut.contains("word39"), "{cut}");
    bench.press("w");
    let wrapped = logs(&mut bench);
    assert!(wrapped.contains("word39") && wrapped.contains("last"), "{wrapped}");
    assert_snapshot!("logs_wrapped", wrapped);
    bench.press("w right right");
    assert_ne!(logs(&mut bench), cut, "scrolled sideways");
}

#[test]
fn what_the_filter_found_is_marked() {
    let mut bench = with_lines(TALK, 100, 14);
    bench.press("/").type_text("boom").press("enter");
    assert_snapshot!("logs_filtered", logs(&mut bench));
    let drawn = show(&mut bench);
    let found = bench.model.theme.style(Role::Match);
    assert_ne!(found, bench.model.theme.style(Role::LogError), "the theme tells them apart");
    let row: Vec<_> = drawn
        .buffer
        .content
        .chunks(100)
        .find(|row| {
            let text: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
            text.contains("ERROR boom") || text.contains("boom: cannot")
        })
        .unwrap()
        .iter()
        .collect();
    let text: String = row.iter().map(|c| c.symbol()).collect();
    let at = text
        .chars()
        .collect::<Vec<_>>()
        .windows(4)
        .position(|w| w.iter().collect::<String>() == "boom")
        .unwrap();
    assert_ne!(row[at].style(), row[at + 6].style(), "the match looks otherwise than what follows it");
    bench.press("esc").press("/").type_text("absent").press("enter");
    assert_snapshot!("logs_filtered_away", logs(&mut bench));
}

#[test]
fn times_in_every_style() {
    let mut bench = with_lines(&TALK[..2], 90, 10);
    let mut styles = String::new();
    for _ in 0..4 {
        styles.push_str(&logs(&mut bench));
        styles.push('\n');
        bench.press("t");
    }
    assert_snapshot!("logs_times", styles);
}

#[test]
fn a_record_in_full() {
    let mut bench = with_lines(TALK, 80, 24);
    bench.press("enter");
    assert_snapshot!("overlay_record", whole(&mut bench));
}

#[test]
fn control_and_bidi_characters_are_seen_and_do_nothing() {
    let lines = [
        "\x1b[31mred\x1b[0m \x1b]0;title\x07",
        "pay\u{202e}txt.exe",
        "tab\there\r\nnext",
        "日本語 ログ",
        "e\u{301}́",
    ];
    let mut bench = with_lines(&lines, 80, 14);
    let shown = logs(&mut bench);
    assert!(!shown.contains('\x1b') && !shown.contains('\u{202e}'), "{shown}");
    assert_snapshot!("logs_control", shown);
}

#[test]
fn a_line_of_a_megabyte_takes_its_row_and_no_more() {
    let long = format!("BEGIN {}", "x".repeat(1 << 20));
    let json = format!(r#"{{"level":"warn","msg":"{}"}}"#, "y".repeat(1 << 20));
    let mut bench = with_lines(&["before", &long, &json, "after"], 80, 30);
    let shown = logs(&mut bench);
    for word in ["before", "BEGIN", "WARN", "after"] {
        assert!(shown.contains(word), "{word} is missing from\n{shown}");
    }
    bench.press("w");
    assert!(logs(&mut bench).contains("after"));
    bench.press("k k enter");
    assert!(whole(&mut bench).contains("Log record"));
}

#[test]
fn a_cluster_of_characters_wider_than_the_screen_ends() {
    // A run of leading consonants is one cluster of characters, twice as wide as it is long.
    let hangul = "\u{1100}".repeat(300);
    let family = "👩\u{200d}👩\u{200d}👧".repeat(50);
    let marks = format!("e{}", "\u{301}".repeat(10_000));
    let mut bench = with_lines(&["before", &hangul, &family, &marks, "after"], 60, 20);
    assert!(logs(&mut bench).contains("after"));
    bench.press("w");
    assert!(logs(&mut bench).contains("after"), "{}", logs(&mut bench));
    bench.press("k k enter");
    assert!(whole(&mut bench).contains("Log record"));
}
