//! The terminal's state: taken on entry, given back on every way out, panics included.
//!
//! Must work from a panic hook and from a signal's handler task, so it keeps no state but one flag.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::style::Print;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute, terminal};

/// XTWINOPS: the title goes on the terminal's stack, and comes back from there.
const SAVE_TITLE: &str = "\x1b[22;2t";
const RESTORE_TITLE: &str = "\x1b[23;2t";

static TAKEN: AtomicBool = AtomicBool::new(false);

/// Holds the terminal; dropping it gives it back.
pub struct Guard(());

impl Guard {
    /// Raw mode, alternate screen, bracketed paste and, if wanted, the mouse.
    ///
    /// # Errors
    /// When there is no terminal or it refuses raw mode.
    pub fn enter(mouse: bool) -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        let guard = Self(());
        let mut out = io::stdout().lock();
        // The title is put on the terminal's stack, so that it comes back whatever was set since.
        execute!(out, Print(SAVE_TITLE), EnterAlternateScreen, cursor::Hide, EnableBracketedPaste)?;
        if mouse {
            execute!(out, EnableMouseCapture)?;
        }
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back, once. Errors have nobody left to tell.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout().lock();
    let _ = execute!(
        out,
        DisableMouseCapture,
        DisableBracketedPaste,
        crossterm::style::ResetColor,
        cursor::Show,
        LeaveAlternateScreen,
        Print(RESTORE_TITLE)
    );
    let _ = out.flush();
    let _ = terminal::disable_raw_mode();
}

/// Makes a panic of the main thread readable: the terminal is given back before the message is printed. A
/// panic of a worker does not end the console, so it must not take the screen away; it goes to the trace.
pub fn install_panic_hook() {
    let before = std::panic::take_hook();
    let main = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == main {
            restore();
            before(info);
        } else if TAKEN.load(Ordering::SeqCst) {
            tracing::error!("a worker panicked: {info}");
        } else {
            before(info);
        }
    }));
}
