//! The page: fixed prose around a table of what was measured, with date, commit and machine.
//!
//! Must not hold a figure: those come from the measurements.

use crate::process;

/// One measured quantity.
pub struct Row {
    /// What is measured.
    pub what: String,
    /// The goal, in the quantity's unit; none for what stands for information.
    pub goal: Option<f64>,
    /// Unit of goal and samples.
    pub unit: &'static str,
    /// Under which conditions.
    pub conditions: String,
    /// One figure per run.
    pub samples: Vec<f64>,
    /// Beside the figures: counts that must hold too, and what a miss is due to.
    pub note: String,
    /// Whether what the note counts is as it must be.
    pub holds: bool,
}

impl Row {
    /// A row that has only its figures to answer for.
    pub fn new(
        what: &str,
        goal: Option<f64>,
        unit: &'static str,
        conditions: String,
        samples: Vec<f64>,
    ) -> Self {
        Self { what: what.to_owned(), goal, unit, conditions, samples, note: String::new(), holds: true }
    }

    /// With something counted beside the figures.
    pub fn noting(mut self, holds: bool, note: String) -> Self {
        self.holds = holds;
        self.note = note;
        self
    }

    fn print(&self) -> String {
        let middle = median(&self.samples);
        let (least, most) =
            self.samples.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), x| (l.min(*x), m.max(*x)));
        let spread = if self.samples.len() > 1 {
            format!(" ({}–{}, {} runs)", figure(least), figure(most), self.samples.len())
        } else {
            " (1 run)".to_owned()
        };
        let verdict = match self.goal {
            None => "",
            Some(goal) if middle <= goal && self.holds => "met",
            Some(_) => "**missed**",
        };
        let goal = self.goal.map_or_else(String::new, |goal| format!("≤ {} {}", figure(goal), self.unit));
        format!(
            "| {} | {} | {} {}{spread} | {verdict} | {} | {} |\n",
            self.what,
            goal.trim_end(),
            figure(middle),
            self.unit,
            self.note,
            self.conditions
        )
        .replace("  ", " ")
    }
}

/// The middle sample, or the mean of the two in the middle.
pub fn median(samples: &[f64]) -> f64 {
    percentile(samples, 50)
}

/// The sample below which so many percent lie.
pub fn percentile(samples: &[f64], percent: usize) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    if percent == 50 && last % 2 == 1 {
        return f64::midpoint(sorted[last / 2], sorted[last / 2 + 1]);
    }
    sorted[(sorted.len() * percent).div_ceil(100).saturating_sub(1).min(last)]
}

fn figure(value: f64) -> String {
    match value {
        v if !v.is_finite() => "?".to_owned(),
        v if v.abs() >= 100.0 => format!("{v:.0}"),
        v if v.abs() >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// The whole page.
pub fn page(rows: &[Row]) -> String {
    let table: String = rows.iter().map(Row::print).collect();
    include_str!("page.md")
        .replace("{when}", &process::today())
        .replace("{commit}", &process::commit())
        .replace("{machine}", &process::machine())
        .replace("{rows}", table.trim_end())
}
