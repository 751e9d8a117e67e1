//! A console in a pseudo-terminal, read by a thread that stamps each arrival.
//!
//! Must not let its own emulation of the terminal count: times are those of the arrivals.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::{Outcome, process};

/// The size of everything measured here.
const SIZE: (u16, u16) = (120, 40);

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(180);

/// The end of each frame.
pub const FRAME_END: &[u8] = b"\x1b[?2026l";

/// A console under way.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    output: Receiver<(Instant, Vec<u8>)>,
    screen: vt100::Parser,
    /// Everything that was read so far.
    pub raw: Vec<u8>,
    /// When the process was started.
    pub started: Instant,
    _master: Box<dyn MasterPty + Send>,
    _home: tempfile::TempDir,
}

impl Terminal {
    /// Starts the console with a fresh home and nothing in its environment but what is given.
    pub fn open(arguments: &[&str], environment: &[(String, String)]) -> Outcome<Self> {
        Self::start(tempfile::tempdir()?, arguments, environment)
    }

    /// The same with a configuration file.
    pub fn configured(config: &str, arguments: &[&str], environment: &[(String, String)]) -> Outcome<Self> {
        let home = tempfile::tempdir()?;
        let folder = home.path().join(".config/opsdeck");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("config.toml"), config)?;
        Self::start(home, arguments, environment)
    }

    fn start(home: tempfile::TempDir, arguments: &[&str], environment: &[(String, String)]) -> Outcome<Self> {
        let (cols, rows) = SIZE;
        let pair = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 })?;
        let mut command = CommandBuilder::new(process::binary());
        command.args(arguments);
        command.env_clear();
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for (name, value) in environment {
            command.env(name, value);
        }
        let mut reader = pair.master.try_clone_reader()?;
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 20];
            while let Ok(count) = reader.read(&mut buffer) {
                if count == 0 || send.send((Instant::now(), buffer[..count].to_vec())).is_err() {
                    break;
                }
            }
        });
        let started = Instant::now();
        let child = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        let cells = |count: u16| NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN);
        Ok(Self {
            child,
            writer: pair.master.take_writer()?,
            output,
            screen: vt100::Parser::new(cells(rows), cells(cols), 0),
            raw: Vec::new(),
            started,
            _master: pair.master,
            _home: home,
        })
    }

    /// The process.
    pub fn pid(&self) -> Outcome<u32> {
        self.child.process_id().ok_or_else(|| "the console has ended".into())
    }

    /// Types.
    pub fn press(&mut self, keys: &str) -> Outcome<Instant> {
        let at = Instant::now();
        self.writer.write_all(keys.as_bytes())?;
        self.writer.flush()?;
        Ok(at)
    }

    /// The lines of the screen.
    pub fn lines(&self) -> Vec<String> {
        self.screen.screen().rows(0, SIZE.0).collect()
    }

    /// Takes in what comes until the screen is as wanted; gives when the frame that made it so was whole.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&[String]) -> bool) -> Outcome<Instant> {
        self.until_or(what, Instant::now() + PATIENCE, wanted)?.ok_or_else(|| {
            format!("the screen never showed {what}; it shows\n{}", self.lines().join("\n")).into()
        })
    }

    /// The same, or nothing when it is not so by then.
    pub fn until_or(
        &mut self,
        what: &str,
        late: Instant,
        wanted: impl Fn(&[String]) -> bool,
    ) -> Outcome<Option<Instant>> {
        let mut at = Instant::now();
        loop {
            if self.raw.ends_with(FRAME_END) && wanted(&self.lines()) {
                return Ok(Some(at));
            }
            match self.output.recv_timeout(late.saturating_duration_since(Instant::now())) {
                Ok((arrived, bytes)) => {
                    self.take(&bytes);
                    at = arrived;
                }
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("the console ended before it showed {what}").into());
                }
            }
        }
    }

    /// Takes in what comes until a frame is whole; gives when its last byte arrived.
    pub fn first_frame(&mut self) -> Outcome<Instant> {
        loop {
            let (at, bytes) = self.output.recv_timeout(PATIENCE)?;
            self.take(&bytes);
            if self.raw.windows(FRAME_END.len()).any(|w| w == FRAME_END) {
                return Ok(at);
            }
        }
    }

    /// Takes in what comes for a while.
    pub fn watch(&mut self, span: Duration) {
        let end = Instant::now() + span;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if let Ok((_, bytes)) = self.output.recv_timeout(left) {
                self.take(&bytes);
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        self.raw.extend_from_slice(bytes);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
