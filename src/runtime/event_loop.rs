//! The loop: messages in, effects out, at most one frame per 16 ms and none when nothing changed. What a key
//! does is drawn at once: its frame waits for the last key's frame, and not for one that an answer caused.
//!
//! It takes its input stream, its clock and its screen as arguments, so that a story types keys into the real
//! loop. Must not know what a pane is.

use std::collections::VecDeque;
use std::time::Duration;

use base64::Engine as _;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::app::{Effect, Model, Msg, Pointing, Target, update};
use crate::runtime::input::{Input, Mouse};
use crate::runtime::perform::Performer;
use crate::runtime::screen::{Frame, Report, Screen};
use crate::runtime::signal::{self, Caught};
use crate::stdx::clock::{Clock, Moment};
use crate::stdx::rect::Rect;
use crate::view::{Drawn, view};

/// The shortest time between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// Two clicks on one thing within this time are a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

/// How long the answer of a call is awaited after the terminal was left.
const AT_MOST: Duration = Duration::from_secs(45);

/// How often it is looked whether the last line of the journal was written.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// Messages taken in before a frame is drawn.
const BURST: usize = 512;

/// How the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The operator left.
    Quit,
    /// A signal asked for it.
    Signal(i32),
    /// The terminal is gone.
    Lost,
}

/// All that the loop works with.
pub struct Parts<S, I> {
    /// The model, as it starts.
    pub model: Model,
    /// The clock.
    pub clock: Clock,
    /// The screen.
    pub screen: S,
    /// Keys, mouse, resizes, signals.
    pub inputs: I,
    /// Effects.
    pub performer: Performer,
    /// What effects bring back.
    pub messages: UnboundedReceiver<Msg>,
    /// What the screen reports.
    pub reports: UnboundedReceiver<Report>,
    /// How tmux or screen must be addressed for the clipboard.
    pub multiplexer: Multiplexer,
}

/// A terminal multiplexer between us and the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Multiplexer {
    /// None that we know of.
    #[default]
    None,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

struct Looped<S> {
    model: Model,
    clock: Clock,
    screen: S,
    performer: Performer,
    multiplexer: Multiplexer,
    frames: u64,
    /// Hits and extents of frames that were presented and not yet written.
    presented: VecDeque<(u64, Drawn)>,
    /// The frame that is on the terminal.
    written: Drawn,
    last_click: Option<(Moment, Target)>,
    dirty: bool,
    /// Somebody did something that no frame shows yet.
    by_hand: bool,
}

/// Runs until somebody leaves. What AWS was asked to change is awaited and written down after the terminal was left.
pub async fn run<S: Screen, I: Stream<Item = Input> + Unpin>(parts: Parts<S, I>) -> Ending {
    let Parts { model, clock, screen, mut inputs, performer, mut messages, mut reports, multiplexer } = parts;
    let mut this = Looped {
        model,
        clock,
        screen,
        performer,
        multiplexer,
        frames: 0,
        presented: VecDeque::new(),
        written: Drawn::default(),
        last_click: None,
        dirty: true,
        by_hand: false,
    };
    let ending = this.run(&mut inputs, &mut messages, &mut reports).await;
    this.screen.leave();
    this.settle(&mut messages).await;
    ending
}

impl<S: Screen> Looped<S> {
    /// The terminal is left: the answer to a call in flight is awaited and journalled.
    async fn settle(&mut self, messages: &mut UnboundedReceiver<Msg>) {
        let begun = tokio::time::Instant::now();
        self.performer.leave();
        // The road's own timeouts end a call long before; what still waits then is told by the journal as unknown.
        while begun.elapsed() < AT_MOST {
            // What is watched by now, a call that was just answered among it, is left without its end.
            self.take(Msg::Leaving);
            while let Ok(msg) = messages.try_recv() {
                self.take(msg);
            }
            if !self.performer.is_busy() && messages.is_empty() {
                self.take(Msg::Leaving);
                if !self.performer.is_busy() {
                    return;
                }
            }
            if let Ok(Some(msg)) = tokio::time::timeout(LAST_WORDS, messages.recv()).await {
                self.take(msg);
            }
        }
    }

    async fn run<I: Stream<Item = Input> + Unpin>(
        &mut self,
        inputs: &mut I,
        messages: &mut UnboundedReceiver<Msg>,
        reports: &mut UnboundedReceiver<Report>,
    ) -> Ending {
        let this = self;
        // The first frame comes before anything is asked.
        this.draw();
        this.performer.read_journal();
        let mut drawn_at = tokio::time::Instant::now();
        let mut keyed_at = drawn_at;
        if this.model.session.scopes.is_empty() && this.model.session.scopes_fault.is_none() {
            this.performer.find_regions();
        }
        if let Some(ending) = this.take(Msg::Tick) {
            return ending;
        }
        let mut second = this.clock.now();
        loop {
            let now = this.clock.now();
            let mut wait = Duration::from_secs(1).saturating_sub(now.since(second));
            if let Some(due) = this.model.wake_in() {
                // Nothing is due sooner than it can be drawn; a due time in the past was just served.
                wait = wait.min(due.max(Duration::from_millis(5)));
            }
            let mut until = tokio::time::Instant::now() + this.clock.real(wait);
            if this.dirty {
                until = until.min(if this.by_hand { keyed_at } else { drawn_at } + FRAME);
            }
            let ending = tokio::select! {
                biased;
                input = inputs.next() => this.input(input.unwrap_or(Input::Closed)),
                Some(report) = reports.recv() => this.report(report),
                Some(msg) = messages.recv() => {
                    let more = std::iter::from_fn(|| messages.try_recv().ok()).take(BURST).collect::<Vec<_>>();
                    if more.is_empty() {
                        this.take(msg)
                    } else {
                        this.take(Msg::Several(std::iter::once(msg).chain(more).collect()))
                    }
                }
                () = tokio::time::sleep_until(until) => {
                    let now = this.clock.now();
                    let mut ending = None;
                    if now.since(second) >= Duration::from_secs(1) {
                        second = now;
                        if let Some(meter) = this.performer.meter() {
                            ending = this.take(Msg::Meter(meter));
                        }
                        this.dirty = true;
                    }
                    if this.model.wake_in().is_some_and(|due| due.is_zero()) || this.dirty {
                        // A filter that is still looking through the lines may have found more.
                        this.dirty |= this.model.logs.is_scanning();
                        ending = ending.or(this.take(Msg::Tick));
                    }
                    ending
                }
            };
            if let Some(ending) = ending {
                return ending;
            }
            if this.dirty && if this.by_hand { keyed_at } else { drawn_at }.elapsed() >= FRAME {
                let by_hand = this.by_hand;
                this.draw();
                drawn_at = tokio::time::Instant::now();
                if by_hand {
                    keyed_at = drawn_at;
                }
            }
        }
    }

    /// Takes a message in and performs what follows.
    fn take(&mut self, msg: Msg) -> Option<Ending> {
        let quiet = matches!(msg, Msg::Presented(..) | Msg::Tick | Msg::Meter(_));
        let subject = self.model.subject.clone();
        let effects = update(&mut self.model, self.clock.now(), msg);
        if !quiet || self.model.subject != subject {
            self.dirty = true;
        }
        for effect in effects {
            if let Some(ending) = self.perform(effect) {
                return Some(ending);
            }
        }
        None
    }

    fn perform(&mut self, effect: Effect) -> Option<Ending> {
        match effect {
            Effect::Query { token, query, class } => self.performer.ask(token, query, class),
            Effect::Cancel(token) => self.performer.cancel(token),
            Effect::FindRegions => self.performer.find_regions(),
            Effect::Copy(text) => self.screen.send(osc52(&text, self.multiplexer)),
            Effect::Bell => self.screen.send(b"\x07".to_vec()),
            Effect::Title(title) => self.screen.send(osc2(&title)),
            Effect::Look { operation, query, at } => {
                let wait = at.since(self.clock.now());
                self.performer.look(operation, query, wait, &self.clock);
            }
            Effect::Record { operation, name, caller, event } => {
                self.performer.write(self.clock.now().wall, name, caller, event, Some(operation));
            }
            Effect::Note { operation, caller, event } => {
                self.performer.write(self.clock.now().wall, operation, caller, event, None);
            }
            Effect::Mutate { operation, permit, value } => self.performer.change(operation, permit, value),
            Effect::ReadJournal => self.performer.read_journal(),
            Effect::Suspend => self.suspend(),
            Effect::Redraw => {
                self.screen.forget();
                self.dirty = true;
            }
            Effect::Quit => return Some(Ending::Quit),
        }
        None
    }

    fn suspend(&mut self) {
        self.screen.leave();
        signal::stop();
        self.screen.enter();
        self.dirty = true;
    }

    fn input(&mut self, input: Input) -> Option<Ending> {
        match input {
            Input::Key(key) => {
                self.by_hand = true;
                self.take(Msg::Key(key))
            }
            Input::Paste(text) => self.take(Msg::Paste(text)),
            Input::Resize(size) if size == self.model.size => None,
            Input::Resize(size) => {
                self.screen.forget();
                self.take(Msg::Resize(size))
            }
            Input::Mouse { x, y, kind } => {
                let target = self.written.hit(x, y)?.clone();
                let pointing = self.pointing(kind, &target);
                self.take(Msg::Pointed(target, pointing))
            }
            Input::Signal(Caught::Terminate(number)) => Some(Ending::Signal(number)),
            Input::Signal(Caught::HangUp) => Some(Ending::Lost),
            Input::Signal(Caught::Suspend) => {
                self.suspend();
                None
            }
            // A size that cannot be read leaves what is there; the next frame is drawn whole.
            Input::Signal(Caught::Continue | Caught::Resized) => self.take(Msg::Resumed),
            #[cfg(debug_assertions)]
            #[expect(clippy::panic, reason = "a test asked for it by a signal")]
            Input::Signal(Caught::Panic) => panic!("asked for by SIGUSR2"),
            Input::Closed => Some(Ending::Lost),
        }
    }

    fn pointing(&mut self, kind: Mouse, target: &Target) -> Pointing {
        match kind {
            Mouse::WheelUp => Pointing::WheelUp,
            Mouse::WheelDown => Pointing::WheelDown,
            Mouse::Click => {
                let now = self.clock.now();
                let twice = self
                    .last_click
                    .as_ref()
                    .is_some_and(|(at, before)| now.since(*at) <= DOUBLE_CLICK && before == target);
                self.last_click = (!twice).then(|| (now, target.clone()));
                if twice { Pointing::DoubleClick } else { Pointing::Click }
            }
        }
    }

    fn report(&mut self, report: Report) -> Option<Ending> {
        let Report::Written(number) = report else { return Some(Ending::Lost) };
        while let Some((presented, _)) = self.presented.front() {
            if *presented > number {
                break;
            }
            if let Some((_, drawn)) = self.presented.pop_front() {
                self.written = drawn;
            }
        }
        let (extents, tops) = (self.written.scrolls.clone(), self.written.tops.clone());
        self.take(Msg::Presented(extents, Box::new(tops)))
    }

    fn draw(&mut self) {
        self.dirty = false;
        self.by_hand = false;
        let mut drawn = view(&self.model, &self.model.theme, self.model.size);
        self.frames += 1;
        let buffer = std::mem::take(&mut drawn.buffer);
        self.screen.present(Frame { number: self.frames, buffer, cursor: drawn.cursor });
        self.presented.push_back((self.frames, drawn));
    }
}

impl Drawn {
    /// What stands at a cell: the topmost, which was drawn last.
    fn hit(&self, x: u16, y: u16) -> Option<&Target> {
        self.hits
            .iter()
            .rev()
            .find(|(area, _): &&(Rect, Target)| area.contains(x, y))
            .map(|(_, target)| target)
    }
}

/// The clipboard sequence, wrapped for a multiplexer that would otherwise keep it.
/// Sets the title. What came from outside is scrubbed: an escape in it would end the sequence.
fn osc2(title: &str) -> Vec<u8> {
    format!("\x1b]2;{}\x07", crate::stdx::text::scrub(title)).into_bytes()
}

fn osc52(text: &str, multiplexer: Multiplexer) -> Vec<u8> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    let plain = format!("\x1b]52;c;{encoded}\x07");
    match multiplexer {
        Multiplexer::None => plain.into_bytes(),
        Multiplexer::Tmux => format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b")).into_bytes(),
        Multiplexer::Screen => {
            // GNU screen takes at most 768 bytes a string.
            let mut out = Vec::new();
            for chunk in plain.as_bytes().chunks(512) {
                out.extend_from_slice(b"\x1bP");
                out.extend_from_slice(chunk);
                out.extend_from_slice(b"\x1b\\");
            }
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clipboard_sequence_is_wrapped_for_multiplexers() {
        assert_eq!(osc52("hi", Multiplexer::None), b"\x1b]52;c;aGk=\x07");
        assert_eq!(osc52("hi", Multiplexer::Tmux), b"\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\");
        assert!(osc52(&"x".repeat(2_000), Multiplexer::Screen).chunks(1).count() > 2_000);
    }
}
