//! Header, tabs, footer, palette, overlays, the whole deck.

use std::time::Duration;

use insta::assert_snapshot;

use super::{draw, footer, header, show, size, tabs, text_of, whole};
use crate::app::fixtures::{self, Aws, Bench};
use crate::app::overlay::Overlay;
use crate::app::{Msg, Pointing, Session, Target};
use crate::domain::fault::FaultKind;
use crate::domain::meter::{Meter, Share};
use crate::stdx::rect::Rect;
use crate::view::view;

fn bench(session: Session, config: &str, width: u16) -> Bench {
    let mut bench = Bench::with(fixtures::model(session, config, width, 24), Aws::small());
    bench.settle();
    bench
}

#[test]
fn the_header_says_production_lock_account_and_region() {
    let mut bench = bench(fixtures::session(&["eu-west-2"]), "", 100);
    assert_snapshot!("header_production", header(&mut bench));
    bench.resize(40, 24);
    assert_snapshot!("header_narrow", header(&mut bench));
}

#[test]
fn the_header_before_anything_is_known() {
    let mut bench = Bench::with(fixtures::model(fixtures::session(&[]), "", 100, 24), Aws::default());
    assert_snapshot!("header_first_frame", header(&mut bench));
}

#[test]
fn the_header_of_the_demo() {
    let regions = ["eu-west-2", "me-south-1", "us-east-1"];
    let session = Session {
        demo: true,
        overrides: vec![("all".into(), "loopback".into())],
        ..fixtures::session(&regions)
    };
    assert_snapshot!("header_demo", header(&mut bench(session, "", 120)));
}

#[test]
fn the_header_of_many_regions_read_only() {
    let regions = ["eu-west-1", "eu-west-2", "eu-west-3", "us-east-1"];
    let session = Session { read_only: true, ..fixtures::session(&regions) };
    assert_snapshot!("header_many_regions", header(&mut bench(session, "", 100)));
}

#[test]
fn the_header_flags_an_endpoint_that_is_not_aws() {
    let session = Session {
        overrides: vec![("ecs".into(), "http://localhost:4566".into())],
        ..fixtures::session(&["eu-west-2"])
    };
    assert_snapshot!("header_override", header(&mut bench(session, "", 140)));
}

#[test]
fn the_header_shouts_when_credentials_expired() {
    let mut bench = bench(fixtures::session(&["eu-west-2"]), "", 100);
    bench.aws.faults.insert("ecs:ListServices".into(), fixtures::fault(FaultKind::Expired));
    bench.pass(Duration::from_secs(6)).answer_all();
    assert_snapshot!("header_expired", header(&mut bench));
    assert!(header(&mut bench).contains("EXPIRED"));
}

#[test]
fn the_header_says_what_we_spend_and_that_aws_throttles() {
    let mut bench = bench(fixtures::session(&["eu-west-2"]), "", 100);
    let share = |used_percent, throttled| Share {
        scope: fixtures::home(),
        group: "ecs cluster read".into(),
        sent: 120,
        waiting: 14,
        used_percent,
        throttled,
    };
    bench.send(Msg::Meter(Meter { shares: vec![share(64, false)], ..Meter::default() }));
    assert_snapshot!("header_budget", header(&mut bench));
    bench.send(Msg::Meter(Meter { shares: vec![share(64, true)], ..Meter::default() }));
    assert!(header(&mut bench).contains("throttled"), "{}", header(&mut bench));
}

#[test]
fn the_tab_strip_at_every_width() {
    let mut bench = Bench::small(220, 60);
    let mut strips = String::new();
    for width in [220, 120, 80, 60, 40] {
        bench.resize(width, 24);
        strips.push_str(&format!("{width:>3} {}\n", tabs(&mut bench)));
    }
    assert_snapshot!("tabs", strips);
}

#[test]
fn the_present_tab_is_marked_without_colour() {
    let mut bench = Bench::small(80, 24);
    bench.press("8");
    assert!(tabs(&mut bench).contains('['), "{}", tabs(&mut bench));
    assert_snapshot!("tabs_clusters", tabs(&mut bench));
}

#[test]
fn the_footer_shows_the_keys_that_work_here() {
    let mut bench = Bench::small(120, 24);
    let mut footers = String::new();
    for keys in ["1", "enter", "t", "l", "e", "d", "D", "8", "a"] {
        bench.press(keys).settle();
        footers.push_str(&format!("{:<11} {}\n", bench.model.focus.tab(), footer(&mut bench)));
    }
    bench.press("1").resize(40, 24);
    footers.push_str(&format!("narrow      {}", footer(&mut bench)));
    assert_snapshot!("footer", footers);
}

#[test]
fn the_footer_says_what_happened() {
    let mut bench = Bench::small(80, 24);
    bench.press("y");
    assert_snapshot!("footer_notice", footer(&mut bench));
    bench.send(Msg::Paste("x".into()));
    assert_snapshot!("footer_complaint", footer(&mut bench));
}

#[test]
fn the_filter_line() {
    let mut bench = Bench::small(80, 24);
    bench.press("/");
    assert_snapshot!("filter_empty", footer(&mut bench));
    bench.type_text("/we(");
    assert_snapshot!("filter_bad", footer(&mut bench));
}

#[test]
fn a_line_longer_than_the_screen_shows_the_part_around_the_cursor() {
    let mut bench = Bench::small(40, 24);
    bench.press("/").type_text("0123456789012345678901234567890123456789abcdefgh");
    let shown = footer(&mut bench);
    assert!(shown.ends_with("abcdefgh"), "{shown}");
    let (x, y) = show(&mut bench).cursor.unwrap();
    assert!(x < 40 && y == 23);
    bench.press("home");
    assert!(footer(&mut bench).starts_with("/0123"), "{}", footer(&mut bench));
    assert_eq!(show(&mut bench).cursor, Some((1, 23)));
}

#[test]
fn the_palette_with_its_completions() {
    let mut bench = Bench::small(80, 16);
    bench.press(":").type_text("ser");
    assert_snapshot!("palette", whole(&mut bench));
    bench.press("tab");
    let drawn = show(&mut bench);
    let chosen = text_of(&drawn, Rect::of(bench.model.size));
    assert_snapshot!("palette_chosen", chosen);
    assert!(drawn.hits.iter().any(|(_, t)| matches!(t, Target::Suggestion(0))));
}

#[test]
fn the_help() {
    let mut bench = Bench::small(80, 30);
    bench.press("?");
    assert_snapshot!("help", whole(&mut bench));
}

#[test]
fn help_scrolls_to_its_end() {
    let mut bench = Bench::small(80, 20);
    bench.press("?");
    show(&mut bench);
    bench.press_blind("G");
    let end = whole(&mut bench);
    assert_ne!(end, {
        bench.press_blind("g");
        whole(&mut bench)
    });
}

#[test]
fn a_task_in_detail() {
    let mut bench = Bench::small(100, 44);
    bench.press("enter t").settle();
    bench.press("G enter");
    assert_snapshot!("overlay_task", whole(&mut bench));
}

#[test]
fn an_event_in_full() {
    let mut bench = Bench::small(80, 16);
    bench.press("enter e").settle();
    bench.press("enter");
    assert_snapshot!("overlay_event", whole(&mut bench));
}

#[test]
fn links() {
    let config = "[[links]]\nlabel = \"Dashboard\"\nurl = \"https://grafana.example/d/ecs?service={service}\"\n\
                  [[links]]\nlabel = \"API\"\nurl = \"https://docs.example/{cluster}\"\n";
    let model = fixtures::model(fixtures::session(&["eu-west-2"]), config, 80, 16);
    let mut bench = Bench::with(model, Aws::small());
    bench.settle().press("o j");
    assert_snapshot!("overlay_links", whole(&mut bench));
}

#[test]
fn what_an_overlay_covers_cannot_be_clicked() {
    let mut bench = Bench::small(80, 30);
    bench.press("?");
    let drawn = show(&mut bench);
    let topmost =
        |x, y| drawn.hits.iter().rev().find(|(area, _)| area.contains(x, y)).map(|(_, t)| t.clone());
    assert_eq!(topmost(40, 15), Some(Target::Overlay));
    bench.send(Msg::Pointed(Target::Overlay, Pointing::WheelDown));
    bench.send(Msg::Pointed(Target::Overlay, Pointing::Click));
    let Some(Overlay::Help(scroll)) = bench.model.overlay else { panic!("a click inside closed it") };
    assert_eq!(scroll.top, 3, "the wheel turns the help");
    assert_eq!(bench.selected(), Some("api"), "and not the list below");
}

#[test]
fn a_terminal_that_is_too_small_says_what_it_needs() {
    let bench = Bench::small(80, 24);
    let mut pictures = String::new();
    for (width, height) in [(39, 24), (20, 5), (12, 1)] {
        let drawn = view(&bench.model, &bench.model.theme, size(width, height));
        let text = text_of(&drawn, Rect::of(size(width, height)));
        pictures.push_str(&format!("{width}x{height}\n{text}\n"));
        assert!(drawn.hits.is_empty());
    }
    assert_snapshot!("too_small", pictures);
}

#[test]
fn a_narrow_screen_a_medium_deck_and_a_wide_one() {
    let mut bench = Bench::small(80, 24);
    assert_snapshot!("screen_80x24", whole(&mut bench));
    bench.resize(120, 40).settle();
    assert_snapshot!("screen_120x40", whole(&mut bench));
    bench.resize(200, 50).settle();
    bench.settle();
    assert_snapshot!("screen_200x50", whole(&mut bench));
}

#[test]
fn the_first_frame_is_whole_before_anything_is_known() {
    let bench = Bench::new(Aws::small(), 80, 12);
    let drawn = draw(&bench.model);
    assert_snapshot!("first_frame", text_of(&drawn, Rect::of(bench.model.size)));
}

#[test]
fn an_ascii_terminal_without_colour_gets_ascii_only() {
    let mut model = fixtures::model(fixtures::session(&["eu-west-2"]), "", 120, 40);
    let theme = (*model.theme).clone();
    model.theme = std::sync::Arc::new(
        theme.with_depth(crate::theme::Depth::None).with_glyphs(crate::theme::Glyphs::ASCII),
    );
    let mut bench = Bench::with(model, Aws::small());
    bench.settle();
    for keys in ["t", "l", "?", "esc", "d", "D", "8", "a", ":"] {
        bench.press(keys).settle();
        let drawn = show(&mut bench);
        for cell in &drawn.buffer.content {
            assert!(cell.symbol().is_ascii(), "{:?} after {keys}", cell.symbol());
            assert_eq!(cell.fg, ratatui::style::Color::Reset);
            assert_eq!(cell.bg, ratatui::style::Color::Reset);
        }
    }
}
