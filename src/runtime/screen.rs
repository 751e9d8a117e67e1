//! The screen: takes whole frames and writes what changed, one write a frame, the latest frame wins.
//!
//! A slow terminal must never stall the loop: frames are handed to a thread of their own, and the difference
//! is taken against what was last written, so frames that came too fast are skipped and never half shown.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use crossterm::{cursor, queue};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;

/// One frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Counts frames, so that what was written can be known.
    pub number: u64,
    /// All cells.
    pub buffer: Buffer,
    /// Where the text cursor stands, if it shows.
    pub cursor: Option<(u16, u16)>,
}

/// What the writer reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The frame of this number is on the terminal.
    Written(u64),
    /// The terminal takes nothing any more.
    Lost,
}

/// Whoever shows frames.
pub trait Screen {
    /// Shows a frame, sooner or later, unless a later one comes first.
    fn present(&mut self, frame: Frame);
    /// Writes bytes that are not part of a frame: a clipboard sequence, a title.
    fn send(&mut self, bytes: Vec<u8>);
    /// Forgets what the terminal shows: the next frame is written whole.
    fn forget(&mut self);
    /// Gives the terminal back to the shell for a while, or for good.
    fn leave(&mut self);
    /// Takes the terminal again.
    fn enter(&mut self);
}

#[derive(Default)]
struct Slot {
    frame: Option<Frame>,
    bytes: Vec<u8>,
    forget: bool,
    busy: bool,
    closed: bool,
}

struct Shared {
    slot: Mutex<Slot>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        // A slot is whole between statements, so a poisoned one is as good as any.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The real terminal.
pub struct TerminalScreen {
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
    guard: Option<crate::runtime::terminal::Guard>,
    mouse: bool,
}

impl TerminalScreen {
    /// Takes the terminal and starts the writer. Reports go to `report`, from the writer's thread.
    ///
    /// # Errors
    /// When the terminal cannot be put into raw mode.
    pub fn open(mouse: bool, report: impl Fn(Report) + Send + 'static) -> io::Result<Self> {
        let guard = crate::runtime::terminal::Guard::enter(mouse)?;
        let shared = Arc::new(Shared { slot: Mutex::new(Slot::default()), changed: Condvar::new() });
        let theirs = Arc::clone(&shared);
        #[expect(clippy::disallowed_methods, reason = "the writer's own thread: a slow terminal blocks here")]
        let thread = std::thread::spawn(move || write_frames(&theirs, &report));
        Ok(Self { shared, thread: Some(thread), guard: Some(guard), mouse })
    }

    /// Waits until what was handed over is written, so that a guard's sequences come after it.
    fn drain(&self) {
        let mut slot = self.shared.lock();
        slot.frame = None;
        while slot.busy && !slot.closed {
            let (next, wait) = self
                .shared
                .changed
                .wait_timeout(slot, std::time::Duration::from_millis(200))
                .unwrap_or_else(PoisonError::into_inner);
            slot = next;
            if wait.timed_out() {
                return;
            }
        }
    }
}

impl Screen for TerminalScreen {
    fn present(&mut self, frame: Frame) {
        self.shared.lock().frame = Some(frame);
        self.shared.changed.notify_all();
    }

    fn send(&mut self, bytes: Vec<u8>) {
        self.shared.lock().bytes.extend(bytes);
        self.shared.changed.notify_all();
    }

    fn forget(&mut self) {
        self.shared.lock().forget = true;
    }

    fn leave(&mut self) {
        self.drain();
        self.guard = None;
    }

    fn enter(&mut self) {
        self.guard = crate::runtime::terminal::Guard::enter(self.mouse).ok();
        self.forget();
    }
}

impl Drop for TerminalScreen {
    fn drop(&mut self) {
        self.drain();
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        // A terminal that hangs must not keep the process: the thread is joined only when it is idle.
        if !self.shared.lock().busy
            && let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the terminal's writer panicked");
        }
    }
}

fn write_frames(shared: &Shared, report: &dyn Fn(Report)) {
    let mut shown: Option<Buffer> = None;
    loop {
        let (frame, bytes) = {
            let mut slot = shared.lock();
            slot.busy = false;
            shared.changed.notify_all();
            while slot.frame.is_none() && slot.bytes.is_empty() && !slot.closed {
                slot = shared.changed.wait(slot).unwrap_or_else(PoisonError::into_inner);
            }
            if slot.closed {
                return;
            }
            if std::mem::take(&mut slot.forget) {
                shown = None;
            }
            slot.busy = true;
            (slot.frame.take(), std::mem::take(&mut slot.bytes))
        };
        let mut out = bytes;
        let number = frame.as_ref().map(|f| f.number);
        if let Some(frame) = frame {
            encode(&mut out, shown.as_ref(), &frame);
            shown = Some(frame.buffer);
        }
        let written = if out.is_empty() { Ok(()) } else { write_all(&out) };
        match (written, number) {
            (Ok(()), Some(number)) => report(Report::Written(number)),
            (Ok(()), None) => {}
            (Err(error), _) => {
                tracing::warn!(%error, "the terminal takes nothing any more");
                shared.lock().closed = true;
                shared.changed.notify_all();
                report(Report::Lost);
                return;
            }
        }
    }
}

fn write_all(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// The bytes that turn what is shown into the frame; none when nothing changed.
fn encode(out: &mut Vec<u8>, shown: Option<&Buffer>, frame: &Frame) {
    let blank;
    let (before, clear) = match shown {
        Some(buffer) if buffer.area == frame.buffer.area => (buffer, false),
        _ => {
            blank = Buffer::empty(frame.buffer.area);
            (&blank, true)
        }
    };
    let changes = before.diff(&frame.buffer);
    if changes.is_empty() && !clear && frame.cursor.is_none() {
        return;
    }
    // Writing to a vector cannot fail.
    let _ = queue!(out, BeginSynchronizedUpdate, cursor::Hide);
    if clear {
        let _ = queue!(
            out,
            crossterm::style::ResetColor,
            crossterm::terminal::Clear(crossterm::terminal::ClearType::All)
        );
    }
    let mut backend = CrosstermBackend::new(&mut *out);
    let _ = backend.draw(changes.into_iter());
    if let Some((x, y)) = frame.cursor {
        let _ = queue!(out, cursor::MoveTo(x, y), cursor::Show);
    }
    let _ = queue!(out, EndSynchronizedUpdate);
}

/// A screen in memory, for stories and pictures: it shows every frame at once.
pub struct MemoryScreen {
    /// The newest frame, shared with whoever looks.
    pub shown: Arc<Mutex<Option<Frame>>>,
    /// Bytes sent beside frames.
    pub sent: Arc<Mutex<Vec<u8>>>,
    report: Box<dyn Fn(Report) + Send>,
}

impl MemoryScreen {
    /// An empty screen.
    pub fn new(report: impl Fn(Report) + Send + 'static) -> Self {
        Self { shown: Arc::default(), sent: Arc::default(), report: Box::new(report) }
    }
}

impl Screen for MemoryScreen {
    fn present(&mut self, frame: Frame) {
        let number = frame.number;
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(frame);
        (self.report)(Report::Written(number));
    }

    fn send(&mut self, bytes: Vec<u8>) {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
    }

    fn forget(&mut self) {}

    fn leave(&mut self) {}

    fn enter(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    fn frame(text: &str) -> Frame {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 2));
        buffer.set_string(0, 0, text, Style::default());
        Frame { number: 1, buffer, cursor: None }
    }

    #[test]
    fn an_unchanged_frame_writes_nothing() {
        let mut out = Vec::new();
        encode(&mut out, Some(&frame("same").buffer), &frame("same"));
        assert!(out.is_empty());
    }

    #[test]
    fn a_terminal_that_got_frames_as_differences_shows_the_last_one() {
        let mut parser = vt100::Parser::new(2.try_into().unwrap(), 20.try_into().unwrap(), 0);
        let mut shown: Option<Buffer> = None;
        for text in ["first frame", "second", "third frame is longer", ""] {
            let mut out = Vec::new();
            let frame = frame(text);
            encode(&mut out, shown.as_ref(), &frame);
            parser.process(&out);
            shown = Some(frame.buffer);
            let expected = text.chars().take(20).collect::<String>();
            assert_eq!(parser.screen().rows(0, 20).next().unwrap().trim_end(), expected);
        }
    }
}
