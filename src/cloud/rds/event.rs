//! Events, maintenance, parameters and log files of RDS, from the SDK's shapes to ours.
//!
//! Must not classify an event: its categories are AWS's.

use aws_sdk_rds::types::{
    DescribeDbLogFilesDetails, Event, Parameter as SdkParameter, ResourcePendingMaintenanceActions,
};

use crate::cloud::shape::{all, wall};
use crate::domain::database::{DataEvent, DbLogFile, Maintenance, Parameter};
use crate::stdx::clock::Wall;

pub(super) fn from_sdk(sdk: Event) -> DataEvent {
    DataEvent {
        source: sdk.source_identifier.unwrap_or_default(),
        source_type: sdk.source_type.map(|t| t.as_str().to_owned()).unwrap_or_default(),
        at: sdk.date.and_then(wall).unwrap_or(Wall(0)),
        message: sdk.message.unwrap_or_default(),
        categories: sdk.event_categories.unwrap_or_default(),
    }
}

/// What waits for one resource.
pub(super) fn maintenance(sdk: ResourcePendingMaintenanceActions) -> Vec<Maintenance> {
    let resource = sdk.resource_identifier.unwrap_or_default();
    all(sdk.pending_maintenance_action_details, |action| Maintenance {
        resource: resource.clone(),
        action: action.action.unwrap_or_default(),
        description: action.description,
        auto_after: action.auto_applied_after_date.and_then(wall),
        forced_at: action.forced_apply_date.and_then(wall),
        current_apply: action.current_apply_date.and_then(wall),
        opted_in: action.opt_in_status,
    })
}

pub(super) fn parameter(sdk: SdkParameter) -> Parameter {
    Parameter {
        name: sdk.parameter_name.unwrap_or_default(),
        value: sdk.parameter_value,
        source: sdk.source,
        apply_type: sdk.apply_type,
    }
}

pub(super) fn log_file(sdk: DescribeDbLogFilesDetails) -> DbLogFile {
    DbLogFile {
        name: sdk.log_file_name.unwrap_or_default(),
        size: sdk.size.and_then(|s| u64::try_from(s).ok()).unwrap_or(0),
        written_at: sdk.last_written.map(Wall),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_rds::types::{PendingMaintenanceAction, SourceType};

    #[test]
    fn every_action_names_its_resource_and_unknown_sources_are_kept() {
        let action = |name: &str| PendingMaintenanceAction::builder().action(name).build();
        let sdk = ResourcePendingMaintenanceActions::builder()
            .resource_identifier("arn:db")
            .pending_maintenance_action_details(action("system-update"))
            .pending_maintenance_action_details(action("paint-it-blue"))
            .build();
        let all = maintenance(sdk);
        assert_eq!(
            all.iter().map(|m| m.action.as_str()).collect::<Vec<_>>(),
            ["system-update", "paint-it-blue"]
        );
        assert!(all.iter().all(|m| m.resource == "arn:db" && m.forced_at.is_none()));
        let event = from_sdk(Event::builder().source_type(SourceType::from("db-moon")).build());
        assert_eq!((event.source_type.as_str(), event.at), ("db-moon", Wall(0)));
        assert_eq!(log_file(DescribeDbLogFilesDetails::builder().size(-1).build()).size, 0);
        assert_eq!(parameter(SdkParameter::builder().build()).value, None);
    }
}
