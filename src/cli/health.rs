//! How a judgement is written: the sign and the tone of a severity.
//!
//! Must not judge; `diagnose` does.

use crate::cli::printer::Printer;
use crate::cli::table::{Cell, Tone};
use crate::diagnose::Severity;

/// The cell that starts a row: sign and word, so that colour is never needed.
#[must_use]
pub fn cell(severity: Severity, printer: &Printer) -> Cell {
    let (sign, plain, tone) = match severity {
        Severity::Critical => ("✖", "X", Tone::Bad),
        Severity::Warning => ("▲", "!", Tone::Notice),
        Severity::Progress => ("◐", "~", Tone::Notice),
        Severity::Unknown => ("?", "?", Tone::Quiet),
        Severity::Notice => ("•", "i", Tone::Quiet),
        Severity::Ok => ("✔", "+", Tone::Good),
        Severity::Idle => ("○", "-", Tone::Quiet),
    };
    let sign = if printer.unicode { sign } else { plain };
    Cell::new(format!("{sign} {}", severity.word())).tone(tone)
}
