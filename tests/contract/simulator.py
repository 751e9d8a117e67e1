"""boto3 walks the simulator: every operation, every page, every error; botocore's models judge the answers.

The simulator is ours; boto3 and its models are not.
"""

import datetime
import json
import time

from botocore.exceptions import ClientError, EventStreamError

from harness import client

# What the simulator has to know; the judge says which of them were seen.
OPERATIONS = {
    "ListClusters", "DescribeClusters", "ListServices", "DescribeServices", "ListTasks", "DescribeTasks",
    "ListTaskDefinitions", "DescribeTaskDefinition", "ListServiceDeployments", "DescribeServiceDeployments",
    "DescribeServiceRevisions", "UpdateService", "StopTask", "RegisterTaskDefinition",
    "DescribeLogGroups", "DescribeLogStreams", "FilterLogEvents", "GetLogEvents", "StartLiveTail",
    "GetCallerIdentity",
    "ListSecrets", "DescribeSecret", "ListSecretVersionIds", "RotateSecret", "CancelRotateSecret",
    "UpdateSecretVersionStage", "PutSecretValue", "UpdateSecret", "CreateSecret", "DeleteSecret",
    "RestoreSecret", "DescribeParameters", "LookupEvents",
    "DescribeDBInstances", "DescribeDBClusters", "DescribeEvents", "DescribePendingMaintenanceActions",
    "DescribeDBParameters", "DescribeDBParameterGroups", "DescribeDBLogFiles", "DownloadDBLogFilePortion",
    "DescribeCertificates", "RebootDBInstance", "ModifyDBInstance",
    "DescribeReplicationGroups", "DescribeCacheClusters", "TestFailover",
    "DescribeLoadBalancers", "DescribeTargetGroups", "DescribeTargetHealth", "DescribeListeners",
    "DescribeRepositories", "DescribeImages", "GetRole",
    "DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScalingActivities",
    "RegisterScalableTarget",
    "DescribeAlarms", "DescribeAlarmsForMetric", "DescribeAlarmHistory", "GetMetricData",
    "GetMetricStatistics", "ListMetrics",
}

# CloudWatch speaks all of these: the SDKs differ in which they choose.
PROTOCOLS = ("json", "smithy-rpc-v2-cbor", "query")

# What botocore calls the shape of an operation's answer, where it is not the operation's name.
SHAPES = {
    "DescribeDBInstances": "DBInstanceMessage",
    "DescribeDBClusters": "DBClusterMessage",
    "DescribeEvents": "EventsMessage",
    "DescribePendingMaintenanceActions": "PendingMaintenanceActionsMessage",
    "DescribeDBParameters": "DBParameterGroupDetails",
    "DescribeDBParameterGroups": "DBParameterGroupsMessage",
    "DownloadDBLogFilePortion": "DownloadDBLogFilePortionDetails",
    "DescribeCertificates": "CertificateMessage",
    "RebootDBInstance": "RebootDBInstanceResult",
    "ModifyDBInstance": "ModifyDBInstanceResult",
    "DescribeReplicationGroups": "ReplicationGroupMessage",
    "DescribeCacheClusters": "CacheClusterMessage",
    "TestFailover": "TestFailoverResult",
    "DescribeLoadBalancers": "DescribeLoadBalancersOutput",
    "DescribeTargetGroups": "DescribeTargetGroupsOutput",
    "DescribeTargetHealth": "DescribeTargetHealthOutput",
    "DescribeListeners": "DescribeListenersOutput",
    "DescribeParameters": "DescribeParametersResult",
    "DescribeAlarms": "DescribeAlarmsOutput",
    "DescribeAlarmsForMetric": "DescribeAlarmsForMetricOutput",
    "DescribeAlarmHistory": "DescribeAlarmHistoryOutput",
    "GetMetricData": "GetMetricDataOutput",
    "GetMetricStatistics": "GetMetricStatisticsOutput",
    "ListMetrics": "ListMetricsOutput",
}

CLUSTERS = {
    "gov-cluster": "us-east-1",
    "codeguardians-gateway": "us-east-1",
    "migrate-cluster": "us-east-1",
    "cma-production": "eu-west-2",
    "saas": "me-south-1",
}


class Walk:
    def __init__(self, url):
        self.url, self.clients = url, {}

    def of(self, service, region="us-east-1"):
        if (service, region) not in self.clients:
            self.clients[service, region] = client(service, self.url, region)
        return self.clients[service, region]

    def pages(self, service, operation, region="us-east-1", size=None, **arguments):
        paging = {"PageSize": size} if size else {}
        return list(self.of(service, region).get_paginator(operation).paginate(
            PaginationConfig=paging, **arguments))

    def service(self, cluster="codeguardians-gateway", name="gateway-service"):
        found = self.of("ecs", CLUSTERS[cluster]).describe_services(
            cluster=cluster, services=[name], include=["TAGS"])
        assert found["failures"] == [], found["failures"]
        return found["services"][0]


def fails(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        got = error.response["Error"]["Code"]
        assert got == code, f"{got}: {error}, not {code}"
        assert error.response["ResponseMetadata"].get("RequestId"), "an error without a request id"
        return error
    raise AssertionError(f"no error, where {code} is due")


def check_identity(walk):
    identity = walk.of("sts").get_caller_identity()
    assert identity["Account"] == "123456789012", identity
    assert identity["Arn"].startswith("arn:aws:sts::123456789012:"), identity


def check_clusters_in_their_regions(walk):
    for region in set(CLUSTERS.values()):
        listed = [arn for page in walk.pages("ecs", "list_clusters", region) for arn in page["clusterArns"]]
        due = {name for name, where in CLUSTERS.items() if where == region}
        assert {arn.rsplit("/", 1)[1] for arn in listed} == due, listed
        found = walk.of("ecs", region).describe_clusters(
            clusters=listed + ["nowhere"], include=["TAGS", "STATISTICS", "SETTINGS", "CONFIGURATIONS"])
        assert {cluster["clusterName"] for cluster in found["clusters"]} == due
        assert [f["reason"] for f in found["failures"]] == ["MISSING"], found["failures"]


def check_services_and_their_pages(walk):
    ecs = walk.of("ecs")
    whole = [a for p in walk.pages("ecs", "list_services", cluster="gov-cluster") for a in p["serviceArns"]]
    ones = walk.pages("ecs", "list_services", cluster="gov-cluster", size=1)
    assert len(whole) == 2 and [a for p in ones for a in p["serviceArns"]] == whole, (whole, ones)
    assert len(ones) >= 2, "one page, where one service a page was asked for"
    found = ecs.describe_services(cluster="gov-cluster", services=[*whole, "nobody"], include=["TAGS"])
    assert len(found["services"]) == 2 and found["failures"][0]["reason"] == "MISSING", found["failures"]
    fails("InvalidParameterException", ecs.describe_services, cluster="gov-cluster", services=["x"] * 11)
    fails("ClusterNotFoundException", ecs.list_services, cluster="nowhere")
    fails("InvalidParameterException", ecs.list_services, cluster="gov-cluster", maxResults=101)


def check_tasks_running_and_stopped(walk):
    ecs = walk.of("ecs")
    where = {"cluster": "codeguardians-gateway", "serviceName": "gateway-service"}
    running = [a for p in walk.pages("ecs", "list_tasks", **where) for a in p["taskArns"]]
    ones = walk.pages("ecs", "list_tasks", size=1, **where)
    assert sorted(a for p in ones for a in p["taskArns"]) == sorted(running), (running, ones)
    tasks = ecs.describe_tasks(cluster=where["cluster"], tasks=[*running, "0" * 32], include=["TAGS"])
    assert len(tasks["tasks"]) == len(running) and len(tasks["failures"]) == 1, tasks["failures"]
    assert all(len(task["containers"]) == 7 for task in tasks["tasks"]), "the gateway and its six guards"
    stopped = walk.pages("ecs", "list_tasks", desiredStatus="STOPPED", **where)
    arns = [a for p in stopped for a in p["taskArns"]]
    if arns:
        for task in ecs.describe_tasks(cluster=where["cluster"], tasks=arns)["tasks"]:
            assert task["lastStatus"] in ("STOPPED", "DEPROVISIONING", "STOPPING", "DEACTIVATING"), task
            assert task["stoppedReason"], task
    fails("ServiceNotFoundException", ecs.list_tasks, cluster=where["cluster"], serviceName="nobody")


def check_task_definitions(walk):
    ecs = walk.of("ecs")
    family = walk.service()["taskDefinition"].rsplit("/", 1)[1].split(":")[0]
    listed = [a for p in walk.pages("ecs", "list_task_definitions", familyPrefix=family, sort="DESC")
              for a in p["taskDefinitionArns"]]
    numbers = [int(arn.rsplit(":", 1)[1]) for arn in listed]
    assert len(numbers) >= 3 and numbers == sorted(numbers, reverse=True), numbers
    found = ecs.describe_task_definition(taskDefinition=listed[0], include=["TAGS"])["taskDefinition"]
    assert found["revision"] == numbers[0] and len(found["containerDefinitions"]) == 7
    assert ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]["revision"] == numbers[0]
    fails("ClientException", ecs.describe_task_definition, taskDefinition="nobody:1")


def check_deployments_and_revisions(walk):
    ecs = walk.of("ecs")
    where = {"cluster": "codeguardians-gateway", "service": "gateway-service"}
    listed = ecs.list_service_deployments(**where, maxResults=100)["serviceDeployments"]
    assert len(listed) >= 3, listed
    arns = [deployment["serviceDeploymentArn"] for deployment in listed]
    first = ecs.list_service_deployments(**where, maxResults=1)
    assert first["serviceDeployments"][0]["serviceDeploymentArn"] == arns[0] and first["nextToken"]
    found = ecs.describe_service_deployments(serviceDeploymentArns=arns[:20])
    assert len(found["serviceDeployments"]) == len(arns[:20]) and found["failures"] == []
    targets = sorted({d["targetServiceRevision"]["arn"] for d in found["serviceDeployments"]})
    revisions = ecs.describe_service_revisions(serviceRevisionArns=targets[:20])
    assert len(revisions["serviceRevisions"]) == len(targets[:20]), revisions["failures"]
    for revision in revisions["serviceRevisions"]:
        assert all(i["imageDigest"].startswith("sha256:") for i in revision["containerImages"]), revision


def group_and_stream(walk):
    logs = walk.of("logs")
    groups = [g for p in walk.pages("logs", "describe_log_groups", logGroupNamePrefix="/ecs/")
              for g in p["logGroups"]]
    group = next(g["logGroupName"] for g in groups if "codeguardians" in g["logGroupName"])
    streams = [s for p in walk.pages("logs", "describe_log_streams", logGroupName=group)
               for s in p["logStreams"]]
    assert streams, group
    return logs, group, streams


def check_log_groups_and_streams(walk):
    logs, group, streams = group_and_stream(walk)
    names = [stream["logStreamName"] for stream in streams]
    assert names == sorted(names), "streams are not in the order of their names"
    prefix = names[0].rsplit("/", 1)[0]
    some = walk.pages("logs", "describe_log_streams", logGroupName=group, logStreamNamePrefix=prefix)
    assert all(s["logStreamName"].startswith(prefix) for p in some for s in p["logStreams"])
    fails("ResourceNotFoundException", logs.describe_log_streams, logGroupName="/nowhere")


def check_filter_log_events(walk):
    logs, group, _ = group_and_stream(walk)
    # Up to a minute ago, where nothing arrives any more.
    until = int(time.time() * 1000) - 60_000
    span = {"logGroupName": group, "startTime": until - 120_000, "endTime": until}
    whole = [e for p in walk.pages("logs", "filter_log_events", **span) for e in p["events"]]
    parts = [e for p in walk.pages("logs", "filter_log_events", size=7, **span) for e in p["events"]]
    ids = [event["eventId"] for event in whole]
    assert len(ids) > 20 and len(set(ids)) == len(ids), f"{len(ids)} events, {len(set(ids))} different"
    assert sorted(event["eventId"] for event in parts) == sorted(ids), "pages of 7 are not the whole"
    assert all(span["startTime"] <= event["timestamp"] <= span["endTime"] for event in whole)
    times = [event["timestamp"] for event in whole]
    assert times == sorted(times), "events are not in the order of their times"
    newest = [e for p in walk.pages("logs", "filter_log_events", startFromHead=False, **span)
              for e in p["events"]]
    assert sorted(event["eventId"] for event in newest) == sorted(ids), "backwards is another set"
    matched = [e for p in walk.pages("logs", "filter_log_events", filterPattern="request", **span)
               for e in p["events"]]
    assert matched and all("request" in event["message"] for event in matched)
    fails("ResourceNotFoundException", logs.filter_log_events, logGroupName="/nowhere")


def check_get_log_events(walk):
    logs, group, streams = group_and_stream(walk)
    stream = max(streams, key=lambda s: s.get("lastEventTimestamp", 0))["logStreamName"]
    seen, token = [], None
    for _ in range(200):
        more = {"nextToken": token} if token else {}
        page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, limit=500,
                                   startTime=int(time.time() * 1000) - 600_000, **more)
        seen += page["events"]
        if page["nextForwardToken"] == token:
            break
        token = page["nextForwardToken"]
    else:
        raise AssertionError("the forward token never repeats")
    assert seen, f"{stream} has no events"
    times = [event["timestamp"] for event in seen]
    assert times == sorted(times)


def check_live_tail(walk):
    logs, group, _ = group_and_stream(walk)
    arn = next(g for p in walk.pages("logs", "describe_log_groups", logGroupNamePrefix=group)
               for g in p["logGroups"] if g["logGroupName"] == group)["arn"].removesuffix(":*")
    stream = logs.start_live_tail(logGroupIdentifiers=[arn])["responseStream"]
    started, updates, lines = None, 0, 0
    try:
        for event in stream:
            if "sessionStart" in event:
                started = event["sessionStart"]
            if "sessionUpdate" in event:
                updates += 1
                lines += len(event["sessionUpdate"]["sessionResults"])
            if updates >= 2 and lines or updates >= 20:
                break
    except EventStreamError as error:
        raise AssertionError(str(error)) from error
    finally:
        stream.close()
    assert started and started["logGroupIdentifiers"] == [arn], started
    assert lines > 0, f"{updates} updates without a line"


DATABASES = {
    "us-east-1": {"gov-db", "codeguardians-gateway-db", "migrate-db"},
    "eu-west-2": {"cma-production", "cma-read-replica-production"},
    "me-south-1": {"saas-db"},
}


def check_databases_in_their_regions(walk):
    for region, due in DATABASES.items():
        rds = walk.of("rds", region)
        found = [d for p in walk.pages("rds", "describe_db_instances", region) for d in p["DBInstances"]]
        assert {d["DBInstanceIdentifier"] for d in found} == due, found
        for database in found:
            assert database["DBInstanceStatus"] in ("available", "backing-up"), database
            assert database["MultiAZ"] == ("SecondaryAvailabilityZone" in database), database
            kept = database["BackupRetentionPeriod"]
            assert (kept > 0) == ("LatestRestorableTime" in database), database
            if kept:
                age = time.time() - database["LatestRestorableTime"].timestamp()
                assert -5 < age < 310, f"restorable up to {age} s ago"
            name = database["DBParameterGroups"][0]["DBParameterGroupName"]
            group = rds.describe_db_parameter_groups(DBParameterGroupName=name)["DBParameterGroups"][0]
            assert group["DBParameterGroupFamily"].startswith("postgres"), group
            values = {p["ParameterName"]: p for page in walk.pages(
                "rds", "describe_db_parameters", region, size=20, DBParameterGroupName=name)
                for p in page["Parameters"]}
            assert {"rds.force_ssl", "max_connections", "shared_buffers"} <= set(values), sorted(values)
        some = rds.describe_db_instances(Filters=[{"Name": "db-instance-id", "Values": [min(due)]}])
        assert [d["DBInstanceIdentifier"] for d in some["DBInstances"]] == [min(due)]
        fails("DBInstanceNotFound", rds.describe_db_instances, DBInstanceIdentifier="nobody")
        fails("InvalidParameterValue", rds.describe_db_instances, MaxRecords=5)
        assert rds.describe_db_clusters()["DBClusters"] == []
        fails("DBClusterNotFoundFault", rds.describe_db_clusters, DBClusterIdentifier="nobody")
        fails("DBClusterNotFoundFault", rds.failover_db_cluster, DBClusterIdentifier="nobody")
        fails("DBParameterGroupNotFound", rds.describe_db_parameters, DBParameterGroupName="nobody")
        assert len(rds.describe_certificates()["Certificates"]) == 3


def check_database_events_and_maintenance(walk):
    rds = walk.of("rds", "eu-west-2")
    span = {"Duration": 20160, "SourceType": "db-instance", "SourceIdentifier": "cma-production"}
    whole = [e for p in walk.pages("rds", "describe_events", "eu-west-2", **span) for e in p["Events"]]
    parts = [e for p in walk.pages("rds", "describe_events", "eu-west-2", size=20, **span) for e in p["Events"]]
    assert len(whole) >= 26 and parts == whole, (len(whole), len(parts))
    dates = [event["Date"] for event in whole]
    assert dates == sorted(dates)
    assert all(event["EventCategories"] == ["backup"] for event in whole), whole
    fails("InvalidParameterCombination", rds.describe_events, SourceIdentifier="cma-production")
    pending = rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"]
    actions = [a["Action"] for p in pending for a in p["PendingMaintenanceActionDetails"]]
    assert actions == ["db-upgrade"], pending


def check_database_log_files(walk):
    rds = walk.of("rds")
    files = [f for p in walk.pages("rds", "describe_db_log_files", DBInstanceIdentifier="gov-db")
             for f in p["DescribeDBLogFiles"]]
    assert len(files) > 60, len(files)
    file = files[-3]["LogFileName"]
    text = rds.download_db_log_file_portion(
        DBInstanceIdentifier="gov-db", LogFileName=file, Marker="0")["LogFileData"]
    assert len(text.encode()) == files[-3]["Size"], (len(text), files[-3])
    assert "checkpoint complete" in text, text
    fails("DBLogFileNotFoundFault", rds.download_db_log_file_portion,
          DBInstanceIdentifier="gov-db", LogFileName="error/nothing")


def check_caches(walk):
    cache = walk.of("elasticache", "me-south-1")
    group, = [g for p in walk.pages("elasticache", "describe_replication_groups", "me-south-1")
              for g in p["ReplicationGroups"]]
    assert group["MemberClusters"] == ["saas-redis-001", "saas-redis-002"], group
    nodes = cache.describe_cache_clusters(ShowCacheNodeInfo=True)["CacheClusters"]
    assert [n["CacheClusterId"] for n in nodes] == group["MemberClusters"], nodes
    assert all(n["CacheNodes"][0]["Endpoint"]["Port"] == 6379 for n in nodes), nodes
    single = walk.of("elasticache", "eu-west-2").describe_cache_clusters()["CacheClusters"]
    assert [c["CacheNodeType"] for c in single] == ["cache.r6g.large"], single
    fails("ReplicationGroupNotFoundFault", cache.describe_replication_groups, ReplicationGroupId="nobody")
    fails("CacheClusterNotFound", cache.describe_cache_clusters, CacheClusterId="nobody")
    events = cache.describe_events(Duration=20160, SourceType="replication-group")["Events"]
    assert len(events) >= 13, events


def check_load_balancers_and_targets(walk):
    elb = walk.of("elbv2")
    ecs = walk.of("ecs")
    balancer = elb.describe_load_balancers(Names=["migrate-alb"])["LoadBalancers"][0]
    group, = elb.describe_target_groups(LoadBalancerArn=balancer["LoadBalancerArn"])["TargetGroups"]
    listener, = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert listener["DefaultActions"][0]["TargetGroupArn"] == group["TargetGroupArn"], listener
    service = walk.service("migrate-cluster", "migrate-backend-service")
    assert service["loadBalancers"][0]["targetGroupArn"] == group["TargetGroupArn"], service
    # Other checks stop a task, so a target may be about to come or go.
    health = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    arns = ecs.list_tasks(cluster="migrate-cluster")["taskArns"]
    tasks = ecs.describe_tasks(cluster="migrate-cluster", tasks=arns)["tasks"]
    own = {d["value"] for t in tasks for a in t["attachments"] for d in a["details"]
           if d["name"] == "privateIPv4Address"}
    alive = {h["Target"]["Id"] for h in health if h["TargetHealth"]["State"] == "healthy"}
    assert alive and alive <= own, (health, own)
    fails("LoadBalancerNotFound", elb.describe_load_balancers, Names=["nobody"])
    fails("TargetGroupNotFound", elb.describe_target_groups, Names=["nobody"])


def check_images(walk):
    ecr = walk.of("ecr")
    names = [r["repositoryName"] for p in walk.pages("ecr", "describe_repositories") for r in p["repositories"]]
    assert {"codeguardians-gateway", "migrate-backend"} <= set(names), names
    deployed = walk.of("ecs").list_service_deployments(
        cluster="codeguardians-gateway", service="gateway-service")["serviceDeployments"]
    target = deployed[0]["targetServiceRevisionArn"]
    found = walk.of("ecs").describe_service_revisions(serviceRevisionArns=[target])["serviceRevisions"][0]
    digest = found["containerImages"][0]["imageDigest"]
    detail, = ecr.describe_images(repositoryName="codeguardians-gateway",
                                  imageIds=[{"imageDigest": digest}])["imageDetails"]
    assert detail["imageStatus"] == "ACTIVE", detail
    fails("ImageNotFoundException", ecr.describe_images, repositoryName="codeguardians-gateway",
          imageIds=[{"imageTag": "nothing"}])
    fails("RepositoryNotFoundException", ecr.describe_images, repositoryName="nobody")


def check_alarms_in_each_protocol(walk):
    seen = []
    for protocol in PROTOCOLS:
        watch = client("cloudwatch", walk.url, "us-east-1", protocol)
        whole = watch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        names = [alarm["AlarmName"] for alarm in whole["MetricAlarms"] + whole["CompositeAlarms"]]
        pages = watch.get_paginator("describe_alarms").paginate(
            AlarmTypes=["MetricAlarm", "CompositeAlarm"], PaginationConfig={"PageSize": 2})
        parts = [a["AlarmName"] for page in pages for kind in ("MetricAlarms", "CompositeAlarms")
                 for a in page[kind]]
        assert sorted(parts) == sorted(names) and len(set(names)) == len(names) > 10, (parts, names)
        assert {"gov-citizens-notice", "codeguardians-gateway-error-rate", "gov-db-slow-queries"} <= set(names)
        slow = next(a for a in whole["MetricAlarms"] if a["AlarmName"] == "gov-db-slow-queries")
        assert slow["Dimensions"] == [{"Name": "DBInstanceIdentifier", "Value": "gov-db"}], slow
        assert slow["Threshold"] == 0.02 and slow["StateValue"] in ("OK", "ALARM"), slow
        told = watch.describe_alarms_for_metric(
            MetricName="ReadLatency", Namespace="AWS/RDS", Dimensions=slow["Dimensions"])["MetricAlarms"]
        assert [a["AlarmName"] for a in told] == ["gov-db-slow-queries"], told
        # The shipped alarms may have been quiet for a day, so one is made, tripped and deleted.
        own = f"contract-{protocol}"
        watch.put_metric_alarm(
            AlarmName=own, Namespace="Contract", MetricName="Nothing", Statistic="Average", Period=60,
            EvaluationPeriods=1, Threshold=1.0, ComparisonOperator="GreaterThanThreshold")
        watch.set_alarm_state(AlarmName=own, StateValue="ALARM", StateReason="said by hand")
        watch.delete_alarms(AlarmNames=[own])
        history = watch.describe_alarm_history(AlarmName=own, MaxRecords=50)["AlarmHistoryItems"]
        assert {item["HistoryItemType"] for item in history} == {"StateUpdate", "ConfigurationUpdate"}, history
        assert "from INSUFFICIENT_DATA to ALARM" in str(history), history
        fails("InvalidNextToken", watch.describe_alarms, NextToken="?")
        seen.append(names)
    assert seen[0] == seen[1] == seen[2], "the protocols differ"
    saas = walk.of("cloudwatch", "me-south-1").describe_alarms()["MetricAlarms"]
    limits = {a["AlarmName"]: a["Threshold"] for a in saas if not a["AlarmName"].startswith("TargetTracking")}
    assert limits == {"saas-backend-cpu-high": 80.0, "saas-worker-cpu-high": 80.0,
                      "saas-backend-5xx-rate": 1.0, "saas-db-connections-high": 80.0}, limits
    # What Application Auto Scaling says of its alarms is what CloudWatch has.
    policies = walk.of("application-autoscaling", "me-south-1").describe_scaling_policies(
        ServiceNamespace="ecs")["ScalingPolicies"]
    made = {alarm["AlarmName"] for policy in policies for alarm in policy["Alarms"]}
    assert made == {a["AlarmName"] for a in saas} - set(limits), made


def check_metrics_of_everything(walk):
    end = datetime.datetime.fromtimestamp(time.time() // 60 * 60 - 180, datetime.timezone.utc)
    begin = end - datetime.timedelta(hours=1)
    for protocol in PROTOCOLS:
        watch = client("cloudwatch", walk.url, "eu-west-2", protocol)
        listed = [m for page in watch.get_paginator("list_metrics").paginate() for m in page["Metrics"]]
        spaces = {m["Namespace"] for m in listed}
        assert {"AWS/ECS", "ECS/ContainerInsights", "AWS/ApplicationELB", "AWS/RDS", "AWS/ElastiCache"} <= spaces
        data = [m for m in listed if m["Namespace"] in ("AWS/RDS", "AWS/ElastiCache")]
        for first in range(0, len(data), 100):
            some = data[first:first + 100]
            queries = [{"Id": f"m{n}", "MetricStat": {"Metric": m, "Period": 300, "Stat": "Average"}}
                       for n, m in enumerate(some)]
            found = watch.get_metric_data(
                MetricDataQueries=queries, StartTime=begin, EndTime=end)["MetricDataResults"]
            assert len(found) == len(some)
            for result, metric in zip(found, some):
                assert result["StatusCode"] == "Complete" and len(result["Values"]) >= 11, (metric, result)
        one = watch.get_metric_statistics(
            Namespace="AWS/RDS", MetricName="DatabaseConnections", StartTime=begin, EndTime=end, Period=300,
            Dimensions=[{"Name": "DBInstanceIdentifier", "Value": "cma-production"}],
            Statistics=["Average", "Maximum"])["Datapoints"]
        assert len(one) >= 11 and all(p["Maximum"] >= p["Average"] > 3 for p in one), one
        nobody = watch.get_metric_data(StartTime=begin, EndTime=end, MetricDataQueries=[{
            "Id": "m1", "MetricStat": {"Period": 300, "Stat": "Sum", "Metric": {
                "Namespace": "AWS/RDS", "MetricName": "CPUUtilization",
                "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "nobody"}]}}}])
        assert nobody["MetricDataResults"][0]["Values"] == [], nobody


def check_balancers_are_the_same_in_metrics(walk):
    listed = walk.of("cloudwatch").list_metrics(Namespace="AWS/ApplicationELB")["Metrics"]
    values = {d["Value"] for m in listed for d in m["Dimensions"]}
    elb = walk.of("elbv2")
    arns = [b["LoadBalancerArn"].split(":loadbalancer/")[1] for b in elb.describe_load_balancers()["LoadBalancers"]]
    arns += [g["TargetGroupArn"].rsplit(":", 1)[1] for g in elb.describe_target_groups()["TargetGroups"]]
    assert values == set(arns), values ^ set(arns)


def check_roles(walk):
    role = walk.of("iam").get_role(RoleName="codeguardians-gateway-task-role")["Role"]
    trusted = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
    assert trusted == "ecs-tasks.amazonaws.com", role
    fails("NoSuchEntity", walk.of("iam").get_role, RoleName="nobody")


def check_scaling(walk):
    scaling = walk.of("application-autoscaling", "me-south-1")
    where = {"ServiceNamespace": "ecs"}
    targets = scaling.describe_scalable_targets(**where)["ScalableTargets"]
    assert [t["ResourceId"] for t in targets] == ["service/saas/saas-backend", "service/saas/saas-worker"], targets
    policies = scaling.describe_scaling_policies(**where)["ScalingPolicies"]
    assert all(len(p["Alarms"]) == 2 for p in policies), policies
    done = scaling.describe_scaling_activities(ResourceId="service/saas/saas-backend", **where)
    assert len(done["ScalingActivities"]) >= 2, done
    scaling.register_scalable_target(
        ResourceId="service/saas/saas-worker", ScalableDimension="ecs:service:DesiredCount",
        SuspendedState={"DynamicScalingInSuspended": True}, **where)
    again = scaling.describe_scalable_targets(ResourceIds=["service/saas/saas-worker"], **where)
    assert again["ScalableTargets"][0]["SuspendedState"]["DynamicScalingInSuspended"], again
    fails("ValidationException", scaling.register_scalable_target, ResourceId="service/saas/nobody",
          ScalableDimension="ecs:service:DesiredCount", MinCapacity=1, MaxCapacity=2, **where)


def check_writes_move_databases_and_caches(walk):
    rds = walk.of("rds")
    status = rds.describe_db_instances(DBInstanceIdentifier="gov-db")["DBInstances"][0]["DBInstanceStatus"]
    if status == "available":
        begun = rds.reboot_db_instance(DBInstanceIdentifier="gov-db", ForceFailover=True)["DBInstance"]
        assert begun["DBInstanceStatus"] == "rebooting", begun
        events = rds.describe_events(SourceType="db-instance", SourceIdentifier="gov-db")["Events"]
        assert events[-1]["EventCategories"] == ["failover"], events
    fails("InvalidDBInstanceState", rds.reboot_db_instance, DBInstanceIdentifier="gov-db")
    saas = walk.of("rds", "me-south-1")
    later = saas.modify_db_instance(DBInstanceIdentifier="saas-db", AllocatedStorage=30)["DBInstance"]
    assert later["PendingModifiedValues"]["AllocatedStorage"] == 30, later
    fails("InvalidParameterCombination", saas.modify_db_instance, DBInstanceIdentifier="saas-db",
          AllocatedStorage=10)
    cache = walk.of("elasticache", "me-south-1")
    group = cache.test_failover(ReplicationGroupId="saas-redis", NodeGroupId="0001")["ReplicationGroup"]
    assert group["Status"] == "modifying", group
    fails("InvalidReplicationGroupState", cache.test_failover, ReplicationGroupId="saas-redis",
          NodeGroupId="0001")
    fails("InvalidParameterCombination", walk.of("elasticache").test_failover,
          ReplicationGroupId="codeguardians-gateway-redis", NodeGroupId="0001")


def check_writes_move_the_world(walk):
    ecs = walk.of("ecs")
    before = walk.service("gov-cluster", "gov-backend")
    old = {deployment["id"] for deployment in before["deployments"]}
    definition = ecs.describe_task_definition(taskDefinition=before["taskDefinition"])["taskDefinition"]
    keep = ("family", "containerDefinitions", "networkMode", "requiresCompatibilities", "cpu", "memory",
            "executionRoleArn", "taskRoleArn")
    made = ecs.register_task_definition(**{k: definition[k] for k in keep if k in definition})["taskDefinition"]
    assert made["revision"] == definition["revision"] + 1, made["revision"]
    answer = ecs.update_service(cluster="gov-cluster", service="gov-backend",
                                taskDefinition=made["taskDefinitionArn"])["service"]
    primary = next(d for d in answer["deployments"] if d["status"] == "PRIMARY")
    assert primary["id"] not in old and primary["taskDefinition"] == made["taskDefinitionArn"], primary
    forced = ecs.update_service(cluster="gov-cluster", service="gov-ai-service", forceNewDeployment=True)
    assert any(d["status"] == "ACTIVE" for d in forced["service"]["deployments"]), "nothing was replaced"
    task = ecs.list_tasks(cluster="migrate-cluster")["taskArns"][0]
    stopped = ecs.stop_task(cluster="migrate-cluster", task=task, reason="contract")["task"]
    assert stopped["desiredStatus"] == "STOPPED" and "contract" in stopped["stoppedReason"], stopped
    fails("ServiceNotFoundException", ecs.update_service, cluster="gov-cluster", service="nobody",
          desiredCount=1)
    fails("InvalidParameterException", ecs.stop_task, cluster="gov-cluster", task="0" * 32)


def check_secrets_and_their_pages(walk):
    secrets = walk.of("secretsmanager")
    whole = [s for p in walk.pages("secretsmanager", "list_secrets") for s in p["SecretList"]]
    ones = walk.pages("secretsmanager", "list_secrets", size=1)
    assert [s["ARN"] for p in ones for s in p["SecretList"]] == [s["ARN"] for s in whole]
    assert len(ones) == len(whole) >= 8, (len(ones), len(whole))
    named = secrets.list_secrets(Filters=[{"Key": "name", "Values": ["codeguardians-gateway/"]}])["SecretList"]
    assert len(named) == 4, [s["Name"] for s in named]
    for secret in whole:
        found = secrets.describe_secret(SecretId=secret["ARN"])
        staged = [stage for stages in found["VersionIdsToStages"].values() for stage in stages]
        assert staged.count("AWSCURRENT") == 1, found
        versions = secrets.list_secret_version_ids(SecretId=secret["Name"], IncludeDeprecated=True)["Versions"]
        assert {v["VersionId"] for v in versions} >= set(found["VersionIdsToStages"]), versions
    fails("ResourceNotFoundException", secrets.describe_secret, SecretId="nobody")
    fails("InvalidNextTokenException", secrets.list_secrets, NextToken="?")
    # No value exists in the simulator, and none may come to be relied on.
    fails("AccessDeniedException", secrets.get_secret_value, SecretId=whole[0]["ARN"])


def check_a_rotation_to_its_end(walk):
    secrets = walk.of("secretsmanager")
    name = "codeguardians-gateway/production/redis"
    begun = secrets.rotate_secret(SecretId=name)["VersionId"]
    found = secrets.describe_secret(SecretId=name)
    assert found["VersionIdsToStages"][begun] == ["AWSPENDING"], found["VersionIdsToStages"]
    fails("InvalidRequestException", secrets.rotate_secret, SecretId=name)
    end = time.monotonic() + 60
    while secrets.describe_secret(SecretId=name)["VersionIdsToStages"].get(begun) != ["AWSCURRENT"]:
        assert time.monotonic() < end, "the rotation does not end"
        time.sleep(1)
    fails("InvalidRequestException", secrets.rotate_secret, SecretId="JWT_SECRET")


def check_secrets_are_written(walk):
    secrets = walk.of("secretsmanager")
    made = secrets.create_secret(Name="contract/made", SecretString='{"a": 1}', Tags=[{"Key": "k", "Value": "v"}])
    first = made["VersionId"]
    second = secrets.put_secret_value(SecretId=made["ARN"], SecretString='{"b": 1}')["VersionId"]
    secrets.update_secret_version_stage(
        SecretId=made["ARN"], VersionStage="AWSCURRENT", MoveToVersionId=first, RemoveFromVersionId=second)
    stages = secrets.describe_secret(SecretId="contract/made")["VersionIdsToStages"]
    assert stages == {first: ["AWSCURRENT"], second: ["AWSPREVIOUS"]}, stages
    secrets.update_secret(SecretId="contract/made", Description="changed")
    secrets.delete_secret(SecretId="contract/made", RecoveryWindowInDays=7)
    assert "DeletedDate" in secrets.describe_secret(SecretId="contract/made")
    secrets.restore_secret(SecretId="contract/made")
    secrets.delete_secret(SecretId="contract/made", ForceDeleteWithoutRecovery=True)
    fails("ResourceNotFoundException", secrets.describe_secret, SecretId="contract/made")
    cancelled = secrets.cancel_rotate_secret(SecretId="DB_PASS")
    assert cancelled["Name"] == "DB_PASS", cancelled
    assert secrets.describe_secret(SecretId="DB_PASS")["RotationEnabled"] is False


def check_parameters(walk):
    ssm = walk.of("ssm", "me-south-1")
    whole = [p["Name"] for page in walk.pages("ssm", "describe_parameters", "me-south-1") for p in page["Parameters"]]
    ones = walk.pages("ssm", "describe_parameters", "me-south-1", size=1)
    assert [p["Name"] for page in ones for p in page["Parameters"]] == whole and len(whole) >= 4, whole
    under = ssm.describe_parameters(
        ParameterFilters=[{"Key": "Path", "Option": "Recursive", "Values": ["/saas"]}])["Parameters"]
    assert len(under) == len(whole), under
    fails("AccessDeniedException", ssm.get_parameters, Names=[whole[0]], WithDecryption=True)


def check_the_event_history(walk):
    trail = walk.of("cloudtrail")
    events = [e for p in walk.pages("cloudtrail", "lookup_events") for e in p["Events"]]
    ones = [e for p in walk.pages("cloudtrail", "lookup_events", size=3) for e in p["Events"]]
    ids = [event["EventId"] for event in events]
    assert len(set(ids)) == len(ids) > 5 and [e["EventId"] for e in ones][-len(ids):] == ids, ids
    times = [event["EventTime"] for event in events]
    assert times == sorted(times, reverse=True), "not newest first"
    for event in events:
        inner = json.loads(event["CloudTrailEvent"])
        assert inner["eventID"] == event["EventId"] and inner["eventName"] == event["EventName"], inner
        assert inner["readOnly"] is False and inner["userIdentity"], inner
    updates = trail.lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "UpdateService"}])["Events"]
    assert updates and all(event["EventName"] == "UpdateService" for event in updates)
    fails("InvalidLookupAttributesException", trail.lookup_events,
          LookupAttributes=[{"AttributeKey": key, "AttributeValue": "x"} for key in ("EventName", "Username")])


def answered(judge, operations, shapes):
    """Each of these operations was answered at least once."""
    missing = sorted(name for name in operations
                     if not {f"{name}Response", shapes.get(name)} & set(judge.judged))
    assert not missing, f"never answered: {', '.join(missing)}"


def judged(judge):
    answered(judge, OPERATIONS, SHAPES)
    assert not judge.findings, "\n".join(judge.findings)
