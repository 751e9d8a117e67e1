"""boto3 changes things in the simulator, and watches what comes of it; botocore's models judge the answers."""

import datetime
import time

from harness import client
from simulator import PROTOCOLS, answered, fails

# What the simulator has to know beside what `simulator` walks.
OPERATIONS = {
    "RunTask", "DeregisterTaskDefinition", "StopServiceDeployment", "ContinueServiceDeployment",
    "PutParameter", "CreateDBSnapshot", "DescribeDBSnapshots", "DescribeDBClusterSnapshots",
    "GetAlarmMuteRule", "ListAlarmMuteRules",
}

# What botocore calls the shape of an operation's answer, where it is not the operation's name.
SHAPES = {
    "PutParameter": "PutParameterResult",
    "CreateDBSnapshot": "CreateDBSnapshotResult",
    "DescribeDBSnapshots": "DBSnapshotMessage",
    "DescribeDBClusterSnapshots": "DBClusterSnapshotMessage",
    "GetAlarmMuteRule": "GetAlarmMuteRuleOutput",
    "ListAlarmMuteRules": "ListAlarmMuteRulesOutput",
}

CLUSTER = {"cluster": "migrate-cluster"}


def until(due, read, seconds=120):
    """What `read` gives once `due` holds of it."""
    end = time.monotonic() + seconds
    while True:
        found = read()
        if due(found):
            return found
        assert time.monotonic() < end, f"still {found}"
        time.sleep(1)


def first_service(walk):
    ecs = walk.of("ecs")
    arn = ecs.list_services(**CLUSTER)["serviceArns"][0]
    return ecs.describe_services(**CLUSTER, services=[arn])["services"][0]


def check_a_task_of_ones_own(walk):
    ecs, service = walk.of("ecs"), first_service(walk)
    container = ecs.describe_task_definition(
        taskDefinition=service["taskDefinition"])["taskDefinition"]["containerDefinitions"][0]["name"]
    ask = {
        **CLUSTER, "taskDefinition": service["taskDefinition"], "launchType": "FARGATE", "startedBy": "contract",
        "networkConfiguration": service["networkConfiguration"], "clientToken": "contract-1",
        "overrides": {"containerOverrides": [{"name": container, "command": ["sh", "-c", "echo hello; exit 7"]}]},
        "tags": [{"key": "a", "value": "b"}],
    }
    made = ecs.run_task(**ask)
    assert made["failures"] == [] and len(made["tasks"]) == 1, made
    arn = made["tasks"][0]["taskArn"]
    assert ecs.run_task(**ask)["tasks"][0]["taskArn"] == arn, "a token that makes two tasks"
    fails("ConflictException", ecs.run_task, **{**ask, "startedBy": "another"})
    assert ecs.list_tasks(**CLUSTER, startedBy="contract")["taskArns"] == [arn]
    fails("InvalidParameterException", ecs.run_task, **CLUSTER, taskDefinition=service["taskDefinition"])
    task = until(lambda found: found["lastStatus"] == "STOPPED", lambda: ecs.describe_tasks(
        **CLUSTER, tasks=[arn], include=["TAGS"])["tasks"][0])
    ended = next(one for one in task["containers"] if one["name"] == container)
    assert ended["exitCode"] == 7 and task["stopCode"] == "EssentialContainerExited", task
    assert task["tags"] == ask["tags"], task["tags"]


def check_definitions_are_kept_and_put_away(walk):
    ecs = walk.of("ecs")
    made = ecs.register_task_definition(
        family="contract-job", cpu="256", memory="512", networkMode="awsvpc", requiresCompatibilities=["FARGATE"],
        containerDefinitions=[{"name": "job", "image": "alpine:3"}], tags=[{"key": "a", "value": "b"}])
    assert made["tags"] == [{"key": "a", "value": "b"}], made
    arn = made["taskDefinition"]["taskDefinitionArn"]
    assert ecs.deregister_task_definition(taskDefinition=arn)["taskDefinition"]["status"] == "INACTIVE"
    fails("ClientException", ecs.register_task_definition, family="contract-job", containerDefinitions=[])
    service = first_service(walk)
    fails("ClientException", ecs.update_service, **CLUSTER, service=service["serviceName"], taskDefinition=arn)


def check_a_deployment_is_stopped_and_another_waits_at_a_hook(walk):
    # A service that nothing else deploys: the time lines of other systems do.
    ecs, where = walk.of("ecs", "eu-west-2"), {"cluster": "cma-production", "service": "cma-api-production"}
    service = ecs.describe_services(cluster=where["cluster"], services=[where["service"]])["services"][0]
    fails("ConflictException", ecs.stop_service_deployment,
          serviceDeploymentArn=service["currentServiceDeployment"])

    def status(arn):
        return ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]

    stopped = ecs.update_service(**where, forceNewDeployment=True)["service"]["currentServiceDeployment"]
    assert ecs.stop_service_deployment(serviceDeploymentArn=stopped)["serviceDeploymentArn"] == stopped
    assert status(stopped)["rollback"]["serviceRevisionArn"] == service["currentServiceRevisions"][0]["arn"]
    paused = ecs.update_service(**where, forceNewDeployment=True, deploymentConfiguration={
        "lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}],
    })["service"]["currentServiceDeployment"]
    waiting = until(lambda found: found.get("lifecycleHookDetails"), lambda: status(paused))
    hook = waiting["lifecycleHookDetails"][0]
    assert hook["status"] == "AWAITING_ACTION" and hook["timeoutAction"] == "ROLLBACK", hook
    fails("InvalidParameterException", ecs.continue_service_deployment, serviceDeploymentArn=paused, hookId="x")
    ecs.continue_service_deployment(serviceDeploymentArn=paused, hookId=hook["hookId"], action="ROLLBACK")
    ecs.update_service(**where, deploymentConfiguration={"lifecycleHooks": []})


def check_parameters_are_written(walk):
    ssm = walk.of("ssm", "me-south-1")
    made = ssm.put_parameter(Name="/contract/limit", Value="1", Type="String")
    assert made["Version"] == 1 and made["Tier"] == "Standard", made
    fails("ParameterAlreadyExists", ssm.put_parameter, Name="/contract/limit", Value="2", Type="String")
    assert ssm.put_parameter(Name="/contract/limit", Value="2", Overwrite=True)["Version"] == 2
    found = ssm.describe_parameters(
        ParameterFilters=[{"Key": "Name", "Values": ["/contract/limit"]}])["Parameters"]
    assert [p["Version"] for p in found] == [2], found


def check_a_value_is_put_once(walk):
    secrets, token = walk.of("secretsmanager"), "contract-0f0e0d0c-0b0a-4908-8706-05"
    made = secrets.create_secret(Name="contract/once", SecretString="a")["ARN"]
    put = {"SecretId": made, "ClientRequestToken": token, "SecretString": "b"}
    assert secrets.put_secret_value(**put)["VersionStages"] == secrets.put_secret_value(**put)["VersionStages"]
    fails("ResourceExistsException", secrets.put_secret_value, **{**put, "SecretString": "c"})
    fails("InvalidParameterException", secrets.update_secret_version_stage, SecretId=made,
          VersionStage="AWSCURRENT", RemoveFromVersionId=token)
    secrets.delete_secret(SecretId=made, ForceDeleteWithoutRecovery=True)


def check_a_snapshot_is_made(walk):
    rds = walk.of("rds")
    made = rds.create_db_snapshot(DBSnapshotIdentifier="contract", DBInstanceIdentifier="migrate-db",
                                  Tags=[{"Key": "a", "Value": "b"}])["DBSnapshot"]
    assert made["Status"] == "creating" and made["TagList"] == [{"Key": "a", "Value": "b"}], made
    fails("DBSnapshotAlreadyExists", rds.create_db_snapshot, DBSnapshotIdentifier="contract",
          DBInstanceIdentifier="migrate-db")
    status = rds.describe_db_instances(DBInstanceIdentifier="migrate-db")["DBInstances"][0]["DBInstanceStatus"]
    assert status == "backing-up", status
    listed = [s for p in walk.pages("rds", "describe_db_snapshots") for s in p["DBSnapshots"]]
    assert {"manual", "automated"} == {s["SnapshotType"] for s in listed}, listed
    fails("DBSnapshotNotFound", rds.describe_db_snapshots, DBSnapshotIdentifier="nothing")
    assert rds.describe_db_cluster_snapshots()["DBClusterSnapshots"] == []


def check_alarms_are_silenced(walk):
    for protocol in PROTOCOLS:
        watch = client("cloudwatch", walk.url, "us-east-1", protocol)
        watch.disable_alarm_actions(AlarmNames=["gov-backend-5xx"])
        found = watch.describe_alarms(AlarmNames=["gov-backend-5xx"])["MetricAlarms"][0]
        assert found["ActionsEnabled"] is False, found
        watch.enable_alarm_actions(AlarmNames=["gov-backend-5xx"])
        now = datetime.datetime.now(datetime.timezone.utc)
        rule = {"Schedule": {"Expression": now.strftime("at(%Y-%m-%dT%H:%M)"), "Duration": "PT1H"}}
        watch.put_alarm_mute_rule(Name="contract", Rule=rule, MuteTargets={"AlarmNames": ["gov-backend-5xx"]},
                                  ExpireDate=now + datetime.timedelta(hours=2))
        found = watch.get_alarm_mute_rule(AlarmMuteRuleName="contract")
        assert found["Status"] == "ACTIVE" and found["Rule"] == rule, found
        listed = watch.list_alarm_mute_rules(AlarmName="gov-backend-5xx")["AlarmMuteRuleSummaries"]
        assert [one["MuteType"] for one in listed] == ["ONE_TIME"], listed
        watch.delete_alarm_mute_rule(AlarmMuteRuleName="contract")
        fails("ResourceNotFoundException", watch.get_alarm_mute_rule, AlarmMuteRuleName="contract")


def judged(judge):
    answered(judge, OPERATIONS, SHAPES)
