//! Alarm mute rules: put up, taken down, shown.
//!
//! Must not mute; the world does when an alarm changes its state.

use jiff::tz::TimeZone;

use super::wire::{Datum, build, missing};
use super::{page, query};
use crate::sim::reply::ApiError;
use crate::sim::world::World;
use crate::sim::world::alarm::mute::{Mute, Schedule, duration};

/// A region has so many rules at most.
const MOST: usize = 500;

pub fn put(world: &mut World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let name = input.must("Name")?;
    if name.len() > 255 {
        return Err(query::invalid("Name must have 1 to 255 characters"));
    }
    let schedule = input.get("Rule").and_then(|rule| rule.get("Schedule")).ok_or_else(|| missing("Rule"))?;
    let (expression, length) = (schedule.must("Expression")?, schedule.must("Duration")?);
    let timezone = schedule.text("Timezone")?;
    let zone = TimeZone::get(timezone.unwrap_or("UTC"))
        .map_err(|_| query::invalid(format!("{} is not a valid time zone", timezone.unwrap_or_default())))?;
    let targets = match input.get("MuteTargets") {
        Some(targets) => targets.texts("AlarmNames")?,
        None => Vec::new(),
    };
    if targets.len() > 100 {
        return Err(query::invalid("A mute rule can target up to 100 alarms"));
    }
    let (start, expires) = (input.time("StartDate")?, input.time("ExpireDate")?);
    if expires.is_some_and(|expires| expires <= start.unwrap_or(world.now)) {
        return Err(query::invalid("ExpireDate must be after StartDate and in the future"));
    }
    let rule = Mute {
        name: name.to_owned(),
        description: input.text("Description")?.map(str::to_owned),
        schedule: Schedule::parse(expression)
            .ok_or_else(|| query::invalid(format!("The schedule expression {expression} is not valid")))?,
        span: duration(length).ok_or_else(|| {
            query::invalid(format!("The duration {length} is not an ISO 8601 duration from PT1M to P15D"))
        })?,
        expression: expression.to_owned(),
        duration: length.to_owned(),
        timezone: timezone.map(str::to_owned),
        zone,
        start,
        expires,
        updated_at: world.now,
        targets,
    };
    let alarms = world.alarms(region);
    if let Some(unknown) = rule
        .targets
        .iter()
        .find(|target| !alarms.as_ref().is_some_and(|alarms| alarms.by_name.contains_key(*target)))
    {
        return Err(query::invalid(format!("The alarm {unknown} does not exist")));
    }
    if alarms.is_some_and(|alarms| alarms.mutes.len() >= MOST && !alarms.mutes.contains_key(name)) {
        return Err(ApiError::new(
            400,
            "LimitExceeded",
            "The maximum number of alarm mute rules is reached.",
        ));
    }
    world.put_mute(region, rule);
    Ok(build().done())
}

/// A rule that does not exist is deleted as well as any.
pub fn delete(world: &mut World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let name = input.must("AlarmMuteRuleName")?;
    world.delete_mute(region, name);
    Ok(build().done())
}

pub fn get(world: &mut World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let name = input.must("AlarmMuteRuleName")?;
    let now = world.now;
    let rule = world.alarms(region).and_then(|alarms| alarms.mutes.get(name)).ok_or_else(|| {
        ApiError::new(404, "ResourceNotFoundException", format!("Alarm mute rule {name} does not exist"))
    })?;
    let schedule = build()
        .with("Expression", rule.expression.as_str())
        .with("Duration", rule.duration.as_str())
        .maybe("Timezone", rule.timezone.as_deref())
        .done();
    let targets = build().with("AlarmNames", rule.targets.clone()).done();
    Ok(build()
        .with("Name", rule.name.as_str())
        .with("AlarmMuteRuleArn", rule.arn(region))
        .maybe("Description", rule.description.as_deref())
        .with("Rule", build().with("Schedule", schedule).done())
        .with("MuteTargets", targets)
        .maybe("StartDate", rule.start)
        .maybe("ExpireDate", rule.expires)
        .with("Status", rule.status(now))
        .with("LastUpdatedTimestamp", rule.updated_at)
        .with("MuteType", rule.type_word())
        .done())
}

pub fn list(world: &mut World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let size = page::size(input, "MaxRecords", 50, 100)?;
    let after = page::token(input)?;
    let (alarm, statuses) = (input.text("AlarmName")?, input.texts("Statuses")?);
    let now = world.now;
    let rules = world.alarms(region).map(|alarms| alarms.mutes.values().cloned().collect::<Vec<_>>());
    let mut found = rules.unwrap_or_default();
    found.retain(|rule| {
        alarm.is_none_or(|alarm| rule.targets.iter().any(|target| target == alarm))
            && (statuses.is_empty() || statuses.iter().any(|status| status == rule.status(now)))
            && after.as_ref().is_none_or(|after| rule.name > *after)
    });
    let more = (found.len() > size).then(|| found.get(size - 1)).flatten().map(|last| page::make(&last.name));
    let written = found.iter().take(size).map(|rule| {
        build()
            .with("AlarmMuteRuleArn", rule.arn(region))
            .maybe("ExpireDate", rule.expires)
            .with("Status", rule.status(now))
            .with("MuteType", rule.type_word())
            .with("LastUpdatedTimestamp", rule.updated_at)
            .done()
    });
    Ok(build().with("AlarmMuteRuleSummaries", Datum::List(written.collect())).maybe("NextToken", more).done())
}
