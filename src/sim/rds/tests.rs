use super::*;
use crate::sim::stack::Stack;
use crate::stdx::clock::Wall;
use std::time::Duration;

const NOON: Wall = Wall(1_795_176_000_000);

fn world(name: &str) -> World {
    World::new(vec![Stack::builtin(name).unwrap().unwrap()], 1, NOON)
}

fn ask(world: &mut World, region: &str, operation: &str, body: &str) -> Result<String, ApiError> {
    handle(world, region, operation, &Fields::of(body.as_bytes()))
}

fn code(result: Result<String, ApiError>) -> (u16, String) {
    let error = result.unwrap_err();
    (error.status, error.code)
}

/// The texts of all elements of a name.
fn texts<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let open = format!("<{name}>");
    let rest = xml.split(open.as_str()).skip(1);
    rest.map(|rest| rest.split("</").next().unwrap()).collect()
}

#[test]
fn instances_are_found_by_name_by_filter_and_in_their_region() {
    let mut world = world("cma");
    let all = ask(&mut world, "eu-west-2", "DescribeDBInstances", "").unwrap();
    assert_eq!(texts(&all, "DBInstanceStatus"), ["available", "available"]);
    assert_eq!(texts(&all, "ReadReplicaSourceDBInstanceIdentifier"), ["cma-production"]);
    assert_eq!(texts(&all, "ReadReplicaDBInstanceIdentifier"), ["cma-read-replica-production"]);
    assert_eq!(texts(&all, "BackupRetentionPeriod"), ["30", "0"]);
    assert_eq!(texts(&all, "LatestRestorableTime").len(), 1, "no backups, no point in time");
    let filter = "Filters.Filter.1.Name=db-instance-id&Filters.Filter.1.Values.Value.1=cma-production";
    let one = ask(&mut world, "eu-west-2", "DescribeDBInstances", filter).unwrap();
    assert_eq!(texts(&one, "DBInstanceClass"), ["db.r6g.large"]);
    let odd = "Filters.Filter.1.Name=colour&Filters.Filter.1.Values.Value.1=red";
    assert_eq!(
        code(ask(&mut world, "eu-west-2", "DescribeDBInstances", odd)),
        (400, "InvalidParameterValue".into())
    );
    let nobody = ask(&mut world, "eu-west-2", "DescribeDBInstances", "DBInstanceIdentifier=nobody");
    assert_eq!(code(nobody), (404, "DBInstanceNotFound".into()));
    let elsewhere = ask(&mut world, "us-east-1", "DescribeDBInstances", "").unwrap();
    assert!(texts(&elsewhere, "DBInstanceIdentifier").is_empty());
    let few = ask(&mut world, "eu-west-2", "DescribeDBInstances", "MaxRecords=19");
    assert_eq!(code(few), (400, "InvalidParameterValue".into()));
}

#[test]
fn events_need_a_type_for_their_source_and_look_back_an_hour_unless_told() {
    let mut world = world("cma");
    let default = ask(&mut world, "eu-west-2", "DescribeEvents", "").unwrap();
    assert!(texts(&default, "Message").is_empty(), "{default}");
    let fortnight = "Duration=20160&SourceType=db-instance&SourceIdentifier=cma-production";
    let all = ask(&mut world, "eu-west-2", "DescribeEvents", fortnight).unwrap();
    assert!(texts(&all, "Message").len() >= 26);
    let first =
        ask(&mut world, "eu-west-2", "DescribeEvents", &format!("{fortnight}&MaxRecords=20")).unwrap();
    let marker = texts(&first, "Marker");
    let rest = format!("{fortnight}&MaxRecords=20&Marker={}", marker[0]);
    let rest = ask(&mut world, "eu-west-2", "DescribeEvents", &rest).unwrap();
    assert_eq!(texts(&first, "Message").len() + texts(&rest, "Message").len(), texts(&all, "Message").len());
    let none = ask(
        &mut world,
        "eu-west-2",
        "DescribeEvents",
        &format!("{fortnight}&EventCategories.EventCategory.1=failover"),
    );
    assert!(texts(&none.unwrap(), "Message").is_empty());
    let bare = ask(&mut world, "eu-west-2", "DescribeEvents", "SourceIdentifier=cma-production");
    assert_eq!(code(bare), (400, "InvalidParameterCombination".into()));
    world.reboot_database(0, true);
    world.advance(NOON.plus(Duration::from_secs(300)));
    let now = ask(&mut world, "eu-west-2", "DescribeEvents", "SourceType=db-instance").unwrap();
    assert_eq!(texts(&now, "Message").first(), Some(&"Multi-AZ instance failover started."));
}

#[test]
fn a_reboot_needs_an_available_instance_and_a_failover_a_standby() {
    let mut migrate = world("migrate");
    let forced = "DBInstanceIdentifier=migrate-db&ForceFailover=true";
    let refused = ask(&mut migrate, "us-east-1", "RebootDBInstance", forced);
    assert_eq!(code(refused), (400, "InvalidParameterCombination".into()));
    let plain = "DBInstanceIdentifier=migrate-db";
    let answer = ask(&mut migrate, "us-east-1", "RebootDBInstance", plain).unwrap();
    assert_eq!(texts(&answer, "DBInstanceStatus"), ["rebooting"]);
    let again = ask(&mut migrate, "us-east-1", "RebootDBInstance", plain);
    assert_eq!(code(again), (400, "InvalidDBInstanceState".into()));
    let mut gov = world("gov");
    let answer =
        ask(&mut gov, "us-east-1", "RebootDBInstance", "DBInstanceIdentifier=gov-db&ForceFailover=true");
    assert_eq!(texts(&answer.unwrap(), "DBInstanceStatus"), ["rebooting"]);
}

#[test]
fn storage_grows_by_a_tenth_at_least_and_never_shrinks() {
    let mut world = world("saas");
    let modify = |world: &mut World, size: u32, now: bool| {
        let body = format!("DBInstanceIdentifier=saas-db&AllocatedStorage={size}&ApplyImmediately={now}");
        ask(world, "me-south-1", "ModifyDBInstance", &body)
    };
    for size in [10, 20, 21, 101] {
        assert_eq!(code(modify(&mut world, size, true)).1, "InvalidParameterCombination", "{size}");
    }
    let later = modify(&mut world, 40, false).unwrap();
    assert_eq!(texts(&later, "AllocatedStorage"), ["20", "40"], "the second one is pending");
    world.advance(NOON.plus(Duration::from_secs(3_600)));
    assert_eq!(world.databases[0].allocated(world.now), 20);
    modify(&mut world, 40, true).unwrap();
    world.advance(world.now.plus(Duration::from_secs(300)));
    let grown = ask(&mut world, "me-south-1", "DescribeDBInstances", "").unwrap();
    assert_eq!(texts(&grown, "AllocatedStorage"), ["40"]);
    assert_eq!(texts(&grown, "DBInstanceStatus"), ["storage-optimization"]);
    assert_eq!(code(modify(&mut world, 60, true)).1, "InvalidParameterCombination");
    let other =
        ask(&mut world, "me-south-1", "ModifyDBInstance", "DBInstanceIdentifier=saas-db&MultiAZ=false");
    assert_eq!(code(other).1, "InvalidParameterValue", "not swallowed");
}

#[test]
fn parameters_say_where_their_value_comes_from() {
    let mut world = world("saas");
    let group = "DBParameterGroupName=saas-postgres16";
    let user =
        ask(&mut world, "me-south-1", "DescribeDBParameters", &format!("{group}&Source=user")).unwrap();
    assert_eq!(texts(&user, "ParameterName"), ["log_min_duration_statement", "rds.force_ssl"]);
    assert_eq!(texts(&user, "ParameterValue"), ["750", "1"]);
    let system =
        ask(&mut world, "me-south-1", "DescribeDBParameters", &format!("{group}&Source=system")).unwrap();
    assert!(texts(&system, "ParameterValue").contains(&"LEAST({DBInstanceClassMemory/9531392},5000)"));
    let missing = ask(&mut world, "me-south-1", "DescribeDBParameters", "DBParameterGroupName=none");
    assert_eq!(code(missing), (404, "DBParameterGroupNotFound".into()));
    let groups = ask(&mut world, "me-south-1", "DescribeDBParameterGroups", "").unwrap();
    assert_eq!(texts(&groups, "DBParameterGroupFamily"), ["postgres16"]);
}

#[test]
fn a_log_is_read_from_its_end_and_then_on_from_the_marker() {
    let mut world = world("gov");
    world.advance(NOON.plus(Duration::from_secs(2_400)));
    let files = ask(&mut world, "us-east-1", "DescribeDBLogFiles", "DBInstanceIdentifier=gov-db").unwrap();
    let name = *texts(&files, "LogFileName").last().unwrap();
    let read = |world: &mut World, more: &str| {
        let body = format!("DBInstanceIdentifier=gov-db&LogFileName={name}{more}");
        ask(world, "us-east-1", "DownloadDBLogFilePortion", &body).unwrap()
    };
    let whole = read(&mut world, "&Marker=0");
    let whole = texts(&whole, "LogFileData")[0].to_owned();
    let (mut joined, mut marker) = (String::new(), "0".to_owned());
    loop {
        let part = read(&mut world, &format!("&Marker={marker}&NumberOfLines=3"));
        joined.push_str(texts(&part, "LogFileData")[0]);
        marker = texts(&part, "Marker")[0].to_owned();
        if texts(&part, "AdditionalDataPending") == ["false"] {
            break;
        }
    }
    assert_eq!(joined, whole);
    let tail = read(&mut world, "&NumberOfLines=2");
    assert!(whole.ends_with(texts(&tail, "LogFileData")[0]));
    assert_eq!(texts(&tail, "LogFileData")[0].lines().count(), 2);
    let missing = "DBInstanceIdentifier=gov-db&LogFileName=error/nothing";
    let missing = ask(&mut world, "us-east-1", "DownloadDBLogFilePortion", missing);
    assert_eq!(code(missing), (404, "DBLogFileNotFoundFault".into()));
}

#[test]
fn maintenance_and_certificates_have_dates() {
    let mut world = world("gov");
    let pending = ask(&mut world, "us-east-1", "DescribePendingMaintenanceActions", "").unwrap();
    assert_eq!(texts(&pending, "Action"), ["system-update"]);
    assert_eq!(texts(&pending, "AutoAppliedAfterDate"), ["2026-11-29T12:00:00.000Z"]);
    let missing = "ResourceIdentifier=arn:aws:rds:us-east-1:123456789012:db:nobody";
    let missing = ask(&mut world, "us-east-1", "DescribePendingMaintenanceActions", missing);
    assert_eq!(code(missing), (404, "ResourceNotFoundFault".into()));
    let known = ask(&mut world, "us-east-1", "DescribeCertificates", "").unwrap();
    assert_eq!(texts(&known, "CertificateIdentifier").len(), 3);
    let none = ask(&mut world, "us-east-1", "DescribeCertificates", "CertificateIdentifier=rds-ca-2019");
    assert_eq!(code(none), (404, "CertificateNotFound".into()));
    assert_eq!(code(ask(&mut world, "us-east-1", "DeleteDBInstance", "")), (400, "InvalidAction".into()));
}

#[test]
fn a_cluster_fails_over_to_a_reader_only() {
    let mut world = World::new(vec![Stack::fleet(2, 1).unwrap()], 1, NOON);
    let all = ask(&mut world, "us-east-1", "DescribeDBClusters", "").unwrap();
    assert_eq!(texts(&all, "IsClusterWriter"), ["true", "false"]);
    let missing = ask(&mut world, "us-east-1", "DescribeDBClusters", "DBClusterIdentifier=nobody");
    assert_eq!(code(missing), (404, "DBClusterNotFoundFault".into()));
    let writer = "DBClusterIdentifier=fleet-aurora&TargetDBInstanceIdentifier=fleet-aurora-1";
    let refused = ask(&mut world, "us-east-1", "FailoverDBCluster", writer);
    assert_eq!(code(refused), (400, "InvalidDBInstanceState".into()));
    let begun =
        ask(&mut world, "us-east-1", "FailoverDBCluster", "DBClusterIdentifier=fleet-aurora").unwrap();
    assert_eq!(texts(&begun, "Status").first(), Some(&"failing-over"));
    let again = ask(&mut world, "us-east-1", "FailoverDBCluster", "DBClusterIdentifier=fleet-aurora");
    assert_eq!(code(again), (400, "InvalidDBClusterStateFault".into()));
    world.advance(NOON.plus(Duration::from_secs(60)));
    let after = ask(&mut world, "us-east-1", "DescribeDBClusters", "").unwrap();
    assert_eq!(texts(&after, "IsClusterWriter"), ["false", "true"]);
    let told = ask(&mut world, "us-east-1", "DescribeEvents", "SourceType=db-cluster").unwrap();
    assert_eq!(texts(&told, "Message").len(), 2);
}

#[test]
fn a_snapshot_is_made_while_the_instance_backs_up() {
    let mut world = world("gov");
    let usual = ask(&mut world, "us-east-1", "DescribeDBSnapshots", "DBInstanceIdentifier=gov-db").unwrap();
    assert!(texts(&usual, "SnapshotType").iter().all(|kind| *kind == "automated"));
    assert!(texts(&usual, "DBSnapshotIdentifier")[0].starts_with("rds:gov-db-2026-"), "{usual}");
    let create =
        "DBSnapshotIdentifier=Before-Drill&DBInstanceIdentifier=gov-db&Tags.Tag.1.Key=a&Tags.Tag.1.Value=b";
    let made = ask(&mut world, "us-east-1", "CreateDBSnapshot", create).unwrap();
    assert_eq!((texts(&made, "Status"), texts(&made, "PercentProgress")), (vec!["creating"], vec!["0"]));
    assert_eq!(texts(&made, "DBSnapshotIdentifier"), ["before-drill"]);
    let status = |world: &mut World| {
        let found = ask(world, "us-east-1", "DescribeDBInstances", "DBInstanceIdentifier=gov-db").unwrap();
        texts(&found, "DBInstanceStatus")[0].to_owned()
    };
    assert_eq!(status(&mut world), "backing-up");
    assert_eq!(
        code(ask(&mut world, "us-east-1", "CreateDBSnapshot", create)),
        (400, "DBSnapshotAlreadyExists".into())
    );
    let other = "DBSnapshotIdentifier=other&DBInstanceIdentifier=gov-db";
    assert_eq!(
        code(ask(&mut world, "us-east-1", "CreateDBSnapshot", other)),
        (400, "InvalidDBInstanceState".into())
    );
    let reboot = ask(&mut world, "us-east-1", "RebootDBInstance", "DBInstanceIdentifier=gov-db");
    assert_eq!(code(reboot), (400, "InvalidDBInstanceState".into()));
    world.advance(NOON.plus(Duration::from_secs(400)));
    assert_eq!(status(&mut world), "available");
    let manual = ask(&mut world, "us-east-1", "DescribeDBSnapshots", "SnapshotType=manual").unwrap();
    assert_eq!(
        (texts(&manual, "Status"), texts(&manual, "PercentProgress")),
        (vec!["available"], vec!["100"])
    );
    assert_eq!(texts(&manual, "Value"), ["b"]);
    let events = ask(&mut world, "us-east-1", "DescribeEvents", "SourceType=db-instance").unwrap();
    assert_eq!(texts(&events, "Message"), ["Backing up DB instance", "Finished DB Instance backup"]);
    for (body, due) in [
        ("DBSnapshotIdentifier=1st&DBInstanceIdentifier=gov-db", (400, "InvalidParameterValue")),
        ("DBSnapshotIdentifier=x--y&DBInstanceIdentifier=gov-db", (400, "InvalidParameterValue")),
        ("DBSnapshotIdentifier=x&DBInstanceIdentifier=nobody", (404, "DBInstanceNotFound")),
    ] {
        assert_eq!(
            code(ask(&mut world, "us-east-1", "CreateDBSnapshot", body)),
            (due.0, due.1.into()),
            "{body}"
        );
    }
    let none = ask(&mut world, "us-east-1", "DescribeDBSnapshots", "DBSnapshotIdentifier=nothing");
    assert_eq!(code(none), (404, "DBSnapshotNotFound".into()));
}

#[test]
fn a_member_of_a_cluster_is_snapshotted_with_its_cluster() {
    let mut world = World::new(vec![Stack::fleet(2, 1).unwrap()], 1, NOON);
    let alone = "DBSnapshotIdentifier=x&DBInstanceIdentifier=fleet-aurora-1";
    assert_eq!(
        code(ask(&mut world, "us-east-1", "CreateDBSnapshot", alone)),
        (400, "InvalidParameterValue".into())
    );
    let create = "DBClusterSnapshotIdentifier=x&DBClusterIdentifier=fleet-aurora";
    let made = ask(&mut world, "us-east-1", "CreateDBClusterSnapshot", create).unwrap();
    assert_eq!(texts(&made, "Status"), ["creating"]);
    let again = ask(&mut world, "us-east-1", "CreateDBClusterSnapshot", create);
    assert_eq!(code(again), (400, "DBClusterSnapshotAlreadyExistsFault".into()));
    world.advance(NOON.plus(Duration::from_secs(400)));
    let found =
        ask(&mut world, "us-east-1", "DescribeDBClusterSnapshots", "DBClusterSnapshotIdentifier=x").unwrap();
    assert_eq!(texts(&found, "Status"), ["available"]);
    let nobody = "DBClusterSnapshotIdentifier=y&DBClusterIdentifier=nobody";
    let nobody = ask(&mut world, "us-east-1", "CreateDBClusterSnapshot", nobody);
    assert_eq!(code(nobody), (404, "DBClusterNotFoundFault".into()));
}

#[test]
fn a_log_comes_whole_unless_asked_for_less_and_files_in_pages_of_any_size() {
    let mut world = world("gov");
    world.advance(NOON.plus(Duration::from_secs(2_400)));
    let files = ask(&mut world, "us-east-1", "DescribeDBLogFiles", "DBInstanceIdentifier=gov-db").unwrap();
    let all = texts(&files, "LogFileName").len();
    let (mut seen, mut marker) = (0, String::new());
    loop {
        let body = format!("DBInstanceIdentifier=gov-db&MaxRecords=7{marker}");
        let page = ask(&mut world, "us-east-1", "DescribeDBLogFiles", &body).unwrap();
        assert!(texts(&page, "LogFileName").len() <= 7);
        seen += texts(&page, "LogFileName").len();
        match texts(&page, "Marker").first() {
            Some(next) => marker = format!("&Marker={next}"),
            None => break,
        }
    }
    assert_eq!(seen, all);
    let name = *texts(&files, "LogFileName").first().unwrap();
    let body = format!("DBInstanceIdentifier=gov-db&LogFileName={name}");
    let whole = ask(&mut world, "us-east-1", "DownloadDBLogFilePortion", &body).unwrap();
    let index = world.database("us-east-1", "gov-db").unwrap();
    assert_eq!(texts(&whole, "LogFileData")[0].len(), world.log_file(index, name).unwrap().len());
}
