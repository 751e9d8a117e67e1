//! Opens the console on a real terminal: takes it, runs the loop, gives it back.
//!
//! Must put the first frame on the screen before it waits for anything.

use std::future::Future;
use std::io::IsTerminal;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::mpsc::unbounded_channel;

use crate::app::{Model, Session, Start};
use crate::cloud::Cloud;
use crate::config::Config;
use crate::domain::fault::Fault;
use crate::domain::scope::Account;
use crate::keymap::Keymap;
use crate::runtime::event_loop::{self, Ending, Multiplexer, Parts};
use crate::runtime::journal::Clerk;
use crate::runtime::perform::Performer;
use crate::runtime::screen::TerminalScreen;
use crate::runtime::{input, terminal};
use crate::stdx::clock::Clock;
use crate::stdx::rect::Size;
use crate::theme::Theme;

/// What a console is opened with.
pub struct Opening {
    /// What is fixed for the session.
    pub session: Session,
    /// The credential contexts whose default regions are watched when the session names no scope.
    pub accounts: Vec<Account>,
    /// The configuration.
    pub config: Arc<Config>,
    /// Keys.
    pub keymap: Arc<Keymap>,
    /// Colours, degraded to what the terminal can show.
    pub theme: Arc<Theme>,
    /// The clock.
    pub clock: Clock,
    /// Who writes the journal.
    pub clerk: Clerk,
    /// What stands between us and the terminal.
    pub multiplexer: Multiplexer,
}

/// Why the console could not open.
#[derive(Debug, thiserror::Error)]
pub enum CannotOpen {
    /// Standard output or input is not a terminal.
    #[error("the console needs a terminal, and there is none on standard input and output")]
    NoTerminal,
    /// The terminal refused.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] std::io::Error),
}

/// Runs the console until somebody leaves. `connect` is begun after the first frame is on its way.
///
/// # Errors
/// When there is no terminal or it cannot be taken.
pub async fn open<C>(opening: Opening, connect: C) -> Result<Ending, CannotOpen>
where
    C: Future<Output = Result<Cloud, Fault>> + Send + 'static,
{
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(CannotOpen::NoTerminal);
    }
    let (width, height) = crossterm::terminal::size()?;
    terminal::install_panic_hook();
    let (report, reports) = unbounded_channel();
    let screen = TerminalScreen::open(opening.config.ui.mouse, move |r| {
        let _ = report.send(r);
    })?;
    let (message, messages) = unbounded_channel();
    let performer =
        Performer::new(connect.boxed().shared(), opening.accounts, message).with_clerk(opening.clerk);
    let model = Model::new(Start {
        session: opening.session,
        config: opening.config,
        keymap: opening.keymap,
        theme: opening.theme,
        size: Size { width, height },
        now: opening.clock.now(),
        zone: jiff::tz::TimeZone::system(),
    });
    let parts = Parts {
        model,
        clock: opening.clock,
        screen,
        inputs: input::stream(),
        performer,
        messages,
        reports,
        multiplexer: opening.multiplexer,
    };
    let ending = event_loop::run(parts).await;
    terminal::restore();
    Ok(ending)
}
