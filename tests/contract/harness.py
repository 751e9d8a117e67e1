"""What the contract suite stands on: servers on loopback, the program under test, the count of checks.

Must not know what is checked.
"""

import json
import os
import socket
import subprocess
import tempfile
import time
import traceback
import urllib.error
import urllib.request

import boto3
from botocore.config import Config

KEYS = {"aws_access_key_id": "contract", "aws_secret_access_key": "simulator"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def client(service, url, region, protocol=None):
    """A client that does not retry: what a server answers first is what is judged.

    A service that speaks several protocols is asked in the one that botocore likes best, or in `protocol`.
    """
    config = Config(
        retries={"total_max_attempts": 1},
        inject_host_prefix=False,
        connect_timeout=5,
        read_timeout=120,
        proxies={},
    )
    session = boto3.session.Session()
    if protocol:
        # The loader keeps what it has read, so each session's model can be given one protocol alone.
        core = session._session
        metadata = core.get_component("data_loader").load_service_model(service, "service-2")["metadata"]
        assert protocol in metadata["protocols"], metadata
        metadata["protocols"], metadata["protocol"] = [protocol], protocol
    return session.client(service, endpoint_url=url, region_name=region, config=config, **KEYS)


class Server:
    """A server of somebody's, ended when the suite leaves it."""

    def __init__(self, name, words, url, ready, env=None):
        self.name, self.url = name, url
        self.log = tempfile.NamedTemporaryFile(prefix=f"{name}-", suffix=".log", delete=False)
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env={**base_environment(), **(env or {})},
        )
        self._wait(ready)

    def _wait(self, ready):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended: {self.output()}")
            try:
                urllib.request.urlopen(self.url + ready, timeout=2).close()
                return
            except urllib.error.HTTPError:
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise RuntimeError(f"{self.name} does not answer: {self.output()}")

    def output(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as log:
            return log.read()[-4000:]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def base_environment():
    """Nothing of whoever runs the suite but the search path."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": tempfile.gettempdir()}


class Outcome:
    """What one run of the program gave."""

    def __init__(self, words, code, out, err):
        self.words, self.code, self.out, self.err = words, code, out, err

    def json(self):
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise AssertionError(f"{self}: not JSON: {error}") from error

    def items(self):
        return self.json()["items"]

    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __str__(self):
        return f"`{' '.join(self.words)}` gave {self.code}\n{self.out[-1500:]}\n{self.err[-1500:]}"


class Opsdeck:
    """The program under test, against one endpoint, in an empty home."""

    def __init__(self, binary, url, region):
        self.binary, self.url, self.region = os.path.abspath(binary), url, region
        self.home = tempfile.mkdtemp(prefix="opsdeck-home-")

    def environment(self):
        return {
            "PATH": os.environ["PATH"],
            "HOME": self.home,
            "LANG": "C.UTF-8",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def run(self, *words, expect=0):
        done = subprocess.run(
            [self.binary, *words],
            env=self.environment(),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=90,
        )
        out = done.stdout.decode("utf-8", "replace")
        outcome = Outcome(words, done.returncode, out, done.stderr.decode("utf-8", "replace"))
        assert expect is None or done.returncode == expect, f"expected exit code {expect}: {outcome}"
        return outcome

    def items(self, *words, expect=0):
        return self.run(*words, "--output", "json", expect=expect).items()


class Suite:
    """Runs checks and counts them; one that fails does not hide the others."""

    def __init__(self):
        self.passed, self.failed = 0, []

    def check(self, name, work, *args):
        try:
            work(*args)
        except Exception as error:  # noqa: BLE001 a check may fail in any way
            self.failed.append(name)
            print(f"FAILED  {name}")
            tell = str(error) if isinstance(error, AssertionError) and str(error) else traceback.format_exc()
            print("        " + tell.replace("\n", "\n        "))
        else:
            self.passed += 1
            print(f"ok      {name}", flush=True)

    def all_of(self, title, module, *args):
        for name in [n for n in dir(module) if n.startswith("check_")]:
            self.check(f"{title}: {name[6:].replace('_', ' ')}", getattr(module, name), *args)

    def report(self):
        print(f"\ncontract result: {self.passed} passed; {len(self.failed)} failed")
        return 1 if self.failed else 0


def same(what, ours, theirs):
    """Fails with the difference of two mappings or lists, not with both of them whole."""
    if ours == theirs:
        return
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = [k for k in {**ours, **theirs} if ours.get(k) != theirs.get(k)]
        lines = [f"  {k}: opsdeck {ours.get(k)!r}, boto3 {theirs.get(k)!r}" for k in keys]
        raise AssertionError(f"{what} differ\n" + "\n".join(lines))
    raise AssertionError(f"{what} differ\n  opsdeck {ours!r}\n  boto3   {theirs!r}")
