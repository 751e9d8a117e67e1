"""opsdeck against an emulator that none of us wrote: what boto3 reads there is what opsdeck has to show, and
what the emulator does not answer has to be said.
"""

import re
import time

from botocore.exceptions import ClientError

import systems
from harness import Opsdeck, client, same


class Emulator:
    def __init__(self, server, binary):
        self.name, self.url, self.binary = server.name, server.url, binary
        run_tasks(self)

    def boto3(self, service, region):
        return client(service, self.url, region)

    def opsdeck(self, region="us-east-1"):
        return Opsdeck(self.binary, self.url, region)

    def services(self, region, cluster):
        ecs = self.boto3("ecs", region)
        arns = [a for p in ecs.get_paginator("list_services").paginate(cluster=cluster)
                for a in p["serviceArns"]]
        found = []
        for at in range(0, len(arns), 10):
            found += ecs.describe_services(cluster=cluster, services=arns[at:at + 10], include=["TAGS"])["services"]
        return found

    def tasks(self, region, cluster, service=None):
        ecs = self.boto3("ecs", region)
        arns = []
        for status in ("RUNNING", "STOPPED"):
            more = {"serviceName": service} if service else {}
            pages = ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=status, **more)
            arns += [arn for page in pages for arn in page["taskArns"]]
        arns = sorted(set(arns))
        if not arns:
            return []
        return ecs.describe_tasks(cluster=cluster, tasks=arns, include=["TAGS"])["tasks"]


ALL = ["--region", ",".join(systems.REGIONS)]


class Moment(float):
    """Seconds; equal to the millisecond, since opsdeck rounds where boto3 keeps microseconds."""

    def __eq__(self, other):
        return isinstance(other, float) and abs(self - other) < 0.0015

    __hash__ = None


def stamp(moment):
    return None if moment is None else Moment(moment.timestamp())


def read_stamp(text):
    from datetime import datetime
    return None if text is None else Moment(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def check_whoami(emulator):
    identity = emulator.boto3("sts", "us-east-1").get_caller_identity()
    [item] = emulator.opsdeck().items("whoami")
    same("identities", {k: item[k] for k in ("account_id", "arn", "user_id")},
         {"account_id": identity["Account"], "arn": identity["Arn"], "user_id": identity["UserId"]})


def check_clusters(emulator):
    ours = {}
    for item in emulator.opsdeck().items("clusters", *ALL):
        ours[item["region"], item["name"]] = {
            "status": item["status"], "services": item["active_services"], "running": item["running_tasks"],
            "pending": item["pending_tasks"], "arn": item["arn"], "tags": item["tags"]}
    theirs = {}
    for region in systems.REGIONS:
        ecs = emulator.boto3("ecs", region)
        found = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"],
                                      include=["TAGS", "STATISTICS", "SETTINGS"])
        for cluster in found["clusters"]:
            theirs[region, cluster["clusterName"]] = {
                "status": cluster["status"], "services": cluster["activeServicesCount"],
                "running": cluster["runningTasksCount"], "pending": cluster["pendingTasksCount"],
                "arn": cluster["clusterArn"], "tags": tags(cluster)}
    same("clusters", ours, theirs)
    assert set(systems.SYSTEMS) <= {name for _, name in ours}, sorted(ours)


def tags(thing):
    return {tag["key"]: tag["value"] for tag in thing.get("tags", [])}


def service_ours(item):
    return {"arn": item["arn"], "status": item["status"], "desired": item["desired"],
            "running": item["running"], "pending": item["pending"],
            "definition": item["task_definition_arn"], "launch": item["launch_type"],
            "exec": item["exec_enabled"], "deployed": read_stamp(item["deployed_at"]),
            "rollout": item["rollout_state"], "tags": item["tags"]}


def service_theirs(service):
    primary = next((d for d in service["deployments"] if d["status"] == "PRIMARY"), {})
    return {"arn": service["serviceArn"], "status": service["status"], "desired": service["desiredCount"],
            "running": service["runningCount"], "pending": service["pendingCount"],
            "definition": service["taskDefinition"], "launch": service.get("launchType"),
            "exec": service.get("enableExecuteCommand", False), "deployed": stamp(primary.get("createdAt")),
            "rollout": primary.get("rolloutState"), "tags": tags(service)}


def check_services(emulator):
    ours = {(i["cluster"], i["name"]): service_ours(i) for i in emulator.opsdeck().items("services", *ALL)}
    theirs = {}
    for cluster, (region, _) in systems.SYSTEMS.items():
        for service in emulator.services(region, cluster):
            theirs[cluster, service["serviceName"]] = service_theirs(service)
    same("services", ours, theirs)
    assert {(c, n) for _, c, n in systems.each_service()} <= set(ours), sorted(ours)


def check_services_as_ndjson_and_table(emulator):
    opsdeck = emulator.opsdeck()
    lines = opsdeck.run("services", *ALL, "--output", "ndjson").lines()
    trailer = lines.pop()
    assert trailer["complete"] and "items" not in trailer, trailer
    table = opsdeck.run("services", *ALL).out
    for _, cluster, name in systems.each_service():
        assert any(line["name"] == name for line in lines), name
        assert re.search(rf"{name}\s+{cluster}", table), f"{name} is not in the table\n{table}"


def check_each_service(emulator):
    for region, cluster, name in systems.each_service():
        [item] = emulator.opsdeck(region).items("service", f"{cluster}/{name}")
        [theirs] = [s for s in emulator.services(region, cluster) if s["serviceName"] == name]
        same(name, service_ours(item), service_theirs(theirs))
        same(f"deployments of {name}",
             [(d["id"], d["status"], d["desired"], d["running"], d["pending"], d["failed_tasks"])
              for d in item["deployments"]],
             [(d["id"], d["status"], d["desiredCount"], d["runningCount"], d["pendingCount"],
               d.get("failedTasks", 0)) for d in theirs["deployments"]])
        same(f"events of {name}", [e["message"] for e in item["events"]],
             [e["message"] for e in theirs.get("events", [])])
        network = theirs.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        same(f"subnets of {name}", item["subnets"], network.get("subnets", []))


def check_names(emulator):
    opsdeck = emulator.opsdeck("eu-west-2")
    [service] = [s for s in emulator.services("eu-west-2", "cma-production")
                 if s["serviceName"] == "cma-api-production"]
    for name in ("cma-api-production", "cma-production/cma-api-production", service["serviceArn"]):
        [item] = opsdeck.items("services", name)
        assert item["arn"] == service["serviceArn"], item
    lost = opsdeck.run("service", "cma-api-productoin", expect=3)
    assert "cma-production/cma-api-production" in lost.err, lost
    # ministack lists an unknown cluster as an empty one; then there is nothing to say.
    empty = opsdeck.run("services", "--cluster", "nowhere", expect=None)
    assert empty.code == (3 if emulator.name == "moto" else 0), empty


def check_tasks(emulator):
    for cluster, (region, services) in systems.SYSTEMS.items():
        ours = {i["arn"]: task_ours(i) for i in emulator.opsdeck(region).items("tasks", "--cluster", cluster)}
        theirs = {t["taskArn"]: task_theirs(t) for t in emulator.tasks(region, cluster)}
        same(f"tasks of {cluster}", ours, theirs)
        for name in services:
            listed = emulator.opsdeck(region).items("tasks", f"{cluster}/{name}")
            due = {t["taskArn"] for t in emulator.tasks(region, cluster, name)}
            same(f"tasks of {name}", {i["arn"] for i in listed}, due)
            assert due, f"the emulator runs no task of {name}"


def run_tasks(emulator):
    """moto starts no tasks for a service; so they are started by hand, and held still while they are read."""
    if emulator.name != "moto":
        return
    import json
    import urllib.request
    hold = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 1_000_000}}
    urllib.request.urlopen(urllib.request.Request(
        f"{emulator.url}/moto-api/state-manager/set-transition", json.dumps(hold).encode(), method="POST",
        headers={"content-type": "application/json"})).close()
    for cluster, (region, services) in systems.SYSTEMS.items():
        ecs, ec2 = emulator.boto3("ecs", region), emulator.boto3("ec2", region)
        subnet = ec2.describe_subnets()["Subnets"][0]
        guard = ec2.describe_security_groups()["SecurityGroups"][0]
        ec2.modify_vpc_attribute(VpcId=subnet["VpcId"], EnableDnsHostnames={"Value": True})
        for family, desired, _, _ in services.values():
            ecs.run_task(cluster=cluster, taskDefinition=family, count=desired, launchType="FARGATE",
                         networkConfiguration={"awsvpcConfiguration": {
                             "subnets": [subnet["SubnetId"]], "securityGroups": [guard["GroupId"]]}})
        arns = ecs.list_tasks(cluster=cluster)["taskArns"]
        ecs.stop_task(cluster=cluster, task=arns[0], reason="contract: stopped by hand")


def task_ours(item):
    return {"last": item["last_status"], "desired": item["desired_status"],
            "definition": item["task_definition_arn"], "why": item["stopped_reason"],
            "started": read_stamp(item["started_at"]),
            "containers": [(c["name"], c["last_status"], c["exit_code"]) for c in item["containers"]]}


def task_theirs(task):
    return {"last": task["lastStatus"], "desired": task["desiredStatus"],
            "definition": task["taskDefinitionArn"], "why": task.get("stoppedReason"),
            "started": stamp(task.get("startedAt")),
            "containers": [(c["name"], c.get("lastStatus", ""), c.get("exitCode"))
                           for c in task["containers"]]}


def check_events(emulator):
    ours = [(i["cluster"], i["service"], i["id"]) for i in emulator.opsdeck().items("events", *ALL)]
    theirs = [(cluster, service["serviceName"], event["id"])
              for cluster, (region, _) in systems.SYSTEMS.items()
              for service in emulator.services(region, cluster) for event in service.get("events", [])]
    same("events", sorted(ours), sorted(theirs))


def check_task_definitions(emulator):
    for region, cluster, name in systems.each_service():
        opsdeck, ecs = emulator.opsdeck(region), emulator.boto3("ecs", region)
        [item] = opsdeck.items("task-definition", f"{cluster}/{name}", "--reveal")
        theirs = ecs.describe_task_definition(
            taskDefinition=f"{item['family']}:{item['revision']}")["taskDefinition"]
        same(f"task definition of {name}",
             {c["name"]: (c["image"], c["environment"], c["log_options"], c["essential"],
                          [p["container_port"] for p in c["ports"]], c["read_only_root"]) for c in item["containers"]},
             {c["name"]: (c["image"], {e["name"]: e["value"] for e in c.get("environment", [])},
                          c.get("logConfiguration", {}).get("options", {}), c.get("essential", True),
                          [p["containerPort"] for p in c.get("portMappings", [])],
                          c.get("readonlyRootFilesystem", False)) for c in theirs["containerDefinitions"]})
        same(f"roles of {name}", (item["task_role_arn"], item["execution_role_arn"]),
             (theirs.get("taskRoleArn"), theirs.get("executionRoleArn")))
        masked = opsdeck.run("task-definition", f"{cluster}/{name}").out
        assert "do-not-show-me" not in masked, "a value of the environment is not masked"


def check_deployments(emulator):
    """moto does not know them, ministack has none: the first has to be said, the second is an empty list."""
    opsdeck = emulator.opsdeck("eu-west-2")
    try:
        theirs = emulator.boto3("ecs", "eu-west-2").list_service_deployments(
            cluster="cma-production", service="cma-api-production")["serviceDeployments"]
    except ClientError:
        outcome = opsdeck.run("deployments", "cma-api-production", "--output", "json", expect=1)
        [failure] = outcome.json()["failures"]
        assert failure["kind"] == "unsupported", failure
        assert failure["action"] == "ecs:ListServiceDeployments", failure
        assert "does not know" in outcome.err, outcome
    else:
        items = opsdeck.items("deployments", "cma-api-production")
        same("deployments", [i["arn"] for i in items], [d["serviceDeploymentArn"] for d in theirs])


def check_logs(emulator):
    """Lines of two tasks and several streams, merged; more than one page; odd characters."""
    region, cluster, name, group = "eu-west-2", "cma-production", "cma-api-production", "/ecs/cma-api"
    logs = emulator.boto3("logs", region)
    logs.create_log_group(logGroupName=group)
    tasks = [t["taskArn"].rsplit("/", 1)[1] for t in emulator.tasks(region, cluster, name)][:2]
    now = int(time.time() * 1000)
    written = []
    for at, task in enumerate(tasks):
        stream = f"api/api/{task}"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [{"timestamp": now - 300_000 + 200 * i + at, "message": f"line {i} of task {at} ✓ \u202e x"}
                  for i in range(600)]
        for begin in range(0, len(events), 200):
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events[begin:begin + 200])
        written += events
    due = [e["message"] for e in sorted(written, key=lambda e: e["timestamp"])]
    outcome = emulator.opsdeck(region).run("logs", name, "--since", "10m", "--output", "ndjson")
    lines = outcome.lines()
    trailer = lines.pop()
    assert trailer["complete"], trailer
    same("number of lines", len(lines), len(due))
    assert [line["message"] for line in lines] == due, "other lines, or in another order"
    assert {line["task"] for line in lines} == set(tasks) and {line["container"] for line in lines} == {"api"}
    table = emulator.opsdeck(region).run("logs", name, "--since", "10m", "--tail", "5").out
    assert len(table.splitlines()) == 5 and "\u202e" not in table, table
    some = emulator.opsdeck(region).items("logs", name, "--since", "10m", "--filter", '"line 77 of"')
    assert [item["message"][:7] for item in some] == ["line 77"] * len(tasks), some


def check_a_region_that_does_not_answer_hides_no_other(emulator):
    # Both emulators answer for every region; an ARN of a foreign region is asked there and not found.
    arn = "arn:aws:ecs:ap-south-1:123456789012:service/cma-production/cma-api-production"
    emulator.opsdeck("eu-west-2").run("service", arn, expect=3)
