"""The verbs of triage against an emulator: what boto3 reads of databases, caches, secrets, parameters, alarms and
metrics is what opsdeck has to show; a call that the emulator refuses to boto3 too has to stand in `failures`.
"""

import time
from datetime import datetime, timedelta, timezone

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from emulators import read_stamp, stamp
from harness import Opsdeck, same

VALUE = "do-not-show-me-either"
REGION = "eu-west-2"
MANY = "us-west-2"

# Answers that boto3, which takes a time in any spelling, reads and AWS's SDK for Rust does not.
SPELT_OTHERWISE = {("ministack", "elasticache:DescribeEvents")}


def answers(call, **arguments):
    """Whether the emulator answers boto3."""
    try:
        call(**arguments)
    except (ClientError, BotoCoreError, ResponseParserError):
        # The last one: a web page where XML was due, which is how moto says that it does not know a call.
        return False
    return True


def shown(emulator, calls, *words, region=REGION, kinds=("unsupported", "invalid", "server")):
    """The items of a verb. `calls` are the actions it needs, each with the call of boto3: what fails here has to fail
    there too, and be said, as one of `kinds`."""
    outcome = emulator.opsdeck(region).run(*words, "--output", "json", expect=None)
    envelope = outcome.json()
    refused = {action for action, call in calls.items() if not answers(*call[:1], **call[1])}
    said = {failure["action"] for failure in envelope["failures"]}
    garbled = {failure["action"] for failure in envelope["failures"] if failure["kind"] == "garbled"}
    refused |= {action for action in garbled if (emulator.name, action) in SPELT_OTHERWISE}
    assert said <= refused, f"opsdeck misses {said - refused}, boto3 does not: {outcome}"
    assert outcome.code == (6 if said else 0), outcome
    assert envelope["complete"] == (not said), outcome
    for failure in envelope["failures"]:
        assert failure["kind"] in kinds or failure["action"] in garbled, failure
    return envelope["items"]


def of_rds(emulator, region):
    rds = emulator.boto3("rds", region)
    return {
        "rds:DescribeDBInstances": (rds.describe_db_instances, {}),
        "rds:DescribeDBClusters": (rds.describe_db_clusters, {}),
        "rds:DescribeEvents": (rds.describe_events, {"Duration": 60}),
        "rds:DescribePendingMaintenanceActions": (rds.describe_pending_maintenance_actions, {}),
    }


def create_database(rds, name, **more):
    settings = {"Engine": "postgres", "EngineVersion": "15.4", "DBInstanceClass": "db.t3.medium",
                "MasterUsername": "owner", "MasterUserPassword": VALUE, "AllocatedStorage": 20}
    rds.create_db_instance(DBInstanceIdentifier=name, **{**settings, **more})


def instances(emulator, region):
    pages = emulator.boto3("rds", region).get_paginator("describe_db_instances").paginate()
    return [instance for page in pages for instance in page["DBInstances"]]


def database_ours(item):
    return {"arn": item["arn"], "status": item["status"], "engine": item["engine"],
            "version": item["engine_version"], "class": item["class"], "multi_az": item["multi_az"],
            "zone": item["zone"], "storage": item["allocated_gib"], "retention": item["backup_retention_days"],
            "encrypted": item["encrypted"], "protected": item["deletion_protection"], "host": item["host"],
            "port": item["port"], "source": item["source"], "replicas": sorted(item["replicas"]),
            "created": read_stamp(item["created_at"]), "window": item["maintenance_window"],
            "groups": item["parameter_groups"]}


def database_theirs(instance):
    endpoint = instance.get("Endpoint", {})
    return {"arn": instance["DBInstanceArn"], "status": instance["DBInstanceStatus"],
            "engine": instance["Engine"], "version": instance["EngineVersion"],
            "class": instance["DBInstanceClass"], "multi_az": instance["MultiAZ"],
            "zone": instance.get("AvailabilityZone"), "storage": instance["AllocatedStorage"],
            "retention": instance["BackupRetentionPeriod"], "encrypted": instance["StorageEncrypted"],
            "protected": instance["DeletionProtection"], "host": endpoint.get("Address"),
            "port": endpoint.get("Port"), "source": instance.get("ReadReplicaSourceDBInstanceIdentifier"),
            "replicas": sorted(instance["ReadReplicaDBInstanceIdentifiers"]),
            "created": stamp(instance.get("InstanceCreateTime")),
            "window": instance.get("PreferredMaintenanceWindow"),
            "groups": {g["DBParameterGroupName"]: g["ParameterApplyStatus"]
                       for g in instance.get("DBParameterGroups", [])}}


def check_databases(emulator):
    rds = emulator.boto3("rds", REGION)
    create_database(rds, "cma-production", DBInstanceClass="db.r6g.large", MultiAZ=True, StorageEncrypted=True,
                    DeletionProtection=True, BackupRetentionPeriod=30, AllocatedStorage=100,
                    PreferredMaintenanceWindow="sun:04:00-sun:05:00", PreferredBackupWindow="02:00-03:00",
                    Tags=[{"Key": "system", "Value": "cma"}])
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier="cma-read-replica", SourceDBInstanceIdentifier="cma-production",
        DBInstanceClass="db.t3.medium")
    items = shown(emulator, of_rds(emulator, REGION), "rds", "--no-metrics")
    same("databases", {i["name"]: database_ours(i) for i in items if i["kind"] == "instance"},
         {i["DBInstanceIdentifier"]: database_theirs(i) for i in instances(emulator, REGION)})
    names = [item["name"] for item in items]
    assert names.index("cma-production") < names.index("cma-read-replica"), names
    said = emulator.opsdeck(REGION).run("rds", "--output", "json", expect=None).out
    assert VALUE not in said, "a password is shown"


def check_fifty_databases(emulator):
    rds = emulator.boto3("rds", MANY)
    for number in range(50):
        create_database(rds, f"many-{number:02}")
    items = shown(emulator, of_rds(emulator, MANY), "rds", "--no-metrics", region=MANY)
    names = [item["name"] for item in items if item["kind"] == "instance"]
    assert sorted(names) == sorted(i["DBInstanceIdentifier"] for i in instances(emulator, MANY)), names
    assert len(set(names)) >= 50, len(names)


def check_databases_by_name(emulator):
    opsdeck = emulator.opsdeck(REGION)
    arn = next(i["DBInstanceArn"] for i in instances(emulator, REGION)
               if i["DBInstanceIdentifier"] == "cma-production")
    for name in ("cma-production", arn):
        outcome = opsdeck.run("rds", name, "--no-metrics", "--output", "json", expect=None)
        [item] = outcome.items()
        assert item["arn"] == arn, outcome
    lost = opsdeck.run("rds", "cma-prodution", "--no-metrics", expect=None)
    # Where a list could not be read, "not found" would be a guess.
    assert lost.code in (3, 1), lost
    assert lost.code == 1 or "cma-production" in lost.err, lost


def check_numbers_of_databases(emulator):
    """moto does not speak CBOR, which is the client's protocol: that is said, and the database is shown without."""
    outcome = emulator.opsdeck(REGION).run("rds", "--output", "json", expect=None)
    said = {f["action"]: f["kind"] for f in outcome.json()["failures"]}
    if emulator.name == "moto":
        assert said.get("cloudwatch:GetMetricData") == "unsupported", outcome
    else:
        assert "cloudwatch:GetMetricData" not in said, outcome
    assert "cma-production" in {item["name"] for item in outcome.items()}, outcome


def check_caches(emulator):
    cache = emulator.boto3("elasticache", REGION)
    cache.create_replication_group(
        ReplicationGroupId="cma-redis", ReplicationGroupDescription="sessions", Engine="redis",
        CacheNodeType="cache.t4g.micro", NumCacheClusters=2, AutomaticFailoverEnabled=True,
        TransitEncryptionEnabled=True, AtRestEncryptionEnabled=True, SnapshotRetentionLimit=7)
    calls = {
        "elasticache:DescribeReplicationGroups": (cache.describe_replication_groups, {}),
        "elasticache:DescribeCacheClusters": (cache.describe_cache_clusters, {"ShowCacheNodeInfo": True}),
        "elasticache:DescribeEvents": (cache.describe_events, {"Duration": 60}),
    }
    items = shown(emulator, calls, "cache", "--no-metrics")
    groups = cache.describe_replication_groups()["ReplicationGroups"]
    same("replication groups",
         {i["name"]: (i["arn"], i["status"], i["node_type"], i["automatic_failover"], i["snapshot_retention_days"],
                      i["transit_encryption"], i["at_rest_encryption"], sorted(n["cluster"] for n in i["nodes"]))
          for i in items if i["kind"] == "replication_group"},
         {g["ReplicationGroupId"]: (
             g.get("ARN", ""), g["Status"], g.get("CacheNodeType"), g.get("AutomaticFailover"),
             g.get("SnapshotRetentionLimit", 0), g.get("TransitEncryptionEnabled", False),
             g.get("AtRestEncryptionEnabled", False),
             sorted(m["CacheClusterId"] for n in g.get("NodeGroups", []) for m in n["NodeGroupMembers"]))
          for g in groups})
    clusters = cache.describe_cache_clusters(ShowCacheNodeInfo=True)["CacheClusters"]
    alone = {c["CacheClusterId"]: c["CacheClusterStatus"] for c in clusters if not c.get("ReplicationGroupId")}
    same("caches that stand alone", {i["name"]: i["status"] for i in items if i["kind"] == "cluster"}, alone)


def secrets(emulator, region):
    pages = emulator.boto3("secretsmanager", region).get_paginator("list_secrets").paginate(
        IncludePlannedDeletion=True)
    return [secret for page in pages for secret in page["SecretList"]]


def secret_ours(item):
    return {"arn": item["arn"], "description": item["description"] or "",
            "versions": {v["id"]: sorted(v["stages"]) for v in item["versions"]},
            "deleted": read_stamp(item["deleted_at"]), "changed": read_stamp(item["last_changed"]),
            "rotation": item["rotation_enabled"], "tags": item["tags"]}


def secret_theirs(secret):
    return {"arn": secret["ARN"], "description": secret.get("Description", ""),
            "versions": {v: sorted(s) for v, s in secret.get("SecretVersionsToStages", {}).items()},
            "deleted": stamp(secret.get("DeletedDate")), "changed": stamp(secret.get("LastChangedDate")),
            "rotation": secret.get("RotationEnabled", False),
            "tags": {t["Key"]: t["Value"] for t in secret.get("Tags", [])}}


def check_secrets(emulator):
    manager = emulator.boto3("secretsmanager", "us-east-1")
    for name in ("codeguardians-gateway/production", "codeguardians-gateway/production/database"):
        manager.create_secret(Name=name, SecretString=VALUE, Description="of the gateway",
                              Tags=[{"Key": "team", "Value": "guardians"}])
    manager.put_secret_value(SecretId="codeguardians-gateway/production/database", SecretString=VALUE + "-2")
    manager.create_secret(Name="gone", SecretString=VALUE)
    manager.delete_secret(SecretId="gone", RecoveryWindowInDays=7)
    for number in range(120):
        manager.create_secret(Name=f"many/{number:03}", SecretString=VALUE)
    calls = {"secretsmanager:ListSecrets": (manager.list_secrets, {})}
    items = shown(emulator, calls, "secrets", "--kind", "secret", region="us-east-1")
    same("secrets", {i["name"]: secret_ours(i) for i in items},
         {s["Name"]: secret_theirs(s) for s in secrets(emulator, "us-east-1")})
    assert len(items) >= 123, len(items)
    said = emulator.opsdeck("us-east-1").run("secrets", "--kind", "secret", "--output", "json")
    assert VALUE not in said.out, "a value is shown"
    some = emulator.opsdeck("us-east-1").items(
        "secrets", "--kind", "secret", "--prefix", "codeguardians-gateway/")
    assert len(some) == 2, some


def check_secrets_and_their_readers(emulator):
    """Seven containers are given its name in `environment`."""
    [item] = emulator.opsdeck("us-east-1").items(
        "secrets", "codeguardians-gateway/production", "--kind", "secret")
    readers = {(r["cluster"], r["service"], r["container"], r["how"]) for r in item["consumers"]}
    due = {("codeguardians-gateway", "gateway-service", name, "by_name")
           for name in ("gateway", "tokenguard", "trustguard", "contextguard", "biasguard", "securityguard",
                        "healthguard")}
    same("readers", readers, due)


def check_parameters(emulator):
    ssm = emulator.boto3("ssm", REGION)
    for number in range(60):
        kind = "SecureString" if number % 2 else "String"
        ssm.put_parameter(Name=f"/cma/production/{number:02}", Value=VALUE, Type=kind)
    ssm.put_parameter(Name="/cma/production/00", Value=VALUE, Type="String", Overwrite=True)
    calls = {"ssm:DescribeParameters": (ssm.describe_parameters, {})}
    items = shown(emulator, calls, "secrets", "--kind", "parameter", "--prefix", "/cma/")
    pages = ssm.get_paginator("describe_parameters").paginate()
    theirs = {p["Name"]: (p["Type"], p["Version"], stamp(p["LastModifiedDate"]))
              for page in pages for p in page["Parameters"] if p["Name"].startswith("/cma/")}
    same("parameters", {i["name"]: (i["parameter_type"], i["parameter_version"], read_stamp(i["last_changed"]))
                        for i in items}, theirs)
    assert len(items) == 60, len(items)


def alarm_ours(item):
    return {"arn": item["arn"], "state": item["state"], "threshold": item["threshold"],
            "metric": item["metric"], "dimensions": item["dimensions"], "enabled": item["actions_enabled"],
            "actions": item["actions"], "kind": item["kind"]}


def alarm_theirs(alarm, kind):
    return {"arn": alarm["AlarmArn"], "state": alarm["StateValue"], "threshold": alarm.get("Threshold"),
            "metric": alarm.get("MetricName"),
            "dimensions": {d["Name"]: d["Value"] for d in alarm.get("Dimensions", [])},
            "enabled": alarm.get("ActionsEnabled", True), "actions": alarm.get("AlarmActions", []), "kind": kind}


def check_alarms(emulator):
    """Over CBOR: ministack speaks it, and what moto does not know is said."""
    opsdeck, watch = emulator.opsdeck(REGION), emulator.boto3("cloudwatch", REGION)
    if emulator.name == "moto":
        outcome = opsdeck.run("alarms", "--output", "json", expect=1)
        [failure] = outcome.json()["failures"]
        assert (failure["kind"], failure["action"]) == ("unsupported", "cloudwatch:DescribeAlarms"), failure
        return
    for number in range(120):
        watch.put_metric_alarm(
            AlarmName=f"cma-{number:03}", Namespace="AWS/ECS", MetricName="CPUUtilization", Statistic="Average",
            Dimensions=[{"Name": "ClusterName", "Value": "cma-production"},
                        {"Name": "ServiceName", "Value": "cma-api-production"}],
            Period=60, EvaluationPeriods=3, Threshold=80.0, ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[f"arn:aws:sns:{REGION}:123456789012:on-call"])
    watch.put_composite_alarm(AlarmName="cma-users-notice", AlarmRule='ALARM("cma-000") OR ALARM("cma-001")')
    watch.set_alarm_state(AlarmName="cma-000", StateValue="ALARM", StateReason="said by hand")
    ours = {i["name"]: alarm_ours(i) for i in opsdeck.items("alarms")}
    theirs = {}
    for page in watch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"]):
        theirs.update({a["AlarmName"]: alarm_theirs(a, "metric") for a in page["MetricAlarms"]})
        theirs.update({a["AlarmName"]: alarm_theirs(a, "composite") for a in page["CompositeAlarms"]})
    same("alarms", ours, theirs)
    assert len(ours) >= 121, len(ours)
    [first, *_] = opsdeck.items("alarms")
    assert first["state"] == "ALARM", first
    [one] = opsdeck.items("alarms", "cma-000")
    assert one["watches"] == [{"kind": "service", "name": "cma-production/cma-api-production"}], one
    history = watch.describe_alarm_history(AlarmName="cma-000", ScanBy="TimestampDescending")["AlarmHistoryItems"]
    same("history", [flip["kind"] for flip in one["history"]], [h["HistoryItemType"] for h in history])
    firing = opsdeck.items("alarms", "--state", "alarm")
    assert all(alarm["state"] == "ALARM" for alarm in firing) and firing, firing
    # A state filters what is printed, not what is known of the children.
    whole = next(alarm for alarm in opsdeck.items("alarms") if alarm["name"] == "cma-users-notice")
    state = whole["state"].lower().replace("_", "-")
    [notice] = opsdeck.items("alarms", "cma-users-notice", "--state", state)
    same("a composite alarm", (notice["children"], notice["watches"]), (["cma-000", "cma-001"], one["watches"]))


def check_metrics(emulator):
    opsdeck, watch = emulator.opsdeck(REGION), emulator.boto3("cloudwatch", REGION)
    if emulator.name == "moto":
        outcome = opsdeck.run("metrics", "cma-api-production", "--output", "json", expect=None)
        said = {(f["action"], f["kind"]) for f in outcome.json()["failures"]}
        assert ("cloudwatch:GetMetricData", "unsupported") in said, outcome
        return
    whose = [{"Name": "ClusterName", "Value": "cma-production"},
             {"Name": "ServiceName", "Value": "cma-api-production"}]
    end = datetime.now(timezone.utc).replace(second=0, microsecond=0)
    for minutes in range(2, 40):
        watch.put_metric_data(Namespace="AWS/ECS", MetricData=[{
            "MetricName": "CPUUtilization", "Dimensions": whose, "Value": 10.0 + minutes,
            "Timestamp": end - timedelta(minutes=minutes)}])
    items = opsdeck.items("metrics", "cma-api-production", "--since", "1h")
    [ours] = [i for i in items if (i["metric"], i["stat"]) == ("CPUUtilization", "Average")]
    query = {"Id": "m", "MetricStat": {"Metric": {
        "Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Dimensions": whose}, "Period": 60,
        "Stat": "Average"}}
    theirs = watch.get_metric_data(MetricDataQueries=[query], StartTime=end - timedelta(hours=1), EndTime=end,
                                   ScanBy="TimestampAscending")["MetricDataResults"][0]
    same("numbers", [(read_stamp(p["at"]), p["value"]) for p in ours["points"]],
         [(stamp(at), value) for at, value in zip(theirs["Timestamps"], theirs["Values"])])
    assert len(ours["points"]) >= 35, len(ours["points"])


def check_changes(emulator):
    """What was just made is told; what the emulator does not tell is said."""
    begun = time.time()
    manager = emulator.boto3("secretsmanager", REGION)
    manager.create_secret(Name="cma/changes", SecretString=VALUE)
    calls = {
        "secretsmanager:ListSecrets": (manager.list_secrets, {}),
        "ssm:DescribeParameters": (emulator.boto3("ssm", REGION).describe_parameters, {}),
        "cloudtrail:LookupEvents": (emulator.boto3("cloudtrail", REGION).lookup_events, {}),
    }
    items = shown(emulator, calls, "changes", "--kind", "secret", "--since", "10m")
    [own] = [i for i in items if i["name"] == "cma/changes" and i["source"] == "secrets"]
    assert abs(read_stamp(own["at"]) - begun) < 30, own
    times = [item["at"] for item in items]
    assert times == sorted(times, reverse=True), "not newest first"
    assert VALUE not in str(items), "a value is shown"


def check_changes_that_are_no_longer_kept(emulator):
    outcome = emulator.opsdeck(REGION).run(
        "changes", "--kind", "database", "--since", "15d", "--output", "json", expect=None)
    said = [f["message"] for f in outcome.json()["failures"] if f["action"] == "rds:DescribeEvents"]
    assert "RDS keeps events for 14 days: what is older is missing" in said, outcome
    assert outcome.code != 0 and not outcome.json()["complete"], outcome


def check_databases_and_what_could_not_be_read_of_one(emulator):
    """Null where the emulator does not answer boto3 either, and a list or an object where it does."""
    rds = emulator.boto3("rds", REGION)
    calls = of_rds(emulator, REGION)
    group = next(i["DBParameterGroups"] for i in instances(emulator, REGION)
                 if i["DBInstanceIdentifier"] == "cma-production")
    for one in group:
        calls["rds:DescribeDBParameters"] = (
            rds.describe_db_parameters, {"DBParameterGroupName": one["DBParameterGroupName"]})
    [item] = shown(emulator, calls, "rds", "cma-production", "--no-metrics",
                   kinds=("unsupported", "invalid", "server", "not_found"))
    fields = {"events": "rds:DescribeEvents", "maintenance": "rds:DescribePendingMaintenanceActions"}
    if group:
        fields["parameters"] = "rds:DescribeDBParameters"
    for field, action in fields.items():
        call, arguments = calls[action]
        same(f"whether {field} are known", item[field] is not None, answers(call, **arguments))


def check_databases_of_one_name_in_two_regions(emulator):
    for region in (REGION, MANY):
        create_database(emulator.boto3("rds", region), "twin")
    both = ["--region", f"{REGION},{MANY}"]
    for words in (["rds", "twin", "--no-metrics"], ["metrics", "twin", "--of", "database"]):
        outcome = emulator.opsdeck(REGION).run(*words, *both, expect=2)
        assert not outcome.out and "is ambiguous: 2 have this name" in outcome.err, outcome
        assert all(f":{region}:" in outcome.err for region in (REGION, MANY)), outcome


def check_the_fleet(emulator):
    """Nothing is called well where something could not be read, and all that is read is judged or counted."""
    cache, manager = emulator.boto3("elasticache", REGION), emulator.boto3("secretsmanager", REGION)
    watch, scaling = emulator.boto3("cloudwatch", REGION), emulator.boto3("application-autoscaling", REGION)
    calls = {
        **of_rds(emulator, REGION),
        "elasticache:DescribeReplicationGroups": (cache.describe_replication_groups, {}),
        "elasticache:DescribeCacheClusters": (cache.describe_cache_clusters, {}),
        "elasticache:DescribeEvents": (cache.describe_events, {"Duration": 60}),
        "secretsmanager:ListSecrets": (manager.list_secrets, {}),
        "application-autoscaling:DescribeScalableTargets": (
            scaling.describe_scalable_targets, {"ServiceNamespace": "ecs"}),
        "cloudwatch:DescribeAlarms": (watch.describe_alarms, {}),
    }
    if emulator.name == "moto":
        # It knows the call, but not in CBOR, which is the client's protocol.
        outcome = emulator.opsdeck(REGION).run("fleet", "--no-metrics", "--output", "json", expect=6)
        said = {failure["action"] for failure in outcome.json()["failures"]}
        refused = {action for action, call in calls.items() if not answers(*call[:1], **call[1])}
        assert said <= refused | {"cloudwatch:DescribeAlarms"}, outcome
        rules = {item["rule"] for item in outcome.items()}
        assert "coverage.unwatched" not in rules, "no alarm was read, so what none watches is not known"
    else:
        # ministack answers autoscaling with "Error", which tells nobody what is wrong.
        shown(emulator, calls, "fleet", "--no-metrics", kinds=("unsupported", "invalid", "server", "unknown"))
    text = emulator.opsdeck(REGION).run("fleet", "--no-metrics", expect=None)
    assert ("Nothing is wrong." in text.out) <= (text.code == 0), text
    assert "Nothing could be read" not in text.out and "Healthy: " in text.out, text
    nowhere = Opsdeck(emulator.binary, "http://127.0.0.1:9", REGION).run("fleet", "--no-metrics", expect=5)
    assert nowhere.out.startswith("Nothing could be read, so what is wrong is not known: "), nowhere


def check_whether_the_next_task_would_start(emulator):
    """Images, log groups and roles: what boto3 does not find blocks, what it is refused is not verified."""
    outcome = emulator.opsdeck(REGION).run(
        "check", "cma-production/cma-api-production", "--output", "json", expect=None)
    envelope = outcome.json()
    checks = {check["what"]: check for check in envelope["items"]}
    image = checks["image of api"]
    ecr = emulator.boto3("ecr", REGION)
    found = answers(ecr.describe_images, repositoryName="cma-api", imageIds=[{"imageTag": "4f2a9c1"}])
    assert image["verdict"] == ("pass" if found else "block"), image
    groups = emulator.boto3("logs", REGION).describe_log_groups(logGroupNamePrefix="/ecs/cma-api")["logGroups"]
    there = any(group["logGroupName"] == "/ecs/cma-api" for group in groups)
    same("log group", checks["log group of api"]["verdict"], "pass" if there else "block")
    unknown = [check for check in checks.values() if check["verdict"] == "not_verified"]
    assert bool(unknown) <= bool(envelope["failures"]), outcome
    blocked = any(check["verdict"] == "block" for check in checks.values())
    assert outcome.code == (20 if blocked else 6 if envelope["failures"] else 0), outcome
