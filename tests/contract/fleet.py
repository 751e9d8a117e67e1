"""boto3 pages through a fleet of 300 services: what is long is complete, and botocore's models judge it too."""

from simulator import fails

REGION = "us-east-1"


def whole(walk, service, operation, member, size, **arguments):
    pages = walk.pages(service, operation, REGION, size=size, **arguments)
    assert len(pages) > 1, f"{operation}: one page"
    return [item for page in pages for item in page[member]]


def names(items, member):
    found = [item[member] for item in items]
    assert len(set(found)) == len(found), f"{member}: the same one on two pages"
    return found


def check_200_alarms(walk):
    found = names(whole(walk, "cloudwatch", "describe_alarms", "MetricAlarms", 50), "AlarmName")
    assert len(found) == 200, len(found)


def check_50_databases_and_a_cluster(walk):
    found = whole(walk, "rds", "describe_db_instances", "DBInstances", 20)
    alone = [database for database in found if "DBClusterIdentifier" not in database]
    assert (len(names(found, "DBInstanceIdentifier")), len(alone)) == (52, 50), found


def check_25_caches(walk):
    groups = whole(walk, "elasticache", "describe_replication_groups", "ReplicationGroups", 20)
    nodes = whole(walk, "elasticache", "describe_cache_clusters", "CacheClusters", 20)
    assert (len(names(groups, "ReplicationGroupId")), len(names(nodes, "CacheClusterId"))) == (25, 50)


def check_metrics_of_all_databases(walk):
    found = whole(walk, "cloudwatch", "list_metrics", "Metrics", None, Namespace="AWS/RDS")
    ids = {d["Value"] for metric in found for d in metric["Dimensions"]}
    assert len(ids) == 52, len(ids)


def check_a_cluster_fails_over(walk):
    rds = walk.of("rds", REGION)
    made = rds.create_db_cluster_snapshot(
        DBClusterSnapshotIdentifier="contract", DBClusterIdentifier="fleet-aurora")["DBClusterSnapshot"]
    assert made["Status"] == "creating" and made["SnapshotType"] == "manual", made
    listed = rds.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
    assert [one["DBClusterSnapshotIdentifier"] for one in listed] == ["contract"], listed
    cluster = rds.failover_db_cluster(DBClusterIdentifier="fleet-aurora")["DBCluster"]
    assert cluster["Status"] == "failing-over", cluster
    fails("InvalidDBClusterStateFault", rds.failover_db_cluster, DBClusterIdentifier="fleet-aurora")


def judged(judge):
    due = {"FailoverDBClusterResult", "CreateDBClusterSnapshotResult"}
    assert due <= set(judge.judged) and not judge.findings, "\n".join(judge.findings)
