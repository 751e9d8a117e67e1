"""The contract suite: the simulator against botocore's models, opsdeck against moto and ministack.

Everything stays on loopback. Ends in 0 when every check passed.
"""

import argparse
import re
import subprocess
import sys

import console
import emulators
import fleet
import model
import mutations
import simulator
import systems
import triage
from harness import Opsdeck, Server, Suite, base_environment, client, free_port


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--opsdeck", required=True, help="the program under test")
    options.add_argument("--moto", help="moto_server; left out, nothing is checked against it")
    options.add_argument("--ministack", help="ministack; left out, nothing is checked against it")
    given = options.parse_args()
    suite = Suite()
    suite.check("the judge sees what is wrong", model.sees_what_is_wrong)
    judge_simulator(suite, given.opsdeck, [], "simulator", simulator, mutations)
    judge_simulator(suite, given.opsdeck, ["--services", "300"], "fleet", fleet)
    if given.moto:
        with moto(given.moto) as server:
            judge_emulator(suite, server, given.opsdeck)
    if given.ministack:
        with ministack(given.ministack) as server:
            judge_emulator(suite, server, given.opsdeck)
    return suite.report()


def judge_simulator(suite, binary, flags, title, *modules):
    # Throttling is tried on a simulator of its own: here a burst of requests would meet it by accident.
    words = [binary, "sim", "--listen", "127.0.0.1:0", "--no-throttle", *flags]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=base_environment())
    try:
        text = ""
        while "Ctrl-C" not in text:
            line = process.stdout.readline()
            assert line, f"the simulator ended: {text}"
            text += line
        url = re.search(r"AWS_ENDPOINT_URL=(\S+)", text)[1]
        judge = model.Judge()
        walk = simulator.Walk(url)
        for checks in modules:
            suite.all_of(title, checks, walk)
        judge.close()
        for checks in modules:
            suite.check(f"{title}: botocore's models are met by {checks.__name__}", checks.judged, judge)
    finally:
        process.terminate()
        suite.check(f"{title}: SIGTERM ends it well", ended_well, process)


def ended_well(process):
    code = process.wait(timeout=10)
    assert code == 0, f"exit code {code}"


def judge_emulator(suite, server, binary):
    systems.create(lambda service, region: client(service, server.url, region))
    emulator = emulators.Emulator(server, binary)
    suite.all_of(server.name, emulators, emulator)
    suite.all_of(server.name, triage, emulator)
    suite.all_of(server.name, console, emulator)


def moto(program):
    port = free_port()
    return Server(
        "moto",
        [program, "-H", "127.0.0.1", "-p", str(port)],
        f"http://127.0.0.1:{port}",
        "/moto-api/",
        {"MOTO_ECS_SERVICE_RUNNING": "1"},
    )


def ministack(program):
    port = free_port()
    return Server(
        "ministack",
        [program],
        f"http://127.0.0.1:{port}",
        "/_ministack/health",
        {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_ACCOUNT_ID": systems.ACCOUNT,
            "IOT_MTLS_ENABLED": "0",
        },
    )


if __name__ == "__main__":
    sys.exit(main())
