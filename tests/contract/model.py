"""Judges raw answers by botocore's own models: required members, types, unknown members, enums.

botocore's parser forgives nearly everything, so the raw body is taken before it is parsed.
"""

import datetime
import json
import re
import xml.etree.ElementTree as ElementTree

import botocore.parsers
import cbor2


class Judge:
    """Takes every answer that botocore parses and keeps what is wrong with it."""

    def __init__(self):
        self.findings, self.judged = [], {}
        self._parse = botocore.parsers.ResponseParser.parse
        judge = self

        def parse(parser, response, shape):
            if shape is not None and response["status_code"] < 300:
                judge.take(response, shape)
            return judge._parse(parser, response, shape)

        botocore.parsers.ResponseParser.parse = parse

    def close(self):
        botocore.parsers.ResponseParser.parse = self._parse

    def take(self, response, shape):
        self.judged[shape.name] = self.judged.get(shape.name, 0) + 1
        body = response["body"]
        if not isinstance(body, (bytes, str)):
            return  # An event stream: its events come to `parse` one by one.
        event = response["headers"].get(":event-type")
        if event is not None:
            if event in shape.members:
                self.json(json.loads(body), shape.members[event], f"{shape.name}.{event}")
            elif event != "initial-response":
                self.say(shape.name, f"unknown event {event}")
            return
        kind = response["headers"].get("content-type", "")
        if "xml" in kind:
            root = ElementTree.fromstring(body)
            wrapper = shape.serialization.get("resultWrapper")
            node = next((n for n in root.iter() if wrapper and local(n) == wrapper), root)
            self.xml(node, shape, shape.name)
        elif "cbor" in kind:
            self.json(cbor2.loads(body), shape, shape.name)
        elif body:
            self.json(json.loads(body), shape, shape.name)

    def say(self, path, what):
        finding = f"{path}: {what}"
        if finding not in self.findings:
            self.findings.append(finding)

    def json(self, value, shape, path):
        kind = shape.type_name
        if kind == "structure":
            if not isinstance(value, dict):
                return self.say(path, f"{type(value).__name__} instead of an object")
            names = {m.serialization.get("name", n): m for n, m in shape.members.items()}
            for name, member in value.items():
                if name not in names:
                    self.say(path, f"unknown member {name}")
                elif member is None:
                    self.say(f"{path}.{name}", "null, which AWS does not send")
                else:
                    self.json(member, names[name], f"{path}.{name}")
            for name in shape.required_members:
                if name not in value:
                    self.say(path, f"required member {name} is missing")
        elif kind == "list":
            if not isinstance(value, list):
                return self.say(path, f"{type(value).__name__} instead of a list")
            for item in value:
                self.json(item, shape.member, f"{path}[]")
        elif kind == "map":
            if not isinstance(value, dict):
                return self.say(path, f"{type(value).__name__} instead of a map")
            for item in value.values():
                self.json(item, shape.value, f"{path}{{}}")
        else:
            self.scalar(value, shape, path)

    def scalar(self, value, shape, path):
        kind = shape.type_name
        wanted = {
            "string": str,
            "integer": int,
            "long": int,
            "float": (int, float),
            "double": (int, float),
            "boolean": bool,
            # CBOR marks what is a time.
            "timestamp": (int, float, datetime.datetime),
            "blob": str,
        }[kind]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            return self.say(path, f"{value!r} is not of type {kind}")
        enum = shape.metadata.get("enum")
        if enum and value not in enum:
            self.say(path, f"{value!r} is none of {', '.join(enum)}")
        return None

    def xml(self, node, shape, path):
        kind = shape.type_name
        if kind == "structure":
            names = {m.serialization.get("name", n): m for n, m in shape.members.items()}
            # A list may be written without an element of its own, under the name of its items.
            flat = {m.member.serialization.get("name", n): m.member for n, m in shape.members.items()
                    if m.type_name == "list" and m.serialization.get("flattened")}
            for child in node:
                name = local(child)
                if name == "ResponseMetadata":
                    continue
                if name not in names and name not in flat:
                    self.say(path, f"unknown member {name}")
                else:
                    self.xml(child, flat.get(name) or names[name], f"{path}.{name}")
            there = {local(child) for child in node}
            for name in shape.required_members:
                if shape.members[name].serialization.get("name", name) not in there:
                    self.say(path, f"required member {name} is missing")
        elif kind == "list":
            item = shape.member.serialization.get("name", "member")
            for child in node:
                if local(child) != item:
                    self.say(path, f"item {local(child)} instead of {item}")
                else:
                    self.xml(child, shape.member, f"{path}[]")
        elif kind in ("string", "integer", "long", "float", "double", "boolean", "timestamp"):
            self.leaf(node, shape, path)

    def leaf(self, node, shape, path):
        if len(node):
            return self.say(path, f"elements, where a {shape.type_name} is due")
        text = node.text or ""
        form = {"integer": r"-?\d+", "long": r"-?\d+", "float": r"-?\d+(\.\d+)?", "double": r"-?\d+(\.\d+)?",
                "boolean": "true|false", "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"}
        if not re.fullmatch(form.get(shape.type_name, "(?s).*"), text):
            self.say(path, f"{text!r} is not of type {shape.type_name}")
        enum = shape.metadata.get("enum")
        if enum and text not in enum:
            self.say(path, f"{text!r} is none of {', '.join(enum)}")
        return None

def local(node):
    return node.tag.rsplit("}", 1)[-1]


def sees_what_is_wrong():
    """A judge that finds nothing is worth nothing: it is shown a bad answer."""
    from botocore.session import get_session

    shape = get_session().get_service_model("ecs").operation_model("DescribeServices").output_shape
    bad = {"services": [{"serviceName": 7, "desiredCount": "2", "invented": 1, "status": None,
                         "launchType": "MOON", "createdAt": "2026-01-01T00:00:00Z"}], "failures": {}}
    judge = Judge()
    judge.close()
    judge.json(bad, shape, "answer")
    for part in ("serviceName", "desiredCount", "invented", "null", "MOON", "createdAt", "failures"):
        assert any(part in finding for finding in judge.findings), f"{part} was not seen: {judge.findings}"
    form = get_session().get_service_model("rds").operation_model("DescribeDBInstances").output_shape
    bad = ElementTree.fromstring(
        "<R><DBInstances><DBInstance><MultiAZ>yes</MultiAZ><AllocatedStorage>1.5</AllocatedStorage>"
        "<InstanceCreateTime>today</InstanceCreateTime><Made>up</Made></DBInstance><member/></DBInstances></R>")
    judge.xml(bad, form, "form")
    for part in ("MultiAZ", "AllocatedStorage", "InstanceCreateTime", "Made", "item member"):
        assert any(f.startswith("form") and part in f for f in judge.findings), f"{part}: {judge.findings}"
    good = Judge()
    good.close()
    good.json({"services": [{"serviceName": "web", "desiredCount": 2}], "failures": []}, shape, "answer")
    assert not good.findings, good.findings
