//! The panes that lead to what is wrong, in their states: loading, empty, full, folded, stale, denied, narrow.

use std::time::Duration;

use insta::assert_snapshot;

use super::{pane, tabs, whole};
use crate::app::fixtures::{self, Aws, Bench, Owned};
use crate::app::pane::PaneId;
use crate::domain::database::DbLogFile;
use crate::domain::fault::FaultKind;

fn account() -> Aws {
    Aws { estate: Owned::small(), ..Aws::small() }
}

/// A console on a pane, everything read.
fn on(id: PaneId, aws: Aws, width: u16, height: u16) -> Bench {
    let mut bench = Bench::fleet(aws, width, height);
    bench.model.focus = id;
    bench.settle();
    bench
}

const PANES: [(PaneId, &str, &str); 5] = [
    (PaneId::Alarms, "alarms", "cloudwatch:DescribeAlarms"),
    (PaneId::Databases, "databases", "rds:DescribeDBInstances"),
    (PaneId::Caches, "caches", "elasticache:DescribeReplicationGroups"),
    (PaneId::Secrets, "secrets", "secretsmanager:ListSecrets"),
    (PaneId::Changes, "changes", "cloudtrail:LookupEvents"),
];

#[test]
fn fleet_reading_and_read() {
    let mut bench = Bench::fleet(account(), 120, 30);
    bench.pass(Duration::ZERO);
    assert_snapshot!("fleet_asking", pane(&mut bench, PaneId::Fleet));
    while bench.model.services.undescribed > 0 || bench.model.world.services.is_empty() {
        assert!(bench.answer_next());
    }
    assert_snapshot!("fleet_partial", pane(&mut bench, PaneId::Fleet));
    bench.settle();
    assert_snapshot!("fleet", pane(&mut bench, PaneId::Fleet));
}

#[test]
fn fleet_at_80_and_at_50() {
    let mut bench = on(PaneId::Fleet, account(), 80, 24);
    assert_snapshot!("fleet_80", pane(&mut bench, PaneId::Fleet));
    bench.resize(50, 14);
    assert_snapshot!("fleet_50", pane(&mut bench, PaneId::Fleet));
    bench.resize(80, 24).press("/").type_text("billing").press("enter");
    assert_snapshot!("fleet_filtered_away", pane(&mut bench, PaneId::Fleet));
}

#[test]
fn fleet_without_a_problem() {
    let mut aws = Aws::small();
    aws.services.retain(|service| service.id.name != "api");
    assert_snapshot!("fleet_all_well", pane(&mut on(PaneId::Fleet, aws, 80, 16), PaneId::Fleet));
}

#[test]
fn fleet_without_credentials() {
    let mut aws = account();
    for action in ["ecs:ListClusters", "cloudwatch:DescribeAlarms", "rds:DescribeDBInstances"] {
        aws.faults.insert(action.into(), fixtures::fault(FaultKind::Expired));
    }
    assert_snapshot!("fleet_expired", pane(&mut on(PaneId::Fleet, aws, 80, 16), PaneId::Fleet));
}

#[test]
fn lists_being_read() {
    for (id, name, _) in PANES {
        let mut bench = Bench::fleet(account(), 80, 8);
        bench.model.focus = id;
        bench.pass(Duration::ZERO);
        assert_snapshot!(format!("{name}_loading"), pane(&mut bench, id));
    }
}

#[test]
fn lists_with_rows_wide_medium_and_narrow() {
    for (id, name, _) in PANES {
        let mut bench = on(id, account(), 160, 16);
        assert_snapshot!(format!("{name}_160"), pane(&mut bench, id));
        bench.resize(80, 16);
        assert_snapshot!(format!("{name}_80"), pane(&mut bench, id));
        bench.resize(45, 12);
        assert_snapshot!(format!("{name}_45"), pane(&mut bench, id));
    }
}

#[test]
fn in_several_regions_each_row_says_where_it_is() {
    for (id, name, _) in PANES {
        let model = fixtures::model(fixtures::session(&["eu-west-2", "us-east-1"]), "", 170, 16);
        let mut bench = Bench::with(model, account());
        bench.model.focus = id;
        bench.settle();
        let shown = pane(&mut bench, id);
        let rows = shown.lines().skip(2).filter(|line| !line.contains("folded away"));
        assert!(
            rows.clone().count() > 0
                && rows.clone().all(|row| row.contains("eu-west-2") || row.contains("us-east-1")),
            "{name}: {shown}"
        );
    }
}

#[test]
fn lists_of_an_account_that_has_none() {
    for (id, name, _) in PANES {
        let mut aws = Aws::default();
        aws.clusters.push(fixtures::cluster_id("prod"));
        assert_snapshot!(format!("{name}_none"), pane(&mut on(id, aws, 80, 8), id));
    }
}

#[test]
fn lists_that_are_denied() {
    for (id, name, action) in PANES {
        let mut aws = account();
        if id == PaneId::Changes {
            aws = Aws::default();
            aws.clusters.push(fixtures::cluster_id("prod"));
        }
        let mut fault = fixtures::fault(FaultKind::Denied);
        fault.message = format!("User: role/oncall is not authorized to perform: {action}");
        fault.hint = Some(format!("ask for {action}"));
        fault.action = Some(action.into());
        aws.faults.insert(action.into(), fault);
        let shown = pane(&mut on(id, aws, 80, 10), id);
        assert!(shown.contains(action) || id == PaneId::Caches, "{shown}");
        assert_snapshot!(format!("{name}_denied"), shown);
    }
}

#[test]
fn lists_that_could_not_be_renewed_keep_their_rows_with_their_age() {
    for (id, name, action) in PANES.into_iter().take(4) {
        let mut bench = on(id, account(), 100, 12);
        bench.aws.faults.insert(action.into(), fixtures::fault(FaultKind::Network));
        for _ in 0..100 {
            bench.pass(Duration::from_secs(3)).answer_all();
        }
        let shown = pane(&mut bench, id);
        assert!(shown.contains("old") && shown.contains("unreachable"), "{shown}");
        assert_snapshot!(format!("{name}_stale"), shown);
    }
}

#[test]
fn alarms_unfolded() {
    let mut bench = on(PaneId::Alarms, account(), 120, 20);
    bench.press("f");
    assert_snapshot!("alarms_unfolded", pane(&mut bench, PaneId::Alarms));
}

#[test]
fn details() {
    for (id, name) in [
        (PaneId::Alarms, "alarm"),
        (PaneId::Databases, "database"),
        (PaneId::Caches, "cache"),
        (PaneId::Fleet, "service_charts"),
    ] {
        let mut bench = on(id, account(), 100, 60);
        if id == PaneId::Fleet {
            bench.command("metrics web").settle();
        } else {
            bench.press("enter").settle();
        }
        assert_snapshot!(format!("detail_{name}"), whole(&mut bench));
    }
    let mut bench = on(PaneId::Secrets, account(), 100, 50);
    bench.press("down down enter").settle();
    assert_snapshot!("detail_secret", whole(&mut bench));
}

#[test]
fn the_pools_of_a_database_now_and_at_full_scale_out() {
    let config = "[[databases.claims.pools]]\nservice = \"prod/api\"\nconnections = 400\nmax_tasks = 6\n\
                  [[databases.claims.pools]]\nservice = \"gone\"\nconnections = 5\n";
    let model = fixtures::model(fixtures::session(&["eu-west-2"]), config, 100, 60);
    let mut bench = Bench::with(model, account());
    bench.model.focus = PaneId::Databases;
    bench.settle().press("enter").settle();
    let shown = whole(&mut bench);
    let pools: Vec<&str> = shown.lines().skip_while(|line| !line.contains("Pools")).take(4).collect();
    assert_snapshot!("detail_database_pools", pools.join("\n"));
}

#[test]
fn an_alarm_at_80_by_24() {
    let mut bench = on(PaneId::Alarms, account(), 80, 24);
    bench.press("enter");
    assert_snapshot!("detail_alarm_asking", whole(&mut bench));
    bench.settle();
    assert_snapshot!("detail_alarm_80", whole(&mut bench));
}

#[test]
fn numbers_that_are_denied() {
    let mut aws = account();
    let mut fault = fixtures::fault(FaultKind::Denied);
    fault.message = "User: role/oncall is not authorized to perform: cloudwatch:GetMetricData".into();
    fault.hint = Some("ask for cloudwatch:GetMetricData".into());
    fault.action = Some("cloudwatch:GetMetricData".into());
    aws.faults.insert("cloudwatch:GetMetricData".into(), fault);
    let mut bench = on(PaneId::Databases, aws, 100, 12);
    let shown = pane(&mut bench, PaneId::Databases);
    assert!(shown.contains("no metrics: denied") && shown.contains("claims"), "{shown}");
    assert_snapshot!("databases_without_metrics", shown);
}

#[test]
fn the_end_of_a_log_file() {
    let mut bench = on(PaneId::Databases, account(), 80, 24);
    bench.press("enter").settle().press("enter").pass(Duration::ZERO);
    assert_snapshot!("log_file_asking", whole(&mut bench));
    bench.settle();
    assert_snapshot!("log_file", whole(&mut bench));
    bench.press("w / d e a d l o c k enter").settle();
    assert_snapshot!("log_file_filtered", pane(&mut bench, PaneId::Logs));
    bench.press("enter");
    assert_snapshot!("log_file_record", whole(&mut bench));
    let wide = bench.press("esc esc").resize(120, 40).settle();
    assert_snapshot!("log_file_beside_databases", whole(wide));
}

#[test]
fn a_log_file_that_is_empty_and_one_that_is_denied() {
    let open = |aws: Aws| {
        let mut bench = on(PaneId::Databases, aws, 80, 12);
        bench.press("enter").settle().press("enter").settle();
        bench
    };
    let mut aws = account();
    aws.estate.log_text.clear();
    let empty = pane(&mut open(aws), PaneId::Logs);
    assert!(empty.contains("The file is empty."), "{empty}");
    let mut aws = account();
    aws.faults.insert("rds:DownloadDBLogFilePortion".into(), denied("rds:DownloadDBLogFilePortion"));
    assert_snapshot!("log_file_denied", pane(&mut open(aws), PaneId::Logs));
}

#[test]
fn the_log_files_of_a_database() {
    let mut aws = account();
    let first = aws.estate.log_files[0].clone();
    aws.estate.log_files = (0..30)
        .map(|hour| DbLogFile {
            name: format!("error/postgresql.log.2026-11-20-{hour:02}"),
            written_at: first.written_at.map(|at| at.minus(Duration::from_secs(3_600 * (30 - hour)))),
            ..first.clone()
        })
        .collect();
    let mut bench = on(PaneId::Databases, aws, 80, 90);
    bench.press("enter").settle();
    let details = whole(&mut bench);
    assert!(
        details.contains("postgresql.log.2026-11-20-24") && details.contains("and 24 older"),
        "{details}"
    );
    bench.resize(80, 16).press("enter").settle();
    assert_snapshot!("log_files", whole(&mut bench));
    bench.press("G k");
    assert_snapshot!("log_files_end", whole(&mut bench));
}

#[test]
fn the_next_start() {
    let mut bench = on(PaneId::Fleet, account(), 100, 30);
    bench.command("check web");
    assert_snapshot!("check_asking", whole(&mut bench));
    bench.settle();
    assert_snapshot!("check", whole(&mut bench));
}

fn denied(action: &str) -> crate::domain::fault::Fault {
    let mut fault = fixtures::fault(FaultKind::Denied);
    fault.message = format!("User: role/oncall is not authorized to perform: {action}");
    fault.action = Some(action.into());
    fault
}

#[test]
fn a_check_that_cannot_begin_says_why() {
    let mut aws = account();
    let action = "ecs:DescribeTaskDefinition";
    aws.faults.insert(action.into(), denied(action));
    let mut bench = on(PaneId::Fleet, aws, 100, 20);
    bench.command("check web").settle();
    assert_snapshot!("check_denied", whole(&mut bench));
}

#[test]
fn events_that_were_not_read_are_not_none() {
    let none = |shown: &str| shown.lines().any(|line| line.trim_matches(['│', ' ']) == "none");
    for (id, action) in
        [(PaneId::Databases, "rds:DescribeEvents"), (PaneId::Caches, "elasticache:DescribeEvents")]
    {
        let mut aws = account();
        aws.estate.db_events.clear();
        let mut bench = on(id, aws.clone(), 100, 90);
        bench.press("enter").settle();
        assert!(none(&whole(&mut bench)), "{}", whole(&mut bench));
        aws.faults.insert(action.into(), denied(action));
        let mut bench = on(id, aws, 100, 90);
        bench.press("enter").settle();
        let shown = whole(&mut bench);
        assert!(!none(&shown) && shown.contains(&format!("Asked for {action}")), "{shown}");
    }
}

#[test]
fn readers_of_a_secret_are_unknown_before_definitions_are_read() {
    let action = "ecs:DescribeTaskDefinition";
    let mut aws = account();
    let mut bench = on(PaneId::Secrets, aws.clone(), 120, 16);
    assert!(!pane(&mut bench, PaneId::Secrets).contains("not read yet"));
    let mut bench = Bench::fleet(aws.clone(), 120, 16);
    bench.model.focus = PaneId::Secrets;
    for _ in 0..5 {
        bench.pass(Duration::from_millis(200));
        bench.asked.retain(|(_, query, _)| query.action() != action);
        bench.answer_all();
    }
    let shown = pane(&mut bench, PaneId::Secrets);
    assert!(shown.contains("not read yet") && !shown.contains("0 services"), "{shown}");
    aws.faults.insert(action.into(), denied(action));
    let shown = pane(&mut on(PaneId::Secrets, aws, 120, 16), PaneId::Secrets);
    assert!(shown.contains("not known") && !shown.contains("0 services"), "{shown}");
}

#[test]
fn a_number_that_has_stopped_says_its_age() {
    let mut bench = on(PaneId::Databases, account(), 160, 16);
    bench.aws.faults.insert("cloudwatch:GetMetricData".into(), fixtures::fault(FaultKind::Throttled));
    for _ in 0..18 {
        bench.pass(Duration::from_secs(60)).answer_all();
    }
    assert_snapshot!("databases_with_old_numbers", pane(&mut bench, PaneId::Databases));
}

#[test]
fn tabs_count_what_is_sick() {
    let mut bench = on(PaneId::Fleet, account(), 120, 30);
    assert_snapshot!("tabs_sick_120", tabs(&mut bench));
    bench.resize(80, 24);
    assert_snapshot!("tabs_sick_80", tabs(&mut bench));
}

#[test]
fn the_first_screen_at_three_sizes() {
    for (width, height) in [(80, 24), (120, 40), (220, 60)] {
        let mut bench = on(PaneId::Fleet, account(), width, height);
        assert_snapshot!(format!("first_screen_{width}"), whole(&mut bench));
    }
}
