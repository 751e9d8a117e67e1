//! Events of instances and clusters.
//!
//! Must not change anything.

use std::time::Duration;

use super::PAGE;
use crate::sim::query::{Fields, Xml, combination, invalid};
use crate::sim::reply::ApiError;
use crate::sim::world::World;
use crate::sim::world::database::Event;
use crate::stdx::clock::Wall;

/// What RDS may be asked about; the simulator has events of the first two.
const KINDS: [&str; 11] = [
    "db-instance",
    "db-cluster",
    "db-parameter-group",
    "db-security-group",
    "db-snapshot",
    "db-cluster-snapshot",
    "custom-engine-version",
    "db-proxy",
    "blue-green-deployment",
    "db-shard-group",
    "zero-etl",
];

/// RDS and ElastiCache read the same members: the span that a request for events asks for.
pub(in crate::sim) fn asked_for(fields: &Fields, now: Wall) -> Result<(Wall, Wall), ApiError> {
    let end = fields.time("EndTime")?.unwrap_or(now);
    let duration = fields.number("Duration")?;
    if duration.is_some_and(|minutes| !(1..=20_160).contains(&minutes)) {
        return Err(invalid("Duration must be between 1 and 20160 minutes"));
    }
    let start = match (fields.time("StartTime")?, duration) {
        (Some(start), _) => start,
        (None, minutes) => {
            let minutes = minutes.and_then(|minutes| u64::try_from(minutes).ok()).unwrap_or(60);
            end.minus(Duration::from_secs(60 * minutes))
        }
    };
    if start > end {
        return Err(combination("The end time must be later than the start time"));
    }
    Ok((start, end))
}

pub(super) fn describe(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let kind = fields.text("SourceType");
    if let Some(kind) = kind.filter(|kind| !KINDS.contains(kind)) {
        return Err(invalid(format!("Invalid source type: {kind}")));
    }
    let source = fields.text("SourceIdentifier");
    if source.is_some() && kind.is_none() {
        return Err(combination("Source type must be specified when a source identifier is given"));
    }
    let (start, end) = asked_for(fields, world.now)?;
    let categories = fields.list("EventCategories", "EventCategory");
    let mut all: Vec<(&str, String, String, Event)> = Vec::new();
    for found in world.databases.iter().filter(|found| *found.region == *region) {
        for event in found.history(world.seed, world.now) {
            all.push(("db-instance", found.name().to_owned(), found.arn(), event));
        }
    }
    for found in world.database_clusters.iter().filter(|found| *found.region == *region) {
        for event in found.events.iter().filter(|event| event.at <= world.now) {
            all.push(("db-cluster", found.name().to_owned(), found.arn(), event.clone()));
        }
    }
    all.retain(|(own, id, _, event)| {
        kind.is_none_or(|kind| kind == *own)
            && source.is_none_or(|source| source.eq_ignore_ascii_case(id))
            && (start..=end).contains(&event.at)
            && (categories.is_empty() || event.categories.iter().any(|own| categories.contains(own)))
    });
    all.sort_by_key(|(_, id, _, event)| (event.at, id.clone()));
    let key =
        |(_, id, _, event): &(&str, String, String, Event)| format!("{}{id}{}", event.at.0, event.message);
    let (page, marker) = fields.page(all, key, PAGE)?;
    let mut xml = Xml::default();
    xml.list("Events", "Event", page, |xml, (kind, id, arn, event)| {
        xml.text("SourceIdentifier", id);
        xml.text("SourceType", kind);
        xml.text("Message", event.message);
        xml.texts("EventCategories", "EventCategory", event.categories);
        xml.time("Date", event.at);
        xml.text("SourceArn", arn);
    });
    xml.maybe("Marker", marker);
    Ok(xml.finish())
}
