//! Log files of an instance, listed and read in portions.
//!
//! Must not change anything.

use super::named;
use crate::sim::query::{Fields, Xml, invalid};
use crate::sim::reply::ApiError;
use crate::sim::world::World;

/// A portion holds so many lines unless asked for fewer, and never more.
const MOST_LINES: i64 = 10_000;

/// AWS documents no bounds for the records of a page.
const PAGE: (&str, std::ops::RangeInclusive<i64>) = ("MaxRecords", 1..=i64::MAX);

/// And never more than a mebibyte.
const MOST_BYTES: usize = 1 << 20;

pub(super) fn describe(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let index = named(world, region, fields)?;
    let (part, since, least) =
        (fields.text("FilenameContains"), fields.number("FileLastWritten")?, fields.number("FileSize")?);
    let mut files = world.log_files(index);
    files.retain(|file| {
        part.is_none_or(|part| file.name.contains(part))
            && since.is_none_or(|since| file.written.0 >= since)
            && least.is_none_or(|least| i64::try_from(file.size).is_ok_and(|size| size > least))
    });
    let (page, marker) = fields.page(files, |file| file.name.clone(), PAGE)?;
    let mut xml = Xml::default();
    xml.list("DescribeDBLogFiles", "DescribeDBLogFilesDetails", page, |xml, file| {
        xml.text("LogFileName", file.name);
        xml.text("LastWritten", file.written.0);
        xml.text("Size", file.size);
    });
    xml.maybe("Marker", marker);
    Ok(xml.finish())
}

pub(super) fn download(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let index = named(world, region, fields)?;
    let name = fields.need("LogFileName")?;
    let text = world.log_file(index, name).ok_or_else(|| {
        ApiError::new(
            404,
            "DBLogFileNotFoundFault",
            format!("DBLog File: {name}, is not found on the DB instance"),
        )
    })?;
    let lines = fields.number("NumberOfLines")?;
    let most = usize::try_from(lines.unwrap_or(MOST_LINES).clamp(1, MOST_LINES)).unwrap_or(1);
    let begins: Vec<usize> = line_begins(&text);
    let start = match fields.text("Marker") {
        // Without a marker, the end of the file is what one wants to see.
        None => begins.len().saturating_sub(most),
        Some(marker) => {
            let bad = || invalid(format!("Invalid marker: {marker}"));
            let offset: usize =
                marker.rsplit(':').next().and_then(|offset| offset.parse().ok()).ok_or_else(bad)?;
            begins.iter().position(|begin| *begin >= offset).unwrap_or(begins.len())
        }
    };
    let from = begins.get(start).copied().unwrap_or(text.len());
    let within = |end: &usize| end.saturating_sub(from) <= MOST_BYTES;
    let ends = begins.iter().copied().skip(start + 1).chain([text.len()]);
    let end = ends.take(most).take_while(within).last().unwrap_or(from).max(from);
    let mut xml = Xml::default();
    xml.text("LogFileData", text.get(from..end).unwrap_or_default());
    xml.text("Marker", format!("{}:{end}", world.now.0.div_euclid(3_600_000) % 24));
    xml.text("AdditionalDataPending", end < text.len());
    Ok(xml.finish())
}

fn line_begins(text: &str) -> Vec<usize> {
    let ends = text.match_indices('\n').map(|(at, _)| at + 1).filter(|at| *at < text.len());
    if text.is_empty() { Vec::new() } else { [0].into_iter().chain(ends).collect() }
}
