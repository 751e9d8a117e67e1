//! What the terminal sends, as the loop's own input type.
//!
//! Must not interpret keys: the keymap does.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};
use futures_util::{Stream, StreamExt};

use crate::keymap::{Code, Key};
use crate::runtime::signal::Caught;
use crate::stdx::rect::Size;

/// Something that came in.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Pasted text.
    Paste(String),
    /// A new size.
    Resize(Size),
    /// The mouse at a cell.
    Mouse {
        /// Column.
        x: u16,
        /// Row.
        y: u16,
        /// What it did.
        kind: Mouse,
    },
    /// A signal.
    Signal(Caught),
    /// Nothing will come any more.
    Closed,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// Left button.
    Click,
    /// Wheel up.
    WheelUp,
    /// Wheel down.
    WheelDown,
}

/// The terminal's events and the process's signals.
pub fn stream() -> impl Stream<Item = Input> + Unpin {
    let events = crossterm::event::EventStream::new()
        .map(|event| match event {
            Ok(event) => translate(&event),
            Err(_) => Some(Input::Closed),
        })
        .filter_map(std::future::ready)
        .chain(futures_util::stream::once(std::future::ready(Input::Closed)));
    let signals = crate::runtime::signal::stream().map(signalled);
    Box::pin(futures_util::stream::select(events, signals))
}

/// A new size is told by the terminal library too, but only when its own reading gets to it; the signal is
/// sooner. The same size twice is harmless.
fn signalled(caught: Caught) -> Input {
    match (caught, crossterm::terminal::size()) {
        (Caught::Resized, Ok((width, height))) => Input::Resize(Size { width, height }),
        _ => Input::Signal(caught),
    }
}

fn translate(event: &Event) -> Option<Input> {
    Some(match event {
        Event::Key(key) => Input::Key(translate_key(key)?),
        Event::Paste(text) => Input::Paste(text.clone()),
        Event::Resize(width, height) => Input::Resize(Size { width: *width, height: *height }),
        Event::Mouse(mouse) => {
            let kind = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => Mouse::Click,
                MouseEventKind::ScrollUp => Mouse::WheelUp,
                MouseEventKind::ScrollDown => Mouse::WheelDown,
                _ => return None,
            };
            Input::Mouse { x: mouse.column, y: mouse.row, kind }
        }
        Event::FocusGained | Event::FocusLost => return None,
    })
}

fn translate_key(event: &KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let code = match event.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Insert => Code::Insert,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(n) => Code::F(n),
        _ => return None,
    };
    let has = |modifier| event.modifiers.contains(modifier);
    Some(Key::new(code, has(KeyModifiers::CONTROL), has(KeyModifiers::ALT), has(KeyModifiers::SHIFT)))
}
