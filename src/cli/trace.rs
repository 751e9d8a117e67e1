//! `--trace FILE`: a diagnostic trace, for whoever mends opsdeck.
//!
//! Must never go to the screen, and holds neither bodies nor key material: the SDK's own events are capped at
//! *info*, where it names operations and not contents.

use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use crate::cli::exit::{Exit, Problem};
use crate::cli::parser::Request;
use crate::runtime::files;

/// What is traced.
const FILTER: &str = "warn,opsdeck=debug,aws_config=info,aws_runtime=info,aws_sdk_ecs=info,\
                      aws_sdk_cloudwatchlogs=info,aws_sdk_sts=info,aws_smithy_runtime=info";

/// Begins the trace that the request asks for, if it does. An existing file is continued.
///
/// # Errors
/// When the file cannot be written.
pub fn begin(request: &Request) -> Result<(), Problem> {
    let Some(path) = request.path("trace") else { return Ok(()) };
    let file = files::append_private(&path)
        .map_err(|error| Problem::usage(format!("cannot write the trace {}: {error}", path.display())))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(FILTER))
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .finish();
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|error| Problem::new(Exit::Other, format!("cannot begin the trace: {error}")))?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), verb = request.id.name(), "opsdeck begins");
    Ok(())
}
