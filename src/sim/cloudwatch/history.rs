//! What happened to alarms.
//!
//! Must not tell what is not in the world's records.

use super::page;
use super::wire::{Datum, build};
use crate::sim::reply::ApiError;
use crate::sim::world::World;
use crate::sim::world::alarm::Item;

pub fn describe(world: &mut World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let size = page::size(input, "MaxRecords", 100, 100)?;
    let from_token = page::offset(input)?;
    let (name, kind) = (input.text("AlarmName")?, input.text("HistoryItemType")?);
    let (start, end) = (input.time("StartDate")?, input.time("EndDate")?);
    let ascending = input.text("ScanBy")? == Some("TimestampAscending");
    let mut types = input.texts("AlarmTypes")?;
    if types.is_empty() {
        types.push("MetricAlarm".to_owned());
    }
    let history: &[Item] = world.alarms(region).map_or(&[], |alarms| &alarms.history);
    let matches = |item: &Item| {
        types.iter().any(|word| word == item.type_word)
            && name.is_none_or(|name| item.name == name)
            && kind.is_none_or(|kind| item.kind == kind)
            && start.is_none_or(|start| item.at >= start)
            && end.is_none_or(|end| item.at <= end)
    };
    // A token is a place counted from the oldest entry, so that new entries move no page.
    let places: Box<dyn Iterator<Item = usize>> = if ascending {
        Box::new(from_token.unwrap_or(0)..history.len())
    } else {
        Box::new((0..from_token.unwrap_or(history.len()).min(history.len())).rev())
    };
    let (mut items, mut more) = (Vec::new(), None);
    for place in places {
        let Some(item) = history.get(place).filter(|item| matches(item)) else { continue };
        if items.len() == size {
            more = Some(page::make(&if ascending { place } else { place + 1 }.to_string()));
            break;
        }
        items.push(
            build()
                .with("AlarmName", item.name.as_str())
                .with("AlarmType", item.type_word)
                .with("Timestamp", item.at)
                .with("HistoryItemType", item.kind)
                .with("HistorySummary", item.summary.as_str())
                .with("HistoryData", item.data.as_str())
                .done(),
        );
    }
    Ok(build().with("AlarmHistoryItems", Datum::List(items)).maybe("NextToken", more).done())
}
