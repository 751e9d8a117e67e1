//! The diagnostic trace: what opsdeck asked, when, and how it ended, in a file for a bug report.
//!
//! Must not hold key material, bodies, or anything that was typed; other people's crates are capped at info,
//! since the SDK prints requests below that.

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

/// What is written.
const FILTER: &str = "info,opsdeck=trace";

/// Begins to write the trace to a file that only its owner can read.
///
/// # Errors
/// When the file cannot be written, or a trace has begun already.
pub fn begin(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    // The mode above holds for a new file only.
    file.set_permissions(Permissions::from_mode(0o600))?;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(FILTER))
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .try_init()
        .map_err(io::Error::other)
}
