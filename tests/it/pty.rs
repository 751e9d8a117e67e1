//! The binary in a pseudo-terminal: it takes the terminal, leaves it as it was whatever ends it, and survives
//! resizes.
//!
//! Real time: tests wait for text on the screen or for the process's end, never for a while.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Longer than anything here takes, so that a hang is a failure and not a stuck run.
const PATIENCE: Duration = Duration::from_secs(60);

#[expect(clippy::disallowed_methods, reason = "a hang must fail the test; nothing is measured")]
fn deadline() -> std::time::Instant {
    std::time::Instant::now()
}

fn cells(count: u16) -> std::num::NonZeroU16 {
    std::num::NonZeroU16::new(count).unwrap()
}

struct Terminal {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    writer: Box<dyn Write + Send>,
    screen: vt100::Parser,
    raw: Vec<u8>,
    _home: tempfile::TempDir,
}

impl Terminal {
    fn open(arguments: &[&str], rows: u16, cols: u16) -> Self {
        let home = tempfile::tempdir().unwrap();
        let pair =
            native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_opsdeck"));
        command.args(arguments);
        command.env_clear();
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (send, output) = channel();
        #[expect(clippy::disallowed_methods, reason = "a pseudo-terminal is read by blocking")]
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(count) = reader.read(&mut buffer) {
                if count == 0 || send.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let writer = pair.master.take_writer().unwrap();
        let screen = vt100::Parser::new(cells(rows), cells(cols), 0);
        Self { master: pair.master, child, output, writer, screen, raw: Vec::new(), _home: home }
    }

    /// Takes in what comes, until the screen shows a text.
    fn until(&mut self, wanted: &str) {
        self.until_such(&format!("{wanted:?}"), |screen| screen.contains(wanted));
    }

    /// Takes in what comes, until the screen is as wanted. The clock in the header writes every second, so a
    /// hang is told by the deadline and not by silence.
    fn until_such(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        let deadline = deadline();
        while !wanted(&self.screen.screen().contents()) {
            match self.output.recv_timeout(PATIENCE) {
                Ok(bytes) if deadline.elapsed() < PATIENCE => self.take(&bytes),
                _ => panic!("the screen never showed {what}; it shows\n{}", self.screen.screen().contents()),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        self.raw.extend_from_slice(bytes);
    }

    fn resize(&mut self, rows: u16, cols: u16) {
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        self.screen.screen_mut().set_size(cells(rows), cells(cols));
    }

    fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let id = i32::try_from(self.child.process_id().unwrap()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Forgets what was written so far, as if the screen had been cleared.
    fn forget(&mut self) {
        let (rows, cols) = self.screen.screen().size();
        self.screen = vt100::Parser::new(rows, cols, 0);
        self.raw.clear();
    }

    /// Waits until the process is in a state, as `/proc` names it: `T` is stopped.
    fn until_state(&mut self, wanted: char) {
        let path = format!("/proc/{}/stat", self.child.process_id().unwrap());
        let deadline = deadline();
        loop {
            #[expect(
                clippy::disallowed_methods,
                reason = "the state of a process is read where Linux keeps it"
            )]
            let stat = std::fs::read_to_string(&path).unwrap();
            // The name, in brackets, may hold anything.
            let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
            if state == Some(wanted) {
                break;
            }
            assert!(deadline.elapsed() < PATIENCE, "the process never came into state {wanted}: {stat}");
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(20)) {
                self.take(&bytes);
            }
        }
        // What it wrote before it stopped.
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(50)) {
            self.take(&bytes);
        }
    }

    /// Waits for the end and says with which code; takes in all that was still written.
    fn end(&mut self) -> u32 {
        let deadline = deadline();
        while let Ok(bytes) = self.output.recv_timeout(PATIENCE) {
            self.take(&bytes);
            if deadline.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("the console never ended; it shows\n{}", self.screen.screen().contents());
            }
        }
        self.child.wait().unwrap().exit_code()
    }

    /// Whether the last word on each of the terminal's modes gives it back.
    fn is_restored(&self) -> bool {
        let raw = String::from_utf8_lossy(&self.raw);
        let last = |on: &str, off: &str| raw.rfind(off) > raw.rfind(on);
        last("\x1b[?1049h", "\x1b[?1049l")
            && last("\x1b[?25l", "\x1b[?25h")
            && last("\x1b[?2004h", "\x1b[?2004l")
            && last("\x1b[?1000h", "\x1b[?1000l")
    }
}

#[test]
fn the_console_starts_is_resized_and_leaves_the_terminal_as_it_was() {
    let mut terminal = Terminal::open(&["demo"], 40, 120);
    terminal.until("gateway-service");
    terminal.resize(24, 80);
    terminal.press("?");
    terminal.until("Keys that work here");
    terminal.press("\x1b");
    // An Escape that is followed at once by a letter is Alt with that letter.
    terminal.until("enter go there");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.is_restored());
}

#[test]
fn a_termination_signal_gives_the_terminal_back() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::HUP] {
        let mut terminal = Terminal::open(&["demo", "cma"], 24, 80);
        terminal.until("cma-api-production");
        terminal.signal(signal);
        assert_ne!(terminal.end(), 0, "{signal:?}");
        assert!(terminal.is_restored(), "{signal:?}");
    }
}

#[test]
fn a_terminal_that_is_too_small_says_so_and_comes_back() {
    let mut terminal = Terminal::open(&["demo", "cma"], 5, 20);
    terminal.until("needs 40×8");
    terminal.resize(24, 80);
    terminal.until("cma-api-production");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_storm_of_resizes_and_a_huge_paste_are_survived() {
    let mut terminal = Terminal::open(&["demo", "cma"], 24, 80);
    terminal.until("cma-api-production");
    for step in 0..60u16 {
        let (rows, cols) = (5 + step * 7 % 50, 20 + step * 13 % 200);
        terminal.resize(rows, cols);
    }
    terminal.resize(30, 100);
    terminal.press("/");
    let paste = format!("\x1b[200~{}\x1b[201~", "x".repeat(1 << 20));
    terminal.press(&paste);
    terminal.press("\x1b");
    terminal.until("were left out");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.is_restored());
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_coming_back_draws_everything_again() {
    let mut terminal = Terminal::open(&["demo", "cma"], 24, 80);
    terminal.until("cma-api-production");
    for _ in 0..2 {
        terminal.press("\x1a");
        terminal.until_state('T');
        assert!(terminal.is_restored(), "the shell finds its terminal as it was");
        terminal.forget();
        terminal.signal(rustix::process::Signal::CONT);
        terminal.until("cma-api-production");
        terminal.until("enter go there");
    }
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.is_restored());
}

#[test]
fn a_stop_signal_from_outside_does_the_same() {
    let mut terminal = Terminal::open(&["demo", "cma"], 24, 80);
    terminal.until("cma-api-production");
    terminal.signal(rustix::process::Signal::TSTP);
    terminal.until_state('T');
    assert!(terminal.is_restored());
    terminal.forget();
    terminal.signal(rustix::process::Signal::CONT);
    terminal.until("cma-api-production");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "only a debug build panics on request")]
fn a_panic_gives_the_terminal_back_before_it_says_why() {
    let mut terminal = Terminal::open(&["demo", "cma"], 24, 80);
    terminal.until("cma-api-production");
    terminal.signal(rustix::process::Signal::USR2);
    assert_eq!(terminal.end(), 101);
    assert!(terminal.is_restored());
    let raw = String::from_utf8_lossy(&terminal.raw).into_owned();
    let (message, left) = (raw.rfind("asked for by SIGUSR2"), raw.rfind("\x1b[?1049l"));
    assert!(message.is_some() && message > left, "the message stands on the shell's screen:\n{raw:?}");
}

#[test]
fn bytes_that_are_no_keys_are_survived() {
    let mut terminal = Terminal::open(&["demo", "cma"], 24, 80);
    terminal.until("cma-api-production");
    let mut dice = fastrand::Rng::with_seed(11);
    for _ in 0..200 {
        let noise: Vec<u8> = (0..40).map(|_| dice.u8(0x80..=0xff)).collect();
        terminal.writer.write_all(&noise).unwrap();
    }
    for broken in [
        &b"\xff\xfe\xc3\x28"[..],
        b"\x1b[999;999;999~",
        b"\x1b[<0;5;5;5M",
        b"\x1b[<65535;65535;65535M",
        b"\x1b[?1;2c",
        b"\x1bO\xff",
    ] {
        terminal.writer.write_all(broken).unwrap();
    }
    terminal.writer.flush().unwrap();
    // F1.
    terminal.press("\x1bOP");
    terminal.until("Keys that work here");
    terminal.press("qq");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.is_restored());
}

#[test]
fn a_terminal_that_is_gone_ends_the_process() {
    let mut terminal = Terminal::open(&["demo", "cma"], 24, 80);
    terminal.until("cma-api-production");
    let Terminal { master, mut child, output, writer, _home, .. } = terminal;
    // The thread that reads ends with the next byte that it cannot hand on, and with it the last handle.
    drop((master, writer, output));
    let (send, ended) = channel();
    #[expect(clippy::disallowed_methods, reason = "a process is waited for by blocking")]
    std::thread::spawn(move || send.send(child.wait().map(|status| status.exit_code())));
    let code = ended.recv_timeout(PATIENCE).expect("the process never ended").unwrap();
    assert_ne!(code, 0);
}
