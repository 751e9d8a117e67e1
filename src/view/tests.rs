//! Pictures of each block in each of its states, as text, and what holds for every model at every size.
//!
//! A picture that changed on purpose is renewed with `INSTA_UPDATE=always cargo test --lib view::`.

mod blocks;
mod journal;
mod logs;
mod operations;
mod panes;
mod property;
mod triage;

use crate::app::fixtures::Bench;
use crate::app::layout::layout;
use crate::app::pane::PaneId;
use crate::app::{Model, Msg};
use crate::stdx::rect::{Rect, Size};
use crate::view::{Drawn, view};

fn draw(model: &Model) -> Drawn {
    view(model, &model.theme, model.size)
}

/// Draws and tells the model that the frame is written, as the loop does.
fn show(bench: &mut Bench) -> Drawn {
    let drawn = draw(&bench.model);
    bench.send(Msg::Presented(drawn.scrolls.clone(), Box::new(drawn.tops.clone())));
    draw(&bench.model)
}

/// An area of the screen as text, without the blanks at the ends of its lines.
fn text_of(drawn: &Drawn, area: Rect) -> String {
    let mut text = String::new();
    for y in area.y..area.bottom() {
        let line: String = (area.x..area.right())
            .filter_map(|x| drawn.buffer.cell((x, y)))
            .map(ratatui::buffer::Cell::symbol)
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.trim_end_matches('\n').to_owned()
}

fn whole(bench: &mut Bench) -> String {
    let drawn = show(bench);
    text_of(&drawn, Rect::of(bench.model.size))
}

/// A pane with its title.
fn pane(bench: &mut Bench, id: PaneId) -> String {
    let drawn = show(bench);
    let area = layout(&bench.model, bench.model.size).pane(id).expect("the pane is on screen");
    text_of(&drawn, area)
}

fn header(bench: &mut Bench) -> String {
    let drawn = show(bench);
    text_of(&drawn, layout(&bench.model, bench.model.size).header)
}

fn tabs(bench: &mut Bench) -> String {
    let drawn = show(bench);
    text_of(&drawn, layout(&bench.model, bench.model.size).tabs)
}

fn footer(bench: &mut Bench) -> String {
    let drawn = show(bench);
    text_of(&drawn, layout(&bench.model, bench.model.size).footer)
}

fn size(width: u16, height: u16) -> Size {
    Size { width, height }
}
