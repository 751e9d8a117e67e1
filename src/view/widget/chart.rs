//! Numbers over time: a sparkline for a row, a chart with its threshold line for a document.
//!
//! Must show what is missing as missing: a gap is not a zero.

use std::time::Duration;

use crate::stdx::clock::Wall;
use crate::stdx::text;
use crate::theme::{Glyphs, Role};
use crate::view::widget::canvas::{Piece, piece};

/// Columns of the numbers beside a chart.
const AXIS: usize = 9;

/// What a chart shows.
pub struct Plot<'a> {
    /// Instants and numbers, oldest first.
    pub points: &'a [(Wall, f64)],
    /// The end of the time that it covers.
    pub until: Wall,
    /// The length of that time.
    pub span: Duration,
    /// `%`, `B` for bytes, `s`, `ms`, or nothing.
    pub unit: &'a str,
    /// What an alarm compares with.
    pub threshold: Option<f64>,
}

/// A number in few columns, with its unit: bytes in GiB or MiB.
#[must_use]
pub fn number(value: f64, unit: &str) -> String {
    const MIB: f64 = 1_048_576.0;
    if unit == "B" {
        return if value.abs() >= 1_024.0 * MIB {
            format!("{:.1} GiB", value / (1_024.0 * MIB))
        } else {
            format!("{:.0} MiB", value / MIB)
        };
    }
    let digits = if value.abs() >= 100.0 || value.fract().abs() < 0.005 {
        format!("{value:.0}")
    } else if value.abs() >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
    };
    if unit.is_empty() { digits } else { format!("{digits} {unit}") }
}

impl Plot<'_> {
    /// The mean of each column's points, `None` where there are none.
    fn columns(&self, width: usize) -> Vec<Option<f64>> {
        let mut sums = vec![(0.0, 0u32); width];
        let span = i64::try_from(self.span.as_millis()).unwrap_or(i64::MAX).max(1);
        let from = self.until.0.saturating_sub(span);
        let columns = i64::try_from(width).unwrap_or(i64::MAX);
        for (at, value) in self.points {
            let offset = at.0.saturating_sub(from);
            if !(0..span).contains(&offset) || !value.is_finite() {
                continue;
            }
            let column = usize::try_from(offset.saturating_mul(columns) / span).unwrap_or(0);
            if let Some((sum, count)) = sums.get_mut(column) {
                *sum += value;
                *count += 1;
            }
        }
        sums.into_iter().map(|(sum, count)| (count > 0).then(|| sum / f64::from(count))).collect()
    }

    /// From nought, to a hundred for percent, else to the greatest number or the threshold.
    fn top(&self, columns: &[Option<f64>]) -> f64 {
        let greatest = columns.iter().flatten().copied().fold(0.0, f64::max);
        let greatest = greatest.max(self.threshold.unwrap_or(0.0));
        let top = if self.unit == "%" { greatest.max(100.0) } else { greatest * 1.05 };
        if top > 0.0 { top } else { 1.0 }
    }

    /// One line of it, as wide as that.
    #[must_use]
    pub fn sparkline(&self, glyphs: &Glyphs, width: usize) -> String {
        let columns = self.columns(width);
        let top = self.top(&columns);
        // What was seen is never blank: the lowest sign stands for nought.
        let least = 1.0 / f64::from(u32::try_from(glyphs.sparkline.len()).unwrap_or(9).max(2) - 1);
        columns.iter().map(|value| value.map_or(" ", |v| glyphs.spark((v / top).max(least)))).collect()
    }

    /// The chart, as wide and as high as that, with its time below.
    #[must_use]
    pub fn lines(&self, glyphs: &Glyphs, width: usize, height: usize) -> Vec<Vec<Piece>> {
        let height = height.max(2);
        let plot = width.saturating_sub(AXIS + 2).max(8);
        let columns = self.columns(plot);
        let top = self.top(&columns);
        let rows = f64::from(u32::try_from(height).unwrap_or(2));
        let level = |value: f64| value / top * rows;
        let mut lines = Vec::new();
        for row in (0..height).rev() {
            let low = f64::from(u32::try_from(row).unwrap_or(0));
            let line_here = self.threshold.filter(|t| {
                let at = level(*t).min(rows - 0.001);
                at >= low && at < low + 1.0
            });
            let says = match (line_here, row) {
                (Some(threshold), _) => number(threshold, self.unit),
                (None, 0) => number(0.0, self.unit),
                (None, row) if row + 1 == height => number(top, self.unit),
                _ => String::new(),
            };
            let role = if line_here.is_some() { Role::Warn } else { Role::Muted };
            let lead = " ".repeat(AXIS.saturating_sub(text::width(&says)));
            let mut line = vec![
                piece(format!("{lead}{says}"), role),
                piece(format!(" {}", glyphs.vertical), Role::Faint),
            ];
            for value in &columns {
                let fill = value.map(|v| (level(v) - low).clamp(0.0, 1.0)).filter(|fill| *fill > 0.05);
                let over = value.zip(self.threshold).is_some_and(|(v, threshold)| v > threshold);
                match (fill, line_here) {
                    (Some(fill), _) => {
                        let role = if over { Role::GaugeHigh } else { Role::Gauge };
                        line.push(piece(glyphs.spark(fill.max(0.13)), role));
                    }
                    (None, Some(_)) => line.push(piece(glyphs.horizontal, Role::Warn)),
                    (None, None) => line.push(piece(" ", Role::Text)),
                }
            }
            lines.push(joined(line));
        }
        let ago = crate::stdx::span::brief(self.span);
        let room = plot.saturating_sub(text::width(&ago) + 8);
        lines.push(vec![piece(
            format!("{}{ago} ago{}now", " ".repeat(AXIS + 2), " ".repeat(room)),
            Role::Faint,
        )]);
        lines
    }
}

/// Neighbours of one role as one piece. Blanks do not break, so that a document does not wrap the plot.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    for next in pieces {
        let text = next.text.replace(' ', "\u{a0}");
        match out.last_mut() {
            Some(last) if last.role == next.role => last.text.push_str(&text),
            _ => out.push(piece(text, next.role)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Wall = Wall(1_795_183_200_000);

    fn plot(points: &[(Wall, f64)]) -> Plot<'_> {
        Plot { points, until: NOON, span: Duration::from_secs(3_600), unit: "%", threshold: Some(80.0) }
    }

    fn points(numbers: &[f64]) -> Vec<(Wall, f64)> {
        (0u64..)
            .zip(numbers)
            .map(|(n, value)| (NOON.minus(Duration::from_secs(3_600 - n * 360)), *value))
            .collect()
    }

    #[test]
    fn a_gap_is_not_a_nought() {
        let mut numbers = points(&[0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 100.0, 50.0, 0.0, 10.0]);
        numbers.remove(3);
        assert_eq!(plot(&numbers).sparkline(&Glyphs::UNICODE, 10), "▁▂▃ ▆██▄▁▁");
        assert_eq!(plot(&numbers).sparkline(&Glyphs::ASCII, 10), "..- *##=..".replace("..-", ".:-"));
    }

    #[test]
    fn the_threshold_is_a_line_where_there_is_room_and_what_is_above_stands_out() {
        let numbers = points(&[10.0, 20.0, 40.0, 60.0, 90.0, 100.0, 95.0, 50.0, 20.0, 10.0]);
        let lines = plot(&numbers).lines(&Glyphs::ASCII, 30, 5);
        let picture: Vec<String> =
            lines.iter().map(|line| line.iter().map(|p| p.text.as_str()).collect::<String>()).collect();
        assert_eq!(lines.len(), 6);
        assert!(picture[0].starts_with("\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}80\u{a0}%"), "{picture:#?}");
        assert!(picture[0].contains('-'), "{picture:#?}");
        assert!(lines[1].iter().any(|p| p.role == Role::GaugeHigh), "{lines:#?}");
        assert!(picture[5].contains("ago") && picture[5].ends_with("now"));
    }

    #[test]
    fn numbers_are_short_and_have_their_unit() {
        let shown = [(82.04, "%"), (1.5 * 1_073_741_824.0, "B"), (3.0, ""), (0.0123, "s"), (5e7, "B")];
        let shown: Vec<String> = shown.iter().map(|(value, unit)| number(*value, unit)).collect();
        assert_eq!(shown, ["82.0 %", "1.5 GiB", "3", "0.012 s", "48 MiB"]);
    }

    #[test]
    fn nothing_at_all_is_drawn_as_nothing() {
        assert_eq!(plot(&[]).sparkline(&Glyphs::UNICODE, 4), "    ");
        assert_eq!(plot(&[(NOON, f64::NAN)]).lines(&Glyphs::UNICODE, 20, 3).len(), 4);
    }
}
