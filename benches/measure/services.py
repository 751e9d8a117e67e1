"""The list of services as boto3 gets it in one process; and a race of two commands, run by turns.

    services.py create ENDPOINT COUNT        makes the services
    services.py list ENDPOINT                prints them as JSON
    services.py race RUNS ENDPOINT COMMAND…  runs `list` and COMMAND by turns, prints wall and CPU seconds of each,
                                             and beside them what the same requests take without any client
"""

import http.client
import json
import os
import subprocess
import sys
import threading
import time

CLUSTER = "perf"


def client(endpoint):
    import boto3

    return boto3.client(
        "ecs",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="measure",
        aws_secret_access_key="measure",
    )


def create(endpoint, count):
    ecs = client(endpoint)
    ecs.create_cluster(clusterName=CLUSTER)
    ecs.register_task_definition(
        family="app", containerDefinitions=[{"name": "app", "image": "app:1", "memory": 128}]
    )
    for number in range(count):
        ecs.create_service(
            cluster=CLUSTER,
            serviceName=f"service-{number:04}",
            taskDefinition="app",
            desiredCount=1,
            deploymentConfiguration={"minimumHealthyPercent": 100, "maximumPercent": 200},
        )


def services(endpoint):
    ecs = client(endpoint)
    found = []
    names = []
    for page in ecs.get_paginator("list_services").paginate(
        cluster=CLUSTER, PaginationConfig={"PageSize": 100}
    ):
        names += page["serviceArns"]
    for start in range(0, len(names), 10):
        answer = ecs.describe_services(cluster=CLUSTER, services=names[start : start + 10])
        found += answer["services"]
    json.dump(found, sys.stdout, default=str)


def bare(endpoint, width=8):
    """The requests alone, `width` at a time: what the server itself takes, whoever asks."""
    host = endpoint.removeprefix("http://")
    scope = "AWS4-HMAC-SHA256 Credential=measure/20260101/us-east-1/ecs/aws4_request"

    def call(line, operation, body):
        headers = {
            "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"{scope}, SignedHeaders=host, Signature=00",
        }
        line.request("POST", "/", json.dumps(body), headers)
        return json.loads(line.getresponse().read())

    def describe(line, names):
        for start in range(0, len(names), 10):
            call(line, "DescribeServices", {"cluster": CLUSTER, "services": names[start : start + 10]})

    begun = time.perf_counter()
    lines = [http.client.HTTPConnection(host) for _ in range(width)]
    names, token = [], None
    while token != "":
        page = {"cluster": CLUSTER, "maxResults": 100} | ({"nextToken": token} if token else {})
        answer = call(lines[0], "ListServices", page)
        names += answer["serviceArns"]
        token = answer.get("nextToken", "")
    batches = [names[start : start + 10] for start in range(0, len(names), 10)]
    shares = [sum(batches[place::width], []) for place in range(width)]
    threads = [threading.Thread(target=describe, args=pair) for pair in zip(lines, shares)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"wall": time.perf_counter() - begun, "cpu": 0, "services": len(names)}


def run(command):
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    if status != 0:
        sys.exit(f"{command[0]} ended with {status}")
    found = json.loads(output)
    found = found["items"] if isinstance(found, dict) else found
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "services": len(found)}


def race(runs, endpoint, command):
    theirs = [sys.executable, __file__, "list", endpoint]
    result = {"boto3": [], "opsdeck": [], "bare": []}
    # One of each that does not count: files come from the disk then.
    for number in range(runs + 1):
        pair = {"boto3": run(theirs), "opsdeck": run(command), "bare": bare(endpoint)}
        if number > 0:
            for name, figures in pair.items():
                result[name].append(figures)
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    if verb == "create":
        create(words[0], int(words[1]))
    elif verb == "list":
        services(words[0])
    else:
        race(int(words[0]), words[1], words[2:])
