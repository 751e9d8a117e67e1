//! Signals as a stream.
//!
//! Must not act on them: the loop does.

use futures_util::Stream;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A signal that the console answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// SIGTERM or SIGINT from outside: leave in order. Holds the signal's number.
    Terminate(i32),
    /// SIGHUP: the terminal is gone.
    HangUp,
    /// SIGTSTP from outside.
    Suspend,
    /// SIGCONT: in the foreground again, perhaps with another terminal state.
    Continue,
    /// SIGWINCH: the terminal has another size.
    Resized,
    /// SIGUSR2, in debug builds only: panic on the loop's thread, so that a test sees what a panic leaves
    /// behind.
    #[cfg(debug_assertions)]
    Panic,
}

/// Signals from now on. Those that cannot be caught here are left out.
pub fn stream() -> impl Stream<Item = Caught> + Unpin {
    let kinds = [
        (SignalKind::terminate(), Caught::Terminate(15)),
        (SignalKind::interrupt(), Caught::Terminate(2)),
        (SignalKind::hangup(), Caught::HangUp),
        (SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()), Caught::Suspend),
        (SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()), Caught::Continue),
        (SignalKind::window_change(), Caught::Resized),
        #[cfg(debug_assertions)]
        (SignalKind::user_defined2(), Caught::Panic),
    ];
    let streams = kinds.into_iter().filter_map(|(kind, caught)| {
        let signal: Signal = signal(kind).ok()?;
        Some(Box::pin(futures_util::stream::unfold(signal, move |mut signal| async move {
            signal.recv().await?;
            Some((caught, signal))
        })))
    });
    futures_util::stream::select_all(streams)
}

/// Stops this process until the shell continues it. SIGSTOP rather than SIGTSTP: the latter is caught above.
pub fn stop() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
}
