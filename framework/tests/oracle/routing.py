"""Answers on standard output what Werkzeug makes of the rules, paths and values on standard input.

Both are JSON; framework/tests/routing says what the fields mean.
"""

import json
import struct
import sys
import uuid
from urllib.parse import unquote_to_bytes

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import (
    BaseConverter,
    BuildError,
    Map,
    RequestRedirect,
    Rule,
    WebsocketMismatch,
)
from werkzeug.urls import iri_to_uri


class Regex(BaseConverter):
    """The converter that everyone writes, with the attribute that Werkzeug would derive from a class."""

    def __init__(self, map, pattern):
        super().__init__(map)
        self.regex = pattern
        self.part_isolating = "/" not in pattern


class List(BaseConverter):
    """A converter with values of its own: `a+b` is a list."""

    regex = r"[a-z]+(?:\+[a-z]+)*"
    weight = 80
    part_isolating = True

    def to_python(self, value):
        return value.split("+")

    def to_url(self, value):
        return "+".join(super(List, self).to_url(one) for one in value)


def value_in(value):
    kind, content = value
    return {
        "text": str,
        "int": int,
        "float": float,
        "bool": bool,
        "uuid": uuid.UUID,
        "list": list,
    }[kind](content)


def value_out(value):
    if isinstance(value, bool):
        return ["bool", value]
    if isinstance(value, int):
        return ["int", str(value)]
    if isinstance(value, float):
        return ["float", struct.unpack("<Q", struct.pack("<d", value))[0]]
    if isinstance(value, uuid.UUID):
        return ["uuid", str(value)]
    if isinstance(value, list):
        return ["list", value]
    return ["text", value]


def make_rule(number, spec):
    spec = dict(spec)
    defaults = spec.pop("defaults", None)
    if defaults is not None:
        spec["defaults"] = {name: value_in(value) for name, value in defaults}
    rule = Rule(spec.pop("rule"), **spec)
    rule.number = number
    return rule


def make_map(spec):
    rules = [make_rule(number, rule) for number, rule in enumerate(spec["rules"])]
    converters = {"regex": Regex, "list": List}
    return Map(rules, converters=converters, **spec.get("options", {}))


def bind(map, spec):
    at = dict(spec)
    query = at.pop("query", "").encode("latin-1").decode("utf-8", "replace")
    if map.host_matching:
        at.pop("subdomain", None)
    return map.bind(query_args=query, **at)


def find(map, case):
    raw = case["path"].encode("latin-1")
    path = unquote_to_bytes(raw).decode("utf-8", "replace")
    at = dict(case["at"])
    websocket = at.pop("websocket", None)
    adapter = bind(map, at)
    # What a WSGI server passes on: an empty path stays empty.
    adapter.path_info = path
    try:
        rule, values = adapter.match(
            path, case["method"], return_rule=True, websocket=websocket
        )
    except RequestRedirect as redirect:
        return ["redirect", iri_to_uri(redirect.new_url)]
    except MethodNotAllowed as error:
        return ["methods", sorted(error.valid_methods)]
    except WebsocketMismatch:
        return ["websocket"]
    except NotFound:
        return ["nothing"]
    values = {name: value_out(value) for name, value in values.items()}
    return ["found", rule.number, rule.endpoint, values]


def build(map, case):
    at = dict(case["at"])
    at.pop("websocket", None)
    adapter = bind(map, at)
    adapter.default_method = case["request_method"]
    values = {}
    for name, value in case["values"]:
        values.setdefault(name, []).append(value_in(value))
    values = {name: one[0] if len(one) == 1 else one for name, one in values.items()}
    try:
        url = adapter.build(
            case["endpoint"],
            values,
            method=case["method"],
            force_external=case["external"] or case["scheme"] is not None,
            url_scheme=case["scheme"],
        )
    except BuildError as error:
        nearest = error.suggested
        if nearest is None or nearest.endpoint != error.endpoint:
            return ["endpoint", nearest and nearest.endpoint]
        missing = sorted((nearest.arguments | set(nearest.defaults or ())) - set(values))
        methods = None
        if error.method and nearest.methods is not None and error.method not in nearest.methods:
            methods = sorted(nearest.methods)
        return ["values", missing, methods]
    except ValueError:
        return ["value"]
    return ["url", url]


def answer(spec):
    try:
        map = make_map(spec)
    except Exception as error:
        return {"refused": f"{type(error).__name__}: {error}"}
    answers = {}
    for kind, ask in (("find", find), ("build", build)):
        answers[kind] = []
        for case in spec.get(kind, []):
            try:
                answers[kind].append(ask(map, case))
            except Exception as error:
                answers[kind].append(["crash", f"{type(error).__name__}: {error}"])
    return answers


json.dump([answer(spec) for spec in json.load(sys.stdin)], sys.stdout)
